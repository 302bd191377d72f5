"""Local days through sync, store and report, against what the emulator knows to be right."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from .conftest import Cloud, Halfhour, emulator

NOW = "2026-11-05T00:00:00Z"
COLUMNS = {"tHandle": "handle_time_sec", "tAcw": "acw_time_sec", "tHeldComplete": "hold_time_sec"}


@pytest.fixture(scope="module")
def year_cloud() -> Iterator[Cloud]:
    """A contact centre that has been there all year."""
    yield from emulator("--now", NOW, "--agents", "60", "--days", "310")


@pytest.mark.parametrize(
    ("zone", "day", "half_hours"),
    [
        ("Europe/London", "2026-03-29", 46),
        ("Europe/London", "2026-10-25", 50),
        ("America/New_York", "2026-03-08", 46),
        ("America/New_York", "2026-11-01", 50),
        ("Australia/Lord_Howe", "2026-04-05", 49),
        ("Australia/Lord_Howe", "2026-10-04", 47),
        ("Asia/Kathmandu", "2026-06-01", 48),
    ],
)
def test_a_local_day_has_its_half_hours_and_what_was_posted_in_them(
    year_cloud, tmp_path, zone, day, half_hours
):
    halfhour = Halfhour(tmp_path, year_cloud.environment)
    start = datetime.combine(date.fromisoformat(day), datetime.min.time(), ZoneInfo(zone))
    end = start.replace(day=start.day + 1)
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    assert (end - start) / timedelta(minutes=30) == half_hours

    asked = ("--from", day, "--to", f"{end.astimezone(ZoneInfo(zone)):%Y-%m-%d}", "--zone", zone)
    granularity = "15m" if zone == "Asia/Kathmandu" else "30m"
    done = halfhour("sync", *asked, "--source", "posted", "--granularity", granularity)
    assert done.code == 0, done.err
    ran = halfhour("report", *asked, "--offline", "--format", "csv")
    assert ran.code == 0, ran.err

    shown: dict[tuple[datetime, str], dict[str, int]] = {}
    for row in csv.DictReader(ran.out.splitlines()):
        moments = [datetime.fromisoformat(row[f"interval_{edge}"]) for edge in ("start", "end")]
        assert [each.utcoffset() for each in moments] == [
            each.astimezone(ZoneInfo(zone)).utcoffset() for each in moments
        ]
        assert moments[1].astimezone(UTC) - moments[0].astimezone(UTC) == timedelta(minutes=30)
        key = moments[0].astimezone(UTC), row["agent_id"]
        assert key not in shown
        shown[key] = {name: round(float(row[name]) * 1000) for name in COLUMNS.values()}

    interval = f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}"
    right: dict[tuple[datetime, str], dict[str, int]] = {}
    for row in year_cloud.truth("posted", interval, "PT15M").to_pylist():
        if row["metric"] in COLUMNS:
            at = start + (row["interval_start"] - start) // timedelta(minutes=30) * timedelta(
                minutes=30
            )
            figures = right.setdefault((at, row["agent_id"]), dict.fromkeys(COLUMNS.values(), 0))
            figures[COLUMNS[row["metric"]]] += row["sum"]
    assert right
    assert {key: each for key, each in shown.items() if any(each.values())} == {
        key: each for key, each in right.items() if any(each.values())
    }


def test_half_hours_that_a_store_does_not_have_are_said_so(cloud, halfhour):
    day = ("--from", "2026-03-01", "--to", "2026-03-02")
    halfhour("sync", *day, "--source", "posted")
    ran = halfhour("report", *day, "--offline", "--zone", "Asia/Kathmandu")

    assert ran.code == 2
    assert "half-hours of Asia/Kathmandu start at :15 or :45" in ran.err
    assert "halfhour sync --granularity 15m" in ran.err
    quarters = halfhour("report", *day, "--offline", "--granularity", "15m")
    assert quarters.code == 2
    assert "--granularity: quarter-hours are wanted, and halfhour.duckdb holds" in quarters.err


def test_a_store_that_a_report_makes_has_the_intervals_that_it_wants(cloud, halfhour):
    day = ("--from", "2026-03-01", "--to", "2026-03-02", "--zone", "Asia/Kathmandu")
    made = halfhour("report", *day, "--store", "new.duckdb", "--format", "csv")

    assert made.code == 0, made.err
    assert made.out.count("\n") > 10
