"""Sources of data: the interface of a contact centre, and the simulated one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from itertools import chain
from typing import Protocol, TypeVar

from genesys_emulator.simulation.conversations import Conversation
from genesys_emulator.simulation.day_cache import DayCache
from genesys_emulator.simulation.detail_records import Detail, make_detail
from genesys_emulator.simulation.long_conversations import (
    LONGEST_WORK_DAYS,
    conversations_touching,
)
from genesys_emulator.simulation.metric_events import (
    MetricEvent,
    Origin,
    PostedValues,
    conversation_events,
    make_columns,
)
from genesys_emulator.simulation.organization import TEAM_SIZE, Agent, Organization
from genesys_emulator.simulation.packed_day import PackedDay, pack_day
from genesys_emulator.simulation.shifts import shift_steps
from genesys_emulator.simulation.status import StatusChanges
from genesys_emulator.simulation.team_day import simulate_day
from genesys_emulator.wire.timestamps import midnight_of, utc_date

T = TypeVar("T")

TEAM_DAYS_KEPT, VALUE_DAYS_KEPT, STATUS_DAYS_KEPT = 60, 150, 150
"""Days of teams that are cached, as conversations, as values and as statuses.

bench/README.md has the memory that 2,000 agents took after 1, 5 and 30 days.
"""

LONGEST_OFF = timedelta(days=4)
"""The longest time without a shift, for an agent who has not left."""


class Centre(Protocol):
    """A contact centre that the API serves: its organization, its values, its conversations."""

    organization: Organization

    @property
    def watched_agents(self) -> Sequence[Agent]:
        """The agents whose status is known."""

    def posted_values(
        self, start: int, end: int, possible: Callable[[str], bool]
    ) -> Iterator[PostedValues]:
        """Yield every value posted in [start, end), and maybe more.

        Agents whose id is not *possible*, and the customers they spoke to, may
        be left out.
        """

    def conversations_begun(self, start: int, end: int) -> Iterator[Detail]:
        """Yield all conversations that begin in [start, end), in any order, and maybe more."""

    def conversations_carried(self, start: int, end: int) -> Iterator[Detail]:
        """Yield all that began before *start* and are active in [start, end), and maybe more."""

    def status_changes(self, agent: Agent, start: int, end: int) -> StatusChanges:
        """Return the changes of status of *agent* that cover [start, end), and maybe more."""


class SimulatedCentre:
    """A simulated contact centre, which opened at midnight (UTC) of *opened*.

    Days are simulated once, and kept in *cache* if there is one.
    """

    def __init__(
        self, organization: Organization, opened: date, cache: DayCache | None = None
    ) -> None:
        self.organization = organization
        self.watched_agents = organization.agents
        self._opened = opened
        self._cache = cache
        self._latest: tuple[int, date, Sequence[Conversation]] = (-1, opened, ())
        self._names = {queue.id: queue.name for queue in organization.queues}
        self._team_day = lru_cache(TEAM_DAYS_KEPT)(self._simulate_day)
        self._day_values = lru_cache(VALUE_DAYS_KEPT)(self._group_day)
        self._day_changes = lru_cache(STATUS_DAYS_KEPT)(self._changes_on)

    def posted_values(
        self, start: int, end: int, possible: Callable[[str], bool]
    ) -> Iterator[PostedValues]:
        days = self._shift_days(start, end)
        for number, team in enumerate(self.organization.teams):
            agents = [agent for agent in team.agents if possible(agent.id)]
            if agents:
                yield from (self._day_values(number, day) for day in days)
                yield make_columns(
                    _events_by_origin(
                        conversation
                        for agent in agents
                        for conversation in self._long_conversations(agent, start, end)
                    )
                )

    def conversations_begun(self, start: int, end: int) -> Iterator[Detail]:
        by_teams = (
            conversation
            for day in self._team_days(self._shift_days(start, end))
            for conversation in day.conversations_begun(start, end)
        )
        return self._make_details(chain(by_teams, self._all_long_conversations(start, end)))

    def conversations_carried(self, start: int, end: int) -> Iterator[Detail]:
        by_teams = (
            conversation
            for day in self._team_days(self._shift_days(start, start + 1))
            for conversation in day.conversations_between(start, start)
        )
        return self._make_details(chain(by_teams, self._all_long_conversations(start, end)))

    def conversations_between(self, start: int, end: int) -> Iterator[Conversation]:
        """Yield all conversations with activity in [start, end), and maybe more."""
        for day in self._team_days(self._shift_days(start, end)):
            yield from day.conversations_between(start, end)
        yield from self._all_long_conversations(start, end)

    def _team_days(self, days: Sequence[date]) -> Iterator[PackedDay]:
        for team in range(len(self.organization.teams)):
            for day in days:
                yield self._team_day(team, day)

    def _make_details(self, conversations: Iterable[Conversation]) -> Iterator[Detail]:
        return (make_detail(conversation, self._names) for conversation in conversations)

    def status_changes(self, agent: Agent, start: int, end: int) -> StatusChanges:
        team = agent.index // TEAM_SIZE
        days = [self._day_changes(team, day) for day in self._days_around(agent, start, end)]
        opened = midnight_of(self._opened)
        return StatusChanges(
            [(opened, "OFFLINE"), *(change for day in days for change in day[agent.id].presences)],
            [(opened, "OFF_QUEUE"), *(change for day in days for change in day[agent.id].routings)],
        )

    def _changes_on(self, team: int, day: date) -> Mapping[str, StatusChanges]:
        """Return the changes of each agent of a team.

        They are cached apart from the day, because queries for users ask for
        agents of all teams again and again.
        """
        return self._get_or_make(
            team,
            day,
            dict[str, StatusChanges],
            lambda: self._team_day(team, day).changes_by_agent(),
        )

    def _days_around(self, agent: Agent, start: int, end: int) -> list[date]:
        """Return the days whose shifts tell the statuses in [start, end) from start to end."""
        last = utc_date(end - 1) + LONGEST_OFF
        first = max(min(utc_date(start), agent.left or last) - LONGEST_OFF, self._opened)
        days = (first + timedelta(days=step) for step in range((last - first).days + 1))
        begins = [(steps[0].start, day) for day in days if (steps := shift_steps(agent, day))]
        before = [(at, day) for at, day in begins if at <= start][-1:]
        after = [(at, day) for at, day in begins if at >= end][:1]
        within = [(at, day) for at, day in begins if start < at < end]
        return [day for _, day in (*before, *within, *after)]

    def _shift_days(self, start: int, end: int) -> list[date]:
        """Return the days whose shifts may touch [start, end); a shift may end on the next day."""
        first = max(utc_date(start) - timedelta(days=1), self._opened)
        return [
            first + timedelta(days=step) for step in range((utc_date(end - 1) - first).days + 1)
        ]

    def _long_conversations(self, agent: Agent, start: int, end: int) -> Iterator[Conversation]:
        return conversations_touching(agent, start, end, self._opened)

    def _all_long_conversations(self, start: int, end: int) -> Iterator[Conversation]:
        for agent in self.organization.agents:
            yield from self._long_conversations(agent, start, end)

    def _simulate_day(self, team: int, day: date) -> PackedDay:
        def simulate() -> PackedDay:
            team_day = simulate_day(self.organization.teams[team], day, self._opened)
            self._latest = team, day, team_day.conversations
            return pack_day(team_day)

        return self._get_or_make(team, day, PackedDay, simulate)

    def _group_day(self, team: int, day: date) -> PostedValues:
        def make_values() -> PostedValues:
            packed = self._team_day(team, day)
            latest_team, latest_day, conversations = self._latest
            if (latest_team, latest_day) == (team, day):
                return make_columns(_events_by_origin(conversations))
            return make_columns(_events_by_origin(packed.all_conversations()))

        return self._get_or_make(team, day, PostedValues, make_values)

    def _get_or_make(self, team: int, day: date, kind: type[T], make: Callable[[], T]) -> T:
        """Return what *make* makes of the day of a team, from the cache if it is there."""
        if self._cache is None:
            return make()
        agents = ",".join(
            f"{agent.id} {agent.left or ''}" for agent in self.organization.teams[team].agents
        )
        days_before = min((day - self._opened).days, LONGEST_WORK_DAYS)
        return self._cache.get_or_make(f"{agents}/{day}/{days_before}", kind, make)


def _events_by_origin(
    conversations: Iterable[Conversation],
) -> Iterator[tuple[Origin, list[MetricEvent], float]]:
    for conversation in conversations:
        for origin, values in conversation_events(conversation):
            yield origin, values, conversation.chance
