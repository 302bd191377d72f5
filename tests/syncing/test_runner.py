"""The real sync against the real emulator: complete, or what is missing is named."""

import asyncio
import csv
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from genesys_emulator.state.faults import KINDS
from halfhour.errors import ConfigError, HalfhourError, Incomplete, StoreBusy, Unreachable
from halfhour.genesys import regions
from halfhour.genesys.connection import Settings
from halfhour.model.coverage import DAY, DayState
from halfhour.model.intervals import HALF_HOUR, MILLISECOND, QUARTER_HOUR, Interval
from halfhour.model.tables import POSTED_METRICS
from halfhour.model.vocabulary import Source
from halfhour.store.locking import writer_lock
from halfhour.store.store import Store
from halfhour.store.worked_time import worked_time
from halfhour.syncing.planner import SyncRequest, due_days, requested_calendar
from halfhour.syncing.progress import Event, EventKind, Outcome, SourceWindow
from halfhour.syncing.runner import run_sync
from tests.processes import Cloud, Halfhour, emulator, held_elsewhere
from tests.rebuilt_figures import posted_from_details

NOW = datetime(2026, 3, 3, tzinfo=UTC)
WEEK = Interval(NOW - 7 * DAY, NOW)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "halfhour.duckdb")


def bring(
    settings: Settings,
    store: Store,
    interval: Interval | None = None,
    now: datetime = NOW,
    **wish: Any,
) -> tuple[Outcome, list[Event]]:
    """A sync at *now*, and what it told; of posted figures if nothing else is wished for."""
    told: list[Event] = []
    wanted = SyncRequest(interval, **{"sources": (Source.POSTED,), **wish})
    return asyncio.run(run_sync(settings, store, wanted, lambda: now, told.append)), told


Figures = dict[tuple[Any, ...], int]


def key_of(row: dict[str, Any], column: str) -> tuple[Any, ...]:
    return row["interval_start"], row["agent_id"], row["queue_id"], row["media_type"], column


def held(store: Store, interval: Interval = WEEK) -> Figures:
    """Every figure that *store* holds, by its key and column."""
    return figures_of(store.posted_rows(interval))


def figures_of(table: pa.Table) -> Figures:
    """Each of *table*, in which none may be twice."""
    found = [
        (key_of(row, each.name), row[each.name])
        for row in table.to_pylist()
        for each in POSTED_METRICS
        if row[each.name] is not None
    ]
    figures = dict(found)
    assert len(figures) == len(found)
    return figures


def truth(cloud: Cloud, interval: Interval = WEEK, granularity: str = "PT30M") -> Figures:
    """The same of what is right."""
    columns: dict[str, list[tuple[str, str]]] = {}
    for each in POSTED_METRICS:
        columns.setdefault(each.metric, []).append((each.name, each.stat))
    return {
        key_of(row, name): row[stat]
        for row in cloud.truth("posted", str(interval), granularity).to_pylist()
        for name, stat in columns.get(row["metric"], ())
    }


COLUMNS = {
    "interact": "talk_ms",
    "hold": "hold_ms",
    "wrapup": "acw_ms",
    "contacting": "contacting_ms",
    "dialing": "dialing_ms",
    "alert": "alert_ms",
}
"""Of worked time, by the type of segments; all but alerts are handle time."""


def pieces(
    part: dict[str, Any], within: Interval, width: timedelta = HALF_HOUR
) -> Iterator[tuple[datetime, int]]:
    """The intervals of *within* that *part*, a segment or a status, lies in, and how many ms."""
    start, end = max(part["start"], within.start), min(part["end"] or within.end, within.end)
    at = within.start + (start - within.start) // width * width
    while at < end:
        yield at, (min(end, at + width) - max(start, at)) // MILLISECOND
        at += width


def led_to_by_a_callback(segments: list[dict[str, Any]]) -> set[str]:
    """The voice sessions of agents who had a callback in the same conversation."""
    callbacks = {
        (each["conversation_id"], each["agent_id"])
        for each in segments
        if each["media_type"] == "callback"
    }
    return {
        each["session_id"]
        for each in segments
        if each["media_type"] == "voice"
        and (each["conversation_id"], each["agent_id"]) in callbacks
    }


def truly_worked(cloud: Cloud, interval: Interval = WEEK, width: timedelta = HALF_HOUR) -> Figures:
    """The right worked time: all segments cut at the intervals since *interval* began, but for
    calls that a callback led to, which its own session spans.
    """
    segments = cloud.truth("segments", str(interval)).to_pylist()
    twice = led_to_by_a_callback(segments)
    found: Counter[tuple[Any, ...]] = Counter()
    for each in segments:
        if each["segment_type"] in COLUMNS and each["session_id"] not in twice:
            for at, ms in pieces(each, interval, width):
                row = {**each, "interval_start": at}
                found[key_of(row, COLUMNS[each["segment_type"]])] += ms
                if each["segment_type"] != "alert":
                    found[key_of(row, "handle_ms")] += ms
    return +found


def status_is_right(cloud: Cloud, store: Store) -> bool:
    """Whether *store* holds the true status of a week of all that it has work of."""
    worked = set(store.active_agent_ids(WEEK))
    right: Counter[tuple[Any, ...]] = Counter()
    for each in cloud.truth("statuses", str(WEEK)).to_pylist():
        if each["agent_id"] in worked:
            for at, ms in pieces(each, WEEK):
                right[at, each["agent_id"], each["kind"], each["status"]] += ms
    rows = store.status_rows(WEEK).to_pylist()
    found = {tuple(row.values())[:4]: row["status_ms"] for row in rows}
    return len(found) == len(rows) and found == +right


def test_a_sync_holds_what_is_right_and_the_next_one_asks_nothing(cloud, store):
    outcome, told = bring(cloud.settings, store, WEEK)

    assert (outcome.settled, outcome.failed) == (7, {})
    assert held(store) == truth(cloud)
    assert told[0].kind == "planned"
    assert [each.kind for each in told].count(EventKind.SETTLED) == 7
    assert store.names_by_kind("agent").num_rows == 11  # the twelfth is in no list
    assert store.unnamed_ids("agent", NOW) == []

    asked = len(cloud.requests())
    outcome, told = bring(cloud.settings, store, WEEK)
    assert (outcome.settled, [each.kind for each in told]) == (0, ["planned"])
    assert len(cloud.requests()) == asked


def test_a_sync_reads_the_sources_and_days_in_order_of_interest(cloud, store):
    days = Interval(NOW - 4 * DAY, NOW)
    _, told = bring(cloud.settings, store, days, sources=None)
    asked: dict[Source, list[int]] = {source: [] for source in Source}
    order = []
    for each in told:
        if each.kind == "asked" and each.source and each.window:
            asked[each.source].append((each.window.start - days.start) // DAY)
            order.append(each.source)

    assert order == [
        *[Source.POSTED] * 4,
        *[Source.DETAILS] * 2,
        *[Source.STATUS] * 2,
        *[Source.DETAILS] * 2,
        *[Source.STATUS] * 2,
    ]
    assert asked[Source.POSTED] == [0, 3, 2, 1]
    assert asked[Source.DETAILS] == asked[Source.STATUS] == [3, 2, 1, 0]
    paths = [each["path"].rsplit("/", 1)[-1] for each in cloud.requests()]
    assert paths.index("users") < paths.index("jobs")  # whose names they are


class DiedError(Exception):
    pass


def sync_until_killed(settings: Settings, store: Store, settled: int, **wish: Any) -> None:
    """A sync that is gone after so many windows."""
    left = iter(range(settled - 1))

    def tell(event: Event) -> None:
        if event.kind == "settled" and next(left, None) is None:
            raise DiedError

    with pytest.raises(DiedError):
        asyncio.run(run_sync(settings, store, SyncRequest(**wish), lambda: NOW, tell))


@pytest.mark.parametrize(("days", "settled"), [(5, 1), (5, 3), (3, 4)])
def test_a_first_sync_that_dies_still_reaches_as_far_back(cloud, tmp_path, days, settled):
    whole, broken = Store(tmp_path / "whole.duckdb"), Store(tmp_path / "broken.duckdb")
    wish = {"since": NOW - days * DAY, "sources": (Source.POSTED,) if days > 3 else None}
    bring(cloud.settings, whole, **wish)
    sync_until_killed(cloud.settings, broken, settled, **wish)
    bring(cloud.settings, broken, sources=wish["sources"])

    for table in ("posted", "segments", "status", "names"):
        rows = f"select columns(lambda c: c <> 'read_at') from {table} order by all"
        assert broken.query_store(rows).equals(whole.query_store(rows))
    for source in Source:
        windows = [each.window for each in whole.settled_windows(source)]
        assert [each.window for each in broken.settled_windows(source)] == windows


def test_a_sync_without_a_range_goes_on_from_the_stored_days(cloud, store):
    start = NOW - 3 * DAY
    bring(cloud.settings, store, Interval(start, start + DAY), now=start + DAY)
    cloud.clock(now="2026-03-03T09:40:00Z")
    outcome, _ = bring(cloud.settings, store, now=NOW + timedelta(hours=9, minutes=40))

    windows = [each.window for each in store.settled_windows(Source.POSTED)]
    assert outcome.settled == 4  # one is read again a day after its end
    assert [each.start for each in windows] == [start + step * DAY for step in range(4)]
    assert windows[-1].end == NOW + timedelta(hours=9, minutes=30)


def test_an_unfinished_day_is_read_again_and_grows(cloud, store):
    today = Interval(NOW, NOW + DAY)
    for hour in (9, 12, 15):
        cloud.clock(now=f"2026-03-03T{hour:02}:10:00Z")
        now = NOW + timedelta(hours=hour, minutes=10)
        outcome, _ = bring(cloud.settings, store, today, now, sources=None)
        assert (outcome.settled, outcome.changed) == (3, 0)
        known = Interval(NOW, NOW + timedelta(hours=hour))
        assert held(store, today) == truth(cloud, known)


FAULTS: list[dict[str, Any]] = [
    {"kind": "late", "share": 0.2},
    {"kind": "restatement", "share": 0.2},
    {"kind": "hang", "seconds": 0.05, "share": 0.01},
    {"kind": "job_fails", "endpoint": "jobs", "calls": [1]},
    {"kind": "job_cancelled", "endpoint": "jobs", "calls": [3]},
    {"kind": "job_expires", "endpoint": "jobs", "calls": [5]},
    *(
        {"kind": "status", "status": status, "calls": [10 * at]}
        for at, status in enumerate((400, 401, 403, 404, 413, 415, 500), 1)
    ),
    *({"kind": "status", "status": status, "share": 0.01} for status in (408, 429, 502, 503, 504)),
    {"kind": "status", "status": 429, "retry_after": "0", "share": 0.01},
    {"kind": "reset", "share": 0.01},
    {"kind": "slow", "seconds": 0.1, "share": 0.01},
    {"kind": "truncate", "share": 0.01},
    {"kind": "cut", "share": 0.01},
    {"kind": "html", "share": 0.01},
    {"kind": "wrong_type", "share": 0.01},
    {"kind": "expired_token", "share": 0.01},
    {"kind": "too_large", "max_buckets": 2000, "endpoint": "aggregates", "share": 0.2},
    {"kind": "short_page", "share": 0.05},
    {"kind": "duplicate", "share": 0.05},
    {"kind": "wrong_total", "total": 100, "share": 0.05},
]


@pytest.fixture(scope="module")
def large_cloud() -> Iterator[Cloud]:
    yield from emulator(
        "--now", "2026-03-03T00:00:00Z", "--agents", "200", "--requests-per-minute", "100000"
    )


def sync_until_complete(
    settings: Settings, store: Store, interval: Interval, now: datetime, *sources: Source
) -> None:
    """Sync until nothing is missing, and each time what is missing must be what is named."""
    for _ in range(25):
        try:
            outcome, _ = bring(settings, store, interval, now, sources=sources or None)
        except HalfhourError:
            continue
        missing = {
            SourceWindow(source, each.day)
            for source, days in due_days(store, SyncRequest(interval, sources or None), now).items()
            for each in days
        }
        left_out = {each for each in missing if each.source in outcome.left_out}
        assert missing == outcome.failed.keys() | left_out
        if not missing:
            return
    pytest.fail("it never ends")


def test_a_sync_under_every_fault_at_once_ends_complete_or_names_missing_windows(
    large_cloud, store
):
    """A Sunday is read while some of it is late and some wrong, and the week when all is told;
    the details, of which a working day has many pages, are those of the Sunday.
    """
    assert {each["kind"] for each in FAULTS} == KINDS.keys()
    sunday = Interval(NOW - 2 * DAY, NOW - DAY)
    large_cloud.faults(*FAULTS)
    large_cloud.clock(now="2026-03-02T00:00:00Z")
    settings = large_cloud.impatient(silence_timeout=30)
    sync_until_complete(settings, store, sunday, sunday.end)
    first, first_worked = held(store), worked_figures(store)
    large_cloud.clock(now="2026-03-08T03:00:00Z")
    later = NOW + 5 * DAY + timedelta(hours=3)
    sync_until_complete(settings, store, WEEK, later, Source.POSTED, Source.STATUS)
    sync_until_complete(settings, store, sunday, later, Source.DETAILS)

    right, rightly_worked = truth(large_cloud), truly_worked(large_cloud, sunday)
    assert held(store) == right
    assert worked_figures(store) == rightly_worked
    assert status_is_right(large_cloud, store)
    of_sunday = truth(large_cloud, sunday)
    assert figures_of(posted_from_details(store, sunday, HALF_HOUR)) == of_sunday
    assert revised_figures(store, Source.POSTED) == changed_figures(first, of_sunday)
    assert revised_figures(store, Source.DETAILS) == changed_figures(first_worked, rightly_worked)
    assert revised_figures(store, Source.STATUS) == {}


def test_an_answer_that_takes_longer_than_its_patience_is_asked_for_again(cloud, store):
    cloud.faults({"kind": "hang", "seconds": 3, "endpoint": "aggregates", "calls": [2]})
    outcome, _ = bring(cloud.impatient(silence_timeout=1), store, WEEK)

    assert (outcome.settled, outcome.failed) == (7, {})
    assert len(cloud.requests("aggregates/query")) > 7
    assert held(store) == truth(cloud)


@pytest.mark.parametrize("edge", ["start", "end"])
def test_an_interval_with_a_naive_edge_is_refused(edge):
    edges = {"start": NOW, "end": NOW + DAY}
    with pytest.raises(ValueError, match="has no time zone"):
        Interval(**{**edges, edge: edges[edge].replace(tzinfo=None)})


def test_a_sync_refuses_a_naive_clock(cloud, store):
    with pytest.raises(TypeError, match="naive"):
        bring(cloud.settings, store, WEEK, now=NOW.replace(tzinfo=None))
    assert store.settled_windows(Source.POSTED) == []
    assert cloud.requests() == []


def test_failed_windows_are_named_and_the_others_are_kept(cloud, store):
    cloud.faults({"kind": "status", "status": 500, "endpoint": "aggregates", "calls": [2, 5]})
    outcome, _ = bring(cloud.settings, store, WEEK)

    assert (outcome.settled, len(outcome.failed)) == (5, 2)
    with pytest.raises(Incomplete, match="2 of 7 windows are missing") as caught:
        outcome.raise_if_incomplete()
    assert all(str(window) in str(caught.value) for window in outcome.failed)
    assert "internal.server.error" in str(caught.value)

    outcome, _ = bring(cloud.settings, store, WEEK)
    assert outcome.settled == 2
    assert held(store) == truth(cloud)


def test_a_sync_fails_as_unreachable_where_nobody_answers(store):
    nowhere = Settings("id", "secret", regions.hosts_of_region("http://127.0.0.1:9"))
    settings = replace(nowhere, retry_policy=replace(nowhere.retry_policy, attempts=1))
    outcome, _ = bring(settings, store, WEEK)

    assert len(outcome.failed) == 7
    with pytest.raises(Unreachable):
        outcome.raise_if_incomplete()


def worked_figures(store: Store) -> Figures:
    """The same as `held`, of worked time."""
    return {key: ms for key, ms in figures_of(worked_time(store, WEEK, HALF_HOUR)).items() if ms}


Changes = dict[tuple[Any, ...], tuple[int | None, int | None]]


def revised_figures(store: Store, source: Source) -> Changes:
    """Each figure that was changed, as it was before and after; none may be changed twice."""
    rows = [row for row in store.revision_rows().to_pylist() if row["source"] == source]
    found = {key_of(row, row["column_name"]): (row["old_value"], row["new_value"]) for row in rows}
    assert len(found) == len(rows)
    return found


def changed_figures(old: Figures, new: Figures) -> Changes:
    return {
        key: (old.get(key), new.get(key))
        for key in old.keys() | new.keys()
        if old.get(key) != new.get(key)
    }


def test_a_sync_after_a_restatement_corrects_the_store_and_records_revisions(cloud, store):
    cloud.faults({"kind": "restatement", "share": 0.25})
    early = NOW + timedelta(minutes=5)
    bring(cloud.settings, store, WEEK, now=early, sources=None)
    wrong, wrongly_worked, right = held(store), worked_figures(store), truth(cloud)
    assert wrong != right

    for days in (1, 5):
        cloud.clock(now=f"2026-03-{3 + days:02}T03:00:00Z")
        later = NOW + days * DAY + timedelta(hours=3)
        bring(cloud.settings, store, WEEK, now=later, sources=None)

    assert held(store) == right
    assert revised_figures(store, Source.POSTED) == changed_figures(wrong, right)
    rightly_worked = truly_worked(cloud)
    assert wrongly_worked != rightly_worked
    assert worked_figures(store) == rightly_worked
    assert revised_figures(store, Source.DETAILS) == changed_figures(wrongly_worked, rightly_worked)
    assert revised_figures(store, Source.STATUS) == {}

    shown = Halfhour(store.path.parent, {})("revisions", "--format", "csv")
    rows = list(csv.DictReader(shown.out.splitlines()))
    assert [each.pop("interval_start") for each in rows]
    assert [tuple(row[name] for name in SHOWN) for row in rows] == [
        tuple("" if row[name] is None else str(row[name]) for name in SHOWN)
        for row in store.revision_rows().to_pylist()
    ]


SHOWN = ("source", "agent_id", "agent_name", "queue_id", "media_type", "column_name", "old_value",
         "new_value")  # fmt: skip


def test_status_waits_for_the_posted_figures_that_say_whom_to_ask_about(cloud, store):
    cloud.faults({"kind": "status", "status": 500, "endpoint": "aggregates", "calls": [1]})
    both = (Source.POSTED, Source.STATUS)
    one_day = Interval(NOW - DAY, NOW)
    outcome, _ = bring(cloud.settings, store, one_day, sources=both)

    assert [each.source for each in outcome.failed] == [Source.POSTED, Source.STATUS]
    assert store.settled_windows(Source.STATUS) == []
    outcome, _ = bring(cloud.settings, store, one_day, sources=both)
    assert outcome.settled == 2
    assert store.status_rows(one_day).num_rows > 0


def test_status_is_read_again_where_posted_figures_were(cloud, store):
    both = (Source.POSTED, Source.STATUS)
    one_day = Interval(NOW - DAY, NOW)
    bring(cloud.settings, store, one_day, sources=both)
    posted = {"posted": store.posted_rows(one_day)}
    store.settle(Source.POSTED, one_day, posted, NOW + timedelta(minutes=1))

    outcome, _ = bring(cloud.settings, store, one_day, NOW + timedelta(minutes=2), sources=both)
    assert outcome.settled == 1


def test_a_store_has_one_sync_by_whatever_name_it_is_opened(cloud, store):
    bring(cloud.settings, store, Interval(NOW - DAY, NOW))
    other = Store(store.path.with_name("link.duckdb"))
    other.path.symlink_to(store.path)

    async def both() -> None:
        async with writer_lock(store, lambda event: None):
            wish = SyncRequest(WEEK, (Source.POSTED,))
            await run_sync(cloud.settings, other, wish, lambda: NOW, print, wait=False)

    with pytest.raises(StoreBusy):
        asyncio.run(both())


def test_files_that_a_killed_sync_left_beside_the_store_are_removed(cloud, store):
    left = store.path.with_name(f"{store.path.name}.parts") / "killed"
    left.mkdir(parents=True)
    (left / "segments.parquet").write_bytes(b"half")

    bring(cloud.settings, store, Interval(NOW - DAY, NOW), sources=None)
    assert not left.parent.exists()


def test_a_sync_waiting_for_a_store_open_elsewhere_can_be_interrupted(cloud, store):
    bring(cloud.settings, store, Interval(NOW - 2 * DAY, NOW - DAY))
    with held_elsewhere(store.path) as other:

        async def ended() -> None:
            wish = SyncRequest(WEEK, (Source.POSTED,))
            await asyncio.wait_for(
                run_sync(cloud.settings, store, wish, lambda: NOW, lambda event: None), 0.3
            )

        began = time.monotonic()
        with pytest.raises(TimeoutError):
            asyncio.run(ended())
        assert time.monotonic() - began < 3
        other.communicate("\n")
    outcome, _ = bring(cloud.settings, store, WEEK)
    assert outcome.settled == 6


def test_two_syncs_at_once_fetch_nothing_twice(cloud, store):
    told: list[Event] = []

    async def both() -> tuple[Outcome, Outcome]:
        one = run_sync(
            cloud.settings, store, SyncRequest(WEEK, (Source.POSTED,)), lambda: NOW, told.append
        )
        other = run_sync(
            cloud.settings, store, SyncRequest(WEEK, (Source.POSTED,)), lambda: NOW, told.append
        )
        return await asyncio.gather(one, other)

    outcomes = asyncio.run(both())

    assert sorted(outcome.settled for outcome in outcomes) == [0, 7]
    assert len(cloud.requests("aggregates/query")) == 7
    assert [each.kind for each in told].count(EventKind.WAITING) == 1
    assert held(store) == truth(cloud)


def test_status_is_asked_of_those_whom_details_alone_tell_of(cloud, store):
    day = Interval(NOW - DAY, NOW)
    outcome, _ = bring(cloud.settings, store, day, sources=(Source.DETAILS, Source.STATUS))

    assert (outcome.settled, outcome.failed) == (2, {})
    assert {*store.status_rows(day)["agent_id"].to_pylist()} == {*store.active_agent_ids(day)}


def test_a_sync_goes_on_without_names_that_cannot_be_had(cloud, store):
    cloud.faults({"kind": "status", "status": 403, "endpoint": "users"})
    outcome, told = bring(cloud.settings, store, WEEK)

    assert outcome.settled == 7
    assert [each.kind for each in told][-1] == "unnamed"
    cloud.reset()
    bring(cloud.settings, store, WEEK)
    assert store.names_by_kind("agent").num_rows == 11


def test_a_store_keeps_its_granularity(cloud, store):
    bring(cloud.settings, store, WEEK, granularity=QUARTER_HOUR)

    assert held(store) == truth(cloud, granularity="PT15M")
    outcome, _ = bring(cloud.settings, store, WEEK)
    assert outcome.settled == 0
    with pytest.raises(ConfigError, match="holds intervals of 15 minutes"):
        bring(cloud.settings, store, WEEK, granularity=HALF_HOUR)


def test_a_sync_stays_under_a_given_rate_of_requests(cloud, store):
    settings = replace(cloud.settings, max_requests_per_minute=240)
    bring(settings, store, Interval(NOW - 4 * DAY, NOW))
    asked = [
        datetime.fromisoformat(request["time"]) for request in cloud.requests("aggregates/query")
    ]

    assert len(asked) == 4
    assert max(asked) - min(asked) >= timedelta(seconds=0.7)


def test_the_calendar_lists_every_day_of_a_range_as_missing_or_provisional(cloud, store):
    bring(cloud.settings, store, Interval(NOW - 2 * DAY, NOW))
    days = requested_calendar(store, SyncRequest(), NOW + DAY).coverage_of_days(
        WEEK, store.settled_windows(Source.POSTED)
    )
    assert [each.state for each in days] == [DayState.MISSING] * 5 + [DayState.PROVISIONAL] * 2
    assert [each.due for each in days] == [True] * 5 + [False, True]  # a day after its end
