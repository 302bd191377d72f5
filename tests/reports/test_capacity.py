"""The capacity used: a preview, which Genesys may refuse, withdraw or change."""

import csv
from datetime import datetime, timedelta

import pytest

from tests.processes import Cloud, Halfhour, emulator

DAY = ("--from", "2026-03-02", "--to", "2026-03-03")
COLUMN = "preview_capacity_used_percent"
INTERVAL = "2026-03-02T00:00:00Z/2026-03-03T00:00:00Z"


def percent_at_work(cloud: Cloud) -> dict[tuple[datetime, str], float]:
    """Return the percentage of each half-hour that an agent was interacting or communicating."""
    start, end = map(datetime.fromisoformat, INTERVAL.split("/"))
    half = timedelta(minutes=30)
    durations: dict[tuple[datetime, str], timedelta] = {}
    for row in cloud.truth("statuses", INTERVAL).to_pylist():
        if row["status"] in ("INTERACTING", "COMMUNICATING"):
            at, until = max(row["start"], start), min(row["end"], end)
            while at < until:
                edge = start + (at - start) // half * half
                key = edge, row["agent_id"]
                durations[key] = durations.get(key, timedelta()) + min(until, edge + half) - at
                at = edge + half
    return {key: 100 * duration / half for key, duration in durations.items()}


@pytest.mark.parametrize("store", [(), ("--store", "s.duckdb")])
def test_capacity_used_stands_beside_the_other_figures(cloud, halfhour, store):
    ran = halfhour("report", *DAY, "--with-capacity", "--format", "csv", *store)
    plain = halfhour("report", *DAY, "--format", "csv", *store)

    assert ran.code == 0, ran.err
    rows = list(csv.DictReader(ran.out.splitlines()))
    right = percent_at_work(cloud)
    for row in rows:
        key = datetime.fromisoformat(row["interval_start"]), row["agent_id"]
        assert row[COLUMN] == (f"{right[key]:.1f}" if key in right else "")
    assert any(row[COLUMN] for row in rows)
    for row in rows:
        del row[COLUMN]
    assert rows == list(csv.DictReader(plain.out.splitlines()))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 404, "endpoint": "capacity"},
        {"kind": "status", "status": 500, "endpoint": "capacity"},
        {"kind": "truncate", "endpoint": "capacity"},
    ],
)
def test_a_report_goes_on_without_capacity_if_the_request_fails(cloud, halfhour, fault):
    plain = halfhour("report", *DAY, "--format", "csv")
    cloud.faults(fault)
    ran = halfhour("report", *DAY, "--with-capacity", "--format", "csv")

    assert ran.code == 0, ran.err
    assert "the capacity used is left out: " in ran.err
    rows = [
        {name: value for name, value in row.items() if name != COLUMN or value}
        for row in csv.DictReader(ran.out.splitlines())
    ]
    assert rows == list(csv.DictReader(plain.out.splitlines()))


def test_a_missing_permission_is_named(tmp_path):
    permission = "analytics:agentUtilizationAggregate:view"
    for cloud in emulator("--now", "2026-03-03T00:00:00Z", "--without-permission", permission):
        ran = Halfhour(tmp_path, cloud.environment)("report", *DAY, "--with-capacity")
        assert ran.code == 0
        assert permission in ran.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--by", "agent"), "--with-capacity needs --by interval"),
        (("--media", "voice"), "--with-capacity counts all work of an agent"),
        (("--offline",), "--with-capacity: a store does not keep capacity; leave out --offline"),
    ],
)
def test_capacity_is_refused_where_it_makes_no_sense(halfhour, words, message):
    ran = halfhour("report", *DAY, "--with-capacity", *words)

    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
