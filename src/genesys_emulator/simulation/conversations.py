"""Conversations as the real API structures them: participants, sessions, segments.

A day of a large centre has a million of them. They hold no cycles, so the garbage collector
need not search them, and a played day is kept on disk as msgspec encodes them.
"""

import msgspec


class Value(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A value that never changes, and is encoded as an array of its fields."""


class Segment(Value, frozen=True):
    """A segment [start, end) in ms; *queue_id* is empty outside of queues."""

    kind: str
    start: int
    end: int
    queue_id: str
    conference: bool = False


Mark = tuple[str, int]
"""A counter, and the time in ms at which it counts."""


class Session(Value, frozen=True):
    """One medium of one participant.

    *ended* is the disconnect type of its last live segment, *wrapped* how
    after-call work ended, *since* when the customer began to wait. *marks* are
    counters with the times at which they count; *unposted* is by how many ms
    the after-call work is longer than the value posted for it.
    """

    media: str
    direction: str
    segments: tuple[Segment, ...]
    ended: str = "peer"
    wrapped: str = ""
    since: int | None = None
    marks: tuple[Mark, ...] = ()
    unposted: int = 0


class Participant(Value, frozen=True):
    """A participant; *user_id* is empty unless it is an agent."""

    purpose: str
    user_id: str
    sessions: tuple[Session, ...]


class Conversation(Value, frozen=True):
    """A conversation; *chance*, in [0, 1), decides whether it is late or restated."""

    id: str
    division_ids: tuple[str, ...]
    participants: tuple[Participant, ...]
    chance: float


def active_times(conversation: Conversation) -> tuple[int, int, int]:
    """Return its start, the time after which nothing happens but its end, and its end, in ms."""
    customer, *others = conversation.participants
    came = customer.sessions[0].segments[0]
    quiet = max([s.segments[-1].end for participant in others for s in participant.sessions])
    return came.start, quiet, max(came.end, quiet)
