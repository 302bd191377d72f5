"""What a store holds for a question."""

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.errors import ConfigError, Incomplete
from halfhour.fetch import Fetched
from halfhour.intervals import Interval
from halfhour.plan import Question, identified
from halfhour.store import Kind, Store
from halfhour.syncing import Wish, calendar
from halfhour.when import granularity
from halfhour.windows import Held, State


def holdings(store: Store, question: Question, now: datetime) -> Fetched:
    """What *store* holds for *question*, and how sure its days are at *now*.

    Raises ConfigError for a name that nobody in the store has, or a zone whose
    half-hours it does not have; StoreError.
    """
    when = calendar(store, Wish(), now)
    if granularity(question.interval) < when.granularity:
        raise ConfigError(
            f"--zone: half-hours of {question.zone} start at :15 or :45, and {store.path} holds "
            "those of UTC; 'halfhour sync --granularity 15m' with another --store gets both"
        )
    posted = store.posted(question.interval)
    agents = store.names("agent")
    if question.agents:
        posted = posted.filter(
            pc.is_in(posted["agent_id"], pa.array(_ids(store, "agent", question.agents)))
        )
    if question.queues:
        wanted = set(_ids(store, "queue", question.queues))
        served = [
            not wanted.isdisjoint((ids or "").split(",")) for ids in posted["queue_id"].to_pylist()
        ]
        posted = posted.filter(pa.array(served, pa.bool_()))
    return Fetched(posted, agents, when.held(question.interval, store.settled()))


def missing(days: Sequence[Held], interval: Interval) -> list[Interval]:
    """The parts of *interval* that are over and not held."""
    parts: list[Interval] = []
    for each in days:
        start = each.settled.window.end if each.settled else each.day.start
        start, end = max(start, interval.start), min(each.day.end, interval.end)
        if each.state not in (State.MISSING, State.UNFINISHED) or start >= end:
            continue
        if parts and parts[-1].end == start:
            start = parts.pop().start
        parts.append(Interval(start, end))
    return parts


def check(days: Sequence[Held], interval: Interval) -> None:
    """Raises Incomplete if a part of *interval* that is over is not held."""
    if parts := missing(days, interval):
        listed = "".join(f"\n  {part}" for part in parts)
        raise Incomplete(f"not all of it is held; 'halfhour sync' fetches what is missing:{listed}")


def _ids(store: Store, kind: Kind, wanted: Sequence[str]) -> list[str]:
    names = store.names(kind)
    known = zip(names["id"].to_pylist(), names["name"].to_pylist(), strict=True)
    return identified(f"--{kind}", wanted, known, f"{kind}s in {store.path}")
