"""Derive segments that have an end, and posted values, from what Genesys said in details."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from halfhour.model.coverage import DAY
from halfhour.model.intervals import Interval, epoch_ms
from halfhour.model.rules import rule_text
from halfhour.model.tables import EMITTED_SCHEMA, SEGMENTS_SCHEMA

DERIVED_SCHEMAS: Mapping[str, pa.Schema] = {"segments": SEGMENTS_SCHEMA, "emitted": EMITTED_SCHEMA}
"""The tables that follow from raw details, by name."""

UNREADABLE_CONVERSATIONS = "conversations left out, as they cannot be read"
EMPTY_CONVERSATIONS = "conversations left out, as they say nothing of what their agents did"
UNREADABLE_VALUES = "values left out, as they cannot be read"
SEGMENTS_WITHOUT_START = "segments left out, as they have no start"
REVERSED_SEGMENTS = "segments left out, as they end before they start"
SEGMENTS_WITHOUT_END = (
    "segments without an end, which end where the next begins or their session is over"
)
OVERLAPPING_SEGMENTS = (
    "segments that overlap another of their session, whose common time counts once"
)
UNKNOWN_SEGMENT_TYPES = "segments of a type that is not known, which count as no work"

KINDS = {
    "unreadable": UNREADABLE_CONVERSATIONS,
    "empty": EMPTY_CONVERSATIONS,
    "unreadable_value": UNREADABLE_VALUES,
    "without_start": SEGMENTS_WITHOUT_START,
    "reversed": REVERSED_SEGMENTS,
    "without_end": SEGMENTS_WITHOUT_END,
    "overlapping": OVERLAPPING_SEGMENTS,
    "unknown_type": UNKNOWN_SEGMENT_TYPES,
}
"""The kinds of data issues of `model/sql/detail_issues.sql`, as people read them."""
KINDS_LEFT_OUT = frozenset({"unreadable", "empty", "unreadable_value", "without_start", "reversed"})
UNKNOWN_CONVERSATION_ID = "?"
"""The id of a conversation whose own id cannot be read, as people read it."""


class DataIssue(NamedTuple):
    """A problem in the data of a conversation; *kind* tells which.

    If *is_left_out*, the figures lack the conversation or a part of it, and *time_span* is the
    first and the last time in its records, in ms since 1970; None if no time can be read.
    """

    kind: str
    conversation_id: str
    detail: str = ""
    is_left_out: bool = False
    time_span: tuple[int, int] | None = None


class DerivedDetails(NamedTuple):
    """The files of `DERIVED_SCHEMAS` by name, and what is wrong with the details."""

    paths: dict[str, Path]
    data_issues: list[DataIssue]


def derive_details(
    raw_tables: Mapping[str, pa.Table | Path], window: Interval, folder: Path
) -> DerivedDetails:
    """Derive the tables of `DERIVED_SCHEMAS` for *window*, as Parquet files in *folder*.

    *raw_tables* are those of `tables.RAW_SCHEMAS`, or their Parquet files. *window* begins at the
    start of a day (UTC) and may have several days. What does not fit into memory goes into
    *folder* too.
    """
    days = pa.table({"start_ms": [epoch_ms(day.start) for day in window.split_into_windows(DAY)]})
    paths = {name: folder / f"{name}.parquet" for name in DERIVED_SCHEMAS}
    with duckdb.connect(config={"temp_directory": str(folder)}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("days", days)
        for name, raw in raw_tables.items():
            if isinstance(raw, Path):
                connection.register("incoming", ds.dataset(raw))
                connection.execute(f"create temp table {name} as from incoming")
            else:
                connection.register(name, raw)
        for step in ("agent_sessions", "timed_segments", "timeline"):
            connection.execute(f"create temp table {step} as {rule_text(step)}")
        bounds = {"start_ms": epoch_ms(window.start), "end_ms": epoch_ms(window.end)}
        for name, text, values in (
            ("segments", "segments_by_day", None),
            ("emitted", "emitted", bounds),
        ):
            answer = connection.sql(rule_text(text), params=values).to_arrow_reader()
            with pq.ParquetWriter(paths[name], DERIVED_SCHEMAS[name]) as writer:
                for batch in answer:
                    table = pa.Table.from_batches([batch])
                    writer.write_table(table.cast(DERIVED_SCHEMAS[name]))
        issues = connection.execute(rule_text("detail_issues")).fetchall()
    return DerivedDetails(paths, [_data_issue(*issue) for issue in issues])


def _data_issue(
    kind: str, conversation_id: str | None, detail: str, first_ms: int | None, last_ms: int | None
) -> DataIssue:
    time_span = None if first_ms is None or last_ms is None else (first_ms, last_ms)
    is_left_out = kind in KINDS_LEFT_OUT
    return DataIssue(
        KINDS[kind],
        UNKNOWN_CONVERSATION_ID if conversation_id is None else conversation_id,
        detail,
        is_left_out,
        time_span if is_left_out else None,
    )
