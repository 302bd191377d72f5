"""`halfhour sync` as a process that goes on for ever, or ends and says how."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from halfhour.cli import sync
from halfhour.errors import StoreBusy, StoreError
from halfhour.model.coverage import KeptAges
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.syncing.planner import SyncRequest

NOW = datetime(2026, 3, 3, tzinfo=UTC)

DAY = ("--from", "2026-03-02", "--to", "2026-03-03")


def test_the_json_log_of_a_failed_sync_ends_with_its_exit_code(cloud, halfhour):
    cloud.faults({"kind": "status", "status": 500, "endpoint": "aggregates"})
    ran = halfhour("sync", *DAY, "--source", "posted", "--log-format", "json")

    *_, last = events = [json.loads(line) for line in ran.err.splitlines()]
    assert ran.code == 5
    assert (last["event"], last["exit_code"]) == ("ended", 5)
    assert "1 of 1 day of posted figures is missing" in last["reason"]
    assert [event.get("event") for event in events].count("failed") == 1


def test_a_watching_sync_asks_for_its_range_each_turn_and_survives_store_errors(cloud, tmp_path):
    """A range such as --last 1d moves on with the clock."""
    turns = [StoreBusy("open elsewhere"), None, StoreError("the disk is full"), KeyboardInterrupt()]

    def build_request() -> SyncRequest:
        if (turn := turns.pop(0)) is not None:
            raise turn
        return SyncRequest(Interval(NOW - timedelta(days=1), NOW), (Source.POSTED,))

    store = Store(tmp_path / "halfhour.duckdb")
    with pytest.raises(KeyboardInterrupt):
        sync.sync_repeatedly(
            cloud.settings, store, build_request, KeptAges(), timedelta(milliseconds=10)
        )
    assert turns == []
    assert len(store.settled_windows(Source.POSTED)) == 1


def test_a_watching_sync_ends_if_its_store_was_never_good(cloud, tmp_path):
    (tmp_path / "halfhour.duckdb").write_text("no store")
    store = Store(tmp_path / "halfhour.duckdb")

    with pytest.raises(StoreError, match="not a halfhour store"):
        sync.sync_repeatedly(
            cloud.settings, store, SyncRequest, KeptAges(), timedelta(milliseconds=10)
        )
