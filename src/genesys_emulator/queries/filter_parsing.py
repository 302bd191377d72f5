"""Filters of queries, parsed from JSON into `filters.Clause`, or refused as by the real API."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from genesys_emulator.queries.filters import EVERYTHING, Clause, Predicate
from genesys_emulator.wire import errors
from genesys_emulator.wire.json_objects import parse_object, parse_words
from genesys_emulator.wire.vocabulary import (
    CONVERSATION_FILTER_BY,
    EMULATED,
    FILTER_BY,
    SEGMENT_FILTER_BY,
)

FILTER: Mapping[str, type] = {"type": str, "clauses": list, "predicates": list}
CLAUSE: Mapping[str, type] = {"type": str, "predicates": list}
PREDICATE: Mapping[str, type] = {
    "type": str,
    "dimension": str,
    "operator": str,
    "value": str,
    "range": dict,
}


TYPES = ("dimension", "property", "metric")
OPERATORS = ("matches", "exists", "notExists")
USER_ID = ("userId",)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The dimensions of one kind of filter: all that the API knows, and those *emulated*.

    *dimension* is the name of their type in errors.
    """

    owner: str
    dimension: str
    dimensions: Collection[str]
    emulated: Collection[str]


AGGREGATES = Dialect("ConversationAggregateQuery", "ConversationDimension", FILTER_BY, EMULATED)
SEGMENTS = Dialect(
    "SegmentDetailQuery",
    "SegmentDetailDimension",
    SEGMENT_FILTER_BY,
    ("userId", "queueId", "mediaType", "direction", "purpose", "segmentType", "disconnectType"),
)
CONVERSATIONS = Dialect(
    "ConversationDetailQuery",
    "ConversationDetailDimension",
    CONVERSATION_FILTER_BY,
    ("conversationId", "divisionId", "originatingDirection"),
)
USER_AGGREGATES = Dialect("UserAggregateQuery", "UserAggregateDimension", USER_ID, USER_ID)
CAPACITY = Dialect(
    "AgentUtilizationAggregateQuery",
    "AgentUtilizationDimension",
    ("mediaType", *USER_ID),
    USER_ID,
)
USER_DETAILS = Dialect("UserDetailQuery", "UserDetailDimension", USER_ID, USER_ID)


def parse_filter(value: object, dialect: Dialect) -> Clause:
    """Parse the filter *value*, decoded JSON; null lets everything pass. Raises ApiError."""
    if value is None:
        return EVERYTHING
    owner = f"{dialect.owner}Filter"
    given = parse_object(value, FILTER, owner)
    clauses = tuple(_parse_clause(clause, dialect) for clause in given.get("clauses", ()))
    predicates = tuple(
        _parse_predicate(predicate, dialect) for predicate in given.get("predicates", ())
    )
    return Clause(_parse_junction(given, owner), clauses + predicates)


def _parse_clause(value: object, dialect: Dialect) -> Clause:
    owner = f"{dialect.owner}Clause"
    given = parse_object(value, CLAUSE, owner)
    if not given.get("predicates"):
        raise errors.missing_property("predicates", owner)
    predicates = tuple(_parse_predicate(predicate, dialect) for predicate in given["predicates"])
    return Clause(_parse_junction(given, owner), predicates)


def _parse_junction(given: Mapping[str, Any], owner: str) -> str:
    if "type" not in given:
        raise errors.missing_property("type", owner)
    word: str
    (word,) = parse_words([given["type"]], ("and", "or"), "QueryFilterType")
    return word


def _parse_predicate(value: object, dialect: Dialect) -> Predicate:
    owner = f"{dialect.owner}Predicate"
    given = parse_object(value, PREDICATE, owner)

    (kind,) = parse_words([given.get("type", "dimension")], TYPES, f"{owner}Type")
    (operator,) = parse_words([given.get("operator", "matches")], OPERATORS, f"{owner}Operator")
    if kind != "dimension" or "range" in given:
        raise errors.not_emulated(f"A predicate of type [{kind}] or with a range")
    if "dimension" not in given or (operator == "matches" and "value" not in given):
        raise errors.missing_property("value" if "dimension" in given else "dimension", owner)
    (dimension,) = parse_words([given["dimension"]], dialect.dimensions, dialect.dimension)
    if dimension not in dialect.emulated:
        raise errors.not_emulated(f"A filter on [{dimension}]")
    return Predicate(dimension, operator, given.get("value", ""))
