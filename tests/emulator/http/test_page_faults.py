"""Pages that are short or begin with what was there already, and jobs that come to a bad end."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulator.conftest import Cloud, a_query

CONVERSATIONS = "/api/v2/analytics/conversations"
DETAILS = f"{CONVERSATIONS}/details/query"
DETAILS_JOBS = f"{CONVERSATIONS}/details/jobs"
AGGREGATES_JOBS = f"{CONVERSATIONS}/aggregates/jobs"
DAY = "2026-03-01T00:00:00.000Z/2026-03-02T00:00:00.000Z"
BODIES: dict[str, dict[str, Any]] = {
    DETAILS_JOBS: {"interval": DAY},
    AGGREGATES_JOBS: a_query(pageSize=12),
}


def listed(cloud: Cloud, uri: str) -> Iterator[dict[str, Any]]:
    """The pages of a list, as one who goes by ``nextUri`` finds them."""
    while uri:
        page = cloud.get(uri).json()
        yield page
        uri = page.get("nextUri", "")


def ids(pages: Iterator[dict[str, Any]]) -> list[str]:
    return [entity["id"] for page in pages for entity in page["entities"]]


def details(cloud: Cloud, number: int, size: int = 20) -> dict[str, Any]:
    paging = {"pageSize": size, "pageNumber": number}
    answer: dict[str, Any] = cloud.call(
        "POST", DETAILS, json={"interval": DAY, "paging": paging}
    ).json()
    return answer


def submitted(cloud: Cloud, jobs: str) -> str:
    return f"{jobs}/{cloud.call('POST', jobs, json=BODIES[jobs]).json()['jobId']}"


def done(cloud: Cloud, jobs: str) -> str:
    address = submitted(cloud, jobs)
    for _ in range(3):
        cloud.get(address)
    return address


def results(cloud: Cloud, address: str) -> Iterator[list[Any]]:
    sized = {} if AGGREGATES_JOBS in address else {"pageSize": "12"}
    cursor: dict[str, str] = {}
    while True:
        page = cloud.get(f"{address}/results", params={**sized, **cursor}).json()
        yield page.get("conversations") or page["results"]
        if "cursor" not in page:
            return
        cursor = {"cursor": page["cursor"]}


@pytest.mark.parametrize(
    "faulty", [{}, {"calls": [1]}, {"calls": [2, 3]}, {"share": 0.5, "seed": 1}]
)
@pytest.mark.parametrize("size", [4, 3, 6])
def test_a_short_page_of_a_list_loses_nothing_for_a_client_that_follows_next_uri(
    cloud, size, faulty
):
    whole = ids(listed(cloud, "/api/v2/users?state=any&pageSize=100"))
    cloud.fault(kind="short_page", endpoint="users", **faulty)
    pages = list(listed(cloud, f"/api/v2/users?state=any&pageSize={size}"))

    assert ids(iter(pages)) == whole
    assert min(len(page["entities"]) for page in pages[:-1]) < size
    assert {page["total"] for page in pages} == {len(whole)}


def test_a_short_page_says_how_long_it_is_and_what_comes_next(cloud):
    cloud.fault(kind="short_page")
    page = cloud.get("/api/v2/users?state=any&pageSize=6&pageNumber=2").json()

    assert (page["pageSize"], page["pageNumber"], len(page["entities"])) == (3, 3, 3)
    assert page["nextUri"] == "/api/v2/users?pageSize=3&pageNumber=4&state=any"


def test_a_page_of_one_row_is_never_short(cloud):
    cloud.fault(kind="short_page")

    assert len(ids(listed(cloud, "/api/v2/users?pageSize=1"))) == 9


@pytest.mark.parametrize(
    ("given", "body"), [({"total": 100}, 100), ({"total": -1}, -1), ({}, None)]
)
def test_the_total_of_a_query_may_be_wrong_or_missing_and_its_pages_are_right(cloud, given, body):
    honest = [details(cloud, number) for number in (1, 2)]
    cloud.fault(kind="wrong_total", **given)
    pages = [details(cloud, number) for number in (1, 2)]

    assert [page.get("totalHits") for page in pages] == [body, body]
    for page, true in zip(pages, honest, strict=True):
        assert page["conversations"] == true["conversations"]


def test_a_short_page_of_details_lacks_half_and_the_total_tells(cloud):
    honest = details(cloud, 2)
    cloud.fault(kind="short_page", endpoint="details", calls=[1])
    short, again = details(cloud, 2), details(cloud, 2)

    assert short["conversations"] == honest["conversations"][:10]
    assert short["totalHits"] == honest["totalHits"]
    assert again == honest


@pytest.mark.parametrize("jobs", BODIES)
@pytest.mark.parametrize("faulty", [{}, {"calls": [2]}, {"share": 0.5, "seed": 1}])
def test_a_short_page_of_results_loses_nothing(cloud, jobs, faulty):
    address = done(cloud, jobs)
    whole = [row for page in results(cloud, address) for row in page]
    cloud.fault(kind="short_page", **faulty)
    pages = list(results(cloud, address))

    assert [row for page in pages for row in page] == whole
    assert min(len(page) for page in pages[:-1]) == 6


@pytest.mark.parametrize(
    "path", ["/api/v2/users?state=any&pageSize=4", "/api/v2/routing/queues?pageSize=2"]
)
def test_the_last_of_a_page_of_a_list_comes_again_as_the_first_of_the_next(cloud, path):
    honest = [page["entities"] for page in listed(cloud, path)]
    cloud.fault(kind="duplicate")
    pages = [page["entities"] for page in listed(cloud, path)]

    assert pages[0] == honest[0]
    for before, page, true in zip(honest, pages[1:], honest[1:], strict=False):
        assert page == [before[-1], *true]


def test_the_last_of_a_page_of_a_query_comes_again_as_the_first_of_the_next(cloud):
    honest = [details(cloud, number) for number in (1, 2)]
    cloud.fault(kind="duplicate", endpoint="details")
    first, second = (details(cloud, number) for number in (1, 2))

    assert first == honest[0]
    assert second["totalHits"] == honest[1]["totalHits"]
    assert second["conversations"] == [
        first["conversations"][-1],
        *honest[1]["conversations"],
    ]


@pytest.mark.parametrize("jobs", BODIES)
def test_the_last_of_a_page_of_results_comes_again_as_the_first_of_the_next(cloud, jobs):
    address = done(cloud, jobs)
    honest = list(results(cloud, address))
    cloud.fault(kind="duplicate")
    pages = list(results(cloud, address))

    assert pages[0] == honest[0]
    for before, page, true in zip(honest, pages[1:], honest[1:], strict=False):
        assert page == [before[-1], *true]


@pytest.mark.parametrize("jobs", BODIES)
@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        ("job_fails", ["FAILED", "FAILED"]),
        ("job_cancelled", ["CANCELLED", "CANCELLED"]),
        ("job_expires", ["FULFILLED", "EXPIRED"]),
    ],
)
def test_a_fault_at_submission_decides_the_end_of_a_job(cloud, jobs, kind, ends):
    cloud.fault(kind=kind, calls=[1])
    address = submitted(cloud, jobs)
    looks = [cloud.get(address).json() for _ in range(4)]

    assert [look["state"] for look in looks] == ["QUEUED", "PENDING", *ends]
    assert ["errorMessage" in look for look in looks] == [
        look["state"] == "FAILED" for look in looks
    ]
    assert cloud.get(f"{address}/results").status_code == (404 if kind == "job_expires" else 400)


@pytest.mark.parametrize("jobs", BODIES)
@pytest.mark.parametrize(
    ("kind", "state", "status"),
    [
        ("job_fails", "FAILED", 400),
        ("job_cancelled", "CANCELLED", 400),
        ("job_expires", "EXPIRED", 404),
    ],
)
def test_a_fault_may_end_a_job_while_its_results_are_read(cloud, jobs, kind, state, status):
    address = done(cloud, jobs)
    prefix = "aggregates_" if jobs == AGGREGATES_JOBS else ""
    cloud.fault(kind=kind, endpoint=f"{prefix}results", calls=[2])
    answers = [cloud.get(f"{address}/results").status_code for _ in range(3)]

    assert answers == [200, status, status]
    assert cloud.get(address).json()["state"] == state


def test_a_fault_of_one_job_spares_other_jobs(cloud):
    cloud.fault(kind="job_fails", endpoint="jobs")

    assert cloud.get(done(cloud, AGGREGATES_JOBS)).json()["state"] == "FULFILLED"
    assert cloud.get(done(cloud, DETAILS_JOBS)).json()["state"] == "FAILED"


def test_a_fault_of_jobs_counts_requests_of_jobs_alone(cloud):
    cloud.fault(kind="job_fails", calls=[1])
    cloud.get("/api/v2/users")

    assert cloud.get(done(cloud, DETAILS_JOBS)).json()["state"] == "FAILED"
