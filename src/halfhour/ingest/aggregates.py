"""Tabulate answers of the aggregate and directory endpoints as Arrow tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.errors import UnexpectedAnswer
from halfhour.genesys import payloads
from halfhour.genesys.payloads import MAX_EXACT_INTEGER
from halfhour.ingest.raw_aggregates import DIMENSIONS, RawAggregates
from halfhour.model.intervals import MILLISECOND, Interval, epoch_ms, to_utc
from halfhour.model.measures import CAPACITY_METRIC, OFFERED_METRIC, STATUS_KINDS
from halfhour.model.tables import (
    CAPACITY_SCHEMA,
    DIRECTORY_SCHEMA,
    OFFERED_SCHEMA,
    POSTED_METRICS,
    POSTED_SCHEMA,
    STATUS_SCHEMA,
)

_FIGURE_COLUMNS = [column.name for column in POSTED_METRICS]


def posted_table(answer: RawAggregates, window: Interval, granularity: timedelta) -> pa.Table:
    """Return `tables.POSTED_SCHEMA`: a row per interval, agent, queue and media type, unordered.

    A row about a part of an interval has the start of the whole interval. Groups without an agent
    and metrics that were not requested are left out.
    Raises UnexpectedAnswer if a key or a metric repeats, if an interval lies outside *window* or
    is not of *granularity*, or if a figure is impossible: each would make a total wrong.
    """
    rows = _read_rows("conversation aggregates", answer, DIMENSIONS, window, granularity)
    width = granularity // MILLISECOND
    values_by_metric = {
        metric: rows.values_of([metric]) for metric in {column.metric for column in POSTED_METRICS}
    }
    figures = []
    for column in POSTED_METRICS:
        values = values_by_metric[column.metric]
        numbers = values.sums if column.stat == "sum" else values.counts
        figures.append(rows.by_row(rows.whole_numbers(numbers, values), values))
    starts = pc.multiply(pc.divide(rows.starts, width), width)
    return _table_of_columns([starts, *rows.keys, *figures], POSTED_SCHEMA)


def status_table(answer: RawAggregates, window: Interval, granularity: timedelta) -> pa.Table:
    """Return `tables.STATUS_SCHEMA`: a row per interval, agent and status, unordered.

    Raises UnexpectedAnswer as `posted_table` does, also for a group without an agent and for a
    time in a status that is longer than its interval.
    """
    rows = _read_rows("user aggregates", answer, ("userId",), window, granularity)
    if rows.left_out_groups:
        raise rows.error("nobody", "names no agent")
    values = rows.values_of(STATUS_KINDS)
    widths = pc.subtract(rows.ends, rows.starts).take(values.row)
    times = rows.whole_numbers(values.sums, values, highest=widths)
    values, times = values.where(has_time := pc.greater(times, 0)), times.filter(has_time)
    kinds = pa.array([STATUS_KINDS[metric] for metric in values.metric.to_pylist()], pa.string())
    return _table_of_columns([*rows.keys_of(values), kinds, values.qualifier, times], STATUS_SCHEMA)


def capacity_table(answer: RawAggregates, window: Interval, granularity: timedelta) -> pa.Table:
    """Return `tables.CAPACITY_SCHEMA`: the mean of the observations per interval, unordered.

    Raises UnexpectedAnswer as `posted_table` does.
    """
    rows = _read_rows("capacity used (preview)", answer, ("userId",), window, granularity)
    values = rows.values_of([CAPACITY_METRIC])
    values = values.where(pc.and_(pc.is_valid(values.sums), pc.not_equal(values.counts, 0)))
    means = pc.divide(values.sums, values.counts)
    return _table_of_columns([*rows.keys_of(values), means], CAPACITY_SCHEMA)


def offered_table(answer: RawAggregates, window: Interval, granularity: timedelta) -> pa.Table:
    """Return `tables.OFFERED_SCHEMA`, unordered. Interactions offered to no queue are left out.

    Raises UnexpectedAnswer as `posted_table` does.
    """
    dimensions = ("queueId", "mediaType")
    rows = _read_rows("conversation aggregates", answer, dimensions, window, granularity)
    values = rows.values_of([OFFERED_METRIC])
    values = values.where(pc.not_equal(values.counts, 0))
    counts = rows.whole_numbers(values.counts, values)
    return _table_of_columns([*rows.keys_of(values), counts], OFFERED_SCHEMA)


def sum_partial_tables(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the sum of `tables.POSTED_SCHEMA` of the parts of one interval."""
    keys = [name for name in POSTED_SCHEMA.names if name not in _FIGURE_COLUMNS]
    whole = (
        pa.concat_tables(tables)
        .group_by(keys)
        .aggregate([(column, "sum") for column in _FIGURE_COLUMNS])
    )
    return (
        whole.rename_columns([*keys, *_FIGURE_COLUMNS])
        .select(POSTED_SCHEMA.names)
        .cast(POSTED_SCHEMA)
    )


def directory_table(ids: Iterable[str], entities: Iterable[payloads.DirectoryEntity]) -> pa.Table:
    """Return `tables.DIRECTORY_SCHEMA` of *entities*; other *ids* have rows without a name."""
    entity_by_id = {entity_id: payloads.DirectoryEntity(entity_id) for entity_id in ids} | {
        entity.id: entity for entity in entities
    }
    rows = [
        (
            entity_id,
            entity.name,
            entity.division.name if entity.division else None,
            entity.team.name if entity.team else None,
            entity.state,
        )
        for entity_id, entity in entity_by_id.items()
    ]
    return _table_of_rows(rows, DIRECTORY_SCHEMA)


def _table_of_columns(columns: Iterable[Sequence[object]], schema: pa.Schema) -> pa.Table:
    return pa.table(dict(zip(schema.names, columns, strict=True)), schema=schema)


def _table_of_rows(rows: Sequence[Sequence[object]], schema: pa.Schema) -> pa.Table:
    columns = [[row[position] for row in rows] for position in range(len(schema))]
    return _table_of_columns(columns, schema)


class _MetricValues(NamedTuple):
    """The values of some metrics; *row* is the number of the row that each value belongs to."""

    row: pa.Array
    metric: pa.Array
    qualifier: pa.Array
    sums: pa.Array
    counts: pa.Array

    def where(self, condition: pa.Array) -> "_MetricValues":
        """Return the values for which *condition* is true."""
        return _MetricValues(*(column.filter(condition) for column in self))


@dataclass(frozen=True, slots=True)
class _AggregateRows:
    """The intervals of the groups of an answer that have the first dimension, in columns.

    *keys* has an array per dimension, *starts* and *ends* are in ms since 1970.
    *left_out_groups* counts the groups without the first dimension.
    """

    operation: str
    window: Interval
    keys: Sequence[pa.Array]
    starts: pa.Array
    ends: pa.Array
    values: _MetricValues
    left_out_groups: int

    def values_of(self, metrics: Iterable[str]) -> _MetricValues:
        """Return the values of these *metrics*."""
        return self.values.where(pc.is_in(self.values.metric, pa.array(metrics, pa.string())))

    def keys_of(self, values: _MetricValues) -> list[pa.Array]:
        """Return the start and the keys of the row of each of *values*."""
        return [column.take(values.row) for column in (self.starts, *self.keys)]

    def by_row(self, numbers: pa.Array, values: _MetricValues) -> pa.Array:
        """Return one of *numbers* per row, which belong to *values* of one metric; null if none."""
        return numbers.take(pc.inverse_permutation(values.row, max_index=len(self.starts) - 1))

    def whole_numbers(
        self, numbers: pa.Array, values: _MetricValues, highest: pa.Array | int = MAX_EXACT_INTEGER
    ) -> pa.Array:
        """Return *numbers*, sums or counts of *values*, as whole numbers from 0 to *highest*."""
        is_possible = pc.and_(pc.greater_equal(numbers, 0), pc.less_equal(numbers, highest))
        if not pc.all(is_possible, min_count=0).as_py():
            first = pc.index(is_possible, False).as_py()
            number = numbers[first].as_py()
            raise self.error_in_row(
                values.row[first].as_py(), f"has an impossible figure ({number:g})"
            )
        return pc.round(numbers).cast(pa.int64())

    def error_in_row(self, row: int, problem: str) -> UnexpectedAnswer:
        """Return the error that tells the *problem* of the row with this number."""
        return self.error(self.keys[0][row].as_py(), problem)

    def error(self, key: str | None, problem: str) -> UnexpectedAnswer:
        """Return the error that tells the *problem* of a row of the agent or queue *key*."""
        return UnexpectedAnswer(
            f"{self.operation}: in the answer for {self.window}, a row of {key} {problem}; "
            "nothing of the answer was used - try again, and if this stays, please report it as a "
            "bug"
        )


def _read_rows(
    operation: str,
    answer: RawAggregates,
    dimensions: Sequence[str],
    window: Interval,
    granularity: timedelta,
) -> _AggregateRows:
    """Return the rows of *answer* by *dimensions*, which must have the first of them.

    Raises UnexpectedAnswer if an interval was not requested, if intervals of a key overlap, or if
    a metric repeats.
    """
    group_keys = [answer.groups.field(dimension) for dimension in dimensions]
    has_key = pc.fill_null(pc.not_equal(group_keys[0], ""), False)
    is_row = has_key.take(answer.group_of_interval)
    row_numbers = pc.subtract(pc.cumulative_sum(is_row.cast(pa.int64())), 1)
    group_of_row = answer.group_of_interval.filter(is_row)
    intervals = answer.intervals.filter(is_row).dictionary_encode()
    texts = intervals.dictionary.to_pylist()
    spans = [_parse_interval_ms(text, operation) for text in texts]
    starts, ends = (
        pa.array(edges, pa.int64()).take(intervals.indices)
        for edges in (zip(*spans, strict=True) if spans else ((), ()))
    )
    metrics, stats = answer.metrics, answer.metrics.field("stats")
    values = _MetricValues(
        row_numbers.take(answer.interval_of_metric),
        metrics.field("metric"),
        pc.fill_null(metrics.field("qualifier"), ""),
        stats.field("sum"),
        stats.field("count"),
    )
    has_value = pc.or_(pc.is_valid(values.sums), pc.is_valid(values.counts))
    rows = _AggregateRows(
        operation,
        window,
        [key.take(group_of_row) for key in group_keys],
        starts,
        ends,
        values.where(pc.and_(is_row.take(answer.interval_of_metric), has_value)),
        len(has_key) - (has_key.true_count),
    )
    for number, (text, (start, end)) in enumerate(zip(texts, spans, strict=True)):
        if problem := _interval_problem(start, end, text, window, granularity):
            raise rows.error_in_row(pc.index(intervals.indices, number).as_py(), problem)
    if (overlapping := _first_overlapping_row(rows)) is not None:
        raise rows.error_in_row(overlapping, "comes twice")
    if (repeating := _first_row_with_repeated_metric(rows.values)) is not None:
        raise rows.error_in_row(repeating, "has a metric twice")
    return rows


def _interval_problem(
    start: int, end: int, text: str, window: Interval, granularity: timedelta
) -> str | None:
    """Return what is wrong with the interval *text*, from *start* to *end* in ms since 1970."""
    window_start, window_end = epoch_ms(window.start), epoch_ms(window.end)
    if not window_start <= start < end <= window_end:
        return "lies outside that time"
    width, length = granularity // MILLISECOND, end - start
    floor = start - start % width
    is_window = window.width <= granularity and (start, end) == (window_start, window_end)
    is_interval = (start, end) == (max(floor, window_start), min(floor + width, window_end))
    is_part = width % length == start % length == 0
    if is_window or is_interval or is_part:
        return None
    return f"is of {text}, which was not requested"


def _first_overlapping_row(rows: _AggregateRows) -> int | None:
    """Return a row whose interval begins before an earlier one of the same key ends."""
    keys = _combined_code(rows.keys)
    order = pc.sort_indices(
        pa.table({"key": keys, "start": rows.starts}),
        sort_keys=[("key", "ascending"), ("start", "ascending")],
    )
    key, start, end = (column.take(order) for column in (keys, rows.starts, rows.ends))
    overlaps = pc.and_(pc.equal(key[1:], key[:-1]), pc.less(start[1:], end[:-1]))
    first = pc.index(overlaps, True).as_py()
    return None if first < 0 else int(order[first + 1].as_py())


def _first_row_with_repeated_metric(values: _MetricValues) -> int | None:
    codes = _combined_code([values.row, values.metric, values.qualifier])
    if pc.count_distinct(codes).as_py() == len(codes):
        return None
    counts = pc.value_counts(codes)
    repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    return int(values.row[pc.index(codes, repeated[0]).as_py()].as_py())


def _combined_code(columns: Sequence[pa.Array]) -> pa.Array:
    """Return a number per row that is equal for rows with equal values in all *columns*."""
    code: pa.Array | int = 0
    for column in columns:
        encoded = column.dictionary_encode(null_encoding="encode")
        numbers = encoded.indices.cast(pa.int64())
        code = pc.add(pc.multiply(code, len(encoded.dictionary)), numbers)
    return code


@lru_cache(maxsize=4096)
def _parse_interval_ms(interval: str, operation: str) -> tuple[int, int]:
    """Return the start and the end of *interval* in ms since 1970; an end of …:59.999 is rounded
    up, as some answers leave out the last millisecond.
    """
    try:
        start, end = (
            epoch_ms(to_utc(datetime.fromisoformat(text))) for text in interval.split("/", 1)
        )
    except (ValueError, OverflowError) as error:
        raise UnexpectedAnswer(
            f"{operation}: interval {interval!r} cannot be read; nothing of the answer "
            "was used - try again, and if this stays, please report it as a bug"
        ) from error
    return start, end + (end % 1000 == 999)
