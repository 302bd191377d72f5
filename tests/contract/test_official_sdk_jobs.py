"""Genesys' own client on jobs, and on conversations by their ids."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.conftest import everything_in

INTERVAL = "2026-03-01T00:00:00.000Z/2026-03-02T00:00:00.000Z"
AGGREGATES = {
    "interval": INTERVAL,
    "granularity": "PT30M",
    "groupBy": ["userId", "queueId"],
    "metrics": ["tHandle", "tAcw"],
    "pageSize": 20,
}


@pytest.fixture
def analytics(sdk: Any, client: Any) -> Any:
    return sdk.AnalyticsApi(client)


def states(look: Callable[[], Any]) -> list[str]:
    """What looks find, until the job has ended."""
    result: list[str] = []
    while not result or result[-1] in ("QUEUED", "PENDING"):
        result.append(look().state)
    return result


def conversation_ids(analytics: Any, size: int) -> list[str]:
    answer = analytics.post_analytics_conversations_details_query(
        {"interval": INTERVAL, "paging": {"pageSize": size, "pageNumber": 1}}
    )
    return [conversation.conversation_id for conversation in answer.conversations]


def test_the_official_sdk_runs_a_job_of_aggregates_to_the_end(sdk, analytics):
    job = analytics.post_analytics_conversations_aggregates_jobs(AGGREGATES).job_id
    looks = states(lambda: analytics.get_analytics_conversations_aggregates_job(job))
    page = analytics.get_analytics_conversations_aggregates_job_results(job)
    groups = [*page.results]
    while page.cursor:
        assert len(page.results) == 20
        page = analytics.get_analytics_conversations_aggregates_job_results(job, cursor=page.cursor)
        groups += page.results
    whole = {name: value for name, value in AGGREGATES.items() if name != "pageSize"}
    asked = analytics.post_analytics_conversations_aggregates_query(whole)

    assert looks == ["QUEUED", "PENDING", "FULFILLED"]
    assert {json.dumps(group.group, sort_keys=True) for group in groups} == {
        json.dumps(group.group, sort_keys=True) for group in asked.results
    }
    assert len(groups) == len(asked.results) > 20
    assert "outdated_sdk_version" not in everything_in(page).lower()
    analytics.delete_analytics_conversations_aggregates_job(job)
    with pytest.raises(sdk.rest.ApiException, match="404"):
        analytics.get_analytics_conversations_aggregates_job(job)


def test_the_official_sdk_reads_conversations_by_their_ids(sdk, analytics):
    ids = conversation_ids(analytics, 5)
    several = analytics.get_analytics_conversations_details(id=ids)
    one = analytics.get_analytics_conversation_details(ids[0])

    assert [conversation.conversation_id for conversation in several.conversations] == ids
    assert one.to_dict() == several.conversations[0].to_dict()
    assert "outdated_sdk_version" not in everything_in(several).lower()
    with pytest.raises(sdk.rest.ApiException, match="404"):
        analytics.get_analytics_conversation_details("nobody")


def results(analytics: Any, job: str) -> list[str]:
    """The ids of all conversations of a job, in the order in which its pages have them."""
    result: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = analytics.get_analytics_conversations_details_job_results(
            job, page_size=60, **cursor
        )
        result += [conversation.conversation_id for conversation in page.conversations]
        if not page.cursor:
            return result
        cursor = {"cursor": page.cursor}


def done(analytics: Any) -> str:
    job = analytics.post_analytics_conversations_details_jobs({"interval": INTERVAL}).job_id
    states(lambda: analytics.get_analytics_conversations_details_job(job))
    return str(job)


@pytest.mark.parametrize(
    ("kind", "state", "message"),
    [("job_fails", "FAILED", True), ("job_cancelled", "CANCELLED", False)],
)
def test_the_official_sdk_is_told_how_a_job_ended(
    sdk, analytics, organisation, kind, state, message
):
    organisation.faults({"kind": kind, "endpoint": "jobs", "calls": [1]})
    job = done(analytics)
    status = analytics.get_analytics_conversations_details_job(job)

    assert status.state == state
    assert bool(status.error_message) is message
    with pytest.raises(sdk.rest.ApiException, match="400"):
        results(analytics, job)


def test_the_results_of_a_job_may_expire_while_it_reads_them(sdk, analytics, organisation):
    organisation.faults({"kind": "job_expires", "endpoint": "results", "calls": [2]})
    job = done(analytics)
    with pytest.raises(sdk.rest.ApiException, match="404"):
        results(analytics, job)

    assert analytics.get_analytics_conversations_details_job(job).state == "EXPIRED"


def test_the_official_sdk_reads_short_pages_and_repeated_rows(analytics, organisation):
    job = done(analytics)
    whole = results(analytics, job)
    organisation.faults({"kind": "short_page", "endpoint": "results", "calls": [1]})
    short = results(analytics, job)
    asked = len(organisation.requests("/results"))
    organisation.faults({"kind": "duplicate", "endpoint": "results"})
    repeated = results(analytics, job)

    assert short == whole
    assert len(organisation.requests("/results")) - asked > 1
    assert list(dict.fromkeys(repeated)) == whole
    assert len(repeated) > len(whole)


def test_the_official_sdk_follows_the_short_pages_of_a_list(sdk, client, organisation):
    organisation.faults({"kind": "short_page", "endpoint": "users", "calls": [1, 3]})
    users = sdk.UsersApi(client)
    page = users.get_users(state="any", page_size=20)
    result = [entity.id for entity in page.entities]
    while page.next_uri:
        page = users.get_users(
            state="any", page_size=page.page_size, page_number=page.page_number + 1
        )
        result += [entity.id for entity in page.entities]

    assert len(set(result)) == len(result) == 29
