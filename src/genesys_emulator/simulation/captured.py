"""Conversation detail records, as the real API wrote them, in place of simulated work."""

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any

import msgspec

from genesys_emulator.simulation.detail_records import Detail
from genesys_emulator.simulation.metric_events import CERTAIN, Book, Origin, Value, booked
from genesys_emulator.simulation.organization import Agent, Organization, Queue, identifier
from genesys_emulator.simulation.status import Shown
from genesys_emulator.wire.timestamps import ms_since_epoch

ENDLESS = 2**62
PAGE = {"conversations", "totalHits", "aggregations", "cursor", "dataAvailabilityDate"}
"""The fields of an answer."""
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Record(msgspec.Struct, rename="camel"):
    """An object of the details. What is not read is passed over."""


class Metric(Record):
    name: str
    value: int
    emit_date: Moment


class Segment(Record):
    """Its times are not needed, yet a record with bad ones is not to be trusted."""

    segment_start: Moment
    segment_end: Moment | None = None
    queue_id: str = ""


class Session(Record):
    media_type: str
    direction: str = ""
    segments: tuple[Segment, ...] = ()
    metrics: tuple[Metric, ...] = ()

    @property
    def queue_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(s.queue_id for s in self.segments if s.queue_id))


class Participant(Record):
    purpose: str
    participant_name: str = ""
    user_id: str = ""
    sessions: tuple[Session, ...] = ()


class Conversation(Record):
    conversation_id: str
    conversation_start: Moment
    conversation_end: Moment | None = None
    organization_id: str | None = None
    division_ids: tuple[str, ...] = ()
    participants: tuple[Participant, ...] = ()
    record: dict[str, Any] = {}
    """The whole of it, as it stands in the file."""


class CapturedError(Exception):
    """A file that is not served, and why: the record, the field, the reason."""


class Captured:
    """The centre that the *conversations* tell of. Who has no name in them has no entry."""

    def __init__(self, conversations: list[Conversation]) -> None:
        self.organization = _organization(conversations)
        self.watched: tuple[Agent, ...] = ()
        self._book = booked(_postings(conversations))
        self._details = [_detail(conversation) for conversation in conversations]

    def books(self, start: int, end: int, possible: Callable[[str], bool]) -> Iterator[Book]:
        yield self._book

    def begun(self, start: int, end: int) -> Iterator[Detail]:
        return (each for each in self._details if start <= each.start < end)

    def carried(self, start: int, end: int) -> Iterator[Detail]:
        return (each for each in self._details if each.start < start < each.end)

    def shown(self, agent: Agent, start: int, end: int) -> Shown:
        return Shown((), ())


def captured(content: bytes) -> Captured:
    """The centre that a file with this *content* tells of.

    It holds an answer of the API (``{"conversations": [...]}``), one record,
    a list of either, or one of these a line. An answer without conversations is the
    end of a query, null is what is not there, and 1.0 is 1. A record that is there twice,
    as pages may have it, counts once: as it was last. Raises CapturedError.
    """
    found = {
        conversation.conversation_id: conversation
        for number, record in enumerate(_records(content.removeprefix(BOM_UTF8)))
        for conversation in [_conversation(record, number)]
    }
    if not found:
        raise CapturedError("there is no conversation in it")
    return Captured(list(found.values()))


def _records(content: bytes) -> list[Any]:
    try:
        documents = [msgspec.json.decode(content)]
    except msgspec.DecodeError as whole:
        lines = [line for line in content.splitlines() if line.strip()]
        try:
            documents = [msgspec.json.decode(line) for line in lines]
        except msgspec.DecodeError:
            raise CapturedError(f"it is neither JSON nor JSON by the line: {whole}") from None
    return [record for document in documents for record in _unwrapped(document)]


def _unwrapped(document: Any) -> list[Any]:
    match document:
        case {"conversations": list(records)}:
            return records
        case list(members):
            if members and isinstance(members[0], dict) and "conversationId" in members[0]:
                return members
            return [record for page in members for record in _unwrapped(page)]
        case {"conversationId": _}:
            return [document]
        case dict() if PAGE.issuperset(document):
            return []  # the answer past the last page has no conversations at all
        case _:
            raise CapturedError(
                "it is no conversation detail record, no list of them, "
                'and has no list "conversations"'
            )


def _conversation(record: Any, number: int) -> Conversation:
    try:
        conversation = msgspec.convert(_said(record), Conversation)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at ")
        path = path.strip("`").removeprefix("$").removeprefix(".")
        name = record.get("conversationId") if isinstance(record, dict) else None
        where = f"conversation {name}" if name else f"record {number + 1}"
        value = _value(record, path)
        shown = f"{value!r}: " if isinstance(value, str | int | float) else ""
        raise CapturedError(": ".join(filter(None, [where, path, shown + reason]))) from None
    conversation.record = record
    return conversation


def _said(value: Any) -> Any:
    """The same without what is null, and whole numbers as such."""
    match value:
        case dict():
            return {name: _said(member) for name, member in value.items() if member is not None}
        case list():
            return [_said(member) for member in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _detail(conversation: Conversation) -> Detail:
    """One that never ended is active for ever."""
    end = (
        ms_since_epoch(conversation.conversation_end) if conversation.conversation_end else ENDLESS
    )
    return Detail(
        ms_since_epoch(conversation.conversation_start),
        end,
        end,
        conversation.conversation_id,
        CERTAIN,
        lambda _: conversation.record,
    )


def _value(record: Any, path: str) -> Any:
    """What is at *path*, such as ``participants[0].purpose``, as far as it goes."""
    for name, index in re.findall(r"(\w+)|\[(\d+)\]", path):
        record = record[name] if name else record[int(index)]
    return record


def _postings(
    conversations: list[Conversation],
) -> Iterator[tuple[Origin, list[Value], float]]:
    for conversation in conversations:
        for participant in conversation.participants:
            for session in participant.sessions:
                yield (
                    _origin(conversation, participant, session),
                    [(m.name, ms_since_epoch(m.emit_date), m.value) for m in session.metrics],
                    CERTAIN,
                )


def _origin(conversation: Conversation, participant: Participant, session: Session) -> Origin:
    return Origin(
        (participant.user_id,) if participant.user_id else (),
        session.queue_ids,
        (session.media_type,),
        (session.direction,) if session.direction else (),
        (participant.purpose,),
        conversation.division_ids,
    )


def _organization(conversations: list[Conversation]) -> Organization:
    """Who and what has a name. The participant of a queue has the queue's.

    The id is in the records, or else is of just these conversations.
    """
    owners = {c.organization_id for c in conversations if c.organization_id}
    if len(owners) > 1:
        raise CapturedError(f"its conversations are of {len(owners)} organizations; serve one")
    ids = sorted(conversation.conversation_id for conversation in conversations)
    agents: dict[str, str] = {}
    queues: dict[str, str] = {}
    for participant in (p for c in conversations for p in c.participants):
        if not participant.participant_name:
            continue
        if participant.user_id:
            agents[participant.user_id] = participant.participant_name
        elif participant.purpose == "acd":
            for queue_id in (q for s in participant.sessions for q in s.queue_ids):
                queues[queue_id] = participant.participant_name
    return Organization(
        owners.pop() if owners else identifier("captured", *ids),
        "Captured",
        queues=tuple(Queue(*queue) for queue in queues.items()),
        agents=tuple(Agent(*agent) for agent in agents.items()),
    )
