"""Bodies of conversation aggregate queries, parsed and checked as by the real API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from genesys_emulator.queries.filter_parsing import AGGREGATES, parse_filter
from genesys_emulator.queries.filters import EVERYTHING, Clause
from genesys_emulator.wire import errors
from genesys_emulator.wire.json_objects import parse_object, parse_words
from genesys_emulator.wire.timestamps import Granularity, parse_granularity, parse_timestamp
from genesys_emulator.wire.vocabulary import EMULATED, GROUP_BY, METRICS

COMMON_FIELDS: Mapping[str, type] = {
    "interval": str,
    "granularity": str,
    "timeZone": str,
    "groupBy": list,
    "filter": dict,
    "metrics": list,
    "flattenMultivaluedDimensions": bool,
    "views": list,
    "alternateTimeDimension": str,
}
"""Fields of every aggregate query: of conversations, of users and of capacity."""

FIELDS = {**COMMON_FIELDS, "queryType": str, "sortMetric": dict, "limit": int}
NOT_EMULATED = ("views", "alternateTimeDimension", "sortMetric", "limit")
MOST_VIEWS = 10


@dataclass(frozen=True, slots=True)
class AggregateQuery:
    """An aggregate query over [*start*, *end*) in ms; *zone* is None if the body has none."""

    start: int
    end: int
    metrics: frozenset[str]
    granularity: Granularity | None = None
    zone: tzinfo | None = None
    group_by: tuple[str, ...] = ()
    filter: Clause = EVERYTHING
    flatten: bool = False


def parse_query(body: object) -> AggregateQuery:
    """Parse *body*, which is decoded JSON. Raises ApiError."""
    given = parse_object(body, FIELDS, "ConversationAggregationQuery")
    for name in ("interval", "metrics"):
        if not given.get(name):
            raise errors.missing_property(name, "ConversationAggregationQuery")
    zone = zone_of(given.get("timeZone"))
    start, end = interval_of(given["interval"], zone or UTC)
    checked = AggregateQuery(
        start=start,
        end=end,
        metrics=frozenset(parse_words(given["metrics"], METRICS, "ConversationMetric")),
        granularity=granularity_of(given.get("granularity")),
        zone=zone,
        group_by=parse_words(given.get("groupBy", ()), GROUP_BY, "ConversationDimension"),
        filter=parse_filter(given.get("filter"), AGGREGATES),
        flatten=given.get("flattenMultivaluedDimensions", False),
    )
    _refuse_unemulated(given, checked)
    return checked


def zone_of(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise errors.invalid_value(
            name, "DateTimeZone", ["names of the IANA time zone database"]
        ) from None


def interval_of(text: str, zone: tzinfo) -> tuple[int, int]:
    start, slash, end = text.partition("/")
    if not slash:
        raise errors.invalid_date()
    try:
        bounds = parse_timestamp(start, zone), parse_timestamp(end, zone)
    except ValueError:
        raise errors.invalid_date() from None
    if bounds[0] >= bounds[1]:
        raise errors.ApiError(400, "bad.request", f"The interval [{text}] must end after it starts")
    return bounds


def granularity_of(text: str | None) -> Granularity | None:
    try:
        return None if text is None else parse_granularity(text)
    except ValueError:
        raise errors.invalid_value(
            text, "Period", ["ISO-8601 durations. For example: PT30M"]
        ) from None


def _refuse_unemulated(given: Mapping[str, Any], checked: AggregateQuery) -> None:
    if len(given.get("views", ())) > MOST_VIEWS:
        raise errors.bad_request(f"There may be at most {MOST_VIEWS} views.")
    query_type = given.get("queryType", "groupBy")
    parse_words([query_type], ("groupBy", "topN", "bottomN"), "ConversationAggregationQueryType")
    if query_type != "groupBy":
        raise errors.not_emulated(f"The query type [{query_type}]")
    for name in NOT_EMULATED:
        if given.get(name):
            raise errors.not_emulated(f"The property [{name}]")
    for dimension in checked.group_by:
        if dimension not in EMULATED:
            raise errors.not_emulated(f"Grouping by [{dimension}]")
