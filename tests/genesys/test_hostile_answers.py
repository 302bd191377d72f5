"""Tests of answers of a hostile or broken server: each soon raises an error of halfhour."""

import asyncio
import gzip
import socketserver
import threading
import tracemalloc
import zlib
from itertools import chain, repeat
from typing import Any

import httpx2
import pytest

from halfhour.errors import (
    ApiError,
    AuthError,
    HalfhourError,
    UnexpectedAnswer,
    Unreachable,
)
from halfhour.genesys import transport
from halfhour.genesys.client import Client
from halfhour.genesys.connection import Settings
from halfhour.genesys.endpoints import (
    AGENT_LIST,
    CONVERSATION_AGGREGATES,
    DETAIL_JOB_STATUS,
    QUEUE_LIST,
)
from halfhour.genesys.retry_policy import RetryPolicy
from halfhour.ingest import queries
from tests.genesys.test_client import QUERY, aggregates, run
from tests.processes import QUICK, Cloud
from tests.spoiling import Answer, Asked, Spoil, at, spoiled

MEGABYTE = 2**20
GZIP = {"Content-Encoding": "gzip"}
CHUNK = bytes(64 * 1024)


def gzipped_zeros(megabytes: int) -> bytes:
    """Return *megabytes* of zeros, packed into about a thousandth."""
    packer = zlib.compressobj(wbits=31)
    return b"".join([*(packer.compress(bytes(MEGABYTE)) for _ in range(megabytes)), packer.flush()])


BOMB = gzipped_zeros(64)
EMPTY = gzipped_zeros(0)
GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
NOTHING = b"\0\0\0\xff\xff" * 10_000
"""Empty deflate blocks, which unpack to no byte."""
ENDLESS = {
    "plain": lambda: Answer(repeat(CHUNK)),
    "packed": lambda: Answer([BOMB], headers=GZIP),
    "packed-in-nothing": lambda: Answer(chain([GZIP_HEADER], repeat(NOTHING)), headers=GZIP),
    "more-after-the-end": lambda: Answer(chain([EMPTY], repeat(CHUNK)), headers=GZIP),
}


def error_of_spoiled_call(cloud: Cloud, spoil: Spoil) -> HalfhourError:
    """Return the error of one request for aggregates if *spoil* changes the answers."""
    with spoiled(cloud, spoil) as hostile, pytest.raises(HalfhourError) as caught:
        run(aggregates(hostile.impatient(attempts=1)))
    return caught.value


async def exchange_once(url: str, most: int, patience: RetryPolicy = QUICK) -> httpx2.Response:
    async with transport.create_http_client(patience, url) as http:
        return await transport.send_request(http, http.build_request("GET", url), patience, most)


@pytest.mark.parametrize("kind", ENDLESS)
def test_an_answer_without_an_end_is_read_no_further_than_it_may_be_long(cloud, kind):
    with spoiled(cloud, lambda asked: ENDLESS[kind]()) as hostile:
        tracemalloc.start()
        with pytest.raises(UnexpectedAnswer, match="more than 1,048,576 bytes"):
            run(exchange_once(hostile.url, MEGABYTE))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 32 * MEGABYTE


def test_a_small_answer_that_unpacks_to_more_than_any_has_is_an_error(cloud):
    bomb = Answer(gzipped_zeros(transport.MAX_ANSWER_BYTES // MEGABYTE + 1), headers=GZIP)
    error = error_of_spoiled_call(cloud, at("aggregates/query", bomb))

    assert isinstance(error, UnexpectedAnswer)
    assert "more than 268,435,456 bytes" in str(error)


def test_an_endless_token_answer_is_read_no_further_than_its_limit(cloud):
    error = error_of_spoiled_call(cloud, at("token", Answer(repeat(CHUNK))))

    assert isinstance(error, UnexpectedAnswer)
    assert "more than 65,536 bytes" in str(error)


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_refusal_without_an_end_is_still_a_refusal(cloud, kind):
    endless = ENDLESS[kind]()
    error = error_of_spoiled_call(
        cloud, at("aggregates/query", Answer(endless.body, 403, endless.headers))
    )

    assert isinstance(error, ApiError)
    assert error.status == 403


def test_a_gzipped_answer_is_read(cloud):
    def packed(honest: Answer) -> Answer:
        assert isinstance(honest.body, bytes)
        return Answer(gzip.compress(honest.body), headers=GZIP)

    with spoiled(cloud, at("aggregates/query", packed)) as server:
        (answer,) = run(aggregates(server.settings))

    (right,) = run(aggregates(cloud.settings))
    assert answer == right


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x" * 1000])
def test_an_answer_with_another_encoding_than_gzip_is_an_error(cloud, encoding):
    answer = Answer(b"x", headers={"Content-Encoding": encoding})
    error = error_of_spoiled_call(cloud, at("aggregates/query", answer))

    assert isinstance(error, UnexpectedAnswer)
    assert "packed in another way than gzip" in str(error)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"results":' * 100_000, b"\xff", b'"\\ud800"', b"", b"NaN", b"9" * 5000],
    ids=lambda body: body[:12].decode("latin-1"),
)
@pytest.mark.parametrize("status", [200, 204, 400, 503])
def test_an_unreadable_answer_becomes_one_of_our_errors(cloud, body, status):
    for ending in ("token", "aggregates/query"):
        error = error_of_spoiled_call(
            cloud, at(ending, Answer(b"" if status == 204 else body, status))
        )
        assert isinstance(error, UnexpectedAnswer if status < 400 else ApiError)


def test_a_cookie_that_no_header_can_carry_spoils_no_request_after_it(cloud):
    def with_cookie(asked: Asked) -> Answer:
        asked.honest.headers["Set-Cookie"] = "a=\xff; Path=/"
        return asked.honest

    with spoiled(cloud, with_cookie) as hostile:
        run(aggregates(hostile.settings, times=2))


TOKEN = {"access_token": "secret-token", "expires_in": 3600}
ODD_TOKENS = [
    *({"access_token": f"secret-token{end}"} for end in
      (" x", "\n", "\r\nX-Injected: 1", "\0", "\xe9", "\u0100", "\u2028", "x" * 20_000)),
    *({"access_token": token} for token in ("", None, 5, ["secret-token"])),
    *({"expires_in": seconds} for seconds in (0, -1, None, "soon", 1.5, 10**30, 10**4000)),
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD_TOKENS, ids=lambda odd: ascii(odd)[:60])
def test_a_token_that_cannot_be_used_is_an_error_that_does_not_show_it(cloud, odd):
    def spoil(token: dict[str, Any]) -> object:
        return {**token, **TOKEN, **odd}

    error = error_of_spoiled_call(cloud, at("token", lambda honest: honest.changed(spoil)))

    assert isinstance(error, UnexpectedAnswer)
    assert "secret-token" not in str(error)
    assert cloud.requests("aggregates/query") == []


def test_a_client_with_another_grant_type_is_refused_with_that_reason(cloud):
    body = (
        b'{"error": "unauthorized_client", "description": "The requesting client is not '
        b'authorized to use the client_credential grant type"}'
    )
    error = error_of_spoiled_call(cloud, at("token", Answer(body, 400)))

    assert isinstance(error, AuthError)
    assert "grant type Client Credentials" in str(error)
    assert "GENESYS_CLIENT_SECRET" not in str(error)


@pytest.mark.parametrize(
    "message",
    ["I am no HTTP: {}", "HTTP/1.1 200 OK\r\n{}", "HTTP/1.1 200 OK\r\nContent-Length: {}"],
)
def test_an_answer_that_is_not_http_is_not_quoted(message):
    """The answer may quote the request with its token."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked = self.rfile.readline().decode()
            self.wfile.write(message.format(asked).encode() + b"\r\n\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/secret-token"
        with pytest.raises(Unreachable) as caught:
            run(exchange_once(url, MEGABYTE))

    assert "secret-token" not in str(caught.value)


def test_a_header_that_cannot_be_sent_is_not_quoted(cloud):
    async def sent() -> None:
        async with transport.create_http_client(QUICK, cloud.url) as http:
            headers = {"Authorization": "Bearer secret\ntoken"}
            request = http.build_request("GET", cloud.url, headers=headers)
            await transport.send_request(http, request, QUICK)

    with pytest.raises(Unreachable) as caught:
        run(sent())
    assert "Bearer" not in str(caught.value)


def same_page_again(asked: Asked) -> Answer | None:
    """Answer every request for a list with the same page, which announces another."""
    if not asked.path.endswith(("users", "queues")):
        return None
    return asked.honest.changed(lambda page: page.update(entities=[{"id": "a"}], nextUri="/more"))


@pytest.mark.parametrize("endpoint", [AGENT_LIST, QUEUE_LIST])
def test_a_list_whose_pages_repeat_is_an_error(cloud, endpoint):
    async def listed(settings: Settings) -> list[object]:
        async with Client(settings) as client:
            return [row async for row in client.list_entities(endpoint)]

    expected = pytest.raises(UnexpectedAnswer, match="page 2 has nothing new")
    with spoiled(cloud, same_page_again) as hostile, expected:
        run(listed(hostile.impatient(attempts=1)))

    assert len(cloud.requests(endpoint.path)) == 2


def rate_limit_reset_in(seconds: str) -> Spoil:
    def spoil(asked: Asked) -> Answer:
        spent = {"count": "300", "allowed": "300", "reset": seconds}
        headers = {f"inin-ratelimit-{name}": value for name, value in spent.items()}
        asked.honest.headers.update(headers)
        return asked.honest

    return spoil


@pytest.mark.parametrize("seconds", ["31536000", "9" * 5000, "infinity", "-1"])
def test_the_rate_limit_is_waited_for_no_longer_than_the_longest_retry_after(cloud, seconds):
    async def twice(settings: Settings) -> None:
        async with asyncio.timeout(10):
            async with Client(settings) as client:
                for _ in range(2):
                    await client.call(CONVERSATION_AGGREGATES, body=QUERY.request_body())

    with spoiled(cloud, rate_limit_reset_in(seconds)) as hostile:
        run(twice(hostile.impatient(max_retry_after=0.2)))


def test_an_id_that_no_address_can_hold_is_an_error_at_once(cloud):
    async def looked_at(settings: Settings) -> None:
        async with Client(settings) as client:
            await client.call(DETAIL_JOB_STATUS.for_job("x" * 70_000))

    with pytest.raises(UnexpectedAnswer, match="cannot be part of a URL"):
        run(looked_at(cloud.settings))
    assert cloud.requests() == []


def test_an_id_too_long_for_an_address_keeps_no_other_agent_from_being_named(cloud):
    async def named(settings: Settings) -> list[str | None]:
        async with Client(settings) as client:
            ids = [row.id async for row in client.list_entities(AGENT_LIST)]
            people = await queries.fetch_agents(client, [*ids, "x" * 70_000])
            return [person.name for person in people]

    assert len(run(named(cloud.settings))) > 5


def test_an_answer_that_always_takes_too_long_is_asked_for_a_bounded_number_of_times(cloud):
    """The day is requested as often as the retry policy allows, and each part of it once."""
    cloud.faults({"kind": "status", "status": 504, "endpoint": "aggregates"})

    async def posted(settings: Settings) -> None:
        async with Client(settings) as client:
            await queries.fetch_posted(client, QUERY)

    with pytest.raises(ApiError, match="504"):
        run(posted(cloud.impatient(attempts=4)))

    assert len(cloud.requests("aggregates/query")) == 4 + len(["12 h", "6 h", "3 h", "1½ h"]) + 4
