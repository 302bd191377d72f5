"""Conversation details: which of a centre's conversations a query finds, and pages of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from genesys_emulator.details_validation import DetailsQuery
from genesys_emulator.filters import Clause
from genesys_emulator.instants import DAY
from genesys_emulator.records import Detail, Record

T = TypeVar("T")
Values = dict[str, tuple[str, ...]]
"""By dimension: none, one or several."""

OF_SEGMENT = ("queueId", "segmentType", "disconnectType")


def started(query: DetailsQuery, details: Iterable[Detail], until: int) -> list[Detail]:
    """Those of ``details/query``: begun on a day (UTC) that the interval touches."""
    first, last = query.start // DAY, (query.end - 1) // DAY
    return _sorted(query, (each for each in details if first <= each.start // DAY <= last), until)


def active(query: DetailsQuery, details: Iterable[Detail], until: int) -> list[Detail]:
    """Those of a job: with any activity in the interval, whenever they began.

    A leg that stays open for weeks is no activity, but its end is.
    """
    since = query.start // DAY * DAY if query.from_start_of_day else 0
    found = (
        each
        for each in details
        if (each.start < query.end and each.quiet > query.start)
        or query.start < each.end <= query.end
        if each.start >= since
    )
    return _sorted(query, found, until)


def page(found: Sequence[T], size: int, number: int) -> Sequence[T]:
    """Page *number*, from 1; nothing past the end."""
    return found[(number - 1) * size : number * size]


def _sorted(query: DetailsQuery, details: Iterable[Detail], until: int) -> list[Detail]:
    begun = (each for each in details if each.start < until and _wanted(query, each, until))
    return sorted(
        begun, key=lambda each: (each.start, each.conversation_id), reverse=query.descending
    )


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
