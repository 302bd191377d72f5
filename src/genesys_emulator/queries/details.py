"""Bodies of details queries and jobs, parsed and checked as by the real API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from genesys_emulator.queries.aggregates import interval_of
from genesys_emulator.queries.filter_parsing import CONVERSATIONS, SEGMENTS, Dialect, parse_filter
from genesys_emulator.queries.filters import Clause
from genesys_emulator.wire import errors
from genesys_emulator.wire.json_objects import parse_object, parse_words
from genesys_emulator.wire.timestamps import DAY

COMMON: Mapping[str, type] = {
    "interval": str,
    "conversationFilters": list,
    "segmentFilters": list,
    "evaluationFilters": list,
    "surveyFilters": list,
    "resolutionFilters": list,
    "order": str,
    "orderBy": str,
}
QUERY = {**COMMON, "aggregations": list, "paging": dict}
JOB = {**COMMON, "limit": int, "startOfDayIntervalMatching": bool}
PAGING: Mapping[str, type] = {"pageSize": int, "pageNumber": int}

ORDERS = ("asc", "desc", "unordered")
ORDER_BY = ("conversationStart", "conversationEnd", "segmentStart", "segmentEnd")
NOT_EMULATED = ("evaluationFilters", "surveyFilters", "resolutionFilters", "aggregations", "limit")
PAGE_SIZE, MOST_PER_PAGE, MOST_RESULTS = 25, 100, 100_000
UNFILTERED, FILTERED = 7, 31
"""Most days that a query may span, without and with a filter."""


@dataclass(frozen=True, slots=True)
class DetailsQuery:
    """A details query over *start* to *end* in ms.

    Every filter must hold, for the conversation or for one of its segments.
    """

    start: int
    end: int
    conversation: tuple[Clause, ...] = ()
    segment: tuple[Clause, ...] = ()
    descending: bool = False
    page_size: int = PAGE_SIZE
    page_number: int = 1
    from_start_of_day: bool = False


def parse_details_query(body: object) -> DetailsQuery:
    """Parse the *body* of ``details/query``, which answers at once. Raises ApiError."""
    given = parse_object(body, QUERY, "ConversationQuery")
    size, number = parse_paging(given)
    filtered = bool(given.get("conversationFilters") or given.get("segmentFilters"))
    start, end = parse_span(given, "ConversationQuery", filtered=filtered)
    return _make_query(given, start, end, page_size=size, page_number=number)


def parse_details_job(body: object) -> DetailsQuery:
    """Parse the *body* of a job, which has no pages and may span any time. Raises ApiError."""
    given = parse_object(body, JOB, "AsyncConversationQuery")
    start, end = parse_span(given, "AsyncConversationQuery", filtered=None)
    whole = given.get("startOfDayIntervalMatching", False)
    return _make_query(given, start, end, from_start_of_day=whole)


def parse_paging(given: Mapping[str, Any]) -> tuple[int, int]:
    """Return size and number of the page that is asked for. Raises ApiError."""
    spec = parse_object(given.get("paging", {}), PAGING, "PagingSpec")
    size, number = spec.get("pageSize", PAGE_SIZE), spec.get("pageNumber", 1)
    if not 1 <= size <= MOST_PER_PAGE or number < 1:
        raise errors.bad_request(f"pageSize must be 1 to {MOST_PER_PAGE}, pageNumber 1 or more.")
    if size * number > MOST_RESULTS:
        raise errors.ApiError(
            400, "bad.request", f"Pagination may not exceed {MOST_RESULTS} results."
        )
    return size, number


def parse_span(given: Mapping[str, Any], owner: str, *, filtered: bool | None) -> tuple[int, int]:
    """Return start and end of the interval in ms; *filtered* is None if it may have any length.

    Raises ApiError.
    """
    if not given.get("interval"):
        raise errors.missing_property("interval", owner)
    start, end = interval_of(given["interval"], UTC)
    days = FILTERED if filtered else UNFILTERED
    if filtered is not None and end - start > days * DAY:
        raise errors.ApiError(
            400,
            "bad.request",
            "You must specify a search interval as part of your query "
            f"that does not exceed {days} days",
        )
    return start, end


def _make_query(given: Mapping[str, Any], start: int, end: int, **rest: Any) -> DetailsQuery:
    for name in NOT_EMULATED:
        if given.get(name):
            raise errors.not_emulated(f"The property [{name}]")
    (order,) = parse_words([given.get("order", "asc")], ORDERS, "QueryOrder")
    (by,) = parse_words([given.get("orderBy", ORDER_BY[0])], ORDER_BY, "QueryOrderBy")
    if by != ORDER_BY[0]:
        raise errors.not_emulated(f"The order by [{by}]")
    return DetailsQuery(
        start,
        end,
        _parse_filters(given.get("conversationFilters", ()), CONVERSATIONS),
        _parse_filters(given.get("segmentFilters", ()), SEGMENTS),
        descending=order == "desc",
        **rest,
    )


def _parse_filters(given: Any, dialect: Dialect) -> tuple[Clause, ...]:
    return tuple(parse_filter(clause, dialect) for clause in given)
