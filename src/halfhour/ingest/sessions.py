"""The sessions of agents in conversations, and what each has posted."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from halfhour.genesys import payloads
from halfhour.ingest.detail_records import DataIssue
from halfhour.model.tables import POSTED_METRICS

_POSTED_METRIC_NAMES = frozenset(column.metric for column in POSTED_METRICS)
_MAX_EXACT_INTEGER = 2**53
"""Up to it a number of JSON is exact, however it is read."""

UNREADABLE_VALUES = "values left out, as they cannot be read"


class AgentSession(NamedTuple):
    """A session of an agent, in a conversation that was over at *ended*, if it was."""

    conversation_id: str
    conversation_end: str | None
    agent_id: str
    acd: bool
    session_id: str
    media_type: str | None
    direction: str | None
    segments: tuple[payloads.Segment, ...]
    metrics: tuple[payloads.SessionMetric, ...]

    def segment_location(self, place: int) -> str:
        """The segment that stands at *place*, for a person who looks for it."""
        segment = self.segments[place]
        at = f" at {segment.segment_start}" if segment.segment_start else ""
        return f"session {self.session_id}, segments[{place}]: {segment.segment_type}{at}"


class PostedValue(NamedTuple):
    """A value of the leg that stands at *leg* among all."""

    session_index: int
    metric: str
    value: int
    emit_date: str


def agent_sessions(conversation: payloads.Conversation) -> Iterator[AgentSession]:
    """Yield the sessions of whoever has a user id in a conversation.

    One without an id is told apart by its place.
    """
    for at, agent in enumerate(conversation.participants):
        if agent.user_id:
            for number, session in enumerate(agent.sessions or ()):
                yield AgentSession(
                    conversation.conversation_id,
                    conversation.conversation_end,
                    agent.user_id,
                    agent.purpose == "agent",
                    session.session_id or f"participants[{at}].sessions[{number}]",
                    session.media_type,
                    session.direction,
                    session.segments or (),
                    session.metrics or (),
                )


def callbacks_per_call(legs: Sequence[AgentSession]) -> list[list[int]]:
    """For each outbound call, the places among *legs* of its agent's callbacks in the conversation.

    A callback leads to an outbound call: one that came in is no part of it.
    """
    found: dict[tuple[str, str], list[int]] = {}
    for at, leg in enumerate(legs):
        if leg.media_type == "callback":
            found.setdefault((leg.conversation_id, leg.agent_id), []).append(at)
    return [
        found.get((leg.conversation_id, leg.agent_id), [])
        if (leg.media_type, leg.direction) == ("voice", "outbound")
        else []
        for leg in legs
    ]


def posted_values(legs: Sequence[AgentSession], oddities: list[DataIssue]) -> Iterator[PostedValue]:
    """What *legs* have posted of what `tables.POSTED` has; what cannot be read is odd."""
    for at, leg in enumerate(legs):
        for number, metric in enumerate(leg.metrics):
            if metric.name not in _POSTED_METRIC_NAMES:
                continue
            value = _exact_integer(metric.value)
            if value is None or metric.emit_date is None:
                where = f"session {leg.session_id}, metrics[{number}]: {metric.name}"
                oddities.append(
                    DataIssue(UNREADABLE_VALUES, leg.conversation_id, where, is_left_out=True)
                )
            else:
                yield PostedValue(at, metric.name, value, metric.emit_date)


def _exact_integer(value: object) -> int | None:
    """A whole number, which may be written as 60000.0; None for what is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and abs(value) <= _MAX_EXACT_INTEGER else None
