"""`halfhour sync` as a process that goes on for ever, or ends and says how."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from halfhour.cli import sync
from halfhour.errors import StoreBusy, StoreError
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.syncing.planner import Wish

NOW = datetime(2026, 3, 3, tzinfo=UTC)

DAY = ("--from", "2026-03-02", "--to", "2026-03-03")


def test_machines_are_told_in_json_to_the_end(cloud, halfhour):
    cloud.faults({"kind": "status", "status": 500, "endpoint": "aggregates"})
    ran = halfhour("sync", *DAY, "--source", "posted", "--log-format", "json")

    *_, last = told = [json.loads(line) for line in ran.err.splitlines()]
    assert ran.code == 5
    assert (last["event"], last["exit_code"]) == ("ended", 5)
    assert "1 of 1 windows are missing" in last["reason"]
    assert [each.get("event") for each in told].count("failed") == 1


def test_what_is_asked_for_is_asked_for_anew_each_time_and_what_may_pass_is_only_told(
    cloud, tmp_path
):
    """A range such as --last 1d moves on with the clock."""
    turns = [StoreBusy("open elsewhere"), None, StoreError("the disk is full"), KeyboardInterrupt()]

    def wish() -> Wish:
        if (turn := turns.pop(0)) is not None:
            raise turn
        return Wish(Interval(NOW - timedelta(days=1), NOW), (Source.POSTED,))

    store = Store(tmp_path / "halfhour.duckdb")
    with pytest.raises(KeyboardInterrupt):
        sync.watch(cloud.settings, store, wish, None, timedelta(milliseconds=10))
    assert turns == []
    assert len(store.settled(Source.POSTED)) == 1


def test_a_store_that_never_was_good_ends_it(cloud, tmp_path):
    (tmp_path / "halfhour.duckdb").write_text("no store")
    store = Store(tmp_path / "halfhour.duckdb")

    with pytest.raises(StoreError, match="no halfhour store"):
        sync.watch(cloud.settings, store, Wish, None, timedelta(milliseconds=10))
