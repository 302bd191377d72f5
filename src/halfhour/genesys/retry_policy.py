"""Decide on retries and the pace of requests, as pure functions of answers and errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from halfhour.errors import ApiError, HalfhourError, NoConnection, UnexpectedAnswer, Unreachable

TRANSIENT_STATUSES = frozenset({408, 429, 502, 503, 504})
OVERLOAD_STATUSES = frozenset({429, 503, 504})
MAX_CONCURRENT_REQUESTS = 8
"""The most concurrent requests. httpx2 is slower with more, and 300 a minute need fewer."""
MAX_HEADER_DIGITS = 9
"""The most digits of a number in a header; a longer number is ignored."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The number of attempts and the time limits of requests, in seconds.

    *silence_timeout* limits the wait for the next byte of an answer, `answer_timeout` the wait for
    the whole answer. If ``Retry-After`` is above *max_retry_after*, the request fails at once;
    this is also the longest pause for the rate limit.
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


def retry_decision(
    error: Exception, *, ceiling: float, attempt: int = 1, connected_before: bool = True
) -> bool | float:
    """Return True or False, or the seconds to wait before a retry after *error*.

    *attempt* is the number of the attempt that failed. Without an answer ever, a connection that
    fails twice is more likely to be set up wrongly than disturbed.
    """
    match error:
        case NoConnection(may_pass=may_pass):
            return may_pass and (connected_before or attempt == 1)
        case ApiError(status=status, retry_after=wait) if status in TRANSIENT_STATUSES:
            return True if wait is None else wait <= ceiling and wait
        case Unreachable() | UnexpectedAnswer():
            return True
        case _:
            return False


def next_concurrency(limit: float, error: HalfhourError | None) -> float:
    """Halve the limit on concurrent requests after an overload error, else raise it a little.

    *limit* and the result are fractions: after as many successes as the limit allows concurrent
    requests, it is one higher. TCP shares a line by the same rule.
    """
    match error:
        case None:
            return min(limit + 1 / limit, MAX_CONCURRENT_REQUESTS)
        case Unreachable():
            return max(limit / 2, 1)
        case ApiError(status=status) if status in OVERLOAD_STATUSES:
            return max(limit / 2, 1)
        case _:
            return limit


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds in ``Retry-After``, which has a number or an HTTP date.

    A date counts from the ``Date`` of the answer, so that a wrong clock of this machine does not
    matter, or from *now* without that header.
    """
    text = headers.get("retry-after", "").strip()
    if (seconds := _parse_whole_number(text)) is not None:
        return float(seconds)
    retry_at = _parse_http_date(text)
    sent_at = _parse_http_date(headers.get("date", "")) or now
    return None if retry_at is None else max((retry_at - sent_at).total_seconds(), 0.0)


def parse_server_time(headers: Mapping[str, str]) -> datetime | None:
    """Return the time in ``Date``, at which the server sent the answer; None without it."""
    return _parse_http_date(headers.get("date", ""))


def rate_limit_pause(headers: Mapping[str, str], *, ceiling: float) -> float:
    """Return the seconds to wait before the next request, so that it stays under the rate limit.

    The headers ``inin-ratelimit-count``, ``-allowed`` and ``-reset`` (the seconds until the count
    restarts) tell them. The pause is 0 if a header is missing or if enough requests are left for
    the concurrent ones. The count restarts every minute, so a reset above *ceiling* is a mistake.
    """
    values = _rate_limit_values(headers, "count", "allowed", "reset")
    if values is None:
        return 0.0
    count, allowed, reset = values
    reserve = min(MAX_CONCURRENT_REQUESTS, allowed // 2)
    return min(reset, ceiling) if count >= allowed - reserve else 0.0


def remaining_requests(headers: Mapping[str, str]) -> int | None:
    """Return the number of requests that the minute still allows; None if *headers* lack it."""
    values = _rate_limit_values(headers, "count", "allowed")
    return None if values is None else max(0, values[1] - values[0])


def allowed_requests(headers: Mapping[str, str]) -> int | None:
    """Return the number of requests that each minute allows; None if *headers* lack it."""
    values = _rate_limit_values(headers, "allowed")
    return None if values is None else values[0]


def _rate_limit_values(headers: Mapping[str, str], *names: str) -> list[int] | None:
    """Return the values of the headers ``inin-ratelimit-``*names*; None if one is missing."""
    values = [_parse_whole_number(headers.get(f"inin-ratelimit-{name}", "")) for name in names]
    present = [value for value in values if value is not None]
    return present if len(present) == len(names) else None


def _parse_whole_number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= MAX_HEADER_DIGITS else None


def _parse_http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else None
