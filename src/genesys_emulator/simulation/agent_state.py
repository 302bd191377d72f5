"""State of agents during a simulated day: their work, their presence, their routing status."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from genesys_emulator.simulation.conversations import Mark, Participant, Segment, Session
from genesys_emulator.simulation.organization import Agent, Division, Queue
from genesys_emulator.wire.timestamps import HOUR, MINUTE, SECOND

DIGITAL = ("chat", "message")
AT_ONCE = 3
"""Most digital conversations that an agent has at the same time."""

PATIENCE = {
    "voice": (90 * SECOND, 20 * MINUTE),
    "chat": (MINUTE, 12 * MINUTE),
    "callback": (20 * MINUTE, HOUR),
    "message": (2 * HOUR, 4 * HOUR),
    "email": (3 * HOUR, 6 * HOUR),
}
"""Shortest and longest wait before a contact gives up; e-mails and messages only expire."""

Change = tuple[int, str]
"""A change: its time in ms, and the new status."""


@dataclass(slots=True, eq=False)
class Contact:
    """A customer's contact, and the sessions it led to.

    *since* is when the wait began, *deadline* when the customer gives up,
    *left* when the customer was gone.
    """

    number: int
    came: int
    media: str
    direction: str
    queue: Queue | None = None
    since: int = 0
    deadline: int = 0
    left: int = 0
    waiting: bool = False
    participants: list[Participant] = field(default_factory=list)
    division_ids: dict[str, None] = field(default_factory=dict)

    def end_wait(self, until: int, ended: str) -> None:
        """End the wait in the queue, and add its session."""
        assert self.queue
        self.waiting = False
        self.left = max(self.left, until)
        segment = Segment("interact", self.since, until, self.queue.id)
        self.participants.append(
            Participant("acd", "", (Session(self.media, self.direction, (segment,), ended),))
        )
        self._add_division(self.queue.division)

    def add_handling(self, agent: Agent, purpose: str, *sessions: Session) -> None:
        """Add the *sessions* of an agent who handled the contact."""
        live_ends = [segment.end for segment in sessions[0].segments if segment.kind != "wrapup"]
        self.left = max(self.left, live_ends[-1])
        self.participants.append(Participant(purpose, agent.id, sessions))
        self._add_division(agent.division)

    def make_session(
        self,
        segments: Sequence[Segment],
        *,
        ended: str = "peer",
        wrapped: str = "",
        since: int | None = None,
        marks: tuple[Mark, ...] = (),
        unposted: int = 0,
    ) -> Session:
        media, direction = self.media, self.direction
        return Session(media, direction, tuple(segments), ended, wrapped, since, marks, unposted)

    def _add_division(self, division: Division | None) -> None:
        if division:
            self.division_ids[division.id] = None


@dataclass(slots=True, eq=False)
class Chat:
    """An open digital conversation, interacting or on hold since *since*; *left* is work in ms."""

    contact: Contact
    queue: Queue
    left: int
    since: int
    segments: list[Segment]
    kind: str = "interact"

    def switch_to(self, at: int, kind: str) -> None:
        """Begin a segment of the other *kind*, interact or hold, at *at*."""
        self.close_segment(at)
        self.kind = kind

    def close_segment(self, at: int) -> None:
        """End the current segment at *at*."""
        if at > self.since:
            self.segments.append(Segment(self.kind, self.since, at, self.queue.id))
        self.since = at


@dataclass(slots=True, eq=False)
class AgentState:
    """An agent during a day. *due_presence* is what the shift prescribes, once work is done.

    *waiting_by_queue* has the contacts that wait in each queue of the agent.
    """

    agent: Agent
    due_presence: str = "OFFLINE"
    working: bool = False
    idle_since: int = 0
    chats: deque[Chat] = field(default_factory=deque)
    pending_offer: tuple[Contact, Queue, int] | None = None
    presences: list[Change] = field(default_factory=list)
    routings: list[Change] = field(default_factory=list)
    waiting_by_queue: list[tuple[Queue, deque[Contact]]] = field(default_factory=list)

    @property
    def on_queue(self) -> bool:
        return self.due_presence == "ON_QUEUE"

    @property
    def has_room(self) -> bool:
        """The room for one more conversation, even if only for a digital one."""
        return self.due_presence == "ON_QUEUE" and (
            not self.working or (0 < len(self.chats) < AT_ONCE and not self.pending_offer)
        )

    def start_work(self, at: int, routing: str = "INTERACTING") -> None:
        self.working = True
        append_change(self.routings, at, routing)

    def show_presence(self, at: int) -> None:
        """Take the presence that is due, now that no work is left."""
        append_change(self.presences, at, self.due_presence)
        append_change(self.routings, at, "IDLE" if self.on_queue else "OFF_QUEUE")


def append_change(changes: list[Change], at: int, to: str) -> None:
    """Append a change to *to* at *at*, in place of one at the same time."""
    if changes and changes[-1][0] == at:
        changes.pop()
    if not changes or changes[-1][1] != to:
        changes.append((at, to))
