"""Arrivals of contacts on a day, by the hour and the day of the week."""

from collections.abc import Iterator, Sequence
from datetime import date
from random import Random
from typing import NamedTuple

from genesys_emulator.simulation.organization import Agent, Queue
from genesys_emulator.simulation.randomness import random_choice
from genesys_emulator.simulation.shifts import ShiftStep
from genesys_emulator.wire.timestamps import HOUR, MINUTE

SLOT = 10 * MINUTE
NIGHT = (0.35, 0.3, 0.3, 0.3, 0.35, 0.5)
MORNING = (0.6, 0.75, 0.95, 1.15, 1.25, 1.2)
AFTERNOON = (1.0, 0.95, 1.1, 1.1, 1.05, 1.0)
EVENING = (0.9, 0.8, 0.7, 0.65, 0.55, 0.45)
HOURS = (*NIGHT, *MORNING, *AFTERNOON, *EVENING)
"""Relative load of each hour of the day (UTC), per agent at work in it."""
WEEKDAYS = (1.15, 1.0, 0.95, 0.95, 1.0, 0.85, 0.75)

PER_AGENT_AND_SLOT = 0.95
"""Conversations of queues per agent in ten minutes of an hour with load 1."""
OUTBOUND, PRIVATE = 0.25, 0.06


class Arrival(NamedTuple):
    """A contact that arrives at *at*; *queue* is None for an agent's private call."""

    at: int
    queue: Queue | None
    media: str
    direction: str


def day_arrivals(
    rng: Random, day: date, shifts: Sequence[tuple[Agent, Sequence[ShiftStep]]]
) -> list[Arrival]:
    """Return the arrivals of the day of a team with these *shifts*, in order of time."""
    at_work = [(agent, steps) for agent, steps in shifts if steps]
    if not at_work:
        return []
    arrivals = [
        Arrival(at, queue, media, "inbound" if media != "callback" else "outbound")
        for queue, staff in _staff_by_queue(at_work)
        for at in _arrival_times(rng, day, staff)
        for media in [random_choice(rng, queue.media)]
    ]
    calls = [
        Arrival(arrival.at, arrival.queue, "voice", "outbound")
        if arrival.queue and arrival.queue.outbound and rng.random() < OUTBOUND
        else Arrival(arrival.at, None, "voice", random_choice(rng, ("inbound", "outbound")))
        if rng.random() < PRIVATE
        else arrival
        for arrival in arrivals
    ]
    return sorted(calls, key=lambda arrival: arrival.at)


def _staff_by_queue(
    at_work: Sequence[tuple[Agent, Sequence[ShiftStep]]],
) -> list[tuple[Queue, Sequence[tuple[int, int, float]]]]:
    """Return the staff of each queue: start, end, and the share of their time it gets."""
    staff: dict[str, tuple[Queue, list[tuple[int, int, float]]]] = {}
    for agent, steps in at_work:
        for queue in agent.queues:
            _, present = staff.setdefault(queue.id, (queue, []))
            present.append((steps[0].start, steps[-1].end, 1 / len(agent.queues)))
    return list(staff.values())


def _arrival_times(
    rng: Random, day: date, staff: Sequence[tuple[int, int, float]]
) -> Iterator[int]:
    """Yield the times at which contacts arrive at a queue with this *staff*."""
    start, end = min(since for since, _, _ in staff), max(until for _, until, _ in staff)
    for slot in range(start, end, SLOT):
        serving = sum([share for since, until, share in staff if since <= slot < until])
        likely = serving * PER_AGENT_AND_SLOT * HOURS[slot // HOUR % 24] * WEEKDAYS[day.weekday()]
        for _ in range(int(likely * (0.6 + 0.8 * rng.random()) + rng.random())):
            yield slot + int(rng.random() * SLOT)
