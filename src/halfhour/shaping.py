"""What Genesys Cloud sent, as Arrow tables."""

from array import array
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import pyarrow as pa

from halfhour import wire
from halfhour.columns import ABSENT, chosen, figures, texts
from halfhour.errors import UnexpectedAnswer
from halfhour.intervals import MILLISECOND, Interval, epoch_ms, utc
from halfhour.tables import (
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


def posted(answer: wire.Aggregates, window: Interval, granularity: timedelta) -> pa.Table:
    """One row per interval, agent, queue and media type, in no order: `tables.POSTED`.

    What is of a part of an interval is under the start of the whole. Groups
    without an agent are left out, as are metrics that were not asked for.
    Raises UnexpectedAnswer if a key repeats or an interval lies outside
    *window*: either would count something twice.
    """
    groups = [group for group in answer.results or () if group.group.get("userId")]
    starts, places = array("q"), array("q")
    measured = [array("q") for _ in POSTED_METRICS]
    for place, group in enumerate(groups):
        for bucket in group.data:
            starts.append(_start_ms(bucket.interval))
            places.append(place)
            _measure(bucket, measured)
    _check(groups, starts, places, window)
    width = granularity // MILLISECOND
    starts = array("q", (start - start % width for start in starts))
    keys = [
        chosen(texts([group.group.get(name) for group in groups]), places)
        for name in ("userId", "queueId", "mediaType")
    ]
    numbers = [figures(column, pa.int64()) for column in measured]
    return pa.Table.from_arrays([figures(starts, MOMENT), *keys, *numbers], schema=POSTED)


def status(answer: wire.Aggregates, window: Interval) -> pa.Table:
    """One row per interval, agent and status, in no order: `tables.STATUS`.

    Raises UnexpectedAnswer if an interval lies outside *window*.
    """
    low, high = epoch_ms(window.start), epoch_ms(window.end)
    rows = [
        (_start_ms(bucket.interval), group.group["userId"], kind, metric)
        for group in answer.results or ()
        for bucket in group.data
        for metric in bucket.metrics
        if (kind := STATUS_KINDS.get(metric.metric)) and metric.stats.sum
    ]
    if any(not low <= row[0] < high for row in rows):
        raise UnexpectedAnswer(
            f"user aggregates: in the answer for {window}, a row lies outside it; "
            "nothing was used - please report this as a bug"
        )
    return pa.Table.from_arrays(
        [
            figures(array("q", [row[0] for row in rows]), MOMENT),
            texts([row[1] for row in rows]),
            texts([row[2] for row in rows]),
            texts([row[3].qualifier for row in rows]),
            figures(array("q", [round(row[3].stats.sum or 0) for row in rows]), pa.int64()),
        ],
        schema=STATUS,
    )


def capacity(answer: wire.Aggregates) -> pa.Table:
    """`tables.CAPACITY`: the mean of what was observed in each interval, in no order."""
    rows = [
        (_start_ms(bucket.interval), group.group.get("userId"), metric.stats)
        for group in answer.results or ()
        for bucket in group.data
        for metric in bucket.metrics
        if metric.metric == CAPACITY_METRIC and metric.stats.sum is not None and metric.stats.count
    ]
    rows = [row for row in rows if row[1]]
    means = [(stats.sum or 0) / (stats.count or 1) for _, _, stats in rows]
    return pa.Table.from_arrays(
        [
            figures(array("q", [row[0] for row in rows]), MOMENT),
            texts([row[1] for row in rows]),
            pa.array(array("d", means)),
        ],
        schema=CAPACITY,
    )


def offered(answer: wire.Aggregates) -> pa.Table:
    """`tables.OFFERED`, in no order. What was offered to no queue is left out."""
    rows = [
        (_start_ms(bucket.interval), group.group["queueId"], group.group.get("mediaType"), metric)
        for group in answer.results or ()
        if group.group.get("queueId")
        for bucket in group.data
        for metric in bucket.metrics
        if metric.metric == OFFERED_METRIC and metric.stats.count
    ]
    return pa.Table.from_arrays(
        [
            figures(array("q", [row[0] for row in rows]), MOMENT),
            texts([row[1] for row in rows]),
            texts([row[2] for row in rows]),
            figures(array("q", [round(row[3].stats.count or 0) for row in rows]), pa.int64()),
        ],
        schema=OFFERED,
    )


def added(parts: Sequence[pa.Table]) -> pa.Table:
    """`tables.POSTED` of one interval that was asked for in *parts*: sums and counts add up."""
    keys = [name for name in POSTED.names if name not in _FIGURES]
    whole = pa.concat_tables(parts).group_by(keys).aggregate([(each, "sum") for each in _FIGURES])
    return whole.rename_columns([*keys, *_FIGURES]).select(POSTED.names).cast(POSTED)


def names(entities: Iterable[wire.Named]) -> pa.Table:
    """`tables.NAMES`, one row per id; an entity without a name is left out, so its id shows."""
    by_id = {entity.id: entity.name for entity in entities if entity.name}
    return pa.Table.from_arrays([texts(by_id.keys()), texts(by_id.values())], schema=NAMES)


def named(ids: Iterable[str], entities: Iterable[wire.Named]) -> pa.Table:
    """`tables.NAMED` of *entities*, and of the other *ids*, of which nothing is known."""
    known = {each: wire.Named(each) for each in ids} | {each.id: each for each in entities}
    return pa.Table.from_arrays(
        [
            texts(known.keys()),
            texts([each.name for each in known.values()]),
            texts([each.division.name if each.division else None for each in known.values()]),
            texts([each.team.name if each.team else None for each in known.values()]),
        ],
        schema=NAMED,
    )


def places(entities: Iterable[wire.Named]) -> pa.Table:
    """`tables.PLACES` of agents."""
    return named([], entities).select(["id", "division", "team"]).rename_columns(PLACES.names)


def _measure(bucket: wire.Bucket, measured: "list[array[int]]") -> None:
    """Append what *bucket* holds to each column."""
    for column in measured:
        column.append(ABSENT)
    for metric in bucket.metrics:
        for places, value in ((_SUMS, metric.stats.sum), (_COUNTS, metric.stats.count)):
            if value is not None and metric.metric in places:
                measured[places[metric.metric]][-1] = round(value)


def _check(
    groups: list[wire.Group], starts: "array[int]", places: "array[int]", window: Interval
) -> None:
    low, high = epoch_ms(window.start), epoch_ms(window.end)
    keys = [tuple(map(group.group.get, ("userId", "queueId", "mediaType"))) for group in groups]
    seen = set()
    for start, place in zip(starts, places, strict=True):
        cell = (start, keys[place])
        if cell in seen or not low <= start < high:
            wrong = "comes twice" if cell in seen else "lies outside it"
            raise UnexpectedAnswer(
                f"conversation aggregates: in the answer for {window}, a row of agent "
                f"{keys[place][0]} {wrong}; nothing was used - please report this as a bug"
            )
        seen.add(cell)


@lru_cache(maxsize=4096)
def _start_ms(interval: str) -> int:
    try:
        return epoch_ms(utc(datetime.fromisoformat(interval.partition("/")[0])))
    except ValueError as error:
        raise UnexpectedAnswer(
            f"conversation aggregates: interval {interval!r} cannot be read"
        ) from error
