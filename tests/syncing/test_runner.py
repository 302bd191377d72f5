"""A sync stores the right figures, reads only what is due, and resumes after an interruption."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from halfhour.errors import ConfigError
from halfhour.genesys.connection import Settings
from halfhour.model.coverage import DAY, DayState
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, Interval
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.syncing.planner import SyncRequest, requested_calendar
from halfhour.syncing.progress import Event, EventKind
from halfhour.syncing.runner import run_sync
from tests.oracle import stored_posted_figures, true_posted_figures
from tests.sync_runs import NOW, WEEK, query_file, sync_store


def test_a_sync_stores_the_right_figures_and_the_next_one_sends_no_request(cloud, store):
    outcome, events = sync_store(cloud.settings, store, WEEK)

    assert (outcome.settled, outcome.failed) == (7, {})
    assert stored_posted_figures(store, WEEK) == true_posted_figures(cloud, WEEK)
    assert events[0].kind == "planned"
    assert [event.kind for event in events].count(EventKind.SETTLED) == 7
    assert store.names_by_kind("agent").num_rows == 11  # the twelfth is in no list
    assert store.unnamed_ids("agent", NOW) == []

    request_count = len(cloud.requests())
    outcome, events = sync_store(cloud.settings, store, WEEK)
    assert (outcome.settled, [event.kind for event in events]) == (0, ["planned"])
    assert len(cloud.requests()) == request_count


def test_a_sync_reads_sources_and_days_in_order_of_urgency(cloud, store):
    days = Interval(NOW - 4 * DAY, NOW)
    _, events = sync_store(cloud.settings, store, days, sources=None)
    days_read: dict[Source, list[int]] = {source: [] for source in Source}
    sources_read = []
    for event in events:
        if event.kind == "asked" and event.source and event.window:
            days_read[event.source].append((event.window.start - days.start) // DAY)
            sources_read.append(event.source)

    assert sources_read == [
        *[Source.POSTED] * 4,
        *[Source.DETAILS] * 2,
        *[Source.STATUS] * 2,
        *[Source.DETAILS] * 2,
        *[Source.STATUS] * 2,
    ]
    assert days_read[Source.POSTED] == [0, 3, 2, 1]
    assert days_read[Source.DETAILS] == days_read[Source.STATUS] == [3, 2, 1, 0]
    paths = [request["path"].rsplit("/", 1)[-1] for request in cloud.requests()]
    assert paths.index("users") < paths.index("jobs")  # names of the agents with posted figures


class DiedError(Exception):
    """A sync that died."""


def sync_until_killed(settings: Settings, store: Store, settled: int, **request: Any) -> None:
    """Sync until so many windows are settled, and raise in the callback then."""
    remaining = iter(range(settled - 1))

    def die_when_settled(event: Event) -> None:
        if event.kind == "settled" and next(remaining, None) is None:
            raise DiedError

    with pytest.raises(DiedError):
        asyncio.run(
            run_sync(settings, store, SyncRequest(**request), lambda: NOW, die_when_settled)
        )


@pytest.mark.parametrize(("days", "settled"), [(5, 1), (5, 3), (3, 4)])
def test_a_first_sync_that_dies_still_reaches_as_far_back(cloud, tmp_path, days, settled):
    whole, broken = Store(tmp_path / "whole.duckdb"), Store(tmp_path / "broken.duckdb")
    request = {"since": NOW - days * DAY, "sources": (Source.POSTED,) if days > 3 else None}
    sync_store(cloud.settings, whole, **request)
    sync_until_killed(cloud.settings, broken, settled, **request)
    sync_store(cloud.settings, broken, sources=request["sources"])

    for table in ("posted", "segments", "status", "names"):
        rows = f"select columns(lambda c: c <> 'read_at') from {table} order by all"
        assert query_file(broken, rows).equals(query_file(whole, rows))
    for source in Source:
        windows = [settled.window for settled in whole.settled_windows(source)]
        assert [settled.window for settled in broken.settled_windows(source)] == windows


def test_a_sync_without_a_range_goes_on_from_the_stored_days(cloud, store):
    start = NOW - 3 * DAY
    sync_store(cloud.settings, store, Interval(start, start + DAY), now=start + DAY)
    cloud.clock(now="2026-03-03T09:40:00Z")
    outcome, _ = sync_store(cloud.settings, store, now=NOW + timedelta(hours=9, minutes=40))

    windows = [settled.window for settled in store.settled_windows(Source.POSTED)]
    assert outcome.settled == 4  # one is read again a day after its end
    assert [window.start for window in windows] == [start + step * DAY for step in range(4)]
    assert windows[-1].end == NOW + timedelta(hours=9, minutes=30)


def test_an_unfinished_day_is_read_again_and_grows(cloud, store):
    today = Interval(NOW, NOW + DAY)
    for hour in (9, 12, 15):
        cloud.clock(now=f"2026-03-03T{hour:02}:10:00Z")
        now = NOW + timedelta(hours=hour, minutes=10)
        outcome, _ = sync_store(cloud.settings, store, today, now, sources=None)
        assert (outcome.settled, outcome.changed) == (3, 0)
        finished = Interval(NOW, NOW + timedelta(hours=hour))
        assert stored_posted_figures(store, today) == true_posted_figures(cloud, finished)


@pytest.mark.parametrize("edge", ["start", "end"])
def test_an_interval_with_a_naive_edge_is_refused(edge):
    edges = {"start": NOW, "end": NOW + DAY}
    with pytest.raises(ValueError, match="has no time zone"):
        Interval(**{**edges, edge: edges[edge].replace(tzinfo=None)})


def test_a_sync_refuses_a_naive_clock(cloud, store):
    with pytest.raises(TypeError, match="naive"):
        sync_store(cloud.settings, store, WEEK, now=NOW.replace(tzinfo=None))
    assert not store.path.exists()
    assert cloud.requests() == []


def test_status_waits_for_the_posted_figures_that_name_the_agents(cloud, store):
    cloud.faults({"kind": "status", "status": 500, "endpoint": "aggregates", "calls": [1]})
    sources = (Source.POSTED, Source.STATUS)
    one_day = Interval(NOW - DAY, NOW)
    outcome, _ = sync_store(cloud.settings, store, one_day, sources=sources)

    assert [window.source for window in outcome.failed] == [Source.POSTED, Source.STATUS]
    assert not store.path.exists()
    outcome, _ = sync_store(cloud.settings, store, one_day, sources=sources)
    assert outcome.settled == 2
    assert store.status_rows(one_day).num_rows > 0


def test_status_is_read_again_where_posted_figures_were(cloud, store):
    sources = (Source.POSTED, Source.STATUS)
    one_day = Interval(NOW - DAY, NOW)
    sync_store(cloud.settings, store, one_day, sources=sources)
    posted = {"posted": store.posted_rows(one_day)}
    store.settle(Source.POSTED, one_day, posted, NOW + timedelta(minutes=1))

    outcome, _ = sync_store(
        cloud.settings, store, one_day, NOW + timedelta(minutes=2), sources=sources
    )
    assert outcome.settled == 1


def test_status_is_read_for_agents_that_only_details_name(cloud, store):
    day = Interval(NOW - DAY, NOW)
    outcome, _ = sync_store(cloud.settings, store, day, sources=(Source.DETAILS, Source.STATUS))

    assert (outcome.settled, outcome.failed) == (2, {})
    assert {*store.status_rows(day)["agent_id"].to_pylist()} == {*store.active_agent_ids(day)}


def test_a_store_keeps_its_granularity(cloud, store):
    sync_store(cloud.settings, store, WEEK, granularity=QUARTER_HOUR)

    assert stored_posted_figures(store, WEEK) == true_posted_figures(
        cloud, WEEK, granularity="PT15M"
    )
    outcome, _ = sync_store(cloud.settings, store, WEEK)
    assert outcome.settled == 0
    with pytest.raises(ConfigError, match="holds intervals of 15 minutes"):
        sync_store(cloud.settings, store, WEEK, granularity=HALF_HOUR)


def test_the_calendar_lists_every_day_of_a_range_as_missing_or_provisional(cloud, store):
    sync_store(cloud.settings, store, Interval(NOW - 2 * DAY, NOW))
    days = requested_calendar(store, SyncRequest(), NOW + DAY).coverage_of_days(
        WEEK, store.settled_windows(Source.POSTED)
    )
    assert [day.state for day in days] == [DayState.MISSING] * 5 + [DayState.PROVISIONAL] * 2
    assert [day.due for day in days] == [True] * 5 + [False, True]  # a day after its end
