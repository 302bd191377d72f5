"""Which days a store holds, how sure they are, and which are to be read (again)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from halfhour.errors import Incomplete
from halfhour.model.intervals import Interval, floored
from halfhour.model.vocabulary import Source

DAY = timedelta(days=1)
REREAD = (DAY, 4 * DAY)
"""How long after a day's end it is read again: Genesys corrects days that are over, by night,
from the second day on (help.mypurecloud.com, "why can my data change").
"""


class State(StrEnum):
    """How sure a day is that a store holds, or does not."""

    SETTLED = "settled"
    PROVISIONAL = "provisional"
    UNFINISHED = "unfinished"
    INCOMPLETE = "incomplete"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Settled:
    """A window that was read, at *read_at*, and is held whole; but for transfers, which were not
    always asked for, and for what had to be left out, which is counted.
    """

    window: Interval
    read_at: datetime
    rows: int
    has_transfers: bool = True
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """A day, as far as it is over, and what a store has of it."""

    day: Interval
    state: State
    settled: Settled | None = None
    due: bool = False


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a day is read: intervals of *granularity* are over at *now*, and days read again."""

    now: datetime
    granularity: timedelta
    reread: Sequence[timedelta] = REREAD

    @property
    def over(self) -> datetime:
        """The end of the last interval that is over."""
        return floored(self.now, self.granularity)

    def held(
        self, interval: Interval, settled: Iterable[Settled], after: Iterable[Settled] = ()
    ) -> list[Held]:
        """Each day (UTC) of *interval* that has begun, oldest first.

        What has to be asked for by what other windows hold comes *after* these:
        a day is due again where they were read later.
        """
        by_day = {each.window.start: each for each in settled}
        known = {each.window.start: each.read_at for each in after}
        return [
            self._held(day, by_day.get(day.start), known.get(day.start))
            for day in self._days(interval)
        ]

    def state(self, settled: Settled) -> State:
        """How sure what was *settled* is."""
        day_end = settled.window.start + DAY
        if settled.window.end < min(day_end, self.over):
            return State.UNFINISHED
        if settled.left_out:
            return State.INCOMPLETE
        final = settled.read_at >= day_end + max(self.reread, default=timedelta(0))
        return State.SETTLED if final else State.PROVISIONAL

    def _days(self, interval: Interval) -> Iterator[Interval]:
        start = floored(interval.start, DAY)
        while start < min(interval.end, self.over):
            yield Interval(start, min(start + DAY, self.over))
            start += DAY

    def _held(self, day: Interval, settled: Settled | None, known: datetime | None) -> Held:
        if settled is None or settled.read_at > self.now:  # by a clock that was ahead
            return Held(day, State.MISSING, due=True)
        state = self.state(settled)
        ages = (day.start + DAY + age for age in self.reread)
        again = any(settled.read_at < moment <= self.now for moment in ages)
        outdated = known is not None and settled.read_at < known
        return Held(day, state, settled, due=again or outdated or state is State.UNFINISHED)


def dates(days: Iterable[datetime]) -> str:
    """*days* in words: of those that follow one another the first and the last."""
    runs: list[tuple[datetime, datetime]] = []
    for day in sorted(days):
        start = runs.pop()[0] if runs and runs[-1][1] == day - DAY else day
        runs.append((start, day))
    return ", ".join(
        str(first.date()) if first == last else f"{first.date()} to {last.date()}"
        for first, last in runs
    )


def missing_intervals(days: Sequence[Held], interval: Interval) -> list[Interval]:
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


def require_complete_coverage(days: Mapping[Source, Sequence[Held]], interval: Interval) -> None:
    """Raise Incomplete if a part of *interval* that is over is not held of a source, or is held
    without something that could not be read.
    """
    reasons = []
    if parts := [
        f"{source} {part}" for source in days for part in missing_intervals(days[source], interval)
    ]:
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
