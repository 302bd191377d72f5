import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_emulator.wire.timestamps import (
    DAY,
    HOUR,
    Granularity,
    bucket_starts,
    format_timestamp,
    ms_since_epoch,
    parse_granularity,
    parse_timestamp,
)

SPRING = ms_since_epoch(datetime(2026, 3, 1, 5, tzinfo=UTC))  # midnight in New York
milliseconds = st.integers(min_value=0, max_value=60_000 * DAY)


def days(text: str, zone: str, start: int, count: int) -> Sequence[int]:
    end = start + count * DAY
    return bucket_starts(start, end, parse_granularity(text), zone=ZoneInfo(zone), until=end)


@given(milliseconds)
def test_a_written_timestamp_is_parsed_to_itself(at):
    assert parse_timestamp(format_timestamp(at), None) == at
    assert parse_timestamp(format_timestamp(at, ZoneInfo("Asia/Kathmandu")), None) == at


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02",
        "2026-03-02T10:00:00Z ",
        "2021-04-2T15:30:51.418Z",
        "20260302T100000Z",
        "2026-W10-1T10:00:00Z",
        "1969-12-31T00:00:00Z",
        "PT30M",
        "",
    ],
)
def test_an_invalid_timestamp_is_refused(text):
    with pytest.raises(ValueError, match=re.escape(text) or None):
        parse_timestamp(text, UTC)


def test_a_timestamp_without_an_offset_needs_a_zone():
    assert format_timestamp(parse_timestamp("2026-07-01T10:00", ZoneInfo("Europe/London"))) == (
        "2026-07-01T09:00:00.000Z"
    )
    with pytest.raises(ValueError, match="10:00"):
        parse_timestamp("2026-07-01T10:00", None)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("PT30M", Granularity(0, 0, 30 * 60_000)),
        ("P1D", Granularity(0, 1, 0)),
        ("P1M", Granularity(1, 0, 0)),
        ("P1W", Granularity(0, 7, 0)),
        ("P1DT12H", Granularity(0, 1, 12 * HOUR)),
    ],
)
def test_a_duration_is_read(text, width):
    assert parse_granularity(text) == width


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "30M", "PT0M", "PT-5M", "P1H", "pt30m"])
def test_an_invalid_duration_is_refused(text):
    with pytest.raises(ValueError, match=re.escape(text) or None):
        parse_granularity(text)


@given(
    milliseconds,
    st.integers(1, 40 * DAY),
    st.sampled_from(["PT15M", "PT1H", "P1D", "P1W", "P1M", "P1DT12H"]),
    st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_buckets_tile_the_interval(start, length, text, zone):
    end = start + length
    width, where = parse_granularity(text), ZoneInfo(zone)
    starts = list(bucket_starts(start, end, width, zone=where, until=end))

    assert starts[0] == start
    assert all(before < after for before, after in pairwise(starts))
    assert starts[-1] < end


def test_a_day_with_a_clock_change_has_its_real_length():
    lengths = [b - a for a, b in pairwise(days("P1D", "America/New_York", SPRING, 14))]

    assert lengths.count(23 * HOUR) == 1
    assert set(lengths) == {23 * HOUR, 24 * HOUR}
    assert {b - a for a, b in pairwise(days("PT24H", "America/New_York", SPRING, 14))} == {DAY}


def test_months_have_their_real_length():
    starts = days("P1M", "UTC", ms_since_epoch(datetime(2026, 1, 31, tzinfo=UTC)), 100)

    assert [format_timestamp(at)[:10] for at in starts[:4]] == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
    ]


def test_buckets_after_the_last_value_are_not_enumerated():
    end = ms_since_epoch(datetime(9998, 1, 1, tzinfo=UTC))
    starts = bucket_starts(0, end, parse_granularity("P1D"), zone=UTC, until=10 * DAY)

    assert len(starts) == 11
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=starts[-1]) == datetime(
        1970, 1, 11, tzinfo=UTC
    )
