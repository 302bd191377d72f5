"""The body of an aggregate query: a `Query`, or the refusal that the real API has for it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from genesys_emulator import refusals
from genesys_emulator.filters import EVERYTHING, Clause, Predicate
from genesys_emulator.instants import Granularity, granularity, instant
from genesys_emulator.vocabulary import EMULATED, FILTER_BY, GROUP_BY, METRICS

FIELDS: Mapping[str, type] = {
    "interval": str,
    "granularity": str,
    "timeZone": str,
    "groupBy": list,
    "filter": dict,
    "metrics": list,
    "flattenMultivaluedDimensions": bool,
    "views": list,
    "alternateTimeDimension": str,
    "queryType": str,
    "sortMetric": dict,
    "limit": int,
}
FILTER: Mapping[str, type] = {"type": str, "clauses": list, "predicates": list}
CLAUSE: Mapping[str, type] = {"type": str, "predicates": list}
PREDICATE: Mapping[str, type] = {
    "type": str,
    "dimension": str,
    "operator": str,
    "value": str,
    "range": dict,
}
NOT_EMULATED = ("views", "alternateTimeDimension", "sortMetric", "limit")
MOST_VIEWS = 10


@dataclass(frozen=True, slots=True)
class Query:
    """*start* and *end* in ms, *end* not included. *zone* is None where none was asked for."""

    start: int
    end: int
    metrics: frozenset[str]
    granularity: Granularity | None = None
    zone: tzinfo | None = None
    group_by: tuple[str, ...] = ()
    filter: Clause = EVERYTHING
    flatten: bool = False


def query(body: object) -> Query:
    """What *body*, parsed from JSON, asks for. Raises RefusalError."""
    given = _object(body, FIELDS, "ConversationAggregationQuery")
    for name in ("interval", "metrics"):
        if not given.get(name):
            raise refusals.required(name, "ConversationAggregationQuery")
    zone = _zone(given.get("timeZone"))
    start, end = _interval(given["interval"], zone or UTC)
    checked = Query(
        start=start,
        end=end,
        metrics=frozenset(_words(given["metrics"], METRICS, "ConversationMetric")),
        granularity=_granularity(given.get("granularity")),
        zone=zone,
        group_by=_words(given.get("groupBy", ()), GROUP_BY, "ConversationDimension"),
        filter=_filter(given.get("filter")),
        flatten=given.get("flattenMultivaluedDimensions", False),
    )
    _refuse_what_is_not_emulated(given, checked)
    return checked


def _object(value: object, fields: Mapping[str, type], owner: str) -> dict[str, Any]:
    """*value* as an object of these *fields*; a null is as good as nothing."""
    if not isinstance(value, dict):
        raise refusals.malformed(f"{owner} must be an object.")
    for name, content in value.items():
        if name not in fields:
            raise refusals.invalid_property(name, owner)
        if content is not None and type(content) is not fields[name]:
            raise refusals.malformed(f"{name} must be of type {fields[name].__name__}.")
    return {name: content for name, content in value.items() if content is not None}


def _words(given: Collection[object], known: Collection[str], field_type: str) -> tuple[str, ...]:
    for word in given:
        if not isinstance(word, str) or word not in known:
            raise refusals.invalid_value(word, field_type, known)
    return tuple(dict.fromkeys(str(word) for word in given))


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise refusals.invalid_value(
            name, "DateTimeZone", ["names of the IANA time zone database"]
        ) from None


def _interval(text: str, zone: tzinfo) -> tuple[int, int]:
    start, slash, end = text.partition("/")
    if not slash:
        raise refusals.invalid_date()
    try:
        bounds = instant(start, zone), instant(end, zone)
    except ValueError:
        raise refusals.invalid_date() from None
    if bounds[0] >= bounds[1]:
        raise refusals.RefusalError(
            400, "bad.request", f"The interval [{text}] must end after it starts"
        )
    return bounds


def _granularity(text: str | None) -> Granularity | None:
    try:
        return None if text is None else granularity(text)
    except ValueError:
        raise refusals.invalid_value(
            text, "Period", ["ISO-8601 durations. For example: PT30M"]
        ) from None


def _filter(value: object) -> Clause:
    if value is None:
        return EVERYTHING
    owner = "ConversationAggregateQueryFilter"
    given = _object(value, FILTER, owner)
    clauses = tuple(_clause(clause) for clause in given.get("clauses", ()))
    predicates = tuple(_predicate(predicate) for predicate in given.get("predicates", ()))
    return Clause(_junction(given, owner), clauses + predicates)


def _clause(value: object) -> Clause:
    owner = "ConversationAggregateQueryClause"
    given = _object(value, CLAUSE, owner)
    if not given.get("predicates"):
        raise refusals.required("predicates", owner)
    predicates = tuple(_predicate(predicate) for predicate in given["predicates"])
    return Clause(_junction(given, owner), predicates)


def _junction(given: Mapping[str, Any], owner: str) -> str:
    if "type" not in given:
        raise refusals.required("type", owner)
    word: str
    (word,) = _words([given["type"]], ("and", "or"), f"{owner[:-6]}FilterType")
    return word


def _predicate(value: object) -> Predicate:
    owner = "ConversationAggregateQueryPredicate"
    given = _object(value, PREDICATE, owner)
    check: Callable[[str, str, Collection[str]], str] = lambda name, default, known: _words(  # noqa: E731
        [given.get(name, default)], known, f"{owner}{name.capitalize()}"
    )[0]
    kind = check("type", "dimension", ("dimension", "property", "metric"))
    operator = check("operator", "matches", ("matches", "exists", "notExists"))
    if kind != "dimension" or "range" in given:
        raise refusals.not_emulated(f"A predicate of type [{kind}] or with a range")
    if "dimension" not in given or (operator == "matches" and "value" not in given):
        raise refusals.required("value" if "dimension" in given else "dimension", owner)
    dimension = check("dimension", "", FILTER_BY)
    if dimension not in EMULATED:
        raise refusals.not_emulated(f"A filter on [{dimension}]")
    return Predicate(dimension, operator, given.get("value", ""))


def _refuse_what_is_not_emulated(given: Mapping[str, Any], checked: Query) -> None:
    if len(given.get("views", ())) > MOST_VIEWS:
        raise refusals.malformed(f"There may be at most {MOST_VIEWS} views.")
    query_type = given.get("queryType", "groupBy")
    _words([query_type], ("groupBy", "topN", "bottomN"), "ConversationAggregationQueryType")
    if query_type != "groupBy":
        raise refusals.not_emulated(f"The query type [{query_type}]")
    for name in NOT_EMULATED:
        if given.get(name):
            raise refusals.not_emulated(f"The property [{name}]")
    for dimension in checked.group_by:
        if dimension not in EMULATED:
            raise refusals.not_emulated(f"Grouping by [{dimension}]")
