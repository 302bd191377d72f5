"""Tabulate conversation details: the segments of agents' work, and the values that they posted."""

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
from halfhour.model.coverage import DAY
from halfhour.model.intervals import Interval, epoch_ms
from halfhour.model.measures import WORK_SEGMENT_TYPES
from halfhour.model.tables import EMITTED_SCHEMA, SEGMENTS_SCHEMA, TIMESTAMP

EMPTY_CONVERSATIONS = "conversations left out, as they say nothing of what their agents did"
"""The kind of issue of a conversation whose agents have neither segments nor posted values."""


@dataclass(frozen=True, slots=True)
class DetailTables:
    """The tables of some details: `tables.SEGMENTS_SCHEMA` and `tables.EMITTED_SCHEMA`.

    *conversation_ids* are the ids of all conversations that were read, also of conversations
    without a row in the tables.
    """

    segments: pa.Table
    emitted: pa.Table
    conversation_ids: list[str]
    data_issues: list[DataIssue] = field(default_factory=list)


def tabulate_records(
    records: Sequence[msgspec.Raw], window: Interval, as_of: datetime
) -> DetailTables:
    """Tabulate the work of agents in *window* from *records*; open work ends at *as_of*.

    *window* begins at the start of a day (UTC) and may have several days. Of the records of one
    conversation, the last counts. A malformed conversation is left out whole; the data issues name
    its wrong field, and each impossible segment and value.
    """
    latest: dict[str | int, payloads.Conversation | DataIssue] = {}
    for position, conversation in enumerate(map(decode_record, records)):
        latest[
            position
            if conversation.conversation_id == UNKNOWN_CONVERSATION_ID
            else conversation.conversation_id
        ] = conversation
    try:
        details = _build_tables(latest.values(), window, as_of)
    except pa.ArrowInvalid:  # It does not tell in which conversation the time cannot be read.
        details = _build_tables(
            [_validate_times(conversation, window) for conversation in latest.values()],
            window,
            as_of,
        )
    if any(issue.is_left_out for issue in details.data_issues):
        spans = _conversation_time_spans(records)
        details.data_issues[:] = [
            issue._replace(time_span=spans[issue.conversation_id]) if issue.is_left_out else issue
            for issue in details.data_issues
        ]
    return details


def _conversation_time_spans(records: Sequence[msgspec.Raw]) -> dict[str, tuple[int, int] | None]:
    """Return the first and last time in all records of each conversation, by its id.

    The span is None if a record of the conversation has no time that can be read.
    """
    spans: dict[str, tuple[int, int] | None] = {}
    for record in records:
        conversation_id, span = decode_record(record).conversation_id, record_time_span(record)
        earlier = spans.get(conversation_id, span)
        spans[conversation_id] = (
            (min(earlier[0], span[0]), max(earlier[1], span[1])) if earlier and span else None
        )
    return spans


def _validate_times(
    conversation: payloads.Conversation | DataIssue, window: Interval
) -> payloads.Conversation | DataIssue:
    """Return *conversation*, or a data issue that names a time in it that cannot be read."""
    try:
        _build_tables([conversation], window, window.end)
    except pa.ArrowInvalid as error:
        reason = find_invalid_time(msgspec.to_builtins(conversation), "$")
        return DataIssue(
            UNREADABLE_CONVERSATIONS,
            conversation.conversation_id,
            reason or str(error),
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
    handled_at: dict[int, list[int]] = {}
    for value, emitted_ms in zip(posted, emitted.to_pylist(), strict=True):
        if value.metric == "tHandle":
            handled_at.setdefault(value.session_index, []).append(emitted_ms)
    timelines = _session_timelines(sessions, handled_at, epoch_ms(as_of), issues)
    time_slices = list(_split_calls(timelines, sessions, callbacks))
    return DetailTables(
        _segment_table(time_slices, window),
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
    handled_at: Mapping[int, list[int]],
    as_of: int,
    issues: list[DataIssue],
) -> list[list[TimeSlice]]:
    """Return the time slices of each session, and append the issues of its segments to *issues*.

    *handled_at* has the times at which a session, by its index, posted handle time.
    """
    segments = [segment for session in sessions for segment in session.segments]
    starts = epoch_ms_column(segment.segment_start for segment in segments).to_pylist()
    ends = epoch_ms_column(segment.segment_end for segment in segments).to_pylist()
    timed = map(TimedSegment, (segment.segment_type for segment in segments), starts, ends)
    conversation_ends = epoch_ms_column(session.conversation_end for session in sessions)
    timelines = []
    for index, (session, conversation_end) in enumerate(
        zip(sessions, conversation_ends.to_pylist(), strict=True)
    ):
        end_markers = SessionEndMarkers(handled_at.get(index, ()), conversation_end)
        timeline, segment_issues = build_timeline(
            list(islice(timed, len(session.segments))), end_markers, as_of
        )
        timelines.append(timeline)
        issues += [
            DataIssue(
                kind,
                session.conversation_id,
                session.segment_location(segment_index),
                kind in (SEGMENTS_WITHOUT_START, REVERSED_SEGMENTS),
            )
            for kind, segment_index in segment_issues
        ]
    return timelines


def _split_calls(
    timelines: Sequence[Sequence[TimeSlice]],
    sessions: Sequence[AgentSession],
    callbacks: Sequence[Sequence[int]],
) -> Iterator[tuple[AgentSession, TimeSlice]]:
    """Yield the time slices of all *timelines* with their sessions.

    Slices of a call that began during its agent's callback are split where work on the callback
    begins and ends.
    """
    for session, timeline, callback_indices in zip(sessions, timelines, callbacks, strict=True):
        spans = merge_spans(
            (time_slice.start, time_slice.end)
            for index in callback_indices
            if _began_within(timeline, timelines[index])
            for time_slice in timelines[index]
            if _is_work(sessions[index], time_slice)
        )
        for time_slice in timeline:
            parts = split_at_callbacks(time_slice, spans if _is_work(session, time_slice) else ())
            yield from ((session, part) for part in parts)


def _is_work(session: AgentSession, time_slice: TimeSlice) -> bool:
    return session.segments[time_slice.segment_index].segment_type in WORK_SEGMENT_TYPES


def _began_within(call: Sequence[TimeSlice], callback: Sequence[TimeSlice]) -> bool:
    """Tell whether the session of *call* began during the session of *callback*."""
    if not call or not callback:
        return False
    began = min(time_slice.start for time_slice in call)
    return (
        min(time_slice.start for time_slice in callback)
        <= began
        < max(time_slice.end for time_slice in callback)
    )


def _segment_table(
    time_slices: Sequence[tuple[AgentSession, TimeSlice]], window: Interval
) -> pa.Table:
    """Tabulate *time_slices*, each under every day of *window* that it has a part in."""
    sessions = [session for session, _ in time_slices]
    slices = [time_slice for _, time_slice in time_slices]
    segments = [session.segments[time_slice.segment_index] for session, time_slice in time_slices]
    columns: dict[str, list[object]] = {
        "conversation_id": [session.conversation_id for session in sessions],
        "session_id": [session.session_id for session in sessions],
        "agent_id": [session.agent_id for session in sessions],
        "queue_id": [segment.queue_id for segment in segments],
        "media_type": [session.media_type for session in sessions],
        "acd": [session.acd for session in sessions],
        "voice_of_callback": [time_slice.under_callback for time_slice in slices],
        "segment_type": [segment.segment_type for segment in segments],
        "start_ms": [time_slice.start for time_slice in slices],
        "end_ms": [time_slice.end for time_slice in slices],
        "open": [time_slice.open for time_slice in slices],
    }
    table = pa.table(columns, schema=SEGMENTS_SCHEMA.remove(0))
    return pa.concat_tables(_segments_in_day(table, day) for day in window.split_into_windows(DAY))


def _segments_in_day(table: pa.Table, day: Interval) -> pa.Table:
    """Return the segments with a part in *day*, with its start as `window_start`."""
    start, end = epoch_ms(day.start), epoch_ms(day.end)
    table = table.filter(
        pc.and_(
            pc.less(table["start_ms"], pc.min_element_wise(table["end_ms"], end)),
            pc.greater(table["end_ms"], start),
        )
    )
    window_start = pa.repeat(pa.scalar(day.start, TIMESTAMP), table.num_rows)
    return table.add_column(0, SEGMENTS_SCHEMA[0], window_start)


def _emitted_table(
    sessions: Sequence[AgentSession],
    posted: Sequence[PostedValue],
    emitted: pa.Array,
    window: Interval,
) -> pa.Table:
    """Tabulate the *posted* values of *window*; *emitted* has their times in ms since 1970."""
    queue_ids = [_joined_queue_ids(session) for session in sessions]
    owners = [sessions[value.session_index] for value in posted]
    columns = [
        emitted.cast(TIMESTAMP),
        [session.conversation_id for session in owners],
        [session.session_id for session in owners],
        [session.agent_id for session in owners],
        [queue_ids[value.session_index] for value in posted],
        [session.media_type for session in owners],
        [value.metric for value in posted],
        [value.value for value in posted],
    ]
    table = pa.table(dict(zip(EMITTED_SCHEMA.names, columns, strict=True)), schema=EMITTED_SCHEMA)
    start, end = epoch_ms(window.start), epoch_ms(window.end)
    return table.filter(pc.and_(pc.greater_equal(emitted, start), pc.less(emitted, end)))


def _joined_queue_ids(session: AgentSession) -> str | None:
    """Return the queues of *session* with commas, as conversation aggregates join them."""
    return (
        ",".join(
            dict.fromkeys(segment.queue_id for segment in session.segments if segment.queue_id)
        )
        or None
    )
