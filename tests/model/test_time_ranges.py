from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.errors import ConfigError
from halfhour.model import time_ranges
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, Interval, is_interval_edge

NOW = datetime(2026, 3, 2, 14, 47, 13, tzinfo=UTC)


def asked_interval(
    start: str | None = None,
    end: str | None = None,
    last: str | None = None,
    zone: str = "UTC",
    now: datetime = NOW,
) -> str:
    interval = time_ranges.parse_interval(start=start, end=end, last=last, zone=zone, now=now)
    return str(interval).replace(":00.000Z", "Z")


@pytest.mark.parametrize(
    ("words", "interval"),
    [
        ({}, "2026-03-01T14:30Z/2026-03-02T14:30Z"),
        ({"last": "90m"}, "2026-03-02T13:00Z/2026-03-02T14:30Z"),
        ({"last": "2w"}, "2026-02-16T14:30Z/2026-03-02T14:30Z"),
        ({"last": "1d", "end": "2026-02-01"}, "2026-01-31T00:00Z/2026-02-01T00:00Z"),
        ({"start": "today"}, "2026-03-02T00:00Z/2026-03-02T14:30Z"),
        ({"start": "yesterday", "end": "today"}, "2026-03-01T00:00Z/2026-03-02T00:00Z"),
        (
            {"start": "2026-03-01T09:30", "end": "2026-03-01T12:00+02:00"},
            "2026-03-01T09:30Z/2026-03-01T10:00Z",
        ),
        (
            {"start": "2026-02-17", "end": "2026-02-18", "zone": "America/New_York"},
            "2026-02-17T05:00Z/2026-02-18T05:00Z",
        ),
        (
            {"start": "2026-02-17", "end": "2026-02-18", "zone": "Asia/Kathmandu"},
            "2026-02-16T18:15Z/2026-02-17T18:15Z",
        ),
        # Where midnight does not exist, the day begins when the clocks have gone forward.
        (
            {"start": "2026-09-06", "end": "2026-09-07", "zone": "America/Santiago"},
            "2026-09-06T04:00Z/2026-09-07T03:00Z",
        ),
    ],
)
def test_words_become_an_interval(words, interval):
    assert asked_interval(**words) == interval


@pytest.mark.parametrize(
    ("day", "zone", "half_hours"),
    [
        ("2026-03-29", "Europe/London", 46),
        ("2026-10-25", "Europe/London", 50),
        ("2026-03-08", "America/New_York", 46),
        ("2026-11-01", "America/New_York", 50),
        ("2026-10-04", "Australia/Lord_Howe", 47),
        ("2026-04-05", "Australia/Lord_Howe", 49),
        ("2026-03-29", "Asia/Kathmandu", 48),
    ],
)
def test_a_local_day_has_the_half_hours_its_clocks_give_it(day, zone, half_hours):
    next_day = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    interval = time_ranges.parse_interval(start=day, end=next_day, last=None, zone=zone, now=NOW)

    assert interval.width == half_hours * HALF_HOUR


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"start": "2026-03-02", "end": "2026-03-01"}, "start 2026-03-02 is not before end 2026"),
        ({"start": "2026-04-01"}, "start 2026-04-01 is in the future"),
        ({"start": "2026-04-01", "last": "24h"}, "start 2026-04-01 is in the future"),
        ({"start": "2026-03-02T14:30"}, "not before the last full half-hour, 2026-03-02T14:30"),
        ({"start": "2026-02-30"}, "start '2026-02-30' cannot be read: February 2026 has 28 days"),
        ({"end": "20261131T10:00"}, "November 2026 has 30 days; write 2026-11-30 or a day before"),
        ({"start": "26/11/2026"}, "a date is year, month and day; write 2026-11-26"),
        ({"start": "11/26/2026 09:30"}, "a date is year, month and day; write 2026-11-26"),
        ({"start": "2.3.2026"}, "year, month and day; write 2026-03-02 or 2026-02-03"),
        ({"start": "2026/3/2"}, "a date is year, month and day; write 2026-03-02"),
        ({"start": "31/11/2026"}, "November 2026 has 30 days"),
        ({"start": "2026-13-01"}, "cannot be read; write 2026-03-02, 2026-03-02T09:30"),
        ({"start": "2026-03-02T25:00"}, "cannot be read; write 2026-03-02, 2026-03-02T09:30"),
        ({"start": "0000-01-01"}, "cannot be read; write 2026-03-02, 2026-03-02T09:30"),
        ({"end": "tomorow"}, "end 'tomorow' cannot be read"),
        ({"start": "2026-03-01T10:07"}, "write 2026-03-01T10:00 or 2026-03-01T10:30"),
        ({"start": "2026-03-01T10:00:01"}, "not on a half-hour of UTC"),
        ({"start": "2026-03-01", "end": "2026-03-02", "last": "24h"}, "give two of them"),
        ({"last": "1d12"}, "is not a duration"),
        ({"last": "45m"}, "not a multiple of 30 minutes"),
        ({"last": "0h"}, "is not a duration"),
        ({"last": "-1d12h"}, "last '-1d12h' is a negative duration; write 1d12h"),
        ({"last": "a day"}, "is not a duration"),
        ({"start": "2026-03-29T01:30", "zone": "Europe/London"}, "does not exist"),
        ({"start": "2026-10-25T01:30", "zone": "Europe/London"}, "2026-10-25T01:30:00+01:00"),
    ],
)
def test_a_range_that_cannot_be_meant_is_refused_with_a_sentence(words, message):
    with pytest.raises(ConfigError) as caught:
        asked_interval(**words)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("words", "start", "hours"),
    [
        ({"start": "2026-03-01", "last": "24h"}, "2026-03-01T00:00", 24),
        ({"start": "2026-03-01T09:30", "last": "1d12h"}, "2026-03-01T09:30", 36),
        ({"end": "2026-03-02", "last": "1w1d90m30m"}, "2026-02-21T22:00", 194),
    ],
)
def test_a_length_counts_from_the_start_or_back_from_the_end(words, start, hours):
    interval = time_ranges.parse_interval(**words, now=NOW)

    assert interval.start == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert interval.width == timedelta(hours=hours)


def test_an_unknown_zone_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'Europe/London'"):
        time_ranges.parse_zone("Europe/Londn")


@pytest.mark.parametrize("name", ["BST", "CEST", "EST5", "PST"])
def test_an_abbreviation_in_place_of_a_zone_is_answered_with_a_place(name):
    with pytest.raises(ConfigError, match=r"; write a place such as Europe/London$"):
        time_ranges.parse_zone(name)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "Europe", "\0"])
def test_an_invalid_zone_name_is_refused_with_a_sentence(name):
    with pytest.raises(ConfigError, match="IANA"):
        time_ranges.parse_zone(name)


@given(
    st.sampled_from(sorted(available_timezones())),
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001
)
def test_the_last_24_hours_end_on_a_local_half_hour_that_is_over(zone, naive):
    now = naive.replace(tzinfo=UTC)
    local = ZoneInfo(zone)
    interval = time_ranges.parse_interval(start=None, end=None, last=None, zone=zone, now=now)

    assert timedelta(0) <= now - interval.end < HALF_HOUR
    assert interval.width == timedelta(hours=24)
    wall = interval.end.astimezone(local)
    assert (wall.minute % 30, wall.second) == (0, 0) or wall.utcoffset() != now.astimezone(
        local
    ).utcoffset()


def test_quarter_hours_are_asked_for_where_half_hours_start_at_15_or_45():
    kathmandu = time_ranges.parse_interval(
        start="2026-02-17", end=None, last=None, zone="Asia/Kathmandu", now=NOW
    )
    london = time_ranges.parse_interval(
        start="2026-02-17", end=None, last=None, zone="Europe/London", now=NOW
    )

    assert time_ranges.required_granularity(kathmandu) == QUARTER_HOUR
    assert time_ranges.required_granularity(london) == HALF_HOUR
    assert is_interval_edge(kathmandu.start, QUARTER_HOUR)


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        ((22, 23), "2026-10-24 23:00 to 2026-10-25 00:00 Europe/London"),
        ((23.5, 25.5), "2026-10-25 00:30+01:00 to 2026-10-25 01:30+00:00 Europe/London"),
    ],
)
def test_a_range_in_which_the_clocks_change_is_written_with_offsets(hours, text):
    start, end = (datetime(2026, 10, 24, tzinfo=UTC) + timedelta(hours=hour) for hour in hours)

    assert time_ranges.format_range(Interval(start, end), ZoneInfo("Europe/London")) == text
