"""Reports of local days after a sync, compared with the emulator's truth."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from halfhour.errors import ConfigError
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, Interval
from halfhour.model.time_ranges import parse_interval
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from tests.oracle import Figures, true_worked_figures
from tests.processes import Cloud, Halfhour, emulator
from tests.sync_runs import sync_store

NOW = "2026-11-05T00:00:00Z"
COLUMNS = {"tHandle": "handle_time_sec", "tAcw": "acw_time_sec", "tHeldComplete": "hold_time_sec"}


@pytest.fixture(scope="module")
def year_cloud() -> Iterator[Cloud]:
    """A contact centre with data of the whole year."""
    yield from emulator("--now", NOW, "--agents", "20", "--days", "310")


@pytest.mark.parametrize(
    ("zone", "day", "half_hours"),
    [
        ("Europe/London", "2026-03-29", 46),
        pytest.param("Europe/London", "2026-10-25", 50, marks=pytest.mark.soak),
        pytest.param("America/New_York", "2026-03-08", 46, marks=pytest.mark.soak),
        ("America/New_York", "2026-11-01", 50),
        ("Australia/Lord_Howe", "2026-04-05", 49),
        pytest.param("Australia/Lord_Howe", "2026-10-04", 47, marks=pytest.mark.soak),
        ("Asia/Kathmandu", "2026-06-01", 48),
    ],
)
def test_a_local_day_has_its_half_hours_with_the_posted_and_worked_figures(
    year_cloud, tmp_path, zone, day, half_hours
):
    local = ZoneInfo(zone)
    midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), local)
    within = Interval(midnight, midnight.replace(day=midnight.day + 1))
    assert within.width / HALF_HOUR == half_hours

    halfhour = Halfhour(tmp_path, year_cloud.environment)
    options = ("--from", day, "--to", f"{within.end.astimezone(local):%Y-%m-%d}", "--zone", zone)
    truths = (
        (Source.POSTED, "posted", truly_posted(year_cloud, within)),
        (Source.DETAILS, "worked", by_agent(true_worked_figures(year_cloud, within))),
    )
    for source, basis, right in truths:
        assert right
        sync_store(
            year_cloud.settings,
            Store(tmp_path / "halfhour.duckdb"),
            within,
            datetime.fromisoformat(NOW),
            sources=(source,),
            granularity=QUARTER_HOUR if zone == "Asia/Kathmandu" else HALF_HOUR,
        )
        ran = halfhour("report", *options, "--offline", "--basis", basis, "--format", "csv")
        assert ran.code == 0, ran.err
        assert shown_figures(ran.out, local) == right

    ran = halfhour("report", *options, "--offline", "--basis", "worked", "--by", "day",
                   "--format", "csv")  # fmt: skip
    rows = list(csv.DictReader(ran.out.splitlines()))
    assert len(rows) == len({row["agent_id"] for row in rows})
    assert {row["day"] for row in rows} == {day}
    for column in COLUMNS.values():
        ms = sum(round(float(row[column] or 0) * 1000) for row in rows)
        assert ms == sum(figures.get(column, 0) for figures in right.values())


Shown = dict[tuple[datetime, str], dict[str, int]]
"""The ms of each column above zero, by half-hour and agent."""


def shown_figures(report: str, local: ZoneInfo) -> Shown:
    """Return the figures of the CSV *report*, whose offsets must be those of *local*."""
    figures_by_key: Shown = {}
    for row in csv.DictReader(report.splitlines()):
        moments = [datetime.fromisoformat(row[f"interval_{edge}"]) for edge in ("start", "end")]
        assert [moment.utcoffset() for moment in moments] == [
            moment.astimezone(local).utcoffset() for moment in moments
        ]
        start, end = (moment.astimezone(UTC) for moment in moments)
        assert end - start == HALF_HOUR
        key = start, row["agent_id"]
        assert key not in figures_by_key
        figures_by_key[key] = {
            name: round(float(row[name]) * 1000)
            for name in COLUMNS.values()
            if float(row[name] or 0)
        }
    return {key: columns for key, columns in figures_by_key.items() if columns}


def truly_posted(cloud: Cloud, within: Interval) -> Shown:
    figures_by_key: defaultdict[tuple[datetime, str], Counter[str]] = defaultdict(Counter)
    for row in cloud.truth("posted", str(within), "PT15M").to_pylist():
        if row["metric"] in COLUMNS and row["sum"]:
            at = within.start + (row["interval_start"] - within.start) // HALF_HOUR * HALF_HOUR
            figures_by_key[at, row["agent_id"]][COLUMNS[row["metric"]]] += row["sum"]
    return {key: dict(columns) for key, columns in figures_by_key.items()}


def by_agent(figures: Figures) -> Shown:
    names = {"handle_ms": "handle_time_sec", "acw_ms": "acw_time_sec", "hold_ms": "hold_time_sec"}
    figures_by_key: defaultdict[tuple[datetime, str], Counter[str]] = defaultdict(Counter)
    for (at, agent, *_, column), ms in figures.items():
        if column in names:
            figures_by_key[at, agent][names[column]] += ms
    return {key: dict(columns) for key, columns in figures_by_key.items()}


def test_a_naive_time_is_read_in_the_zone_that_is_given():
    day = Interval(datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 3, 29, 23, tzinfo=UTC))
    naive: Any = {"start": datetime(2026, 3, 29), "end": datetime(2026, 3, 30)}  # noqa: DTZ001
    assert parse_interval(**naive, zone="Europe/London", now=datetime.now(UTC)) == day

    skipped = {**naive, "start": datetime(2026, 3, 29, 1, 30)}  # noqa: DTZ001
    with pytest.raises(ConfigError, match="does not exist in Europe/London"):
        parse_interval(**skipped, zone="Europe/London", now=datetime.now(UTC))


def test_a_report_of_intervals_that_the_store_does_not_have_is_refused(cloud, halfhour):
    day = ("--from", "2026-03-01", "--to", "2026-03-02")
    halfhour("sync", *day, "--source", "posted")
    ran = halfhour("report", *day, "--offline", "--zone", "Asia/Kathmandu")

    assert ran.code == 2
    assert "half-hours of Asia/Kathmandu start at :15 or :45" in ran.err
    assert "with --granularity 15m gets both" in ran.err
    quarters = halfhour("report", *day, "--offline", "--granularity", "15m")
    assert quarters.code == 2
    assert (
        "--granularity or --layout: the report needs quarter-hours, and halfhour.duckdb holds"
        in quarters.err
    )


def test_a_store_that_a_report_creates_has_the_intervals_that_the_report_needs(cloud, halfhour):
    day = ("--from", "2026-03-01", "--to", "2026-03-02", "--zone", "Asia/Kathmandu")
    made = halfhour("report", *day, "--store", "new.duckdb", "--format", "csv")

    assert made.code == 0, made.err
    assert made.out.count("\n") > 10
