"""Where posted values come from: a contact centre that is simulated, day by day."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from itertools import chain
from typing import Protocol

from genesys_emulator.simulation.conversations import Conversation
from genesys_emulator.simulation.detail_records import Detail, detail
from genesys_emulator.simulation.long_conversations import touching
from genesys_emulator.simulation.metric_events import Book, Origin, Value, booked, postings
from genesys_emulator.simulation.organization import TEAM_SIZE, Agent, Organization
from genesys_emulator.simulation.shifts import shift
from genesys_emulator.simulation.status import Shown
from genesys_emulator.simulation.team_day import Day, day_of
from genesys_emulator.wire.timestamps import midnight_of, utc_date

TEAM_DAYS_KEPT, BOOKS_KEPT, SHOWN_KEPT = 120, 400, 400
"""Days of teams that stay in memory, as conversations, as values and as statuses, so that it has
a limit: bench/README.md has how much 2,000 agents took after 1, 5 and 30 days.
"""

LONGEST_OFF = timedelta(days=4)
"""There is a shift in as many days, for whoever has not left."""


class Centre(Protocol):
    """What is served: who and what there is, and what was posted."""

    organization: Organization

    @property
    def watched(self) -> Sequence[Agent]:
        """Whose status is known."""

    def books(self, start: int, end: int, possible: Callable[[str], bool]) -> Iterator[Book]:
        """All that was posted in [start, end), and maybe more.

        Where *possible* says no to an agent's id, neither the agent nor who
        they spoke to is of interest.
        """

    def begun(self, start: int, end: int) -> Iterator[Detail]:
        """All conversations that begin in [start, end), in any order, and maybe more."""

    def carried(self, start: int, end: int) -> Iterator[Detail]:
        """All that began before and have activity in [start, end), and maybe more."""

    def shown(self, agent: Agent, start: int, end: int) -> Shown:
        """What was shown of *agent* in [start, end), and maybe more; from when it began."""


class Simulated:
    """The centre of *organization*, which opened at midnight (UTC) of *opened*."""

    def __init__(self, organization: Organization, opened: date) -> None:
        self.organization = organization
        self.watched = organization.agents
        self._opened = opened
        self._names = {queue.id: queue.name for queue in organization.queues}
        self._day = lru_cache(TEAM_DAYS_KEPT)(self._played)
        self._book = lru_cache(BOOKS_KEPT)(self._booked)
        self._shown = lru_cache(SHOWN_KEPT)(self._shown_on)

    def books(self, start: int, end: int, possible: Callable[[str], bool]) -> Iterator[Book]:
        days = self._days(start, end)
        for number, team in enumerate(self.organization.teams):
            agents = [agent for agent in team.agents if possible(agent.id)]
            if agents:
                yield from (self._book(number, day) for day in days)
                yield booked(
                    _postings(each for a in agents for each in self._threads(a, start, end))
                )

    def begun(self, start: int, end: int) -> Iterator[Detail]:
        return (detail(each, self._names) for each in self.conversations(start, end))

    def carried(self, start: int, end: int) -> Iterator[Detail]:
        by_teams = self._played_on(self._days(start, start + 1))
        threads = (
            each for agent in self.organization.agents for each in self._threads(agent, start, end)
        )
        return (detail(each, self._names) for each in chain(by_teams, threads))

    def conversations(self, start: int, end: int) -> Iterator[Conversation]:
        """All with activity in [start, end), and maybe more."""
        yield from self._played_on(self._days(start, end))
        for agent in self.organization.agents:
            yield from self._threads(agent, start, end)

    def _played_on(self, days: Sequence[date]) -> Iterator[Conversation]:
        for team in range(len(self.organization.teams)):
            for day in days:
                yield from self._day(team, day).conversations

    def shown(self, agent: Agent, start: int, end: int) -> Shown:
        team = agent.index // TEAM_SIZE
        days = [self._shown(team, day) for day in self._days_around(agent, start, end)]
        opened = midnight_of(self._opened)
        return Shown(
            [(opened, "OFFLINE"), *(change for day in days for change in day[agent.id].presences)],
            [(opened, "OFF_QUEUE"), *(change for day in days for change in day[agent.id].routings)],
        )

    def _shown_on(self, team: int, day: date) -> Mapping[str, Shown]:
        """By agent. Kept apart from the day: who is asked for is of all teams, again and again."""
        played = self._day(team, day)
        return {
            agent_id: Shown(played.presences[agent_id], played.routings[agent_id])
            for agent_id in played.presences
        }

    def _days_around(self, agent: Agent, start: int, end: int) -> list[date]:
        """Days whose shifts tell what was shown in [start, end), and when that began and ended."""
        last = utc_date(end - 1) + LONGEST_OFF
        first = max(min(utc_date(start), agent.left or last) - LONGEST_OFF, self._opened)
        days = (first + timedelta(days=step) for step in range((last - first).days + 1))
        begins = [(steps[0].start, day) for day in days if (steps := shift(agent, day))]
        before = [each for each in begins if each[0] <= start][-1:]
        after = [each for each in begins if each[0] >= end][:1]
        within = [each for each in begins if start < each[0] < end]
        return [day for _, day in (*before, *within, *after)]

    def _days(self, start: int, end: int) -> list[date]:
        """Those whose shifts may touch [start, end): they end on the day after they begin."""
        first = max(utc_date(start) - timedelta(days=1), self._opened)
        return [
            first + timedelta(days=step) for step in range((utc_date(end - 1) - first).days + 1)
        ]

    def _threads(self, agent: Agent, start: int, end: int) -> Iterator[Conversation]:
        return touching(agent, start, end, self._opened)

    def _played(self, team: int, day: date) -> Day:
        return day_of(self.organization.teams[team], day, self._opened)

    def _booked(self, team: int, day: date) -> Book:
        return booked(_postings(self._day(team, day).conversations))


def _postings(
    conversations: Iterable[Conversation],
) -> Iterator[tuple[Origin, list[Value], float]]:
    for conversation in conversations:
        for origin, values in postings(conversation):
            yield origin, values, conversation.chance
