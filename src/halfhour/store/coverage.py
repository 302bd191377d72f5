"""Return the calendar of a store, and its coverage of each day."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from halfhour.errors import StoreError
from halfhour.model.coverage import Calendar, DayCoverage
from halfhour.model.intervals import HALF_HOUR, INTERVAL_WIDTHS, Interval
from halfhour.model.vocabulary import Source
from halfhour.store.database import DAMAGED_ADVICE
from halfhour.store.store import Store

INITIAL_REACH = timedelta(days=31)
"""Length of time for which the first sync of a new store reads."""


def store_calendar(store: Store, now: datetime) -> Calendar:
    """Return the calendar by which the days of *store* are read.

    A store that does not exist yet has the default calendar. Raises StoreError if the stored
    settings cannot be read.
    """
    if not store.exists:
        return Calendar(now, HALF_HOUR)
    settings = store.stored_settings()
    try:
        granularity = timedelta(seconds=int(settings["granularity"]))
        ages = tuple(timedelta(seconds=int(text)) for text in settings["reread"].split())
        if granularity in INTERVAL_WIDTHS.values():
            return Calendar(now, granularity, ages)
    except (KeyError, ValueError, OverflowError):
        pass
    raise StoreError(f"{store.path}: its settings cannot be read; {DAMAGED_ADVICE}")


def day_coverage(
    store: Store,
    calendar: Calendar,
    interval: Interval | None = None,
    *,
    sources: Sequence[Source] | None = None,
    first_by: Iterable[Source] = Source,
    not_before: datetime | None = None,
    history: timedelta | None = None,
) -> dict[Source, list[DayCoverage]]:
    """Return what *store* holds of each day of *interval*, oldest first, by source.

    Without an *interval* the days are those since the first stored one of a source in
    *first_by*, or the last 31 days if there is none; with a *history* at least those of that
    length of time. Days that ended by *not_before* are left out. *sources* None means all.
    """
    store_exists = store.exists
    settled = {source: store.settled_windows(source) if store_exists else [] for source in Source}
    no_days: dict[Source, list[DayCoverage]] = {source: [] for source in sources or Source}
    if not interval:
        first_days = [settled[source][0].window.start for source in first_by if settled[source]]
        if history or not first_days:
            first_days.append(calendar.now - (history or INITIAL_REACH))
        start = min(first_days)
        if start >= calendar.now:  # this machine's clock is behind the one that wrote the store
            return no_days
        interval = Interval(start, calendar.now)
    if not_before and not_before >= interval.end:
        return no_days
    interval = replace(interval, start=max(interval.start, not_before or interval.start))
    # The posted figures of a day name the agents whose status is read.
    prerequisites = {Source.STATUS: settled[Source.POSTED]}
    return {
        source: calendar.coverage_of_days(interval, settled[source], prerequisites.get(source, ()))
        for source in no_days
    }
