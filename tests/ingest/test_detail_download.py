"""Tests of details and status with failed jobs, short pages or missing permissions."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from halfhour.errors import ApiError
from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, Interval
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.syncing.planner import SyncRequest
from halfhour.syncing.progress import Outcome
from halfhour.syncing.runner import run_sync
from tests.processes import Cloud, Halfhour, emulator
from tests.rebuilt_figures import posted_from_details
from tests.report_data import busy_rows, worked_rows
from tests.spoiling import Answer, Asked, spoiled
from tests.sync_runs import FAULTS, sync_store

NOW = datetime(2026, 3, 3, 12, 10, tzinfo=UTC)
RANGE = Interval(NOW.replace(hour=0, minute=0) - 2 * DAY, NOW)
FIRST = Interval(RANGE.start, RANGE.start + DAY)
DETAILS = "conversations/details"


@pytest.fixture(scope="module")
def own_cloud() -> Iterator[Cloud]:
    yield from emulator(
        "--now", "2026-03-03T12:10:00Z", "--agents", "20", "--requests-per-minute", "100000"
    )


@pytest.fixture
def cloud(own_cloud: Cloud) -> Cloud:
    own_cloud.reset()
    return own_cloud


def sync_details(
    cloud: Cloud, path: Path, attempts: int = 4, sources: Any = (Source.DETAILS,)
) -> tuple[Outcome, Store]:
    store = Store(path)
    outcome, _ = sync_store(cloud.impatient(attempts=attempts), store, RANGE, NOW, sources=sources)
    return outcome, store


def stored_details(store: Store) -> list[str]:
    """Return all stored details, sorted."""
    return sorted(
        str(row)
        for read in (
            worked_rows,
            busy_rows,
            posted_from_details,
        )
        for row in read(store, RANGE, HALF_HOUR).to_pylist()
    )


@pytest.fixture(scope="module")
def undisturbed(own_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    own_cloud.reset()
    outcome, store = sync_details(own_cloud, tmp_path_factory.mktemp("undisturbed") / "s.duckdb")
    assert outcome.failed == {}
    return stored_details(store)


def test_details_come_from_jobs_as_far_as_the_lake_reaches_then_from_queries(
    cloud, tmp_path, undisturbed
):
    sync_details(cloud, tmp_path / "s.duckdb")

    asked = [request for request in cloud.requests() if "details" in request["path"]]
    submitted = [entry for entry in asked if entry["path"].endswith(f"{DETAILS}/jobs")]
    queried = [entry for entry in asked if entry["path"].endswith(f"{DETAILS}/query")]
    ended = [entry for entry in asked if entry["method"] == "DELETE"]
    assert len(undisturbed) > 500
    assert len(submitted) == len(ended) >= 2
    assert len(queried) > 2


@pytest.mark.parametrize("kind", ["job_fails", "job_cancelled", "job_expires"])
def test_a_job_that_ends_badly_is_submitted_again(cloud, tmp_path, undisturbed, kind):
    cloud.faults({"kind": kind, "endpoint": "jobs", "calls": [1, 2]})
    outcome, store = sync_details(cloud, tmp_path / "s.duckdb")

    assert outcome.failed == {}
    assert stored_details(store) == undisturbed


@pytest.mark.parametrize(
    ("kind", "message"), [("job_fails", "FAILED"), ("job_cancelled", "CANCELLED"),
                       ("job_expires", "EXPIRED")],
)  # fmt: skip
def test_a_job_that_always_ends_badly_is_named_and_nothing_is_held(cloud, tmp_path, kind, message):
    cloud.faults({"kind": kind, "endpoint": "jobs"})
    outcome, store = sync_details(cloud, tmp_path / "s.duckdb")

    assert {window.interval.start for window in outcome.failed} >= {RANGE.start, RANGE.start + DAY}
    assert all(message in str(error) for error in outcome.failed.values())
    assert not store.path.exists()


@pytest.mark.parametrize(
    ("fault", "jobs", "ends_well"),
    [
        ({"kind": "status", "status": 500}, 1, False),
        ({"kind": "status", "status": 503, "share": 0.4}, 1, True),
        ({"kind": "status", "status": 400, "calls": [1]}, 2, True),  # it has failed after all
        ({"kind": "status", "status": 400}, 3, False),
    ],
)
def test_every_job_is_deleted_however_it_ends(cloud, tmp_path, fault, jobs, ends_well):
    cloud.faults({**fault, "endpoint": "results"})
    outcome, _ = sync_store(cloud.settings, Store(tmp_path / "s.duckdb"), FIRST, NOW,
                       sources=(Source.DETAILS,))  # fmt: skip

    assert submitted_and_deleted(cloud) == (jobs, jobs)
    assert (outcome.failed == {}) == ends_well


def test_an_interrupt_deletes_the_job_and_does_not_wait_for_long(cloud, tmp_path):
    cloud.faults({"kind": "hang", "endpoint": "results", "seconds": 60})
    wish = SyncRequest(FIRST, sources=(Source.DETAILS,))

    async def interrupted() -> float:
        store = Store(tmp_path / "s.duckdb")
        task = asyncio.create_task(run_sync(cloud.settings, store, wish, lambda: NOW, print))
        while not cloud.requests("results"):  # noqa: ASYNC110  (the other side cannot set one)
            await asyncio.sleep(0.01)
        task.cancel()
        began = monotonic()
        with pytest.raises(asyncio.CancelledError):
            await task
        return monotonic() - began

    assert asyncio.run(interrupted()) < 4  # of the 60 s that the answer would take
    assert submitted_and_deleted(cloud) == (1, 1)


def submitted_and_deleted(cloud: Cloud) -> tuple[int, int]:
    asked = cloud.requests()
    return (
        sum(entry["path"].endswith(f"{DETAILS}/jobs") for entry in asked),
        sum(entry["method"] == "DELETE" for entry in asked),
    )


@pytest.mark.parametrize("kind", ["short_page", "duplicate"])
def test_short_pages_are_asked_for_again_and_what_comes_twice_counts_once(
    cloud, tmp_path, undisturbed, kind
):
    cloud.faults({"kind": kind, "share": 0.4, "endpoint": "details"},
                 {"kind": kind, "share": 0.4, "endpoint": "results"})  # fmt: skip
    outcome, store = sync_details(cloud, tmp_path / "s.duckdb", attempts=12)

    assert outcome.failed == {}
    assert stored_details(store) == undisturbed


def test_a_page_that_stays_short_is_not_taken_for_the_whole(cloud, tmp_path):
    cloud.faults({"kind": "short_page", "endpoint": "details"})
    outcome, store = sync_details(cloud, tmp_path / "s.duckdb")

    assert any("fewer conversations than it should" in str(error)
               for error in outcome.failed.values())  # fmt: skip
    assert len(store.settled_windows(Source.DETAILS)) + len(outcome.failed) == 3


def test_a_last_page_that_stays_short_is_refused(tmp_path):
    for cloud in emulator("--now", "2026-03-03T00:30:00Z", "--agents", "2"):
        cloud.faults({"kind": "short_page", "endpoint": "details"})
        midnight = RANGE.start + 2 * DAY
        today = Interval(midnight, midnight + HALF_HOUR)
        outcome, _ = sync_store(cloud.settings, Store(tmp_path / "s.duckdb"), today, today.end,
                           sources=(Source.DETAILS,))  # fmt: skip

        (error,) = outcome.failed.values()
        assert "page 1 has fewer conversations than it should" in str(error)


@pytest.mark.parametrize("total", [{"total": 100}, {"total": -1}, {"total": 1}, {}])
def test_the_query_is_read_to_its_end_whatever_its_total_says(cloud, tmp_path, undisturbed, total):
    cloud.faults({"kind": "wrong_total", "endpoint": "details", **total})
    outcome, store = sync_details(cloud, tmp_path / "s.duckdb", attempts=2)

    assert outcome.failed == {}
    assert stored_details(store) == undisturbed


def test_a_total_that_is_sometimes_wrong_is_got_over(cloud, tmp_path, undisturbed):
    cloud.faults({"kind": "wrong_total", "endpoint": "details", "total": 9_000, "share": 0.4})
    outcome, store = sync_details(cloud, tmp_path / "s.duckdb", attempts=12)

    assert outcome.failed == {}
    assert stored_details(store) == undisturbed


Pages = Callable[[int], list[str]]
"""Returns the ids of the conversations on a page by its number."""


def query_errors(
    cloud: Cloud, path: Path, pages: Pages, total: int | None = None
) -> tuple[list[str], int]:
    """Return the errors of a query of today with these *pages*, and the number of requests."""

    asked_for: list[int] = []

    def spoil(asked: Asked) -> Answer | None:
        if not asked.path.endswith(f"{DETAILS}/query"):
            return None
        asked_for.append(asked.json["paging"]["pageNumber"])
        page = {"conversations": [{"conversationId": name} for name in pages(asked_for[-1])]}
        events = {} if total is None else {"totalHits": total}
        return Answer(json.dumps({**events, **page}).encode())

    midnight = RANGE.start + 2 * DAY
    with spoiled(cloud, spoil) as hostile:
        settings, interval = hostile.impatient(attempts=2), Interval(midnight, NOW)
        outcome, _ = sync_store(settings, Store(path), interval, NOW, sources=(Source.DETAILS,))
    return [str(error) for error in outcome.failed.values()], len(asked_for)


def conversation_page(number: int, size: int = 100) -> list[str]:
    return [f"{number}/{row}" for row in range(size)]


@pytest.mark.parametrize("total", [None, -1, 0, 50, 100, 150, 250])
def test_a_short_page_that_others_follow_is_not_taken_for_the_whole(cloud, tmp_path, total):
    """The second of three pages has half of its conversations."""
    sizes = {1: 100, 2: 50, 3: 50}
    errors, requests = query_errors(
        cloud,
        tmp_path / "s.duckdb",
        lambda number: conversation_page(number, sizes.get(number, 0)),
        total,
    )

    assert len(errors) == 1
    assert "page 2 has fewer conversations than it should" in errors[0]
    assert requests <= 5


@pytest.mark.parametrize("total", [None, -1, 0, 50, 100, 250])
def test_a_last_page_is_short_whatever_the_total_says(cloud, tmp_path, total):
    sizes = {1: 100, 2: 100, 3: 50}
    errors, _ = query_errors(
        cloud,
        tmp_path / "s.duckdb",
        lambda number: conversation_page(number, sizes.get(number, 0)),
        total,
    )

    assert errors == []


@pytest.mark.parametrize("total", [None, 100, 100_000])
@pytest.mark.parametrize("size", [1, 100])
def test_a_page_that_repeats_ends_the_query_with_an_error(cloud, tmp_path, total, size):
    errors, requests = query_errors(
        cloud, tmp_path / "s.duckdb", lambda number: conversation_page(number % 2, size), total
    )

    assert len(errors) == 1
    assert "same conversations" in errors[0] or "fewer conversations" in errors[0]
    assert requests <= 4


def test_a_last_conversation_that_comes_twice_ends_the_query(cloud, tmp_path):
    """A conversation has begun meanwhile, so the last one of a page is alone on the next page."""
    pages = {1: conversation_page(1), 2: ["1/99"]}

    errors, _ = query_errors(cloud, tmp_path / "s.duckdb", lambda number: pages.get(number, []))

    assert errors == []


@pytest.mark.parametrize("total", [None, 100_001])
def test_a_query_longer_than_genesys_lets_page_through_is_refused(cloud, tmp_path, total):
    errors, requests = query_errors(cloud, tmp_path / "s.duckdb", conversation_page, total)

    assert len(errors) == 1
    assert "a query of Genesys gives no more than 100,000" in errors[0]
    assert requests == (1 if total else 1000)


CORRECTED = ("late", "restatement")


def test_details_end_complete_under_every_passing_fault_at_once(cloud, tmp_path, undisturbed):
    jobs = [{"kind": kind, "share": 0.1} for kind in ("job_fails", "job_expires")]
    # Those that pass: what is late or wrong at first is another thing, and so is a refusal.
    passing = (fault for fault in FAULTS if "calls" not in fault and fault["kind"] not in CORRECTED)
    cloud.faults(*passing, *jobs)
    for _ in range(60):  # most need a few
        with suppress(ApiError):  # a token that is refused twice ends a sync
            outcome, store = sync_details(cloud, tmp_path / "s.duckdb", attempts=5)
            if not outcome.failed:
                break
    cloud.reset()

    assert outcome.failed == {}
    assert stored_details(store) == undisturbed


def test_conversations_that_began_the_day_before_are_looked_back_for(cloud, tmp_path):
    """Just after midnight only the query has today's data, much of which began yesterday."""
    midnight = RANGE.start + 2 * DAY
    first = Interval(midnight, midnight + HALF_HOUR)
    store = Store(tmp_path / "s.duckdb")
    sync_store(cloud.settings, store, first, midnight + HALF_HOUR + timedelta(minutes=1),
          sources=(Source.DETAILS,))  # fmt: skip
    segments = cloud.truth("segments", str(first)).to_pylist()
    worked = ("contacting", "dialing", "interact", "hold", "wrapup")
    spanning = {segment["conversation_id"] for segment in segments
                if segment["start"] < midnight and segment["segment_type"] in worked
                and segment["start"] > midnight - DAY}  # fmt: skip

    assert spanning
    assert {row["agent_id"] for row in busy_rows(store, first, HALF_HOUR).to_pylist()} >= {
        segment["agent_id"]
        for segment in segments
        if segment["segment_type"] in worked and midnight - DAY < segment["start"] < midnight
    }


@pytest.mark.parametrize("source", [Source.DETAILS, Source.STATUS])
def test_a_report_without_a_permission_names_its_empty_columns(tmp_path, source):
    for cloud in emulator("--now", "2026-03-03T00:00:00Z", "--agents", "8",
                          "--without-permission", source.required_permission):  # fmt: skip
        halfhour = Halfhour(tmp_path, {**cloud.environment, "HALFHOUR_ATTEMPTS": "1"})
        day = ("--from", "2026-03-01", "--to", "2026-03-02")
        ran = halfhour("sync", *day)
        shown = halfhour("report", *day, "--offline", "--format", "json")

        assert ran.code == 0
        assert f"{source} is left out" in ran.err
        assert source.required_permission in ran.err
        assert shown.code == 0
        occupancies = {row["occupancy_ratio"] for row in shown.json}
        assert (occupancies == {None}) == (source is Source.STATUS)
        assert f"no {source.resource_name} of these days stored" in shown.err
        assert source.required_permission not in shown.err
        shown = halfhour("report", *day, "--offline", "--format", "json", "-v")
        needed = (
            f"if it leaves them out, the OAuth client's role needs {source.required_permission}"
        )
        assert needed in shown.err
        assert ("on_queue_time_sec" in shown.err) == (source is Source.STATUS)
        assert ("callback_voice_time_sec" in shown.err) == (source is Source.DETAILS)
        assert halfhour("sync", *day, "--source", "details").code == (
            3 if source is Source.DETAILS else 0
        )


def test_a_report_on_both_bases_without_permission_for_details_shows_posted_figures(tmp_path):
    permission = Source.DETAILS.required_permission
    for cloud in emulator("--now", "2026-03-03T00:00:00Z", "--agents", "8",
                          "--without-permission", permission):  # fmt: skip
        halfhour = Halfhour(tmp_path, {**cloud.environment, "HALFHOUR_ATTEMPTS": "1"})
        day = ("--from", "2026-03-01", "--to", "2026-03-02")
        for store in ((), ("--store", "s.duckdb")):
            ran = halfhour("report", *day, "--basis", "both", "--format", "json", "-v", *store)

            assert ran.code == 5, ran.err
            assert {row["worked_time_sec"] for row in ran.json} == {None}
            assert any(row["handle_time_sec"] for row in ran.json)
            assert "worked_time_sec, worked_talk_time_sec, worked_hold_time_sec" in ran.err
            assert f"the OAuth client's role needs {permission}" in ran.err
        assert halfhour("report", *day, "--basis", "worked").code == 3
        asked = halfhour("sync", *day, "--source", "details", "--source", "posted")
        assert asked.code == 5
        assert permission in asked.err.splitlines()[-1]


def test_a_sync_without_the_permission_for_aggregates_fails(powerless_cloud, tmp_path):
    with pytest.raises(ApiError, match="analytics:conversationAggregate:view"):
        sync_store(powerless_cloud.settings, Store(tmp_path / "s.duckdb"), RANGE, NOW, sources=None)
