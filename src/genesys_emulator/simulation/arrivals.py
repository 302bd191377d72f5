"""What comes in on a day: it follows the hours and the days of the week."""

from collections.abc import Iterator, Sequence
from datetime import date
from random import Random
from typing import NamedTuple

from genesys_emulator.simulation.organization import Agent, Queue
from genesys_emulator.simulation.randomness import one_of
from genesys_emulator.simulation.shifts import Step
from genesys_emulator.wire.timestamps import HOUR, MINUTE

SLOT = 10 * MINUTE
NIGHT = (0.35, 0.3, 0.3, 0.3, 0.35, 0.5)
MORNING = (0.6, 0.75, 0.95, 1.15, 1.25, 1.2)
AFTERNOON = (1.0, 0.95, 1.1, 1.1, 1.05, 1.0)
EVENING = (0.9, 0.8, 0.7, 0.65, 0.55, 0.45)
HOURS = (*NIGHT, *MORNING, *AFTERNOON, *EVENING)
"""How busy each hour of the day is (UTC) for whoever is at work in it."""
WEEKDAYS = (1.15, 1.0, 0.95, 0.95, 1.0, 0.85, 0.75)

A_SLOT = 0.95
"""How many conversations of queues ten minutes bring for each agent, in an hour of 1."""
OUTBOUND, PRIVATE = 0.25, 0.06


class Arrival(NamedTuple):
    """*queue* is None for a call of an agent's own."""

    at: int
    queue: Queue | None
    media: str
    direction: str


def arrivals(
    dice: Random, day: date, shifts: Sequence[tuple[Agent, Sequence[Step]]]
) -> list[Arrival]:
    """Of the day of a team with these *shifts*, one after the other."""
    at_work = [(agent, steps) for agent, steps in shifts if steps]
    if not at_work:
        return []
    found = [
        Arrival(at, queue, media, "inbound" if media != "callback" else "outbound")
        for queue, staff in _staff(at_work)
        for at in _times(dice, day, staff)
        for media in [one_of(dice, queue.media)]
    ]
    calls = [
        each._replace(media="voice", direction="outbound")
        if each.queue and each.queue.outbound and dice.random() < OUTBOUND
        else each._replace(
            queue=None, media="voice", direction=one_of(dice, ("inbound", "outbound"))
        )
        if dice.random() < PRIVATE
        else each
        for each in found
    ]
    return sorted(calls, key=lambda each: each.at)


def _staff(
    at_work: Sequence[tuple[Agent, Sequence[Step]]],
) -> list[tuple[Queue, Sequence[tuple[int, int, float]]]]:
    """Who serves each queue, from when to when; who serves several serves each in part."""
    staff: dict[str, tuple[Queue, list[tuple[int, int, float]]]] = {}
    for agent, steps in at_work:
        for queue in agent.queues:
            _, present = staff.setdefault(queue.id, (queue, []))
            present.append((steps[0].start, steps[-1].end, 1 / len(agent.queues)))
    return list(staff.values())


def _times(dice: Random, day: date, staff: Sequence[tuple[int, int, float]]) -> Iterator[int]:
    """Moments at which somebody comes to a queue with this *staff*."""
    start, end = min(since for since, _, _ in staff), max(until for _, until, _ in staff)
    for slot in range(start, end, SLOT):
        serving = sum(share for since, until, share in staff if since <= slot < until)
        likely = serving * A_SLOT * HOURS[slot // HOUR % 24] * WEEKDAYS[day.weekday()]
        for _ in range(int(likely * (0.6 + 0.8 * dice.random()) + dice.random())):
            yield slot + int(dice.random() * SLOT)
