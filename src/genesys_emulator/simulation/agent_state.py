"""An agent at a desk: at what, since when, and what the platform shows of it."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from genesys_emulator.simulation.conversations import Participant, Segment, Session
from genesys_emulator.simulation.organization import Agent, Division, Queue
from genesys_emulator.wire.timestamps import HOUR, MINUTE, SECOND

DIGITAL = ("chat", "message")
AT_ONCE = 3
"""Digital conversations that an agent has at the same time."""

PATIENCE = {
    "voice": (90 * SECOND, 20 * MINUTE),
    "chat": (MINUTE, 12 * MINUTE),
    "callback": (20 * MINUTE, HOUR),
    "message": (2 * HOUR, 4 * HOUR),
    "email": (3 * HOUR, 6 * HOUR),
}
"""How long people wait, shortest and longest; nobody hangs up on an e-mail or a message."""

Change = tuple[int, str]
"""From when in ms, and to what."""


@dataclass(slots=True, eq=False)
class Contact:
    """Somebody who wants something, and what became of it.

    *since* is when they began to wait, *deadline* until when they will,
    *left* when they were gone.
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
    legs: list[Participant] = field(default_factory=list)
    division_ids: dict[str, None] = field(default_factory=dict)

    def waited(self, until: int, ended: str) -> None:
        """They no longer wait in the queue."""
        assert self.queue
        self.waiting = False
        self.left = max(self.left, until)
        segment = Segment("interact", self.since, until, self.queue.id)
        self.legs.append(Participant("acd", "", (self.session([segment], ended=ended),)))
        self._of(self.queue.division)

    def handled(self, agent: Agent, purpose: str, *sessions: Session) -> None:
        """An agent did this for them."""
        live = [each.end for each in sessions[0].segments if each.kind != "wrapup"]
        self.left = max(self.left, live[-1])
        self.legs.append(Participant(purpose, agent.id, sessions))
        self._of(agent.division)

    def session(self, segments: Sequence[Segment], **of: Any) -> Session:
        return Session(self.media, self.direction, tuple(segments), **of)

    def _of(self, division: Division | None) -> None:
        if division:
            self.division_ids[division.id] = None


@dataclass(slots=True, eq=False)
class Chat:
    """A digital conversation: talked to or on hold since *since*, for as long as work is *left*."""

    contact: Contact
    queue: Queue
    left: int
    since: int
    segments: list[Segment]
    kind: str = "interact"

    def turn(self, at: int, kind: str) -> None:
        """From *at* on it is talked to, or on hold."""
        if kind != self.kind:
            self.until(at)
            self.kind = kind

    def until(self, at: int) -> None:
        """What it was at is over at *at*."""
        if at > self.since:
            self.segments.append(Segment(self.kind, self.since, at, self.queue.id))
        self.since = at


@dataclass(slots=True, eq=False)
class Desk:
    """*due* is the presence that the shift wants now; who is at work finishes that first."""

    agent: Agent
    due: str = "OFFLINE"
    working: bool = False
    idle_since: int = 0
    chats: deque[Chat] = field(default_factory=deque)
    ringing: tuple[Contact, Queue, int] | None = None
    presences: list[Change] = field(default_factory=list)
    routings: list[Change] = field(default_factory=list)

    @property
    def on_queue(self) -> bool:
        return self.due == "ON_QUEUE"

    def takes(self, media: str) -> bool:
        """Whether there is room for one more conversation."""
        if not self.on_queue:
            return False
        if not self.working:
            return True
        return media in DIGITAL and 0 < len(self.chats) < AT_ONCE and not self.ringing

    def works(self, at: int, routing: str = "INTERACTING") -> None:
        self.working = True
        changed(self.routings, at, routing)

    def appears(self, at: int) -> None:
        """Nothing is being worked on; the presence is what is due."""
        changed(self.presences, at, self.due)
        changed(self.routings, at, "IDLE" if self.on_queue else "OFF_QUEUE")


def changed(changes: list[Change], at: int, to: str) -> None:
    """Note that from *at* on it is *to*."""
    if changes and changes[-1][0] == at:
        changes.pop()
    if not changes or changes[-1][1] != to:
        changes.append((at, to))
