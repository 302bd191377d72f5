"""Conversations as the real API structures them: participants, sessions, segments.

They are tuples, not dataclasses, because a day of a large centre has a million.
"""

from typing import NamedTuple


class Segment(NamedTuple):
    """A segment [start, end) in ms; *queue_id* is empty outside of queues."""

    kind: str
    start: int
    end: int
    queue_id: str
    conference: bool = False


class Session(NamedTuple):
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
    marks: tuple[tuple[str, int], ...] = ()
    unposted: int = 0


class Participant(NamedTuple):
    """A participant; *user_id* is empty unless it is an agent."""

    purpose: str
    user_id: str
    sessions: tuple[Session, ...]


class Conversation(NamedTuple):
    """A conversation; *chance*, in [0, 1), decides whether it is late or restated."""

    id: str
    division_ids: tuple[str, ...]
    participants: tuple[Participant, ...]
    chance: float
