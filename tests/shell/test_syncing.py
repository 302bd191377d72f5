"""The real sync against the real emulator: complete, or what is missing is named."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from halfhour import regions
from halfhour.cutting import worked
from halfhour.errors import ConfigError, Incomplete, StoreBusy, Unreachable
from halfhour.intervals import HALF_HOUR, QUARTER_HOUR, Interval
from halfhour.outcomes import Event, Outcome
from halfhour.settings import Settings
from halfhour.store import Store
from halfhour.syncing import sync
from halfhour.tables import POSTED_METRICS
from halfhour.turns import alone
from halfhour.vocabulary import Source
from halfhour.windows import DAY, State
from halfhour.wishes import Wish, calendar

from .conftest import Cloud, emulator

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
    wanted = Wish(interval, **{"sources": (Source.POSTED,), **wish})
    return asyncio.run(sync(settings, store, wanted, lambda: now, told.append)), told


Figures = dict[tuple[Any, ...], int]


def key_of(row: dict[str, Any], column: str) -> tuple[Any, ...]:
    return row["interval_start"], row["agent_id"], row["queue_id"], row["media_type"], column


def held(store: Store, interval: Interval = WEEK) -> Figures:
    """Every figure that *store* holds, by its key and column."""
    return figures_of(store.posted(interval))


def figures_of(table: pa.Table) -> Figures:
    return {
        key_of(row, each.name): row[each.name]
        for row in table.to_pylist()
        for each in POSTED_METRICS
        if row[each.name] is not None
    }


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


def test_a_sync_holds_what_is_right_and_the_next_one_asks_nothing(cloud, store):
    outcome, told = bring(cloud.settings, store, WEEK)

    assert (outcome.settled, outcome.failed) == (7, {})
    assert held(store) == truth(cloud)
    assert told[0].kind == "planned"
    assert [each.kind for each in told].count("settled") == 7
    assert store.names("agent").num_rows == 11  # the twelfth is in no list
    assert store.unnamed("agent", NOW) == []

    asked = len(cloud.requests())
    outcome, told = bring(cloud.settings, store, WEEK)
    assert (outcome.settled, [each.kind for each in told]) == (0, ["planned"])
    assert len(cloud.requests()) == asked


def test_without_a_range_it_goes_on_from_what_is_held(cloud, store):
    start = NOW - 3 * DAY
    bring(cloud.settings, store, Interval(start, start + DAY), now=start + DAY)
    cloud.clock(now="2026-03-03T09:40:00Z")
    outcome, _ = bring(cloud.settings, store, now=NOW + timedelta(hours=9, minutes=40))

    windows = [each.window for each in store.settled(Source.POSTED)]
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
    *(
        {"kind": "status", "status": status, "share": 0.04}
        for status in (408, 429, 500, 502, 503, 504)
    ),
    {"kind": "status", "status": 429, "retry_after": "0", "share": 0.04},
    {"kind": "reset", "share": 0.04},
    {"kind": "hang", "seconds": 0.05, "share": 0.04},
    {"kind": "slow", "seconds": 0.1, "share": 0.04},
    {"kind": "truncate", "share": 0.04},
    {"kind": "cut", "share": 0.04},
    {"kind": "html", "share": 0.04},
    {"kind": "wrong_type", "share": 0.04},
    {"kind": "expired_token", "share": 0.04},
    {"kind": "too_large", "max_buckets": 2000, "endpoint": "aggregates", "share": 0.2},
    {"kind": "short_page", "share": 0.2},
    {"kind": "duplicate", "share": 0.2},
]


@pytest.fixture(scope="module")
def large_cloud() -> Iterator[Cloud]:
    yield from emulator(
        "--now", "2026-03-03T00:00:00Z", "--agents", "200", "--requests-per-minute", "100000"
    )


def test_under_every_fault_at_once_it_ends_complete_or_names_what_is_missing(large_cloud, store):
    large_cloud.faults(*FAULTS)
    settings = large_cloud.impatient(attempts=4)
    for _ in range(12):
        before = {each.window for each in store.settled(Source.POSTED)} if store.exists else set()
        try:
            outcome, _ = bring(settings, store, WEEK)
        except Unreachable:
            continue
        days = {each.window for each in store.settled(Source.POSTED)}
        assert days.isdisjoint(each.interval for each in outcome.failed)
        assert len(days) - len(before) == outcome.settled
        assert len(days) + len(outcome.failed) == 7
        if not outcome.failed:
            break
    large_cloud.reset()

    assert held(store) == truth(large_cloud)
    assert store.revisions().num_rows == 0


def test_what_could_not_be_had_is_named_and_the_rest_is_kept(cloud, store):
    cloud.faults({"kind": "status", "status": 500, "endpoint": "aggregates", "calls": [2, 5]})
    outcome, _ = bring(cloud.settings, store, WEEK)

    assert (outcome.settled, len(outcome.failed)) == (5, 2)
    with pytest.raises(Incomplete, match="2 of 7 windows are missing") as caught:
        outcome.check()
    assert all(str(window) in str(caught.value) for window in outcome.failed)
    assert "internal.server.error" in str(caught.value)

    outcome, _ = bring(cloud.settings, store, WEEK)
    assert outcome.settled == 2
    assert held(store) == truth(cloud)


def test_where_nobody_answers_it_gives_up_at_once(store):
    nowhere = Settings("id", "secret", regions.hosts("http://127.0.0.1:9"))
    settings = replace(nowhere, patience=replace(nowhere.patience, attempts=1))
    outcome, _ = bring(settings, store, WEEK)

    assert len(outcome.failed) == 7
    with pytest.raises(Unreachable):
        outcome.check()


def worked_figures(store: Store) -> Figures:
    """The same as `held`, of worked time."""
    return figures_of(worked(store, WEEK, HALF_HOUR))


def revised(store: Store, source: Source) -> dict[tuple[Any, ...], tuple[int | None, int | None]]:
    """Each figure that ever changed, as it was first and as it is now."""
    found: dict[tuple[Any, ...], tuple[int | None, int | None]] = {}
    for row in store.revisions().to_pylist():
        if row["source"] == source:
            key = key_of(row, row["column_name"])
            first = found[key][0] if key in found else row["old_value"]
            found[key] = (first, row["new_value"])
    return found


def difference(old: Figures, new: Figures) -> dict[tuple[Any, ...], tuple[int | None, int | None]]:
    return {
        key: (old.get(key), new.get(key))
        for key in old.keys() | new.keys()
        if old.get(key) != new.get(key)
    }


def test_after_a_restatement_the_store_is_right_and_the_difference_is_on_record(cloud, store):
    cloud.faults({"kind": "restatement", "share": 0.25})
    early = NOW + timedelta(minutes=5)
    bring(cloud.settings, store, WEEK, now=early, sources=None)
    wrong, wrongly_worked, right = held(store), worked_figures(store), truth(cloud)
    assert wrong != right

    for days in (1, 2, 3, 4, 5):
        cloud.clock(now=f"2026-03-{3 + days:02}T03:00:00Z")
        later = NOW + days * DAY + timedelta(hours=3)
        bring(cloud.settings, store, WEEK, now=later, sources=None)

    assert held(store) == right
    assert revised(store, Source.POSTED) == difference(wrong, right)
    rightly_worked = worked_figures(store)
    assert wrongly_worked != rightly_worked
    assert revised(store, Source.DETAILS) == difference(wrongly_worked, rightly_worked)
    assert revised(store, Source.STATUS) == {}


def test_status_waits_for_the_posted_figures_that_say_whom_to_ask_about(cloud, store):
    cloud.faults({"kind": "status", "status": 500, "endpoint": "aggregates", "calls": [1]})
    both = (Source.POSTED, Source.STATUS)
    one_day = Interval(NOW - DAY, NOW)
    outcome, _ = bring(cloud.settings, store, one_day, sources=both)

    assert [each.source for each in outcome.failed] == [Source.POSTED, Source.STATUS]
    assert store.settled(Source.STATUS) == []
    outcome, _ = bring(cloud.settings, store, one_day, sources=both)
    assert outcome.settled == 2
    assert store.status(one_day).num_rows > 0


def test_where_posted_figures_were_read_again_status_is_too(cloud, store):
    both = (Source.POSTED, Source.STATUS)
    one_day = Interval(NOW - DAY, NOW)
    bring(cloud.settings, store, one_day, sources=both)
    posted = {"posted": store.posted(one_day)}
    store.settle(Source.POSTED, one_day, posted, NOW + timedelta(minutes=1))

    outcome, _ = bring(cloud.settings, store, one_day, NOW + timedelta(minutes=2), sources=both)
    assert outcome.settled == 1


def test_a_store_has_one_sync_by_whatever_name_it_is_opened(cloud, store):
    bring(cloud.settings, store, Interval(NOW - DAY, NOW))
    other = Store(store.path.with_name("link.duckdb"))
    other.path.symlink_to(store.path)

    async def both() -> None:
        async with alone(store, lambda event: None):
            wish = Wish(WEEK, (Source.POSTED,))
            await sync(cloud.settings, other, wish, lambda: NOW, print, wait=False)

    with pytest.raises(StoreBusy):
        asyncio.run(both())


def test_what_a_killed_one_left_beside_the_store_is_cleared_away(cloud, store):
    left = store.path.with_name(f"{store.path.name}.parts") / "killed"
    left.mkdir(parents=True)
    (left / "segments.parquet").write_bytes(b"half")

    bring(cloud.settings, store, Interval(NOW - DAY, NOW), sources=None)
    assert not left.parent.exists()


def test_while_another_program_has_the_store_open_a_sync_may_be_ended(cloud, store):
    bring(cloud.settings, store, Interval(NOW - 2 * DAY, NOW - DAY))
    held = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
    command = [sys.executable, "-c", held, str(store.path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        other.stdout.readline()

        async def ended() -> None:
            wish = Wish(WEEK, (Source.POSTED,))
            await asyncio.wait_for(
                sync(cloud.settings, store, wish, lambda: NOW, lambda event: None), 0.3
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
        one = sync(cloud.settings, store, Wish(WEEK, (Source.POSTED,)), lambda: NOW, told.append)
        other = sync(cloud.settings, store, Wish(WEEK, (Source.POSTED,)), lambda: NOW, told.append)
        return await asyncio.gather(one, other)

    outcomes = asyncio.run(both())

    assert sorted(outcome.settled for outcome in outcomes) == [0, 7]
    assert len(cloud.requests("aggregates/query")) == 7
    assert [each.kind for each in told].count("waiting") == 1
    assert held(store) == truth(cloud)


def test_status_is_asked_of_those_whom_details_alone_tell_of(cloud, store):
    day = Interval(NOW - DAY, NOW)
    outcome, _ = bring(cloud.settings, store, day, sources=(Source.DETAILS, Source.STATUS))

    assert (outcome.settled, outcome.failed) == (2, {})
    assert {*store.status(day)["agent_id"].to_pylist()} == {*store.agents(day)}


def test_names_that_cannot_be_had_do_not_stop_it(cloud, store):
    cloud.faults({"kind": "status", "status": 403, "endpoint": "users"})
    outcome, told = bring(cloud.settings, store, WEEK)

    assert outcome.settled == 7
    assert [each.kind for each in told][-1] == "unnamed"
    cloud.reset()
    bring(cloud.settings, store, WEEK)
    assert store.names("agent").num_rows == 11


def test_a_store_keeps_its_granularity(cloud, store):
    bring(cloud.settings, store, WEEK, granularity=QUARTER_HOUR)

    assert held(store) == truth(cloud, granularity="PT15M")
    outcome, _ = bring(cloud.settings, store, WEEK)
    assert outcome.settled == 0
    with pytest.raises(ConfigError, match="holds intervals of 15 minutes"):
        bring(cloud.settings, store, WEEK, granularity=HALF_HOUR)


def test_it_stays_under_a_rate_that_is_asked_for(cloud, store):
    settings = replace(cloud.settings, max_requests_per_minute=240)
    bring(settings, store, Interval(NOW - 4 * DAY, NOW))
    asked = [
        datetime.fromisoformat(request["time"]) for request in cloud.requests("aggregates/query")
    ]

    assert len(asked) == 4
    assert max(asked) - min(asked) >= timedelta(seconds=0.7)


def test_every_day_is_told_of_in_the_end(cloud, store):
    bring(cloud.settings, store, Interval(NOW - 2 * DAY, NOW))
    days = calendar(store, Wish(), NOW + DAY).held(WEEK, store.settled(Source.POSTED))
    assert [each.state for each in days] == [State.MISSING] * 5 + [State.PROVISIONAL] * 2
    assert [each.due for each in days] == [True] * 5 + [False, True]  # a day after its end
