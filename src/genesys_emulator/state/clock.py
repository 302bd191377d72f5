"""The clock of the data: what is posted after its time does not exist yet."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from genesys_emulator.wire.timestamps import DAY, parse_granularity, parse_timestamp


class ClockError(ValueError):
    """A time that cannot be set: one sentence, with what to write instead."""


@dataclass(slots=True)
class Clock:
    """*real* tells the true time, in ms. It runs on from there, or stands still at *stopped*."""

    real: Callable[[], int]
    stopped: int | None = None
    _moved: int = 0
    _at_first: int | None = field(init=False)

    def __post_init__(self) -> None:
        self._at_first = self.stopped

    def __call__(self) -> int:
        return (self.real() if self.stopped is None else self.stopped) + self._moved

    def set(self, document: Any) -> None:
        """As a JSON document says: ``now`` stops it there, or lets it run again if null;
        ``move`` puts it forward by an ISO 8601 duration. Raises ClockError.
        """
        if not isinstance(document, dict) or not document.keys() & {"now", "move"}:
            raise ClockError('write {"now": "2026-03-03T00:00:00Z"} or {"move": "PT30M"}')
        stopped = _instant(document["now"]) if "now" in document else self.stopped
        moved = _duration(document["move"]) if "move" in document else 0
        self._moved = moved if "now" in document else self._moved + moved
        self.stopped = stopped

    def clear(self) -> None:
        """Put it back to how it was at first."""
        self.stopped, self._moved = self._at_first, 0


def _instant(text: Any) -> int | None:
    if text is None:
        return None
    try:
        return parse_timestamp(text, None)
    except (TypeError, ValueError):
        raise ClockError(
            f"now: {text!r} is no time with its zone; write 2026-03-03T00:00:00Z"
        ) from None


def _duration(text: Any) -> int:
    try:
        width = parse_granularity(text)
    except (TypeError, ValueError):
        raise ClockError(f"move: {text!r} is no duration; write PT30M or P1D") from None
    if width.months:
        raise ClockError(f"move: {text!r} is longer or shorter by month; write it in days, as P30D")
    return width.days * DAY + width.ms
