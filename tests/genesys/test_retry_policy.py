from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.errors import ApiError, AuthError, NoConnection, UnexpectedAnswer, Unreachable
from halfhour.genesys import retry_policy

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        *((ApiError("x", status), True) for status in (408, 429, 502, 503, 504)),
        *((ApiError("x", status), False) for status in (400, 401, 403, 404, 413, 415, 500)),
        (ApiError("x", 429, retry_after=7), 7),
        (ApiError("x", 429, retry_after=0), 0),
        (ApiError("x", 503, retry_after=180), 180),
        (ApiError("x", 429, retry_after=181), False),
        (ApiError("x", 400, retry_after=7), False),
        (Unreachable("x"), True),
        (NoConnection("x", may_pass=True), True),
        (NoConnection("x", may_pass=False), False),
        (UnexpectedAnswer("x"), True),
        (AuthError("x"), False),
        (ValueError("x"), False),
    ],
)
def test_only_passing_errors_are_retried_and_after_the_wait_they_ask_for(error, answer):
    decided = retry_policy.retry_decision(error, ceiling=180)

    assert decided == answer
    # To stamina False ends it and 0.0 goes at once, and they are equal.
    assert isinstance(decided, bool) == isinstance(answer, bool)


@pytest.mark.parametrize(
    ("attempt", "connected_before", "retried"),
    [
        (1, False, True),
        (2, False, False),
        (1, True, True),
        (2, True, True),
    ],
)
def test_a_connection_that_never_worked_is_tried_twice(attempt, connected_before, retried):
    decided = retry_policy.retry_decision(
        NoConnection("x", may_pass=True),
        ceiling=180,
        attempt=attempt,
        connected_before=connected_before,
    )

    assert decided is retried


@given(st.integers(0, 10**6), st.integers(-86400, 86400))
def test_a_retry_after_date_counts_from_the_clock_of_the_answer(seconds, clock_is_off_by):
    answered = NOW + timedelta(seconds=clock_is_off_by)
    until = format_datetime(answered + timedelta(seconds=seconds), usegmt=True)
    headers = {"retry-after": until, "date": format_datetime(answered, usegmt=True)}

    assert retry_policy.retry_after_seconds(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("42", 42.0),
        ("0", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("infinity", None),
        ("9" * 5000, None),
        ("Fri, 31 Dec 99999999999999 23:59:59 GMT", None),
        ("Fri, 31 Dec 2026 23:59:59 +99999999999999", None),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30.0),
        (format_datetime(NOW - timedelta(seconds=30), usegmt=True), 0.0),
    ],
)
def test_retry_after_is_read_in_both_forms(text, seconds):
    assert retry_policy.retry_after_seconds({"retry-after": text}, NOW) == seconds


@pytest.mark.parametrize(
    ("count", "allowed", "reset", "seconds"),
    [
        ("1", "300", "59", 0),
        ("291", "300", "20", 0),
        ("292", "300", "20", 20),
        ("300", "300", "3", 3),
        ("4", "10", "30", 0),
        ("5", "10", "30", 30),
        ("", "", "", 0),
        ("1", "x", "9", 0),
        ("300", "300", "31536000", 180),
        ("300", "300", "9" * 5000, 0),
        ("9" * 5000, "300", "9", 0),
        ("300", "infinity", "9", 0),
    ],
)
def test_the_next_request_waits_where_the_limit_is_near(count, allowed, reset, seconds):
    headers = {
        "inin-ratelimit-count": count,
        "inin-ratelimit-allowed": allowed,
        "inin-ratelimit-reset": reset,
    }

    assert retry_policy.rate_limit_pause(headers, ceiling=180) == seconds


@given(st.text(), st.text(), st.text())
def test_no_header_is_too_odd_to_be_read(text, date, number):
    headers = {"retry-after": text, "date": date, "inin-ratelimit-count": number}
    headers |= {"inin-ratelimit-allowed": number, "inin-ratelimit-reset": text}

    assert 0 <= retry_policy.rate_limit_pause(headers, ceiling=180) <= 180
    assert (retry_policy.retry_after_seconds(headers, NOW) or 0) >= 0


@given(st.lists(st.sampled_from((None, 429, 503, 504, 500, "unreachable"))))
def test_parallel_requests_fall_after_overload_errors_and_rise_after_successes(ends):
    most = float(retry_policy.MAX_CONCURRENT_REQUESTS)
    for end in ends:
        error = Unreachable("x") if end == "unreachable" else end and ApiError("x", end)
        after = retry_policy.next_concurrency(most, error)
        assert 1 <= after <= retry_policy.MAX_CONCURRENT_REQUESTS
        assert (after > most) <= (end is None)
        assert (after < most) <= (end not in (None, 500))
        most = after
    for _ in range(sum(range(1, retry_policy.MAX_CONCURRENT_REQUESTS + 1))):
        most = retry_policy.next_concurrency(most, None)
    assert most == retry_policy.MAX_CONCURRENT_REQUESTS
