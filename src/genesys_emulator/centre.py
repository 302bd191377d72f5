"""The two contact centres that can be served: one from a seed, one from captured conversations."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from genesys_emulator import work
from genesys_emulator.model import Conversation, Emission, emissions
from genesys_emulator.org import Agent, Named, Org, Queue, simulated

_DAY = timedelta(days=1)
_REMEMBERED_DAYS = 4096
"""Agents' days kept ready, about 100 MB of them; the others are made anew."""


class Centre(Protocol):
    """*org* is who there is; *emitted* yields at least what was emitted in the interval."""

    org: Org

    def emitted(self, start: datetime, end: datetime) -> Iterable[Emission]: ...


class Simulated:
    """A centre that opened at *opened*; every day is made from the seed when it is asked for."""

    def __init__(self, seed: int, agents: int, opened: date) -> None:
        self.org = simulated(seed, agents)
        self._opened = opened
        self._day = lru_cache(_REMEMBERED_DAYS)(self._made_day)

    def emitted(self, start: datetime, end: datetime) -> Iterator[Emission]:
        # A shift that began the local day before may run on, and days differ by zone.
        first = max(start.astimezone(UTC).date() - _DAY, self._opened)
        days = range(first.toordinal(), (end.astimezone(UTC).date() + _DAY).toordinal() + 1)
        for agent in self.org.agents:
            for day in days:
                yield from self._day(agent.number, day)

    def _made_day(self, number: int, day: int) -> tuple[Emission, ...]:
        agent = self.org.agents[number]
        conversations = work.day(self.org.seed, agent, date.fromordinal(day))
        return tuple(found for each in conversations for found in emissions(each))


class Captured:
    """The centre that *conversations* come from, with no more names than they give."""

    def __init__(self, conversations: Iterable[Conversation]) -> None:
        conversations = list(conversations)
        self.org = _org(conversations)
        self._emissions = [found for each in conversations for found in emissions(each)]

    def emitted(self, start: datetime, end: datetime) -> Iterable[Emission]:
        return self._emissions


def _org(conversations: list[Conversation]) -> Org:
    home = Named("00000000-0000-4000-8000-000000000001", "Home")
    agents: dict[str, Agent] = {}
    queues: dict[str, Queue] = {}
    for conversation in conversations:
        for who in conversation.participants:
            if who.user_id and (who.name or who.user_id not in agents):
                number = len(agents)
                agents[who.user_id] = Agent(number, who.user_id, who.name, "active", home, 0, ())
            for session in who.sessions:
                for segment in session.segments:
                    if segment.queue_id and (
                        who.purpose == "acd" or segment.queue_id not in queues
                    ):
                        name = who.name if who.purpose == "acd" and who.name else segment.queue_id
                        queues[segment.queue_id] = Queue(
                            segment.queue_id, name, session.media_type, home
                        )
    return Org(
        id="00000000-0000-4000-8000-000000000000",
        name="Captured Conversations",
        seed=0,
        divisions=(home,),
        queues=tuple(queues.values()),
        agents=tuple(agents.values()),
    )
