"""Errors of the API and their bodies (`ErrorBody`)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

MALFORMED = "The request could not be understood by the server due to malformed syntax."
INVALID_VALUE = (
    "Value [{value}] is not valid for field type [{type}]. Allowable values are: {allowed}"
)


@dataclass(eq=False)  # not frozen: an exception is given its traceback
class ApiError(Exception):
    """An error answer to a request. *extras* are further keys of the body, such as ``limit``."""

    status: int
    code: str
    message: str
    extras: Mapping[str, Any] = field(default_factory=dict)

    def error_body(self, correlation_id: str) -> dict[str, Any]:
        """Return the `ErrorBody`; *correlation_id* is the id that support would ask for."""
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
"""Code and message by status, for the errors that are the same for every request."""


def standard_error(status: int) -> ApiError:
    """Return the error with this *status*, as `STANDARD` words it."""
    code, message = STANDARD[status]
    return ApiError(status, code, message)


def missing_token() -> ApiError:
    """Return 401 for a request without a token; a bad token gets ``standard_error(401)``."""
    message = "No authentication bearer token specified in authorization header."
    return ApiError(401, "authentication.required", message)


def unknown_path() -> ApiError:
    """Return 404 with the code ``not found``; a missing entity has ``not.found``, with a dot."""
    return ApiError(404, "not found", STANDARD[404][1])


def rate_limited(seconds: int, allowed: int) -> ApiError:
    """Return 429 with the seconds to wait in its message; the caller may add a Retry-After."""
    code, message = STANDARD[429]
    limit = {
        "key": "client.credentials.token.rate.per.minute",
        "namespace": "platform.api",
        "value": allowed,
    }
    return ApiError(429, code, message.format(seconds=seconds), extras={"limit": limit})


def invalid_value(value: object, field_type: str, allowed: Iterable[str]) -> ApiError:
    """Return 400 for a *value* that is not in its enumeration."""
    message = INVALID_VALUE.format(value=value, type=field_type, allowed=", ".join(sorted(allowed)))
    return ApiError(400, "invalid.value", message)


def invalid_property(name: str, owner: str) -> ApiError:
    message = f"Value [{name}] is not a valid property for object [{owner}]"
    return ApiError(400, "invalid.property", message)


def invalid_date() -> ApiError:
    message = "Dates must be specified as ISO-8601 strings. For example: yyyy-MM-ddTHH:mm:ss.SSSZ"
    return ApiError(400, "invalid.date", message)


def too_large() -> ApiError:
    """Return 400 for an answer, not a request, that would be too large."""
    message = "The response is over the size limit; ask for less at a time."
    return ApiError(400, "response.entity.too.large", message)


def bad_request(reason: str = "") -> ApiError:
    return ApiError(400, "bad.request", f"{MALFORMED} {reason}".rstrip())


def missing_property(name: str, owner: str) -> ApiError:
    return ApiError(400, "constraint.validation", f"{owner}: {name} is required")


def missing_permissions(names: Iterable[str], *, all_of_them: bool) -> ApiError:
    """Return 403. An operation needs all of the permissions that it lists, or any one."""
    listed = f"[{', '.join(names)}]"
    lacks = (
        f"You are missing the following permission(s): {listed}"
        if all_of_them
        else f"You must have at least one of the following permissions assigned: {listed}"
    )
    code = "missing.permissions" if all_of_them else "missing.any.permissions"
    message = f"Unable to perform the requested action. {lacks}"
    return ApiError(403, code, message, extras={"messageParams": {"permissions": listed}})


def not_emulated(what: str) -> ApiError:
    """Return 501 for a feature of the real API that is missing here; a guess would be wrong."""
    return ApiError(501, "not.emulated", f"{what} is not emulated.")


def near_miss(word: str, words: Iterable[str]) -> str:
    """Return a hint such as ``; did you mean 'token'?``, or an empty text."""
    close = get_close_matches(word, list(words), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
