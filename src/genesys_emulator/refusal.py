"""A refusal as Genesys Cloud words it: status, code, message. Raised by the deciding half."""

from collections.abc import Iterable
from difflib import get_close_matches

MESSAGES = {
    400: ("bad.request", "The request could not be understood by the server."),
    401: ("bad.credentials", "Invalid login credentials."),
    403: ("not.authorized", "You are not authorized to perform the requested action."),
    404: ("not.found", "The requested resource was not found."),
    405: ("method.not.allowed", "The method is not allowed for this resource."),
    408: ("client.timeout", "The request was not received in time."),
    413: ("request.entity.too.large", "The request is over the size limit. Maximum bytes: 512000"),
    415: ("unsupported.media.type", "The content type is not supported; use application/json."),
    429: ("too.many.requests.retry.after", "Rate limit exceeded the maximum."),
    500: ("internal.server.error", "The server encountered an unexpected condition."),
    501: ("not.emulated", "This part of the API is not emulated."),
    502: ("bad.gateway", "The server received an invalid response from upstream."),
    503: ("service.unavailable", "The server is currently unavailable (overloaded or down)."),
    504: ("request.timeout", "The request timed out."),
}


class Refusal(Exception):  # noqa: N818  (it is an answer, not a failure)
    """What becomes an `ErrorBody`; code and message are the status' own if none are given."""

    def __init__(self, status: int, message: str | None = None, code: str | None = None) -> None:
        usual_code, usual_message = MESSAGES[status]
        self.status = status
        self.code = code or usual_code
        self.message = message or usual_message
        super().__init__(self.message)


def near_miss(word: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` for the closest of *known*, else the empty string."""
    close = get_close_matches(word, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
