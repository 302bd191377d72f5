"""Find the sessions of agents in conversations, and the values that they posted."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from halfhour.genesys import payloads
from halfhour.ingest.detail_records import DataIssue
from halfhour.model.tables import POSTED_METRICS

_POSTED_METRIC_NAMES = frozenset(column.metric for column in POSTED_METRICS)
_MAX_EXACT_INTEGER = 2**53
"""The largest whole number that a JSON number represents exactly."""

UNREADABLE_VALUES = "values left out, as they cannot be read"
"""The kind of issue of a malformed posted value."""


class AgentSession(NamedTuple):
    """A session of an agent; *conversation_end* is None while the conversation goes on."""

    conversation_id: str
    conversation_end: str | None
    agent_id: str
    acd: bool
    session_id: str
    media_type: str | None
    direction: str | None
    segments: tuple[payloads.Segment, ...]
    metrics: tuple[payloads.SessionMetric, ...]

    def segment_location(self, index: int) -> str:
        """Return the session, index, type and start of a segment, as a person looks it up."""
        segment = self.segments[index]
        start = f" at {segment.segment_start}" if segment.segment_start else ""
        return f"session {self.session_id}, segments[{index}]: {segment.segment_type}{start}"


class PostedValue(NamedTuple):
    """A value that the session at *session_index* posted at *emit_date*."""

    session_index: int
    metric: str
    value: int
    emit_date: str


def agent_sessions(conversation: payloads.Conversation) -> Iterator[AgentSession]:
    """Yield the sessions of the participants that have a user id.

    A session without an id gets its path in the conversation as its id.
    """
    for participant_index, agent in enumerate(conversation.participants):
        if agent.user_id:
            for session_index, session in enumerate(agent.sessions or ()):
                yield AgentSession(
                    conversation.conversation_id,
                    conversation.conversation_end,
                    agent.user_id,
                    agent.purpose == "agent",
                    session.session_id
                    or f"participants[{participant_index}].sessions[{session_index}]",
                    session.media_type,
                    session.direction,
                    session.segments or (),
                    session.metrics or (),
                )


def callbacks_per_call(sessions: Sequence[AgentSession]) -> list[list[int]]:
    """Return the indices of the callbacks that may have led to a session, for each session.

    These are the callbacks of the same agent and conversation. Only an outbound voice call has
    any, because a callback does not lead to an inbound call.
    """
    callbacks: dict[tuple[str, str], list[int]] = {}
    for index, session in enumerate(sessions):
        if session.media_type == "callback":
            callbacks.setdefault((session.conversation_id, session.agent_id), []).append(index)
    return [
        callbacks.get((session.conversation_id, session.agent_id), [])
        if (session.media_type, session.direction) == ("voice", "outbound")
        else []
        for session in sessions
    ]


def posted_values(
    sessions: Sequence[AgentSession], issues: list[DataIssue]
) -> Iterator[PostedValue]:
    """Yield the values that sessions have posted of the metrics of `tables.POSTED_METRICS`.

    A value that cannot be read becomes a data issue.
    """
    for session_index, session in enumerate(sessions):
        for metric_index, metric in enumerate(session.metrics):
            if metric.name not in _POSTED_METRIC_NAMES:
                continue
            value = _exact_integer(metric.value)
            if value is None or metric.emit_date is None:
                location = f"session {session.session_id}, metrics[{metric_index}]: {metric.name}"
                issues.append(
                    DataIssue(
                        UNREADABLE_VALUES, session.conversation_id, location, is_left_out=True
                    )
                )
            else:
                yield PostedValue(session_index, metric.name, value, metric.emit_date)


def _exact_integer(value: object) -> int | None:
    """Return *value* if it is a whole number, also one written as 60000.0; otherwise None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and abs(value) <= _MAX_EXACT_INTEGER else None
