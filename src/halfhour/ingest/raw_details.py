"""Read conversation details into raw tables, which hold what Genesys said in columns."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from halfhour.genesys.payloads import MAX_EXACT_INTEGER
from halfhour.ingest.arrow_json import flatten_lists, parse_objects
from halfhour.ingest.detail_records import (
    MalformedRecord,
    check_record,
    conversation_id,
    epoch_ms_column,
    epoch_ms_or_none,
    find_invalid_time,
    record_time_span,
)
from halfhour.model.intervals import epoch_ms
from halfhour.model.tables import (
    CONVERSATIONS_SCHEMA,
    RAW_SEGMENTS_SCHEMA,
    SESSION_METRICS_SCHEMA,
    SESSIONS_SCHEMA,
)

_TEXT = pa.string()
# Times are texts here: Arrow would take a time without a zone for UTC.
_SEGMENT = pa.struct(
    [("segmentType", _TEXT), ("segmentStart", _TEXT), ("segmentEnd", _TEXT), ("queueId", _TEXT)]
)
_METRIC = pa.struct([("name", _TEXT), ("value", pa.float64()), ("emitDate", _TEXT)])
_SESSION = pa.struct(
    [
        ("sessionId", _TEXT),
        ("mediaType", _TEXT),
        ("direction", _TEXT),
        ("metrics", pa.list_(_METRIC)),
        ("segments", pa.list_(_SEGMENT)),
    ]
)
_PARTICIPANT = pa.struct([("purpose", _TEXT), ("userId", _TEXT), ("sessions", pa.list_(_SESSION))])
_CONVERSATION = pa.schema(
    [
        ("conversationId", _TEXT),
        ("conversationStart", _TEXT),
        ("conversationEnd", _TEXT),
        ("participants", pa.list_(_PARTICIPANT)),
    ]
)


class RawDetails(NamedTuple):
    """The raw tables of some records, each with its schema of `tables.RAW_SCHEMAS`."""

    conversations: pa.Table
    sessions: pa.Table
    raw_segments: pa.Table
    session_metrics: pa.Table

    def renumbered(self, first_record: int, first_session: int) -> "RawDetails":
        """Return the tables with records and sessions numbered from these numbers on."""

        def shifted(table: pa.Table, name: str, first: int) -> pa.Table:
            index = table.schema.get_field_index(name)
            return table.set_column(index, table.schema[index], pc.add(table[name], first))

        return RawDetails(
            shifted(self.conversations, "record", first_record),
            shifted(shifted(self.sessions, "record", first_record), "session_key", first_session),
            shifted(self.raw_segments, "session_key", first_session),
            shifted(self.session_metrics, "session_key", first_session),
        )

    def followed_by(self, other: "RawDetails") -> "RawDetails":
        """Return these tables with the rows of *other* after their own."""
        renumbered = other.renumbered(self.conversations.num_rows, self.sessions.num_rows)
        return RawDetails(*map(pa.concat_tables, zip(self, renumbered, strict=True)))


def conversation_ids(records: Sequence[msgspec.Raw]) -> set[str | None]:
    """Return the ids of the conversations in *records*; None if one has no id that can be read."""
    return {conversation_id(record) for record in records}


def read_records(records: Sequence[msgspec.Raw], as_of: datetime) -> RawDetails:
    """Read *records*, which say what was known at *as_of*.

    A malformed record has a row in `conversations` with the reason, and no other row.
    """
    try:
        return _read_valid_records(records, as_of)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return _read_checked_records(records, [check_record(record) for record in records], as_of)


def _read_checked_records(
    records: Sequence[msgspec.Raw], checked: Sequence[bytes | MalformedRecord], as_of: datetime
) -> RawDetails:
    """Read *records*, of which *checked* has the conversation or what is wrong with it.

    Arrow does not tell which of several records has an invalid time, so they are read in halves.
    """
    valid = [record for record in checked if not isinstance(record, MalformedRecord)]
    if len(valid) == len(checked):
        try:
            return _read_valid_records(valid, as_of)
        except pa.ArrowInvalid as error:
            reason = find_invalid_time(records[0]) or str(error)
    if len(checked) == 1:
        (record,) = checked
        if not isinstance(record, MalformedRecord):
            record = MalformedRecord(conversation_id(records[0]), reason)
        return _malformed_details(records[0], record, as_of)
    middle = len(checked) // 2
    first_half = _read_checked_records(records[:middle], checked[:middle], as_of)
    return first_half.followed_by(_read_checked_records(records[middle:], checked[middle:], as_of))


def _malformed_details(
    record: msgspec.Raw, malformed: MalformedRecord, as_of: datetime
) -> RawDetails:
    """Return the tables of one *malformed* record: the row that tells the reason."""
    row = {
        "record": 0,
        "conversation_id": malformed.conversation_id,
        **record_time_span(record),
        "as_of_ms": epoch_ms(as_of),
        "is_readable": False,
        "reason": malformed.reason,
    }
    empty = _read_valid_records([], as_of)
    return empty._replace(conversations=pa.Table.from_pylist([row], schema=CONVERSATIONS_SCHEMA))


def _read_valid_records(records: Sequence[bytes | msgspec.Raw], as_of: datetime) -> RawDetails:
    """Read *records*. Raises ArrowInvalid or UnicodeDecodeError if one of them is malformed."""
    conversations = parse_objects(records, _CONVERSATION)
    participant_lists = conversations["participants"]
    participants, record_of_participant = flatten_lists(participant_lists)
    all_sessions, _ = flatten_lists(participants.field("sessions"))
    segment_types = flatten_lists(all_sessions.field("segments"))[0].field("segmentType")
    if conversations["conversationId"].null_count or segment_types.null_count:
        raise pa.ArrowInvalid("a conversation without an id, or a segment without a type")

    user_ids = participants.field("userId")
    agents = pc.indices_nonzero(pc.not_equal(user_ids, ""))
    session_lists = participants.field("sessions").take(agents)
    sessions, agent_of_session = flatten_lists(session_lists)
    participant_of_session = agents.take(agent_of_session)
    session_paths = pc.binary_join_element_wise(
        "participants[",
        _list_positions(participant_lists).take(participant_of_session).cast(_TEXT),
        "].sessions[",
        _list_positions(session_lists).cast(_TEXT),
        "]",
        "",
    )
    session_ids = sessions.field("sessionId")
    has_id = pc.fill_null(pc.not_equal(session_ids, ""), False)
    is_agent = pc.equal(participants.field("purpose").take(participant_of_session), "agent")
    segments, session_of_segment = flatten_lists(sessions.field("segments"))
    metrics, session_of_metric = flatten_lists(sessions.field("metrics"))
    values = metrics.field("value")
    return RawDetails(
        _table(
            CONVERSATIONS_SCHEMA,
            pa.arange(0, len(records)),
            conversations["conversationId"],
            _valid_times(conversations["conversationStart"]),
            epoch_ms_column(conversations["conversationEnd"]),
            pa.repeat(epoch_ms(as_of), len(records)),
            pa.repeat(True, len(records)),
            pa.nulls(len(records), _TEXT),
        ),
        _table(
            SESSIONS_SCHEMA,
            pa.arange(0, len(sessions)),
            record_of_participant.take(participant_of_session),
            pc.if_else(has_id, session_ids, session_paths),
            user_ids.take(participant_of_session),
            pc.fill_null(is_agent, False),
            sessions.field("mediaType"),
            sessions.field("direction"),
        ),
        _table(
            RAW_SEGMENTS_SCHEMA,
            session_of_segment,
            _list_positions(sessions.field("segments")),
            segments.field("segmentType"),
            segments.field("queueId"),
            epoch_ms_column(segments.field("segmentStart")),
            epoch_ms_column(segments.field("segmentEnd")),
        ),
        _table(
            SESSION_METRICS_SCHEMA,
            session_of_metric,
            _list_positions(sessions.field("metrics")),
            metrics.field("name"),
            pc.if_else(_is_exact_integer(values), values, None),
            epoch_ms_column(metrics.field("emitDate")),
        ),
    )


def _list_positions(lists: pa.ListArray) -> pa.Array:
    """Return the position of each element of *lists* in its list."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).cast(pa.int64())
    starts = pc.subtract(pc.cumulative_sum(lengths), lengths)
    parents = pc.list_parent_indices(lists)
    return pc.subtract(pa.arange(0, len(parents)), starts.take(parents))


def _valid_times(texts: pa.Array) -> pa.Array:
    """Return the times of *texts* in ms since 1970; a text that is no time gives null."""
    try:
        return epoch_ms_column(texts)
    except pa.ArrowInvalid:
        return pa.array(map(epoch_ms_or_none, texts.to_pylist()), pa.int64())


def _is_exact_integer(values: pa.Array) -> pa.Array:
    """Return which *values* are whole and small enough for a double to be exact."""
    return pc.and_(
        pc.equal(values, pc.floor(values)), pc.less_equal(pc.abs(values), MAX_EXACT_INTEGER)
    )


def _table(schema: pa.Schema, *columns: pa.Array) -> pa.Table:
    arrays = [column.cast(field.type) for field, column in zip(schema, columns, strict=True)]
    return pa.table(arrays, schema=schema)
