"""Simulation of a team's day: contacts arrive, wait, and are offered to free agents.

A day is the same on every machine, at any time, for any query.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import date
from heapq import heappop, heappush, heappushpop
from random import Random

from genesys_emulator.simulation import calls, chats
from genesys_emulator.simulation.agent_state import DIGITAL, PATIENCE, AgentState, Change, Contact
from genesys_emulator.simulation.arrivals import Arrival, day_arrivals
from genesys_emulator.simulation.conversations import (
    Conversation,
    Participant,
    Segment,
    Session,
    Value,
)
from genesys_emulator.simulation.long_conversations import Stretch, owed_stretches
from genesys_emulator.simulation.organization import Queue, Team, make_id
from genesys_emulator.simulation.randomness import random_between, random_choice
from genesys_emulator.simulation.shifts import ShiftStep, shift_steps

Process = Iterator[int]
"""A process of the simulation: it yields the time at which it continues, in ms."""

UNANSWERED = 0.05


class TeamDay(Value, frozen=True):
    """The result of a day; *presences* and *routings* are the changes of each agent's shift."""

    conversations: list[Conversation]
    presences: dict[str, list[Change]]
    routings: dict[str, list[Change]]


def simulate_day(team: Team, day: date, opened: date) -> TeamDay:
    """Simulate the shifts of *team* that begin on *day*; the centre opened on *opened*."""
    return TeamSimulation(team, day, opened).run_day()


class TeamSimulation:
    """A discrete-event simulation: processes run in the order of their times; *now* is in ms."""

    def __init__(self, team: Team, day: date, opened: date) -> None:
        self.rng = Random(f"{team.id}/{day}")
        self.now = 0
        self._name = f"{team.id}/{day}"
        self._contacts: list[Contact] = []
        self._agenda: list[tuple[int, int, Process]] = []
        self._process_count = 0
        self._states = [AgentState(agent) for agent in team.agents]
        self._serving: dict[str, list[AgentState]] = {}
        self._waiting: dict[str, deque[Contact]] = {}
        for state in self._states:
            for queue in state.agent.queues:
                self._serving.setdefault(queue.id, []).append(state)
                waiting = self._waiting.setdefault(queue.id, deque())
                state.waiting_by_queue.append((queue, waiting))
        shifts = [(agent, shift_steps(agent, day)) for agent in team.agents]
        for state, (agent, steps) in zip(self._states, shifts, strict=True):
            if steps:
                self._schedule_process(
                    self._work_shift(state, steps, owed_stretches(agent, day, opened)),
                    steps[0].start,
                )
        arrivals = day_arrivals(self.rng, day, shifts)
        if arrivals:
            self._schedule_process(self._let_contacts_arrive(arrivals), arrivals[0].at)

    def run_day(self) -> TeamDay:
        agenda = self._agenda
        due = heappop(agenda) if agenda else None
        while due:
            self.now, _, process = due
            wake = next(process, None)
            if wake is not None:
                self._process_count += 1
                due = heappushpop(agenda, (wake, self._process_count, process))
            else:
                due = heappop(agenda) if agenda else None
        return TeamDay(
            [
                _as_conversation(contact, self._name, self.rng.random())
                for contact in self._contacts
                if contact.participants
            ],
            {state.agent.id: state.presences for state in self._states},
            {state.agent.id: state.routings for state in self._states},
        )

    def enqueue_contact(self, contact: Contact, queue: Queue) -> None:
        """Offer *contact* to a free agent, or have it wait in *queue* from now on."""
        contact.queue, contact.since = queue, self.now
        contact.deadline = self.now + random_between(self.rng, *PATIENCE[contact.media])
        self.offer_contact(contact, queue)

    def offer_contact(self, contact: Contact, queue: Queue, *, again: bool = False) -> None:
        """Offer *contact* to a free agent, or queue it; at the front if it is offered *again*."""
        if state := self._longest_idle(queue, contact.media):
            self._start_offer(state, contact, queue)
            return
        waiting = self._waiting[queue.id]
        waiting.appendleft(contact) if again else waiting.append(contact)
        contact.waiting = True
        self._schedule_process(self._end_patience(contact), max(contact.deadline, self.now))

    def offer_waiting(self, state: AgentState) -> None:
        """Offer the contact that has waited longest to this agent, if the agent has room."""
        if not state.has_room:
            return
        next_contact, next_queue = None, None
        for queue, waiting in state.waiting_by_queue:
            while waiting and not waiting[0].waiting:
                waiting.popleft()
            if (
                waiting
                and (next_contact is None or waiting[0].since < next_contact.since)
                and (not state.working or waiting[0].media in DIGITAL)
            ):
                next_contact, next_queue = waiting[0], queue
        if next_contact and next_queue:
            self._start_offer(state, next_contact, next_queue)

    def find_colleague(self) -> AgentState | None:
        """Return an agent who is on queue and has nothing to do, if there is one."""
        ready = [state for state in self._states if not state.working and state.on_queue]
        return random_choice(self.rng, ready) if ready else None

    def occupy_agent(self, state: AgentState, until: int, routing: str = "INTERACTING") -> None:
        """Keep the agent at work from now on *until* then."""
        state.start_work(self.now, routing)
        self._schedule_process(self._end_occupation(state), until)

    def release_agent(self, state: AgentState) -> None:
        """End the agent's work: show the presence that is due, and offer a waiting contact."""
        state.working = False
        state.show_presence(self.now)
        state.idle_since = self.now
        self.offer_waiting(state)

    def _schedule_process(self, process: Process, at: int) -> None:
        self._process_count += 1
        heappush(self._agenda, (at, self._process_count, process))

    def _work_shift(
        self, state: AgentState, steps: Sequence[ShiftStep], stretches: Sequence[Stretch]
    ) -> Process:
        for step in steps:
            state.due_presence = step.presence
            if stretches and state.on_queue:
                state.show_presence(self.now)
                state.working = True
                self._schedule_process(
                    self._work_on_long_conversation(state, stretches), stretches[0][0]
                )
                stretches = ()
            elif not state.working:
                self.release_agent(state)
            yield step.end
        state.due_presence = "OFFLINE"
        if not state.working:
            self.release_agent(state)

    def _work_on_long_conversation(
        self, state: AgentState, stretches: Sequence[Stretch]
    ) -> Process:
        for _, until in stretches:
            state.start_work(self.now)
            yield until
        self.release_agent(state)

    def _end_occupation(self, state: AgentState) -> Process:
        self.release_agent(state)
        yield from ()

    def _let_contacts_arrive(self, arrivals: Sequence[Arrival]) -> Process:
        for number, (at, queue, media, direction) in enumerate(arrivals):
            yield at
            contact = Contact(number, at, media, direction)
            self._contacts.append(contact)
            if queue is None:
                calls.make_private_call(self, contact)
            elif media != "voice" or direction == "inbound":
                self.enqueue_contact(contact, queue)
            elif state := self._longest_idle(queue, media):
                calls.call_out(self, state, contact, queue)

    def _end_patience(self, contact: Contact) -> Process:
        if contact.waiting and self.now >= contact.deadline:
            unserved = contact.media in ("email", "message")
            contact.end_wait(self.now, "timeout" if unserved else "client")
        yield from ()

    def _longest_idle(self, queue: Queue, media: str) -> AgentState | None:
        """Return the agent who has been idle longest of those who serve *queue* and have room."""
        serving = self._serving[queue.id]
        if media in DIGITAL:
            ready = [state for state in serving if state.has_room]
        else:
            ready = [state for state in serving if not state.working and state.on_queue]
        if len(ready) < 2:
            return ready[0] if ready else None
        return min(ready, key=lambda state: (len(state.chats), state.idle_since))

    def _start_offer(self, state: AgentState, contact: Contact, queue: Queue) -> None:
        contact.waiting = False
        if state.chats:
            state.pending_offer = (contact, queue, self.now)
            return
        state.start_work(self.now)
        if self.rng.random() < UNANSWERED:
            process = calls.miss_offer(self, state, contact, queue)
        elif contact.media in DIGITAL:
            process = chats.handle_chats(self, state, contact, queue)
        elif contact.media == "callback":
            process = calls.handle_callback(self, state, contact, queue)
        else:
            process = calls.handle_call(self, state, contact, queue)
        self._schedule_process(process, self.now)


def _as_conversation(contact: Contact, name: str, chance: float) -> Conversation:
    segment = Segment("interact", contact.came, contact.left, "")
    customer = Session(contact.media, contact.direction, (segment,), "client")
    participants = contact.participants
    participants.sort(key=lambda participant: participant.sessions[0].segments[0].start)
    return Conversation(
        make_id(name, contact.number),
        tuple(contact.division_ids),
        (Participant("customer", "", (customer,)), *participants),
        chance,
    )
