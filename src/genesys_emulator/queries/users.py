"""Bodies of queries for the status of users, parsed and checked as by the real API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from genesys_emulator.queries.aggregates import COMMON_FIELDS, granularity_of, interval_of, zone_of
from genesys_emulator.queries.details import ORDERS, parse_paging, parse_span
from genesys_emulator.queries.filter_parsing import USER_AGGREGATES, USER_DETAILS, parse_filter
from genesys_emulator.queries.filters import EVERYTHING, Clause
from genesys_emulator.wire import errors
from genesys_emulator.wire.json_objects import parse_object, parse_words
from genesys_emulator.wire.timestamps import Granularity

METRICS = ("tAgentRoutingStatus", "tOrganizationPresence", "tSystemPresence")
MOST_PREDICATES = 100

COMMON: Mapping[str, type] = {
    "interval": str,
    "userFilters": list,
    "presenceFilters": list,
    "routingStatusFilters": list,
    "order": str,
}
DETAILS = {
    **COMMON,
    "presenceAggregations": list,
    "routingStatusAggregations": list,
    "paging": dict,
}
JOB = {**COMMON, "limit": int}
NOT_EMULATED = (
    "views",
    "alternateTimeDimension",
    "presenceFilters",
    "routingStatusFilters",
    "presenceAggregations",
    "routingStatusAggregations",
    "limit",
)


@dataclass(frozen=True, slots=True)
class UsersQuery:
    """A query over [*start*, *end*) in ms; *zone* is None if the body has none."""

    start: int
    end: int
    metrics: tuple[str, ...]
    granularity: Granularity | None
    zone: tzinfo | None
    by_user: bool
    filter: Clause


@dataclass(frozen=True, slots=True)
class UserDetailsQuery:
    """A query for records over *start* to *end* in ms; all *filters* must hold."""

    start: int
    end: int
    filters: tuple[Clause, ...]
    descending: bool
    page_size: int = 0
    page_number: int = 1

    @property
    def combined_filter(self) -> Clause:
        return Clause("and", self.filters)


def parse_users_query(body: object) -> UsersQuery:
    """Parse the *body* of ``users/aggregates``, a query or a job. Raises ApiError.

    It must name its users, a hundred at most.
    """
    given = parse_object(body, COMMON_FIELDS, "UserAggregationQuery")
    for name in ("interval", "metrics", "filter"):
        if not given.get(name):
            raise errors.missing_property(name, "UserAggregationQuery")
    _refuse_unemulated(given)
    zone = zone_of(given.get("timeZone"))
    start, end = interval_of(given["interval"], zone or UTC)
    return UsersQuery(
        start,
        end,
        parse_words(given["metrics"], METRICS, "UserMetric"),
        granularity_of(given.get("granularity")),
        zone,
        bool(parse_words(given.get("groupBy", ()), ("userId",), USER_AGGREGATES.dimension)),
        _bounded_filter(parse_filter(given["filter"], USER_AGGREGATES)),
    )


def parse_user_details_query(body: object) -> UserDetailsQuery:
    """Parse the *body* of ``users/details/query``, which answers at once. Raises ApiError."""
    given = parse_object(body, DETAILS, "UserDetailsQuery")
    size, number = parse_paging(given)
    start, end = parse_span(given, "UserDetailsQuery", filtered=bool(given.get("userFilters")))
    return _make_details_query(given, start, end, page_size=size, page_number=number)


def parse_user_details_job(body: object) -> UserDetailsQuery:
    """Parse the *body* of a job, which has no pages and may span any time. Raises ApiError."""
    given = parse_object(body, JOB, "AsyncUserDetailsQuery")
    start, end = parse_span(given, "AsyncUserDetailsQuery", filtered=None)
    return _make_details_query(given, start, end)


def _make_details_query(
    given: Mapping[str, Any], start: int, end: int, **paged: int
) -> UserDetailsQuery:
    _refuse_unemulated(given)
    (order,) = parse_words([given.get("order", "asc")], ORDERS, "QueryOrder")
    filters = tuple(
        _bounded_filter(parse_filter(clause, USER_DETAILS))
        for clause in given.get("userFilters", ())
    )
    return UserDetailsQuery(start, end, filters, order == "desc", **paged)


def _bounded_filter(clause: Clause) -> Clause:
    if clause.predicate_count > MOST_PREDICATES:
        raise errors.bad_request(f"There may be at most {MOST_PREDICATES} predicates.")
    if clause == EVERYTHING:
        raise errors.missing_property("predicates", "UserAggregateQueryFilter")
    return clause


def _refuse_unemulated(given: Mapping[str, Any]) -> None:
    for name in NOT_EMULATED:
        if given.get(name):
            raise errors.not_emulated(f"The property [{name}]")
