"""Chance that is the same on every machine: of Python's own dice, only sums and products."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import TypeVar

from genesys_emulator.simulation.conversations import Segment
from genesys_emulator.wire.timestamps import MINUTE, SECOND

T = TypeVar("T")

LIVE = {
    "voice": (45 * SECOND, 18 * MINUTE),
    "callback": (60 * SECOND, 18 * MINUTE),
    "chat": (2 * MINUTE, 16 * MINUTE),
    "message": (2 * MINUTE, 18 * MINUTE),
    "email": (2 * MINUTE, 20 * MINUTE),
}
"""Shortest, and most that is added to it: what is usual is nearer the shortest."""

LONG = 0.015
"""The share of calls that go on for an hour and more."""

SKIPPED, TIMED_OUT = 0.15, 0.35
TIME_FOR_ACW = MINUTE


def between(dice: Random, least: int, most: int) -> int:
    """A whole number in [least, most], more often a small one."""
    return least + int((most - least) * dice.random() * dice.random())


def one_of(dice: Random, choices: Sequence[T]) -> T:
    return choices[int(dice.random() * len(choices))]


def effort(dice: Random, media: str) -> int:
    """How long a conversation needs an agent, in ms."""
    talk = between(dice, *LIVE[media])
    if dice.random() < LONG:
        talk += between(dice, 45 * MINUTE, 90 * MINUTE)
    return talk


def spoken(dice: Random, at: int, queue_id: str, media: str) -> list[Segment]:
    """Talk, with holds in it now and then; some hang up while they are on hold."""
    talk = effort(dice, media)
    holds = int(dice.random() * 4) if dice.random() < 0.35 else 0
    if not holds:
        return [Segment("interact", at, at + talk, queue_id)]
    cuts = [0, *sorted(1 + int(dice.random() * (talk - 1)) for _ in range(holds)), talk]
    segments = []
    for since, until in pairwise(cuts):
        segments.append(Segment("interact", at, at + max(until - since, 1), queue_id))
        at = segments[-1].end + between(dice, 4 * SECOND, 5 * MINUTE)
        segments.append(Segment("hold", segments[-1].end, at, queue_id))
    return segments if dice.random() < 0.1 else segments[:-1]


def dialed(dice: Random, at: int, queue_id: str) -> list[Segment]:
    connected = at + between(dice, SECOND // 2, 8 * SECOND)
    answered = connected + between(dice, SECOND // 4, 40 * SECOND)
    return [
        Segment("contacting", at, connected, queue_id),
        Segment("dialing", connected, answered, queue_id),
    ]


def wrapped_up(dice: Random, at: int, queue_id: str) -> tuple[str, list[Segment]]:
    """How after-call work ended, and the segment of it, if there is any."""
    sort = dice.random()
    if sort < SKIPPED:
        return "skipped", []
    timed_out = sort < TIMED_OUT
    needed = TIME_FOR_ACW if timed_out else between(dice, 3 * SECOND, 5 * MINUTE)
    how = "timeout" if timed_out else one_of(dice, CODES)
    return how, [Segment("wrapup", at, at + needed, queue_id)]


CODES = ("resolved", "forwarded", "callback", "complaint")
"""What agents choose from when they wrap up."""
