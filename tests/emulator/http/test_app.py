"""Logins, rate limits, lists of users and queues, and the wording of errors."""

import base64
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_emulator.answers.directory import list_users
from genesys_emulator.simulation.organization import make_organization
from genesys_emulator.simulation.source import SimulatedCentre
from tests.emulator.conftest import AGGREGATES, CLIENT, GRANT, Cloud, a_query, cloud_of


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def error(answer: Any) -> tuple[int, str]:
    """Status and code of an `ErrorBody` that has all that one has."""
    body = answer.json()
    assert set(body) >= {"message", "code", "status", "contextId", "details", "errors"}
    assert body["status"] == answer.status_code
    assert body["contextId"] == answer.headers["ININ-Correlation-Id"]
    return body["status"], body["code"]


def test_a_client_is_given_a_token(stranger):
    answer = stranger.call("POST", "/oauth/token", auth=CLIENT, data=GRANT)

    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("bearer", 86_399)


@pytest.mark.parametrize(
    ("headers", "form", "status", "description"),
    [
        (basic("emulator:guess"), GRANT, 401, "authentication failed"),
        (basic("nobody:emulator-secret"), GRANT, 401, "client not found"),
        ({"Authorization": "Basic !"}, GRANT, 401, "client not found"),
        (
            {},
            {**GRANT, "client_id": CLIENT[0], "client_secret": CLIENT[1]},
            401,
            "client not found",
        ),
        (basic(":".join(CLIENT)), {"grant_type": "password"}, 400, "unsupported grant type"),
        (basic(":".join(CLIENT)), {}, 400, "unsupported grant type"),
    ],
)
def test_a_login_that_is_refused_says_so_in_its_own_form(
    stranger, headers, form, status, description
):
    answer = stranger.call("POST", "/oauth/token", headers=headers, data=form)

    assert answer.status_code == status
    assert answer.json()["description"] == answer.json()["error_description"] == description
    assert answer.json()["error"] == (
        "invalid_client" if status == 401 else "unsupported_grant_type"
    )


@pytest.mark.parametrize(
    ("query", "form", "status"),
    [
        ("grant_type=client_credentials", {}, 200),
        ("grant_type=client_credentials", GRANT, 200),
        ("grant_type=password", {}, 400),
        ("grant_type=password", GRANT, 400),
        ("grant_type=client_credentials", {"grant_type": "password"}, 400),
    ],
)
def test_the_grant_type_may_be_in_the_query(stranger, query, form, status):
    answer = stranger.call("POST", f"/oauth/token?{query}", auth=CLIENT, data=form)

    assert answer.status_code == status
    assert ("access_token" in answer.json()) == (status == 200)


def test_credentials_in_the_query_let_nobody_in_and_are_in_no_log(stranger):
    secret = {"client_id": CLIENT[0], "client_secret": CLIENT[1], **GRANT}
    answer = stranger.call("POST", "/oauth/token", params=secret)

    assert answer.status_code == 401
    (logged,) = stranger.requests()
    assert (logged["query"], logged["body"]) == ({"grant_type": ["client_credentials"]}, None)


def test_a_missing_token_and_a_bad_token_are_told_apart(stranger):
    bad = {"Authorization": "Bearer guess"}

    assert error(stranger.get("/api/v2/users")) == (401, "authentication.required")
    assert error(stranger.get("/api/v2/users", headers=bad)) == (401, "bad.credentials")
    assert error(stranger.get("/api/v2/users", headers=basic("a:b"))) == (
        401,
        "authentication.required",
    )


def test_a_token_expires(centre):
    cloud = cloud_of(centre, lifetime=300)
    cloud.log_in()
    cloud.clock.seconds += 299
    assert cloud.get("/api/v2/users").status_code == 200
    cloud.clock.seconds += 1

    assert error(cloud.get("/api/v2/users")) == (401, "bad.credentials")


def test_the_rate_limit_is_announced_enforced_and_reset_after_a_minute(centre):
    cloud = cloud_of(centre, allowed=2)
    cloud.log_in()
    answers = [cloud.get("/api/v2/users") for _ in range(3)]

    assert [answer.headers["inin-ratelimit-count"] for answer in answers] == ["1", "2", "3"]
    assert {answer.headers["inin-ratelimit-allowed"] for answer in answers} == {"2"}
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert error(answers[2]) == (429, "too.many.requests.retry.after")
    assert answers[2].headers["Retry-After"] == "60"
    assert "[60] seconds" in answers[2].json()["message"]
    assert answers[2].json()["limit"]["value"] == 2

    cloud.clock.seconds += 60
    assert cloud.get("/api/v2/users").headers["inin-ratelimit-count"] == "1"


def test_each_token_has_a_limit_of_its_own(centre):
    cloud = cloud_of(centre, allowed=1)
    for _ in range(2):
        cloud.log_in()
        assert cloud.get("/api/v2/users").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "permission", "code"),
    [
        ("POST", AGGREGATES, "analytics:conversationAggregate:view", "missing.any.permissions"),
        ("GET", "/api/v2/routing/queues", "routing:queue:view", "missing.any.permissions"),
        ("GET", "/api/v2/routing/queues/x", "routing:queue:view", "missing.permissions"),
    ],
)
def test_a_permission_that_is_missing_is_named(centre, method, path, permission, code):
    cloud = cloud_of(centre, withheld=[permission])
    cloud.log_in()
    answer = cloud.call(method, path)

    assert error(answer) == (403, code)
    assert permission in answer.json()["message"]
    assert cloud.get("/api/v2/users").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v2/analytics", (404, "not found")),
        ("GET", "/", (404, "not found")),
        ("GET", "/api/v2/users/nobody", (404, "not.found")),
        ("GET", "/api/v2/routing/queues/none", (404, "not.found")),
        ("GET", AGGREGATES, (405, "method.not.allowed")),
        ("DELETE", "/api/v2/users", (405, "method.not.allowed")),
        ("GET", "/oauth/token", (405, "method.not.allowed")),
        ("GET", "/api/v2/users?pageSize=501", (400, "invalid.query.param.value")),
        ("GET", "/api/v2/users?pageSize=0", (400, "invalid.query.param.value")),
        ("GET", "/api/v2/users?pageNumber=x", (400, "invalid.query.param.value")),
        ("GET", "/api/v2/users?state=gone", (400, "invalid.query.param.value")),
    ],
)
def test_unknown_paths_methods_and_parameters_are_refused(cloud, method, path, expected):
    assert error(cloud.call(method, path)) == expected


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b"{", "application/json", (400, "bad.request")),
        (b"[" * 100_000, "application/json", (400, "bad.request")),
        (b'"\xff"', "application/json", (400, "bad.request")),
        (b"", "application/json", (400, "bad.request")),
        (b"{}", "text/plain", (415, "unsupported.media.type")),
        (b" " * 512_001, "application/json", (413, "request.entity.too.large")),
        (b"{}", "application/json; charset=utf-8", (400, "constraint.validation")),
    ],
)
def test_a_body_that_is_no_query_is_refused(cloud, content, kind, expected):
    answer = cloud.call("POST", AGGREGATES, content=content, headers={"Content-Type": kind})

    assert error(answer) == expected


def test_a_user_can_be_asked_for_by_id(cloud):
    everyone = cloud.get("/api/v2/users?state=any&pageSize=500").json()["entities"]
    gone = next(user for user in everyone if user["state"] == "deleted")

    assert cloud.get(f"/api/v2/users/{everyone[0]['id']}").json() == everyone[0]
    assert cloud.get(f"/api/v2/users/{gone['id']}").status_code == 404
    assert cloud.get(f"/api/v2/users/{gone['id']}?state=deleted").json() == gone


def test_users_who_have_left_are_listed_only_when_asked_for(cloud):
    totals = {
        state: cloud.get(f"/api/v2/users?state={state}").json()["total"]
        for state in ("active", "inactive", "deleted", "any")
    }

    assert totals == {"active": 9, "inactive": 1, "deleted": 1, "any": 11}
    assert cloud.get("/api/v2/users").json()["total"] == 9


def test_ids_may_be_repeated_or_joined_with_commas(cloud):
    first, second, *_ = (u["id"] for u in cloud.get("/api/v2/users").json()["entities"])

    for asked in (f"id={first}&id={second}", f"id={first},{second}", f"id={first}%2C{second}"):
        result = cloud.get(f"/api/v2/users?{asked}&id=unknown").json()
        assert {user["id"] for user in result["entities"]} == {first, second}


@given(st.integers(0, 40), st.integers(1, 15))
def test_pages_of_users_together_are_the_whole_list(agents, size):
    centre = make_organization(1, agents)
    result, uri = [], f"?state=any&pageSize={size}"
    while uri:
        words = uri.partition("?")[2].split("&")
        pairs = [(name, value) for name, _, value in (word.partition("=") for word in words)]
        page = list_users(centre, "/api/v2/users", pairs)
        assert page["total"] == len(centre.listed_agents)
        assert page["pageCount"] == max(1, -(-len(centre.listed_agents) // size))
        result += page["entities"]
        uri = page.get("nextUri", "")
        assert uri == "" or uri.startswith("/api/v2/users?")

    assert [user["id"] for user in result] == [agent.id for agent in centre.listed_agents]


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("billing", {"Billing"}),
        ("B*", {"Billing"}),
        ("*t", {"Chat", "Support"}),
        ("*A*", {"Chat", "Sales", "Returns, São Paulo"}),
        ("Bill", set()),
    ],
)
def test_queues_are_found_by_name(cloud, name, result):
    queues = cloud.get("/api/v2/routing/queues", params={"name": name}).json()["entities"]

    assert {queue["name"] for queue in queues} == result


def test_queues_are_found_by_division_and_id(cloud):
    divisions = cloud.get("/api/v2/authorization/divisions").json()["entities"]
    europe = next(division for division in divisions if division["name"] == "Europe")
    result = cloud.get(f"/api/v2/routing/queues?divisionId={europe['id']}").json()["entities"]

    assert {queue["name"] for queue in result} == {"Sales", "Chat"}
    assert [division["homeDivision"] for division in divisions] == [True, False, False]
    assert cloud.get(result[0]["selfUri"]).json() == result[0]


def test_the_organization_is_the_same_for_a_seed_and_another_for_another():
    def asked(seed: int, agents: int) -> dict[str, Any]:
        cloud = cloud_of(SimulatedCentre(make_organization(seed, agents), date(2026, 2, 24)))
        cloud.log_in()
        answer: dict[str, Any] = cloud.get("/api/v2/organizations/me").json()
        return answer

    one, larger, other = asked(1, 2), asked(1, 40), asked(2, 2)

    assert one["name"] == "Halcyon Parcels"
    assert one == larger
    assert one["id"] != other["id"]
    assert one["defaultSiteId"] != other["defaultSiteId"]


def test_the_request_log_holds_requests_and_no_secret(cloud):
    cloud.get("/api/v2/users?id=a&id=b")
    cloud.ask(granularity="PT15M")
    cloud.call("POST", "/oauth/token", json={"client_secret": "open sesame"})

    token, listed, asked, refused = cloud.requests()
    assert [entry["status"] for entry in (token, listed, asked, refused)] == [200, 200, 200, 401]
    assert (listed["method"], listed["path"], listed["query"]) == (
        "GET",
        "/api/v2/users",
        {"id": ["a", "b"]},
    )
    assert asked["body"] == a_query(granularity="PT15M")
    text = cloud.get("/_emulator/requests").text
    assert "Authorization" not in text
    for secret in ("emulator-secret", "open sesame", cloud.headers["Authorization"][7:]):
        assert secret not in text


def test_a_reset_forgets_everything(cloud):
    cloud.fault(kind="html")
    cloud.call("POST", "/_emulator/reset")

    assert cloud.requests() == []
    assert error(cloud.get("/api/v2/users")) == (401, "bad.credentials")


def test_the_organization_can_be_looked_at_without_a_token(stranger):
    result = stranger.get("/_emulator/org").json()

    assert (len(result["users"]), len(result["queues"])) == (12, 5)


def test_a_query_of_many_agents_is_narrowed_before_it_is_answered():
    centre = SimulatedCentre(make_organization(1, 300), date(2026, 2, 24))
    cloud: Cloud = cloud_of(centre)
    cloud.log_in()
    wanted = centre.organization.agents[7].id
    only = {"type": "and", "predicates": [{"dimension": "userId", "value": wanted}]}
    result = cloud.ask(filter=only).json()["results"]

    assert {group["group"]["userId"] for group in result} == {wanted}
    everything = cloud.ask().json()["results"]
    assert sorted(map(str, (shape(g) for g in result))) == sorted(
        str(shape(g)) for g in everything if g["group"].get("userId") == wanted
    )


def shape(group: dict[str, Any]) -> tuple[str, int]:
    return str(sorted(group["group"].items())), len(group["data"])
