"""Detail records of the real API: a conversation as it was known at some moment."""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from genesys_emulator.simulation.conversations import (
    Conversation,
    Participant,
    Segment,
    Session,
    active_times,
)
from genesys_emulator.simulation.metric_events import MetricEvent, session_events
from genesys_emulator.simulation.organization import make_id, stable_id
from genesys_emulator.simulation.restatements import Snapshot
from genesys_emulator.wire.timestamps import format_timestamp

Record = dict[str, Any]


class Detail(NamedTuple):
    """A conversation from *start* to *end*, in ms, and its record in a snapshot.

    After *quiet* nothing happened in it but its end. *chance* decides when it
    is known.
    """

    start: int
    end: int
    quiet: int
    conversation_id: str
    chance: float
    record: Callable[[Snapshot], Record]

    def is_known(self, snapshot: Snapshot) -> bool:
        """Return whether anything of it is in the snapshot."""
        return snapshot.includes_value(self.start, self.chance) or snapshot.includes_value(
            self.quiet, self.chance
        )


def make_detail(conversation: Conversation, names: Mapping[str, str]) -> Detail:
    """Make the detail of *conversation*, with the *names* of queues by id."""
    start, quiet, end = active_times(conversation)

    def record_as_of(snapshot: Snapshot) -> Record:
        """Make the record: without later segments and values, without the end of a segment
        under way, and without nulls.
        """
        values = [
            [
                event
                for event in session_events(participant, session)
                if snapshot.includes_value(event[1], conversation.chance)
            ]
            for participant in conversation.participants
            for session in participant.sessions
        ]
        participants = [
            _participant_record(
                participant_id(conversation.id, at), participant, values, names, snapshot.now
            )
            for at, participant in enumerate(conversation.participants)
        ]
        return {
            "conversationId": conversation.id,
            "conversationStart": format_timestamp(start),
            **({"conversationEnd": format_timestamp(end)} if end <= snapshot.now else {}),
            "originatingDirection": conversation.participants[0].sessions[0].direction,
            "divisionIds": list(conversation.division_ids),
            "participants": [
                participant for participant in participants if participant["sessions"]
            ],
        }

    return Detail(start, end, quiet, conversation.id, conversation.chance, record_as_of)


def participant_id(conversation_id: str, number: int) -> str:
    return make_id(conversation_id, number)


def session_id(participant: str, number: int) -> str:
    return make_id(participant, number)


def _participant_record(
    own_id: str,
    participant: Participant,
    values: list[list[MetricEvent]],
    names: Mapping[str, str],
    until: int,
) -> Record:
    """Make a participant's record; the values of its sessions are popped from *values*."""
    sessions = []
    for at, session in enumerate(participant.sessions):
        posted = values.pop(0)
        if session.segments[0].start < until:
            sessions.append(_session_record(session_id(own_id, at), session, posted, until))
    record: Record = {"participantId": own_id}
    of_queue = names.get(participant.sessions[0].segments[0].queue_id)
    if participant.purpose == "acd" and of_queue:
        record["participantName"] = of_queue
    record["purpose"] = participant.purpose
    if participant.user_id:
        record["userId"] = participant.user_id
    record["sessions"] = sessions
    return record


def _session_record(
    own_id: str, session: Session, values: Iterable[MetricEvent], until: int
) -> Record:
    *_, last = [segment for segment in session.segments if segment.kind != "wrapup"]
    metrics = [
        {"name": metric, "value": value, "emitDate": format_timestamp(at)}
        for metric, at, value in sorted(values, key=itemgetter(1))
    ]
    record: Record = {
        "mediaType": session.media,
        "sessionId": own_id,
        "direction": session.direction,
    }
    if session.wrapped == "skipped" and last.end <= until:
        record["acwSkipped"] = True
    if metrics:
        record["metrics"] = metrics
    record["segments"] = [
        _segment_record(segment, session, until, last=segment is last)
        for segment in session.segments
        if segment.start < until
    ]
    return record


def _segment_record(segment: Segment, session: Session, until: int, *, last: bool) -> Record:
    over = segment.end <= until
    record: Record = {"segmentStart": format_timestamp(segment.start)}
    if over:
        record["segmentEnd"] = format_timestamp(segment.end)
    if segment.queue_id:
        record["queueId"] = segment.queue_id
    if over and segment.kind == "wrapup":
        record["wrapUpCode"] = _wrap_up_code(session.wrapped)
    if over and last:
        record["disconnectType"] = session.ended
    record["segmentType"] = segment.kind
    record["conference"] = segment.conference
    return record


def _wrap_up_code(wrapped: str) -> str:
    return "ININ-WRAP-UP-TIMEOUT" if wrapped == "timeout" else stable_id("wrap-up code", wrapped)
