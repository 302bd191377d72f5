"""What Genesys Cloud sent, as Arrow tables."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise

import pyarrow as pa

from halfhour.errors import UnexpectedAnswer
from halfhour.genesys import payloads
from halfhour.model.arrow_columns import ABSENT, chosen, figures, texts
from halfhour.model.intervals import MILLISECOND, Interval, epoch_ms, utc
from halfhour.model.tables import (
    CAPACITY,
    CAPACITY_METRIC,
    MOMENT,
    NAMED,
    NAMES,
    OFFERED,
    OFFERED_METRIC,
    PLACES,
    POSTED,
    POSTED_METRICS,
    STATUS,
    STATUS_KINDS,
)

_SUMS = {column.metric: at for at, column in enumerate(POSTED_METRICS) if column.stat == "sum"}
_COUNTS = {column.metric: at for at, column in enumerate(POSTED_METRICS) if column.stat == "count"}
_FIGURES = [column.name for column in POSTED_METRICS]
_LARGEST = 2**53
"""Up to it a number of JSON is exact."""


def posted(answer: payloads.Aggregates, window: Interval, granularity: timedelta) -> pa.Table:
    """One row per interval, agent, queue and media type, in no order: `tables.POSTED`.

    What is of a part of an interval is under the start of the whole. Groups
    without an agent are left out, as are metrics that were not asked for.
    Raises UnexpectedAnswer if a key or a metric repeats, an interval lies outside *window* or
    is not of *granularity*, or a figure cannot be: each would count something wrong.
    """
    groups = [group for group in answer.results or () if group.group.get("userId")]
    check = _Check("conversation aggregates", window, granularity)
    starts, places = array("q"), array("q")
    measured = [array("q") for _ in POSTED_METRICS]
    for place, group in enumerate(groups):
        key = tuple(group.group.get(name) for name in ("userId", "queueId", "mediaType"))
        for bucket in group.data or ():
            starts.append(check.bucket(bucket, key)[0])
            places.append(place)
            _measure(bucket, measured, check, key)
    check.nothing_twice()
    width = granularity // MILLISECOND
    starts = array("q", (start - start % width for start in starts))
    keys = [
        chosen(texts([group.group.get(name) for group in groups]), places)
        for name in ("userId", "queueId", "mediaType")
    ]
    numbers = [figures(column, pa.int64()) for column in measured]
    return pa.Table.from_arrays([figures(starts, MOMENT), *keys, *numbers], schema=POSTED)


def status(answer: payloads.Aggregates, window: Interval, granularity: timedelta) -> pa.Table:
    """One row per interval, agent and status, in no order: `tables.STATUS`.

    Raises UnexpectedAnswer as `posted` does, and for a group without an agent or a time in a
    status that is less than nothing or more than its interval.
    """
    check = _Check("user aggregates", window, granularity)
    rows = []
    for group in answer.results or ():
        agent = group.group.get("userId")
        if not agent:
            raise check.refusal(("nobody",), "names no agent")
        for bucket in group.data or ():
            start, end = check.bucket(bucket, (agent,))
            for metric in check.metrics(bucket, (agent,)):
                if (kind := STATUS_KINDS.get(metric.metric)) and metric.stats.sum is not None:
                    ms = check.figure(metric.stats.sum, (agent,), most=end - start)
                    rows.append((start, agent, kind, metric.qualifier, ms))
    check.nothing_twice()
    rows = [row for row in rows if row[-1]]
    return pa.Table.from_arrays(
        [
            figures(array("q", [row[0] for row in rows]), MOMENT),
            texts([row[1] for row in rows]),
            texts([row[2] for row in rows]),
            texts([row[3] for row in rows]),
            figures(array("q", [row[4] for row in rows]), pa.int64()),
        ],
        schema=STATUS,
    )


def capacity(answer: payloads.Aggregates, window: Interval, granularity: timedelta) -> pa.Table:
    """`tables.CAPACITY`: the mean of what was observed in each interval, in no order.

    Raises UnexpectedAnswer as `posted` does.
    """
    check = _Check("capacity used (preview)", window, granularity)
    rows = []
    for group in answer.results or ():
        if agent := group.group.get("userId"):
            for bucket in group.data or ():
                start, _ = check.bucket(bucket, (agent,))
                rows += [
                    (start, agent, metric.stats.sum / metric.stats.count)
                    for metric in check.metrics(bucket, (agent,))
                    if metric.metric == CAPACITY_METRIC
                    and metric.stats.sum is not None
                    and metric.stats.count
                ]
    check.nothing_twice()
    return pa.Table.from_arrays(
        [
            figures(array("q", [row[0] for row in rows]), MOMENT),
            texts([row[1] for row in rows]),
            pa.array(array("d", [row[2] for row in rows])),
        ],
        schema=CAPACITY,
    )


def offered(answer: payloads.Aggregates, window: Interval, granularity: timedelta) -> pa.Table:
    """`tables.OFFERED`, in no order. What was offered to no queue is left out.

    Raises UnexpectedAnswer as `posted` does.
    """
    check = _Check("conversation aggregates", window, granularity)
    rows = []
    for group in answer.results or ():
        if queue := group.group.get("queueId"):
            key = (queue, group.group.get("mediaType"))
            for bucket in group.data or ():
                start, _ = check.bucket(bucket, key)
                rows += [
                    (start, *key, check.figure(metric.stats.count, key))
                    for metric in check.metrics(bucket, key)
                    if metric.metric == OFFERED_METRIC and metric.stats.count
                ]
    check.nothing_twice()
    return pa.Table.from_arrays(
        [
            figures(array("q", [row[0] for row in rows]), MOMENT),
            texts([row[1] for row in rows]),
            texts([row[2] for row in rows]),
            figures(array("q", [row[3] for row in rows]), pa.int64()),
        ],
        schema=OFFERED,
    )


def added(parts: Sequence[pa.Table]) -> pa.Table:
    """`tables.POSTED` of one interval that was asked for in *parts*: sums and counts add up."""
    keys = [name for name in POSTED.names if name not in _FIGURES]
    whole = pa.concat_tables(parts).group_by(keys).aggregate([(each, "sum") for each in _FIGURES])
    return whole.rename_columns([*keys, *_FIGURES]).select(POSTED.names).cast(POSTED)


def names(entities: Iterable[payloads.Named]) -> pa.Table:
    """`tables.NAMES`, one row per id; an entity without a name is left out, so its id shows."""
    by_id = {entity.id: entity.name for entity in entities if entity.name}
    return pa.Table.from_arrays([texts(by_id.keys()), texts(by_id.values())], schema=NAMES)


def named(ids: Iterable[str], entities: Iterable[payloads.Named]) -> pa.Table:
    """`tables.NAMED` of *entities*, and of the other *ids*, of which nothing is known."""
    known = {each: payloads.Named(each) for each in ids} | {each.id: each for each in entities}
    return pa.Table.from_arrays(
        [
            texts(known.keys()),
            texts([each.name for each in known.values()]),
            texts([each.division.name if each.division else None for each in known.values()]),
            texts([each.team.name if each.team else None for each in known.values()]),
        ],
        schema=NAMED,
    )


def places(entities: Iterable[payloads.Named]) -> pa.Table:
    """`tables.PLACES` of agents."""
    return named([], entities).select(["id", "division", "team"]).rename_columns(PLACES.names)


def _measure(
    bucket: payloads.Bucket, measured: "list[array[int]]", check: "_Check", key: "_Key"
) -> None:
    """Append what *bucket* holds to each column."""
    for column in measured:
        column.append(ABSENT)
    for metric in check.metrics(bucket, key):
        for places, value in ((_SUMS, metric.stats.sum), (_COUNTS, metric.stats.count)):
            if value is not None and metric.metric in places:
                measured[places[metric.metric]][-1] = check.figure(value, key)


_Key = tuple[str | None, ...]


@dataclass(slots=True)
class _Check:
    """Refuses what an answer of *source* about *window* cannot say, with an UnexpectedAnswer."""

    source: str
    window: Interval
    granularity: timedelta
    _buckets: dict[_Key, list[tuple[int, int]]] = field(default_factory=dict)

    def bucket(self, bucket: payloads.Bucket, key: _Key) -> tuple[int, int]:
        """Return the start and the end of *bucket* of the group *key*, in ms since 1970."""
        start, end = _times(bucket.interval, self.source)
        low, high = epoch_ms(self.window.start), epoch_ms(self.window.end)
        if not low <= start < end <= high:
            raise self.refusal(key, "lies outside it")
        width, length = self.granularity // MILLISECOND, end - start
        first = start - start % width
        is_all = self.window.width <= self.granularity and (start, end) == (low, high)
        is_interval = (start, end) == (max(first, low), min(first + width, high))
        is_part = width % length == start % length == 0
        if not (is_all or is_interval or is_part):
            raise self.refusal(key, f"is of {bucket.interval}, which was not asked for")
        self._buckets.setdefault(key, []).append((start, end))
        return start, end

    def metrics(self, bucket: payloads.Bucket, key: _Key) -> Sequence[payloads.Metric]:
        """Return the metrics of *bucket* that say something, of which none may repeat."""
        metrics = [
            metric
            for metric in bucket.metrics or ()
            if metric.stats.sum is not None or metric.stats.count is not None
        ]
        if len({(metric.metric, metric.qualifier) for metric in metrics}) < len(metrics):
            raise self.refusal(key, "has a metric twice")
        return metrics

    def figure(self, value: float, key: _Key, most: int = _LARGEST) -> int:
        """Return *value* as a whole number of ms or a count, from nothing to *most*."""
        if not 0 <= value <= most:
            raise self.refusal(key, f"has a figure that cannot be ({value:g})")
        return round(value)

    def nothing_twice(self) -> None:
        """Refuse groups of which two buckets have time in common."""
        for key, buckets in self._buckets.items():
            buckets.sort()
            if any(end > start for (_, end), (start, _) in pairwise(buckets)):
                raise self.refusal(key, "comes twice")

    def refusal(self, key: _Key, wrong: str) -> UnexpectedAnswer:
        """Return the error that says what is *wrong* about a row of the group *key*."""
        return UnexpectedAnswer(
            f"{self.source}: in the answer for {self.window}, a row of {key[0]} {wrong}; "
            "nothing of it was used - try again, and if it stays, report it as a bug"
        )


@lru_cache(maxsize=4096)
def _times(interval: str, source: str) -> tuple[int, int]:
    """Return the start and the end of *interval*, in ms since 1970; the last ms may be left out."""
    try:
        start, end = (
            epoch_ms(utc(datetime.fromisoformat(text))) for text in interval.split("/", 1)
        )
    except (ValueError, OverflowError) as error:
        raise UnexpectedAnswer(f"{source}: interval {interval!r} cannot be read") from error
    return start, end + (end % 1000 == 999)
