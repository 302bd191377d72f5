"""Every fault on demand: those that an answer shows here, those that break connections below."""

import time

import httpx2
import pytest

from genesys_emulator.faults import STATUSES

from .conftest import AGGREGATES, a_query, buckets, served


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_a_status_comes_with_its_error_body(cloud, status):
    cloud.fault(kind="status", status=status, endpoint="users")
    answer = cloud.get("/api/v2/users")

    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.json()["code"]
    assert answer.json()["contextId"] == answer.headers["ININ-Correlation-Id"]
    assert "Retry-After" not in answer.headers
    assert cloud.get("/api/v2/routing/queues").status_code == 200


@pytest.mark.parametrize("when", ["2", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_retry_after_is_sent_as_it_was_given(cloud, when):
    cloud.fault(kind="status", status=429, retry_after=when)

    assert cloud.get("/api/v2/users").headers["Retry-After"] == when


def test_a_login_is_refused_in_its_own_form(stranger):
    stranger.fault(kind="status", status=401, endpoint="token")

    assert stranger.call("POST", "/oauth/token").json()["error"] == "invalid_client"


def test_calls_are_counted_per_fault_from_when_it_was_added(cloud):
    cloud.get("/api/v2/users")
    cloud.fault(kind="status", status=503, endpoint="users", calls=[1, 3])
    cloud.fault(kind="status", status=502, endpoint="any", calls=[1, 2])
    paths = ["users", "users", "routing/queues", "users", "users"]

    statuses = [cloud.get(f"/api/v2/{path}").status_code for path in paths]

    assert statuses == [503, 502, 200, 503, 200]


def test_a_fault_of_a_list_befalls_its_members_too(cloud):
    cloud.fault(kind="status", status=500, endpoint="queues")

    assert cloud.get("/api/v2/routing/queues/x").status_code == 500


def test_faults_end_when_they_are_deleted(cloud):
    cloud.fault(kind="html")
    cloud.call("DELETE", "/_emulator/faults")

    assert cloud.get("/api/v2/users").json()["total"] == 10


def test_a_cut_body_is_announced_as_if_it_were_whole(cloud):
    whole = cloud.get("/api/v2/users").content
    cloud.fault(kind="cut")
    answer = cloud.get("/api/v2/users")

    assert answer.content == whole[: len(whole) // 2]
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with pytest.raises(ValueError, match="line 1"):
        answer.json()


def test_a_proxy_may_answer_instead(cloud):
    cloud.fault(kind="html")
    answer = cloud.get("/api/v2/users")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")
    assert answer.text.startswith("<!doctype html>")


def test_the_right_body_may_have_the_wrong_type(cloud):
    cloud.fault(kind="wrong_type")
    answer = cloud.get("/api/v2/users")

    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.json()["total"] == 10


def test_an_answer_may_be_too_large(cloud):
    honest = buckets(cloud.ask())
    cloud.fault(kind="too_large", endpoint="aggregates", max_buckets=honest - 1)
    refused = cloud.ask()

    assert (refused.status_code, refused.json()["code"]) == (400, "response.entity.too.large")
    assert cloud.ask(interval="2026-03-02T09:00:00Z/2026-03-02T09:30:00Z").status_code == 200


def test_a_token_may_be_revoked_while_it_is_used(cloud):
    cloud.fault(kind="expired_token", endpoint="users", calls=[1])
    refused = cloud.get("/api/v2/users")

    assert (refused.status_code, refused.json()["code"]) == (401, "bad.credentials")
    assert cloud.get("/api/v2/routing/queues").status_code == 401
    cloud.log_in()
    assert cloud.get("/api/v2/users").status_code == 200


@pytest.mark.parametrize("kind", ["slow", "hang"])
def test_what_is_late_is_still_right(cloud, kind):
    cloud.fault(kind=kind, seconds=0.2)
    before = time.monotonic()

    assert cloud.get("/api/v2/users").json()["total"] == 10
    assert time.monotonic() - before >= 0.2


@pytest.mark.parametrize("kind", ["reset", "truncate"])
def test_where_no_connection_can_be_broken_that_is_said(cloud, kind):
    cloud.fault(kind=kind)

    with pytest.raises(ConnectionAbortedError, match="breaks this connection"):
        cloud.get("/api/v2/users")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            {"faults": [{"kind": "stauts"}]},
            "faults[0].kind: unknown 'stauts'; did you mean 'status'?",
        ),
        ({"faults": [{"kind": "reset"}, {}]}, "faults[1].kind: unknown None; known are "),
        ({"faults": [{"kind": "reset", "endpoint": "user"}]}, "did you mean 'users'?"),
        ({"faults": [{"kind": "hang", "second": 1}]}, "did you mean 'seconds'?"),
        ({"faults": [{"kind": "reset", "status": 503}]}, "field for 'reset': unknown 'status'"),
        ({"faults": [{"kind": "status", "status": 418}]}, "faults[0].status: unknown 418"),
        ({"faults": [{"kind": "status", "status": 503.0}]}, "503.0 is not a whole number"),
        ({"faults": [{"kind": "status", "retry_after": 2}]}, "retry_after: 2 is not text"),
        ({"faults": [{"kind": "reset", "calls": [0]}]}, "calls: [0] is not a list of call numbers"),
        ({"faults": [{"kind": "slow", "seconds": -1}]}, "seconds: -1 is not a number"),
        ({"faults": [{"kind": "too_large", "max_buckets": True}]}, "True is not a whole number"),
        ({"faults": [{"kind": [], "endpoint": "any"}]}, "unknown []"),
        ({"faults": ["reset"]}, "write an object"),
        ({"fault": {}}, 'write {"faults"'),
        ([], 'write {"faults"'),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_what_to_write(cloud, body, said):
    answer = cloud.call("POST", "/_emulator/faults", json=body)

    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert cloud.get("/api/v2/users").status_code == 200


def test_a_fault_that_is_no_json_is_refused(cloud):
    assert "not JSON" in cloud.call("POST", "/_emulator/faults", content=b"{").json()["message"]


def test_a_connection_is_reset_cut_short_or_silent():
    """One process for all that ends below HTTP."""
    with (
        served() as emulator,
        httpx2.Client(base_url=emulator.url, headers=emulator.token(), timeout=10) as client,
    ):
        emulator.fault(kind="reset", endpoint="users", calls=[1])
        with pytest.raises(httpx2.TransportError):
            client.get("/api/v2/users")

        emulator.fault(kind="truncate", endpoint="aggregates", calls=[1])
        with pytest.raises(httpx2.RemoteProtocolError, match="without sending complete"):
            client.post(AGGREGATES, json=a_query())

        emulator.fault(kind="hang", endpoint="organization", seconds=30)
        with pytest.raises(httpx2.ReadTimeout):
            client.get("/api/v2/organizations/me", timeout=0.3)

        emulator.fault(kind="slow", endpoint="queues", seconds=30)
        with pytest.raises(httpx2.ReadTimeout):
            client.get("/api/v2/routing/queues", timeout=0.05)

        assert client.get("/api/v2/users").json()["total"] == 10
        log = client.get("/_emulator/requests").json()["requests"]
        out, err = emulator.stop()

    assert [entry["status"] for entry in log] == [200, None, 200, None, 200, 200]
    assert (out, emulator.process.returncode) == ("", 0)
    assert "Traceback" not in err
