from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.model.intervals import EPOCH, HALF_HOUR, Interval, epoch_ms, to_utc

MINUTE = timedelta(minutes=1)


def moment_at(minute: int) -> datetime:
    return datetime(2026, 3, 2, tzinfo=UTC) + minute * MINUTE


def minutes_within(*spans: Interval) -> list[int]:
    """Return the minutes in *spans*, each as often as a span has it: the oracle."""
    return sorted(
        m for span in spans for m in range(-10, 300) if span.start <= moment_at(m) < span.end
    )


spans = st.builds(
    lambda start, length: Interval(moment_at(start), moment_at(start + length)),
    st.integers(0, 140),
    st.integers(1, 140),
)
widths = st.integers(1, 150).map(lambda count: count * MINUTE)


@given(spans, widths)
def test_windows_tile_the_interval_and_none_is_too_wide(span, width):
    windows = list(span.split_into_windows(width))

    assert minutes_within(*windows) == minutes_within(span)
    assert all(window.width <= width for window in windows)
    assert windows == sorted(windows)


@given(spans, widths)
def test_halves_cover_the_interval_and_meet_at_a_multiple_of_the_step(span, step):
    halves = span.split_in_half(step)

    if halves is None:
        assert span.width <= step
    else:
        assert minutes_within(*halves) == minutes_within(span)
        assert (halves[1].start - span.start) % step == timedelta(0)


def test_an_interval_refuses_naive_times():
    with pytest.raises(ValueError, match="no time zone"):
        Interval(datetime(2026, 3, 2), datetime(2026, 3, 3))  # noqa: DTZ001


def test_an_empty_interval_is_refused():
    with pytest.raises(ValueError, match="does not end after its start"):
        Interval(moment_at(5), moment_at(5))


def test_a_time_with_an_offset_becomes_utc():
    kolkata = timezone(timedelta(hours=5, minutes=30))

    assert to_utc(datetime(2026, 3, 2, 5, 30, tzinfo=kolkata)) == moment_at(0)
    assert str(Interval(datetime(2026, 3, 2, 5, 30, tzinfo=kolkata), moment_at(30))) == (
        "2026-03-02T00:00:00.000Z/2026-03-02T00:30:00.000Z"
    )


@given(st.integers(0, 10**13))
def test_epoch_milliseconds_are_exact(ms):
    assert epoch_ms(EPOCH + timedelta(milliseconds=ms)) == ms


def test_a_half_hour_is_thirty_minutes():
    assert 30 * MINUTE == HALF_HOUR
