"""Times in UTC, half-open intervals, and the widths of intervals that tile the day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HALF_HOUR = timedelta(minutes=30)
QUARTER_HOUR = timedelta(minutes=15)
INTERVAL_WIDTHS = {"15m": QUARTER_HOUR, "30m": HALF_HOUR}
"""The widths of intervals by the words with which people choose them."""
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_utc(moment: datetime) -> datetime:
    """Convert *moment* to UTC, as every time from outside. Raises ValueError if it is naive."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment.astimezone(UTC)


def epoch_ms(moment: datetime) -> int:
    """Return the exact milliseconds since 1970."""
    return (moment - EPOCH) // MILLISECOND


def from_epoch_ms(ms: int) -> datetime:
    """Return the time *ms* milliseconds after the start of 1970."""
    return EPOCH + ms * MILLISECOND


def is_interval_edge(moment: datetime, width: timedelta) -> bool:
    """Tell whether *moment* is an edge of the intervals of *width* that tile UTC."""
    return (moment - EPOCH) % width == timedelta(0)


def floor_to_width(moment: datetime, width: timedelta) -> datetime:
    """Return the start of the interval around *moment*; intervals of *width* tile UTC."""
    return moment - (moment - EPOCH) % width


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A half-open interval ``[start, end)`` in UTC, never empty."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", to_utc(self.start))
        object.__setattr__(self, "end", to_utc(self.end))
        if self.end <= self.start:
            raise ValueError(f"{self} does not end after its start")

    def __str__(self) -> str:
        """Return the interval as the API writes it: ISO 8601 with milliseconds, `start/end`."""
        return f"{_format_iso(self.start)}/{_format_iso(self.end)}"

    @classmethod
    def from_text(cls, text: str) -> "Interval":
        """Return the interval in *text*, as `str` writes it. Raises ValueError."""
        start, _, end = text.partition("/")
        return cls(datetime.fromisoformat(start), datetime.fromisoformat(end))

    @property
    def width(self) -> timedelta:
        return self.end - self.start

    def split_into_windows(self, width: timedelta) -> Iterator["Interval"]:
        """Split the interval into windows of *width*, oldest first; the last may be shorter."""
        start = self.start
        while start < self.end:
            end = min(start + width, self.end)
            yield Interval(start, end)
            start = end

    def split_in_half(self, step: timedelta) -> tuple["Interval", "Interval"] | None:
        """Split the interval at a multiple of *step* from its start; None if it is too short."""
        step_count = -(-self.width // step)
        if step_count < 2:
            return None
        middle = self.start + step * (step_count // 2)
        return Interval(self.start, middle), Interval(middle, self.end)


def _format_iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
