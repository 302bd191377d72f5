"""One sync at a time writes to a store, and others wait or give up."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from halfhour.errors import StoreBusy, StoreError
from halfhour.model.coverage import DAY
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.store.locking import find_running_sync, writer_lock
from halfhour.store.store import Store
from halfhour.syncing.planner import SyncRequest
from halfhour.syncing.progress import Event, EventKind, Outcome
from halfhour.syncing.runner import run_sync
from tests.oracle import stored_posted_figures, true_posted_figures
from tests.processes import held_elsewhere
from tests.sync_runs import NOW, WEEK, sync_store


def test_a_store_has_one_sync_by_whatever_name_it_is_opened(cloud, store):
    sync_store(cloud.settings, store, Interval(NOW - DAY, NOW))
    other = Store(store.path.with_name("link.duckdb"))
    other.path.symlink_to(store.path)

    async def sync_twice() -> None:
        async with writer_lock(store, lambda event: None):
            request = SyncRequest(WEEK, (Source.POSTED,))
            await run_sync(cloud.settings, other, request, lambda: NOW, print, wait=False)

    with pytest.raises(StoreBusy):
        asyncio.run(sync_twice())


def test_files_that_a_killed_sync_left_beside_the_store_are_removed(cloud, store):
    leftover = store.path.with_name(f"{store.path.name}.parts") / "killed"
    leftover.mkdir(parents=True)
    (leftover / "segments.parquet").write_bytes(b"half")

    sync_store(cloud.settings, store, Interval(NOW - DAY, NOW), sources=None)
    assert not leftover.parent.exists()


def test_a_sync_waiting_for_a_store_open_elsewhere_can_be_interrupted(cloud, store):
    sync_store(cloud.settings, store, Interval(NOW - 2 * DAY, NOW - DAY))
    with held_elsewhere(store.path) as other:

        async def sync_with_timeout() -> None:
            request = SyncRequest(WEEK, (Source.POSTED,))
            await asyncio.wait_for(
                run_sync(cloud.settings, store, request, lambda: NOW, lambda event: None), 0.3
            )

        start = time.monotonic()
        with pytest.raises(TimeoutError):
            asyncio.run(sync_with_timeout())
        assert time.monotonic() - start < 3
        other.communicate("\n")
    outcome, _ = sync_store(cloud.settings, store, WEEK)
    assert outcome.settled == 6


def test_two_syncs_at_once_fetch_nothing_twice(cloud, store):
    events: list[Event] = []

    async def sync_twice() -> tuple[Outcome, Outcome]:
        one = run_sync(
            cloud.settings, store, SyncRequest(WEEK, (Source.POSTED,)), lambda: NOW, events.append
        )
        other = run_sync(
            cloud.settings, store, SyncRequest(WEEK, (Source.POSTED,)), lambda: NOW, events.append
        )
        return await asyncio.gather(one, other)

    outcomes = asyncio.run(sync_twice())

    assert sorted(outcome.settled for outcome in outcomes) == [0, 7]
    assert len(cloud.requests("aggregates/query")) == 7
    assert [event.kind for event in events].count(EventKind.WAITING) == 1
    assert stored_posted_figures(store, WEEK) == true_posted_figures(cloud, WEEK)


def test_a_sync_gives_up_after_a_while_and_names_the_process_that_it_waited_for(store):
    async def lock_twice() -> None:
        async with writer_lock(store, lambda reason: None):
            assert find_running_sync(store) == f"a sync is running (process {os.getpid()})"
            async with writer_lock(store, lambda reason: None, max_wait=0.15):
                pass

    with pytest.raises(StoreBusy, match=rf"\(process {os.getpid()}\), .* waited 0.15 s") as caught:
        asyncio.run(lock_twice())
    assert "run it again later" in str(caught.value)
    assert find_running_sync(store) == ""


def test_a_lock_that_cannot_be_made_is_not_taken_for_another_sync(tmp_path):
    folder = tmp_path / "folder"
    (folder / "store.duckdb.lock").mkdir(parents=True)  # no process, not even root's, can lock it

    async def lock_once(path: Path) -> None:
        async with writer_lock(Store(path), lambda reason: None, max_wait=0.1):
            pass

    unwritable = [
        folder / "store.duckdb",
        *([Path("/proc/x.duckdb")] * Path("/proc/self").exists()),
    ]
    for path in unwritable:
        with pytest.raises(StoreError, match="cannot be locked") as caught:
            asyncio.run(lock_once(path))
        assert not isinstance(caught.value, StoreBusy)
        assert find_running_sync(Store(path)) == ""
