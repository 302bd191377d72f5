"""Details derived anew from what Genesys said, without a request."""

import asyncio
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, Interval
from halfhour.model.tables import RAW_SCHEMAS
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.syncing.progress import Event, EventKind
from halfhour.syncing.rebuild import rebuild_details
from tests.report_data import worked_rows
from tests.sync_runs import NOW, query_file, sync_store

TWO_DAYS = Interval(NOW - 2 * DAY, NOW)
LATER = datetime(2026, 3, 9, tzinfo=UTC)


@pytest.fixture
def store(cloud, tmp_path) -> Store:
    """Return a store of two days of details."""
    store = Store(tmp_path / "s.duckdb")
    outcome, _ = sync_store(cloud.settings, store, TWO_DAYS, NOW, sources=(Source.DETAILS,))
    assert outcome.failed == {}
    return store


def rebuild(store: Store) -> list[Event]:
    events: list[Event] = []
    asyncio.run(rebuild_details(store, LATER, events.append))
    return events


def derived_rows(store: Store) -> list[tuple[object, ...]]:
    return [
        tuple(row.values())
        for table in ("segments", "emitted")
        for row in query_file(store, f"select * from {table} order by all").to_pylist()
    ]


def total_worked_ms(store: Store) -> int:
    worked = worked_rows(store, TWO_DAYS, HALF_HOUR)
    return sum(filter(None, worked["handle_ms"].to_pylist()))


def change_file(store: Store, *statements: str) -> None:
    with duckdb.connect(str(store.path)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_rebuild_without_new_rules_derives_the_same_details(cloud, store):
    before = derived_rows(store)
    windows = store.settled_windows(Source.DETAILS)
    request_count = len(cloud.requests())
    (*settled, rebuilt) = rebuild(store)

    assert len(before) > 500
    assert derived_rows(store) == before
    assert store.settled_windows(Source.DETAILS) == windows
    assert [event.kind for event in settled] == [EventKind.SETTLED] * 2
    assert (rebuilt.kind, rebuilt.changed, rebuilt.done, rebuilt.of) == (
        EventKind.REBUILT, 0, 2, 2,
    )  # fmt: skip
    assert rebuilt.message == "details of 2 days derived anew: 0 figures revised"
    assert store.revision_rows().num_rows == 0
    assert len(cloud.requests()) == request_count


def test_figures_that_a_rule_changes_are_revisions(store):
    true_ms = total_worked_ms(store)
    change_file(store, "update segments set end_ms = start_ms + 1 where segment_type = 'wrapup'")
    rebuilt = rebuild(store)[-1]

    revisions = store.revision_rows().to_pylist()
    assert rebuilt.changed == len(revisions) > 100
    assert {row["source"] for row in revisions} == {"details"}
    assert {row["read_at"] for row in revisions} == {LATER}
    assert total_worked_ms(store) == true_ms


def test_a_sync_derives_details_anew_if_the_rules_have_changed(cloud, store):
    before = derived_rows(store)
    change_file(
        store,
        "update segments set segment_type = 'hold'",
        "update settings set value = 'older' where name = 'detail_rules'",
    )
    assert not store.has_current_rules
    _, events = sync_store(cloud.settings, store, TWO_DAYS, NOW, sources=(Source.POSTED,))

    assert EventKind.REBUILT in {event.kind for event in events}
    assert store.has_current_rules
    assert derived_rows(store) == before
    _, events = sync_store(cloud.settings, store, TWO_DAYS, NOW, sources=(Source.POSTED,))
    assert EventKind.REBUILT not in {event.kind for event in events}


def test_days_whose_raw_details_are_gone_stay_and_are_named(store):
    before = derived_rows(store)
    assert store.delete_raw_before(TWO_DAYS.start + DAY) == 1
    rebuilt = rebuild(store)[-1]

    assert derived_rows(store) == before
    assert [settled.has_raw for settled in store.settled_windows(Source.DETAILS)] == [False, True]
    assert rebuilt.message == (
        "details of 1 day derived anew: 0 figures revised; of 1 day the store does not hold what "
        "Genesys said, so they stay as they were: ⟨reread⟩ now fetches them again"
    )
    for name in RAW_SCHEMAS:
        starts = query_file(store, f"select distinct window_start from {name}").to_pylist()
        assert starts == [{"window_start": TWO_DAYS.start + DAY}]


def test_raw_details_have_only_records_of_their_day(store):
    """The query asks for a day more, in which conversations of the day may have begun."""
    for start in (TWO_DAYS.start, TWO_DAYS.start + DAY):
        raw = store.raw_details(Interval(start, start + DAY))
        conversations = raw["conversations"].to_pylist()
        assert len({row["conversation_id"] for row in conversations}) == len(conversations) > 50
        assert all(
            datetime.fromtimestamp(row["started_ms"] / 1000, UTC) < start + DAY
            for row in conversations
        )
        ended = [row["ended_ms"] for row in conversations if row["ended_ms"] is not None]
        assert min(ended) >= (start - timedelta(hours=12)).timestamp() * 1000


def test_the_command_rebuilds_a_store(halfhour, synced_day):
    (halfhour.folder / "halfhour.duckdb").write_bytes(synced_day)
    ran = halfhour("rebuild")

    assert (ran.code, ran.out) == (0, "")
    assert "details of 1 day derived anew: 0 figures revised" in ran.err
    assert "halfhour.duckdb: 1 day rebuilt, " in ran.err


def test_a_store_that_is_not_there_cannot_be_rebuilt_and_leaves_no_file(halfhour):
    ran = halfhour("rebuild", "--store", "none.duckdb")

    assert ran.code == 1
    assert ran.err == "halfhour: none.duckdb: there is no store; 'halfhour sync' makes one\n"
    assert list(halfhour.folder.iterdir()) == []


def test_raw_details_are_let_go_after_a_time(halfhour, synced_day):
    (halfhour.folder / "halfhour.duckdb").write_bytes(synced_day)
    ran = halfhour("sync", "--from", "2026-03-02", "--to", "2026-03-03", "--keep-raw", "30d")

    assert ran.code == 0, ran.err
    assert "what Genesys said of 1 day before " in ran.err
    assert "of 1 day the store does not hold what Genesys said" in halfhour("rebuild").err
