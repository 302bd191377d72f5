"""When an agent is at work on a date: the shift, and the breaks in it."""

from datetime import date
from random import Random

from genesys_emulator.instants import HOUR, MINUTE, midnight
from genesys_emulator.org import Agent

TUESDAY = 1
Span = tuple[int, int]
"""[start, end) in ms."""


def on_duty(agent: Agent, day: date, dice: Random) -> list[Span]:
    """The stretches of work of the shift that starts on *day* (UTC), breaks left out.

    A shift of the evening ends on the next date. Everyone has two days off in
    a row, with no stretch at all, and nobody a Monday: that is the busiest day.
    """
    first_off = TUESDAY + agent.index % 5
    if day.weekday() in (first_off, first_off + 1):
        return []
    start = midnight(day) + agent.shift * HOUR + int(dice.random() * 20 - 10) * MINUTE
    spans, at = [], start
    for worked, pause in ((110, 15), (100, 40), (115, 15), (95, 0)):
        end = at + int(worked + dice.random() * 20) * MINUTE
        spans.append((at, end))
        at = end + pause * MINUTE
    return spans
