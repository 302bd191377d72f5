"""Valid aggregate queries, and the errors for all others."""

from typing import Any

import pytest

from genesys_emulator.queries.aggregates import parse_query
from genesys_emulator.queries.filters import Clause, Predicate
from genesys_emulator.wire.errors import ApiError
from genesys_emulator.wire.vocabulary import FILTER_BY, GROUP_BY, METRICS
from tests.emulator.conftest import a_query

QUEUE = {"type": "dimension", "dimension": "queueId", "operator": "matches", "value": "q"}


def refusal(body: object) -> ApiError:
    with pytest.raises(ApiError) as caught:
        parse_query(body)
    return caught.value


def a_filter(**predicate: Any) -> dict[str, Any]:
    return {"type": "and", "predicates": [{**QUEUE, **predicate}]}


def test_the_vocabulary_is_whole():
    assert (len(METRICS), len(GROUP_BY), len(FILTER_BY)) == (82, 83, 84)


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        ({"interval": None}, "constraint.validation", "interval is required"),
        ({"metrics": None}, "constraint.validation", "metrics is required"),
        ({"metrics": []}, "constraint.validation", "metrics is required"),
        ({"metrics": ["tHandle", "tHold"]}, "invalid.value", "Value [tHold] is not valid"),
        ({"groupBy": ["agentId"]}, "invalid.value", "Value [agentId] is not valid"),
        ({"groupBy": [["userId"]]}, "invalid.value", "Value [['userId']] is not valid"),
        ({"dateFrom": "2026-03-02"}, "invalid.property", "Value [dateFrom] is not a valid"),
        ({"interval": "PT30M"}, "invalid.date", "ISO-8601"),
        ({"interval": "2026-03-02/2026-03-03"}, "invalid.date", "ISO-8601"),
        ({"interval": "2026-03-02T00:00:00Z/PT24H"}, "invalid.date", "ISO-8601"),
        (
            {"interval": "2026-03-03T00:00:00Z/2026-03-03T00:00:00Z"},
            "bad.request",
            "must end after it starts",
        ),
        ({"granularity": "30M"}, "invalid.value", "Value [30M]"),
        ({"granularity": "PT0S"}, "invalid.value", "Value [PT0S]"),
        ({"timeZone": "Mars/Olympus"}, "invalid.value", "Value [Mars/Olympus]"),
        ({"timeZone": "../etc/passwd"}, "invalid.value", "Value [../etc/passwd]"),
        ({"timeZone": "Europe"}, "invalid.value", "Value [Europe]"),
        ({"flattenMultivaluedDimensions": "yes"}, "bad.request", "must be of type bool"),
        ({"metrics": "tHandle"}, "bad.request", "must be of type list"),
        ({"views": [{}] * 11}, "bad.request", "at most 10 views"),
        ({"queryType": "best"}, "invalid.value", "Value [best]"),
        ({"filter": {"predicates": []}}, "constraint.validation", "type is required"),
        ({"filter": {"type": "xor"}}, "invalid.value", "Value [xor]"),
        ({"filter": {"type": "or", "filters": []}}, "invalid.property", "Value [filters]"),
        ({"filter": {"type": "or", "clauses": [{"type": "or"}]}}, "constraint.validation", ""),
        ({"filter": {"type": "or", "predicates": ["q"]}}, "bad.request", "must be an object"),
        ({"filter": a_filter(dimension="agentId")}, "invalid.value", "Value [agentId]"),
        ({"filter": a_filter(dimension=None)}, "constraint.validation", "dimension is required"),
        ({"filter": a_filter(value=None)}, "constraint.validation", "value is required"),
        ({"filter": a_filter(operator="is")}, "invalid.value", "Value [is]"),
        ({"filter": a_filter(type="queue")}, "invalid.value", "Value [queue]"),
    ],
)
def test_an_invalid_query_is_refused_with_the_wrong_part_named(changes, code, sentence):
    result = refusal(a_query(**changes))

    assert (result.status, result.code) == (400, code)
    assert sentence in result.message


def test_an_unknown_word_is_answered_with_all_that_are_known():
    message = refusal(a_query(metrics=["tHold"])).message

    assert message.startswith(
        "Value [tHold] is not valid for field type [ConversationMetric]. Allowable values are: "
    )
    assert set(message.partition("are: ")[2].split(", ")) == METRICS


@pytest.mark.parametrize(
    "changes",
    [
        {"groupBy": ["conversationId"]},
        {"filter": a_filter(dimension="wrapUpCode")},
        {"filter": a_filter(dimension="canonicalExternalContactId")},
        {"filter": a_filter(type="metric")},
        {"filter": a_filter(range={"gte": 1})},
        {"views": [{"target": "tHandle", "name": "long", "function": "rangeBound"}]},
        {"alternateTimeDimension": "eventTime"},
        {"queryType": "topN"},
        {"limit": 10},
    ],
)
def test_a_query_that_is_not_emulated_is_never_answered(changes):
    assert refusal(a_query(**changes)).status == 501


@pytest.mark.parametrize("body", [None, [], "query", 7])
def test_a_body_that_is_no_object_is_refused(body):
    assert refusal(body).code == "bad.request"


def test_a_null_field_counts_as_absent():
    body = {**a_query(), "filter": None, "timeZone": None}

    assert parse_query(body) == parse_query(a_query())


def test_a_predicate_may_leave_out_type_and_operator():
    bare = {"type": "or", "predicates": [{"dimension": "queueId", "value": "q"}]}

    assert parse_query(a_query(filter=bare)).filter == Clause(
        "or", (Predicate("queueId", "matches", "q"),)
    )


@pytest.mark.parametrize(
    ("interval", "zone"),
    [
        ("2026-07-01T09:00:00Z/2026-07-01T10:00:00Z", None),
        ("2026-07-01T09:00:00/2026-07-01T10:00:00", None),
        ("2026-07-01T09:00/2026-07-01T10:00", None),
        ("2026-07-01T10:00:00.000/2026-07-01T11:00:00.000", "Europe/London"),
        ("2026-07-01T11:00:00+02:00/2026-07-01T10:00:00Z", "Europe/London"),
    ],
)
def test_an_offset_wins_over_the_zone_and_the_zone_over_utc(interval, zone):
    result = parse_query(a_query(interval=interval, timeZone=zone))

    assert (result.start, result.end - result.start) == (1_782_896_400_000, 3_600_000)
