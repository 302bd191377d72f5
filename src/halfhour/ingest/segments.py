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
    NAMELESS,
    UNREADABLE,
    Oddity,
    decoded,
    milliseconds,
    span,
    untimely,
)
from halfhour.ingest.sessions import Leg, Posted, callbacks_of, legs_of, posted_by
from halfhour.ingest.timeline import REVERSED, UNTIMED, WORK, Over, Piece, Timed, cut, pieces, union
from halfhour.model.arrow_columns import chosen, figures, flags, texts
from halfhour.model.coverage import DAY
from halfhour.model.intervals import Interval, epoch_ms
from halfhour.model.tables import EMITTED, MOMENT, SEGMENTS

EMPTY = "conversations left out, as they say nothing of what their agents did"


@dataclass(frozen=True, slots=True)
class Read:
    """What details say of some days: `tables.SEGMENTS` and `tables.EMITTED`.

    *conversations* are the ids of all that were read, whether or not these say anything of them.
    """

    segments: pa.Table
    emitted: pa.Table
    conversations: list[str]
    oddities: list[Oddity] = field(default_factory=list)


def read(records: Sequence[msgspec.Raw], window: Interval, as_of: datetime) -> Read:
    """What *records* say of agents in *window*; what has no end yet is cut at *as_of*.

    *window* begins where a day (UTC) does, and may have several. A conversation
    that comes twice counts once, as it came last. One that is malformed is left
    out whole, and is among the oddities with the field that is wrong, as are
    segments and values that cannot be.
    """
    last: dict[str | int, payloads.Conversation | Oddity] = {}
    for at, found in enumerate(map(decoded, records)):
        last[at if found.conversation_id == NAMELESS else found.conversation_id] = found
    try:
        details = _read(last.values(), window, as_of)
    except pa.ArrowInvalid:  # which does not say whose time cannot be read
        details = _read([_timely(each, window) for each in last.values()], window, as_of)
    if any(oddity.is_left_out for oddity in details.oddities):
        spans = _spans(records)
        details.oddities[:] = [
            oddity._replace(span=spans[oddity.conversation_id]) if oddity.is_left_out else oddity
            for oddity in details.oddities
        ]
    return details


def _spans(records: Sequence[msgspec.Raw]) -> dict[str, tuple[int, int] | None]:
    """Return the first and last time of all records of a conversation, as far as each tells."""
    spans: dict[str, tuple[int, int] | None] = {}
    for record in records:
        name, new = decoded(record).conversation_id, span(record)
        old = spans.get(name, new)
        spans[name] = (min(old[0], new[0]), max(old[1], new[1])) if old and new else None
    return spans


def _timely(
    found: payloads.Conversation | Oddity, window: Interval
) -> payloads.Conversation | Oddity:
    """*found*, or where the time is in it that cannot be read."""
    try:
        _read([found], window, window.end)
    except pa.ArrowInvalid as error:
        where = untimely(msgspec.to_builtins(found), "$")
        return Oddity(UNREADABLE, found.conversation_id, where or str(error), is_left_out=True)
    return found


def _read(
    found: Collection[payloads.Conversation | Oddity], window: Interval, as_of: datetime
) -> Read:
    """Raises ArrowInvalid where a time cannot be read."""
    oddities = [each for each in found if isinstance(each, Oddity)]
    legs = [
        leg for each in found if isinstance(each, payloads.Conversation) for leg in legs_of(each)
    ]
    callbacks = callbacks_of(legs)
    posted = list(posted_by(legs, oddities))
    emitted = milliseconds(each.emit_date for each in posted)
    oddities += _empty(legs, posted, oddities)
    handled: dict[int, list[int]] = {}
    for each, at in zip(posted, emitted.to_pylist(), strict=True):
        if each.metric == "tHandle":
            handled.setdefault(each.leg, []).append(at)
    worked = list(_cut(_pieces(legs, handled, epoch_ms(as_of), oddities), legs, callbacks))
    return Read(
        _segments(legs, worked, window),
        _emitted(legs, posted, emitted, window),
        [each.conversation_id for each in found if each.conversation_id != NAMELESS],
        oddities,
    )


def _empty(
    legs: Sequence[Leg], posted: Sequence[Posted], oddities: Sequence[Oddity]
) -> Iterator[Oddity]:
    """Yield the conversations of agents that have neither segments nor posted values."""
    told = {legs[value.leg].conversation_id for value in posted}
    told |= {leg.conversation_id for leg in legs if leg.segments}
    told |= {oddity.conversation_id for oddity in oddities}
    for conversation_id in dict.fromkeys(leg.conversation_id for leg in legs):
        if conversation_id not in told:
            yield Oddity(EMPTY, conversation_id, is_left_out=True)


def _pieces(
    legs: Sequence[Leg], handled: Mapping[int, list[int]], as_of: int, oddities: list[Oddity]
) -> list[list[Piece]]:
    """Return the pieces of each leg, which has posted handle time when *handled* says."""
    listed = [segment for leg in legs for segment in leg.segments]
    starts = milliseconds(each.segment_start for each in listed).to_pylist()
    ends = milliseconds(each.segment_end for each in listed).to_pylist()
    timed = map(Timed, (each.segment_type for each in listed), starts, ends)
    ended = milliseconds(leg.ended for leg in legs).to_pylist()
    found = []
    for at, leg in enumerate(legs):
        over = Over(handled.get(at, ()), ended[at])
        those, odd = pieces(list(islice(timed, len(leg.segments))), over, as_of)
        found.append(those)
        oddities += [
            Oddity(kind, leg.conversation_id, leg.where(place), kind in (UNTIMED, REVERSED))
            for kind, place in odd
        ]
    return found


def _cut(
    worked: Sequence[Sequence[Piece]], legs: Sequence[Leg], callbacks: Sequence[Sequence[int]]
) -> Iterator[tuple[int, Piece]]:
    """Yield the pieces with the places of their legs.

    The pieces of a call that began within its agent's callback are cut where work on
    the callback begins and ends.
    """
    for leg, call in enumerate(worked):
        spans = union(
            (piece.start, piece.end)
            for callback in callbacks[leg]
            if _began_within(call, worked[callback])
            for piece in worked[callback]
            if legs[callback].segments[piece.at].segment_type in WORK
        )
        for piece in call:
            works = legs[leg].segments[piece.at].segment_type in WORK
            yield from ((leg, part) for part in cut(piece, spans if works else ()))


def _began_within(call: Sequence[Piece], callback: Sequence[Piece]) -> bool:
    """Tell whether the session of *call* began while that of *callback* went on."""
    if not call or not callback:
        return False
    began = min(piece.start for piece in call)
    return min(piece.start for piece in callback) <= began < max(piece.end for piece in callback)


def _segments(
    legs: Sequence[Leg], listed: Sequence[tuple[int, Piece]], window: Interval
) -> pa.Table:
    places = array("q", (at for at, _ in listed))
    segments = [legs[at].segments[piece.at] for at, piece in listed]
    table = pa.table(
        {
            "conversation_id": chosen(texts([leg.conversation_id for leg in legs]), places),
            "session_id": chosen(texts([leg.session_id for leg in legs]), places),
            "agent_id": chosen(texts([leg.agent_id for leg in legs]), places),
            "queue_id": texts([segment.queue_id for segment in segments]),
            "media_type": chosen(texts([leg.media_type for leg in legs]), places),
            "acd": chosen(flags(leg.acd for leg in legs), places),
            "voice_of_callback": flags(piece.under_callback for _, piece in listed),
            "segment_type": texts([segment.segment_type for segment in segments]),
            "start_ms": figures(array("q", (piece.start for _, piece in listed)), pa.int64()),
            "end_ms": figures(array("q", (piece.end for _, piece in listed)), pa.int64()),
            "open": flags(piece.open for _, piece in listed),
        }
    )
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


def _emitted(
    legs: Sequence[Leg], posted: Sequence[Posted], at: pa.Array, window: Interval
) -> pa.Table:
    """What was *posted*, each *at* its millisecond."""
    places = array("q", (each.leg for each in posted))
    table = pa.Table.from_arrays(
        [
            at.cast(MOMENT),
            chosen(texts([leg.conversation_id for leg in legs]), places),
            chosen(texts([leg.session_id for leg in legs]), places),
            chosen(texts([leg.agent_id for leg in legs]), places),
            chosen(texts([_queues(leg) for leg in legs]), places),
            chosen(texts([leg.media_type for leg in legs]), places),
            texts([each.metric for each in posted]),
            figures(array("q", (each.value for each in posted)), pa.int64()),
        ],
        schema=EMITTED,
    )
    first, last = epoch_ms(window.start), epoch_ms(window.end)
    return table.filter(pc.and_(pc.greater_equal(at, first), pc.less(at, last)))


def _queues(leg: Leg) -> str | None:
    """As conversation aggregates join the queues of one session."""
    return ",".join(dict.fromkeys(each.queue_id for each in leg.segments if each.queue_id)) or None
