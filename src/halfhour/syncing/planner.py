"""What a sync is to bring: which days of a store are due, and what they cost."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from halfhour.errors import ConfigError
from halfhour.genesys.cost import min_request_count
from halfhour.model.coverage import Calendar, DayCoverage
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.store.coverage import day_coverage, store_calendar
from halfhour.store.store import Store

ACTIVITY_MARGIN = timedelta(days=14)
"""How near to a window an agent must have done something to be asked the status of in it.

So a large directory costs no requests: who is in it and works on other things is never asked for.
"""

RECENT_DAYS = 2
"""Days of which all is read before anything but posted figures of others: in most zones, today."""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """What a sync is to bring: days of *interval*, or since the first that is held, and none that
    began before *since*.

    *sources* are None for all that the client is allowed to read.
    *granularity* and *reread* are None to be as the store has them. With *again* every day
    is read, whenever it was read before.
    """

    interval: Interval | None = None
    sources: Sequence[Source] | None = None
    granularity: timedelta | None = None
    reread: Sequence[timedelta] | None = None
    since: datetime | None = None
    reread_all: bool = False


def requested_calendar(store: Store, wish: SyncRequest, now: datetime) -> Calendar:
    """Return when the days of *store* are read, as *wish* has it. Raises ConfigError where the
    store is of another granularity.
    """
    own = store_calendar(store, now)
    if store.exists and wish.granularity not in (None, own.granularity):
        raise ConfigError(
            f"⟨granularity⟩: {store.path} holds intervals of {own.granularity.seconds // 60} "
            "minutes; name another ⟨store⟩ for others"
        )
    return replace(
        own,
        granularity=wish.granularity or own.granularity,
        reread_ages=wish.reread or own.reread_ages,
    )


def due_days(store: Store, wish: SyncRequest, now: datetime) -> dict[Source, list[DayCoverage]]:
    """The days that are to be read, oldest first, of every source that *wish* names.

    Details may have landed of days long ago, which is no wish for all since.
    """
    days = day_coverage(
        store,
        requested_calendar(store, wish, now),
        wish.interval,
        sources=wish.sources,
        first_by=(Source.POSTED, Source.STATUS),
        not_before=wish.since,
    )
    return {source: [day for day in days[source] if day.due or wish.reread_all] for source in days}


def plan_due_days(
    store: Store, wish: SyncRequest, now: datetime
) -> tuple[dict[Source, list[DayCoverage]], int]:
    """What is `due`, and how many requests that takes at least."""
    agents = 0
    with store.open_snapshot() if store.exists else nullcontext(store) as still:
        days = due_days(still, wish, now)
        if still.exists and (asked := days.get(Source.STATUS)):
            agents = len(
                still.active_agent_ids(
                    activity_interval(Interval(asked[0].day.start, asked[-1].day.end))
                )
            )
    return days, min_request_count({source: len(held) for source, held in days.items()}, agents)


def order_by_urgency(
    days: Mapping[Source, Sequence[DayCoverage]],
) -> Iterator[tuple[Source, Sequence[DayCoverage]]]:
    """Which of the *days* that are due are read after which.

    Posted figures come first, as they are the fewest requests and name the
    agents whose status is to be asked for; then all there is of the last two
    days, which somebody may be waiting for; then the others. Details name agents too.
    """
    yield Source.POSTED, days.get(Source.POSTED, ())
    recent = sorted({each.day.start for held in days.values() for each in held})[-RECENT_DAYS:]
    for of_recent in (True, False):
        for source in (Source.DETAILS, Source.STATUS):
            held = days.get(source, ())
            yield source, [each for each in held if (each.day.start in recent) is of_recent]


def activity_interval(interval: Interval) -> Interval:
    """In which an agent must have done something to be asked the status of in *interval*."""
    return Interval(interval.start - ACTIVITY_MARGIN, interval.end + ACTIVITY_MARGIN)


def prepare_store(store: Store, wish: SyncRequest, now: datetime) -> Calendar:
    """Make sure that *store* is there and up to date; when its days are read."""
    store.upgrade_if_present()
    when = requested_calendar(store, wish, now)
    store.ensure_created(
        {
            "granularity": str(when.granularity.seconds),
            "reread": " ".join(str(int(age.total_seconds())) for age in when.reread_ages),
        }
    )
    return when
