"""The body of an aggregates query, checked as strictly as the real API may check it."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from genesys_emulator.refusal import Refusal
from genesys_emulator.vocabulary import DIMENSIONS, METRICS

_PROPERTIES = {
    "interval",
    "granularity",
    "timeZone",
    "groupBy",
    "filter",
    "metrics",
    "flattenMultivaluedDimensions",
    "views",
    "alternateTimeDimension",
    "queryType",
    "sortMetric",
    "limit",
}
_NOT_EMULATED = ("views", "alternateTimeDimension", "sortMetric", "limit")
EMULATED = {
    "userId",
    "queueId",
    "mediaType",
    "direction",
    "purpose",
    "divisionId",
    "conversationId",
}
_DURATION = re.compile(
    r"P(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?"
)
MINIMUM = timedelta(minutes=15)
"""The finest that Genesys' own query builder offers."""


@dataclass(frozen=True, slots=True)
class Granularity:
    """Calendar *months* and days go by the clocks of a zone, *clock* by elapsed time."""

    months: int = 0
    days: int = 0
    clock: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Query:
    """*granularity* None is one bucket; *zone* None writes UTC."""

    start: datetime
    end: datetime
    granularity: Granularity | None
    zone: ZoneInfo | None
    group_by: tuple[str, ...]
    metrics: frozenset[str]
    flatten: bool
    filter: dict[str, Any] | None


def query(body: object) -> Query:
    """The query that *body* asks. Raises Refusal, worded as Genesys words it."""
    if not isinstance(body, dict):
        raise Refusal(400)
    for name in body:
        if name not in _PROPERTIES:
            raise _invalid(
                "invalid.property",
                f"Value [{name}] is not a valid property for object [ConversationAggregationQuery]",
            )
    for name in _NOT_EMULATED:
        if name in body:
            raise Refusal(501, f"{name} is not emulated.")
    if body.get("queryType", "groupBy") != "groupBy":
        raise Refusal(501, "queryType is not emulated, but for groupBy.")
    metrics = _words(body, "metrics", METRICS, "ConversationMetric")
    if not metrics:
        raise Refusal(400, "metrics: must not be empty", "constraint.validation")
    group_by = _words(body, "groupBy", DIMENSIONS, "ConversationDimension")
    _only_emulated(group_by)
    start, end = _interval(body.get("interval"))
    if "filter" in body:
        _check_filter(body["filter"], clauses_allowed=True)
    return Query(
        start=start,
        end=end,
        granularity=_granularity(body.get("granularity")),
        zone=_zone(body.get("timeZone")),
        group_by=tuple(dict.fromkeys(group_by)),
        metrics=frozenset(metrics),
        flatten=_flag(body.get("flattenMultivaluedDimensions", False)),
        filter=body.get("filter"),
    )


def _words(body: dict[str, Any], name: str, known: Collection[str], kind: str) -> list[str]:
    values = body.get(name) or []
    if not isinstance(values, list):
        raise Refusal(400, f"{name}: a list is wanted")
    for value in values:
        _one_of(value, known, kind)
    return values


def _one_of(value: object, known: Collection[str], kind: str) -> None:
    if value not in known:
        raise _invalid(
            "invalid.value",
            f"Value [{value}] is not valid for field type [{kind}]. "
            f"Allowable values are: {', '.join(sorted(known))}",
        )


def _interval(value: object) -> tuple[datetime, datetime]:
    if value is None:
        raise Refusal(400, "interval: must not be null", "constraint.validation")
    parts = str(value).split("/")
    if len(parts) != 2:
        raise _invalid("invalid.date", f"Interval [{value}] must be two dates joined by a slash.")
    start, end = map(_moment, parts)
    if end <= start:
        raise Refusal(400, f"Interval [{value}] must end after it starts.")
    return start, end


def _moment(text: str) -> datetime:
    try:
        if "T" not in text:
            raise ValueError(text)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _invalid(
            "invalid.date",
            "Dates must be specified as ISO-8601 strings. For example: yyyy-MM-ddTHH:mm:ss.SSSZ",
        ) from error
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _granularity(value: object) -> Granularity | None:
    if value is None:
        return None
    match = _DURATION.fullmatch(str(value))
    parts = {name: int(number or 0) for name, number in match.groupdict().items()} if match else {}
    if not match or not any(parts.values()):
        raise Refusal(400, f"Granularity [{value}] is not an ISO-8601 duration.")
    clock = timedelta(hours=parts["hours"], minutes=parts["minutes"])
    days = parts["days"] + 7 * parts["weeks"]
    if not parts["months"] and not days and clock < MINIMUM:
        raise Refusal(400, f"Granularity [{value}] is finer than PT15M.")
    return Granularity(parts["months"], days, clock)


def _zone(value: object) -> ZoneInfo | None:
    if value is None:
        return None
    try:
        return ZoneInfo(str(value))
    except (KeyError, ValueError, OSError) as error:
        raise Refusal(400, f"Time zone [{value}] is not valid.") from error


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Refusal(400, "flattenMultivaluedDimensions: true or false is wanted")
    return value


def _check_filter(node: object, *, clauses_allowed: bool) -> None:
    allowed = {"type", "predicates"} | ({"clauses"} if clauses_allowed else set())
    if not isinstance(node, dict) or not set(node) <= allowed:
        raise Refusal(400, f"filter: an object of {', '.join(sorted(allowed))} is wanted")
    _one_of(node.get("type"), ("and", "or"), "QueryFilterType")
    for clause in _objects(node, "clauses"):
        _check_filter(clause, clauses_allowed=False)
    for predicate in _objects(node, "predicates"):
        _check_predicate(predicate)


def _check_predicate(predicate: dict[str, Any]) -> None:
    checks: dict[str, Callable[[object], object]] = {
        "type": lambda value: _one_of(value, ("dimension", "property", "metric"), "PredicateType"),
        "dimension": lambda value: _one_of(
            value, DIMENSIONS | {"canonicalExternalContactId"}, "ConversationDimension"
        ),
        "operator": lambda value: _one_of(
            value, ("matches", "exists", "notExists"), "PredicateOperator"
        ),
        "value": lambda value: value,
    }
    for name, value in predicate.items():
        if name not in checks:
            raise Refusal(501, f"filter: {name} is not emulated.")
        checks[name](value)
    if predicate.get("type", "dimension") != "dimension" or "dimension" not in predicate:
        raise Refusal(501, "filter: only predicates on a dimension are emulated.")
    _only_emulated([predicate["dimension"]])


def _objects(node: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = node.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Refusal(400, f"filter: {name} must be a list of objects")
    return found


def _only_emulated(dimensions: Collection[str]) -> None:
    for dimension in dimensions:
        if dimension not in EMULATED:
            raise Refusal(501, f"Dimension [{dimension}] is not emulated.")


def _invalid(code: str, message: str) -> Refusal:
    return Refusal(400, message, code)
