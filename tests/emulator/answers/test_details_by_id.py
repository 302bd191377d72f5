"""Conversations by their ids, one and several."""

import pytest

from genesys_emulator.wire import endpoints
from tests.emulator.conftest import Cloud, cloud_of

CONVERSATIONS = "/api/v2/analytics/conversations"
SOME = f"{CONVERSATIONS}/details"


@pytest.fixture
def stored_conversations(cloud: Cloud) -> list[dict[str, object]]:
    body = {"interval": "2026-03-01T00:00:00.000Z/2026-03-03T00:00:00.000Z"}
    result = cloud.call("POST", f"{CONVERSATIONS}/details/query", json=body).json()
    return list(result["conversations"])


def test_a_conversation_has_an_address_of_its_own(cloud, stored_conversations):
    assert (
        cloud.get(f"{CONVERSATIONS}/{stored_conversations[3]['conversationId']}/details").json()
        == stored_conversations[3]
    )


@pytest.mark.parametrize("joined", [True, False])
def test_conversations_come_in_the_order_of_their_ids(cloud, stored_conversations, joined):
    wanted = [stored_conversations[5], stored_conversations[0], stored_conversations[9]]
    ids = [conversation["conversationId"] for conversation in wanted]
    ids.insert(1, "nobody")
    answer = cloud.get(SOME, params={"id": ",".join(ids) if joined else ids})

    assert answer.json() == {"conversations": wanted}


def test_an_unknown_conversation_is_not_found(cloud):
    assert cloud.get(f"{CONVERSATIONS}/nobody/details").json()["code"] == "not.found"
    assert cloud.get(SOME, params={"id": "nobody"}).json() == {"conversations": []}


def test_a_conversation_that_has_not_begun_is_not_found(cloud, stored_conversations):
    cloud.call(
        "POST", "/_emulator/clock", json={"now": stored_conversations[0]["conversationStart"]}
    )

    assert (
        cloud.get(
            f"{CONVERSATIONS}/{stored_conversations[0]['conversationId']}/details"
        ).status_code
        == 404
    )


@pytest.mark.parametrize("ids", [[], [""], [str(number) for number in range(101)]])
def test_1_to_100_conversations_may_be_asked_for_by_id(cloud, ids):
    assert cloud.get(SOME, params={"id": ids}).status_code == 400


def test_conversations_by_id_need_the_permission_of_details(centre):
    withheld = ["analytics:conversationDetail:view", "analytics:agentConversationDetail:view"]
    cloud = cloud_of(centre, withheld=withheld)
    cloud.log_in()

    assert cloud.get(SOME, params={"id": "x"}).status_code == 403
    assert cloud.get(f"{CONVERSATIONS}/x/details").status_code == 403
    one = cloud_of(centre, withheld=withheld[:1])
    one.log_in()
    assert one.get(f"{CONVERSATIONS}/x/details").status_code == 404


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        (SOME, endpoints.DETAILS_OF_SOME),
        (f"{CONVERSATIONS}/details/details", endpoints.DETAILS_OF_ONE),
        (f"{SOME}/jobs/availability", endpoints.AVAILABILITY),
        (f"{SOME}/jobs/x/results", endpoints.DETAILS_JOBS.results),
        (f"{CONVERSATIONS}/a/b/details", None),
    ],
)
def test_a_path_that_is_spelled_out_goes_before_one_with_an_id(path, endpoint):
    assert endpoints.endpoint_at(path) is endpoint
