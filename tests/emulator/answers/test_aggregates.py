"""Posted values in buckets, held against an oracle that only adds up."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesys_emulator.answers.aggregates import aggregate_results
from genesys_emulator.queries.aggregates import AggregateQuery, parse_query
from genesys_emulator.queries.filters import Clause, LookUp, Predicate
from genesys_emulator.simulation.metric_events import CERTAIN, Origin, PostedValues, make_columns
from genesys_emulator.simulation.organization import make_organization
from genesys_emulator.simulation.restatements import Snapshot
from genesys_emulator.simulation.source import SimulatedCentre
from genesys_emulator.wire.timestamps import DAY, MINUTE, midnight_of, parse_timestamp
from genesys_emulator.wire.vocabulary import EMULATED
from tests.emulator.conftest import a_query

START = midnight_of(date(2026, 3, 2))
CENTRE = SimulatedCentre(make_organization(1, 12), date(2026, 2, 24))
METRICS = ("tHandle", "tAcw", "nOffered")

ByOrigin = Mapping[Origin, Mapping[str, Sequence[tuple[int, int, float]]]]
"""Time, value and chance of values, by origin and metric."""

some: st.SearchStrategy[tuple[str, ...]] = st.sampled_from([("a",), ("b",), ("a", "b"), ("b", "a")])
none: st.SearchStrategy[tuple[str, ...]] = st.just(())
words = none | some
origins = st.builds(Origin, words, words, some, words, words, words)
moments = st.integers(START - DAY, START + 2 * DAY)
posted_values = st.tuples(moments, st.integers(1, 10**7), st.just(CERTAIN))
days: st.SearchStrategy[ByOrigin] = st.dictionaries(
    origins,
    st.dictionaries(
        st.sampled_from(METRICS),
        st.lists(posted_values, min_size=1),
    ),
)


def always(_: str) -> bool:
    return True


def answer_of(
    query: AggregateQuery, posted: Iterable[PostedValues], now: int, seed: int = 0
) -> dict[str, Any]:
    results = aggregate_results(query, posted, Snapshot(now), Random(seed))
    return {"results": [msgspec.json.decode(result) for result in results]}


def answer_to(posted: ByOrigin, now: int = START + 9 * DAY, **changes: Any) -> dict[str, Any]:
    columns = make_columns(
        (origin, [(metric, at, value)], chance)
        for origin, by_metric in posted.items()
        for metric, values in by_metric.items()
        for at, value, chance in values
    )
    return answer_of(parse_query(a_query(**changes)), [columns], now, 1)


def cells(answer: dict[str, Any]) -> list[tuple[dict[str, str], int, int, str, dict[str, int]]]:
    answers = []
    for result in answer["results"]:
        for bucket in result["data"]:
            start, end = (parse_timestamp(text, None) for text in bucket["interval"].split("/"))
            answers += [
                (result["group"], start, end, metric["metric"], metric["stats"])
                for metric in bucket["metrics"]
            ]
    return answers


@given(
    days,
    moments,
    st.sampled_from(["PT15M", "PT30M", "PT1H", "P1D", "P1M", "P1W", None]),
    st.sampled_from([None, "America/New_York", "Asia/Kathmandu"]),
)
def test_the_buckets_add_up_to_what_was_posted(posted, now, granularity, zone):
    answers = cells(
        answer_to(
            posted, now, granularity=granularity, timeZone=zone, metrics=["tHandle", "nOffered"]
        )
    )

    for metric in ("tHandle", "nOffered"):
        expected = [
            value
            for by_metric in posted.values()
            for at, value, _ in by_metric.get(metric, ())
            if START <= at < min(START + DAY, now)
        ]
        stats = [stats for *_, name, stats in answers if name == metric]
        if metric == "tHandle":
            assert sum(s["sum"] for s in stats) == sum(expected)
            assert sum(s["count"] for s in stats) == len(expected)
            assert max((s["max"] for s in stats), default=0) == max(expected, default=0)
            assert min((s["min"] for s in stats), default=0) == min(expected, default=0)
        else:
            assert all(set(s) == {"count"} for s in stats)
            assert sum(s["count"] for s in stats) == sum(expected)


@settings(max_examples=1000)
@given(origins, st.sampled_from(METRICS), posted_values)
def test_a_value_counts_whole_in_the_one_bucket_that_holds_its_time(origin, metric, value):
    answers = cells(answer_to({origin: {metric: [value]}}, metrics=[metric]))

    assert len(answers) == (START <= value[0] < START + DAY)
    assert all(start <= value[0] < end for _, start, end, *_ in answers)


@given(days)
def test_empty_groups_intervals_and_metrics_are_left_out(posted):
    for result in answer_to(posted)["results"]:
        assert result["data"]
        assert all(bucket["metrics"] for bucket in result["data"])
        assert "mediaType" in result["group"]
        assert None not in result["group"].values()


def posted(origin: Origin, at: int = START) -> ByOrigin:
    return {origin: {"tHandle": [(at, 7, CERTAIN)]}}


def groups(origin: Origin, **changes: Any) -> list[dict[str, str]]:
    answers = [result["group"] for result in answer_to(posted(origin), **changes)["results"]]
    return sorted(answers, key=str)


TWO_QUEUES = Origin(("u",), ("q1", "q2"), ("voice",), (), ("agent",), ("d",))
NOBODYS = Origin((), ("q1",), ("voice",), (), ("acd",), ("d",))


def test_two_queues_are_two_groups_unless_they_are_joined():
    assert groups(TWO_QUEUES, groupBy=["queueId"], flattenMultivaluedDimensions=None) == [
        {"mediaType": "voice", "queueId": "q1"},
        {"mediaType": "voice", "queueId": "q2"},
    ]
    assert groups(TWO_QUEUES, groupBy=["queueId"]) == [{"mediaType": "voice", "queueId": "q1,q2"}]


def test_a_group_lacks_the_dimension_that_its_values_lack():
    assert groups(NOBODYS, groupBy=["userId", "direction"]) == [{"mediaType": "voice"}]


def test_groups_have_a_media_type_even_if_it_is_not_asked_for():
    assert groups(NOBODYS, groupBy=None) == [{"mediaType": "voice"}]


@pytest.mark.parametrize(
    ("interval", "zone", "message"),
    [
        ("2026-03-02T00:00:00Z/2026-03-02T01:15:00Z", None,
         "2026-03-02T00:00:00.000Z/2026-03-02T01:00:00.000Z"),
        ("2026-03-01T23:50:00Z/2026-03-02T00:10:00Z", None,
         "2026-03-01T23:50:00.000Z/2026-03-02T00:10:00.000Z"),
        ("2026-03-02T11:00:00/2026-03-02T12:00:00", "Australia/Sydney",
         "2026-03-02T11:00:00.000+11:00/2026-03-02T12:00:00.000+11:00"),
        ("2026-03-02T00:00:00Z/2026-03-02T01:00:00Z", "Europe/London",
         "2026-03-02T00:00:00.000Z/2026-03-02T01:00:00.000Z"),
    ],
)  # fmt: skip
def test_intervals_are_written_in_the_zone_and_clipped_at_the_end(interval, zone, message):
    answers = answer_to(posted(NOBODYS), interval=interval, timeZone=zone, granularity="PT1H")

    assert [bucket["interval"] for result in answers["results"] for bucket in result["data"]] == [
        message
    ]


def test_values_posted_now_or_later_are_not_there_yet():
    assert not answer_to(posted(NOBODYS), START)["results"]
    assert answer_to(posted(NOBODYS), START + 1)["results"]


def test_results_are_in_no_order_yet_the_same_for_the_same_request():
    asked = parse_query(a_query())
    days = list(CENTRE.posted_values(asked.start, asked.end, always))
    once, again, other = (answer_of(asked, days, asked.end, seed) for seed in (1, 1, 2))

    assert once == again
    assert once != other
    users = [result["group"].get("userId", "") for result in once["results"]]
    assert users != sorted(users)


@given(moments, moments)
def test_a_day_does_not_depend_on_the_clock_or_on_when_the_centre_opened(one, other):
    """Values that both clocks have passed are the same under both."""
    until = min(one, other)
    asked = a_query(interval="2026-03-01T00:00:00Z/2026-03-04T00:00:00Z", granularity="PT15M")

    def seen(now: int, opened: date) -> list[str]:
        days = SimulatedCentre(make_organization(1, 3), opened).posted_values(
            START - DAY, now, always
        )
        answers = answer_of(parse_query(asked), days, now)
        return sorted(str(cell) for cell in cells(answers) if cell[2] <= until)

    assert seen(one, date(2026, 2, 20)) == seen(other, date(2026, 2, 27))


def test_the_centre_has_nothing_from_before_it_opened():
    asked = parse_query(a_query(interval="1970-01-01T00:00:00Z/2026-03-03T00:00:00Z"))
    late = SimulatedCentre(make_organization(1, 12), date(2026, 3, 2))
    days = late.posted_values(asked.start, asked.end, always)
    answers = cells(answer_of(asked, days, asked.end))

    assert answers
    assert min(start for _, start, *_ in answers) >= START


predicates = st.builds(
    Predicate,
    st.sampled_from(EMULATED),
    st.sampled_from(["matches", "exists", "notExists"]),
    st.sampled_from("abc"),
)
clauses = st.builds(Clause, st.sampled_from(["and", "or"]), st.lists(predicates).map(tuple))
filters = st.builds(
    Clause, st.sampled_from(["and", "or"]), st.lists(st.one_of(predicates, clauses)).map(tuple)
)


def looking_at(origin: Origin) -> LookUp:
    return dict(zip(EMULATED, origin, strict=True)).__getitem__


def holds(node: Predicate | Clause, origin: Origin) -> bool:
    """The oracle: what and, or, matches, exists and notExists mean."""
    if isinstance(node, Predicate):
        values = looking_at(origin)(node.dimension) or ()
        return {
            "matches": node.value in values,
            "exists": bool(values),
            "notExists": not values,
        }[node.operator]
    held = [holds(part, origin) for part in node.parts]
    return not held or (all(held) if node.type == "and" else any(held))


@given(filters, origins)
def test_a_filter_means_what_it_says(node, origin):
    assert node.holds_for(looking_at(origin)) is holds(node, origin)


@given(filters, origins)
def test_a_filter_decided_by_the_agent_alone_holds_for_all_dimensions(node, origin):
    early = node.holds_for({"userId": origin.user_id}.get)

    assert early is None or early is holds(node, origin)


def test_a_filter_only_leaves_groups_out(cloud):
    everything = cells(cloud.ask().json())
    agent, queue = next(
        (group["userId"], group["queueId"])
        for group, *_ in everything
        if "userId" in group and "," not in group.get("queueId", ",")
    )
    either = [{"dimension": "userId", "value": agent}, {"dimension": "userId", "value": "nobody"}]
    answers = cells(
        cloud.ask(
            filter={
                "type": "and",
                "clauses": [{"type": "or", "predicates": either}],
                "predicates": [{"dimension": "queueId", "operator": "matches", "value": queue}],
            }
        ).json()
    )

    wanted = [
        cell
        for cell in everything
        if cell[0].get("userId") == agent and queue in cell[0].get("queueId", "").split(",")
    ]
    assert sorted(map(str, answers)) == sorted(map(str, wanted))


def test_some_values_belong_to_no_agent(cloud):
    answers = cells(cloud.ask(metrics=["nOffered", "tAcd", "tHandle", "oServiceLevel"]).json())

    assert {metric for group, *_, metric, _ in answers if "userId" not in group} == {
        "nOffered",
        "tAcd",
    }
    assert {metric for group, *_, metric, _ in answers if "userId" in group} == {"tHandle"}


def test_a_half_hour_can_hold_more_than_half_an_hour_of_handle_time(cloud):
    week = "2026-02-24T00:00:00Z/2026-03-03T00:00:00Z"
    answers = cells(cloud.ask(interval=week, metrics=["tHandle"], groupBy=["userId"]).json())

    assert max(stats["sum"] for *_, stats in answers) > 30 * MINUTE
