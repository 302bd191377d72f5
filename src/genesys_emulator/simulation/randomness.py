"""Random values that are the same on every machine: only sums and products of `random()`."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import TypeVar

from genesys_emulator.simulation.conversations import Segment
from genesys_emulator.wire.timestamps import MINUTE, SECOND

T = TypeVar("T")

WORK_TIME = {
    "voice": (45 * SECOND, 18 * MINUTE),
    "callback": (60 * SECOND, 18 * MINUTE),
    "chat": (2 * MINUTE, 16 * MINUTE),
    "message": (2 * MINUTE, 18 * MINUTE),
    "email": (2 * MINUTE, 20 * MINUTE),
}
"""Shortest work time by media, and the most that is added to it; short ones are frequent."""

LONG_SHARE = 0.015
"""Share of conversations that take up to an hour and a half more."""

SKIPPED, TIMED_OUT = 0.15, 0.35
TIME_FOR_ACW = MINUTE


def random_between(rng: Random, least: int, most: int) -> int:
    """Return a whole number in [least, most]; small ones are more frequent."""
    return least + int((most - least) * rng.random() * rng.random())


def random_choice(rng: Random, choices: Sequence[T]) -> T:
    return choices[int(rng.random() * len(choices))]


def random_work_time(rng: Random, media: str) -> int:
    """Return how long a conversation keeps an agent busy, in ms."""
    talk = random_between(rng, *WORK_TIME[media])
    if rng.random() < LONG_SHARE:
        talk += random_between(rng, 45 * MINUTE, 90 * MINUTE)
    return talk


def random_talk(rng: Random, at: int, queue_id: str, media: str) -> list[Segment]:
    """Return segments of talk, some with holds; some customers hang up while on hold."""
    talk = random_work_time(rng, media)
    holds = int(rng.random() * 4) if rng.random() < 0.35 else 0
    if not holds:
        return [Segment("interact", at, at + talk, queue_id)]
    cuts = [0, *sorted(1 + int(rng.random() * (talk - 1)) for _ in range(holds)), talk]
    segments = []
    for since, until in pairwise(cuts):
        segments.append(Segment("interact", at, at + max(until - since, 1), queue_id))
        at = segments[-1].end + random_between(rng, 4 * SECOND, 5 * MINUTE)
        segments.append(Segment("hold", segments[-1].end, at, queue_id))
    return segments if rng.random() < 0.1 else segments[:-1]


def random_dialing(rng: Random, at: int, queue_id: str) -> list[Segment]:
    connected = at + random_between(rng, SECOND // 2, 8 * SECOND)
    answered = connected + random_between(rng, SECOND // 4, 40 * SECOND)
    return [
        Segment("contacting", at, connected, queue_id),
        Segment("dialing", connected, answered, queue_id),
    ]


def random_wrap_up(rng: Random, at: int, queue_id: str) -> tuple[str, list[Segment]]:
    """Return how after-call work ended, and its segment if there is any."""
    sort = rng.random()
    if sort < SKIPPED:
        return "skipped", []
    timed_out = sort < TIMED_OUT
    needed = TIME_FOR_ACW if timed_out else random_between(rng, 3 * SECOND, 5 * MINUTE)
    how = "timeout" if timed_out else random_choice(rng, CODES)
    return how, [Segment("wrapup", at, at + needed, queue_id)]


CODES = ("resolved", "forwarded", "callback", "complaint")
"""Wrap-up codes that agents choose from."""
