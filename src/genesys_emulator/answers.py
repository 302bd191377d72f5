"""Emitted metric values, as the answer to an aggregates query.

A value goes whole into the bucket that holds its emit time. What is empty is
left out: buckets, metrics, groups, and of a group the dimensions it lacks.
The order of everything is arbitrary, but the same for the same question.
"""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from genesys_emulator.model import Emission
from genesys_emulator.query import Granularity, Query

Answer = dict[str, Any]
Group = tuple[tuple[str, str], ...]
Stats = list[int]  # count, sum, min, max

_ONE = {
    "userId": lambda e: e.user,
    "mediaType": lambda e: e.media,
    "direction": lambda e: e.direction,
    "purpose": lambda e: e.purpose,
    "divisionId": lambda e: e.division,
    "conversationId": lambda e: e.conversation,
}


def edges(query: Query) -> list[int]:
    """The edges of the buckets in epoch ms, from the interval's start; the last is its end."""
    if query.granularity is None:
        return [_ms(query.start), _ms(query.end)]
    found, count = [], 0
    while (edge := _edge(query, query.granularity, count)) < query.end:
        found.append(_ms(edge))
        count += 1
    return [*found, _ms(query.end)]


def aggregates(query: Query, emissions: Iterable[Emission], now: datetime) -> Answer:
    """The response to *query* at *now*; a value that is emitted later does not exist yet."""
    bounds = edges(query)
    cells = _cells(query, emissions, bounds, min(bounds[-1], _ms(now)))
    order = random.Random(repr(query))
    zone = query.zone or UTC
    results = [
        {"group": dict(group), "data": _data(buckets, bounds, zone, order)}
        for group, buckets in cells.items()
    ]
    order.shuffle(results)
    return {"results": results}


def _cells(
    query: Query, emissions: Iterable[Emission], bounds: list[int], until: int
) -> dict[Group, dict[int, dict[str, Stats]]]:
    cells: dict[Group, dict[int, dict[str, Stats]]] = {}
    dimensions = tuple(dict.fromkeys((*query.group_by, "mediaType")))
    wanted = _predicate(query.filter)
    for emission in emissions:
        if emission.metric not in query.metrics or not bounds[0] <= emission.at < until:
            continue
        if not wanted(emission):
            continue
        bucket = bisect_right(bounds, emission.at) - 1
        for group in _groups(emission, dimensions, flatten=query.flatten):
            metrics = cells.setdefault(group, {}).setdefault(bucket, {})
            _add(metrics.setdefault(emission.metric, [0, 0, emission.value, 0]), emission.value)
    return cells


def _add(stats: Stats, value: int) -> None:
    stats[0] += 1
    stats[1] += value
    stats[2] = min(stats[2], value)
    stats[3] = max(stats[3], value)


def _groups(emission: Emission, dimensions: tuple[str, ...], *, flatten: bool) -> Iterator[Group]:
    queues: tuple[str, ...] | None = None
    if "queueId" in dimensions and emission.queues:
        queues = (",".join(emission.queues),) if flatten else emission.queues
    for queue in queues or (None,):
        values = (
            (name, queue if name == "queueId" else _ONE[name](emission)) for name in dimensions
        )
        yield tuple((name, value) for name, value in values if value is not None)


def _data(
    buckets: dict[int, dict[str, Stats]], bounds: list[int], zone: tzinfo, order: random.Random
) -> list[Answer]:
    data = [
        {
            "interval": f"{_text(bounds[at], zone)}/{_text(bounds[at + 1], zone)}",
            "metrics": order.sample(
                [{"metric": name, "stats": _stats(name, each)} for name, each in metrics.items()],
                len(metrics),
            ),
        }
        for at, metrics in buckets.items()
    ]
    order.shuffle(data)
    return data


def _stats(metric: str, stats: Stats) -> dict[str, int]:
    count, total, least, most = stats
    if metric.startswith("n"):
        return {"count": total}
    return {"max": most, "min": least, "count": count, "sum": total}


def _predicate(node: dict[str, Any] | None) -> Callable[[Emission], bool]:
    """A filter, or one of its clauses or predicates, as a test of one value."""
    if node is None:
        return lambda emission: True
    if "dimension" in node:
        return _dimension_predicate(node)
    parts = [_predicate(each) for each in (*node.get("clauses", ()), *node.get("predicates", ()))]
    ids = _ids(node)
    if ids is not None:
        dimension, values = ids
        return lambda emission: not values.isdisjoint(_values(emission, dimension))
    if node["type"] == "and":
        return lambda emission: all(part(emission) for part in parts)
    return lambda emission: any(part(emission) for part in parts)


def _ids(node: dict[str, Any]) -> tuple[str, set[str]] | None:
    """The usual clause, one of many ids, as a set: a hundred of them cost as much as one."""
    predicates = node.get("predicates", ())
    dimensions = {each["dimension"] for each in predicates}
    plain = all(each.get("operator", "matches") == "matches" for each in predicates)
    if node["type"] != "or" or node.get("clauses") or len(dimensions) != 1 or not plain:
        return None
    return dimensions.pop(), {each.get("value") for each in predicates}


def _dimension_predicate(node: dict[str, Any]) -> Callable[[Emission], bool]:
    dimension = node["dimension"]
    match node.get("operator", "matches"):
        case "exists":
            return lambda emission: bool(_values(emission, dimension))
        case "notExists":
            return lambda emission: not _values(emission, dimension)
        case _:
            return lambda emission: node.get("value") in _values(emission, dimension)


def _values(emission: Emission, dimension: str) -> tuple[str, ...]:
    if dimension == "queueId":
        return emission.queues
    value = _ONE[dimension](emission)
    return () if value is None else (value,)


def _edge(query: Query, granularity: Granularity, count: int) -> datetime:
    wall = query.start.astimezone(query.zone or UTC)
    months = wall.month - 1 + granularity.months * count
    moved = wall.replace(year=wall.year + months // 12, month=months % 12 + 1)
    moved += timedelta(days=granularity.days * count)
    return moved.astimezone(UTC) + granularity.clock * count


def _ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _text(ms: int, zone: tzinfo) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return moment.astimezone(zone).isoformat(timespec="milliseconds").replace("+00:00", "Z")
