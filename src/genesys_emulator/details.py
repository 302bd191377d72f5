"""Conversation details: which of a centre's conversations a query finds, in order."""

from collections.abc import Callable, Iterable, Iterator

from genesys_emulator.details_validation import DetailsQuery
from genesys_emulator.filters import Clause
from genesys_emulator.instants import DAY
from genesys_emulator.records import Detail, Record

Values = dict[str, tuple[str, ...]]
"""By dimension: none, one or several."""

OF_SEGMENT = ("queueId", "segmentType", "disconnectType")

Between = Callable[[int, int], Iterable[Detail]]
"""All conversations with activity between two moments, in any order, and maybe more."""


def started(query: DetailsQuery, between: Between, until: int) -> Iterator[Detail]:
    """Those of ``details/query``, in order: begun on a day (UTC) that the interval touches."""
    first, end = _days(query)
    return _in_order(query, between, first, end, until=until, since=first)


def how_many_started(query: DetailsQuery, between: Between, until: int) -> int:
    first, end = _days(query)
    last = min(end, until)
    return sum(
        first <= each.start < last and _wanted(query, each, until) for each in between(first, last)
    )


def active(query: DetailsQuery, between: Between, until: int) -> Iterator[Detail]:
    """Those of a job, in order: with any activity in the interval, whenever they began."""
    since = query.start // DAY * DAY if query.from_start_of_day else 0
    found = _in_order(query, between, query.start, query.end, until=until, since=since)
    return (each for each in found if each.end > query.start)


def _days(query: DetailsQuery) -> tuple[int, int]:
    return query.start // DAY * DAY, -(-query.end // DAY) * DAY


def _in_order(
    query: DetailsQuery, between: Between, start: int, end: int, *, until: int, since: int
) -> Iterator[Detail]:
    """Those with activity from *start* on, begun after *since* and before *end* and *until*.

    No more than a day of them is in memory.
    """
    days = range(start, min(end, until), DAY)
    for day in reversed(days) if query.descending else days:
        first = since if day == start else day
        last = min(day + DAY, end, until)
        begun = (each for each in between(day, last) if first <= each.start < last)
        wanted = (each for each in begun if _wanted(query, each, until))
        yield from sorted(wanted, key=lambda each: each[:3], reverse=query.descending)


def _wanted(query: DetailsQuery, detail: Detail, until: int) -> bool:
    """Every segment filter is to hold for some segment, not all of them for the same one."""
    if not query.conversation and not query.segment:
        return True
    record = detail.record(until)
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
