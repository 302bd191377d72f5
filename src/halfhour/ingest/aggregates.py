"""Tabulate answers of the aggregate and directory endpoints as Arrow tables."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise

import pyarrow as pa

from halfhour.errors import UnexpectedAnswer
from halfhour.genesys import payloads
from halfhour.model.arrow_columns import NULL_MARKER, integer_column, string_column, take_rows
from halfhour.model.intervals import MILLISECOND, Interval, epoch_ms, to_utc
from halfhour.model.tables import (
    AGENT_PLACES_SCHEMA,
    CAPACITY_METRIC,
    CAPACITY_SCHEMA,
    DIRECTORY_SCHEMA,
    NAMES_SCHEMA,
    OFFERED_METRIC,
    OFFERED_SCHEMA,
    POSTED_METRICS,
    POSTED_SCHEMA,
    STATUS_KINDS,
    STATUS_SCHEMA,
    TIMESTAMP,
)

_SUM_COLUMNS = {
    column.metric: at for at, column in enumerate(POSTED_METRICS) if column.stat == "sum"
}
_COUNT_COLUMNS = {
    column.metric: at for at, column in enumerate(POSTED_METRICS) if column.stat == "count"
}
_FIGURE_COLUMNS = [column.name for column in POSTED_METRICS]
_MAX_EXACT_INTEGER = 2**53
"""Up to it a number of JSON is exact."""


def posted_table(
    answer: payloads.AggregateAnswer, window: Interval, granularity: timedelta
) -> pa.Table:
    """Return `tables.POSTED_SCHEMA`, one row per interval, agent, queue and media type.

    What is of a part of an interval is under the start of the whole. Groups
    without an agent are left out, as are metrics that were not asked for.
    Raises UnexpectedAnswer if a key or a metric repeats, an interval lies outside *window* or
    is not of *granularity*, or a figure cannot be: each would count something wrong.
    """
    groups = [group for group in answer.results or () if group.group.get("userId")]
    check = _AnswerCheck("conversation aggregates", window, granularity)
    starts, places = array("q"), array("q")
    measured = [array("q") for _ in POSTED_METRICS]
    for place, group in enumerate(groups):
        key = tuple(group.group.get(name) for name in ("userId", "queueId", "mediaType"))
        for bucket in group.data or ():
            starts.append(check.validate_interval(bucket, key)[0])
            places.append(place)
            _append_figures(bucket, measured, check, key)
    check.refuse_overlaps()
    width = granularity // MILLISECOND
    starts = array("q", (start - start % width for start in starts))
    keys = [
        take_rows(string_column([group.group.get(name) for group in groups]), places)
        for name in ("userId", "queueId", "mediaType")
    ]
    numbers = [integer_column(column, pa.int64()) for column in measured]
    return pa.Table.from_arrays(
        [integer_column(starts, TIMESTAMP), *keys, *numbers], schema=POSTED_SCHEMA
    )


def status_table(
    answer: payloads.AggregateAnswer, window: Interval, granularity: timedelta
) -> pa.Table:
    """Return `tables.STATUS_SCHEMA`: one row per interval, agent and status, in no order.

    Raises UnexpectedAnswer as `posted` does, and for a group without an agent or a time in a
    status that is less than nothing or more than its interval.
    """
    check = _AnswerCheck("user aggregates", window, granularity)
    rows = []
    for group in answer.results or ():
        agent = group.group.get("userId")
        if not agent:
            raise check.row_error(("nobody",), "names no agent")
        for bucket in group.data or ():
            start, end = check.validate_interval(bucket, (agent,))
            for metric in check.distinct_metrics(bucket, (agent,)):
                if (kind := STATUS_KINDS.get(metric.metric)) and metric.stats.sum is not None:
                    ms = check.validate_figure(metric.stats.sum, (agent,), most=end - start)
                    rows.append((start, agent, kind, metric.qualifier, ms))
    check.refuse_overlaps()
    rows = [row for row in rows if row[-1]]
    return pa.Table.from_arrays(
        [
            integer_column(array("q", [row[0] for row in rows]), TIMESTAMP),
            string_column([row[1] for row in rows]),
            string_column([row[2] for row in rows]),
            string_column([row[3] for row in rows]),
            integer_column(array("q", [row[4] for row in rows]), pa.int64()),
        ],
        schema=STATUS_SCHEMA,
    )


def capacity_table(
    answer: payloads.AggregateAnswer, window: Interval, granularity: timedelta
) -> pa.Table:
    """Return `tables.CAPACITY_SCHEMA`: the mean of the observations in each interval, in no order.

    Raises UnexpectedAnswer as `posted` does.
    """
    check = _AnswerCheck("capacity used (preview)", window, granularity)
    rows = []
    for group in answer.results or ():
        if agent := group.group.get("userId"):
            for bucket in group.data or ():
                start, _ = check.validate_interval(bucket, (agent,))
                rows += [
                    (start, agent, metric.stats.sum / metric.stats.count)
                    for metric in check.distinct_metrics(bucket, (agent,))
                    if metric.metric == CAPACITY_METRIC
                    and metric.stats.sum is not None
                    and metric.stats.count
                ]
    check.refuse_overlaps()
    return pa.Table.from_arrays(
        [
            integer_column(array("q", [row[0] for row in rows]), TIMESTAMP),
            string_column([row[1] for row in rows]),
            pa.array(array("d", [row[2] for row in rows])),
        ],
        schema=CAPACITY_SCHEMA,
    )


def offered_table(
    answer: payloads.AggregateAnswer, window: Interval, granularity: timedelta
) -> pa.Table:
    """Return `tables.OFFERED_SCHEMA`, in no order; interactions of no queue are left out.

    Raises UnexpectedAnswer as `posted` does.
    """
    check = _AnswerCheck("conversation aggregates", window, granularity)
    rows = []
    for group in answer.results or ():
        if queue := group.group.get("queueId"):
            key = (queue, group.group.get("mediaType"))
            for bucket in group.data or ():
                start, _ = check.validate_interval(bucket, key)
                rows += [
                    (start, *key, check.validate_figure(metric.stats.count, key))
                    for metric in check.distinct_metrics(bucket, key)
                    if metric.metric == OFFERED_METRIC and metric.stats.count
                ]
    check.refuse_overlaps()
    return pa.Table.from_arrays(
        [
            integer_column(array("q", [row[0] for row in rows]), TIMESTAMP),
            string_column([row[1] for row in rows]),
            string_column([row[2] for row in rows]),
            integer_column(array("q", [row[3] for row in rows]), pa.int64()),
        ],
        schema=OFFERED_SCHEMA,
    )


def sum_partial_tables(parts: Sequence[pa.Table]) -> pa.Table:
    """Add up the parts of one interval that was requested in parts: `tables.POSTED_SCHEMA`."""
    keys = [name for name in POSTED_SCHEMA.names if name not in _FIGURE_COLUMNS]
    whole = (
        pa.concat_tables(parts)
        .group_by(keys)
        .aggregate([(column, "sum") for column in _FIGURE_COLUMNS])
    )
    return (
        whole.rename_columns([*keys, *_FIGURE_COLUMNS])
        .select(POSTED_SCHEMA.names)
        .cast(POSTED_SCHEMA)
    )


def names_table(entities: Iterable[payloads.DirectoryEntity]) -> pa.Table:
    """Return `tables.NAMES_SCHEMA`; an entity without a name is left out, so its id shows."""
    by_id = {entity.id: entity.name for entity in entities if entity.name}
    return pa.Table.from_arrays(
        [string_column(by_id.keys()), string_column(by_id.values())], schema=NAMES_SCHEMA
    )


def directory_table(ids: Iterable[str], entities: Iterable[payloads.DirectoryEntity]) -> pa.Table:
    """Return `tables.DIRECTORY_SCHEMA` of *entities* and of the other *ids*, without names."""
    entity_by_id = {entity: payloads.DirectoryEntity(entity) for entity in ids} | {
        entity.id: entity for entity in entities
    }
    return pa.Table.from_arrays(
        [
            string_column(entity_by_id.keys()),
            string_column([entity.name for entity in entity_by_id.values()]),
            string_column(
                [
                    entity.division.name if entity.division else None
                    for entity in entity_by_id.values()
                ]
            ),
            string_column(
                [entity.team.name if entity.team else None for entity in entity_by_id.values()]
            ),
        ],
        schema=DIRECTORY_SCHEMA,
    )


def agent_places_table(entities: Iterable[payloads.DirectoryEntity]) -> pa.Table:
    """Return the division and team of agents: `tables.AGENT_PLACES_SCHEMA`."""
    return (
        directory_table([], entities)
        .select(["id", "division", "team"])
        .rename_columns(AGENT_PLACES_SCHEMA.names)
    )


def _append_figures(
    bucket: payloads.AggregateInterval,
    measured: "list[array[int]]",
    check: "_AnswerCheck",
    key: "_GroupKey",
) -> None:
    """Append the figures of *bucket* to each column."""
    for column in measured:
        column.append(NULL_MARKER)
    for metric in check.distinct_metrics(bucket, key):
        for places, value in (
            (_SUM_COLUMNS, metric.stats.sum),
            (_COUNT_COLUMNS, metric.stats.count),
        ):
            if value is not None and metric.metric in places:
                measured[places[metric.metric]][-1] = check.validate_figure(value, key)


_GroupKey = tuple[str | None, ...]


@dataclass(slots=True)
class _AnswerCheck:
    """A check of an answer of *operation* about *window*; impossible content raises
    UnexpectedAnswer.
    """

    operation: str
    window: Interval
    granularity: timedelta
    _intervals_by_group: dict[_GroupKey, list[tuple[int, int]]] = field(default_factory=dict)

    def validate_interval(
        self, bucket: payloads.AggregateInterval, key: _GroupKey
    ) -> tuple[int, int]:
        """Return the start and the end of *bucket* of the group *key*, in ms since 1970."""
        start, end = _parse_interval_ms(bucket.interval, self.operation)
        low, high = epoch_ms(self.window.start), epoch_ms(self.window.end)
        if not low <= start < end <= high:
            raise self.row_error(key, "lies outside it")
        width, length = self.granularity // MILLISECOND, end - start
        first = start - start % width
        is_all = self.window.width <= self.granularity and (start, end) == (low, high)
        is_interval = (start, end) == (max(first, low), min(first + width, high))
        is_part = width % length == start % length == 0
        if not (is_all or is_interval or is_part):
            raise self.row_error(key, f"is of {bucket.interval}, which was not asked for")
        self._intervals_by_group.setdefault(key, []).append((start, end))
        return start, end

    def distinct_metrics(
        self, bucket: payloads.AggregateInterval, key: _GroupKey
    ) -> Sequence[payloads.AggregateMetric]:
        """Return the metrics of *bucket* that say something, of which none may repeat."""
        metrics = [
            metric
            for metric in bucket.metrics or ()
            if metric.stats.sum is not None or metric.stats.count is not None
        ]
        if len({(metric.metric, metric.qualifier) for metric in metrics}) < len(metrics):
            raise self.row_error(key, "has a metric twice")
        return metrics

    def validate_figure(self, value: float, key: _GroupKey, most: int = _MAX_EXACT_INTEGER) -> int:
        """Return *value* as a whole number of ms or a count, from nothing to *most*."""
        if not 0 <= value <= most:
            raise self.row_error(key, f"has a figure that cannot be ({value:g})")
        return round(value)

    def refuse_overlaps(self) -> None:
        """Refuse a group of which two intervals overlap."""
        for key, buckets in self._intervals_by_group.items():
            buckets.sort()
            if any(end > start for (_, end), (start, _) in pairwise(buckets)):
                raise self.row_error(key, "comes twice")

    def row_error(self, key: _GroupKey, wrong: str) -> UnexpectedAnswer:
        """Return the error that says what is *wrong* about a row of the group *key*."""
        return UnexpectedAnswer(
            f"{self.operation}: in the answer for {self.window}, a row of {key[0]} {wrong}; "
            "nothing of it was used - try again, and if it stays, report it as a bug"
        )


@lru_cache(maxsize=4096)
def _parse_interval_ms(interval: str, source: str) -> tuple[int, int]:
    """Return the start and the end of *interval*, in ms since 1970; the last ms may be left out."""
    try:
        start, end = (
            epoch_ms(to_utc(datetime.fromisoformat(text))) for text in interval.split("/", 1)
        )
    except (ValueError, OverflowError) as error:
        raise UnexpectedAnswer(f"{source}: interval {interval!r} cannot be read") from error
    return start, end + (end % 1000 == 999)
