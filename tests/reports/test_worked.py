"""Conversation details and status, read by the real sync from the real emulator, against the truth.

The oracles are as plain as can be: they go through the true segments one by one.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, Interval
from halfhour.model.question import Question
from halfhour.model.vocabulary import Basis, By
from halfhour.reports.from_store import reconcile_store, stored_report_data
from halfhour.reports.questions import build_report
from halfhour.store import worked_time
from halfhour.store.store import Store
from tests.processes import Cloud, emulator
from tests.rebuilt_figures import posted_from_details
from tests.syncing.test_runner import (
    COLUMNS,
    Figures,
    bring,
    key_of,
    led_to_by_a_callback,
    pieces,
    truly_worked,
    truth,
)

NOW = datetime(2026, 3, 3, tzinfo=UTC)
RANGE = Interval(NOW - 3 * DAY, NOW)
READ_AT = NOW + 2.5 * DAY
MS = timedelta(milliseconds=1)


@pytest.fixture(scope="module")
def own_cloud() -> Iterator[Cloud]:
    yield from emulator(
        "--now", "2026-03-03T00:00:00Z", "--agents", "40", "--requests-per-minute", "100000"
    )


@pytest.fixture(scope="module")
def store(own_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("worked") / "halfhour.duckdb")
    own_cloud.clock(now="2026-03-05T12:00:00Z")  # by then all that was late is told
    outcome, _ = bring(own_cloud.settings, store, RANGE, READ_AT, sources=None)
    assert (outcome.failed, outcome.left_out, outcome.data_issues) == ({}, {}, [])
    return store


def true_segments(cloud: Cloud) -> list[dict[str, Any]]:
    return list(cloud.truth("segments", str(RANGE)).to_pylist())


@pytest.mark.parametrize("width", [HALF_HOUR, QUARTER_HOUR])
def test_worked_time_is_that_of_the_segments_to_the_millisecond(own_cloud, store, width):
    assert led_to_by_a_callback(true_segments(own_cloud))
    assert truly_worked(own_cloud, RANGE, width) == {
        key_of(row, name): row[name]
        for row in worked_time.worked_time(store, RANGE, width).to_pylist()
        for name in ("handle_ms", *COLUMNS.values())
        if row[name]
    }


@pytest.mark.parametrize(("width", "granularity"), [(HALF_HOUR, "PT30M"), (QUARTER_HOUR, "PT15M")])
def test_busy_time_is_the_union_and_never_more_than_the_interval(
    own_cloud, store, width, granularity
):
    found = {
        (row["interval_start"], row["agent_id"]): row["busy_ms"]
        for row in worked_time.busy_time(store, RANGE, width).to_pylist()
    }

    assert found == {
        (row["interval_start"], row["agent_id"]): row["ms"]
        for row in own_cloud.truth("busy", str(RANGE), granularity).to_pylist()
    }
    assert max(found.values()) <= width // MS


def test_figures_rebuilt_from_details_equal_the_aggregates_in_every_interval(own_cloud, store):
    def figures(table: Any) -> Figures:
        return {
            key_of(row, name): row[name]
            for row in table.to_pylist()
            for name in table.column_names[4:]
            if row[name] is not None
        }

    rebuilt = figures(posted_from_details(store, RANGE, HALF_HOUR))
    assert rebuilt == figures(store.posted_rows(RANGE))
    assert rebuilt == truth(own_cloud, RANGE)


def test_status_is_that_of_the_records_cut_at_the_edges(own_cloud, store):
    expected: Counter[tuple[Any, ...]] = Counter()
    for each in own_cloud.truth("statuses", str(RANGE)).to_pylist():
        for at, ms in pieces(each, RANGE):
            expected[at, each["agent_id"], each["kind"], each["status"]] += ms
    found = {
        (row["interval_start"], row["agent_id"], row["kind"], row["status"]): row["status_ms"]
        for row in store.status_rows(RANGE).to_pylist()
    }

    active = {agent for _, agent, _, _ in found}
    assert len(active) > 30
    assert found == {key: ms for key, ms in expected.items() if key[1] in active and ms}
    idle = {agent for _, agent, _, _ in expected} - active
    worked = {each["agent_id"] for each in true_segments(own_cloud)}
    assert idle.isdisjoint(worked)  # who is not asked for has done nothing


@pytest.mark.parametrize("basis", [Basis.POSTED, Basis.BOTH])
def test_posted_figures_are_what_genesys_posts_whatever_is_held(own_cloud, store, basis):
    question = Question(RANGE, UTC, basis=basis)
    table = build_report(question, stored_report_data(store, question, READ_AT))
    posted: Counter[tuple[Any, ...]] = Counter()
    for key, value in truth(own_cloud, RANGE).items():
        if key[-1] in ("handle_ms", "acw_ms", "handle_count"):
            posted[key[0], key[1], key[-1]] += value

    assert +posted == {
        (row["interval_start"], row["agent_id"], name): round(row[column] * scale)
        for row in table.to_pylist()
        for name, column, scale in (
            ("handle_ms", "handle_time_sec", 1000),
            ("acw_ms", "acw_time_sec", 1000),
            ("handle_count", "handled_count", 1),
        )
        if row[column]
    }


def test_the_time_of_callbacks_that_counts_twice_is_told_alike_by_report_and_reconcile(store):
    by_day: Counter[tuple[str, str]] = Counter()
    question = Question(RANGE, UTC, By.DAY)
    for row in build_report(question, stored_report_data(store, question, READ_AT)).to_pylist():
        by_day[row["day"], row["agent_id"]] += round(row["callback_voice_time_sec"] * 1000)

    assert +by_day == {
        (row["day"], row["agent_id"]): row["callback_under_voice_ms"]
        for row in reconcile_store(store, None, READ_AT).to_pylist()
        if row["callback_under_voice_ms"]
    }
