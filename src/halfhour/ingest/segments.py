"""Conversation details as Arrow tables: what agents did, segment by segment, and what it posted."""

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from halfhour.genesys import payloads
from halfhour.ingest.detail_records import (
    UNKNOWN_CONVERSATION_ID,
    UNREADABLE_CONVERSATIONS,
    DataIssue,
    decode_record,
    epoch_ms_column,
    find_invalid_time,
    record_time_span,
)
from halfhour.ingest.sessions import (
    AgentSession,
    PostedValue,
    agent_sessions,
    callbacks_per_call,
    posted_values,
)
from halfhour.ingest.timeline import (
    REVERSED_SEGMENTS,
    SEGMENTS_WITHOUT_START,
    SessionEndMarkers,
    TimedSegment,
    TimeSlice,
    build_timeline,
    merge_spans,
    split_at_callbacks,
)
from halfhour.model.arrow_columns import boolean_column, integer_column, string_column, take_rows
from halfhour.model.coverage import DAY
from halfhour.model.intervals import Interval, epoch_ms
from halfhour.model.measures import WORK_SEGMENT_TYPES
from halfhour.model.tables import EMITTED_SCHEMA, SEGMENTS_SCHEMA, TIMESTAMP

EMPTY_CONVERSATIONS = "conversations left out, as they say nothing of what their agents did"


@dataclass(frozen=True, slots=True)
class DetailTables:
    """The tables that some details give: `SEGMENTS_SCHEMA` and `EMITTED_SCHEMA` of `tables`.

    *conversation_ids* are the ids of all conversations that were read, also of those without a
    row in the tables.
    """

    segments: pa.Table
    emitted: pa.Table
    conversation_ids: list[str]
    data_issues: list[DataIssue] = field(default_factory=list)


def tabulate_records(
    records: Sequence[msgspec.Raw], window: Interval, as_of: datetime
) -> DetailTables:
    """Tabulate the work of agents in *window* from *records*; open work is cut at *as_of*.

    *window* begins at the start of a day (UTC) and may hold several days. A conversation that comes
    twice counts once, as it came last. A malformed one is left out whole and is among the data
    issues with the field that is wrong, as are impossible segments and values.
    """
    last: dict[str | int, payloads.Conversation | DataIssue] = {}
    for position, conversation in enumerate(map(decode_record, records)):
        last[
            position
            if conversation.conversation_id == UNKNOWN_CONVERSATION_ID
            else conversation.conversation_id
        ] = conversation
    try:
        details = _build_tables(last.values(), window, as_of)
    except pa.ArrowInvalid:  # which does not say whose time cannot be read
        details = _build_tables(
            [_validate_times(conversation, window) for conversation in last.values()], window, as_of
        )
    if any(issue.is_left_out for issue in details.data_issues):
        spans = _conversation_time_spans(records)
        details.data_issues[:] = [
            issue._replace(time_span=spans[issue.conversation_id]) if issue.is_left_out else issue
            for issue in details.data_issues
        ]
    return details


def _conversation_time_spans(records: Sequence[msgspec.Raw]) -> dict[str, tuple[int, int] | None]:
    """Return the first and last time of all records of a conversation, as far as each tells."""
    spans: dict[str, tuple[int, int] | None] = {}
    for record in records:
        name, new = decode_record(record).conversation_id, record_time_span(record)
        old = spans.get(name, new)
        spans[name] = (min(old[0], new[0]), max(old[1], new[1])) if old and new else None
    return spans


def _validate_times(
    conversation: payloads.Conversation | DataIssue, window: Interval
) -> payloads.Conversation | DataIssue:
    """Return *conversation*, or the issue that names its time that cannot be read."""
    try:
        _build_tables([conversation], window, window.end)
    except pa.ArrowInvalid as error:
        where = find_invalid_time(msgspec.to_builtins(conversation), "$")
        return DataIssue(
            UNREADABLE_CONVERSATIONS,
            conversation.conversation_id,
            where or str(error),
            is_left_out=True,
        )
    return conversation


def _build_tables(
    conversations: Collection[payloads.Conversation | DataIssue], window: Interval, as_of: datetime
) -> DetailTables:
    """Tabulate *conversations*. Raises ArrowInvalid if a time cannot be read."""
    issues = [issue for issue in conversations if isinstance(issue, DataIssue)]
    sessions = [
        session
        for conversation in conversations
        if isinstance(conversation, payloads.Conversation)
        for session in agent_sessions(conversation)
    ]
    callbacks = callbacks_per_call(sessions)
    posted = list(posted_values(sessions, issues))
    emitted = epoch_ms_column(value.emit_date for value in posted)
    issues += _find_empty_conversations(sessions, posted, issues)
    handled: dict[int, list[int]] = {}
    for value, at in zip(posted, emitted.to_pylist(), strict=True):
        if value.metric == "tHandle":
            handled.setdefault(value.session_index, []).append(at)
    worked = list(
        _split_calls(
            _session_timelines(sessions, handled, epoch_ms(as_of), issues), sessions, callbacks
        )
    )
    return DetailTables(
        _segment_table(sessions, worked, window),
        _emitted_table(sessions, posted, emitted, window),
        [
            conversation.conversation_id
            for conversation in conversations
            if conversation.conversation_id != UNKNOWN_CONVERSATION_ID
        ],
        issues,
    )


def _find_empty_conversations(
    sessions: Sequence[AgentSession], posted: Sequence[PostedValue], issues: Sequence[DataIssue]
) -> Iterator[DataIssue]:
    """Yield the conversations of agents that have neither segments nor posted values."""
    ids_with_data = {sessions[value.session_index].conversation_id for value in posted}
    ids_with_data |= {session.conversation_id for session in sessions if session.segments}
    ids_with_data |= {issue.conversation_id for issue in issues}
    for conversation_id in dict.fromkeys(session.conversation_id for session in sessions):
        if conversation_id not in ids_with_data:
            yield DataIssue(EMPTY_CONVERSATIONS, conversation_id, is_left_out=True)


def _session_timelines(
    sessions: Sequence[AgentSession],
    handled: Mapping[int, list[int]],
    as_of: int,
    issues: list[DataIssue],
) -> list[list[TimeSlice]]:
    """Return the slices of segment session, which has posted handle time when *handled* says."""
    segments = [segment for session in sessions for segment in session.segments]
    starts = epoch_ms_column(segment.segment_start for segment in segments).to_pylist()
    ends = epoch_ms_column(segment.segment_end for segment in segments).to_pylist()
    timed = map(TimedSegment, (segment.segment_type for segment in segments), starts, ends)
    ended = epoch_ms_column(session.conversation_end for session in sessions).to_pylist()
    timelines = []
    for at, session in enumerate(sessions):
        over = SessionEndMarkers(handled.get(at, ()), ended[at])
        timeline, segment_issues = build_timeline(
            list(islice(timed, len(session.segments))), over, as_of
        )
        timelines.append(timeline)
        issues += [
            DataIssue(
                kind,
                session.conversation_id,
                session.segment_location(place),
                kind in (SEGMENTS_WITHOUT_START, REVERSED_SEGMENTS),
            )
            for kind, place in segment_issues
        ]
    return timelines


def _split_calls(
    worked: Sequence[Sequence[TimeSlice]],
    sessions: Sequence[AgentSession],
    callbacks: Sequence[Sequence[int]],
) -> Iterator[tuple[int, TimeSlice]]:
    """Yield the slices with the places of their sessions.

    The slices of a call that began within its agent's callback are cut where work on
    the callback begins and ends.
    """
    for session, call in enumerate(worked):
        spans = merge_spans(
            (time_slice.start, time_slice.end)
            for callback in callbacks[session]
            if _began_within(call, worked[callback])
            for time_slice in worked[callback]
            if sessions[callback].segments[time_slice.segment_index].segment_type
            in WORK_SEGMENT_TYPES
        )
        for time_slice in call:
            works = (
                sessions[session].segments[time_slice.segment_index].segment_type
                in WORK_SEGMENT_TYPES
            )
            yield from (
                (session, part) for part in split_at_callbacks(time_slice, spans if works else ())
            )


def _began_within(call: Sequence[TimeSlice], callback: Sequence[TimeSlice]) -> bool:
    """Tell whether the session of *call* began while that of *callback* went on."""
    if not call or not callback:
        return False
    began = min(time_slice.start for time_slice in call)
    return (
        min(time_slice.start for time_slice in callback)
        <= began
        < max(time_slice.end for time_slice in callback)
    )


def _segment_table(
    sessions: Sequence[AgentSession], listed: Sequence[tuple[int, TimeSlice]], window: Interval
) -> pa.Table:
    places = array("q", (at for at, _ in listed))
    segments = [sessions[at].segments[time_slice.segment_index] for at, time_slice in listed]
    table = pa.table(
        {
            "conversation_id": take_rows(
                string_column([session.conversation_id for session in sessions]), places
            ),
            "session_id": take_rows(
                string_column([session.session_id for session in sessions]), places
            ),
            "agent_id": take_rows(
                string_column([session.agent_id for session in sessions]), places
            ),
            "queue_id": string_column([segment.queue_id for segment in segments]),
            "media_type": take_rows(
                string_column([session.media_type for session in sessions]), places
            ),
            "acd": take_rows(boolean_column(session.acd for session in sessions), places),
            "voice_of_callback": boolean_column(
                time_slice.under_callback for _, time_slice in listed
            ),
            "segment_type": string_column([segment.segment_type for segment in segments]),
            "start_ms": integer_column(
                array("q", (time_slice.start for _, time_slice in listed)), pa.int64()
            ),
            "end_ms": integer_column(
                array("q", (time_slice.end for _, time_slice in listed)), pa.int64()
            ),
            "open": boolean_column(time_slice.open for _, time_slice in listed),
        }
    )
    return pa.concat_tables(_segments_in_day(table, day) for day in window.split_into_windows(DAY))


def _segments_in_day(table: pa.Table, day: Interval) -> pa.Table:
    """The segments that have a part in *day*, as its."""
    first, last = epoch_ms(day.start), epoch_ms(day.end)
    table = table.filter(
        pc.and_(
            pc.less(table["start_ms"], pc.min_element_wise(table["end_ms"], last)),
            pc.greater(table["end_ms"], first),
        )
    )
    began = integer_column(array("q", [first]) * table.num_rows, TIMESTAMP)
    return table.add_column(0, "window_start", began).cast(SEGMENTS_SCHEMA)


def _emitted_table(
    sessions: Sequence[AgentSession], posted: Sequence[PostedValue], at: pa.Array, window: Interval
) -> pa.Table:
    """Tabulate the *posted* values, each *at* its millisecond."""
    places = array("q", (value.session_index for value in posted))
    table = pa.Table.from_arrays(
        [
            at.cast(TIMESTAMP),
            take_rows(string_column([session.conversation_id for session in sessions]), places),
            take_rows(string_column([session.session_id for session in sessions]), places),
            take_rows(string_column([session.agent_id for session in sessions]), places),
            take_rows(string_column([_joined_queue_ids(session) for session in sessions]), places),
            take_rows(string_column([session.media_type for session in sessions]), places),
            string_column([value.metric for value in posted]),
            integer_column(array("q", (value.value for value in posted)), pa.int64()),
        ],
        schema=EMITTED_SCHEMA,
    )
    first, last = epoch_ms(window.start), epoch_ms(window.end)
    return table.filter(pc.and_(pc.greater_equal(at, first), pc.less(at, last)))


def _joined_queue_ids(session: AgentSession) -> str | None:
    """Join the queues of a session as conversation aggregates do."""
    return (
        ",".join(
            dict.fromkeys(segment.queue_id for segment in session.segments if segment.queue_id)
        )
        or None
    )
