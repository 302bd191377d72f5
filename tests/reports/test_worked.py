"""Reports of details and status that a sync has read, compared with the emulator's truth."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, Interval
from halfhour.model.question import Question
from halfhour.model.vocabulary import Basis, By
from halfhour.reports.from_store import reconcile_store
from halfhour.store.store import Store
from tests.oracle import (
    WORKED_COLUMNS,
    figure_key,
    sessions_led_to_by_callbacks,
    stored_posted_figures,
    stored_status_times,
    table_figures,
    true_posted_figures,
    true_status_times,
    true_worked_figures,
)
from tests.processes import Cloud, emulator
from tests.rebuilt_figures import posted_from_details
from tests.report_data import busy_rows, stored_report, worked_rows
from tests.sync_runs import sync_store

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
    own_cloud.clock(now="2026-03-05T12:00:00Z")  # late data has arrived by then
    outcome, _ = sync_store(own_cloud.settings, store, RANGE, READ_AT, sources=None)
    assert (outcome.failed, outcome.left_out, outcome.data_issues) == ({}, {}, [])
    return store


def true_segments(cloud: Cloud) -> list[dict[str, Any]]:
    return list(cloud.truth("segments", str(RANGE)).to_pylist())


@pytest.mark.parametrize("width", [HALF_HOUR, QUARTER_HOUR])
def test_worked_time_is_that_of_the_segments_to_the_millisecond(own_cloud, store, width):
    assert sessions_led_to_by_callbacks(true_segments(own_cloud))
    assert true_worked_figures(own_cloud, RANGE, width) == {
        figure_key(row, name): row[name]
        for row in worked_rows(store, RANGE, width).to_pylist()
        for name in ("handle_ms", *WORKED_COLUMNS.values())
        if row[name]
    }


@pytest.mark.parametrize(("width", "granularity"), [(HALF_HOUR, "PT30M"), (QUARTER_HOUR, "PT15M")])
def test_busy_time_is_the_union_and_never_more_than_the_interval(
    own_cloud, store, width, granularity
):
    busy_ms = {
        (row["interval_start"], row["agent_id"]): row["busy_ms"]
        for row in busy_rows(store, RANGE, width).to_pylist()
    }

    assert busy_ms == {
        (row["interval_start"], row["agent_id"]): row["ms"]
        for row in own_cloud.truth("busy", str(RANGE), granularity).to_pylist()
    }
    assert max(busy_ms.values()) <= width // MS


def test_figures_rebuilt_from_details_equal_the_aggregates_in_every_interval(own_cloud, store):
    rebuilt = table_figures(posted_from_details(store, RANGE, HALF_HOUR))
    assert rebuilt == stored_posted_figures(store, RANGE)
    assert rebuilt == true_posted_figures(own_cloud, RANGE)


def test_status_times_are_those_of_the_records_split_at_the_edges(own_cloud, store):
    expected = true_status_times(own_cloud, RANGE)
    stored = stored_status_times(store, RANGE)

    active_agents = {agent for _, agent, _, _ in stored}
    assert len(active_agents) > 30
    assert stored == {key: ms for key, ms in expected.items() if key[1] in active_agents}
    other_agents = {agent for _, agent, _, _ in expected} - active_agents
    agents_at_work = {segment["agent_id"] for segment in true_segments(own_cloud)}
    assert other_agents.isdisjoint(agents_at_work)


@pytest.mark.parametrize("basis", [Basis.POSTED, Basis.BOTH])
def test_posted_figures_are_what_genesys_posts_whatever_the_store_holds(own_cloud, store, basis):
    question = Question(RANGE, UTC, basis=basis)
    table = stored_report(store, question, READ_AT)
    posted: Counter[tuple[Any, ...]] = Counter()
    for key, value in true_posted_figures(own_cloud, RANGE).items():
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


def test_report_and_reconcile_show_the_same_callback_time_that_counts_twice(store):
    by_day: Counter[tuple[str, str]] = Counter()
    question = Question(RANGE, UTC, By.DAY)
    for row in stored_report(store, question, READ_AT).to_pylist():
        by_day[row["day"], row["agent_id"]] += round(row["callback_voice_time_sec"] * 1000)

    assert +by_day == {
        (row["day"], row["agent_id"]): row["callback_under_voice_ms"]
        for row in reconcile_store(store, None, READ_AT).to_pylist()
        if row["callback_under_voice_ms"]
    }
