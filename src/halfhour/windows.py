"""Which days a store holds, how sure they are, and which are to be read (again)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from halfhour.intervals import MILLISECOND, Interval, epoch_ms, floored

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
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Settled:
    """A window that was read, at *read_at*, and is held whole."""

    window: Interval
    read_at: datetime
    rows: int


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

    def held(self, interval: Interval, settled: Iterable[Settled]) -> list[Held]:
        """Each day (UTC) of *interval* that has begun, oldest first."""
        by_day = {each.window.start: each for each in settled}
        return [self._held(day, by_day) for day in self._days(interval)]

    def state(self, settled: Settled) -> State:
        """How sure what was *settled* is."""
        day_end = settled.window.start + DAY
        if settled.window.end < min(day_end, self.over):
            return State.UNFINISHED
        final = settled.read_at >= day_end + max(self.reread, default=timedelta(0))
        return State.SETTLED if final else State.PROVISIONAL

    def _days(self, interval: Interval) -> Iterator[Interval]:
        start = floored(interval.start, DAY)
        while start < min(interval.end, self.over):
            yield Interval(start, min(start + DAY, self.over))
            start += DAY

    def _held(self, day: Interval, by_day: Mapping[datetime, Settled]) -> Held:
        settled = by_day.get(day.start)
        if settled is None:
            return Held(day, State.MISSING, due=True)
        state = self.state(settled)
        again = any(settled.read_at < day.start + DAY + after <= self.now for after in self.reread)
        return Held(day, state, settled, due=again or state is State.UNFINISHED)


def cut(interval: Interval, width: timedelta) -> dict[str, object]:
    """What the SQL that cuts segments takes: which windows, and which intervals of them."""
    return {
        "first": floored(interval.start, DAY),
        "last": interval.end,
        "start_ms": epoch_ms(interval.start),
        "end_ms": epoch_ms(interval.end),
        "width": width // MILLISECOND,
    }
