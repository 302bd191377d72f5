"""What Genesys Cloud sent, as Arrow tables."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

import pyarrow as pa

from halfhour import wire
from halfhour.errors import UnexpectedAnswer
from halfhour.intervals import Interval, epoch_ms, utc
from halfhour.tables import NAMES, POSTED, POSTED_METRICS

_WHERE: dict[tuple[str, str], int] = {
    (column.metric, column.stat): at for at, column in enumerate(POSTED_METRICS, start=4)
}


def posted(answer: wire.Aggregates, window: Interval) -> pa.Table:
    """One row per interval, agent, queue and media type, in no order: `tables.POSTED`.

    Groups without an agent are left out, as are metrics that were not asked
    for. Raises UnexpectedAnswer if a key repeats or an interval lies outside
    *window*: either would count something twice.
    """
    columns: list[list[object]] = [[] for _ in POSTED]
    seen: set[tuple[object, ...]] = set()
    low, high = epoch_ms(window.start), epoch_ms(window.end)
    for group in answer.results or ():
        agent = group.group.get("userId")
        if not agent:
            continue
        key = (agent, group.group.get("queueId"), group.group.get("mediaType"))
        for bucket in group.data:
            start = _start_ms(bucket.interval)
            if not low <= start < high or (start, *key) in seen:
                raise UnexpectedAnswer(
                    f"conversation aggregates: interval {bucket.interval} of agent {agent} "
                    f"{'lies outside' if not low <= start < high else 'comes twice in'} the answer "
                    f"for {window}; nothing of it was used - please report this as a bug"
                )
            seen.add((start, *key))
            for column, value in zip(columns, _row(start, key, bucket), strict=True):
                column.append(value)
    return pa.table(columns, schema=POSTED)


def names(entities: Iterable[wire.Named]) -> pa.Table:
    """`tables.NAMES`, one row per id; an entity without a name is left out, so its id shows."""
    by_id = {entity.id: entity.name for entity in entities if entity.name}
    return pa.table([list(by_id), list(by_id.values())], schema=NAMES)


def _row(start: int, key: tuple[object, ...], bucket: wire.Bucket) -> list[object]:
    row: list[object] = [start, *key, *([None] * len(POSTED_METRICS))]
    for metric in bucket.metrics:
        for stat, value in (("sum", metric.stats.sum), ("count", metric.stats.count)):
            at = _WHERE.get((metric.metric, stat))
            if at is not None and value is not None:
                row[at] = round(value)
    return row


@lru_cache(maxsize=4096)
def _start_ms(interval: str) -> int:
    try:
        return epoch_ms(utc(datetime.fromisoformat(interval.partition("/")[0])))
    except ValueError as error:
        raise UnexpectedAnswer(
            f"conversation aggregates: interval {interval!r} cannot be read"
        ) from error
