"""The server as an ASGI application: who may ask, what is answered, what goes wrong on demand."""

import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from genesys_emulator import answers, directory, sending
from genesys_emulator.centre import Centre
from genesys_emulator.faults import Fault, Faults
from genesys_emulator.query import query
from genesys_emulator.refusal import Refusal
from genesys_emulator.sending import Answer
from genesys_emulator.tokens import Tokens, Usage

MAXIMUM_BODY = 512_000
"""``request.bytes.max`` of the platform."""
TOKEN = "/oauth/token"  # noqa: S105  (a path)
AGGREGATES = "/api/v2/analytics/conversations/aggregates/query"
PERMISSIONS = {
    AGGREGATES: "analytics:conversationAggregate:view",
    "/api/v2/routing/queues": "routing:queue:view",
}


@dataclass(slots=True)
class Emulator:
    """One organisation behind one address; an ASGI application.

    *now* is the clock of the data: what is emitted later does not exist yet.
    Tokens and limits go by the real clock. *withheld* are permissions that
    the client lacks.
    """

    centre: Centre
    tokens: Tokens
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    withheld: frozenset[str] = frozenset()
    faults: Faults = field(default_factory=Faults)
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=10_000))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        body = await request.body()
        if request.url.path.startswith("/_emulator/"):
            await sending.send(self._control(request, body), None, receive, send)
            return
        fault = self.faults.due(request.url.path)
        trace = str(uuid.uuid4())
        answer = self._answer(request, body, fault, trace)
        answer.headers["ININ-Correlation-Id"] = trace
        self._remember(request, body, answer.status)
        await sending.send(answer, fault, receive, send)

    def _answer(self, request: Request, body: bytes, fault: Fault | None, trace: str) -> Answer:
        usage: Usage | None = None
        try:
            if fault and fault.kind == "status":
                raise Refusal(fault.status)
            if request.url.path == TOKEN:
                return self._token(request, body)
            usage = self._admit(request, fault)
            answer = Answer(200, self._found(request, body, fault))
        except Refusal as refusal:
            answer = _error_body(refusal, trace)
            if refusal.status == 429 and usage:
                answer.headers["Retry-After"] = str(usage.reset)
        if fault and fault.kind == "status" and fault.retry_after is not None:
            answer.headers["Retry-After"] = fault.retry_after
        if usage:
            for name in ("count", "allowed", "reset"):
                answer.headers[f"inin-ratelimit-{name}"] = str(getattr(usage, name))
        return answer

    def _token(self, request: Request, body: bytes) -> Answer:
        if request.method != "POST":
            raise Refusal(405)
        authorization = request.headers.get("authorization", "")
        return Answer(*self.tokens.grant(authorization, body, monotonic()))

    def _admit(self, request: Request, fault: Fault | None) -> Usage:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Refusal(
                401,
                "No authentication bearer token specified in authorization header.",
                "authentication.required",
            )
        if fault and fault.kind == "expired_token":
            self.tokens.revoke(token)
        usage = self.tokens.use(token, monotonic())
        if usage is None:
            raise Refusal(401)
        return usage

    def _found(self, request: Request, body: bytes, fault: Fault | None) -> Any:
        path, method = request.url.path, request.method
        if path in PERMISSIONS and PERMISSIONS[path] in self.withheld:
            raise Refusal(
                403,
                "Unable to perform the requested action. You must have at least one of the "
                f"following permissions assigned: [{PERMISSIONS[path]}]",
                "missing.any.permissions",
            )
        if path == AGGREGATES:
            if method != "POST":
                raise Refusal(405)
            return self._aggregates(request, body, fault)
        found = self._listed(path, request.query_params.multi_items())
        if method != "GET":
            raise Refusal(405)
        return found

    def _aggregates(self, request: Request, body: bytes, fault: Fault | None) -> Any:
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise Refusal(415)
        if len(body) > MAXIMUM_BODY:
            raise Refusal(413)
        try:
            asked = query(msgspec.json.decode(body))
        except msgspec.DecodeError as error:
            raise Refusal(400) from error
        emitted = self.centre.emitted(asked.start, min(asked.end, self.now()))
        answer = answers.aggregates(asked, emitted, self.now())
        buckets = sum(len(group["data"]) for group in answer["results"])
        if fault and fault.kind == "too_large" and buckets > fault.max_buckets:
            raise Refusal(
                400, "The response is too large; narrow the query.", "response.entity.too.large"
            )
        return answer

    def _listed(self, path: str, params: directory.Params) -> Any:
        org = self.centre.org
        lists = {
            "/api/v2/users": directory.users,
            "/api/v2/routing/queues": directory.queues,
            "/api/v2/authorization/divisions": directory.divisions,
        }
        if path in lists:
            return lists[path](org, path, params)
        if path == "/api/v2/organizations/me":
            return directory.organization(org)
        for agent in org.agents:
            if agent.name and path == f"/api/v2/users/{agent.id}":
                return directory.user(agent)
        for queue in org.queues:
            if path == f"/api/v2/routing/queues/{queue.id}":
                return directory.queue(queue)
        raise Refusal(404)

    def _control(self, request: Request, body: bytes) -> Answer:
        """What tests steer by: the faults, the log of requests, and a fresh start."""
        match request.method, request.url.path.removeprefix("/_emulator/"):
            case "GET", "requests":
                return Answer(200, {"requests": list(self.log)})
            case "POST", "faults":
                try:
                    self.faults.add(msgspec.json.decode(body))
                except msgspec.DecodeError as error:
                    return Answer(400, {"message": f"not JSON: {error}"})
                except Refusal as refusal:
                    return Answer(400, {"message": refusal.message})
            case "DELETE", "faults":
                self.faults.active.clear()
            case "POST", "reset":
                self.faults.active.clear()
                self.tokens.forget()
                self.log.clear()
            case _:
                return Answer(404, {"message": "GET requests, POST or DELETE faults, POST reset"})
        return Answer(200, {})

    def _remember(self, request: Request, body: bytes, status: int) -> None:
        """Log a request without what may be secret: its headers, and a body that is no JSON."""
        try:
            decoded = msgspec.json.decode(body) if body else None
        except msgspec.DecodeError:
            decoded = None
        self.log.append(
            {
                "time": datetime.now(UTC).isoformat(),
                "method": request.method,
                "path": request.url.path,
                "query": request.query_params.multi_items(),
                "body": decoded,
                "status": status,
            }
        )


def _error_body(refusal: Refusal, trace: str) -> Answer:
    return Answer(
        refusal.status,
        {
            "message": refusal.message,
            "code": refusal.code,
            "status": refusal.status,
            "contextId": trace,
            "details": [],
            "errors": [],
        },
    )
