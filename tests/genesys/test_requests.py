from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.errors import ApiError, ConfigError
from halfhour.genesys import requests
from halfhour.genesys.cost import preview_requests
from halfhour.genesys.regions import hosts_of_region
from halfhour.genesys.requests import PostedQuery
from halfhour.model.intervals import HALF_HOUR, SECOND, Interval
from halfhour.model.question import Question

START = datetime(2026, 3, 2, tzinfo=UTC)
QUEUE = "5b1f0f3c-7a52-4c0e-9d16-0a6d9a6b7c01"


def interval_of_hours(count: float) -> Interval:
    return Interval(START, START + timedelta(hours=count))


def half_hours_and_agents(*queries: PostedQuery) -> list[tuple[datetime, str]]:
    """Return the half-hours and agents of a query: the oracle."""
    return sorted(
        (half_hour.start, agent)
        for query in queries
        for half_hour in query.window.split_into_windows(HALF_HOUR)
        for agent in query.agents or ("everyone",)
    )


@given(st.integers(1, 200), st.lists(st.uuids().map(str), max_size=250, unique=True))
def test_the_queries_ask_about_everything_once(half_hours, agents):
    interval = interval_of_hours(half_hours / 2)
    queries = requests.posted_queries(interval, HALF_HOUR, agents=agents)

    assert half_hours_and_agents(*queries) == half_hours_and_agents(
        PostedQuery(interval, HALF_HOUR, agents=tuple(agents))
    )
    assert all(query.window.width <= requests.QUERY_WINDOW for query in queries)
    assert all(len(query.agents) <= 100 for query in queries)


@given(st.integers(1, 7200))
def test_halving_goes_down_to_a_second_and_loses_nothing(seconds):
    whole = PostedQuery(Interval(START, START + seconds * SECOND), HALF_HOUR)

    def leaves(query: PostedQuery) -> list[PostedQuery]:
        halves = query.split_query()
        return [query] if halves is None else [leaf for half in halves for leaf in leaves(half)]

    parts = leaves(whole)
    assert [part.window.width for part in parts] == [SECOND] * seconds
    assert parts[0].window.start == START
    assert all(before.window.end == after.window.start for before, after in pairwise(parts))


def test_a_query_of_one_half_hour_is_divided_into_quarter_hours():
    halves = PostedQuery(interval_of_hours(1), HALF_HOUR).split_query()
    assert halves
    assert [half.window.width for half in halves] == [HALF_HOUR, HALF_HOUR]
    assert "granularity" not in halves[0].request_body()

    quarters = halves[0].split_query()
    assert quarters
    assert [quarter.window.width for quarter in quarters] == [HALF_HOUR / 2, HALF_HOUR / 2]


def test_the_body_of_a_query_has_the_fields_that_genesys_expects():
    query = PostedQuery(interval_of_hours(2), HALF_HOUR, queues=(QUEUE,), agents=("ada", "bob"))

    body = query.request_body()

    assert body["interval"] == "2026-03-02T00:00:00.000Z/2026-03-02T02:00:00.000Z"
    assert body["granularity"] == "PT30M"
    assert body["groupBy"] == ["userId", "queueId", "mediaType"]
    assert {"tHandle", "tHeldComplete", "tAcw", "tTalkComplete"} <= set(body["metrics"])
    assert body["filter"]["type"] == "and"
    assert [clause["type"] for clause in body["filter"]["clauses"]] == ["or", "or"]
    assert [
        [predicate["value"] for predicate in clause["predicates"]]
        for clause in body["filter"]["clauses"]
    ] == [[QUEUE], ["ada", "bob"]]


def test_all_agents_and_queues_need_no_filter():
    assert "filter" not in PostedQuery(interval_of_hours(1), HALF_HOUR).request_body()


def test_more_queues_than_genesys_takes_are_refused():
    with pytest.raises(ConfigError, match="at most 300"):
        requests.posted_queries(
            interval_of_hours(1), HALF_HOUR, queues=[str(number) for number in range(301)]
        )


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (ApiError("x", 400, code="response.entity.too.large"), True),
        (ApiError("x", 504), True),
        (ApiError("x", 408), True),
        (ApiError("x", 400, code="bad.request"), False),
        (ApiError("x", 503), False),
        (ApiError("x", 429), False),
    ],
)
def test_a_query_is_divided_only_after_errors_that_a_smaller_one_mends(error, answer):
    query = PostedQuery(interval_of_hours(1), HALF_HOUR)

    assert requests.smaller_queries(query, error) == (query.split_query() if answer else None)


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (ApiError("x", 400, code="response.entity.too.large"), True),
        (ApiError("x", 504), False),
        (ApiError("x", 408), False),
    ],
)
def test_a_half_hour_is_divided_if_its_answer_is_too_large_but_not_if_it_times_out(error, answer):
    query = PostedQuery(interval_of_hours(0.5), HALF_HOUR)

    assert requests.smaller_queries(query, error) == (query.split_query() if answer else None)


def test_a_preview_shows_every_request_and_names_in_angle_brackets():
    question = Question(interval_of_hours(48), UTC, queues=("Billing", QUEUE), agents=("Ada",))

    shown = preview_requests(question, hosts_of_region("eu-west-1"))

    urls = [f"{request['method']} {request['url']}" for request in shown["requests"]]
    api = "https://api.mypurecloud.ie/api/v2"
    assert urls == [
        "POST https://login.mypurecloud.ie/oauth/token",
        f"GET {api}/routing/queues?pageSize=100&pageNumber=1",
        f"GET {api}/users?state=any&pageSize=100&pageNumber=1",
        f"POST {api}/analytics/conversations/aggregates/query",
        f"POST {api}/analytics/conversations/aggregates/query",
        f"GET {api}/users?id=<agents found>&state=any&expand=team&pageSize=100&pageNumber=1",
    ]
    assert shown["request_count"] == 6
    assert shown["seconds_at_limit"] == 1.2
    values = [
        predicate["value"]
        for clause in shown["requests"][3]["body"]["filter"]["clauses"]
        for predicate in clause["predicates"]
    ]
    assert values == ["<id of queue Billing>", QUEUE, "<id of agent Ada>"]


def test_ids_need_no_list_of_names():
    shown = preview_requests(
        Question(interval_of_hours(1), UTC, queues=(QUEUE,)), hosts_of_region("eu-west-1")
    )

    assert shown["request_count"] == 3
