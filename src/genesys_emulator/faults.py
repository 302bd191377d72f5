"""What is to go wrong, for which endpoint and at which call: told over HTTP, kept here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from genesys_emulator.refusal import MESSAGES, Refusal, near_miss

ENDPOINTS = {
    "/oauth/token": "token",
    "/api/v2/analytics/conversations/aggregates/query": "aggregates",
    "/api/v2/users": "users",
    "/api/v2/routing/queues": "queues",
    "/api/v2/authorization/divisions": "divisions",
    "/api/v2/organizations/me": "organization",
}
KINDS = {
    "status": "an error answer with `status`, and `retry_after` if given",
    "reset": "the connection is reset before any answer",
    "hang": "no answer for `seconds`",
    "slow": "the right answer, dripped over `seconds`",
    "truncate": "the connection closes halfway through the body",
    "cut": "half the body, announced as if it were all",
    "html": "a proxy's page, with status 200",
    "wrong_type": "the right answer as text/plain",
    "too_large": "400 where the answer would hold more than `max_buckets`",
    "expired_token": "the token that was sent is revoked",
}
_NUMBERS = {"status": 503, "seconds": 30, "max_buckets": 0}
_FIELDS = {"kind", "endpoint", "calls", "retry_after", *_NUMBERS}


@dataclass(slots=True)
class Fault:
    """*calls* counts matching requests from 1 on; none means every one."""

    kind: str
    endpoint: str = "any"
    calls: frozenset[int] = frozenset()
    retry_after: str | None = None
    status: int = 503
    seconds: float = 30
    max_buckets: int = 0
    seen: int = 0


@dataclass(slots=True)
class Faults:
    """The faults in force, each with its own count."""

    active: list[Fault] = field(default_factory=list)

    def add(self, body: Any) -> None:
        """Take the faults of a JSON body, all or none. Raises Refusal."""
        if not isinstance(body, dict) or not isinstance(body.get("faults"), list):
            raise Refusal(400, 'Write {"faults": [{"kind": ...}, ...]}.')
        self.active += [_fault(each) for each in body["faults"]]

    def due(self, path: str) -> Fault | None:
        """The first fault that this request, which is counted, meets."""
        endpoint = ENDPOINTS.get(path, "")
        met = None
        for fault in self.active:
            if fault.endpoint in ("any", endpoint):
                fault.seen += 1
                if met is None and (not fault.calls or fault.seen in fault.calls):
                    met = fault
        return met


def _fault(each: Any) -> Fault:
    if not isinstance(each, dict):
        raise Refusal(400, "A fault is an object.")
    for name in each:
        _known("field", name, _FIELDS)
    _known("kind", each.get("kind"), KINDS)
    _known("endpoint", each.get("endpoint", "any"), {"any", *ENDPOINTS.values()})
    for name in _NUMBERS:
        value = each.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise Refusal(400, f"Fault: {name} [{value}] must be a number, 0 or more.")
    if each.get("status", 503) not in MESSAGES:
        raise Refusal(400, f"Fault: status must be one of {', '.join(map(str, MESSAGES))}.")
    calls = each.get("calls", [])
    if not isinstance(calls, list) or not all(isinstance(n, int) and n > 0 for n in calls):
        raise Refusal(400, "Fault: calls must be a list of numbers from 1 on.")
    return Fault(**{**each, "calls": frozenset(calls)})


def _known(what: str, word: Any, known: Iterable[str]) -> None:
    words = sorted(known)
    if word not in words:
        hint = near_miss(str(word), words)
        raise Refusal(400, f"Fault: unknown {what} [{word}].{hint} Known: {', '.join(words)}.")
