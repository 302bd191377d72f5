"""The clock of the data: values posted after its time do not exist yet."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from genesys_emulator.wire.timestamps import DAY, parse_granularity, parse_timestamp


class ClockError(ValueError):
    """A time that cannot be set; the message is one sentence with a correction."""


@dataclass(slots=True)
class Clock:
    """A clock in ms that runs with *real*, or stands still at *stopped*, and can be moved."""

    real: Callable[[], int]
    stopped: int | None = None
    _moved: int = 0
    _at_first: int | None = field(init=False)

    def __post_init__(self) -> None:
        self._at_first = self.stopped

    def __call__(self) -> int:
        return (self.real() if self.stopped is None else self.stopped) + self._moved

    def apply_document(self, document: Any) -> None:
        """Set the clock by a JSON document. Raises ClockError.

        ``now`` stops it at a time, or lets it run again if null; ``move`` puts
        it forward by an ISO 8601 duration.
        """
        if not isinstance(document, dict) or not document.keys() & {"now", "move"}:
            raise ClockError('write {"now": "2026-03-03T00:00:00Z"} or {"move": "PT30M"}')
        stopped = _parse_now(document["now"]) if "now" in document else self.stopped
        moved = _parse_move(document["move"]) if "move" in document else 0
        self._moved = moved if "now" in document else self._moved + moved
        self.stopped = stopped

    def clear(self) -> None:
        """Put the clock back to how it started."""
        self.stopped, self._moved = self._at_first, 0


def _parse_now(text: Any) -> int | None:
    if text is None:
        return None
    try:
        return parse_timestamp(text, None)
    except (TypeError, ValueError):
        raise ClockError(
            f"now: {text!r} is no time with its zone; write 2026-03-03T00:00:00Z"
        ) from None


def _parse_move(text: Any) -> int:
    try:
        width = parse_granularity(text)
    except (TypeError, ValueError):
        raise ClockError(f"move: {text!r} is no duration; write PT30M or P1D") from None
    if width.months:
        raise ClockError(f"move: {text!r} is longer or shorter by month; write it in days, as P30D")
    return width.days * DAY + width.ms
