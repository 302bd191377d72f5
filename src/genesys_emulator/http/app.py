"""The server as an ASGI application: who is let in, what is answered, what goes wrong."""

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from genesys_emulator.http import control
from genesys_emulator.http.connection import Answer, Line
from genesys_emulator.http.delivery import deliver
from genesys_emulator.http.routes import api, refused
from genesys_emulator.simulation.source import Centre
from genesys_emulator.state.clock import Clock
from genesys_emulator.state.cursors import Scrolls
from genesys_emulator.state.faults import Fault, Faults
from genesys_emulator.state.jobs import Jobs
from genesys_emulator.state.request_log import Journal, parsed
from genesys_emulator.state.tokens import Tokens, bearer
from genesys_emulator.wire import endpoints, errors

CONTROL = "/_emulator/"
API = "/api/v2/"
LARGEST_BODY = 512_000
"""Bytes: ``request.bytes.max`` of the platform."""


class Emulator:
    """An organization behind one address. What befalls its answers is in *faults*.

    *now* is the clock of the data. Tokens and limits go by *monotonic*, in
    seconds. Whoever exceeds the limit is told by a header when to try again,
    unless *retry_after* is False.
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
        self.journal = Journal()
        self.stopping = asyncio.Event()
        self._monotonic = monotonic
        self._retry_after = retry_after
        scrolls = Scrolls()
        jobs = Jobs(now, scrolls)
        self._api = api(
            centre, tokens, jobs, scrolls, self.faults.told, withheld=withheld, monotonic=monotonic
        )
        self._control = Starlette(
            routes=control.routes(centre, now, self.faults, self.journal, tokens, jobs, scrolls)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"].startswith(CONTROL):
            await self._control(scope, receive, send)
            return
        body = await _read(receive)
        path, query = scope["path"], scope["query_string"]
        entry = self.journal.enter(datetime.now(UTC), scope["method"], path, query=query, body=body)
        endpoint = endpoints.at(path)
        fault = self.faults.next(endpoint.name if endpoint else "")
        answer = await self._answer(scope, body, fault)

        def announced(status: int) -> None:
            entry.status = status

        await deliver(answer, fault, Line(receive, send, self.stopping, announced))

    async def _answer(self, scope: Scope, body: bytes, fault: Fault | None) -> Answer:
        """The honest answer, unless *fault* is one of what is said."""
        correlation_id = str(uuid.uuid4())
        scope["state"] = {"correlation_id": correlation_id, "fault": fault}
        headers = {"ININ-Correlation-Id": correlation_id}
        try:
            if fault:
                self._before(scope, fault)
            if len(body) > LARGEST_BODY:
                raise errors.standard(413)
            if scope["path"].startswith(API):
                self._admit(Request(scope), headers)
            answer = await _collected(self._api, scope, body)
            if fault and fault.kind == "too_large" and _buckets(answer) > fault.max_buckets:
                raise errors.too_large()
        except errors.RefusalError as refusal:
            answer = refused(refusal, scope)
        if fault and fault.kind == "status" and fault.retry_after is not None:
            headers["Retry-After"] = fault.retry_after
        answer.headers |= headers
        return answer

    def _before(self, scope: Scope, fault: Fault) -> None:
        """What a fault does before anything is looked at."""
        if fault.kind == "expired_token":
            self.tokens.revoke(_token(Request(scope)))
        if fault.kind == "status":
            raise (
                errors.throttled(60, self.tokens.requests_per_minute)
                if fault.status == 429
                else errors.standard(fault.status)
            )

    def _admit(self, request: Request, headers: dict[str, str]) -> None:
        """Tell of the limit in *headers*. Raises RefusalError to whoever is not let in."""
        token = _token(request)
        if not token:
            raise errors.unauthenticated()
        usage = self.tokens.use(token, self._monotonic())
        if usage is None:
            raise errors.standard(401)
        headers |= usage.headers
        if usage.exceeded:
            if self._retry_after:
                headers["Retry-After"] = str(usage.reset)
            raise errors.throttled(usage.reset, usage.allowed)


def _token(request: Request) -> str:
    return bearer(request.headers.get("authorization", ""))


async def _read(receive: Receive) -> bytes:
    """The body of a request; of one that is too large only enough to know that it is."""
    body = bytearray()
    while True:
        message = await receive()
        if len(body) <= LARGEST_BODY:
            body += message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return bytes(body)


async def _collected(app: Starlette, scope: Scope, body: bytes) -> Answer:
    """What *app* answers to *body*, before a byte of it is sent."""
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


def _buckets(answer: Answer) -> int:
    """How many buckets an answer holds, over all its groups; none if it is of another sort."""
    content = parsed(answer.body)
    results = content.get("results", []) if isinstance(content, dict) else []
    return sum(len(group["data"]) for group in results)
