"""The emulator as an ASGI application: it lets requests in, answers them, and adds faults."""

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from genesys_emulator.http.connection import Answer, Connection
from genesys_emulator.http.control import ControlHandlers
from genesys_emulator.http.delivery import deliver_answer
from genesys_emulator.http.routes import error_answer, make_api
from genesys_emulator.simulation.source import Centre
from genesys_emulator.state.clock import Clock
from genesys_emulator.state.cursors import CursorCache
from genesys_emulator.state.faults import Fault, Faults
from genesys_emulator.state.jobs import Jobs
from genesys_emulator.state.request_log import RequestLog, parse_json
from genesys_emulator.state.tokens import Tokens, bearer_token
from genesys_emulator.wire import endpoints, errors

CONTROL = "/_emulator/"
API = "/api/v2/"
LARGEST_BODY = 512_000
"""Largest body of a request in bytes, the platform's ``request.bytes.max``."""


class Emulator:
    """An organization behind one address; *faults* spoil its answers.

    *now* is the clock of the data. Tokens and rate limits use *monotonic*, in
    seconds. An answer that the rate limit refuses has a ``Retry-After``
    header, unless *retry_after* is False.
    """

    def __init__(
        self,
        centre: Centre,
        tokens: Tokens,
        *,
        now: Clock,
        withheld: frozenset[str] = frozenset(),
        faults: Sequence[Fault] = (),
        retry_after: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.centre = centre
        self.tokens = tokens
        self.faults = Faults(tuple(faults))
        self.request_log = RequestLog()
        self.stopping = asyncio.Event()
        self._monotonic = monotonic
        self._retry_after = retry_after
        cursors = CursorCache()
        jobs = Jobs(now, cursors)
        self._api = make_api(
            centre,
            tokens,
            jobs,
            cursors,
            self.faults.snapshot_at,
            withheld=withheld,
            monotonic=monotonic,
        )
        control = ControlHandlers(centre, now, self.faults, self.request_log, tokens, jobs, cursors)
        self._control = Starlette(routes=control.routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"].startswith(CONTROL):
            await self._control(scope, receive, send)
            return
        body = await _read_body(receive)
        path, query = scope["path"], scope["query_string"]
        entry = self.request_log.add_entry(
            datetime.now(UTC), scope["method"], path, query=query, body=body
        )
        endpoint = endpoints.endpoint_at(path)
        fault = self.faults.next_fault(endpoint.name if endpoint else "")
        answer = await self._answer_request(scope, body, fault)

        def record_status(status: int) -> None:
            entry.status = status

        connection = Connection(receive, send, self.stopping, record_status)
        await deliver_answer(answer, fault, connection)

    async def _answer_request(self, scope: Scope, body: bytes, fault: Fault | None) -> Answer:
        """Answer the request, or return the error that *fault* prescribes."""
        correlation_id = str(uuid.uuid4())
        scope["state"] = {"correlation_id": correlation_id, "fault": fault}
        headers = {"ININ-Correlation-Id": correlation_id}
        try:
            if fault:
                self._apply_early_fault(scope, fault)
            if len(body) > LARGEST_BODY:
                raise errors.standard_error(413)
            if scope["path"].startswith(API):
                self._admit_request(Request(scope), headers)
            answer = await _collect_answer(self._api, scope, body)
            if fault and fault.kind == "too_large" and _count_buckets(answer) > fault.max_buckets:
                raise errors.too_large()
        except errors.ApiError as error:
            answer = error_answer(error, scope)
        if fault and fault.kind == "status" and fault.retry_after is not None:
            headers["Retry-After"] = fault.retry_after
        answer.headers |= headers
        return answer

    def _apply_early_fault(self, scope: Scope, fault: Fault) -> None:
        """Apply the faults that act before the request is looked at."""
        if fault.kind == "expired_token":
            self.tokens.revoke_token(_request_token(Request(scope)))
        if fault.kind == "status":
            raise (
                errors.rate_limited(60, self.tokens.requests_per_minute)
                if fault.status == 429
                else errors.standard_error(fault.status)
            )

    def _admit_request(self, request: Request, headers: dict[str, str]) -> None:
        """Check token and rate limit, and add the limit to *headers*. Raises ApiError."""
        token = _request_token(request)
        if not token:
            raise errors.missing_token()
        usage = self.tokens.count_request(token, self._monotonic())
        if usage is None:
            raise errors.standard_error(401)
        headers |= usage.ratelimit_headers
        if usage.is_exceeded:
            if self._retry_after:
                headers["Retry-After"] = str(usage.reset)
            raise errors.rate_limited(usage.reset, usage.allowed)


def _request_token(request: Request) -> str:
    return bearer_token(request.headers.get("authorization", ""))


async def _read_body(receive: Receive) -> bytes:
    """Read the body of a request; of one that is too large, only enough to tell that it is."""
    body = bytearray()
    while True:
        message = await receive()
        if len(body) <= LARGEST_BODY:
            body += message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return bytes(body)


async def _collect_answer(app: Starlette, scope: Scope, body: bytes) -> Answer:
    """Collect the answer of *app* to *body*, before a byte of it is sent."""
    answer = Answer(500)

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {n.decode(): v.decode() for n, v in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer


def _count_buckets(answer: Answer) -> int:
    """Count the buckets of an answer over all its groups; 0 if it is not of aggregates."""
    content = parse_json(answer.body)
    results = content.get("results", []) if isinstance(content, dict) else []
    return sum(len(group["data"]) for group in results)
