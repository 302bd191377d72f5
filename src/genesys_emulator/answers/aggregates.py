"""Answers to aggregate queries, made from posted values."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC
from itertools import product
from random import Random
from typing import Any

from genesys_emulator.queries.aggregates import AggregateQuery
from genesys_emulator.simulation.metric_events import Origin, PostedValues
from genesys_emulator.simulation.restatements import Corrections, Snapshot
from genesys_emulator.wire.timestamps import bucket_starts, format_timestamp
from genesys_emulator.wire.vocabulary import EMULATED

Group = tuple[tuple[str, str], ...]
"""Dimensions and their values, without the dimensions that have none."""

Cells = dict[Group, dict[int, dict[str, list[int]]]]
"""Posted values by group, number of the bucket, and metric."""


def aggregate_answer(
    query: AggregateQuery, posted_values: Iterable[PostedValues], snapshot: Snapshot, order: Random
) -> dict[str, Any]:
    """Make the answer, without groups, buckets and metrics that have no values.

    A value counts whole in the bucket in which it was posted, if the snapshot
    has it. As in the real API there is no order: *order* shuffles everything,
    and begins with everything sorted, so that the answer depends on nothing else.
    """
    until = min(query.end, snapshot.now)
    zone = query.zone or UTC
    starts = bucket_starts(query.start, query.end, query.granularity, zone=zone, until=until)
    cells: Cells = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for values in posted_values:
        for groups, metric, at, value in _matching_values(query, values, snapshot):
            bucket = bisect_right(starts, at) - 1
            for group in groups:
                cells[group][bucket][metric].append(value)

    def format_interval(bucket: int) -> str:
        end = starts[bucket + 1] if bucket + 1 < len(starts) else query.end
        return f"{format_timestamp(starts[bucket], zone)}/{format_timestamp(end, zone)}"

    labels = {
        at: format_interval(at) for at in {at for buckets in cells.values() for at in buckets}
    }
    results = [
        {
            "group": dict(group),
            "data": shuffle_list(
                order,
                [
                    {
                        "interval": labels[at],
                        "metrics": shuffle_list(order, _metric_entries(metrics)),
                    }
                    for at, metrics in sorted(buckets.items())
                ],
            ),
        }
        for group, buckets in sorted(cells.items())
    ]
    return {"results": shuffle_list(order, results)}


def _matching_values(
    query: AggregateQuery, posted: PostedValues, snapshot: Snapshot
) -> Iterator[tuple[list[Group], str, int, int]]:
    start, until = query.start, min(query.end, snapshot.now)
    certain = snapshot.corrections == Corrections()
    for origin, by_metric in posted.items():
        wanted = query.metrics & by_metric.keys()
        if not wanted or not query.filter.holds_for(values_by_dimension(origin)):
            continue
        groups = _groups_of(query, origin)
        for metric in wanted:
            for at, value, chance in by_metric[metric]:
                if start <= at < until and (certain or snapshot.includes_value(at, chance)):
                    yield groups, metric, at, value


def values_by_dimension(origin: Origin) -> Any:
    """Return a function from dimension to the values of *origin* in it, for a filter."""
    return lambda dimension: origin[EMULATED.index(dimension)]


def _groups_of(query: AggregateQuery, origin: Origin) -> list[Group]:
    """Return the groups in which the values of *origin* count; the media type always divides."""
    axes = []
    for dimension in sorted({*query.group_by, "mediaType"}):
        values = origin[EMULATED.index(dimension)]
        if not values:
            continue
        separate = (",".join(values),) if query.flatten else values
        axes.append([(dimension, value) for value in separate])
    return list(product(*axes))


def _metric_entries(values: dict[str, list[int]]) -> list[dict[str, Any]]:
    return [
        {"metric": metric, "stats": _metric_stats(metric, posted)}
        for metric, posted in sorted(values.items())
    ]


def _metric_stats(metric: str, values: list[int]) -> dict[str, int]:
    """Return all four statistics of a timer, and the count alone of a counter."""
    if metric.startswith("n"):
        return {"count": sum(values)}
    return {"max": max(values), "min": min(values), "count": len(values), "sum": sum(values)}


def shuffle_list(order: Random, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    order.shuffle(items)
    return items
