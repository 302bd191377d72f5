"""The bodies of queries for the status of users, or the refusals for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from genesys_emulator.queries.aggregates import COMMON_FIELDS, granularity_of, interval_of, zone_of
from genesys_emulator.queries.details import ORDERS, paging, span
from genesys_emulator.queries.filter_parsing import USER_AGGREGATES, USER_DETAILS, read
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
    """*start* and *end* in ms, *end* not included. *zone* is None where none was asked for."""

    start: int
    end: int
    metrics: tuple[str, ...]
    granularity: Granularity | None
    zone: tzinfo | None
    by_user: bool
    filter: Clause


@dataclass(frozen=True, slots=True)
class UserDetailsQuery:
    """*start* and *end* in ms. Every one of the *filters* must hold."""

    start: int
    end: int
    filters: tuple[Clause, ...]
    descending: bool
    page_size: int = 0
    page_number: int = 1

    @property
    def filter(self) -> Clause:
        return Clause("and", self.filters)


def users_query(body: object) -> UsersQuery:
    """What *body* asks of ``users/aggregates``, at once or by a job. Raises ApiError.

    A query must name its users, a hundred at most.
    """
    given = parse_object(body, COMMON_FIELDS, "UserAggregationQuery")
    for name in ("interval", "metrics", "filter"):
        if not given.get(name):
            raise errors.missing_property(name, "UserAggregationQuery")
    _refuse_what_is_not_emulated(given)
    zone = zone_of(given.get("timeZone"))
    start, end = interval_of(given["interval"], zone or UTC)
    return UsersQuery(
        start,
        end,
        parse_words(given["metrics"], METRICS, "UserMetric"),
        granularity_of(given.get("granularity")),
        zone,
        bool(parse_words(given.get("groupBy", ()), ("userId",), USER_AGGREGATES.dimension)),
        _few(read(given["filter"], USER_AGGREGATES)),
    )


def user_details_query(body: object) -> UserDetailsQuery:
    """What *body* asks of ``users/details/query``, which answers at once. Raises ApiError."""
    given = parse_object(body, DETAILS, "UserDetailsQuery")
    size, number = paging(given)
    start, end = span(given, "UserDetailsQuery", filtered=bool(given.get("userFilters")))
    return _details(given, start, end, page_size=size, page_number=number)


def user_details_job(body: object) -> UserDetailsQuery:
    """What *body* asks of a job, which is neither paged nor short of time. Raises ApiError."""
    given = parse_object(body, JOB, "AsyncUserDetailsQuery")
    start, end = span(given, "AsyncUserDetailsQuery", filtered=None)
    return _details(given, start, end)


def _details(given: Mapping[str, Any], start: int, end: int, **paged: int) -> UserDetailsQuery:
    _refuse_what_is_not_emulated(given)
    (order,) = parse_words([given.get("order", "asc")], ORDERS, "QueryOrder")
    filters = tuple(_few(read(each, USER_DETAILS)) for each in given.get("userFilters", ()))
    return UserDetailsQuery(start, end, filters, order == "desc", **paged)


def _few(clause: Clause) -> Clause:
    if clause.size > MOST_PREDICATES:
        raise errors.bad_request(f"There may be at most {MOST_PREDICATES} predicates.")
    if clause == EVERYTHING:
        raise errors.missing_property("predicates", "UserAggregateQueryFilter")
    return clause


def _refuse_what_is_not_emulated(given: Mapping[str, Any]) -> None:
    for name in NOT_EMULATED:
        if given.get(name):
            raise errors.not_emulated(f"The property [{name}]")
