"""Captured conversations: detail records that the real API wrote, in place of simulated work."""

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any

import msgspec

from genesys_emulator.simulation.detail_records import Detail
from genesys_emulator.simulation.metric_events import (
    CERTAIN,
    MetricEvent,
    Origin,
    PostedValues,
    make_columns,
)
from genesys_emulator.simulation.organization import Agent, Organization, Queue, stable_id
from genesys_emulator.simulation.status import StatusChanges
from genesys_emulator.wire.timestamps import ms_since_epoch

ENDLESS = 2**62
PAGE = {"conversations", "totalHits", "aggregations", "cursor", "dataAvailabilityDate"}
"""The fields of an answer with conversations."""
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Record(msgspec.Struct, rename="camel"):
    """An object in a detail record; fields that are not declared are ignored."""


class Metric(Record):
    name: str
    value: int
    emit_date: Moment


class Segment(Record):
    """A segment; its times are not used, but a record with bad ones is not to be trusted."""

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
    """The whole record as it stands in the file."""


class CapturedError(Exception):
    """A file that cannot be served; the message has the record, the field and the reason."""


class CapturedCentre:
    """A contact centre made of captured conversations; the directory has only who is named."""

    def __init__(self, conversations: list[Conversation]) -> None:
        self.organization = _named_organization(conversations)
        self.watched_agents: tuple[Agent, ...] = ()
        self._values = make_columns(_session_events(conversations))
        self._details = [_make_detail(conversation) for conversation in conversations]

    def posted_values(
        self, start: int, end: int, possible: Callable[[str], bool]
    ) -> Iterator[PostedValues]:
        yield self._values

    def conversations_begun(self, start: int, end: int) -> Iterator[Detail]:
        return (detail for detail in self._details if start <= detail.start < end)

    def conversations_carried(self, start: int, end: int) -> Iterator[Detail]:
        return (detail for detail in self._details if detail.start < start < detail.end)

    def status_changes(self, agent: Agent, start: int, end: int) -> StatusChanges:
        return StatusChanges((), ())


def load_captured(content: bytes) -> CapturedCentre:
    """Load the contact centre that a file with this *content* describes.

    The file holds an answer of the API (``{"conversations": [...]}``), one
    record, a list of either, or one of these a line. An answer without
    conversations is the end of a query, a null counts as absent, and 1.0 is 1.
    Of a record that occurs twice the last one counts. Raises CapturedError.
    """
    by_id = {
        conversation.conversation_id: conversation
        for number, record in enumerate(_parse_records(content.removeprefix(BOM_UTF8)))
        for conversation in [_parse_conversation(record, number)]
    }
    if not by_id:
        raise CapturedError("there is no conversation in it")
    return CapturedCentre(list(by_id.values()))


def _parse_records(content: bytes) -> list[Any]:
    try:
        documents = [msgspec.json.decode(content)]
    except msgspec.DecodeError as whole:
        lines = [line for line in content.splitlines() if line.strip()]
        try:
            documents = [msgspec.json.decode(line) for line in lines]
        except msgspec.DecodeError:
            raise CapturedError(f"it is neither JSON nor JSON by the line: {whole}") from None
    return [record for document in documents for record in _unwrap_records(document)]


def _unwrap_records(document: Any) -> list[Any]:
    match document:
        case {"conversations": list(records)}:
            return records
        case list(members):
            if members and isinstance(members[0], dict) and "conversationId" in members[0]:
                return members
            return [record for page in members for record in _unwrap_records(page)]
        case {"conversationId": _}:
            return [document]
        case dict() if PAGE.issuperset(document):
            return []  # the answer past the last page has no conversations at all
        case _:
            raise CapturedError(
                "it is no conversation detail record, no list of them, "
                'and has no list "conversations"'
            )


def _parse_conversation(record: Any, number: int) -> Conversation:
    try:
        conversation = msgspec.convert(_without_nulls(record), Conversation)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at ")
        path = path.strip("`").removeprefix("$").removeprefix(".")
        name = record.get("conversationId") if isinstance(record, dict) else None
        where = f"conversation {name}" if name else f"record {number + 1}"
        value = _value_at(record, path)
        shown = f"{value!r}: " if isinstance(value, str | int | float) else ""
        raise CapturedError(": ".join(filter(None, [where, path, shown + reason]))) from None
    conversation.record = record
    return conversation


def _without_nulls(value: Any) -> Any:
    """Return *value* without nulls, and with whole floats as integers."""
    match value:
        case dict():
            return {
                name: _without_nulls(member) for name, member in value.items() if member is not None
            }
        case list():
            return [_without_nulls(member) for member in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _make_detail(conversation: Conversation) -> Detail:
    """Make the detail; a conversation that never ended is active for ever."""
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


def _value_at(record: Any, path: str) -> Any:
    """Return the value at *path*, such as ``participants[0].purpose``."""
    for name, index in re.findall(r"(\w+)|\[(\d+)\]", path):
        record = record[name] if name else record[int(index)]
    return record


def _session_events(
    conversations: list[Conversation],
) -> Iterator[tuple[Origin, list[MetricEvent], float]]:
    for conversation in conversations:
        for participant in conversation.participants:
            for session in participant.sessions:
                yield (
                    _session_origin(conversation, participant, session),
                    [(m.name, ms_since_epoch(m.emit_date), m.value) for m in session.metrics],
                    CERTAIN,
                )


def _session_origin(
    conversation: Conversation, participant: Participant, session: Session
) -> Origin:
    return Origin(
        (participant.user_id,) if participant.user_id else (),
        session.queue_ids,
        (session.media_type,),
        (session.direction,) if session.direction else (),
        (participant.purpose,),
        conversation.division_ids,
    )


def _named_organization(conversations: list[Conversation]) -> Organization:
    """Make an organization of the agents and queues that have a name in the records.

    An ``acd`` participant has the name of its queue. The id is in the records,
    or else depends on which conversations they are.
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
        owners.pop() if owners else stable_id("captured", *ids),
        "Captured",
        queues=tuple(Queue(*queue) for queue in queues.items()),
        agents=tuple(Agent(*agent) for agent in agents.items()),
    )
