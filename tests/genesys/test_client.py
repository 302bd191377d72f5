"""Tests of the client against the emulator, with one fault at a time."""

import asyncio
import socket
import sys
from collections.abc import Coroutine
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa
import pytest

from halfhour.errors import ApiError, AuthError, UnexpectedAnswer, Unreachable
from halfhour.genesys import payloads, regions
from halfhour.genesys.client import Client
from halfhour.genesys.connection import Settings
from halfhour.genesys.endpoints import AGENT_LIST, CONVERSATION_AGGREGATES, QUEUE_LIST
from halfhour.genesys.requests import PostedQuery
from halfhour.genesys.retry_policy import MAX_CONCURRENT_REQUESTS
from halfhour.model.coverage import Calendar
from halfhour.model.intervals import HALF_HOUR, Interval
from halfhour.model.question import Question
from halfhour.reports.from_api import fetch_into_store
from halfhour.store.store import Store

T = TypeVar("T")

DAY = Interval(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
QUESTION = Question(DAY, UTC)
QUERY = PostedQuery(DAY, HALF_HOUR)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def aggregates(settings: Settings, times: int = 1) -> list[payloads.AggregateAnswer]:
    async with Client(settings) as client:
        calls = (
            client.call(CONVERSATION_AGGREGATES, body=QUERY.request_body()) for _ in range(times)
        )
        return list(await asyncio.gather(*calls))


class FetchedDay(NamedTuple):
    posted: pa.Table
    agents: pa.Table


def fetch_day(settings: Settings) -> FetchedDay:
    with Store.create_in_memory(Calendar(DAY.end, HALF_HOUR).stored_settings) as store:
        run(fetch_into_store(settings, store, QUESTION, DAY.end))
        return FetchedDay(store.posted_rows(DAY), store.names_by_kind("agent"))


def sorted_rows(table: Any) -> list[dict[str, Any]]:
    return sorted(table.to_pylist(), key=lambda row: [str(value) for value in row.values()])


ONE_OFF = [
    *({"kind": "status", "status": status} for status in (408, 429, 502, 503, 504)),
    {"kind": "status", "status": 429, "retry_after": "0"},
    {"kind": "status", "status": 503, "retry_after": "Sun, 01 Mar 2026 00:00:00 GMT"},
    {"kind": "reset"},
    {"kind": "truncate"},
    {"kind": "cut"},
    {"kind": "html"},
    {"kind": "wrong_type"},
    {"kind": "expired_token"},
]


@pytest.mark.parametrize("fault", ONE_OFF, ids=lambda fault: "-".join(map(str, fault.values())))
@pytest.mark.parametrize("endpoint", ["aggregates", "users"])
def test_a_fetch_gets_over_passing_faults(cloud, fault, endpoint):
    undisturbed = fetch_day(cloud.settings)
    cloud.reset()
    cloud.faults({**fault, "endpoint": endpoint, "calls": [1, 2] if "status" in fault else [1]})

    disturbed = fetch_day(cloud.settings)

    assert undisturbed.posted.num_rows > 50
    assert sorted_rows(disturbed.posted) == sorted_rows(undisturbed.posted)
    assert disturbed.agents.sort_by("id").equals(undisturbed.agents.sort_by("id"))


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_login_host_that_stumbles_is_tried_again(cloud, status):
    cloud.faults({"kind": "status", "status": status, "endpoint": "token", "calls": [1, 2]})

    assert run(aggregates(cloud.settings))


@pytest.mark.parametrize(
    ("status", "code", "way_out"),
    [
        (400, "bad.request", "report this as a bug"),
        (403, "not.authorized", "role"),
        (404, "not.found", "check the region"),
        (413, "request.entity.too.large", "fewer queues"),
        (500, "internal.server.error", "try again later"),
    ],
)
def test_a_refusal_is_not_tried_again_and_says_what_to_do(cloud, status, code, way_out):
    cloud.faults({"kind": "status", "status": status, "endpoint": "aggregates"})

    with pytest.raises(ApiError) as caught:
        run(aggregates(cloud.settings))

    error = caught.value
    assert (error.status, error.operation) == (status, "conversation aggregates")
    assert error.code.startswith(code)
    assert error.message
    assert error.correlation_id
    assert error.correlation_id in str(error)
    assert way_out in str(error)
    assert len(cloud.requests("aggregates/query")) == 1


def test_a_lasting_error_is_raised_after_the_attempts_that_were_set(cloud):
    cloud.faults({"kind": "status", "status": 503, "endpoint": "aggregates"})

    with pytest.raises(ApiError, match="503"):
        run(aggregates(cloud.impatient(attempts=3)))

    assert len(cloud.requests("aggregates/query")) == 3


def test_a_retry_after_is_waited_for(cloud):
    cloud.faults(
        {
            "kind": "status",
            "status": 429,
            "endpoint": "aggregates",
            "calls": [1],
            "retry_after": "1",
        }
    )

    run(aggregates(cloud.settings))

    first, second = (datetime.fromisoformat(r["time"]) for r in cloud.requests("aggregates/query"))
    assert second - first >= timedelta(seconds=0.95)


def test_a_retry_after_of_one_request_delays_all(cloud):
    cloud.faults(
        {"kind": "status", "status": 429, "endpoint": "aggregates", "calls": [1],
         "retry_after": "1"}
    )  # fmt: skip
    run(aggregates(cloud.settings, times=20))

    asked = [
        datetime.fromisoformat(request["time"]) for request in cloud.requests("aggregates/query")
    ]
    at_once = [request for request in asked if request - asked[0] < timedelta(seconds=0.95)]
    assert len(asked) == 21
    assert len(at_once) <= MAX_CONCURRENT_REQUESTS


def test_a_retry_after_above_the_ceiling_ends_the_request_and_is_named(cloud):
    cloud.faults(
        {"kind": "status", "status": 429, "endpoint": "aggregates", "retry_after": "86400"}
    )

    with pytest.raises(ApiError) as caught:
        run(aggregates(cloud.settings))

    assert "86400 s" in str(caught.value)
    assert len(cloud.requests("aggregates/query")) == 1


def test_a_host_that_does_not_answer_is_given_up(cloud):
    cloud.faults({"kind": "hang", "endpoint": "aggregates", "seconds": 30})

    with pytest.raises(Unreachable, match=r"nothing came for 0\.2 s"):
        run(aggregates(cloud.impatient(attempts=2, silence_timeout=0.2)))


def test_an_answer_that_only_drips_is_given_up(cloud):
    cloud.faults({"kind": "slow", "endpoint": "aggregates", "seconds": 60})

    with pytest.raises(Unreachable):
        run(aggregates(cloud.impatient(attempts=1, silence_timeout=0.1)))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full queue refuses at once")
def test_a_host_that_accepts_no_connection_is_given_up(cloud):
    with ExitStack() as stack:
        full = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0), backlog=0)))
        for _ in range(4):  # what fills the queue of a server that accepts nobody
            waiting = stack.enter_context(closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        patience = replace(cloud.settings.retry_policy, attempts=1, connect_timeout=0.2)
        settings = Settings("id", "secret", regions.hosts_of_region(url), patience)

        with pytest.raises(Unreachable, match="no connection"):
            run(aggregates(settings))


def test_an_address_where_nobody_listens_is_unreachable(cloud):
    nobody = replace(cloud.settings, hosts=regions.hosts_of_region("http://127.0.0.1:9"))

    with pytest.raises(Unreachable, match="no connection"):
        run(aggregates(nobody))


def test_concurrent_requests_share_one_token(cloud):
    answers = run(aggregates(cloud.settings, times=20))

    assert len(answers) == 20
    assert len(cloud.requests("/oauth/token")) == 1


def test_an_expired_token_is_renewed_once_for_all(cloud):
    cloud.faults({"kind": "expired_token", "endpoint": "aggregates", "calls": [1]})

    run(aggregates(cloud.settings, times=10))

    assert len(cloud.requests("/oauth/token")) == 2


def test_a_token_is_renewed_before_it_runs_out(brief_cloud):
    async def two_calls_apart() -> None:
        async with Client(brief_cloud.settings) as client:
            for _ in range(3):
                await client.call(CONVERSATION_AGGREGATES, body=QUERY.request_body())
                await asyncio.sleep(1.1)

    run(two_calls_apart())

    assert len(brief_cloud.requests("/oauth/token")) == 3
    statuses = [request["status"] for request in brief_cloud.requests("aggregates/query")]
    assert statuses == [200, 200, 200]


def test_a_token_that_is_refused_twice_ends_the_request(cloud):
    cloud.faults({"kind": "expired_token", "endpoint": "aggregates"})

    with pytest.raises(ApiError, match="401"):
        run(aggregates(cloud.settings))

    assert len(cloud.requests("aggregates/query")) == 2


@pytest.mark.parametrize(
    ("client_id", "secret"), [("emulator", "not-the-secret"), ("nobody", "emulator-secret")]
)
def test_bad_credentials_fail_at_once_and_the_error_names_the_region(cloud, client_id, secret):
    settings = Settings(client_id, secret, cloud.settings.hosts, cloud.settings.retry_policy)

    with pytest.raises(AuthError) as caught:
        run(aggregates(settings))

    assert "invalid_client" in str(caught.value)
    assert "GENESYS_REGION" in str(caught.value)
    assert secret not in str(caught.value)
    assert len(cloud.requests("/oauth/token")) == 1


def test_every_page_of_a_list_is_read(shared_cloud, big_cloud):
    async def everyone(settings: Settings) -> list[payloads.DirectoryEntity]:
        async with Client(settings) as client:
            return [row async for row in client.list_entities(AGENT_LIST, {"state": "any"})]

    big_cloud.reset()
    people = run(everyone(big_cloud.settings))

    assert len({person.id for person in people}) == len(people) == 225  # five of 230 are in no list
    assert len(big_cloud.requests("/api/v2/users")) == 3


@pytest.mark.parametrize("faulty", [{}, {"calls": [1]}, {"calls": [2]}, {"share": 0.5, "seed": 1}])
def test_a_list_with_shorter_pages_than_requested_is_read_completely(big_cloud, faulty):
    async def everyone(settings: Settings) -> list[payloads.DirectoryEntity]:
        async with Client(settings) as client:
            return [row async for row in client.list_entities(AGENT_LIST, {"state": "any"})]

    big_cloud.reset()
    big_cloud.faults({"kind": "short_page", "endpoint": "users", **faulty})
    people = run(everyone(big_cloud.settings))

    assert len({person.id for person in people}) == len(people) == 225


def test_a_list_of_queues_is_read(cloud):
    async def queues() -> list[str]:
        async with Client(cloud.settings) as client:
            return [row.name or "" async for row in client.list_entities(QUEUE_LIST)]

    assert "Billing" in run(queues())


@pytest.mark.parametrize("max_buckets", [200, 40, 12])
def test_an_answer_that_is_too_large_is_asked_for_in_parts(cloud, max_buckets):
    """The query is divided by time only, so that agents unknown to the directory are included."""
    whole = fetch_day(cloud.settings)
    cloud.faults({"kind": "too_large", "endpoint": "aggregates", "max_buckets": max_buckets})

    parts = fetch_day(cloud.settings)

    assert sorted_rows(parts.posted) == sorted_rows(whole.posted)
    assert len(cloud.requests("aggregates/query")) > 2


def test_an_answer_that_is_always_too_large_is_an_error(cloud):
    cloud.faults({"kind": "too_large", "endpoint": "aggregates"})

    with pytest.raises(ApiError, match=r"response\.entity\.too\.large"):
        fetch_day(cloud.settings)


def test_a_query_that_times_out_is_asked_for_in_parts(cloud):
    whole = fetch_day(cloud.settings)
    cloud.reset()
    cloud.faults({"kind": "status", "status": 504, "endpoint": "aggregates", "calls": [1, 2]})

    parts = fetch_day(cloud.impatient(attempts=2))

    assert sorted_rows(parts.posted) == sorted_rows(whole.posted)
    assert len(cloud.requests("aggregates/query")) == 4


def test_a_body_that_never_comes_whole_is_no_empty_answer(cloud):
    cloud.faults({"kind": "cut", "endpoint": "aggregates"})

    with pytest.raises(UnexpectedAnswer, match="not complete JSON"):
        run(aggregates(cloud.impatient(attempts=2)))


def test_no_request_goes_over_the_limit(tight_cloud):
    """Genesys would refuse the 31st of 40 requests at 30 a minute; the client waits instead."""
    with pytest.raises(TimeoutError):
        run(with_deadline(2, aggregates(tight_cloud.settings, times=40)))

    statuses = [request["status"] for request in tight_cloud.requests("aggregates/query")]
    assert 429 not in statuses
    assert len(statuses) >= 15


def test_fewer_requests_go_at_once_after_overload_errors(cloud):
    """Eight requests are refused; the client then sends fewer than eight at the same time."""
    cloud.faults(
        {"kind": "status", "status": 503, "endpoint": "aggregates", "calls": [*range(1, 9)]},
        {"kind": "slow", "seconds": 0.3, "endpoint": "aggregates"},
    )
    run(aggregates(cloud.settings, times=8))

    asked = [
        datetime.fromisoformat(request["time"]) for request in cloud.requests("aggregates/query")
    ]
    assert len(asked) == 16
    assert asked[15] - asked[8] >= timedelta(seconds=0.3)


async def with_deadline(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    return await asyncio.wait_for(work, seconds)
