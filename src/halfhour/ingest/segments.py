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
    """What details say of some days: `tables.SEGMENTS` and `tables.EMITTED`.

    *conversations* are the ids of all that were read, whether or not these say anything of them.
    """

    segments: pa.Table
    emitted: pa.Table
    conversation_ids: list[str]
    data_issues: list[DataIssue] = field(default_factory=list)


def tabulate_records(
    records: Sequence[msgspec.Raw], window: Interval, as_of: datetime
) -> DetailTables:
    """What *records* say of agents in *window*; what has no end yet is cut at *as_of*.

    *window* begins where a day (UTC) does, and may have several. A conversation
    that comes twice counts once, as it came last. One that is malformed is left
    out whole, and is among the oddities with the field that is wrong, as are
    segments and values that cannot be.
    """
    last: dict[str | int, payloads.Conversation | DataIssue] = {}
    for at, found in enumerate(map(decode_record, records)):
        last[at if found.conversation_id == UNKNOWN_CONVERSATION_ID else found.conversation_id] = (
            found
        )
    try:
        details = _build_tables(last.values(), window, as_of)
    except pa.ArrowInvalid:  # which does not say whose time cannot be read
        details = _build_tables(
            [_validate_times(each, window) for each in last.values()], window, as_of
        )
    if any(oddity.is_left_out for oddity in details.data_issues):
        spans = _conversation_time_spans(records)
        details.data_issues[:] = [
            oddity._replace(time_span=spans[oddity.conversation_id])
            if oddity.is_left_out
            else oddity
            for oddity in details.data_issues
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
    found: payloads.Conversation | DataIssue, window: Interval
) -> payloads.Conversation | DataIssue:
    """*found*, or where the time is in it that cannot be read."""
    try:
        _build_tables([found], window, window.end)
    except pa.ArrowInvalid as error:
        where = find_invalid_time(msgspec.to_builtins(found), "$")
        return DataIssue(
            UNREADABLE_CONVERSATIONS, found.conversation_id, where or str(error), is_left_out=True
        )
    return found


def _build_tables(
    found: Collection[payloads.Conversation | DataIssue], window: Interval, as_of: datetime
) -> DetailTables:
    """Raises ArrowInvalid where a time cannot be read."""
    oddities = [each for each in found if isinstance(each, DataIssue)]
    legs = [
        leg
        for each in found
        if isinstance(each, payloads.Conversation)
        for leg in agent_sessions(each)
    ]
    callbacks = callbacks_per_call(legs)
    posted = list(posted_values(legs, oddities))
    emitted = epoch_ms_column(each.emit_date for each in posted)
    oddities += _find_empty_conversations(legs, posted, oddities)
    handled: dict[int, list[int]] = {}
    for each, at in zip(posted, emitted.to_pylist(), strict=True):
        if each.metric == "tHandle":
            handled.setdefault(each.session_index, []).append(at)
    worked = list(
        _split_calls(_session_timelines(legs, handled, epoch_ms(as_of), oddities), legs, callbacks)
    )
    return DetailTables(
        _segment_table(legs, worked, window),
        _emitted_table(legs, posted, emitted, window),
        [each.conversation_id for each in found if each.conversation_id != UNKNOWN_CONVERSATION_ID],
        oddities,
    )


def _find_empty_conversations(
    legs: Sequence[AgentSession], posted: Sequence[PostedValue], oddities: Sequence[DataIssue]
) -> Iterator[DataIssue]:
    """Yield the conversations of agents that have neither segments nor posted values."""
    told = {legs[value.session_index].conversation_id for value in posted}
    told |= {leg.conversation_id for leg in legs if leg.segments}
    told |= {oddity.conversation_id for oddity in oddities}
    for conversation_id in dict.fromkeys(leg.conversation_id for leg in legs):
        if conversation_id not in told:
            yield DataIssue(EMPTY_CONVERSATIONS, conversation_id, is_left_out=True)


def _session_timelines(
    legs: Sequence[AgentSession],
    handled: Mapping[int, list[int]],
    as_of: int,
    oddities: list[DataIssue],
) -> list[list[TimeSlice]]:
    """Return the pieces of each leg, which has posted handle time when *handled* says."""
    listed = [segment for leg in legs for segment in leg.segments]
    starts = epoch_ms_column(each.segment_start for each in listed).to_pylist()
    ends = epoch_ms_column(each.segment_end for each in listed).to_pylist()
    timed = map(TimedSegment, (each.segment_type for each in listed), starts, ends)
    ended = epoch_ms_column(leg.conversation_end for leg in legs).to_pylist()
    found = []
    for at, leg in enumerate(legs):
        over = SessionEndMarkers(handled.get(at, ()), ended[at])
        those, odd = build_timeline(list(islice(timed, len(leg.segments))), over, as_of)
        found.append(those)
        oddities += [
            DataIssue(
                kind,
                leg.conversation_id,
                leg.segment_location(place),
                kind in (SEGMENTS_WITHOUT_START, REVERSED_SEGMENTS),
            )
            for kind, place in odd
        ]
    return found


def _split_calls(
    worked: Sequence[Sequence[TimeSlice]],
    legs: Sequence[AgentSession],
    callbacks: Sequence[Sequence[int]],
) -> Iterator[tuple[int, TimeSlice]]:
    """Yield the pieces with the places of their legs.

    The pieces of a call that began within its agent's callback are cut where work on
    the callback begins and ends.
    """
    for leg, call in enumerate(worked):
        spans = merge_spans(
            (piece.start, piece.end)
            for callback in callbacks[leg]
            if _began_within(call, worked[callback])
            for piece in worked[callback]
            if legs[callback].segments[piece.segment_index].segment_type in WORK_SEGMENT_TYPES
        )
        for piece in call:
            works = legs[leg].segments[piece.segment_index].segment_type in WORK_SEGMENT_TYPES
            yield from ((leg, part) for part in split_at_callbacks(piece, spans if works else ()))


def _began_within(call: Sequence[TimeSlice], callback: Sequence[TimeSlice]) -> bool:
    """Tell whether the session of *call* began while that of *callback* went on."""
    if not call or not callback:
        return False
    began = min(piece.start for piece in call)
    return min(piece.start for piece in callback) <= began < max(piece.end for piece in callback)


def _segment_table(
    legs: Sequence[AgentSession], listed: Sequence[tuple[int, TimeSlice]], window: Interval
) -> pa.Table:
    places = array("q", (at for at, _ in listed))
    segments = [legs[at].segments[piece.segment_index] for at, piece in listed]
    table = pa.table(
        {
            "conversation_id": take_rows(
                string_column([leg.conversation_id for leg in legs]), places
            ),
            "session_id": take_rows(string_column([leg.session_id for leg in legs]), places),
            "agent_id": take_rows(string_column([leg.agent_id for leg in legs]), places),
            "queue_id": string_column([segment.queue_id for segment in segments]),
            "media_type": take_rows(string_column([leg.media_type for leg in legs]), places),
            "acd": take_rows(boolean_column(leg.acd for leg in legs), places),
            "voice_of_callback": boolean_column(piece.under_callback for _, piece in listed),
            "segment_type": string_column([segment.segment_type for segment in segments]),
            "start_ms": integer_column(
                array("q", (piece.start for _, piece in listed)), pa.int64()
            ),
            "end_ms": integer_column(array("q", (piece.end for _, piece in listed)), pa.int64()),
            "open": boolean_column(piece.open for _, piece in listed),
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
    legs: Sequence[AgentSession], posted: Sequence[PostedValue], at: pa.Array, window: Interval
) -> pa.Table:
    """What was *posted*, each *at* its millisecond."""
    places = array("q", (each.session_index for each in posted))
    table = pa.Table.from_arrays(
        [
            at.cast(TIMESTAMP),
            take_rows(string_column([leg.conversation_id for leg in legs]), places),
            take_rows(string_column([leg.session_id for leg in legs]), places),
            take_rows(string_column([leg.agent_id for leg in legs]), places),
            take_rows(string_column([_joined_queue_ids(leg) for leg in legs]), places),
            take_rows(string_column([leg.media_type for leg in legs]), places),
            string_column([each.metric for each in posted]),
            integer_column(array("q", (each.value for each in posted)), pa.int64()),
        ],
        schema=EMITTED_SCHEMA,
    )
    first, last = epoch_ms(window.start), epoch_ms(window.end)
    return table.filter(pc.and_(pc.greater_equal(at, first), pc.less(at, last)))


def _joined_queue_ids(leg: AgentSession) -> str | None:
    """As conversation aggregates join the queues of one session."""
    return ",".join(dict.fromkeys(each.queue_id for each in leg.segments if each.queue_id)) or None
