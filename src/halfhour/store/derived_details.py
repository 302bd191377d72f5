"""Derive segments that have an end, and posted values, from what Genesys said in details."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from halfhour.model.coverage import DAY, format_days
from halfhour.model.intervals import MILLISECOND, Interval, epoch_ms
from halfhour.model.rules import DETAIL_STEPS, rule_text
from halfhour.model.tables import EMITTED_SCHEMA, RAW_SCHEMAS, SEGMENTS_SCHEMA, SPOOL_OPTIONS
from halfhour.store.database import Connection, load_store_sql

T = TypeVar("T")

STORED_SCHEMAS: Mapping[str, pa.Schema] = {
    "segments": SEGMENTS_SCHEMA,
    "emitted": EMITTED_SCHEMA,
    **{name: schema.insert(0, SEGMENTS_SCHEMA.field(0)) for name, schema in RAW_SCHEMAS.items()},
}
"""The tables of a store that details go into, by name: what follows from them, and what was said.

Each row of what was said stands under every day (UTC) that its record belongs to.
"""

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
ACTIVE_ON_OTHER_DAYS = "conversations that agents also worked on in days that are left out"
UNKNOWN_SEGMENT_TYPES = "segments of a type that is not known, which count as no work"

ISSUE_KINDS = {
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
MEMORY_LIMIT = "2GB"
"""The most memory of a derivation. Each process would else take four fifths of the machine."""
LEFT_OUT_KINDS = frozenset({"unreadable", "empty", "unreadable_value", "without_start", "reversed"})
ISSUES_FETCHED_TOGETHER = 10_000
INTERRUPT_PAUSE = 0.05
"""The seconds between two attempts to end a derivation that is cancelled."""
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
    """The files of `STORED_SCHEMAS` by name, and what is wrong with the details."""

    paths: dict[str, Path]
    data_issues: list[DataIssue]


def issues_on_other_days(
    days: Iterable[datetime], conversation_ids: Iterable[str]
) -> Iterator[DataIssue]:
    """Yield an issue for each conversation that also has segments on *days*, which are left out."""
    kind = f"{ACTIVE_ON_OTHER_DAYS} ({format_days(set(days))})"
    return (DataIssue(kind, conversation_id) for conversation_id in conversation_ids)


async def derive_details(
    raw_tables: Mapping[str, pa.Table | Path], window: Interval, folder: Path
) -> DerivedDetails:
    """Derive the tables of `STORED_SCHEMAS` for *window*, as Arrow files in *folder*.

    *raw_tables* are those of `tables.RAW_SCHEMAS`, or their Arrow files. *window* begins at the
    start of a day (UTC) and may have several days. What does not fit into memory goes into
    *folder* too. The work is done in a thread, and ends soon when it is cancelled.
    """
    days = [day.start for day in window.split_into_windows(DAY)]
    write = partial(_write_stored_tables, window=window, folder=folder)
    return await run_derivation(raw_tables, days, folder, write)


async def run_derivation(
    raw_tables: Mapping[str, pa.Table | Path],
    days: Sequence[datetime],
    folder: Path,
    write: Callable[[Connection], T],
) -> T:
    """Derive the tables of `rules.DETAIL_STEPS`, and return what *write* makes of them.

    *write* gets a connection with these tables, the raw ones, `record_spans` and `days`, which
    has *days*. Otherwise as `derive_details`.
    """

    def derive() -> T:
        _create_steps(connection, raw_tables, days)
        return write(connection)

    with _connect(raw_tables, folder) as connection:
        derivation = asyncio.ensure_future(asyncio.to_thread(derive))
        try:
            return await asyncio.shield(derivation)
        except asyncio.CancelledError:
            while not derivation.done():  # An interrupt between two queries has no effect.
                connection.interrupt()
                await asyncio.wait([derivation], timeout=INTERRUPT_PAUSE)
            derivation.exception()
            raise


def _connect(raw_tables: Mapping[str, pa.Table | Path], folder: Path) -> Connection:
    """Open a database in memory, which puts on disk what is more than `MEMORY_LIMIT`.

    One thread is faster for what fits into memory.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(folder),
        "memory_limit": MEMORY_LIMIT,
    }
    if not any(isinstance(raw, Path) for raw in raw_tables.values()):
        config["threads"] = 1
    return duckdb.connect(config=config)


def _create_steps(
    connection: Connection,
    raw_tables: Mapping[str, pa.Table | Path],
    days: Sequence[datetime],
) -> None:
    connection.execute("set TimeZone = 'UTC'")
    connection.register("days", pa.table({"start_ms": [epoch_ms(day) for day in days]}))
    for name, raw in raw_tables.items():
        if isinstance(raw, Path):
            connection.register("incoming", ds.dataset(raw, format="ipc"))
            connection.execute(f"create temp table {name} as from incoming")
        else:
            connection.register(name, raw)
    for step in (*DETAIL_STEPS, "record_spans"):
        connection.execute(f"create temp table {step} as {rule_text(step)}")


def _write_stored_tables(
    connection: Connection, *, window: Interval, folder: Path
) -> DerivedDetails:
    record_days = load_store_sql("sql/record_days").replace("{day_ms}", str(DAY // MILLISECOND))
    connection.execute(f"create temp table record_days as {record_days}")
    bounds = {"start_ms": epoch_ms(window.start), "end_ms": epoch_ms(window.end)}
    queries: dict[str, tuple[str, dict[str, int] | None]] = {
        "segments": (rule_text("segments_by_day"), None),
        "emitted": (rule_text("emitted"), bounds),
        **{name: (_raw_query(name), None) for name in RAW_SCHEMAS},
    }
    paths = {name: folder / f"stored_{name}.arrow" for name in STORED_SCHEMAS}
    for name, (query, values) in queries.items():
        schema = STORED_SCHEMAS[name]
        with pa.ipc.new_file(paths[name], schema, options=SPOOL_OPTIONS) as writer:
            for batch in connection.sql(query, params=values).to_arrow_reader():
                writer.write_table(pa.Table.from_batches([batch]).cast(schema))
    return DerivedDetails(paths, list(find_data_issues(connection)))


def find_data_issues(connection: Connection) -> Iterator[DataIssue]:
    """Yield what is wrong with the details on a connection of `run_derivation`."""
    connection.execute(rule_text("detail_issues"))
    while rows := connection.fetchmany(ISSUES_FETCHED_TOGETHER):
        for row in rows:
            yield as_data_issue(*row)


def _raw_query(name: str) -> str:
    """Return the SQL that puts the raw table *name* under the days of its records."""
    of_session = "" if "record" in RAW_SCHEMAS[name].names else "join sessions using (session_key) "
    keys = ("record", "session_key", "position")
    order = ", ".join(f"{name}.{key}" for key in keys if key in RAW_SCHEMAS[name].names)
    return (
        f"select make_timestamptz(record_days.start_ms * 1000) as window_start, {name}.* "  # noqa: S608
        f"from {name} {of_session}join record_days using (record) "
        f"order by record_days.start_ms, {order}"
    )


def as_data_issue(
    kind: str, conversation_id: str | None, detail: str, first_ms: int | None, last_ms: int | None
) -> DataIssue:
    """Return the issue that a row of `model/sql/detail_issues.sql` tells."""
    time_span = None if first_ms is None or last_ms is None else (first_ms, last_ms)
    is_left_out = kind in LEFT_OUT_KINDS
    return DataIssue(
        ISSUE_KINDS[kind],
        UNKNOWN_CONVERSATION_ID if conversation_id is None else conversation_id,
        detail,
        is_left_out,
        time_span if is_left_out else None,
    )
