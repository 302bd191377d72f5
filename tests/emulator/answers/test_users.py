"""Status of users: sums by interval, and records, of the same truth as the conversations."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import httpx2
import pytest

from genesys_emulator.simulation.organization import make_organization
from genesys_emulator.simulation.source import SimulatedCentre
from genesys_emulator.wire.timestamps import DAY, HOUR, MINUTE, midnight_of, parse_timestamp
from tests.emulator.conftest import NOW, Cloud

AGGREGATES = "/api/v2/analytics/users/aggregates/query"
DETAILS = "/api/v2/analytics/users/details/query"
MONDAY = "2026-03-02T00:00:00.000Z/2026-03-03T00:00:00.000Z"
CENTRE = make_organization(1, 12)
IDS = [agent.id for agent in CENTRE.agents]
ROUTING = {"OFF_QUEUE", "IDLE", "INTERACTING", "NOT_RESPONDING", "COMMUNICATING"}
METRICS = ["tAgentRoutingStatus", "tSystemPresence", "tOrganizationPresence"]


def one_of(ids: list[str]) -> dict[str, Any]:
    return {
        "type": "or",
        "predicates": [{"dimension": "userId", "value": user_id} for user_id in ids],
    }


def ask(cloud: Cloud, **changes: object) -> httpx2.Response:
    asked = {
        "interval": MONDAY,
        "granularity": "PT30M",
        "groupBy": ["userId"],
        "metrics": METRICS,
        "filter": one_of(IDS),
        **changes,
    }
    kept = {name: value for name, value in asked.items() if value is not None}
    return cloud.call("POST", AGGREGATES, json=kept)


def records(cloud: Cloud, **changes: object) -> httpx2.Response:
    asked = {"interval": MONDAY, "paging": {"pageSize": 100, "pageNumber": 1}, **changes}
    return cloud.call("POST", DETAILS, json=asked)


Key = tuple[str, int, str]


def sums(answer: httpx2.Response) -> dict[Key, dict[str, int]]:
    """Return ms by qualifier, for each user, start of interval and metric."""
    answers: dict[Key, dict[str, int]] = defaultdict(dict)
    for result in answer.json()["results"]:
        for bucket in result["data"]:
            at = parse_timestamp(bucket["interval"].split("/")[0], None)
            for metric in bucket["metrics"]:
                assert metric["stats"].keys() == {"sum"}
                key = (result["group"].get("userId", ""), at, metric["metric"])
                answers[key][metric["qualifier"]] = metric["stats"]["sum"]
    return answers


def test_a_past_interval_is_filled_to_the_millisecond_by_every_metric(cloud):
    answers = sums(ask(cloud))

    assert len(answers) == len(IDS) * 48 * len(METRICS)
    assert {sum(value.values()) for value in answers.values()} == {30 * MINUTE}
    routing = {q for key, times in answers.items() if key[2] == METRICS[0] for q in times}
    assert routing == ROUTING


def test_the_running_interval_is_filled_so_far(cloud):
    cloud.call("POST", "/_emulator/clock", json={"now": "2026-03-02T10:10:00Z"})
    answers = sums(ask(cloud))

    assert max(at for _, at, _ in answers) == midnight_of(date(2026, 3, 2)) + 10 * HOUR
    last = {sum(times.values()) for (_, at, _), times in answers.items() if at % DAY == 10 * HOUR}
    assert last == {10 * MINUTE}


def test_status_records_cut_at_interval_edges_add_up_to_the_aggregates(cloud):
    start = midnight_of(date(2026, 3, 2))
    cut: dict[Key, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for user in records(cloud).json()["userDetails"]:
        for metric, name, word in (
            ("tSystemPresence", "primaryPresence", "systemPresence"),
            ("tOrganizationPresence", "primaryPresence", "organizationPresenceId"),
            ("tAgentRoutingStatus", "routingStatus", "routingStatus"),
        ):
            for status in user[name]:
                since = parse_timestamp(status["startTime"], None)
                until = parse_timestamp(status["endTime"], None) if "endTime" in status else NOW
                for at in range(start, start + DAY, 30 * MINUTE):
                    lasted = min(until, at + 30 * MINUTE) - max(since, at)
                    if lasted > 0:
                        cut[user["userId"], at, metric][status[word]] += lasted

    assert {key: dict(times) for key, times in cut.items()} == dict(sums(ask(cloud)))


def test_a_status_record_is_whole_and_a_running_status_has_no_end(cloud):
    cloud.call("POST", "/_emulator/clock", json={"now": "2026-03-02T10:10:00Z"})
    (user,) = records(
        cloud,
        interval="2026-03-02T10:00:00Z/2026-03-02T11:00:00Z",
        userFilters=[one_of(IDS[:1])],
    ).json()["userDetails"]

    first, *_, last = user["routingStatus"]
    assert first["startTime"] < "2026-03-02T10:00"
    assert "endTime" not in last
    assert all("endTime" in status for status in user["routingStatus"][:-1])
    assert set(last) < {"startTime", "endTime", "routingStatus"}


def test_days_off_are_one_long_status():
    """Records reach as far beyond the interval as the status did."""
    centre = SimulatedCentre(CENTRE, date(2026, 2, 2))
    agent = CENTRE.agents[0]  # has Tuesdays and Wednesdays off
    tuesday = midnight_of(date(2026, 2, 10))
    changes = centre.status_changes(agent, tuesday + 23 * HOUR, tuesday + DAY).presences
    edges = [at for at, _ in changes if tuesday - DAY < at < tuesday + 3 * DAY]

    assert (
        centre.status_changes(agent, tuesday + 25 * HOUR, tuesday + 26 * HOUR).presences == changes
    )
    assert any(b - a > 2 * DAY for a, b in pairwise(edges))


def test_presences_are_told_in_the_words_of_the_organization(cloud):
    body = ask(cloud, metrics=["tOrganizationPresence"]).json()
    names = {presence.id: presence.system for presence in CENTRE.presences}

    assert {m["qualifier"] for r in body["results"] for b in r["data"] for m in b["metrics"]} < set(
        names
    )
    mapped = body["systemToOrganizationMappings"]
    assert mapped["MEETING"] == [
        presence.id for presence in CENTRE.presences if presence.system == "MEETING"
    ]
    assert len(mapped["MEETING"]) == 2


def test_without_a_grouping_all_users_are_one_group(cloud):
    answers = sums(ask(cloud, groupBy=None, metrics=["tSystemPresence"], granularity=None))

    ((_, times),) = answers.items()
    assert sum(times.values()) == len(IDS) * DAY


def test_users_that_do_not_exist_are_left_out(cloud):
    assert (
        ask(cloud, filter=one_of(["8f0c2a3e-0000-4000-8000-000000000000"])).json()["results"] == []
    )


def test_users_who_have_left_are_offline():
    gone = make_organization(1, 12, left=date(2026, 3, 2)).agents[5]
    centre = SimulatedCentre(make_organization(1, 12, left=date(2026, 3, 2)), date(2026, 2, 2))
    start = midnight_of(date(2026, 3, 9))
    shown = centre.status_changes(gone, start, start + DAY)

    assert [word for at, word in shown.presences if at <= start][-1] == "OFFLINE"
    assert all(at < start for at, _ in shown.presences)


@pytest.mark.parametrize(
    ("changes", "status", "code", "words"),
    [
        ({"metrics": ["tHandle"]}, 400, "invalid.value", "[tHandle]"),
        ({"metrics": None}, 400, "constraint.validation", "metrics"),
        ({"groupBy": ["queueId"]}, 400, "invalid.value", "UserAggregateDimension"),
        ({"filter": None}, 400, "constraint.validation", "filter"),
        ({"filter": {"type": "and"}}, 400, "constraint.validation", "predicates"),
        ({"filter": one_of(IDS * 9)}, 400, "bad.request", "at most 100"),
        (
            {"filter": {"type": "or", "predicates": [{"dimension": "queueId", "value": "q"}]}},
            400, "invalid.value", "UserAggregateDimension",
        ),
        ({"queryType": "topN"}, 400, "invalid.property", "queryType"),
        ({"alternateTimeDimension": "eventTime"}, 501, "not.emulated", "alternateTimeDimension"),
    ],
)  # fmt: skip
def test_an_invalid_query_for_users_is_refused(cloud, changes, status, code, words):
    answer = ask(cloud, **changes)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert words in answer.json()["message"]


def test_a_query_for_details_may_span_a_week_or_a_month_with_a_filter(cloud):
    end = date(2026, 3, 3)
    month = f"{end - timedelta(days=31)}T00:00Z/{end}T00:00Z"
    week = f"{end - timedelta(days=7)}T00:00Z/{end}T00:00Z"

    assert records(cloud, interval=month).status_code == 400
    assert records(cloud, interval=week).status_code == 200
    assert records(cloud, interval=month, userFilters=[one_of(IDS)]).status_code == 200


def test_user_details_come_in_pages_and_past_the_end_there_is_nothing(cloud):
    pages = [
        records(cloud, paging={"pageSize": 5, "pageNumber": number}).json()
        for number in (1, 2, 3, 4)
    ]

    assert [len(page.get("userDetails", ())) for page in pages] == [5, 5, 2, 0]
    assert {page["totalHits"] for page in pages} == {12}
    assert "userDetails" not in pages[-1]
