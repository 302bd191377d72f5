"""Tests of the state of days in a store, and of the days that are due to be read."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.model.coverage import DAY, Calendar, DayState, SettledWindow, format_days
from halfhour.model.intervals import HALF_HOUR, Interval

START = datetime(2026, 3, 2, tzinfo=UTC)
minutes = st.integers(0, 12 * 24 * 60).map(lambda count: START + timedelta(minutes=count))


def day_states_at(
    now: datetime, interval: Interval, *settled: SettledWindow
) -> list[tuple[datetime, DayState, bool]]:
    result = Calendar(now, HALF_HOUR).coverage_of_days(interval, settled)
    return [(entry.day.start, entry.state, entry.due) for entry in result]


def settled_day(day: int, at: datetime, until: timedelta = DAY) -> SettledWindow:
    start = START + day * DAY
    return SettledWindow(Interval(start, start + until), at, 0)


def whole_week() -> Interval:
    return Interval(START, START + 7 * DAY)


def test_a_day_never_read_is_missing_and_a_day_not_begun_is_not_listed():
    now = START + 2 * DAY + timedelta(hours=3, minutes=40)
    result = Calendar(now, HALF_HOUR).coverage_of_days(whole_week(), [])

    assert [entry.state for entry in result] == [DayState.MISSING] * 3
    assert result[-1].day.end == START + 2 * DAY + timedelta(hours=3, minutes=30)


@given(minutes, minutes)
def test_a_day_is_read_again_once_a_day_and_once_four_days_after_its_end(read_at, now):
    """The oracle compares the ages one by one."""
    if read_at < START + DAY or now < read_at:
        return
    ((_, state, due),) = day_states_at(now, Interval(START, START + DAY), settled_day(0, read_at))
    ages = [START + DAY + timedelta(days=days) for days in (1, 4)]

    assert due == any(read_at < age and now >= age for age in ages)
    assert state is (DayState.SETTLED if read_at >= ages[-1] else DayState.PROVISIONAL)


@given(minutes, minutes, minutes)
def test_a_day_is_due_again_after_a_later_reading_of_the_day_it_follows_from(
    read_at, known_at, now
):
    if read_at < START + DAY or now < max(read_at, known_at):
        return
    day, calendar = Interval(START, START + DAY), Calendar(now, HALF_HOUR, ())
    (held,) = calendar.coverage_of_days(
        day, [settled_day(0, read_at)], [settled_day(0, known_at), settled_day(1, now)]
    )

    assert held.due == (read_at < known_at)


@given(minutes, minutes)
def test_a_day_that_goes_on_is_unfinished_once_another_half_hour_is_over(read_at, now):
    over = Calendar(read_at, HALF_HOUR).last_interval_end
    if now < read_at or over <= START or over >= START + DAY:
        return
    settled = SettledWindow(Interval(START, over), read_at, 0)
    ((_, state, due),) = day_states_at(now, Interval(START, START + DAY), settled)

    more = Calendar(now, HALF_HOUR).last_interval_end > over
    assert (state is DayState.UNFINISHED) == more
    assert due or not more


@given(st.lists(st.integers(0, 6), unique=True), minutes)
def test_every_day_that_has_begun_is_listed_once_oldest_first(days, now):
    result = day_states_at(now, whole_week(), *(settled_day(day, now) for day in days))
    begun = [START + day * DAY for day in range(7) if START + day * DAY + HALF_HOUR <= now]

    assert [day for day, *_ in result] == begun
    for day, state, due in result:
        assert (state is DayState.MISSING) == ((day - START).days not in days)
        assert due == (state is DayState.MISSING)


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [(9, 10, [2]), (23, 25, [2, 3]), (0, 24, [2]), (0, 48, [2, 3])],
)
def test_days_are_whole_whatever_part_of_them_is_asked_for(first, last, days):
    asked = Interval(START + timedelta(hours=first), START + timedelta(hours=last))

    assert [day.day for day, *_ in day_states_at(START + 9 * DAY, asked)] == days


@given(st.sets(st.integers(0, 40).map(lambda count: START + count * DAY)))
def test_days_in_words_name_each_of_them_once(days):
    named = set()
    for run in filter(None, format_days(days).split(", ")):
        first, *last = (datetime.fromisoformat(f"{text}T00Z") for text in run.split(" to "))
        run_of = Interval(first, (last or [first])[0] + DAY)
        assert first - DAY not in named
        named |= {window.start for window in run_of.split_into_windows(DAY)}

    assert named == days
