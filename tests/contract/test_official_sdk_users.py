"""Genesys' own client on the status of users."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.contract.conftest import everything_in
from tests.contract.test_official_sdk_jobs import states
from tests.processes import emulator

INTERVAL = "2026-03-02T00:00:00.000Z/2026-03-03T00:00:00.000Z"
START, END = (datetime.fromisoformat(split) for split in INTERVAL.split("/"))


@pytest.fixture
def analytics(sdk: Any, client: Any) -> Any:
    return sdk.AnalyticsApi(client)


@pytest.fixture
def users(sdk: Any, client: Any) -> list[str]:
    return [entity.id for entity in sdk.UsersApi(client).get_users(page_size=100).entities]


def of(users: list[str]) -> dict[str, Any]:
    predicates = [{"dimension": "userId", "value": user} for user in users]
    return {
        "interval": INTERVAL,
        "granularity": "PT30M",
        "groupBy": ["userId"],
        "metrics": ["tSystemPresence", "tAgentRoutingStatus"],
        "filter": {"type": "or", "predicates": predicates},
    }


Statuses = Counter[tuple[str, str, str]]


def true_statuses(organisation: Any, users: list[str]) -> Statuses:
    """Milliseconds by user, kind and status."""
    result: Statuses = Counter()
    for row in organisation.truth("statuses", INTERVAL).to_pylist():
        if row["agent_id"] in users:
            lasted = min(row["end"] or END, END) - max(row["start"], START)
            key = (row["agent_id"], row["kind"], row["status"])
            result[key] += lasted // timedelta(milliseconds=1)
    return +result


def test_the_official_sdk_reads_aggregates_of_status(organisation, analytics, users):
    answer = analytics.post_analytics_users_aggregates_query(of(users))
    kinds = {"tSystemPresence": "presence", "tAgentRoutingStatus": "routing"}
    result: Statuses = Counter()
    for group in answer.results:
        for bucket in group.data:
            for metric in bucket.metrics:
                key = (group.group["userId"], kinds[metric.metric], metric.qualifier)
                result[key] += int(metric.stats.sum)

    assert result == true_statuses(organisation, users)
    assert len(result) > 50
    assert "outdated_sdk_version" not in everything_in(answer).lower()


def test_the_official_sdk_reads_status_as_records(organisation, analytics, users):
    some = users[:10]
    predicates = [{"dimension": "userId", "value": entry} for entry in some]
    answer = analytics.post_analytics_users_details_query(
        {
            "interval": INTERVAL,
            "paging": {"pageSize": 100, "pageNumber": 1},
            "userFilters": [{"type": "or", "predicates": predicates}],
        }
    )
    result: Statuses = Counter()
    for user in answer.user_details:
        for kind, records, word in (
            ("presence", user.primary_presence, "system_presence"),
            ("routing", user.routing_status, "routing_status"),
        ):
            for record in records or ():
                lasted = min(record.end_time or END, END) - max(record.start_time, START)
                result[user.user_id, kind, getattr(record, word)] += lasted // timedelta(
                    milliseconds=1
                )

    assert +result == true_statuses(organisation, some)
    assert "outdated_sdk_version" not in everything_in(answer).lower()


def test_the_official_sdk_runs_jobs_of_both_to_the_end(sdk, analytics, users):
    job = analytics.post_analytics_users_aggregates_jobs(of(users)).job_id
    assert states(lambda: analytics.get_analytics_users_aggregates_job(job))[-1] == "FULFILLED"
    page = analytics.get_analytics_users_aggregates_job_results(job)
    assert {result.group["userId"] for result in page.results} <= set(users)
    analytics.delete_analytics_users_aggregates_job(job)

    until = analytics.get_analytics_users_details_jobs_availability().data_availability_date
    assert until > START
    job = analytics.post_analytics_users_details_jobs({"interval": INTERVAL}).job_id
    assert states(lambda: analytics.get_analytics_users_details_job(job))[-1] == "FULFILLED"
    assert analytics.get_analytics_users_details_job_results(job).user_details
    analytics.delete_analytics_users_details_job(job)
    with pytest.raises(sdk.rest.ApiException, match="404"):
        analytics.get_analytics_users_details_job(job)


def test_more_than_a_hundred_users_are_too_many(sdk, analytics, users):
    with pytest.raises(sdk.rest.ApiException, match="400"):
        analytics.post_analytics_users_aggregates_query(of([f"{entry}" for entry in range(101)]))


def test_a_missing_permission_is_named(sdk):
    for cloud in emulator("--without-permission", "analytics:userAggregate:view",
                          "--without-permission", "analytics:userDetail:view"):  # fmt: skip
        client = sdk.ApiClient(host=cloud.url).get_client_credentials_token(
            cloud.client_id, "emulator-secret"
        )
        analytics = sdk.AnalyticsApi(client)
        with pytest.raises(sdk.rest.ApiException, match="analytics:userAggregate:view"):
            analytics.post_analytics_users_aggregates_query(of(["a"]))
        with pytest.raises(sdk.rest.ApiException, match="analytics:userDetail:view"):
            analytics.post_analytics_users_details_query({"interval": INTERVAL})


def test_the_official_sdk_reads_how_much_of_agents_capacity_was_used(sdk, analytics, users):
    query = {
        "interval": INTERVAL,
        "granularity": "PT30M",
        "groupBy": ["userId"],
        "metrics": ["oAgentUtilizationPercentage"],
        "filter": {
            "type": "or",
            "predicates": [{"dimension": "userId", "value": user} for user in users[:5]],
        },
    }
    answer = analytics.post_analytics_agentutilizations_aggregates_query(query)
    assert {group.group["userId"] for group in answer.results} <= set(users[:5])
    (metrics,) = {
        tuple(user.metric for user in bucket.metrics)
        for group in answer.results
        for bucket in group.data
    }
    assert metrics == ("oAgentUtilizationPercentage",)
    used = [bucket.metrics[0].stats.sum for group in answer.results for bucket in group.data]
    assert 0 < min(used) <= max(used) <= 100

    with pytest.raises(sdk.rest.ApiException, match="AgentUtilizationMetric"):
        analytics.post_analytics_agentutilizations_aggregates_query(
            {**query, "metrics": ["tHandle"]}
        )
