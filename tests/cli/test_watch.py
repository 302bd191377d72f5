"""`halfhour sync` as a process that goes on for ever, or ends and says how."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from halfhour.cli import sync
from halfhour.errors import StoreBusy, StoreError
from halfhour.model.coverage import KeptAges
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.syncing.planner import SyncRequest
from tests.prepared_process import started
from tests.processes import free_port

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


MISTAKES = {
    "option": (("--frm", "today"), {}),
    "choice": (("--source", "foo"), {}),
    "organization": (("--org", "acmee"), {}),
    "zone": ((), {"HALFHOUR_ZONE": "Mars/Olympus"}),
    "range": (("--from", "2026-13-01"), {}),
    "file": (("--settings", "none.toml"), {}),
    "settings": (("--settings", "bad.toml"), {"HALFHOUR_UNKNOWN": "1"}),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("log_format", [("--log-format", "json"), ("--log-format=json",)])
def test_a_mistake_that_is_found_before_the_log_begins_ends_it(halfhour, mistake, log_format):
    (halfhour.folder / "bad.toml").write_text("regoin = 'mypurecloud.ie'\n")
    words, environment = MISTAKES[mistake]

    ran = halfhour("sync", *words, *log_format, **environment)

    events = [json.loads(line) for line in ran.err.splitlines()]
    assert (ran.code, events[-1]["event"], events[-1]["exit_code"]) == (2, "ended", 2)
    assert events[-1]["level"] == "error"
    assert halfhour("sync", *words, **environment).err.endswith(f"{events[-1]['reason']}\n")


@pytest.mark.parametrize("organizations", [(), ("--org", "all")])
def test_a_failed_turn_of_a_watching_sync_logs_its_exit_code(halfhour, organizations, tmp_path):
    nobody = f"http://127.0.0.1:{free_port()}"
    settings = tmp_path / "halfhour.toml"
    settings.write_text(
        f'[org.acme]\nclient_id = "acme"\nclient_secret = "secret-of-acme"\nregion = "{nobody}"\n'
    )
    settings.chmod(0o600)
    process = started(
        ("sync", *organizations, *DAY, "--watch", "15m", "--log-format", "json"),
        halfhour.folder,
        {**halfhour.environment, "PATH": os.environ["PATH"], "GENESYS_REGION": nobody},
    )
    assert process.stderr
    lines = iter(process.stderr.readline, "")
    events = (json.loads(line) for line in lines)
    event = next(event for event in events if event["level"] == "error" and "org" not in event)
    process.terminate()
    process.communicate(timeout=20)

    assert (event["event"], event["exit_code"]) == ("ended", 4)


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
