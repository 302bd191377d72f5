"""When an agent is at work on a date: the shift, and what it holds."""

from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from genesys_emulator.simulation.organization import Agent
from genesys_emulator.wire.timestamps import MINUTE, ms_since_epoch

TUESDAY, WEDNESDAY = 1, 2


class Step(NamedTuple):
    """[start, end) in ms, and the presence that is due in it."""

    start: int
    end: int
    presence: str


def works(agent: Agent, day: date) -> bool:
    """Everyone has two days off in a row, and nobody a Monday: that is the busiest day."""
    if agent.left and day >= agent.left:
        return False
    first_off = TUESDAY + agent.index % 5
    return day.weekday() not in (first_off, first_off + 1)


def shift(agent: Agent, day: date) -> list[Step]:
    """The shift that starts on *day*, where the agent is; a late one ends on the next date."""
    if not works(agent, day):
        return []
    dice = Random(f"{agent.id}/{day}")
    local = datetime.combine(day, time(agent.shift), ZoneInfo(agent.zone))
    at = ms_since_epoch(local) + int(dice.random() * 20 - 10) * MINUTE
    steps = []
    for presence, least, more in _sequence(agent, day):
        end = at + least * MINUTE + int(dice.random() * more * MINUTE)
        steps.append(Step(at, end, presence))
        at = end
    return steps


def opens(agent: Agent, day: date) -> int | None:
    """When the agent first goes on queue in the shift of *day*, in ms."""
    return next((step.start for step in shift(agent, day) if step.presence == "ON_QUEUE"), None)


def next_shift(agent: Agent, day: date) -> date | None:
    """The next day on which the agent works."""
    following = (day + timedelta(days=step) for step in range(1, 5))
    return next((each for each in following if works(agent, each)), None)


def _sequence(agent: Agent, day: date) -> list[tuple[str, int, int]]:
    """Presence, minutes, and how many more it may take."""
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
