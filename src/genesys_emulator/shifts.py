"""When an agent is at work on a date: the shift, and the breaks in it."""

from datetime import date
from random import Random

from genesys_emulator.instants import HOUR, MINUTE, midnight
from genesys_emulator.org import Agent

Span = tuple[int, int]
"""[start, end) in ms."""


def on_duty(agent: Agent, day: date, dice: Random) -> list[Span]:
    """The stretches of work of the shift that starts on *day* (UTC), breaks left out.

    A shift of the evening ends on the next date. Five days of seven, not the
    same for all; none is the answer on the other two.
    """
    if (day.toordinal() + agent.index) % 7 >= 5:
        return []
    start = midnight(day) + agent.shift * HOUR + int(dice.random() * 20 - 10) * MINUTE
    spans, at = [], start
    for worked, pause in ((110, 15), (100, 40), (115, 15), (95, 0)):
        end = at + int(worked + dice.random() * 20) * MINUTE
        spans.append((at, end))
        at = end + pause * MINUTE
    return spans
