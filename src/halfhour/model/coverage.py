"""Decide the state of the days that a store holds, and the days that are due to be read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from halfhour.errors import Incomplete
from halfhour.model.intervals import Interval, floor_to_width
from halfhour.model.vocabulary import Source

DAY = timedelta(days=1)
REREAD_AGES = (DAY, 4 * DAY)
"""The ages, counted from the end of a day, at which the day is read again.

Genesys corrects its data overnight, from the second day on (help.mypurecloud.com, "why can my data
change").
"""


class DayState(StrEnum):
    """The state of a day in a store."""

    SETTLED = "settled"
    PROVISIONAL = "provisional"
    UNFINISHED = "unfinished"
    INCOMPLETE = "incomplete"
    MISSING = "missing"


class KeptAges(NamedTuple):
    """The ages from which a store lets go of days, and of what Genesys said in details."""

    days: timedelta | None = None
    raw_details: timedelta | None = None


@dataclass(frozen=True, slots=True)
class SettledWindow:
    """A window that was read at *read_at* and is stored whole.

    *has_transfers* is false if an older halfhour read it, which did not request transfers.
    *left_out_count* counts the parts that could not be read. *has_raw* tells whether the store
    holds what Genesys said, from which details are derived.
    """

    window: Interval
    read_at: datetime
    row_count: int
    has_transfers: bool = True
    left_out_count: int = 0
    has_raw: bool = False


@dataclass(frozen=True, slots=True)
class DayCoverage:
    """The part of a day that is over, and what a store holds of it."""

    day: Interval
    state: DayState
    settled: SettledWindow | None = None
    due: bool = False


@dataclass(frozen=True, slots=True)
class Calendar:
    """The rules by which days are read, as of *now*.

    Only intervals of *granularity* that are over are read. A day is read again at *reread_ages*.
    """

    now: datetime
    granularity: timedelta
    reread_ages: Sequence[timedelta] = REREAD_AGES

    @property
    def last_interval_end(self) -> datetime:
        """The end of the last interval that is over."""
        return floor_to_width(self.now, self.granularity)

    @property
    def stored_settings(self) -> dict[str, str]:
        """The settings from which a store gives back this calendar."""
        return {
            "granularity": str(self.granularity.seconds),
            "reread": " ".join(str(int(age.total_seconds())) for age in self.reread_ages),
        }

    def coverage_of_days(
        self,
        interval: Interval,
        settled: Iterable[SettledWindow],
        after: Iterable[SettledWindow] = (),
    ) -> list[DayCoverage]:
        """Return the coverage of each day (UTC) of *interval* that has begun, oldest first.

        The windows *after* tell what to request for these days, such as the agents whose status to
        read: a day is due again if they were read later than it.
        """
        by_day = {window.window.start: window for window in settled}
        latest_reads = {window.window.start: window.read_at for window in after}
        return [
            self._coverage_of_day(day, by_day.get(day.start), latest_reads.get(day.start))
            for day in self._started_days(interval)
        ]

    def state_of_window(self, settled: SettledWindow) -> DayState:
        """Return the state of a *settled* window."""
        day_end = settled.window.start + DAY
        if settled.window.end < min(day_end, self.last_interval_end):
            return DayState.UNFINISHED
        if settled.left_out_count:
            return DayState.INCOMPLETE
        last_reread = day_end + max(self.reread_ages, default=timedelta(0))
        return DayState.SETTLED if settled.read_at >= last_reread else DayState.PROVISIONAL

    def _started_days(self, interval: Interval) -> Iterator[Interval]:
        start = floor_to_width(interval.start, DAY)
        while start < min(interval.end, self.last_interval_end):
            yield Interval(start, min(start + DAY, self.last_interval_end))
            start += DAY

    def _coverage_of_day(
        self, day: Interval, settled: SettledWindow | None, source_read_at: datetime | None
    ) -> DayCoverage:
        if settled is None or settled.read_at > self.now:  # A clock was ahead.
            return DayCoverage(day, DayState.MISSING, due=True)
        state = self.state_of_window(settled)
        reread_times = (day.start + DAY + age for age in self.reread_ages)
        is_due = any(settled.read_at < reread_time <= self.now for reread_time in reread_times)
        is_outdated = source_read_at is not None and settled.read_at < source_read_at
        return DayCoverage(
            day, state, settled, due=is_due or is_outdated or state is DayState.UNFINISHED
        )


def format_days(days: Iterable[datetime]) -> str:
    """Return *days* as text; a run of days is written as its first and last day."""
    runs: list[tuple[datetime, datetime]] = []
    for day in sorted(days):
        start = runs.pop()[0] if runs and runs[-1][1] == day - DAY else day
        runs.append((start, day))
    return ", ".join(
        str(first.date()) if first == last else f"{first.date()} to {last.date()}"
        for first, last in runs
    )


def missing_intervals(days: Sequence[DayCoverage], interval: Interval) -> list[Interval]:
    """Return the parts of *interval* that are over and that the store does not hold."""
    missing: list[Interval] = []
    for day in days:
        start = day.settled.window.end if day.settled else day.day.start
        start, end = max(start, interval.start), min(day.day.end, interval.end)
        if day.state not in (DayState.MISSING, DayState.UNFINISHED) or start >= end:
            continue
        if missing and missing[-1].end == start:
            start = missing.pop().start
        missing.append(Interval(start, end))
    return missing


def require_complete_coverage(
    days: Mapping[Source, Sequence[DayCoverage]], interval: Interval
) -> None:
    """Raise Incomplete unless the store holds all of *interval* that is over, of every source.

    A day with conversations or values that could not be read is incomplete, too.
    """
    reasons = []
    missing = [
        (part, source) for source in days for part in missing_intervals(days[source], interval)
    ]
    if missing:
        listed = "".join(f"\n  {source} {part}" for part, source in missing)
        # A sync without a range reads no day before the first stored one.
        first_day = min(part.start for part, _ in missing).date()
        reasons.append(
            f"not all of it is held; 'halfhour sync' with ⟨start⟩ {first_day} fetches what is "
            f"missing:{listed}"
        )
    incomplete = "".join(
        f"\n  {source} {day.day}: {day.settled.left_out_count} left out"
        for source in days
        for day in dict.fromkeys(days[source])
        if day.state is DayState.INCOMPLETE and day.settled
    )
    if incomplete:
        reasons.append(f"these days are incomplete, as something could not be read:{incomplete}")
    if reasons:
        raise Incomplete("\n  ".join(reasons))
