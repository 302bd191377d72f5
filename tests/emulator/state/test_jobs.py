"""Jobs of aggregates, and what jobs of all kinds have in common."""

import json
from typing import Any

import httpx2
import pytest

from tests.emulator.conftest import Cloud, a_query, cloud_of

CONVERSATIONS = "/api/v2/analytics/conversations"
AGGREGATES = f"{CONVERSATIONS}/aggregates/jobs"
DETAILS = f"{CONVERSATIONS}/details/jobs"
DAY = "2026-03-01T00:00:00.000Z/2026-03-02T00:00:00.000Z"
LARGEST = 512_000


def submitted(cloud: Cloud, jobs: str = AGGREGATES, **changes: object) -> str:
    """The address of a new job."""
    body = a_query(**changes) if jobs == AGGREGATES else {"interval": DAY, **changes}
    answer = cloud.call("POST", jobs, json=body)
    assert answer.status_code == 202, answer.text
    return f"{jobs}/{answer.json()['jobId']}"


def done(cloud: Cloud, jobs: str = AGGREGATES, **changes: object) -> str:
    address = submitted(cloud, jobs, **changes)
    while cloud.get(address).json()["state"] != "FULFILLED":
        pass
    return address


def results(cloud: Cloud, address: str, **parameters: object) -> dict[str, Any]:
    answer = cloud.get(f"{address}/results", params=parameters)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def pages(cloud: Cloud, address: str, **parameters: object) -> list[dict[str, Any]]:
    answers = [results(cloud, address, **parameters)]
    while "cursor" in answers[-1]:
        answers.append(results(cloud, address, cursor=answers[-1]["cursor"], **parameters))
    return answers


def in_any_order(results: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(result["group"], sort_keys=True) for result in results)


def test_a_job_of_aggregates_has_the_results_of_the_query(cloud):
    address = done(cloud)
    answers = pages(cloud, address)
    asked = cloud.ask().json()["results"]

    assert [set(page) for page in answers] == [{"results"}]
    assert in_any_order(answers[0]["results"]) == in_any_order(asked)
    whole = {json.dumps(group["group"], sort_keys=True): len(group["data"]) for group in asked}
    for result in answers[0]["results"]:
        assert whole[json.dumps(result["group"], sort_keys=True)] == len(result["data"])


def test_pages_of_a_job_have_the_size_asked_for_and_lose_nothing(cloud):
    address = done(cloud, pageSize=7)
    answers = pages(cloud, address)
    sizes = [len(page["results"]) for page in answers]

    assert sizes[:-1] == [7] * (len(sizes) - 1)
    assert 1 <= sizes[-1] <= 7
    assert in_any_order([result for page in answers for result in page["results"]]) == in_any_order(
        cloud.ask().json()["results"]
    )


@pytest.mark.parametrize("jobs", [AGGREGATES, DETAILS])
def test_a_page_that_is_asked_for_again_is_the_same_even_after_later_ones(cloud, jobs):
    address = done(cloud, jobs, **({"pageSize": 5} if jobs == AGGREGATES else {}))
    sized = {} if jobs == AGGREGATES else {"pageSize": 5}
    first = results(cloud, address, **sized)
    second = results(cloud, address, cursor=first["cursor"], **sized)
    third = results(cloud, address, cursor=second["cursor"], **sized)

    assert results(cloud, address, cursor=second["cursor"], **sized) == third
    assert results(cloud, address, **sized) == first
    assert results(cloud, address, cursor=first["cursor"], **sized) == second


def test_many_jobs_are_read_at_the_same_time(cloud):
    addresses = [done(cloud, DETAILS) for _ in range(20)]
    firsts = [results(cloud, address, pageSize=9) for address in addresses]
    seconds = [
        results(cloud, address, pageSize=9, cursor=first["cursor"])
        for address, first in zip(addresses, firsts, strict=True)
    ]

    assert firsts == [firsts[0]] * 20
    assert seconds == [seconds[0]] * 20
    assert seconds[0]["conversations"][0] not in firsts[0]["conversations"]


def test_a_job_sees_what_there_was_when_it_was_submitted(cloud):
    cloud.call("POST", "/_emulator/clock", json={"now": "2026-03-02T12:00:00Z"})
    asked = cloud.ask().json()["results"]
    address = done(cloud)
    cloud.call("POST", "/_emulator/clock", json={"now": "2026-03-02T18:00:00Z"})

    assert in_any_order(results(cloud, address)["results"]) == in_any_order(asked)


@pytest.mark.parametrize(("jobs", "others"), [(AGGREGATES, DETAILS), (DETAILS, AGGREGATES)])
def test_a_job_is_only_at_its_own_path(cloud, jobs, others):
    elsewhere = done(cloud, jobs).replace(jobs, others)

    assert cloud.get(elsewhere).status_code == 404
    assert cloud.get(f"{elsewhere}/results").status_code == 404
    assert cloud.call("DELETE", elsewhere).status_code == 404


@pytest.mark.parametrize("jobs", [AGGREGATES, DETAILS])
def test_a_job_changes_state_by_looks_and_can_be_deleted(cloud, jobs):
    address = submitted(cloud, jobs)
    early = cloud.get(f"{address}/results")
    looks = [cloud.get(address).json() for _ in range(4)]

    assert (early.status_code, early.json()["code"]) == (400, "bad.request")
    assert [look["state"] for look in looks] == ["QUEUED", "PENDING", "FULFILLED", "FULFILLED"]
    assert ["completionDate" in look for look in looks] == [False, False, True, True]
    assert cloud.call("DELETE", address).status_code == 204
    assert cloud.get(f"{address}/results").status_code == 404


@pytest.mark.parametrize("cursor", ["!", "LTU=", "4pWi", "MTIzNDU2Nzg5MDE="])
def test_a_cursor_of_no_job_is_refused(cloud, cursor):
    answer = cloud.get(f"{done(cloud)}/results", params={"cursor": cursor})

    assert answer.status_code == 400
    assert "cursor" in answer.json()["message"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pageSize": 0}, "bad.request"),
        ({"pageSize": 10_001}, "bad.request"),
        ({"pageSize": "100"}, "bad.request"),
        ({"paging": {"pageSize": 100}}, "invalid.property"),
        ({"cursor": ""}, "invalid.property"),
        ({"metrics": ["tHold"]}, "invalid.value"),
        ({"metrics": None}, "constraint.validation"),
    ],
)
def test_an_invalid_job_is_refused_at_once(cloud, changes, code):
    answer = cloud.call("POST", AGGREGATES, json=a_query(**changes))

    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    "path",
    [
        f"{CONVERSATIONS}/aggregates/query",
        AGGREGATES,
        f"{CONVERSATIONS}/details/query",
        DETAILS,
    ],
)
def test_a_job_with_an_invalid_body_is_refused(cloud: Cloud, path: str) -> None:
    def posted(body: str) -> httpx2.Response:
        return cloud.call("POST", path, content=body, headers={"Content-Type": "application/json"})

    whole = json.dumps(a_query()) if "aggregates" in path else json.dumps({"interval": DAY})

    assert posted(whole.ljust(LARGEST)).status_code in (200, 202)
    large = posted(whole.ljust(LARGEST + 1))
    assert (large.status_code, large.json()["code"]) == (413, "request.entity.too.large")
    unknown = posted('{"dateFrom": "2026-03-02"}')
    assert (unknown.status_code, unknown.json()["code"]) == (400, "invalid.property")
    assert posted("[]").status_code == 400


def test_jobs_of_aggregates_need_the_permission_of_the_query(centre):
    cloud = cloud_of(centre, withheld=["analytics:conversationAggregate:view"])
    cloud.log_in()

    assert cloud.call("POST", AGGREGATES, json=a_query()).status_code == 403
    for method, path in [("GET", "x"), ("GET", "x/results"), ("DELETE", "x")]:
        assert cloud.call(method, f"{AGGREGATES}/{path}").status_code == 403


def test_a_reset_forgets_jobs(cloud):
    address = done(cloud)
    cloud.call("POST", "/_emulator/reset")
    cloud.log_in()

    assert cloud.get(address).status_code == 404
