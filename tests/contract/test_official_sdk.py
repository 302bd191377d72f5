"""The emulator before its judge: Genesys' own client, which knows nothing of us."""

import json
from typing import Any

import pytest

from genesys_emulator.pytest_plugin import running
from tests.contract.conftest import everything_in

BODY = {
    "interval": "2026-03-02T00:00:00.000Z/2026-03-03T00:00:00.000Z",
    "granularity": "PT30M",
    "groupBy": ["userId", "queueId", "mediaType"],
    "metrics": ["tHandle", "tAcw", "tHeldComplete", "nTransferred"],
}


def query(sdk: Any, client: Any, **changes: Any) -> Any:
    return sdk.AnalyticsApi(client).post_analytics_conversations_aggregates_query(
        {**BODY, **changes}
    )


def test_the_official_sdk_builds_its_models_from_an_aggregates_answer(sdk, client):
    answer = query(sdk, client)

    values = [
        (group.group["userId"], bucket.interval, metric.metric, metric.stats.count)
        for group in answer.results
        for bucket in group.data
        for metric in bucket.metrics
        if "userId" in group.group
    ]
    assert len(values) > 100
    assert {metric for _, _, metric, _ in values} <= set(BODY["metrics"])
    assert all(count >= 1 for *_, count in values)
    assert all("mediaType" in group.group for group in answer.results)


def test_no_word_of_an_answer_is_unknown_to_it(sdk, client):
    """It puts `outdated_sdk_version` in the place of a value that is not in an enumeration."""
    answers = [
        query(sdk, client),
        sdk.UsersApi(client).get_users(state="any", page_size=100),
        sdk.RoutingApi(client).get_routing_queues(page_size=100),
        sdk.AuthorizationApi(client).get_authorization_divisions(),
        sdk.OrganizationApi(client).get_organizations_me(),
    ]

    for answer in answers:
        assert "outdated_sdk_version" not in everything_in(answer).lower()


def test_the_official_sdk_pages_through_users_and_finds_them_by_id(sdk, client):
    users = sdk.UsersApi(client)
    pages = [
        users.get_users(state="any", page_size=25, page_number=number).entities for number in (1, 2)
    ]
    everyone = [user for page in pages for user in page]
    some = [user.id for user in everyone[:3]]

    assert len({user.id for user in everyone}) == 29  # one is in no list
    result = users.get_users(id=some, state="any").entities  # it joins ids with commas
    assert sorted(user.id for user in result) == sorted(some)
    assert users.get_user(everyone[0].id).name == everyone[0].name


def test_the_official_sdk_reads_queues_and_divisions(sdk, client):
    queues = sdk.RoutingApi(client).get_routing_queues(name="Bill*").entities
    divisions = sdk.AuthorizationApi(client).get_authorization_divisions().entities

    assert [queue.name for queue in queues] == ["Billing"]
    assert queues[0].division.id in {division.id for division in divisions}
    assert sdk.RoutingApi(client).get_routing_queue(queues[0].id).name == "Billing"


def test_the_official_sdk_reads_all_that_it_knows_of_an_organisation(sdk, client):
    itself = sdk.OrganizationApi(client).get_organizations_me()

    assert [name for name in itself.swagger_types if getattr(itself, name) is None] == []
    assert "outdated_sdk_version" not in everything_in(itself).lower()
    assert (itself.state, itself.product_platform) == ("active", "GenesysCloud")
    assert itself.id == sdk.TokensApi(client).get_tokens_me().organization.id


def test_the_official_sdk_builds_its_models_from_conversation_details(sdk, client):
    answer = sdk.AnalyticsApi(client).post_analytics_conversations_details_query(
        {"interval": BODY["interval"], "paging": {"pageSize": 100, "pageNumber": 1}}
    )

    segments = [
        segment
        for conversation in answer.conversations
        for participant in conversation.participants
        for session in participant.sessions
        for segment in session.segments
    ]
    assert answer.total_hits >= len(answer.conversations) == 100
    assert {"interact", "wrapup", "alert"} <= {segment.segment_type for segment in segments}
    assert "outdated_sdk_version" not in everything_in(answer).lower()


def test_the_official_sdk_runs_a_details_job_to_the_end(sdk, client):
    analytics = sdk.AnalyticsApi(client)
    job = analytics.post_analytics_conversations_details_jobs({"interval": BODY["interval"]})
    states: list[str] = []
    while not states or states[-1] != "FULFILLED":
        states.append(analytics.get_analytics_conversations_details_job(job.job_id).state)
    first = analytics.get_analytics_conversations_details_job_results(job.job_id, page_size=60)
    second = analytics.get_analytics_conversations_details_job_results(
        job.job_id, page_size=60, cursor=first.cursor
    )

    assert states == ["QUEUED", "PENDING", "FULFILLED"]
    assert len({c.conversation_id for c in [*first.conversations, *second.conversations]}) == 120
    available = analytics.get_analytics_conversations_details_jobs_availability()
    assert first.data_availability_date == available.data_availability_date
    assert "outdated_sdk_version" not in everything_in(first).lower()
    analytics.delete_analytics_conversations_details_job(job.job_id)
    with pytest.raises(sdk.rest.ApiException, match="404"):
        analytics.get_analytics_conversations_details_job(job.job_id)


def test_the_official_sdk_reads_the_members_of_a_queue_to_the_last_page(sdk, client):
    routing = sdk.RoutingApi(client)
    queue = routing.get_routing_queues(name="Billing").entities[0]
    members, number = [], 1
    while page := routing.get_routing_queue_members(queue.id, page_size=5, page_number=number):
        members += page.entities
        if not page.next_uri:
            break
        number += 1

    assert len({member.id for member in members}) == len(members) == queue.member_count
    assert sum(member.joined for member in members) == queue.joined_member_count
    with pytest.raises(sdk.rest.ApiException, match="400"):
        routing.get_routing_queue_members(queue.id, page_size=101)


def test_the_official_sdk_reads_whose_token_it_has_and_the_limits(sdk, client):
    info = sdk.TokensApi(client).get_tokens_me()
    limits = sdk.OrganizationApi(client).get_organizations_limits_namespace("platform.api")

    assert info.o_auth_client.id == "emulator"
    assert info.o_auth_client.authorized_grant_type == "CLIENT-CREDENTIALS"
    assert info.organization.name == sdk.OrganizationApi(client).get_organizations_me().name
    assert {limit.key: limit.value for limit in limits.entities}["token.rate.per.minute"] == 300
    with pytest.raises(sdk.rest.ApiException, match="404"):
        sdk.OrganizationApi(client).get_organizations_limits_namespace("nonsense")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"metrics": ["tHold"]}, "invalid.value"),
        ({"groupBy": ["agentId"]}, "invalid.value"),
        ({"interval": "PT30M"}, "invalid.date"),
        ({"dateFrom": "2026-03-02"}, "invalid.property"),
        ({"pageToken": ""}, "invalid.property"),
    ],
)
def test_the_query_of_the_tutorials_is_refused(sdk, client, changes, code):
    with pytest.raises(sdk.rest.ApiException) as caught:
        query(sdk, client, **changes)

    assert caught.value.status == 400
    assert json.loads(caught.value.body)["code"] == code


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 413, 500, 502, 503, 504])
def test_a_fault_is_its_exception_with_an_error_body(sdk, client, organisation, status):
    organisation.faults({"kind": "status", "status": status, "endpoint": "aggregates"})

    with pytest.raises(sdk.rest.ApiException) as caught:
        query(sdk, client)

    body = json.loads(caught.value.body)
    model = client._ApiClient__deserialize(body, "ErrorBody")
    assert (caught.value.status, model.status) == (status, status)
    assert model.code
    assert model.message
    assert caught.value.headers["ININ-Correlation-Id"] == model.context_id


def test_the_official_sdk_obeys_a_retry_after(sdk, client, organisation):
    organisation.faults(
        {
            "kind": "status",
            "status": 429,
            "retry_after": "1",
            "endpoint": "aggregates",
            "calls": [1],
        }
    )

    assert query(sdk, client).results
    assert [r["status"] for r in organisation.requests("aggregates/query")] == [429, 200]


def test_bad_credentials_are_its_exception(sdk, organisation):
    with pytest.raises(sdk.rest.ApiException) as caught:
        sdk.ApiClient(host=organisation.url).get_client_credentials_token("emulator", "wrong")

    assert caught.value.status == 401
    assert json.loads(caught.value.body)["error"] == "invalid_client"


def test_a_client_of_another_grant_type_is_its_exception(sdk):
    with running("--grant-type", "token") as cloud, pytest.raises(sdk.rest.ApiException) as caught:
        sdk.ApiClient(host=cloud.url).get_client_credentials_token("emulator", "emulator-secret")

    assert caught.value.status == 400
    assert json.loads(caught.value.body)["error"] == "unauthorized_client"


def test_the_official_sdk_and_halfhour_read_the_same(sdk, client, organisation):
    import halfhour

    def by_agent(answer: Any) -> dict[str, int]:
        sums: dict[str, int] = {}
        for group in answer.results:
            for bucket in group.data:
                for metric in bucket.metrics:
                    if metric.metric == "tHandle" and "userId" in group.group:
                        agent = group.group["userId"]
                        sums[agent] = sums.get(agent, 0) + int(metric.stats.sum)
        return sums

    official = by_agent(query(sdk, client, flattenMultivaluedDimensions=True))
    ours = halfhour.report(
        start="2026-03-02", end="2026-03-03", by="agent", settings=organisation.settings
    ).to_pylist()

    assert official == {
        row["agent_id"]: round(row["handle_time_sec"] * 1000)
        for row in ours
        if row["handled_count"]
    }
