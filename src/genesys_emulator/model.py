"""What a contact centre did: conversations down to the metrics they emitted, times in epoch ms."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Segment:
    """*kind* is the API's `segmentType`; a segment still open has no *end*."""

    kind: str
    start: int
    end: int | None
    queue_id: str | None = None


class Metric(NamedTuple):
    """*value* in ms, or a count for ``n…``; *at* is the `emitDate`."""

    name: str
    value: int
    at: int


@dataclass(frozen=True, slots=True)
class Session:
    media_type: str
    direction: str | None
    segments: tuple[Segment, ...]
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class Participant:
    """*user_id* only for agents: purpose `agent`, or `user` on what no queue routed."""

    purpose: str
    sessions: tuple[Session, ...]
    user_id: str | None = None
    name: str | None = None
    division_id: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    conversation_id: str
    participants: tuple[Participant, ...]


class Emission(NamedTuple):
    """One metric value with the dimensions it has; *queues* may be none, one or several."""

    at: int
    metric: str
    value: int
    user: str | None
    queues: tuple[str, ...]
    media: str
    direction: str | None
    purpose: str
    division: str | None
    conversation: str


def emissions(conversation: Conversation) -> Iterator[Emission]:
    """Every metric value of *conversation*, as aggregates count it."""
    for participant in conversation.participants:
        for session in participant.sessions:
            queues = dict.fromkeys(s.queue_id for s in session.segments if s.queue_id)
            for metric in session.metrics:
                yield Emission(
                    metric.at,
                    metric.name,
                    metric.value,
                    participant.user_id,
                    tuple(queues),
                    session.media_type,
                    session.direction,
                    participant.purpose,
                    participant.division_id,
                    conversation.conversation_id,
                )
