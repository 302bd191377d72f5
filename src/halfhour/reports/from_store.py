"""What a store holds for a question."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from halfhour.errors import ConfigError, Incomplete
from halfhour.genesys.requests import Question, identified
from halfhour.model.coverage import Held, State
from halfhour.model.intervals import Interval
from halfhour.model.tables import RECONCILED, STATUS
from halfhour.model.vocabulary import Source
from halfhour.reports import filters
from halfhour.reports.data import Found
from halfhour.store import worked_time
from halfhour.store.store import Kind, Store
from halfhour.syncing.planner import Wish, calendar


def holdings(store: Store, question: Question, now: datetime) -> Found:
    """What *store* holds for *question*, and how sure its days are at *now*.

    Raises ConfigError for a name that nobody in the store has, or a zone whose
    half-hours it does not have; StoreError.
    """
    with store.snapshot() as still:
        return _holdings(still, question, now)


def _holdings(store: Store, question: Question, now: datetime) -> Found:
    when = calendar(store, Wish(), now)
    if question.width < when.granularity:
        raise ConfigError(
            f"--granularity or --layout: quarter-hours are wanted, and {store.path} holds "
            "half-hours; "
            "'halfhour sync --granularity 15m' with another --store gets both"
        )
    if question.granularity < when.granularity:
        raise ConfigError(
            f"--zone: half-hours of {question.zone} start at :15 or :45, and {store.path} holds "
            "those of UTC; 'halfhour sync --granularity 15m' with another --store gets both"
        )
    interval, width = question.interval, question.granularity
    held = {each: when.held(interval, store.settled(each)) for each in Source}
    agents = _ids(store, "agent", question.agents) if question.agents else None
    if (places := filters.within(question, store.places())) is not None:
        agents = [each for each in places if agents is None or each in agents]
    queues = _ids(store, "queue", question.queues) if question.queues else None

    def wanted(table: pa.Table) -> pa.Table:
        return filters.of_queues(filters.of_media(table, question.media), queues)

    figures = {}
    if Source.POSTED in question.sources:
        figures["posted"] = store.posted(interval, agents)
        if any(day.settled for day in held[Source.DETAILS]):
            figures["callback_voice"] = worked_time.voice_of_callbacks(
                store, interval, width, agents
            )
    if Source.DETAILS in question.sources:
        figures["worked"] = worked_time.worked(store, interval, width, agents)
        figures["busy"] = worked_time.busy(
            store, interval, width, agents, queues=queues, media=question.media
        )
    none = STATUS.empty_table()
    return Found(
        store.names("agent"),
        queues=store.names("queue"),
        **{name: wanted(table) for name, table in figures.items()},
        status=none if question.is_of_some else store.status(interval, agents),
        days=held,
    )


def reconciled(store: Store, interval: Interval | None, now: datetime) -> pa.Table:
    """`tables.RECONCILED` of the days in *interval*, or of all, that posted figures and details
    are held of.
    """
    when = calendar(store, Wish(), now)
    sources = [store.settled(each) for each in (Source.POSTED, Source.DETAILS)]
    details = [each.window for each in sources[1]]
    if not details or not sources[0]:
        return RECONCILED.empty_table()
    return worked_time.reconciled(
        store,
        interval or Interval(details[0].start, details[-1].end),
        when.granularity,
        held=details,
        young=[
            each.window
            for settled in sources
            for each in settled
            if when.state(each) is not State.SETTLED
        ],
    )


def wish_of(question: Question, store: Store) -> Wish:
    """What *store* is to bring for *question*: what it needs, and status, which is a matter of
    few requests.
    """
    granularity = None if store.exists else question.granularity
    return Wish(question.interval, (*question.sources, Source.STATUS), granularity)


@contextmanager
def passing(store: Store | None, question: Question) -> Iterator[Store | None]:
    """*store*, or if there is none and *question* needs details, one for as long as this lasts."""
    if store or Source.DETAILS not in question.sources:
        yield store
        return
    with TemporaryDirectory(prefix="halfhour-") as folder:
        yield Store(Path(folder) / "passing.duckdb")


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


def check(days: Mapping[Source, Sequence[Held]], interval: Interval) -> None:
    """Raise Incomplete if a part of *interval* that is over is not held of a source, or is held
    without something that could not be read.
    """
    reasons = []
    if parts := [f"{source} {part}" for source in days for part in missing(days[source], interval)]:
        listed = "".join(f"\n  {part}" for part in parts)
        reasons.append(f"not all of it is held; 'halfhour sync' fetches what is missing:{listed}")
    if lacking := [
        f"{source} {day.day}: {day.settled.left_out} left out"
        for source in days
        for day in dict.fromkeys(days[source])
        if day.state is State.INCOMPLETE and day.settled
    ]:
        listed = "".join(f"\n  {day}" for day in lacking)
        reasons.append(f"these days are incomplete, as something could not be read:{listed}")
    if reasons:
        raise Incomplete("\n  ".join(reasons))


def _ids(store: Store, kind: Kind, wanted: Sequence[str]) -> list[str]:
    names = store.names(kind)
    known = zip(names["id"].to_pylist(), names["name"].to_pylist(), strict=True)
    return identified(f"--{kind}", wanted, known, f"{kind}s in {store.path}")
