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

    def segment_location(self, place: int) -> str:
        """The segment that stands at *place*, for a person who looks for it."""
        segment = self.segments[place]
        at = f" at {segment.segment_start}" if segment.segment_start else ""
        return f"session {self.session_id}, segments[{place}]: {segment.segment_type}{at}"


class PostedValue(NamedTuple):
    """A value that the session at *session_index* has posted."""

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


def callbacks_per_call(sessions: Sequence[AgentSession]) -> list[list[int]]:
    """Return for each session the indices of the callbacks that may have led to it.

    These are the callbacks of the same agent and conversation. Only an outbound call has any: a
    callback does not lead to a call that comes in.
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
    for at, session in enumerate(sessions):
        for number, metric in enumerate(session.metrics):
            if metric.name not in _POSTED_METRIC_NAMES:
                continue
            value = _exact_integer(metric.value)
            if value is None or metric.emit_date is None:
                where = f"session {session.session_id}, metrics[{number}]: {metric.name}"
                issues.append(
                    DataIssue(UNREADABLE_VALUES, session.conversation_id, where, is_left_out=True)
                )
            else:
                yield PostedValue(at, metric.name, value, metric.emit_date)


def _exact_integer(value: object) -> int | None:
    """Return a whole number, which may be written as 60000.0; None if *value* is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and abs(value) <= _MAX_EXACT_INTEGER else None
