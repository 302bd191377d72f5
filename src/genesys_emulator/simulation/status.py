"""What the platform showed of an agent, and from when to when."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from genesys_emulator.simulation.agent_state import Change
from genesys_emulator.simulation.organization import Agent, Organization, Presence


class Status(NamedTuple):
    """[start, end) in ms; *end* is None while it lasts."""

    word: str
    start: int
    end: int | None


class Shown(NamedTuple):
    """Changes of presence and of routing status, each from when it began."""

    presences: Sequence[Change]
    routings: Sequence[Change]


def statuses(changes: Sequence[Change], start: int, end: int, now: int) -> Iterator[Status]:
    """Those that lie in [start, end) with any part of theirs, as known at *now*."""
    endless = (max(end, now), "")
    for (since, word), (until, _) in pairwise([*changes, endless]):
        if since < min(end, now) and until > start:
            yield Status(word, since, until if until < now else None)


def presences_of(organization: Organization, agent: Agent) -> Mapping[str, Presence]:
    """By the platform's word, what *agent* chooses: every other prefers a secondary presence."""
    first = {each.system: each for each in organization.presences if each.primary}
    if agent.index % 2 == 0:
        return first
    return first | {each.system: each for each in organization.presences if not each.primary}
