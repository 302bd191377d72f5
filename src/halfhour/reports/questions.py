"""Answers to questions as Arrow tables, by the SQL in `model/sql/` over a report's data.

The ending of a column's name is its unit: `_sec` seconds (exact to the millisecond, except for
means), `_count`, `_ratio`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from itertools import groupby

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.errors import ConfigError, suggest_name
from halfhour.model.coverage import DAY, DayCoverage, DayState, SettledWindow
from halfhour.model.data_dictionary import COLUMN_MEANINGS, column_head
from halfhour.model.intervals import MINUTE, epoch_ms, floor_to_width, from_epoch_ms
from halfhour.model.measures import (
    BASES_BY_COLUMN,
    CAPACITY_USED_COLUMN,
)
from halfhour.model.names import name_sort_key
from halfhour.model.question import Question
from halfhour.model.rules import rule_text
from halfhour.model.tables import RECONCILIATION_SCHEMA, TIMESTAMP
from halfhour.model.vocabulary import WORDS_BY_GENESYS_NAME, Basis, By, Source
from halfhour.reports.data import ReportData


def build_report(question: Question, data: ReportData) -> pa.Table:
    """Return the rows of *question*, in the order that it asks for and in its zone.

    An agent without a name in *data* shows as the id. Rows of days that are not settled yet are
    provisional. Raises ConfigError if the report has no column of the name to sort by.
    """
    answer = answer_question(question, data, _query_for(question))
    return sort_and_limit(answer, question).replace_schema_metadata(
        {"halfhour.basis": question.basis, "halfhour.interval": str(question.interval)}
    )


def validate_sort(question: Question) -> None:
    """Raise ConfigError if the report of *question* has no column of the name to sort by.

    A front end calls it before it sends requests.
    """
    if question.sort:
        build_report(question, ReportData.without_rows())


def build_total(question: Question, data: ReportData) -> pa.Table:
    """Return the figures of all agents together, in one row or none."""
    return answer_question(
        question,
        data,
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


def answer_question(question: Question, data: ReportData, sql: str) -> pa.Table:
    """Return the answer of *sql*, a rule of `model/sql`, in the types that users get.

    It lacks the columns that the basis of *question* does not have.
    """
    data.connection.register("calendar", _interval_calendar(question, data))
    values = {
        "origin": question.interval.start,
        "basis": question.basis.value,
        "with_offered": data.has_offered,
    }
    answer = data.query(sql, {name: values[name] for name in values if f"${name}" in sql})
    answer = answer.select(
        [name for name in answer.column_names if _is_column_available(name, question)]
    )
    return answer.cast(_public_schema(answer.schema, question))


def _is_column_available(column: str, question: Question) -> bool:
    """Tell whether the report of *question* has *column*."""
    if column == CAPACITY_USED_COLUMN:
        return question.with_capacity
    if column == "day":
        return question.by is By.DAY
    return column not in BASES_BY_COLUMN or question.basis in BASES_BY_COLUMN[column]


def name_organization(answer: pa.Table, name: str) -> pa.Table:
    """Return *answer* with the organisation *name* in a first column, `org`."""
    return answer.add_column(0, "org", pa.array([name] * len(answer), pa.string()))


def sort_and_limit(answer: pa.Table, question: Question) -> pa.Table:
    """Sort *answer* if *question* says so, figures largest first, and keep the first rows."""
    if question.sort:
        column = _column_to_sort_by(answer, question)
        figure = pa.types.is_integer(answer[column].type) or pa.types.is_floating(
            answer[column].type
        )
        order = "descending" if figure else "ascending"
        values = answer[column]
        if pa.types.is_string(values.type):
            encoded = values.combine_chunks().dictionary_encode()
            keys = map(name_sort_key, encoded.dictionary.to_pylist())
            values = pa.array(keys, pa.string()).take(encoded.indices)
        # A column of row numbers keeps equal rows in their order.
        numbers = pa.array(range(len(answer)), pa.int64())
        sort_keys = pa.table({"key": values, "row": numbers})
        order_of_keys = [("key", order), ("row", "ascending")]
        answer = answer.take(pc.sort_indices(sort_keys, order_of_keys))
    return answer.slice(0, question.top)


def _column_to_sort_by(answer: pa.Table, question: Question) -> str:
    """Return the column that *question* names as it is, or as a table shows it.

    Raises ConfigError with the nearest column, of which Genesys' metric may be the name.
    """
    columns = _columns_by_name(answer.column_names)
    if question.sort in columns:
        return columns[question.sort]
    word = WORDS_BY_GENESYS_NAME.get(question.sort.lower(), question.sort)
    hint = suggest_name(columns.get(word, word), answer.column_names)
    hint = hint or _suggest_grouping(word, question)
    raise ConfigError(
        f"⟨sort⟩ {question.sort!r}: a report by {question.by} has no such column{hint}"
    )


def _columns_by_name(columns: Sequence[str]) -> dict[str, str]:
    """Return *columns* by their names as they are, and as a table shows them."""
    by_head = {column_head(column): column for column in columns}
    return by_head | {column: column for column in columns}


def _suggest_grouping(word: str, question: Question) -> str:
    """Return a hint at the nearest column to *word*, as a table shows it, of any rows.

    It names the rows if those of *question* lack the column. It is empty if no column is near.
    """
    data = ReportData.without_rows()
    columns_by_grouping = {
        by: _columns_by_name(
            build_report(replace(question, by=by, with_capacity=False, sort=""), data).column_names
        )
        for by in By
    }
    names = dict.fromkeys(name for columns in columns_by_grouping.values() for name in columns)
    for name in get_close_matches(word.lower(), names, n=1):
        groupings = [by for by, columns in columns_by_grouping.items() if name in columns]
        column = columns_by_grouping[groupings[0]][name]
        if question.by in groupings:
            return f"; did you mean {column!r}?"
        return f"; ⟨by⟩ {' or '.join(groupings)} has {column}"
    return ""


def _interval_calendar(question: Question, data: ReportData) -> pa.Table:
    """Return a row per interval of *question*, with what was read of the report's row it is in.

    `day` is the local day if rows are by day, else empty. `has_figures` and `has_details` tell
    whether any part of the report's row was read: it is held, or there are rows of it in the
    figures or in the worked time. `lacks_transfers` tells whether a part of it was read
    without transfers.
    """
    windows = question.interval.split_into_windows(question.width)
    starts = [window.start for window in windows]
    by_day = question.by is By.DAY
    days = [f"{start.astimezone(question.zone):%Y-%m-%d}" if by_day else "" for start in starts]
    by_interval = question.by in (By.INTERVAL, By.QUEUE_INTERVAL)
    rows: Sequence[object] = starts if by_interval else days

    def filled_rows(table: str) -> set[datetime]:
        """Return the intervals of *question* in which *table* has rows."""
        moments = data.query(f"select distinct epoch_ms(interval_start) as ms from {table}")  # noqa: S608
        return {
            moment - (moment - starts[0]) % question.width
            for moment in map(from_epoch_ms, moments["ms"].to_pylist())
        }

    def was_read(windows: Iterable[SettledWindow], filled: Collection[datetime] = ()) -> pa.Array:
        day_ends = {settled.window.start: settled.window.end for settled in windows}
        rows_read = {
            row
            for row, start in zip(rows, starts, strict=True)
            if start in filled or start < day_ends.get(floor_to_width(start, DAY), start)
        }
        return pa.array([row in rows_read for row in rows], pa.bool_())

    provisional_days = {
        day.day.start
        for day in data.days_of_sources(question.required_sources)
        if day.state is not DayState.SETTLED
    }
    without = [day for day in data.settled_days(Source.POSTED) if not day.has_transfers]
    return pa.table(
        {
            "interval_start": _timestamp_array(starts),
            "day": pa.array(days, pa.string()),
            "has_figures": was_read(
                data.settled_days(question.required_sources[0]), filled_rows("figures")
            ),
            "has_details": was_read(
                data.settled_days(Source.DETAILS),
                filled_rows("figures" if question.basis is Basis.WORKED else "worked"),
            ),
            "lacks_transfers": was_read(without),
            "is_provisional": pa.array(
                [floor_to_width(start, DAY) in provisional_days for start in starts], pa.bool_()
            ),
        }
    )


def coverage_table(sources: Mapping[Source, Sequence[DayCoverage]]) -> pa.Table:
    """Return a row per source and day, with what a store holds of it.

    The columns are `source`, `window_start`, `window_end`, `state`, `held_until`, `read_at`
    (in UTC, null where nothing is held), `row_count` and `left_out_count`, the number of things
    that could not be read.
    """
    days = [day for held in sources.values() for day in held]
    settled = [day.settled for day in days]
    return pa.table(
        {
            "source": pa.array(
                [source.value for source, held in sources.items() for _ in held], pa.string()
            ),
            "window_start": _timestamp_array(day.day.start for day in days),
            "window_end": _timestamp_array(day.day.end for day in days),
            "state": pa.array([day.state.value for day in days], pa.string()),
            "held_until": _timestamp_array(day.window.end if day else None for day in settled),
            "read_at": _timestamp_array(day.read_at if day else None for day in settled),
            "row_count": pa.array([day.row_count if day else None for day in settled], pa.int64()),
            "left_out_count": pa.array(
                [day.left_out_count if day else None for day in settled], pa.int64()
            ),
        }
    )


def coverage_summary(sources: Mapping[Source, Sequence[DayCoverage]]) -> pa.Table:
    """Return a row per source and run of days with one state, oldest first.

    The columns are `source`, `first_day` and `last_day` (UTC), `state`, and over the run
    `day_count`, `row_count` and `left_out_count`.
    """
    rows = []
    for source, days in sources.items():
        for state, run in groupby(days, key=lambda day: day.state):
            days_of_run = list(run)
            settled = [day.settled for day in days_of_run if day.settled]
            rows.append(
                {
                    "source": source.value,
                    "first_day": f"{days_of_run[0].day.start:%Y-%m-%d}",
                    "last_day": f"{days_of_run[-1].day.start:%Y-%m-%d}",
                    "state": state.value,
                    "day_count": len(days_of_run),
                    "row_count": sum(day.row_count for day in settled),
                    "left_out_count": sum(day.left_out_count for day in settled),
                }
            )
    return pa.Table.from_pylist(rows, schema=_COVERAGE_SUMMARY_SCHEMA)


_COVERAGE_SUMMARY_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("source", "first_day", "last_day", "state")),
        *((name, pa.int64()) for name in ("day_count", "row_count", "left_out_count")),
    ]
)
_RECONCILED_TIMES = ("posted_ms", "worked_ms")
_CAUSES = tuple(
    name
    for name in RECONCILIATION_SCHEMA.names[RECONCILIATION_SCHEMA.get_field_index("late_data_ms") :]
    if name.endswith("_ms")
)


def reconciliation_summary(table: pa.Table) -> pa.Table:
    """Return the total of posted time, of each cause that occurs, and of worked time.

    *table* is of `tables.RECONCILIATION_SCHEMA`. The columns are `part`, `time_sec`,
    `agent_day_count`, the number of rows with the cause, and `meaning`. Posted time less the
    causes is worked time.
    """
    posted, worked = _RECONCILED_TIMES
    causes = [name for name in _CAUSES if any(table[name].to_pylist())]
    names = [posted, *causes, worked] if table.num_rows else []
    values = {name: table[name].to_pylist() for name in names}
    return pa.table(
        {
            "part": pa.array([name.removesuffix("_ms") for name in names], pa.string()),
            "time_sec": pa.array([sum(values[name]) / 1000 for name in names], pa.float64()),
            "agent_day_count": pa.array(
                [sum(map(bool, values[name])) for name in names], pa.int64()
            ),
            "meaning": pa.array([COLUMN_MEANINGS[name] for name in names], pa.string()),
        }
    )


def _timestamp_array(moments: Iterable[datetime | None]) -> pa.Array:
    return pa.array([moment and epoch_ms(moment) for moment in moments], TIMESTAMP)


def _public_schema(schema: pa.Schema, question: Question) -> pa.Schema:
    """Return the types that users get: timestamps in milliseconds and their zone, int64 counts."""
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
