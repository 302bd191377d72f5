"""The retry policy and the pace of requests, as pure functions of answers and errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from halfhour.errors import ApiError, HalfhourError, UnexpectedAnswer, Unreachable

TRANSIENT_STATUSES = frozenset({408, 429, 502, 503, 504})
OVERLOAD_STATUSES = frozenset({429, 503, 504})
MAX_CONCURRENT_REQUESTS = 8
"""Requests under way at once, at most. httpx2 gets slower past it, and 300 a minute need fewer."""
MAX_HEADER_DIGITS = 9
"""The most digits of a number in a header; a longer one is passed over."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The number of attempts and the time limits of requests, in seconds.

    *silence_timeout* limits the wait for the next byte of an answer, `answer_timeout` the wait for
    the whole answer. A ``Retry-After`` above *max_retry_after* is not waited for, and a pause for
    the rate limit never lasts longer.
    """

    attempts: int = 5
    first_wait: float = 1.0
    longest_wait: float = 30.0
    max_retry_after: float = 180.0
    connect_timeout: float = 10.0
    silence_timeout: float = 30.0

    @property
    def answer_timeout(self) -> float:
        return 10 * self.silence_timeout


def retry_decision(error: Exception, *, ceiling: float) -> bool | float:
    """Return False, True, or the seconds to wait before a retry after *error*."""
    match error:
        case ApiError(status=status, retry_after=wait) if status in TRANSIENT_STATUSES:
            return True if wait is None else wait <= ceiling and wait
        case Unreachable() | UnexpectedAnswer():
            return True
        case _:
            return False


def next_concurrency(so_far: float, error: HalfhourError | None) -> float:
    """Halve the number of concurrent requests after an overload error, else raise it a little.

    *so_far* and the result are fractions: after as many successes as there are requests at once,
    one more is allowed. This is the rule by which TCP shares a line.
    """
    match error:
        case None:
            return min(so_far + 1 / so_far, MAX_CONCURRENT_REQUESTS)
        case Unreachable():
            return max(so_far / 2, 1)
        case ApiError(status=status) if status in OVERLOAD_STATUSES:
            return max(so_far / 2, 1)
        case _:
            return so_far


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that ``Retry-After`` asks for: a number, or an HTTP date.

    A date counts from the answer's own ``Date``, so that a wrong clock here
    does not matter; from *now* where there is none.
    """
    text = headers.get("retry-after", "").strip()
    if (seconds := _parse_whole_number(text)) is not None:
        return float(seconds)
    until = _parse_http_date(text)
    since = _parse_http_date(headers.get("date", "")) or now
    return None if until is None else max((until - since).total_seconds(), 0.0)


def parse_server_time(headers: Mapping[str, str]) -> datetime | None:
    """Return the moment at which an answer was sent, by its sender's clock, if it tells."""
    return _parse_http_date(headers.get("date", ""))


def rate_limit_pause(headers: Mapping[str, str], *, ceiling: float) -> float:
    """The seconds to hold back the next request, so that it does not meet the limit.

    From ``inin-ratelimit-count``, ``-allowed`` and ``-reset`` (seconds until
    the count starts anew); 0 where they are missing or leave room for what
    may be under way. The count starts anew each minute, so a reset above
    *ceiling* is a mistake.
    """
    figures = _rate_limit_values(headers, "count", "allowed", "reset")
    if figures is None:
        return 0.0
    count, allowed, reset = figures
    room = min(MAX_CONCURRENT_REQUESTS, allowed // 2)
    return min(reset, ceiling) if count >= allowed - room else 0.0


def remaining_requests(headers: Mapping[str, str]) -> int | None:
    """Return the number of requests that the minute still allows; None if *headers* do not tell."""
    figures = _rate_limit_values(headers, "count", "allowed")
    return None if figures is None else max(0, figures[1] - figures[0])


def _rate_limit_values(headers: Mapping[str, str], *names: str) -> list[int] | None:
    """The values of ``inin-ratelimit-``*names*; None unless all are there."""
    figures = [_parse_whole_number(headers.get(f"inin-ratelimit-{name}", "")) for name in names]
    given = [figure for figure in figures if figure is not None]
    return given if len(given) == len(names) else None


def _parse_whole_number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= MAX_HEADER_DIGITS else None


def _parse_http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else None
