"""What the API says when it does not do what was asked: `ErrorBody`, as data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

MALFORMED = "The request could not be understood by the server due to malformed syntax."
INVALID_VALUE = (
    "Value [{value}] is not valid for field type [{type}]. Allowable values are: {allowed}"
)


@dataclass(eq=False)  # not frozen: an exception is given its traceback
class RefusalError(Exception):
    """A request that is refused. *extras* are further keys of the body, such as ``limit``."""

    status: int
    code: str
    message: str
    extras: Mapping[str, Any] = field(default_factory=dict)

    def body(self, correlation_id: str) -> dict[str, Any]:
        """The `ErrorBody`; *correlation_id* is what support would ask for."""
        return {
            "message": self.message,
            "code": self.code,
            "status": self.status,
            "contextId": correlation_id,
            "details": [],
            "errors": [],
            **self.extras,
        }


STANDARD: Mapping[int, tuple[str, str]] = {
    400: ("bad.request", MALFORMED),
    401: ("bad.credentials", "Invalid login credentials."),
    403: ("not.authorized", "You are not authorized to perform the requested action."),
    404: ("not.found", "The requested resource was not found."),
    405: ("method.not.allowed", "The method is not allowed for the requested resource."),
    408: ("client.timeout", "The client did not send the request in time."),
    413: (
        "request.entity.too.large",
        "The request is over the size limit. Maximum bytes: 512000",
    ),
    415: ("unsupported.media.type", "The content type of the request is not application/json."),
    429: (
        "too.many.requests.retry.after",
        "Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds",
    ),
    500: ("internal.server.error", "The server encountered an unexpected condition."),
    502: ("bad.gateway", "The server received an invalid response from an upstream server."),
    503: (
        "service.unavailable",
        "Service Unavailable - The server is currently unavailable "
        "(because it is overloaded or down for maintenance).",
    ),
    504: ("request.timeout", "The request timed out."),
}
"""The refusals that say the same whatever was asked."""


def standard(status: int) -> RefusalError:
    """The refusal with this *status* that needs no particulars."""
    code, message = STANDARD[status]
    return RefusalError(status, code, message)


def unauthenticated() -> RefusalError:
    """401: there is no token at all. One that is no good gets `standard` (401)."""
    message = "No authentication bearer token specified in authorization header."
    return RefusalError(401, "authentication.required", message)


def unknown_path() -> RefusalError:
    """404. With a blank where ``not.found``, of what has a path but is not there, has a dot."""
    return RefusalError(404, "not found", STANDARD[404][1])


def throttled(seconds: int, allowed: int) -> RefusalError:
    """429, with how long to wait in words only; a Retry-After is for the caller to add."""
    code, message = STANDARD[429]
    limit = {
        "key": "client.credentials.token.rate.per.minute",
        "namespace": "platform.api",
        "value": allowed,
    }
    return RefusalError(429, code, message.format(seconds=seconds), extras={"limit": limit})


def invalid_value(value: object, field_type: str, allowed: Iterable[str]) -> RefusalError:
    """400: an enumeration does not know *value*."""
    message = INVALID_VALUE.format(value=value, type=field_type, allowed=", ".join(sorted(allowed)))
    return RefusalError(400, "invalid.value", message)


def invalid_property(name: str, owner: str) -> RefusalError:
    message = f"Value [{name}] is not a valid property for object [{owner}]"
    return RefusalError(400, "invalid.property", message)


def invalid_date() -> RefusalError:
    message = "Dates must be specified as ISO-8601 strings. For example: yyyy-MM-ddTHH:mm:ss.SSSZ"
    return RefusalError(400, "invalid.date", message)


def too_large() -> RefusalError:
    """400: the answer, not the request, would be too large."""
    message = "The response is over the size limit; ask for less at a time."
    return RefusalError(400, "response.entity.too.large", message)


def malformed(reason: str = "") -> RefusalError:
    return RefusalError(400, "bad.request", f"{MALFORMED} {reason}".rstrip())


def required(name: str, owner: str) -> RefusalError:
    return RefusalError(400, "constraint.validation", f"{owner}: {name} is required")


def missing_permissions(names: Iterable[str], *, all_of_them: bool) -> RefusalError:
    """403. Real operations ask for all, or for any, of what they list."""
    listed = f"[{', '.join(names)}]"
    lacks = (
        f"You are missing the following permission(s): {listed}"
        if all_of_them
        else f"You must have at least one of the following permissions assigned: {listed}"
    )
    code = "missing.permissions" if all_of_them else "missing.any.permissions"
    message = f"Unable to perform the requested action. {lacks}"
    return RefusalError(403, code, message, extras={"messageParams": {"permissions": listed}})


def not_emulated(what: str) -> RefusalError:
    """501: the real API does it, this one does not, and a guess would be a wrong answer."""
    return RefusalError(501, "not.emulated", f"{what} is not emulated.")


def near_miss(word: str, known: Iterable[str]) -> str:
    """A hint such as ``; did you mean 'token'?``, or nothing."""
    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
