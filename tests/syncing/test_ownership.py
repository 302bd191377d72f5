"""A store belongs to one organisation, trusts Genesys' clock, and survives damage and attacks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from halfhour.errors import ConfigError, StoreError
from halfhour.model.coverage import DAY, DayState
from halfhour.model.intervals import MILLISECOND, Interval, floor_to_width
from halfhour.model.tables import POSTED_SCHEMA
from halfhour.model.vocabulary import Source
from halfhour.store.coverage import day_coverage, store_calendar
from halfhour.store.store import Store
from halfhour.syncing.planner import SyncRequest, due_days, prepare_store
from halfhour.syncing.progress import EventKind
from tests.processes import Cloud, Halfhour, emulator
from tests.sync_runs import NOW, sync_store

MONDAY = Interval(NOW - DAY, NOW)


@pytest.fixture(scope="module")
def other_cloud() -> Iterator[Cloud]:
    """The organisation of somebody else."""
    yield from emulator("--now", f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "--agents", "3", "--seed", "7")


@pytest.fixture(scope="module")
def present_cloud() -> Iterator[Cloud]:
    """An organisation whose clock shows the real time."""
    yield from emulator("--agents", "3", "--days", "3")


def table_contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of every table of *store* as text."""
    tables = ("settings", "settled", "posted", "segments", "status", "names")
    with duckdb.connect(str(store.path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        texts = "select columns(*)::varchar from {} order by all"
        return {table: connection.execute(texts.format(table)).fetchall() for table in tables}


def test_the_client_of_another_organisation_is_refused_before_anything_is_written(
    cloud, other_cloud, store
):
    sync_store(cloud.settings, store, MONDAY)
    before = table_contents(store)
    owner = store.stored_settings()

    with pytest.raises(ConfigError) as refused:
        sync_store(other_cloud.settings, store, Interval(NOW - 2 * DAY, NOW))
    assert owner["organization_id"] in str(refused.value)
    assert "name another store" in str(refused.value)
    assert table_contents(store) == before
    outcome, _ = sync_store(cloud.settings, store, Interval(NOW - 2 * DAY, NOW))
    assert outcome.settled == 1


def test_names_of_another_organisation_are_not_written_to_the_store(cloud, other_cloud, store):
    sync_store(cloud.settings, store, MONDAY, now=NOW)
    before = table_contents(store)
    with pytest.raises(ConfigError, match="name another store"):
        sync_store(other_cloud.settings, store, Interval(NOW - DAY, NOW - DAY / 2), now=NOW + DAY)

    assert table_contents(store) == before


def test_a_store_without_an_owner_gets_one_with_the_next_sync(cloud, store):
    sync_store(cloud.settings, store, MONDAY)
    owner = store.stored_settings()["organization_id"]
    with duckdb.connect(str(store.path)) as connection:
        connection.execute("delete from settings where name like 'organization%'")
    sync_store(cloud.settings, store, Interval(NOW - 2 * DAY, NOW))

    assert store.stored_settings()["organization_id"] == owner


def test_a_sync_that_may_not_ask_for_the_organisation_goes_on_with_a_warning(cloud, store):
    cloud.faults({"kind": "status", "status": 403, "endpoint": "organization"})
    outcome, events = sync_store(cloud.settings, store, MONDAY)

    assert outcome.settled == 1
    assert [event.kind for event in events].count(EventKind.UNIDENTIFIED) == 1
    assert "organization_id" not in store.stored_settings()


def test_the_sync_command_refuses_the_client_of_another_organisation(cloud, other_cloud, tmp_path):
    day = ("--from", "2026-03-02", "--to", "2026-03-03", "--source", "posted")
    assert Halfhour(tmp_path, cloud.environment)("sync", *day).code == 0
    earlier = ("--from", "2026-03-01", "--to", "2026-03-03", "--source", "posted")
    ran = Halfhour(tmp_path, other_cloud.environment)("sync", *earlier)

    assert ran.code == 2
    assert "name another store, or use a client of that organisation" in ran.err


def test_a_clock_that_is_ahead_settles_nothing_that_is_still_to_come(present_cloud, store):
    real = datetime.now(UTC)
    ahead = real + 10 * DAY
    interval = Interval(floor_to_width(real, DAY) - DAY, ahead)
    outcome, events = sync_store(present_cloud.settings, store, interval, now=ahead)

    assert outcome.failed == {}
    (warning,) = [event for event in events if event.kind == "clock_ahead"]
    assert warning.reason.startswith(("10 days, 0:00:0", "9 days, 23:59:5"))
    settled = store.settled_windows(Source.POSTED)
    assert [day.window.start for day in settled] == [
        floor_to_width(real, DAY) - DAY, *([floor_to_width(real, DAY)] if len(settled) > 1 else []),
    ]  # fmt: skip
    for day in settled:
        assert day.window.end <= datetime.now(UTC)
        assert day.read_at <= datetime.now(UTC)


def test_a_clock_that_is_right_or_behind_is_trusted(present_cloud, store):
    real = datetime.now(UTC)
    for now in (real, real - timedelta(hours=30)):
        today = floor_to_width(now, DAY)  # In its first half-hour nothing of today is over.
        interval = Interval(today - DAY, today)
        outcome, events = sync_store(present_cloud.settings, store, interval, now=now)

        assert "clock_ahead" not in [event.kind for event in events]
        assert outcome.settled == 1
    assert store.settled_windows(Source.POSTED)[0].read_at == floor_to_width(now, MILLISECOND)


def settle_empty_monday(store: Store, read_at: datetime) -> None:
    """Settle an empty Monday that was read at *read_at*."""
    prepare_store(store, SyncRequest(), NOW)
    store.settle(Source.POSTED, MONDAY, {"posted": POSTED_SCHEMA.empty_table()}, read_at)


def test_a_day_read_later_than_now_counts_as_missing(store):
    settle_empty_monday(store, NOW + 10 * DAY)

    (day,) = day_coverage(store, store_calendar(store, NOW), MONDAY)[Source.POSTED]
    assert (day.state, day.settled, day.due) == (DayState.MISSING, None, True)
    (day,) = day_coverage(store, store_calendar(store, NOW + 10 * DAY), MONDAY)[Source.POSTED]
    assert (day.state, day.due) == (DayState.SETTLED, False)


def test_a_clock_before_the_first_stored_day_makes_no_day_due(store):
    settle_empty_monday(store, NOW)

    assert due_days(store, SyncRequest(), MONDAY.start - DAY) == {source: [] for source in Source}


def test_days_are_read_again_on_demand_whenever_they_were_read(cloud, halfhour):
    day = ("--from", "2026-03-01", "--to", "2026-03-03", "--source", "posted")
    halfhour("sync", *day)
    request_count = len(cloud.requests("aggregates/query"))
    assert halfhour("sync", *day).code == 0
    assert len(cloud.requests("aggregates/query")) == request_count
    repeated = halfhour("sync", *day, "--reread", "now")

    assert repeated.code == 0
    assert len(cloud.requests("aggregates/query")) == 2 * request_count == 4
    watching = halfhour("sync", *day, "--reread", "now", "--watch", "15m")
    assert (watching.code, "leave out one of" in watching.err) == (2, True)


@pytest.mark.parametrize("size", [0, 4096, 8192, 12288])
def test_a_store_whose_creation_was_interrupted_is_created_again(store, size, tmp_path):
    whole = Store(tmp_path / "whole.duckdb")
    prepare_store(whole, SyncRequest(), NOW)
    store.path.write_bytes(whole.path.read_bytes()[:size])
    with pytest.raises(StoreError, match="the store is empty; run 'halfhour sync'"):
        store.settled_windows(Source.POSTED)
    prepare_store(store, SyncRequest(), NOW)

    assert store.stored_settings() == whole.stored_settings()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["halfhour.duckdb", "whole.duckdb"]


def test_a_store_appears_complete_or_not_at_all(store):
    draft = store.path.with_name(".halfhour.duckdb.new")
    log = draft.with_name(f"{draft.name}.wal")
    for leftover in (draft, log):
        leftover.write_bytes(b"leftover by a killed process")
    prepare_store(store, SyncRequest(), NOW)

    assert store.stored_settings()["granularity"] == "1800"
    assert not draft.exists()
    assert not log.exists()


def replace_table(store: Store, name: str, statement: str) -> None:
    """Drop the table *name* and execute *statement* instead."""
    prepare_store(store, SyncRequest(), NOW)
    with duckdb.connect(str(store.path)) as connection:
        connection.execute(f"drop {'view' if name == 'named' else 'table'} {name}")
        connection.execute(statement)


def test_a_store_made_by_an_attacker_cannot_read_another_file(store, tmp_path):
    (tmp_path / "private.txt").write_text("a secret")
    replace_table(
        store,
        "named",
        "create view named as select 'agent' as kind, content as id "
        f"from read_text('{tmp_path / 'private.txt'}')",
    )
    with pytest.raises(StoreError) as refused:
        store.unnamed_ids("agent", NOW)

    assert "a secret" not in str(refused.value)


@pytest.mark.parametrize("statement", ["select 1", "create view names as select 1 as id"])
def test_a_store_without_one_of_its_tables_is_reported_as_damaged(store, statement):
    replace_table(store, "names", statement)

    with pytest.raises(StoreError, match="the table names is missing; the file is damaged"):
        store.names_by_kind("agent")


def test_a_store_with_impossible_settings_is_reported_as_damaged(store):
    prepare_store(store, SyncRequest(), NOW)
    for wrong in ("zz", "7"):
        with duckdb.connect(str(store.path)) as connection:
            connection.execute("update settings set value = ? where name = 'granularity'", [wrong])
        with pytest.raises(StoreError, match="its settings cannot be read; the file is damaged"):
            due_days(store, SyncRequest(), NOW)
