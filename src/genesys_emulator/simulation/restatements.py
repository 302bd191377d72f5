"""Late and restated data: values known with a delay, or wrong until a nightly correction."""

from collections.abc import Callable
from dataclasses import dataclass

from genesys_emulator.wire.timestamps import DAY, HOUR

NIGHT = 2 * HOUR
"""Time of the nightly correction of the day that ended two days before, in ms from midnight."""
ENDLESS = 2**62


@dataclass(frozen=True, slots=True)
class Corrections:
    """Shares of all conversations whose values are *late* by *delay* ms, or *restated*.

    Half of the restated ones are missing until the correction; the other half
    are there until the correction, and missing afterwards.
    """

    late: float = 0.0
    delay: int = 0
    restated: float = 0.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The data as it was known at *now*, in ms."""

    now: int
    corrections: Corrections = Corrections()

    def includes_value(self, at: int, chance: float) -> bool:
        """Return whether a value posted at *at* by a conversation of this *chance* is known."""
        if at >= self.now:
            return False
        corrections = self.corrections
        if chance < corrections.late and at + corrections.delay >= self.now:
            return False
        if chance < 1 - corrections.restated:
            return True
        missing = chance >= 1 - corrections.restated / 2
        return missing == (restated_at(at) <= self.now)


SnapshotAt = Callable[[int], Snapshot]
"""Returns the snapshot at a moment, with the corrections that are in force."""


def restated_at(at: int) -> int:
    """Return the time of the correction of values posted at *at*, in ms."""
    return (at // DAY + 3) * DAY + NIGHT
