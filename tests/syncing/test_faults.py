"""A sync under faults ends complete, or names the windows that are missing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from genesys_emulator.state.faults import KINDS
from halfhour.errors import HalfhourError, Incomplete, Unreachable
from halfhour.genesys import regions
from halfhour.genesys.connection import Settings
from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, Interval
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.syncing.planner import SyncRequest, due_days
from halfhour.syncing.progress import SourceWindow
from tests.oracle import (
    differences,
    stored_changes,
    stored_posted_figures,
    stored_status_times,
    stored_worked_figures,
    table_figures,
    true_posted_figures,
    true_status_times,
    true_worked_figures,
)
from tests.processes import Cloud, emulator
from tests.rebuilt_figures import posted_from_details
from tests.sync_runs import FAULTS, NOW, WEEK, sync_store


@pytest.fixture(
    scope="module",
    params=["15", pytest.param("200", marks=pytest.mark.soak)],
    ids="{} agents".format,
)
def large_cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    yield from emulator(
        "--now", "2026-03-03T00:00:00Z", "--agents", request.param,
        "--requests-per-minute", "100000",
    )  # fmt: skip


def sync_until_complete(
    settings: Settings, store: Store, interval: Interval, now: datetime, *sources: Source
) -> None:
    """Sync until nothing is missing; the outcome of each sync must name all that is missing."""
    for _ in range(25):
        try:
            outcome, _ = sync_store(settings, store, interval, now, sources=sources or None)
        except HalfhourError:
            continue
        missing = {
            SourceWindow(source, day.day)
            for source, days in due_days(store, SyncRequest(interval, sources or None), now).items()
            for day in days
        }
        left_out = {window for window in missing if window.source in outcome.left_out}
        assert missing == outcome.failed.keys() | left_out
        if not missing:
            return
    pytest.fail("windows are still missing after 25 syncs")


def test_a_sync_under_every_fault_at_once_ends_complete_or_names_missing_windows(
    large_cloud, store
):
    """Read a Sunday while its data is partly late or wrong, and the week after the corrections.

    Details are read of the Sunday only, because those of a working day have many pages.
    """
    assert {fault["kind"] for fault in FAULTS} == KINDS.keys()
    sunday = Interval(NOW - 2 * DAY, NOW - DAY)
    large_cloud.faults(*FAULTS)
    large_cloud.clock(now="2026-03-02T00:00:00Z")
    settings = large_cloud.impatient(silence_timeout=30)
    sync_until_complete(settings, store, sunday, sunday.end)
    first, first_worked = stored_posted_figures(store, WEEK), stored_worked_figures(store, WEEK)
    large_cloud.clock(now="2026-03-08T03:00:00Z")
    later = NOW + 5 * DAY + timedelta(hours=3)
    sync_until_complete(settings, store, WEEK, later, Source.POSTED, Source.STATUS)
    sync_until_complete(settings, store, sunday, later, Source.DETAILS)

    right, right_worked = (
        true_posted_figures(large_cloud, WEEK),
        true_worked_figures(large_cloud, sunday),
    )
    assert stored_posted_figures(store, WEEK) == right
    assert stored_worked_figures(store, WEEK) == right_worked
    active_agents = set(store.active_agent_ids(WEEK))
    assert stored_status_times(store, WEEK) == {
        key: ms
        for key, ms in true_status_times(large_cloud, WEEK).items()
        if key[1] in active_agents
    }
    right_on_sunday = true_posted_figures(large_cloud, sunday)
    assert table_figures(posted_from_details(store, sunday, HALF_HOUR)) == right_on_sunday
    assert stored_changes(store, Source.POSTED) == differences(first, right_on_sunday)
    assert stored_changes(store, Source.DETAILS) == differences(first_worked, right_worked)
    assert stored_changes(store, Source.STATUS) == {}


def test_an_answer_that_takes_longer_than_its_patience_is_asked_for_again(cloud, store):
    cloud.faults({"kind": "hang", "seconds": 3, "endpoint": "aggregates", "calls": [2]})
    outcome, _ = sync_store(cloud.impatient(silence_timeout=1), store, WEEK)

    assert (outcome.settled, outcome.failed) == (7, {})
    assert len(cloud.requests("aggregates/query")) > 7
    assert stored_posted_figures(store, WEEK) == true_posted_figures(cloud, WEEK)


def test_failed_windows_are_named_and_the_others_are_kept(cloud, store):
    cloud.faults({"kind": "status", "status": 500, "endpoint": "aggregates", "calls": [2, 5]})
    outcome, _ = sync_store(cloud.settings, store, WEEK)

    assert (outcome.settled, len(outcome.failed)) == (5, 2)
    with pytest.raises(Incomplete, match="2 of 7 days of posted figures are missing") as caught:
        outcome.raise_if_incomplete()
    assert all(str(window) in str(caught.value) for window in outcome.failed)
    assert "internal.server.error" in str(caught.value)

    outcome, _ = sync_store(cloud.settings, store, WEEK)
    assert outcome.settled == 2
    assert stored_posted_figures(store, WEEK) == true_posted_figures(cloud, WEEK)


def test_a_sync_fails_as_unreachable_where_nobody_answers(store):
    nowhere = Settings("id", "secret", regions.hosts_of_region("http://127.0.0.1:9"))
    settings = replace(nowhere, retry_policy=replace(nowhere.retry_policy, attempts=1))
    outcome, _ = sync_store(settings, store, WEEK)

    assert len(outcome.failed) == 7
    with pytest.raises(Unreachable):
        outcome.raise_if_incomplete()


def test_a_sync_goes_on_without_names_that_cannot_be_had(cloud, store):
    cloud.faults({"kind": "status", "status": 403, "endpoint": "users"})
    outcome, events = sync_store(cloud.settings, store, WEEK)

    assert outcome.settled == 7
    assert [event.kind for event in events][-1] == "unnamed"
    cloud.reset()
    sync_store(cloud.settings, store, WEEK)
    assert store.names_by_kind("agent").num_rows == 11
