"""Where posted values come from: a contact centre that is simulated, day by day."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Protocol

from genesys_emulator.emission import Book, booked, postings
from genesys_emulator.instants import utc_date
from genesys_emulator.org import Agent, Organization
from genesys_emulator.records import Detail, detail
from genesys_emulator.work import conversations

DAYS_KEPT = 6_000
"""Agent-days of values that stay in memory: some 30 KB each."""


class Centre(Protocol):
    """What is served: who and what there is, and what was posted."""

    @property
    def organization(self) -> Organization: ...

    def books(self, start: int, end: int, possible: Callable[[str], bool]) -> Iterator[Book]:
        """All that was posted in [start, end), and maybe more.

        Where *possible* says no to an agent's id, neither the agent nor who
        they spoke to is of interest.
        """

    def details(self, start: int, end: int) -> Iterator[Detail]:
        """All conversations with activity in [start, end), and maybe more."""


class Simulated:
    """The centre of *organization*, which opened at midnight (UTC) of *opened*."""

    def __init__(self, organization: Organization, opened: date) -> None:
        self.organization = organization
        self._opened = opened
        self._day = lru_cache(DAYS_KEPT)(self._generated)

    def books(self, start: int, end: int, possible: Callable[[str], bool]) -> Iterator[Book]:
        # A shift that starts on the day before may last into this one.
        first = max(utc_date(start) - timedelta(days=1), self._opened)
        days = (utc_date(end - 1) - first).days + 1
        for agent in self.organization.agents:
            if possible(agent.id):
                for step in range(days):
                    yield self._day(agent, first + timedelta(days=step))

    def details(self, start: int, end: int) -> Iterator[Detail]:
        names = {queue.id: queue.name for queue in self.organization.queues}
        seed = self.organization.seed
        # What waits before midnight may be worked on after it, and the reverse.
        first = max(utc_date(start) - timedelta(days=1), self._opened)
        for step in range((utc_date(end - 1) - first).days + 2):
            day = first + timedelta(days=step)
            for agent in self.organization.agents:
                for conversation in conversations(seed, agent, day):
                    yield detail(conversation, names, seed, agent.id, day)

    def _generated(self, agent: Agent, day: date) -> Book:
        seed = self.organization.seed
        return booked(
            posting
            for conversation in conversations(seed, agent, day)
            for posting in postings(conversation)
        )
