"""Conversations that a details query or job finds, in order."""

from collections.abc import Iterable, Iterator
from itertools import chain

from genesys_emulator.queries.details import DetailsQuery
from genesys_emulator.queries.filters import Clause
from genesys_emulator.simulation.detail_records import Detail, Record
from genesys_emulator.simulation.restatements import Snapshot
from genesys_emulator.simulation.source import Centre
from genesys_emulator.wire.timestamps import DAY

Values = dict[str, tuple[str, ...]]
"""Values by dimension: none, one or several."""

OF_SEGMENT = ("queueId", "segmentType", "disconnectType")


def started_details(query: DetailsQuery, centre: Centre, snapshot: Snapshot) -> Iterator[Detail]:
    """Yield the conversations that began on a day (UTC) of the interval, for ``details/query``."""
    return _details_begun(query, centre, *_day_bounds(query), snapshot)


def count_started(query: DetailsQuery, centre: Centre, snapshot: Snapshot) -> int:
    first, end = _day_bounds(query)
    last = min(end, snapshot.now)
    return sum(
        first <= detail.start < last and _is_wanted(query, detail, snapshot)
        for detail in centre.conversations_begun(first, last)
    )


def active_details(query: DetailsQuery, centre: Centre, snapshot: Snapshot) -> Iterator[Detail]:
    """Yield the conversations with activity in the interval, for a job; they may begin before it.

    A session that stays open for weeks is no activity, but its end is.
    """

    def begun_before() -> Iterator[Detail]:
        since = query.start // DAY * DAY if query.from_start_of_day else 0
        carried = (
            detail
            for detail in centre.conversations_carried(query.start, query.end)
            if since <= detail.start < query.start
            if detail.quiet > query.start or query.start < detail.end <= query.end
            if _is_wanted(query, detail, snapshot)
        )
        yield from _sort_details(query, carried)

    def begun_within() -> Iterator[Detail]:
        return _details_begun(query, centre, query.start, query.end, snapshot)

    return (
        chain(begun_within(), begun_before())
        if query.descending
        else chain(begun_before(), begun_within())
    )


def _day_bounds(query: DetailsQuery) -> tuple[int, int]:
    return query.start // DAY * DAY, -(-query.end // DAY) * DAY


def _details_begun(
    query: DetailsQuery, centre: Centre, start: int, end: int, snapshot: Snapshot
) -> Iterator[Detail]:
    """Yield the known conversations that begin in [start, end), one day at a time in memory."""
    days = range(start, min(end, snapshot.now), DAY)
    for day in reversed(days) if query.descending else days:
        last = min(day + DAY, end, snapshot.now)
        begun = (
            detail for detail in centre.conversations_begun(day, last) if day <= detail.start < last
        )
        yield from _sort_details(
            query, (detail for detail in begun if _is_wanted(query, detail, snapshot))
        )


def _sort_details(query: DetailsQuery, details: Iterable[Detail]) -> list[Detail]:
    return sorted(details, key=lambda detail: detail[:4], reverse=query.descending)


def _is_wanted(query: DetailsQuery, detail: Detail, snapshot: Snapshot) -> bool:
    """Return whether all filters hold; segment filters may hold for different segments."""
    if not detail.is_known(snapshot):
        return False
    if not query.conversation and not query.segment:
        return True
    record = detail.record(snapshot)
    segments = list(_segment_values(record)) if query.segment else []
    return all(
        _clause_holds(clause, _conversation_values(record)) for clause in query.conversation
    ) and all(any(_clause_holds(clause, values) for values in segments) for clause in query.segment)


def _clause_holds(clause: Clause, values: Values) -> bool:
    return clause.holds_for(values.get) is True


def _conversation_values(record: Record) -> Values:
    return {
        "conversationId": (record["conversationId"],),
        "divisionId": tuple(record.get("divisionIds", ())),
        "originatingDirection": _single_value(record, "originatingDirection"),
    }


def _segment_values(record: Record) -> Iterator[Values]:
    for participant in record.get("participants", ()):
        for session in participant.get("sessions", ()):
            for segment in session.get("segments", ()):
                yield {
                    **{name: _single_value(participant, name) for name in ("userId", "purpose")},
                    **{name: _single_value(session, name) for name in ("mediaType", "direction")},
                    **{name: _single_value(segment, name) for name in OF_SEGMENT},
                }


def _single_value(record: Record, name: str) -> tuple[str, ...]:
    return (record[name],) if record.get(name) else ()
