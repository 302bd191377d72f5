"""What of the truth is told late, and what is told wrong until a night has put it right."""

from collections.abc import Callable
from dataclasses import dataclass

from genesys_emulator.wire.timestamps import DAY, HOUR

NIGHT = 2 * HOUR
"""When days are put right that ended two days before, in ms after midnight (UTC)."""
ENDLESS = 2**62


@dataclass(frozen=True, slots=True)
class Corrections:
    """Shares of all conversations: what those post is *delay* ms late, these are *restated*.

    Of the restated ones every other is missing until then, and the others are
    there until then, and not after.
    """

    late: float = 0.0
    delay: int = 0
    restated: float = 0.0


@dataclass(frozen=True, slots=True)
class AsOf:
    """What was known at *now*, in ms."""

    now: int
    corrections: Corrections = Corrections()

    def knows(self, at: int, chance: float) -> bool:
        """Whether what a conversation of this *chance* posted at *at* is there."""
        if at >= self.now:
            return False
        told = self.corrections
        if chance < told.late and at + told.delay >= self.now:
            return False
        if chance < 1 - told.restated:
            return True
        missing = chance >= 1 - told.restated / 2
        return missing == (restated_at(at) <= self.now)


Told = Callable[[int], AsOf]
"""What is known at a moment, with the corrections that are in force."""


def restated_at(at: int) -> int:
    """The night in which what was posted at *at* is put right, if it is wrong; in ms."""
    return (at // DAY + 3) * DAY + NIGHT
