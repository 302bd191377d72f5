"""Differences of posted, rebuilt and worked time are explained, or their conversations named."""

import asyncio
import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, Interval
from halfhour.model.tables import RECONCILIATION_SCHEMA
from halfhour.model.vocabulary import Source
from halfhour.render.table import format_duration
from halfhour.reports.from_store import reconcile_store
from halfhour.store.store import Store
from halfhour.syncing.import_files import import_files
from tests.rebuilt_figures import posted_from_details
from tests.report_data import worked_rows
from tests.reports.test_worked import NOW, RANGE, own_cloud, store
from tests.sync_runs import sync_store
from tests.syncing.test_import_files import CONVERSATIONS, DAYS, page

__all__ = ["own_cloud", "store"]

LATER = NOW + 2.5 * DAY
CAUSES = RECONCILIATION_SCHEMA.names[RECONCILIATION_SCHEMA.names.index("late_data_ms") : -1]


def test_causes_explain_all_differences_of_emulator_data(own_cloud, store):
    rows = reconcile_store(store, None, LATER).to_pylist()

    assert len(rows) > 60
    for row in rows:
        assert row["posted_ms"] - row["worked_ms"] == sum(row[cause] for cause in CAUSES)
        assert row["posted_ms"] == row["rebuilt_ms"]
        assert (row["differing_interval_count"], row["unexplained_ms"]) == (0, 0)
    totals = {cause: sum(abs(row[cause]) for row in rows) for cause in CAUSES}
    assert totals["callback_under_voice_ms"] > 0
    assert totals["crosses_midnight_ms"] > 0
    assert totals["unanswered_acw_ms"] > 0

    worked: dict[tuple[str, str], int] = {}
    for row in worked_rows(store, RANGE, HALF_HOUR).to_pylist():
        key = (f"{row['interval_start']:%Y-%m-%d}", row["agent_id"])
        worked[key] = worked.get(key, 0) + (row["handle_ms"] or 0)
    assert {(row["day"], row["agent_id"]): row["worked_ms"] for row in rows} == {
        (row["day"], row["agent_id"]): worked.get((row["day"], row["agent_id"]), 0) for row in rows
    }


def test_a_restatement_between_two_readings_is_explained_as_late_data(own_cloud, tmp_path):
    own_cloud.reset()
    own_cloud.faults({"kind": "restatement", "share": 0.3})
    early = Store(tmp_path / "halfhour.duckdb")
    day = Interval(NOW - DAY, NOW)
    sync_store(own_cloud.settings, early, day, NOW + HALF_HOUR)
    own_cloud.clock(now="2026-03-06T03:00:00Z")
    sync_store(own_cloud.settings, early, day, NOW + 0.9 * DAY, sources=(Source.DETAILS,))
    rows = reconcile_store(early, day, NOW + DAY).to_pylist()

    assert sum(row["differing_interval_count"] for row in rows) > 0
    assert any(row["late_data_ms"] for row in rows)
    assert all(row["unexplained_ms"] == 0 for row in rows)
    for row in rows:
        assert row["posted_ms"] - row["worked_ms"] == sum(row[cause] for cause in CAUSES)
    own_cloud.reset()


def test_calls_still_going_on_when_read_are_explained_as_still_open(own_cloud, tmp_path):
    """Read details at 15:44, which have more of a call than the aggregates until 15:30."""
    own_cloud.reset()
    moment = NOW - DAY + timedelta(hours=15, minutes=44)
    own_cloud.clock(now=f"{moment:%Y-%m-%dT%H:%M:%SZ}")
    store = Store(tmp_path / "halfhour.duckdb")
    sync_store(own_cloud.settings, store, Interval(NOW - DAY, moment), moment, sources=None)
    own_cloud.reset()
    rows = reconcile_store(store, None, moment).to_pylist()

    assert any(row["still_open_ms"] for row in rows)
    for row in rows:
        assert row["unexplained_conversations"] == ""
        assert row["posted_ms"] - row["worked_ms"] == sum(row[cause] for cause in CAUSES)


def imported_store(
    folder: Path, conversations: list[Any], days: Interval = DAYS, written: datetime = NOW
) -> Store:
    """Return a store of these conversations, without posted figures."""
    (folder / "details.json").write_bytes(page(conversations))
    os.utime(folder / "details.json", (written.timestamp(),) * 2)
    store = Store(folder / "halfhour.duckdb")
    asyncio.run(
        import_files(store, [folder / "details.json"], days, lambda: NOW, lambda event: None)
    )
    return store


@pytest.fixture
def right(tmp_path: Path) -> Store:
    folder = tmp_path / "right"
    folder.mkdir()
    return imported_store(folder, CONVERSATIONS)


def test_an_unexplained_difference_is_listed_with_its_conversations(right, tmp_path):
    text = json.dumps(CONVERSATIONS[0])
    (agent,) = [part for part in CONVERSATIONS[0]["participants"] if part["purpose"] == "agent"][:1]
    (handle,) = [
        metric for metric in agent["sessions"][0]["metrics"] if metric["name"] == "tHandle"
    ]
    doctored = json.loads(
        text.replace(f'"value": {handle["value"]}', f'"value": {handle["value"] + 7}')
    )
    store = imported_store(tmp_path, [doctored, *CONVERSATIONS[1:]])
    for day in DAYS.split_into_windows(DAY):
        store.settle(
            Source.POSTED,
            day,
            {"posted": posted_from_details(right, day, HALF_HOUR)},
            NOW,
        )
    all_rows = reconcile_store(store, None, NOW).to_pylist()
    rows = [row for row in all_rows if row["unexplained_conversations"]]

    assert {row["unexplained_conversations"] for row in rows} == {
        CONVERSATIONS[0]["conversationId"]
    }
    assert sum(row["differing_interval_count"] for row in rows) == 1
    assert sum(row["posted_ms"] - row["rebuilt_ms"] for row in rows) == -7


@pytest.mark.parametrize(
    ("apart", "column"), [(timedelta(minutes=2), "unexplained_ms"), (HALF_HOUR, "late_data_ms")]
)
def test_data_is_late_only_if_one_reading_could_not_know_it(tmp_path, apart, column):
    less = changed_conversation(0, handle_metric_json(0), handle_metric_json(0, -7))
    (tmp_path / "less").mkdir()
    posted = posted_from_details(
        imported_store(tmp_path / "less", [less, *CONVERSATIONS[1:]]), DAYS, HALF_HOUR
    )
    read_at = DAYS.end + 2 * HALF_HOUR
    store = imported_store(tmp_path, CONVERSATIONS, written=read_at)
    store.settle(Source.POSTED, DAYS, {"posted": posted}, read_at - apart)
    rows = reconcile_store(store, None, read_at).to_pylist()

    assert {row[column] for row in rows} == {-7, 0}
    listed = {row["unexplained_conversations"] for row in rows} - {""}
    assert listed == ({less["conversationId"]} if column == "unexplained_ms" else set())


def changed_conversation(at: int, *changes: str) -> Any:
    """Return a captured conversation with text replaced by pairs of old and new *changes*."""
    text = json.dumps(CONVERSATIONS[at])
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    return json.loads(text)


def handle_metric_json(at: int, more: int = 0) -> str:
    """Return the JSON of an agent's first handle time in a captured conversation."""
    values = [
        metric["value"]
        for participant in CONVERSATIONS[at]["participants"]
        if "userId" in participant
        for session in participant["sessions"]
        for metric in session["metrics"]
        if metric["name"] == "tHandle"
    ]
    return f'"name": "tHandle", "value": {values[0] + more}'


def under_a_callback() -> Any:
    """Return a call that a callback led to, which has posted 7 ms more than was worked."""
    conversation = changed_conversation(1, handle_metric_json(1), handle_metric_json(1, 7))
    (agent,) = [part for part in conversation["participants"] if "userId" in part]
    callback = json.loads(
        json.dumps(agent["sessions"][0]).replace(handle_metric_json(1, 7), handle_metric_json(1))
    )
    agent["sessions"].append({**callback, "mediaType": "callback", "sessionId": "callback"})
    return conversation


def without_segment_keys(at: int, segment_type: str, keys: tuple[str, ...]) -> Any:
    """Return a captured conversation whose segments of a type lack *keys*, or are gone."""
    conversation = changed_conversation(at)
    for participant in conversation["participants"]:
        for session in participant["sessions"] if "userId" in participant else ():
            for segment in [
                segment for segment in session["segments"] if segment["segmentType"] == segment_type
            ]:
                for key in keys:
                    del segment[key]
                if not keys:
                    session["segments"].remove(segment)
    return conversation


def call_with_endless_acw() -> Any:
    """Return a call with after-call work without end, and 7 ms more posted than worked."""
    text = json.dumps(without_segment_keys(1, "wrapup", ("segmentEnd",)))
    return json.loads(text.replace(handle_metric_json(1), handle_metric_json(1, 7)))


UNEXPLAINED = {
    "callback_under_voice_ms": (under_a_callback(), 7),
    "crosses_midnight_ms": (
        changed_conversation(0, handle_metric_json(0), handle_metric_json(0, 7),
                             "T16:", "T23:", "-17T18:", "-18T01:"),
        None,
    ),
    "still_open_ms": (call_with_endless_acw(), 7),
    "unanswered_acw_ms": (
        changed_conversation(3, handle_metric_json(3), handle_metric_json(3, 4001)), 1
    ),
    "unanswered_acw_ms, as it was dialled": (without_segment_keys(2, "interact", ()), 72291),
}  # fmt: skip


@pytest.mark.parametrize("cause", UNEXPLAINED)
def test_a_cause_explains_no_difference_of_another_kind(tmp_path, cause):
    conversation, unexplained = UNEXPLAINED[cause]
    days = Interval(DAYS.start, DAYS.end + DAY)
    store = imported_store(tmp_path, [conversation], days)
    for day in days.split_into_windows(DAY):
        store.settle(
            Source.POSTED,
            day,
            {"posted": posted_from_details(store, day, HALF_HOUR)},
            NOW,
        )
    rows = [row for row in reconcile_store(store, None, NOW).to_pylist() if row["unexplained_ms"]]

    assert {row["unexplained_conversations"] for row in rows} == {conversation["conversationId"]}
    assert unexplained in (None, sum(row["unexplained_ms"] for row in rows))
    for row in rows:
        assert row["posted_ms"] - row["worked_ms"] == sum(row[cause] for cause in CAUSES)


def test_the_command_says_whose_time_is_unexplained_and_when_and_how_much(halfhour, tmp_path):
    conversation, _ = UNEXPLAINED["unanswered_acw_ms"]
    store = imported_store(tmp_path, [conversation])
    store.settle(
        Source.POSTED,
        DAYS,
        {"posted": posted_from_details(store, DAYS, HALF_HOUR)},
        NOW,
    )
    (row,) = reconcile_store(store, None, NOW).to_pylist()
    identity = conversation["conversationId"]

    difference = f"{row['agent_name']} on 2023-02-17, 1 ms (conversations {identity})"
    assert f"differences without a known cause: {difference}" in halfhour("reconcile").err


def test_the_reconcile_command_says_whether_posted_and_rebuilt_agree(halfhour):
    day = ("--from", "2026-03-01", "--to", "2026-03-03")
    assert (
        "nothing to compare: the store has no day with both posted figures and conversation"
        in halfhour("sync", *day, "--source", "posted").err + halfhour("reconcile").err
    )
    halfhour("sync", *day)
    ran = halfhour("reconcile", *day, "--format", "json")
    shown = halfhour("reconcile")

    assert (ran.code, shown.code) == (0, 0)
    assert [*ran.json[0]] == RECONCILIATION_SCHEMA.names
    days = "of whole days (UTC) 2026-03-01 to 2026-03-02"
    assert f"posted and rebuilt time agree in every interval {days}" in ran.err
    inside = ("--from", "2026-03-01T10:00", "--to", "2026-03-02T11:00")
    assert f"agree in every interval {days}" in halfhour("reconcile", *inside).err
    assert "posted time less the parts below it is worked time" in shown.err
    assert "less the parts" not in ran.err
    head, *lines = (line.split(maxsplit=3) for line in shown.out.splitlines())
    assert head == ["part", "time", "agent_day_count", "meaning"]
    parts = {line[0]: line[1] for line in lines}
    assert [*parts][:: len(parts) - 1] == ["posted", "worked"]
    assert "unexplained" not in parts
    for part, time in parts.items():
        assert time == format_duration(sum(row[f"{part}_ms"] for row in ran.json) / 1000)
    assert "crosses_midnight" in parts


@pytest.mark.parametrize(("seconds", "text"), [(-59.6, "-0:01:00"), (-0.4, "0:00:00")])
def test_a_difference_of_time_may_be_negative(seconds, text):
    assert format_duration(seconds) == text
