"""Statuses of agents: presence and routing status, with start and end."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from genesys_emulator.simulation.agent_state import Change
from genesys_emulator.simulation.organization import Agent, Organization, Presence


class Status(NamedTuple):
    """A status over [start, end) in ms; *end* is None while it lasts."""

    word: str
    start: int
    end: int | None


class StatusChanges(NamedTuple):
    """Changes of presence and of routing status, in order of time."""

    presences: Sequence[Change]
    routings: Sequence[Change]


def statuses_between(changes: Sequence[Change], start: int, end: int, now: int) -> Iterator[Status]:
    """Yield the statuses with any part in [start, end), as known at *now*."""
    endless = (max(end, now), "")
    for (since, word), (until, _) in pairwise([*changes, endless]):
        if since < min(end, now) and until > start:
            yield Status(word, since, until if until < now else None)


def presences_of(organization: Organization, agent: Agent) -> Mapping[str, Presence]:
    """Return the presence that *agent* chooses for each word of the platform.

    Every second agent prefers a secondary presence.
    """
    presences = organization.presences
    primary = {presence.system: presence for presence in presences if presence.primary}
    if agent.index % 2 == 0:
        return primary
    return primary | {presence.system: presence for presence in presences if not presence.primary}
