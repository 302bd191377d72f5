"""Every fault on demand: those that an answer shows here, those that break connections below."""

import time

import httpx2
import pytest

from genesys_emulator.state.fault_parsing import STATUSES, FaultError, parse_option
from genesys_emulator.state.faults import Fault
from tests.emulator.conftest import AGGREGATES, Cloud, a_query, buckets, served


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


def test_a_fault_of_a_list_also_meets_requests_for_one_member(cloud):
    cloud.fault(kind="status", status=500, endpoint="queues")

    assert cloud.get("/api/v2/routing/queues/x").status_code == 500


def test_faults_end_when_they_are_deleted(cloud):
    cloud.fault(kind="html")
    cloud.call("DELETE", "/_emulator/faults")

    assert cloud.get("/api/v2/users").json()["total"] == 9


def test_a_cut_body_is_announced_as_if_it_were_whole(cloud):
    whole = cloud.get("/api/v2/users").content
    cloud.fault(kind="cut")
    answer = cloud.get("/api/v2/users")

    assert answer.content == whole[: len(whole) // 2]
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with pytest.raises(ValueError, match="line 1"):
        answer.json()


def test_a_proxy_page_may_replace_the_answer(cloud):
    cloud.fault(kind="html")
    answer = cloud.get("/api/v2/users")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")
    assert answer.text.startswith("<!doctype html>")


def test_the_right_body_may_have_the_wrong_type(cloud):
    cloud.fault(kind="wrong_type")
    answer = cloud.get("/api/v2/users")

    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.json()["total"] == 9


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
def test_a_slow_or_delayed_answer_is_still_right(cloud, kind):
    cloud.fault(kind=kind, seconds=0.2)
    before = time.monotonic()

    assert cloud.get("/api/v2/users").json()["total"] == 9
    assert time.monotonic() - before >= 0.2


@pytest.mark.parametrize("kind", ["reset", "truncate"])
def test_a_server_that_cannot_break_connections_says_so(cloud, kind):
    cloud.fault(kind=kind)

    with pytest.raises(ConnectionAbortedError, match="breaks this connection"):
        cloud.get("/api/v2/users")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"faults": [{"kind": "stauts"}]},
            "faults[0]: kind: unknown 'stauts'; did you mean 'status'?",
        ),
        ({"faults": [{"kind": "reset"}, {}]}, "faults[1]: kind: unknown None; known are "),
        ({"faults": [{"kind": "reset", "endpoint": "user"}]}, "did you mean 'users'?"),
        ({"faults": [{"kind": "hang", "second": 1}]}, "did you mean 'seconds'?"),
        ({"faults": [{"kind": "reset", "status": 503}]}, "field for 'reset': unknown 'status'"),
        ({"faults": [{"kind": "status", "status": 418}]}, "faults[0]: status: unknown 418"),
        ({"faults": [{"kind": "status", "status": 503.0}]}, "503.0 is not a whole number"),
        ({"faults": [{"kind": "status", "retry_after": 2}]}, "retry_after: 2 is not text"),
        ({"faults": [{"kind": "reset", "calls": [0]}]}, "calls: [0] is not a list of call numbers"),
        ({"faults": [{"kind": "slow", "seconds": -1}]}, "seconds: -1 is not a number"),
        ({"faults": [{"kind": "too_large", "max_buckets": True}]}, "True is not a whole number"),
        ({"faults": [{"kind": [], "endpoint": "any"}]}, "unknown []"),
        ({"faults": ["reset"]}, "write an object"),
        ({"faults": [{"knid": "reset"}]}, "faults[0]: field: unknown 'knid'; did you mean 'kind'?"),
        ({"faults": [{"kind": "reset", "share": 1.5}]}, "share: 1.5 is not a number from 0 to 1"),
        ({"faults": [{"kind": "reset", "share": True}]}, "share: True is not a number"),
        (
            {"faults": [{"kind": "reset", "share": 0.5, "calls": [1]}]},
            "faults[0]: write calls or share, not both",
        ),
        ({"faults": [{"kind": "reset", "share": 0.5, "seed": "x"}]}, "'x' is not a whole number"),
        ({"faults": [{"kind": "reset", "seed": 1}]}, "seed: it picks a share; write that too"),
        ({"faults": [{"kind": "short_page", "endpoint": "aggregates"}]}, "'aggregates_results'"),
        ({"faults": [{"kind": "job_fails", "endpoint": "token"}]}, "known are aggregates_jobs"),
        ({"fault": {}}, 'write {"faults"'),
        ([], 'write {"faults"'),
    ],
)
def test_an_impossible_fault_is_refused_with_a_correction(cloud, body, message):
    answer = cloud.call("POST", "/_emulator/faults", json=body)

    assert answer.status_code == 400
    assert message in answer.json()["message"]
    assert cloud.get("/api/v2/users").status_code == 200


def test_a_fault_that_is_no_json_is_refused(cloud):
    assert "not JSON" in cloud.call("POST", "/_emulator/faults", content=b"{").json()["message"]


def statuses(cloud: Cloud, count: int) -> list[int]:
    return [cloud.get("/api/v2/users").status_code for _ in range(count)]


def test_a_share_of_requests_is_always_the_same(cloud):
    cloud.fault(kind="status", share=0.3)
    first = statuses(cloud, 200)
    cloud.call("POST", "/_emulator/reset")
    cloud.log_in()
    cloud.fault(kind="status", share=0.3)

    assert statuses(cloud, 200) == first
    assert 40 <= first.count(503) <= 80


def test_a_share_may_be_none_or_all_and_another_seed_is_another_share(cloud):
    shares = []
    for fault in ({"share": 0}, {"share": 1}, {"share": 0.5}, {"share": 0.5, "seed": 9}):
        cloud.call("DELETE", "/_emulator/faults")
        cloud.fault(kind="status", **fault)
        shares.append(statuses(cloud, 40))

    assert shares[:2] == [[200] * 40, [503] * 40]
    assert shares[2] != shares[3]


def test_faults_without_a_seed_meet_different_requests(cloud):
    faults = [{"kind": "status", "status": status, "share": 0.5} for status in (500, 502)]
    cloud.call("POST", "/_emulator/faults", json={"faults": faults})

    assert set(statuses(cloud, 60)) == {200, 500, 502}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("kind=reset", Fault("reset")),
        (
            "kind=status,status=429,endpoint=aggregates,calls=1+3",
            Fault("status", "aggregates", frozenset({1, 3}), status=429),
        ),
        ("kind=status,retry_after=2", Fault("status", retry_after="2")),
        ("kind=hang,seconds=0.5,share=0.25,seed=7", Fault("hang", share=0.25, seed=7, seconds=0.5)),
        (
            '{"kind": "status", "retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}',
            Fault("status", retry_after="Wed, 21 Oct 2026 07:28:00 GMT"),
        ),
    ],
)
def test_a_fault_may_be_written_as_an_option(text, fault):
    assert parse_option(text, 0) == fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "write name=value, as in kind=status"),
        ("status", "write name=value"),
        ("kind=status,status=five", "status: 'five' is not a whole number"),
        ("kind=status,calls=1+x", "[1, 'x'] is not a list of call numbers"),
        ("kind=slow,seconds=nan", "seconds: nan is not a number"),
        ("kind=hang,secnds=2", "did you mean 'seconds'?"),
        ('{"kind"', "is not JSON"),
    ],
)
def test_an_invalid_fault_option_is_refused_with_a_correction(text, message):
    with pytest.raises(FaultError) as caught:
        parse_option(text, 0)

    assert repr(text) in str(caught.value)
    assert message in str(caught.value)


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

        assert client.get("/api/v2/users").json()["total"] == 9
        log = client.get("/_emulator/requests").json()["requests"]
        out, err = emulator.stop()

    assert [entry["status"] for entry in log] == [200, None, 200, None, 200, 200]
    assert (out, emulator.process.returncode) == ("", 0)
    assert "Traceback" not in err
