"""Conversation details: which of a centre's conversations a query finds, in order."""

from collections.abc import Iterable, Iterator
from itertools import chain

from genesys_emulator.queries.details import DetailsQuery
from genesys_emulator.queries.filters import Clause
from genesys_emulator.simulation.detail_records import Detail, Record
from genesys_emulator.simulation.restatements import Snapshot
from genesys_emulator.simulation.source import Centre
from genesys_emulator.wire.timestamps import DAY

Values = dict[str, tuple[str, ...]]
"""By dimension: none, one or several."""

OF_SEGMENT = ("queueId", "segmentType", "disconnectType")


def started(query: DetailsQuery, centre: Centre, as_of: Snapshot) -> Iterator[Detail]:
    """Those of ``details/query``, in order: begun on a day (UTC) that the interval touches."""
    return _begun(query, centre, *_days(query), as_of)


def how_many_started(query: DetailsQuery, centre: Centre, as_of: Snapshot) -> int:
    first, end = _days(query)
    last = min(end, as_of.now)
    return sum(
        first <= each.start < last and _wanted(query, each, as_of)
        for each in centre.conversations_begun(first, last)
    )


def active(query: DetailsQuery, centre: Centre, as_of: Snapshot) -> Iterator[Detail]:
    """Those of a job, in order: with any activity in the interval, whenever they began.

    A leg that stays open for weeks is no activity, but its end is.
    """

    def before() -> Iterator[Detail]:
        since = query.start // DAY * DAY if query.from_start_of_day else 0
        carried = (
            each
            for each in centre.conversations_carried(query.start, query.end)
            if since <= each.start < query.start
            if each.quiet > query.start or query.start < each.end <= query.end
            if _wanted(query, each, as_of)
        )
        yield from _sorted(query, carried)

    def within() -> Iterator[Detail]:
        return _begun(query, centre, query.start, query.end, as_of)

    return chain(within(), before()) if query.descending else chain(before(), within())


def _days(query: DetailsQuery) -> tuple[int, int]:
    return query.start // DAY * DAY, -(-query.end // DAY) * DAY


def _begun(
    query: DetailsQuery, centre: Centre, start: int, end: int, as_of: Snapshot
) -> Iterator[Detail]:
    """Those that begin in [start, end) and are known, of which a day at most is in memory."""
    days = range(start, min(end, as_of.now), DAY)
    for day in reversed(days) if query.descending else days:
        last = min(day + DAY, end, as_of.now)
        begun = (each for each in centre.conversations_begun(day, last) if day <= each.start < last)
        yield from _sorted(query, (each for each in begun if _wanted(query, each, as_of)))


def _sorted(query: DetailsQuery, found: Iterable[Detail]) -> list[Detail]:
    return sorted(found, key=lambda each: each[:4], reverse=query.descending)


def _wanted(query: DetailsQuery, detail: Detail, as_of: Snapshot) -> bool:
    """Every segment filter is to hold for some segment, not all of them for the same one."""
    if not detail.is_known(as_of):
        return False
    if not query.conversation and not query.segment:
        return True
    record = detail.record(as_of)
    segments = list(_segments(record)) if query.segment else []
    return all(_holds(clause, _conversation(record)) for clause in query.conversation) and all(
        any(_holds(clause, values) for values in segments) for clause in query.segment
    )


def _holds(clause: Clause, values: Values) -> bool:
    return clause.verdict(values.get) is True


def _conversation(record: Record) -> Values:
    return {
        "conversationId": (record["conversationId"],),
        "divisionId": tuple(record.get("divisionIds", ())),
        "originatingDirection": _one(record, "originatingDirection"),
    }


def _segments(record: Record) -> Iterator[Values]:
    for participant in record.get("participants", ()):
        for session in participant.get("sessions", ()):
            for segment in session.get("segments", ()):
                yield {
                    **{name: _one(participant, name) for name in ("userId", "purpose")},
                    **{name: _one(session, name) for name in ("mediaType", "direction")},
                    **{name: _one(segment, name) for name in OF_SEGMENT},
                }


def _one(record: Record, name: str) -> tuple[str, ...]:
    return (record[name],) if record.get(name) else ()
