"""Shifts: when an agent works on a date, and with which presences."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from genesys_emulator.simulation.organization import Agent
from genesys_emulator.wire.timestamps import MINUTE, ms_since_epoch

TUESDAY, WEDNESDAY = 1, 2


class ShiftStep(NamedTuple):
    """A part [start, end) of a shift in ms, and the presence that is due in it."""

    start: int
    end: int
    presence: str


def works_on(agent: Agent, day: date) -> bool:
    """Return whether *agent* works on *day*: all but two days in a row, and on every Monday."""
    if agent.left and day >= agent.left:
        return False
    first_off = TUESDAY + agent.index % 5
    return day.weekday() not in (first_off, first_off + 1)


@lru_cache(2**12)  # a shift is needed several times for the same day
def shift_steps(agent: Agent, day: date) -> Sequence[ShiftStep]:
    """Return the shift that starts on local date *day*; a late one ends on the next date."""
    if not works_on(agent, day):
        return ()
    rng = Random(f"{agent.id}/{day}")
    local = datetime.combine(day, time(agent.shift), ZoneInfo(agent.time_zone))
    at = ms_since_epoch(local) + int(rng.random() * 20 - 10) * MINUTE
    steps = []
    for presence, least, more in _planned_steps(agent, day):
        end = at + least * MINUTE + int(rng.random() * more * MINUTE)
        steps.append(ShiftStep(at, end, presence))
        at = end
    return steps


def first_on_queue(agent: Agent, day: date) -> int | None:
    """Return when the agent first goes on queue in the shift of *day*, in ms."""
    return next(
        (step.start for step in shift_steps(agent, day) if step.presence == "ON_QUEUE"), None
    )


def next_workday(agent: Agent, day: date) -> date | None:
    """Return the next day on which the agent works."""
    later_days = (day + timedelta(days=step) for step in range(1, 5))
    return next((later_day for later_day in later_days if works_on(agent, later_day)), None)


def _planned_steps(agent: Agent, day: date) -> list[tuple[str, int, int]]:
    """Return the parts of a shift: presence, minutes, and the most minutes that are added."""
    other = [("TRAINING", 40, 10)] if day.weekday() == agent.index * 3 % 7 else []
    other += [("MEETING", 15, 10)] if day.weekday() == WEDNESDAY else []
    return [
        ("AVAILABLE", 1, 4),
        ("ON_QUEUE", 110, 20),
        ("BREAK", 12, 4),
        *other,
        ("ON_QUEUE", 100, 20),
        ("MEAL", 35, 10),
        ("ON_QUEUE", 115, 20),
        ("BREAK", 12, 4),
        ("ON_QUEUE", 85 if other else 95, 20),
    ]
