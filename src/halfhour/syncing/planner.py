"""Plan a sync: which days of a store are due, in which order, and how many requests they take."""

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
"""Maximum distance from a day at which activity makes an agent's status in that day be read.

Agents of a large directory who never handle interactions therefore cost no requests.
"""

RECENT_DAYS = 2
"""Number of latest days for which every source is read first: two UTC days cover "today"
in most time zones.
"""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """The days and sources that a sync reads.

    Without an *interval* the days are those since the first stored one, and with a *history* at
    least those of that length of time. Days that ended before *since* are left out. *sources*
    None means every source that the client may read; *extra_sources* are read too if the client
    may. *granularity* and *reread* None mean what the store was made with. *reread_all* reads days
    that are not due, too. Without *keep_raw* only what follows from details is stored.
    """

    interval: Interval | None = None
    sources: Sequence[Source] | None = None
    granularity: timedelta | None = None
    reread: Sequence[timedelta] | None = None
    since: datetime | None = None
    reread_all: bool = False
    keep_raw: bool = True
    history: timedelta | None = None
    extra_sources: Sequence[Source] = ()

    @property
    def sources_to_read(self) -> Sequence[Source] | None:
        """The *sources* and *extra_sources*; None means all."""
        return self.sources and (*self.sources, *self.extra_sources)


def requested_calendar(store: Store, request: SyncRequest, now: datetime) -> Calendar:
    """Return the calendar of *store*, changed as *request* says.

    Raises ConfigError if the store has another granularity.
    """
    calendar = store_calendar(store, now)
    if store.exists and request.granularity not in (None, calendar.granularity):
        raise ConfigError(
            f"⟨granularity⟩: {store.path} holds intervals of "
            f"{calendar.granularity.seconds // 60} minutes; name another ⟨store⟩ for others"
        )
    return replace(
        calendar,
        granularity=request.granularity or calendar.granularity,
        reread_ages=request.reread or calendar.reread_ages,
    )


def due_days(store: Store, request: SyncRequest, now: datetime) -> dict[Source, list[DayCoverage]]:
    """Return the days to read, oldest first, for each source of *request*.

    Details do not set the first day: files of days long ago may have been imported, and that
    does not ask for all days since.
    """
    days = day_coverage(
        store,
        requested_calendar(store, request, now),
        request.interval,
        sources=request.sources_to_read,
        first_by=(Source.POSTED, Source.STATUS),
        not_before=request.since,
        history=request.history,
    )
    return {
        source: [day for day in days[source] if day.due or request.reread_all] for source in days
    }


def plan_due_days(
    store: Store, request: SyncRequest, now: datetime
) -> tuple[dict[Source, list[DayCoverage]], int]:
    """Return the `due_days`, and the least number of requests that they take."""
    agent_count = 0
    with store.open_snapshot() if store.exists else nullcontext(store) as snapshot:
        days = due_days(snapshot, request, now)
        if snapshot.exists and (status_days := days.get(Source.STATUS)):
            interval = Interval(status_days[0].day.start, status_days[-1].day.end)
            agent_count = len(snapshot.active_agent_ids(activity_interval(interval)))
    day_counts = {source: len(source_days) for source, source_days in days.items()}
    return days, min_request_count(day_counts, agent_count)


def order_by_urgency(
    days: Mapping[Source, Sequence[DayCoverage]],
) -> Iterator[tuple[Source, Sequence[DayCoverage]]]:
    """Yield the due *days* in the order in which to read them.

    Posted figures come first: they take the fewest requests, and they name the agents whose
    status is read. Details and status of the two latest days follow, because somebody may be
    waiting for them, and then those of the other days. Details come before status, because they
    name agents too.
    """
    yield Source.POSTED, days.get(Source.POSTED, ())
    starts = sorted({day.day.start for source_days in days.values() for day in source_days})
    recent_starts = starts[-RECENT_DAYS:]
    for is_recent in (True, False):
        for source in (Source.DETAILS, Source.STATUS):
            source_days = days.get(source, ())
            yield (
                source,
                [day for day in source_days if (day.day.start in recent_starts) is is_recent],
            )


def activity_interval(interval: Interval) -> Interval:
    """Return the interval in which an agent must be active for the status in *interval* to be
    read.
    """
    return Interval(interval.start - ACTIVITY_MARGIN, interval.end + ACTIVITY_MARGIN)


def upgraded_calendar(store: Store, request: SyncRequest, now: datetime) -> Calendar:
    """Migrate *store* to this version if it exists, and return the calendar of its days."""
    store.upgrade_if_present()
    return requested_calendar(store, request, now)


def prepare_store(store: Store, request: SyncRequest, now: datetime) -> None:
    """Create *store*, or migrate it to this version."""
    store.ensure_created(upgraded_calendar(store, request, now).stored_settings)
