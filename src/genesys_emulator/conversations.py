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


class Session(NamedTuple):
    """One medium of one participant. *ended* is the disconnect type of its last live segment."""

    media: str
    direction: str
    segments: tuple[Segment, ...]
    ended: str = "peer"


class Participant(NamedTuple):
    """*user_id* is empty for whoever is no agent."""

    purpose: str
    user_id: str
    sessions: tuple[Session, ...]


class Conversation(NamedTuple):
    """*number* counts from 0 within the agent's day."""

    number: int
    division_ids: tuple[str, ...]
    participants: tuple[Participant, ...]
