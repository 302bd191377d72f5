"""Tabulate answers of the aggregate and directory endpoints as Arrow tables."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise

import pyarrow as pa

from halfhour.errors import UnexpectedAnswer
from halfhour.genesys import payloads
from halfhour.genesys.payloads import MAX_EXACT_INTEGER
from halfhour.model.intervals import MILLISECOND, Interval, epoch_ms, to_utc
from halfhour.model.measures import CAPACITY_METRIC, OFFERED_METRIC, STATUS_KINDS
from halfhour.model.tables import (
    AGENT_PLACES_SCHEMA,
    CAPACITY_SCHEMA,
    DIRECTORY_SCHEMA,
    NAMES_SCHEMA,
    OFFERED_SCHEMA,
    POSTED_METRICS,
    POSTED_SCHEMA,
    STATUS_SCHEMA,
)

_POSTED_DIMENSIONS = ("userId", "queueId", "mediaType")
_SUM_COLUMNS = {
    column.metric: position
    for position, column in enumerate(POSTED_METRICS)
    if column.stat == "sum"
}
_COUNT_COLUMNS = {
    column.metric: position
    for position, column in enumerate(POSTED_METRICS)
    if column.stat == "count"
}
_FIGURE_COLUMNS = [column.name for column in POSTED_METRICS]

_GroupKey = tuple[str | None, ...]
"""The values of the dimensions by which an answer is grouped, such as an agent and a queue."""


def posted_table(
    answer: payloads.AggregateAnswer, window: Interval, granularity: timedelta
) -> pa.Table:
    """Return `tables.POSTED_SCHEMA`: a row per interval, agent, queue and media type, unordered.

    A row about a part of an interval has the start of the whole interval. Groups without an agent
    and metrics that were not requested are left out.
    Raises UnexpectedAnswer if a key or a metric repeats, if an interval lies outside *window* or
    is not of *granularity*, or if a figure is impossible: each would make a total wrong.
    """
    reader = _AnswerReader("conversation aggregates", window, granularity)
    width = granularity // MILLISECOND
    starts: list[int] = []
    keys: list[_GroupKey] = []
    figures: list[list[int | None]] = [[] for _ in POSTED_METRICS]
    for key, (start, _), bucket in reader.buckets(answer, _POSTED_DIMENSIONS):
        starts.append(start - start % width)
        keys.append(key)
        _append_figures(bucket, figures, reader, key)
    dimensions = [[key[position] for key in keys] for position in range(len(_POSTED_DIMENSIONS))]
    return _table_of_columns([starts, *dimensions, *figures], POSTED_SCHEMA)


def status_table(
    answer: payloads.AggregateAnswer, window: Interval, granularity: timedelta
) -> pa.Table:
    """Return `tables.STATUS_SCHEMA`: a row per interval, agent and status, unordered.

    Raises UnexpectedAnswer as `posted_table` does, also for a group without an agent and for a
    time in a status that is longer than its interval.
    """
    reader = _AnswerReader("user aggregates", window, granularity)
    if not all(group.group.get("userId") for group in answer.results or ()):
        raise reader.row_error(("nobody",), "names no agent")
    rows = []
    for (agent,), (start, end), bucket in reader.buckets(answer, ("userId",)):
        for metric in reader.distinct_metrics(bucket, (agent,)):
            if (kind := STATUS_KINDS.get(metric.metric)) and metric.stats.sum is not None:
                ms = reader.validate_figure(metric.stats.sum, (agent,), highest=end - start)
                if ms:
                    rows.append((start, agent, kind, metric.qualifier, ms))
    return _table_of_rows(rows, STATUS_SCHEMA)


def capacity_table(
    answer: payloads.AggregateAnswer, window: Interval, granularity: timedelta
) -> pa.Table:
    """Return `tables.CAPACITY_SCHEMA`: the mean of the observations per interval, unordered.

    Raises UnexpectedAnswer as `posted_table` does.
    """
    reader = _AnswerReader("capacity used (preview)", window, granularity)
    rows = [
        (start, *key, metric.stats.sum / metric.stats.count)
        for key, (start, _), bucket in reader.buckets(answer, ("userId",))
        for metric in reader.distinct_metrics(bucket, key)
        if metric.metric == CAPACITY_METRIC and metric.stats.sum is not None and metric.stats.count
    ]
    return _table_of_rows(rows, CAPACITY_SCHEMA)


def offered_table(
    answer: payloads.AggregateAnswer, window: Interval, granularity: timedelta
) -> pa.Table:
    """Return `tables.OFFERED_SCHEMA`, unordered. Interactions offered to no queue are left out.

    Raises UnexpectedAnswer as `posted_table` does.
    """
    reader = _AnswerReader("conversation aggregates", window, granularity)
    rows = [
        (start, *key, reader.validate_figure(metric.stats.count, key))
        for key, (start, _), bucket in reader.buckets(answer, ("queueId", "mediaType"))
        for metric in reader.distinct_metrics(bucket, key)
        if metric.metric == OFFERED_METRIC and metric.stats.count
    ]
    return _table_of_rows(rows, OFFERED_SCHEMA)


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


def names_table(entities: Iterable[payloads.DirectoryEntity]) -> pa.Table:
    """Return `tables.NAMES_SCHEMA`, a row per id. An entity without a name has no row, so that
    reports show its id.
    """
    names = {entity.id: entity.name for entity in entities if entity.name}
    return _table_of_rows(list(names.items()), NAMES_SCHEMA)


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
        )
        for entity_id, entity in entity_by_id.items()
    ]
    return _table_of_rows(rows, DIRECTORY_SCHEMA)


def agent_places_table(entities: Iterable[payloads.DirectoryEntity]) -> pa.Table:
    """Return `tables.AGENT_PLACES_SCHEMA`: the division and the team of each agent."""
    return (
        directory_table([], entities)
        .select(["id", "division", "team"])
        .rename_columns(AGENT_PLACES_SCHEMA.names)
    )


def _append_figures(
    bucket: payloads.AggregateInterval,
    figures: list[list[int | None]],
    reader: "_AnswerReader",
    key: _GroupKey,
) -> None:
    """Append the values of *bucket* to the columns *figures*, and None where it has no value."""
    for column in figures:
        column.append(None)
    for metric in reader.distinct_metrics(bucket, key):
        for positions, value in (
            (_SUM_COLUMNS, metric.stats.sum),
            (_COUNT_COLUMNS, metric.stats.count),
        ):
            if value is not None and metric.metric in positions:
                figures[positions[metric.metric]][-1] = reader.validate_figure(value, key)


def _table_of_columns(columns: Iterable[Sequence[object]], schema: pa.Schema) -> pa.Table:
    return pa.table(dict(zip(schema.names, columns, strict=True)), schema=schema)


def _table_of_rows(rows: Sequence[Sequence[object]], schema: pa.Schema) -> pa.Table:
    columns = [[row[position] for row in rows] for position in range(len(schema))]
    return _table_of_columns(columns, schema)


@dataclass(slots=True)
class _AnswerReader:
    """Reads an answer of *operation* about *window*; refuses impossible data.

    Every refusal is an UnexpectedAnswer.
    """

    operation: str
    window: Interval
    granularity: timedelta
    _intervals_by_group: dict[_GroupKey, list[tuple[int, int]]] = field(default_factory=dict)

    def buckets(
        self, answer: payloads.AggregateAnswer, dimensions: Sequence[str]
    ) -> Iterator[tuple[_GroupKey, tuple[int, int], payloads.AggregateInterval]]:
        """Yield the key, the interval in ms since 1970 and the data of each bucket of *answer*.

        The key has a value per dimension. Groups without the first dimension are left out. Buckets
        of one group that overlap are refused after the last bucket.
        """
        for group in answer.results or ():
            key = tuple(group.group.get(dimension) for dimension in dimensions)
            if key[0]:
                for bucket in group.data or ():
                    yield key, self._validate_interval(bucket, key), bucket
        self._refuse_overlaps()

    def distinct_metrics(
        self, bucket: payloads.AggregateInterval, key: _GroupKey
    ) -> Sequence[payloads.AggregateMetric]:
        """Return the metrics of *bucket* that have a value; refuse a metric that repeats."""
        metrics = [
            metric
            for metric in bucket.metrics or ()
            if metric.stats.sum is not None or metric.stats.count is not None
        ]
        if len({(metric.metric, metric.qualifier) for metric in metrics}) < len(metrics):
            raise self.row_error(key, "has a metric twice")
        return metrics

    def validate_figure(
        self, value: float, key: _GroupKey, highest: int = MAX_EXACT_INTEGER
    ) -> int:
        """Return *value*, a count or a time in ms, as a whole number from 0 to *highest*."""
        if not 0 <= value <= highest:
            raise self.row_error(key, f"has an impossible figure ({value:g})")
        return round(value)

    def row_error(self, key: _GroupKey, problem: str) -> UnexpectedAnswer:
        """Return the error that tells the *problem* of a row of the group *key*."""
        return UnexpectedAnswer(
            f"{self.operation}: in the answer for {self.window}, a row of {key[0]} {problem}; "
            "nothing of the answer was used - try again, and if this stays, please report it as a "
            "bug"
        )

    def _validate_interval(
        self, bucket: payloads.AggregateInterval, key: _GroupKey
    ) -> tuple[int, int]:
        """Return the start and the end of *bucket*, in ms since 1970."""
        start, end = _parse_interval_ms(bucket.interval, self.operation)
        window_start, window_end = epoch_ms(self.window.start), epoch_ms(self.window.end)
        if not window_start <= start < end <= window_end:
            raise self.row_error(key, "lies outside that time")
        width, length = self.granularity // MILLISECOND, end - start
        floor = start - start % width
        is_window = self.window.width <= self.granularity and (start, end) == (
            window_start,
            window_end,
        )
        is_interval = (start, end) == (max(floor, window_start), min(floor + width, window_end))
        is_part = width % length == start % length == 0
        if not (is_window or is_interval or is_part):
            raise self.row_error(key, f"is of {bucket.interval}, which was not requested")
        self._intervals_by_group.setdefault(key, []).append((start, end))
        return start, end

    def _refuse_overlaps(self) -> None:
        for key, intervals in self._intervals_by_group.items():
            intervals.sort()
            if any(end > start for (_, end), (start, _) in pairwise(intervals)):
                raise self.row_error(key, "comes twice")


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
