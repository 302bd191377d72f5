"""When the days of a store are read, and what it holds of each."""

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
"""How far back an empty store reaches."""


def store_calendar(store: Store, now: datetime) -> Calendar:
    """Return the calendar by which the days of *store* are read; the usual one of a new store."""
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
) -> dict[Source, list[DayCoverage]]:
    """Return what *store* holds of each day of *interval*, oldest first, by source.

    Without an *interval* the days are those since the first one that is held of a source in
    *first_by*, or 31 days if none is. Days that ended by *not_before* are left out. *sources*
    None means all.
    """
    exists = store.exists
    settled = {source: store.settled_windows(source) if exists else [] for source in Source}
    nothing: dict[Source, list[DayCoverage]] = {source: [] for source in sources or Source}
    if not interval:
        firsts = [settled[source][0].window.start for source in first_by if settled[source]]
        first = min(firsts, default=calendar.now - INITIAL_REACH)
        if first >= calendar.now:  # this machine's clock is behind what was read
            return nothing
        interval = Interval(first, calendar.now)
    if not_before and not_before >= interval.end:
        return nothing
    interval = replace(interval, start=max(interval.start, not_before or interval.start))
    # The status of a day is asked of the agents that its posted figures name.
    named_by = {Source.STATUS: settled[Source.POSTED]}
    return {
        source: calendar.coverage_of_days(interval, settled[source], named_by.get(source, ()))
        for source in nothing
    }
