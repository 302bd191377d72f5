"""Answers to aggregate queries, made from posted values."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC
from itertools import product
from random import Random
from typing import Any, TypeAlias

import msgspec

from genesys_emulator.queries.aggregates import AggregateQuery
from genesys_emulator.simulation.metric_events import Origin, PostedValues
from genesys_emulator.simulation.restatements import Corrections, Snapshot
from genesys_emulator.wire.timestamps import bucket_starts, format_timestamp
from genesys_emulator.wire.vocabulary import EMULATED

Group = tuple[tuple[str, str], ...]
"""Dimensions and their values, without the dimensions that have none."""

ValuesByMetric: TypeAlias = "dict[str, array[int]]"
"""Time and value of each row by metric, one after the other."""


class Timer(msgspec.Struct, gc=False):
    """The statistics of a timer, in ms."""

    max: int
    min: int
    count: int
    sum: int


class Counter(msgspec.Struct, gc=False):
    """The only statistic of a counter."""

    count: int


class MetricEntry(msgspec.Struct, gc=False):
    """A metric in a bucket."""

    metric: str
    stats: Timer | Counter


class Bucket(msgspec.Struct, gc=False):
    """An interval of a group."""

    interval: str
    metrics: list[MetricEntry]


class Result(msgspec.Struct, gc=False):
    """A group with its buckets."""

    group: dict[str, str]
    data: list[Bucket]


def aggregate_results(
    query: AggregateQuery, posted_values: Iterable[PostedValues], snapshot: Snapshot, order: Random
) -> list[msgspec.Raw]:
    """Make the ``results``, without groups, buckets and metrics that have no values.

    Each group is encoded as soon as it is made, all into one buffer, as those
    of a large centre take much memory. A value counts whole in the bucket in which it was
    posted, if the snapshot has it. As in the real API there is no order:
    *order* shuffles everything, and begins with everything sorted, so that the
    answer depends on nothing else.
    """
    until = min(query.end, snapshot.now)
    zone = query.zone or UTC
    starts = bucket_starts(query.start, query.end, query.granularity, zone=zone, until=until)
    intervals: dict[int, str] = {}
    encoded = bytearray()
    encode_into = msgspec.json.Encoder().encode_into
    results = []
    for group, by_metric in sorted(_values_by_group(query, posted_values, snapshot).items()):
        if not by_metric:
            continue
        data = []
        for number, metrics in sorted(_values_by_bucket(by_metric, starts).items()):
            if number not in intervals:
                end = starts[number + 1] if number + 1 < len(starts) else query.end
                intervals[number] = "/".join(
                    format_timestamp(edge, zone) for edge in (starts[number], end)
                )
            entries = [_metric_entry(metric, values) for metric, values in metrics.items()]
            order.shuffle(entries)
            data.append(Bucket(intervals[number], entries))
        order.shuffle(data)
        first = len(encoded)
        encode_into(Result(dict(group), data), encoded, -1)
        results.append(slice(first, len(encoded)))
    order.shuffle(results)
    return [msgspec.Raw(memoryview(encoded)[place]) for place in results]


def _values_by_group(
    query: AggregateQuery, posted_values: Iterable[PostedValues], snapshot: Snapshot
) -> dict[Group, ValuesByMetric]:
    """Return the values that the query asks for and the snapshot has."""
    start, until = query.start, min(query.end, snapshot.now)
    certain = snapshot.corrections == Corrections()
    by_group: dict[Group, ValuesByMetric] = {}
    for posted in posted_values:
        origin_groups = [
            [by_group.setdefault(group, {}) for group in _groups_of(query, origin)]
            if query.filter.holds_for(values_by_dimension(origin))
            else []
            for origin in posted.origins
        ]
        origins = memoryview(posted.session_origins).cast("I")
        groups = [origin_groups[number] for number in origins]
        chances = memoryview(posted.chances).cast("d")
        for metric in query.metrics & posted.rows_by_metric.keys():
            for session, at, value in posted.rows(metric):
                if start <= at < until and (
                    certain or snapshot.includes_value(at, chances[session])
                ):
                    for by_metric in groups[session]:
                        flat = by_metric.get(metric)
                        if flat is None:
                            flat = by_metric[metric] = array("q")
                        flat.append(at)
                        flat.append(value)
    return by_group


def _values_by_bucket(
    by_metric: ValuesByMetric, starts: Sequence[int]
) -> dict[int, dict[str, list[int]]]:
    """Divide values into buckets by the number of the bucket; the metrics of each are sorted."""
    buckets: dict[int, dict[str, list[int]]] = {}
    for metric in sorted(by_metric):
        flat = by_metric[metric]
        for at, value in zip(flat[0::2], flat[1::2], strict=True):
            if isinstance(starts, range):
                number = (at - starts.start) // starts.step
            else:
                number = bisect_right(starts, at) - 1
            metrics = buckets.get(number)
            if metrics is None:
                metrics = buckets[number] = {}
            if metric in metrics:
                metrics[metric].append(value)
            else:
                metrics[metric] = [value]
    return buckets


def values_by_dimension(origin: Origin) -> Any:
    """Return a function from dimension to the values of *origin* in it, for a filter."""
    return lambda dimension: origin[EMULATED.index(dimension)]


def _groups_of(query: AggregateQuery, origin: Origin) -> Iterable[Group]:
    """Return the groups in which the values of *origin* count; the media type always divides."""
    axes = []
    for dimension in sorted({*query.group_by, "mediaType"}):
        if values := origin[EMULATED.index(dimension)]:
            separate = (",".join(values),) if query.flatten else values
            axes.append([(dimension, value) for value in separate])
    return product(*axes)


def _metric_entry(metric: str, values: list[int]) -> MetricEntry:
    """Return all four statistics of a timer, and the count alone of a counter."""
    if metric.startswith("n"):
        return MetricEntry(metric, Counter(sum(values)))
    return MetricEntry(metric, Timer(max(values), min(values), len(values), sum(values)))


def shuffle_list(order: Random, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    order.shuffle(items)
    return items
