"""A conversation as a detail record of the real API, as far as it had got at some moment."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from genesys_emulator.simulation.conversations import Conversation, Participant, Segment, Session
from genesys_emulator.simulation.metric_events import Value, postings
from genesys_emulator.simulation.organization import identifier
from genesys_emulator.simulation.restatements import AsOf
from genesys_emulator.wire.timestamps import format_timestamp

Record = dict[str, Any]


class Detail(NamedTuple):
    """A conversation that took from *start* to *end*, in ms, and its record as of a moment.

    After *quiet* nothing happened in it but its end. Of *chance* depends
    when it is known.
    """

    start: int
    end: int
    quiet: int
    conversation_id: str
    chance: float
    record: Callable[[AsOf], Record]

    def known(self, as_of: AsOf) -> bool:
        """Whether anything of it is."""
        return as_of.knows(self.start, self.chance) or as_of.knows(self.quiet, self.chance)


def detail(conversation: Conversation, names: Mapping[str, str]) -> Detail:
    """*conversation*, with the *names* of queues by id."""
    customer = conversation.participants[0].sessions[0].segments[0]
    legs = [
        segment
        for participant in conversation.participants[1:]
        for session in participant.sessions
        for segment in session.segments
    ]
    quiet = max(segment.end for segment in legs)
    start, end = min(customer.start, *(s.start for s in legs)), max(customer.end, quiet)

    def record(as_of: AsOf) -> Record:
        """What was known of it: later segments and values are not there yet, a segment under
        way has no end, and nothing is null.
        """
        values = [
            [each for each in found if as_of.knows(each[1], conversation.chance)]
            for _, found in postings(conversation)
        ]
        participants = [
            _participant(participant_id(conversation.id, at), each, values, names, as_of.now)
            for at, each in enumerate(conversation.participants)
        ]
        return {
            "conversationId": conversation.id,
            "conversationStart": format_timestamp(start),
            **({"conversationEnd": format_timestamp(end)} if end <= as_of.now else {}),
            "originatingDirection": conversation.participants[0].sessions[0].direction,
            "divisionIds": list(conversation.division_ids),
            "participants": [each for each in participants if each["sessions"]],
        }

    return Detail(start, end, quiet, conversation.id, conversation.chance, record)


def participant_id(conversation_id: str, number: int) -> str:
    return identifier(conversation_id, number)


def session_id(participant: str, number: int) -> str:
    return identifier(participant, number)


def _participant(
    own_id: str,
    participant: Participant,
    values: list[list[Value]],
    names: Mapping[str, str],
    until: int,
) -> Record:
    """Takes the values of its sessions, as far as they are known, from the front of *values*."""
    sessions = []
    for at, session in enumerate(participant.sessions):
        posted = values.pop(0)
        if session.segments[0].start < until:
            sessions.append(_session(session_id(own_id, at), session, posted, until))
    of_queue = names.get(participant.sessions[0].segments[0].queue_id, "")
    shown = {"participantName": of_queue} if participant.purpose == "acd" and of_queue else {}
    user = {"userId": participant.user_id} if participant.user_id else {}
    return {
        "participantId": own_id,
        **shown,
        "purpose": participant.purpose,
        **user,
        "sessions": sessions,
    }


def _session(own_id: str, session: Session, values: Iterable[Value], until: int) -> Record:
    live = [segment for segment in session.segments if segment.kind != "wrapup"]
    metrics = [
        {"name": metric, "value": value, "emitDate": format_timestamp(at)}
        for metric, at, value in sorted(values, key=lambda value: value[1])
    ]
    skipped = session.wrapped == "skipped" and live[-1].end <= until
    return {
        "mediaType": session.media,
        "sessionId": own_id,
        "direction": session.direction,
        **({"acwSkipped": True} if skipped else {}),
        **({"metrics": metrics} if metrics else {}),
        "segments": [
            _segment(segment, session, until, last=segment is live[-1])
            for segment in session.segments
            if segment.start < until
        ],
    }


def _segment(segment: Segment, session: Session, until: int, *, last: bool) -> Record:
    over = segment.end <= until
    wrapped = segment.kind == "wrapup" and over
    return {
        "segmentStart": format_timestamp(segment.start),
        **({"segmentEnd": format_timestamp(segment.end)} if over else {}),
        **({"queueId": segment.queue_id} if segment.queue_id else {}),
        **({"wrapUpCode": _code(session.wrapped)} if wrapped else {}),
        **({"disconnectType": session.ended} if last and over else {}),
        "segmentType": segment.kind,
        "conference": segment.conference,
    }


def _code(wrapped: str) -> str:
    return "ININ-WRAP-UP-TIMEOUT" if wrapped == "timeout" else identifier("wrap-up code", wrapped)
