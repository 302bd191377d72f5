"""Posted values -> the answer to an aggregate query."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC
from itertools import product
from random import Random
from typing import Any

from genesys_emulator.queries.aggregates import Query
from genesys_emulator.simulation.metric_events import Origin, PostedValues
from genesys_emulator.simulation.restatements import Corrections, Snapshot
from genesys_emulator.wire.timestamps import bucket_starts, format_timestamp
from genesys_emulator.wire.vocabulary import EMULATED

Group = tuple[tuple[str, str], ...]
"""Dimension and value, of the dimensions that there is a value for."""

Cells = dict[Group, dict[int, dict[str, list[int]]]]
"""By group, number of the bucket and metric: the values that were posted."""


def answer(
    query: Query, books: Iterable[PostedValues], as_of: Snapshot, order: Random
) -> dict[str, Any]:
    """What the real API says: no group, bucket or metric that nothing was posted for.

    A value counts whole in the bucket in which it was posted, if it was known
    by then. Nothing is in any order; *order* is what shuffles it.
    """
    until = min(query.end, as_of.now)
    zone = query.zone or UTC
    starts = bucket_starts(query.start, query.end, query.granularity, zone=zone, until=until)
    cells: Cells = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for book in books:
        for groups, metric, at, value in _asked_for(query, book, as_of):
            bucket = bisect_right(starts, at) - 1
            for group in groups:
                cells[group][bucket][metric].append(value)

    def interval(bucket: int) -> str:
        end = starts[bucket + 1] if bucket + 1 < len(starts) else query.end
        return f"{format_timestamp(starts[bucket], zone)}/{format_timestamp(end, zone)}"

    labels = {at: interval(at) for at in {at for buckets in cells.values() for at in buckets}}
    results = [
        {
            "group": dict(group),
            "data": _shuffled(
                order,
                [
                    {"interval": labels[at], "metrics": _shuffled(order, _metrics(metrics))}
                    for at, metrics in buckets.items()
                ],
            ),
        }
        for group, buckets in cells.items()
    ]
    return {"results": _shuffled(order, results)}


def _asked_for(
    query: Query, book: PostedValues, as_of: Snapshot
) -> Iterator[tuple[list[Group], str, int, int]]:
    start, until = query.start, min(query.end, as_of.now)
    certain = as_of.corrections == Corrections()
    for origin, by_metric in book.items():
        wanted = query.metrics & by_metric.keys()
        if not wanted or not query.filter.verdict(looking_at(origin)):
            continue
        groups = _groups(query, origin)
        for metric in wanted:
            for at, value, chance in by_metric[metric]:
                if start <= at < until and (certain or as_of.includes_value(at, chance)):
                    yield groups, metric, at, value


def looking_at(origin: Origin) -> Any:
    """The values of *origin* in a dimension, for a filter to look at."""
    return lambda dimension: origin[EMULATED.index(dimension)]


def _groups(query: Query, origin: Origin) -> list[Group]:
    """Those that the values of *origin* count in: always by media type, asked for or not."""
    axes = []
    for dimension in sorted({*query.group_by, "mediaType"}):
        values = origin[EMULATED.index(dimension)]
        if not values:
            continue
        shown = (",".join(values),) if query.flatten else values
        axes.append([(dimension, value) for value in shown])
    return list(product(*axes))


def _metrics(values: dict[str, list[int]]) -> list[dict[str, Any]]:
    return [{"metric": metric, "stats": _stats(metric, of)} for metric, of in values.items()]


def _stats(metric: str, values: list[int]) -> dict[str, int]:
    """Timers say all four, counters only how many."""
    if metric.startswith("n"):
        return {"count": sum(values)}
    return {"max": max(values), "min": min(values), "count": len(values), "sum": sum(values)}


def _shuffled(order: Random, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    order.shuffle(items)
    return items
