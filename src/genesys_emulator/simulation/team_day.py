"""A team's day, played through: who comes, who waits, who is free.

Whatever the clock says and whatever is asked, a day is the same, on every machine.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from heapq import heappop, heappush
from random import Random

from genesys_emulator.simulation import calls, chats
from genesys_emulator.simulation.agent_state import DIGITAL, PATIENCE, Change, Contact, Desk
from genesys_emulator.simulation.arrivals import Arrival, arrivals
from genesys_emulator.simulation.conversations import Conversation, Participant, Segment, Session
from genesys_emulator.simulation.long_conversations import Run, owed
from genesys_emulator.simulation.organization import Queue, Team, identifier
from genesys_emulator.simulation.randomness import between, one_of
from genesys_emulator.simulation.shifts import Step, shift

Process = Iterator[int]
"""Something that goes on: it yields when it is to be woken next, in ms."""

UNANSWERED = 0.05


@dataclass(frozen=True, slots=True)
class Day:
    """*presences* and *routings* by agent: the changes from when the shift began to its end."""

    conversations: Sequence[Conversation]
    presences: Mapping[str, Sequence[Change]]
    routings: Mapping[str, Sequence[Change]]


def day_of(team: Team, day: date, opened: date) -> Day:
    """What the shifts of *team* that begin on *day* hold; there was nothing before *opened*."""
    return Floor(team, day, opened).played()


class Floor:
    """Where it happens. *now* is in ms."""

    def __init__(self, team: Team, day: date, opened: date) -> None:
        self.dice = Random(f"{team.id}/{day}")
        self.now = 0
        self._name = f"{team.id}/{day}"
        self._contacts: list[Contact] = []
        self._waiting: dict[str, deque[Contact]] = {}
        self._agenda: list[tuple[int, int, Process]] = []
        self._started = 0
        self._desks = [Desk(agent) for agent in team.agents]
        shifts = [(agent, shift(agent, day)) for agent in team.agents]
        for desk, (agent, steps) in zip(self._desks, shifts, strict=True):
            if steps:
                self._start(self._shift(desk, steps, owed(agent, day, opened)), steps[0].start)
        coming = arrivals(self.dice, day, shifts)
        if coming:
            self._start(self._door(coming), coming[0].at)

    def played(self) -> Day:
        while self._agenda:
            self.now, _, process = heappop(self._agenda)
            wake = next(process, None)
            if wake is not None:
                self._start(process, wake)
        return Day(
            [_told(each, self._name, self.dice.random()) for each in self._contacts if each.legs],
            {desk.agent.id: desk.presences for desk in self._desks},
            {desk.agent.id: desk.routings for desk in self._desks},
        )

    def queued(self, contact: Contact, queue: Queue) -> None:
        """They wait for *queue* from now on, unless somebody is free."""
        contact.queue, contact.since = queue, self.now
        contact.deadline = self.now + between(self.dice, *PATIENCE[contact.media])
        self.offered(contact, queue)

    def offered(self, contact: Contact, queue: Queue, *, again: bool = False) -> None:
        """To whoever is free; else they wait, before all others if it is done *again*."""
        if desk := self._free(queue, contact.media):
            self._offer(desk, contact, queue)
            return
        line = self._waiting.setdefault(queue.id, deque())
        line.appendleft(contact) if again else line.append(contact)
        contact.waiting = True
        self._start(self._patience(contact), max(contact.deadline, self.now))

    def pull(self, desk: Desk) -> None:
        """Who has waited longest for this desk, if it has room."""
        line = [
            (contact, queue)
            for queue in desk.agent.queues
            for contact in self._first(queue.id)
            if desk.takes(contact.media)
        ]
        if line:
            contact, queue = min(line, key=lambda each: each[0].since)
            self._offer(desk, contact, queue)

    def colleague(self) -> Desk | None:
        """Somebody who is on queue and has nothing to do."""
        ready = [desk for desk in self._desks if desk.on_queue and not desk.working]
        return one_of(self.dice, ready) if ready else None

    def occupied(self, desk: Desk, until: int, routing: str = "INTERACTING") -> None:
        """The agent has something to do from now on, *until* then."""
        desk.works(self.now, routing)
        self._start(self._freed(desk), until)

    def released(self, desk: Desk) -> None:
        """Nothing to do at this desk: what does the shift say, and who is waiting?"""
        desk.working = False
        desk.appears(self.now)
        desk.idle_since = self.now
        self.pull(desk)

    def _start(self, process: Process, at: int) -> None:
        self._started += 1
        heappush(self._agenda, (at, self._started, process))

    def _shift(self, desk: Desk, steps: Sequence[Step], runs: Sequence[Run]) -> Process:
        for step in steps:
            desk.due = step.presence
            if runs and desk.on_queue:
                desk.appears(self.now)
                desk.working = True
                self._start(self._put_off(desk, runs), runs[0][0])
                runs = ()
            elif not desk.working:
                self.released(desk)
            yield step.end
        desk.due = "OFFLINE"
        if not desk.working:
            self.released(desk)

    def _put_off(self, desk: Desk, runs: Sequence[Run]) -> Process:
        for _, until in runs:
            desk.works(self.now)
            yield until
        self.released(desk)

    def _freed(self, desk: Desk) -> Process:
        self.released(desk)
        yield from ()

    def _door(self, coming: Sequence[Arrival]) -> Process:
        for number, (at, queue, media, direction) in enumerate(coming):
            yield at
            contact = Contact(number, at, media, direction)
            self._contacts.append(contact)
            if queue is None:
                calls.own(self, contact)
            elif media != "voice" or direction == "inbound":
                self.queued(contact, queue)
            elif desk := self._free(queue, media):
                calls.outbound(self, desk, contact, queue)

    def _patience(self, contact: Contact) -> Process:
        if contact.waiting and self.now >= contact.deadline:
            unserved = contact.media in ("email", "message")
            contact.waited(self.now, "timeout" if unserved else "client")
        yield from ()

    def _free(self, queue: Queue, media: str) -> Desk | None:
        """Who has been idle longest, of those who serve *queue* and have room."""
        ready = [desk for desk in self._desks if desk.takes(media) and queue in desk.agent.queues]
        return min(ready, key=lambda desk: (len(desk.chats), desk.idle_since), default=None)

    def _first(self, queue_id: str) -> list[Contact]:
        """Who is next in the queue."""
        line = self._waiting.get(queue_id)
        while line and not line[0].waiting:
            line.popleft()
        return [line[0]] if line else []

    def _offer(self, desk: Desk, contact: Contact, queue: Queue) -> None:
        contact.waiting = False
        if desk.chats:
            desk.ringing = (contact, queue, self.now)
            return
        desk.works(self.now)
        if self.dice.random() < UNANSWERED:
            process = calls.missed(self, desk, contact, queue)
        elif contact.media in DIGITAL:
            process = chats.chats(self, desk, contact, queue)
        elif contact.media == "callback":
            process = calls.callback(self, desk, contact, queue)
        else:
            process = calls.call(self, desk, contact, queue)
        self._start(process, self.now)


def _told(contact: Contact, name: str, chance: float) -> Conversation:
    segment = Segment("interact", contact.came, contact.left, "")
    customer = Session(contact.media, contact.direction, (segment,), "client")
    legs = sorted(contact.legs, key=lambda leg: leg.sessions[0].segments[0].start)
    return Conversation(
        identifier(name, contact.number),
        tuple(contact.division_ids),
        (Participant("customer", "", (customer,)), *legs),
        chance,
    )
