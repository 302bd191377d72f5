"""Named questions about Arrow tables, answered as Arrow tables.

The questions stand in `model/sql/`. The columns' names carry their unit: `_sec`
seconds (exact milliseconds, but for means), `_count`, `_ratio`.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from halfhour.errors import ConfigError, suggest_name
from halfhour.model.arrow_columns import NULL_MARKER, boolean_column, integer_column, string_column
from halfhour.model.coverage import DAY, DayCoverage, DayState, SettledWindow
from halfhour.model.intervals import MINUTE, epoch_ms, floor_to_width
from halfhour.model.measures import (
    BASES_BY_COLUMN,
    CAPACITY_USED_COLUMN,
)
from halfhour.model.question import Question
from halfhour.model.rules import rule_text
from halfhour.model.tables import OFFERED_SCHEMA, POSTED_SCHEMA, TIMESTAMP
from halfhour.model.vocabulary import Basis, By, Source
from halfhour.reports.data import ReportData


def build_report(question: Question, found: ReportData) -> pa.Table:
    """What agents did, as *question* wants its rows and their order.

    An agent without a name in *found* shows as the id. What is of days that
    are not settled yet is provisional. Intervals are in *question*'s zone.
    Raises ConfigError for a column to sort by that there is not.
    """
    answer = _answer_question(question, found, _query_for(question))
    return _sort_and_limit(answer, question).replace_schema_metadata(
        {"halfhour.basis": question.basis, "halfhour.interval": str(question.interval)}
    )


def build_total(question: Question, found: ReportData) -> pa.Table:
    """Return the figures of all agents together, in one row or none."""
    return _answer_question(
        question,
        found,
        rule_text("by_dimension", key="'all agents'", label="dimension as total"),
    )


def _query_for(question: Question) -> str:
    minutes = question.width // MINUTE
    match question.by:
        case By.INTERVAL:
            return rule_text("by_interval", minutes=minutes)
        case By.AGENT | By.DAY:
            return rule_text("by_agent", minutes=minutes)
        case By.QUEUE:
            return rule_text("by_dimension", key="queue_id", label=_QUEUE_COLUMNS)
        case By.QUEUE_INTERVAL:
            return rule_text("by_queue_interval", minutes=minutes)
        case By.MEDIA:
            return rule_text("by_dimension", key="media_type", label="dimension as media_type")


_QUEUE_COLUMNS = """dimension as queue_id,
    coalesce(
        (
            select string_agg(coalesce(queues.name, id), ', ' order by id)
            from unnest(string_split(dimension, ',')) as listed(id)
            left join queues using (id)
        ),
        'no queue'
    ) as queue_name"""


def _answer_question(question: Question, found: ReportData, sql: str) -> pa.Table:
    worked = question.basis is Basis.WORKED
    own = found.worked if worked else found.posted
    answer = _query_tables(
        sql,
        {
            name: value
            for name, value in {
                "origin": question.interval.start,
                "basis": question.basis.value,
                "with_offered": found.offered is not None,
            }.items()
            if f"${name}" in sql
        },
        figures=own,
        callback_voice=POSTED_SCHEMA.empty_table() if worked else found.callback_voice,
        worked=found.worked if question.basis is Basis.BOTH else POSTED_SCHEMA.empty_table(),
        busy=found.busy,
        status=found.status,
        capacity=found.capacity,
        offered=OFFERED_SCHEMA.empty_table() if found.offered is None else found.offered,
        agents=found.agents,
        queues=found.queues,
        calendar=_interval_calendar(question, found, own),
        provisional_days=_window_start_table(
            each.day.start
            for each in found.days_of_sources(question.required_sources)
            if each.state is not DayState.SETTLED
        ),
    )
    answer = answer.select(
        [name for name in answer.column_names if _is_column_available(name, question)]
    )
    return answer.cast(_public_schema(answer.schema, question))


def _is_column_available(column: str, question: Question) -> bool:
    """Whether there can be anything of it."""
    if column == CAPACITY_USED_COLUMN:
        return question.with_capacity
    if column == "day":
        return question.by is By.DAY
    return column not in BASES_BY_COLUMN or question.basis in BASES_BY_COLUMN[column]


def _sort_and_limit(answer: pa.Table, question: Question) -> pa.Table:
    """As it is, or by a column: the most first, or the least of what is no figure."""
    if column := question.sort:
        if column not in answer.column_names:
            raise ConfigError(
                f"⟨sort⟩ {column!r}: a report by {question.by} has no such column"
                f"{suggest_name(column, answer.column_names)}"
            )
        figure = pa.types.is_integer(answer[column].type) or pa.types.is_floating(
            answer[column].type
        )
        order = "descending" if figure else "ascending"
        # What is equal stays in the order it has.
        numbers = integer_column(array("q", range(len(answer))), pa.int64())
        numbered = answer.append_column("row", numbers)
        keys = [(column, order), ("row", "ascending")]
        answer = answer.take(pc.sort_indices(numbered, keys))
    return answer.slice(0, question.top)


def _interval_calendar(question: Question, found: ReportData, own: pa.Table) -> pa.Table:
    """Each interval of *question*; the local day that it is in, if rows are by day; and whether
    any part of its row was asked for, as it is held or something is known of it: of the figures,
    which are *own*, and of details; or was, but without transfers.
    """
    starts = [each.start for each in question.interval.split_into_windows(question.width)]
    by_day = question.by is By.DAY
    days = [f"{start.astimezone(question.zone):%Y-%m-%d}" if by_day else "" for start in starts]
    by_interval = question.by in (By.INTERVAL, By.QUEUE_INTERVAL)
    rows: Sequence[object] = starts if by_interval else days

    def has(windows: Iterable[SettledWindow], table: pa.Table) -> pa.Array:
        told = pc.unique(table["interval_start"]).to_pylist()
        at = {each - (each - starts[0]) % question.width for each in told}
        until = {each.window.start: each.window.end for each in windows}
        known = {
            row
            for row, start in zip(rows, starts, strict=True)
            if start in at or start < until.get(floor_to_width(start, DAY), start)
        }
        return boolean_column(row in known for row in rows)

    without = [each for each in found.settled_days(Source.POSTED) if not each.has_transfers]
    return pa.table(
        {
            "interval_start": _timestamp_array(starts),
            "day": string_column(days),
            "has_figures": has(found.settled_days(question.required_sources[0]), own),
            "has_details": has(found.settled_days(Source.DETAILS), found.worked),
            "lacks_transfers": has(without, POSTED_SCHEMA.empty_table()),
        }
    )


def coverage_table(sources: Mapping[Source, Sequence[DayCoverage]]) -> pa.Table:
    """What a store has of each day of *sources*: `source`, `window_start`, `window_end`, `state`,
    `held_until`, `read_at` (moments in UTC, null where nothing is held), `row_count` and
    `left_out_count`, of what was there and could not be read.
    """
    days = [each for held in sources.values() for each in held]
    settled = [each.settled for each in days]
    return pa.table(
        {
            "source": string_column(
                [source.value for source, held in sources.items() for _ in held]
            ),
            "window_start": _timestamp_array(each.day.start for each in days),
            "window_end": _timestamp_array(each.day.end for each in days),
            "state": string_column([each.state.value for each in days]),
            "held_until": _timestamp_array(each.window.end if each else None for each in settled),
            "read_at": _timestamp_array(each.read_at if each else None for each in settled),
            "row_count": integer_column(
                array("q", [each.row_count if each else NULL_MARKER for each in settled]),
                pa.int64(),
            ),
            "left_out_count": integer_column(
                array("q", [day.left_out_count if day else NULL_MARKER for day in settled]),
                pa.int64(),
            ),
        }
    )


def _window_start_table(moments: Iterable[datetime]) -> pa.Table:
    return pa.table({"window_start": _timestamp_array(moments)})


def _timestamp_array(moments: Iterable[datetime | None]) -> pa.Array:
    return integer_column(
        array("q", [epoch_ms(each) if each else NULL_MARKER for each in moments]), TIMESTAMP
    )


def _query_tables(sql: str, values: Mapping[str, object], **tables: pa.Table) -> pa.Table:
    with _shared_connection().cursor() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(sql, params=values).to_arrow_table()


@cache
def _shared_connection() -> duckdb.DuckDBPyConnection:
    """An empty one, of ours alone; to make one takes several times as long as to ask."""
    return duckdb.connect()


def _public_schema(schema: pa.Schema, question: Question) -> pa.Schema:
    """The types that users get: moments to the millisecond in their zone, counts as int64."""
    moment = pa.timestamp("ms", tz=str(question.zone))
    return pa.schema(
        [
            field.with_type(
                moment
                if pa.types.is_timestamp(field.type)
                else pa.int64()
                if field.name.endswith("_count")
                else field.type
            )
            for field in schema
        ]
    )
