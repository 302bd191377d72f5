"""A conversation as the real API tells of it: participants, their sessions, their segments.

These are tuples, not dataclasses: a day of a large centre has a million.
"""

from typing import NamedTuple


class Segment(NamedTuple):
    """[start, end) in ms; *queue_id* is empty outside of queues."""

    kind: str
    start: int
    end: int
    queue_id: str
    conference: bool = False


class Session(NamedTuple):
    """One medium of one participant.

    *ended* is the disconnect type of its last live segment, *wrapped* how
    after-call work ended, *since* when who was offered began to wait. *marks*
    are counters and when they count; *unposted* is how much longer the
    after-call work is than the value posted for it, in ms.
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
    """*user_id* is empty for whoever is no agent."""

    purpose: str
    user_id: str
    sessions: tuple[Session, ...]


class Conversation(NamedTuple):
    """*chance*, in [0, 1), is what decides whether it is told of late, or corrected."""

    id: str
    division_ids: tuple[str, ...]
    participants: tuple[Participant, ...]
    chance: float
