"""Conversation details as Arrow tables: what agents did, segment by segment, and what it posted."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from halfhour import wire
from halfhour.columns import chosen, figures, flags, texts
from halfhour.intervals import Interval, epoch_ms
from halfhour.tables import EMITTED, MOMENT, POSTED_METRICS, SEGMENTS
from halfhour.windows import DAY

KNOWN_TYPES = frozenset(
    "alert barging callback coaching contacting converting delay dialing hold interact ivr "
    "monitoring parked scheduled screenmonitoring sharing system transmitting unknown uploading "
    "voicemail wrapup".split()
)
"""Of segments, as the API's schema lists them."""
_POSTED = frozenset(column.metric for column in POSTED_METRICS)
_DECODER = msgspec.json.Decoder(wire.Conversation)


class Oddity(NamedTuple):
    """Something about a conversation that is not as it should be; *kind* says what."""

    kind: str
    conversation_id: str
    detail: str = ""


UNREADABLE = "conversations left out, as they cannot be read"
UNTIMED = "segments left out, as they have no start"
REVERSED = "segments left out, as they end before they start"
OVERLAPPING = "segments that overlap another of their session"
UNKNOWN = "segments of a type that is not known, which count as no work"


@dataclass(frozen=True, slots=True)
class Read:
    """What details say of some days: `tables.SEGMENTS` and `tables.EMITTED`."""

    segments: pa.Table
    emitted: pa.Table
    oddities: list[Oddity] = field(default_factory=list)


class _Leg(NamedTuple):
    """A session of an agent."""

    conversation_id: str
    agent_id: str
    acd: bool
    voice_of_callback: bool
    session: wire.Session


def read(records: Sequence[msgspec.Raw], window: Interval, as_of: datetime) -> Read:
    """What *records* say of agents in *window*; what has no end yet is cut at *as_of*.

    *window* begins where a day (UTC) does, and may have several. A conversation
    that comes twice counts once, as it came last. One that is malformed is left
    out whole, and is among the oddities with the field that is wrong, as are
    segments that cannot be.
    """
    try:
        conversations = {each.conversation_id: each for each in map(_DECODER.decode, records)}
        legs = [leg for each in conversations.values() for leg in _legs(each)]
        return _read(legs, window, as_of)
    except (msgspec.DecodeError, pa.ArrowInvalid) as error:
        if len(records) == 1:
            return Read(
                SEGMENTS.empty_table(), EMITTED.empty_table(), [_unreadable(records[0], error)]
            )
    half = len(records) // 2
    parts = [read(some, window, as_of) for some in (records[:half], records[half:])]
    return Read(
        pa.concat_tables(part.segments for part in parts),
        pa.concat_tables(part.emitted for part in parts),
        [oddity for part in parts for oddity in part.oddities],
    )


def _legs(conversation: wire.Conversation) -> Iterator[_Leg]:
    agents = [each for each in conversation.participants if each.user_id]
    called_back = {
        agent.user_id
        for agent in agents
        for session in agent.sessions
        if session.media_type == "callback"
    }
    for agent in agents:
        for session in agent.sessions:
            voice = session.media_type == "voice" and agent.user_id in called_back
            acd = agent.purpose == "agent"
            yield _Leg(conversation.conversation_id, agent.user_id or "", acd, voice, session)


def _read(legs: Sequence[_Leg], window: Interval, as_of: datetime) -> Read:
    oddities: list[Oddity] = []
    segments = _segments(legs, window, as_of, oddities)
    return Read(segments, _emitted(legs, window), oddities)


def _segments(
    legs: Sequence[_Leg], window: Interval, as_of: datetime, oddities: list[Oddity]
) -> pa.Table:
    places = array("q", (at for at, leg in enumerate(legs) for _ in leg.session.segments))
    listed = [segment for leg in legs for segment in leg.session.segments]
    starts = _ms([segment.segment_start for segment in listed])
    ends = _ms([segment.segment_end for segment in listed])
    table = pa.table(
        {
            "conversation_id": chosen(texts([leg.conversation_id for leg in legs]), places),
            "session_id": chosen(texts([leg.session.session_id for leg in legs]), places),
            "agent_id": chosen(texts([leg.agent_id for leg in legs]), places),
            "queue_id": texts([segment.queue_id for segment in listed]),
            "media_type": chosen(texts([leg.session.media_type for leg in legs]), places),
            "acd": chosen(flags(leg.acd for leg in legs), places),
            "voice_of_callback": chosen(flags(leg.voice_of_callback for leg in legs), places),
            "segment_type": texts([segment.segment_type for segment in listed]),
            "start_ms": starts,
            "end_ms": ends.fill_null(epoch_ms(as_of)),
            "open": ends.is_null(),
        }
    )
    reversed_ = pc.less(ends, starts).fill_null(False)
    untimed = starts.is_null()
    wrong = pc.or_(reversed_, untimed)
    _note(oddities, UNTIMED, table.filter(untimed))
    _note(oddities, REVERSED, table.filter(reversed_))
    table = table.filter(pc.invert(wrong))
    _note(oddities, OVERLAPPING, _overlapping(table))
    unknown = pc.invert(pc.is_in(table["segment_type"], texts(KNOWN_TYPES)))
    _note(oddities, UNKNOWN, table.filter(unknown))
    return pa.concat_tables(_within(table, day) for day in window.windows(DAY))


def _within(table: pa.Table, day: Interval) -> pa.Table:
    """The segments that have a part in *day*, as its."""
    first, last = epoch_ms(day.start), epoch_ms(day.end)
    table = table.filter(
        pc.and_(
            pc.less(table["start_ms"], pc.min_element_wise(table["end_ms"], last)),
            pc.greater(table["end_ms"], first),
        )
    )
    began = figures(array("q", [first]) * table.num_rows, MOMENT)
    return table.add_column(0, "window_start", began).cast(SEGMENTS)


def _overlapping(table: pa.Table) -> pa.Table:
    """The segments that begin before the one before them in their session has ended."""
    ordered = table.sort_by([("session_id", "ascending"), ("start_ms", "ascending")])
    before, after = ordered.slice(0, max(0, ordered.num_rows - 1)), ordered.slice(1)
    together = pc.equal(before["session_id"], after["session_id"])
    return after.filter(pc.and_(together, pc.greater(before["end_ms"], after["start_ms"])))


def _emitted(legs: Sequence[_Leg], window: Interval) -> pa.Table:
    posted = [
        (at, metric)
        for at, leg in enumerate(legs)
        for metric in leg.session.metrics
        if metric.name in _POSTED
    ]
    places = array("q", (at for at, _ in posted))
    table = pa.Table.from_arrays(
        [
            texts([metric.emit_date for _, metric in posted]).cast(MOMENT),
            chosen(texts([leg.conversation_id for leg in legs]), places),
            chosen(texts([leg.session.session_id for leg in legs]), places),
            chosen(texts([leg.agent_id for leg in legs]), places),
            chosen(texts([_queues(leg.session) for leg in legs]), places),
            chosen(texts([leg.session.media_type for leg in legs]), places),
            chosen(flags(leg.voice_of_callback for leg in legs), places),
            texts([metric.name for _, metric in posted]),
            figures(array("q", [metric.value for _, metric in posted]), pa.int64()),
        ],
        schema=EMITTED,
    )
    at = table["emitted_at"].cast(pa.int64())
    first, last = epoch_ms(window.start), epoch_ms(window.end)
    return table.filter(pc.and_(pc.greater_equal(at, first), pc.less(at, last)))


def _queues(session: wire.Session) -> str | None:
    """As conversation aggregates join the queues of one session."""
    return (
        ",".join(dict.fromkeys(each.queue_id for each in session.segments if each.queue_id)) or None
    )


def _ms(moments: list[str | None]) -> pa.Array:
    """Milliseconds since 1970. Raises ArrowInvalid for what is no moment."""
    return texts(moments).cast(MOMENT).cast(pa.int64())


def _note(oddities: list[Oddity], kind: str, odd: pa.Table) -> None:
    found = zip(odd["conversation_id"].to_pylist(), odd["segment_type"].to_pylist(), strict=True)
    oddities += [Oddity(kind, conversation, f"a segment {what}") for conversation, what in found]


def _unreadable(record: msgspec.Raw, error: Exception) -> Oddity:
    """The malformed *record*, by its id and the field that is wrong, as far as they can be told."""
    try:
        found = msgspec.json.decode(record)
    except msgspec.DecodeError:
        return Oddity(UNREADABLE, "?", str(error))
    known = isinstance(found, dict) and isinstance(found.get("conversationId"), str)
    where = _untimely(found, "$") if isinstance(error, pa.ArrowInvalid) else None
    return Oddity(UNREADABLE, found["conversationId"] if known else "?", where or str(error))


def _untimely(value: object, path: str) -> str | None:
    """Where the first time that cannot be read is, under *path*."""
    steps: Iterable[tuple[str, object]] = (
        [(f"{path}.{name}", each) for name, each in value.items()]
        if isinstance(value, dict)
        else [(f"{path}[{at}]", each) for at, each in enumerate(value)]
        if isinstance(value, list)
        else []
    )
    for where, each in steps:
        if where.endswith(_TIMES) and isinstance(each, str):
            try:
                _ms([each])
            except pa.ArrowInvalid:
                return f"{where}: {each!r} is no time"
        elif found := _untimely(each, where):
            return found
    return None


_TIMES = (".segmentStart", ".segmentEnd", ".emitDate")
