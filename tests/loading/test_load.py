"""A load makes a warehouse equal to a store: at first, again, and after the store has changed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from halfhour.errors import ConfigError
from halfhour.loading.runner import LoadStep, load_store, plan_store_load
from halfhour.model.coverage import DAY
from halfhour.model.intervals import Interval
from halfhour.model.tables import POSTED_SCHEMA
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from tests.loading.warehouses import (
    LOADED_AT,
    SQL,
    load,
    sort_rows,
    store_rows,
    warehouse_rows,
)

START = datetime(2026, 3, 2, tzinfo=UTC)
MONDAY = Interval(START, START + DAY)
LATER = START + timedelta(days=5, milliseconds=7)


def restate_posted(store: Store, window: Interval = MONDAY) -> None:
    """Store the posted figures of *window* with one row less and one figure more."""
    posted = store.posted_rows(MONDAY).slice(1)
    first = posted.slice(0, 1).to_pylist()[0]
    first["handle_ms"] = (first["handle_ms"] or 0) + 1
    restated = pa.concat_tables(
        [pa.Table.from_pylist([first], schema=POSTED_SCHEMA), posted.slice(1)]
    )
    store.settle(Source.POSTED, window, {"posted": restated}, LATER)


def add_day(store: Store, start: datetime) -> None:
    """Store posted figures of another day, as long before or after as *start* is."""
    posted = store.posted_rows(MONDAY)
    moved = [
        {**row, "interval_start": row["interval_start"] + (start - START)}
        for row in posted.to_pylist()
    ]
    table = pa.Table.from_pylist(moved, schema=POSTED_SCHEMA)
    store.settle(Source.POSTED, Interval(start, start + DAY), {"posted": table}, LATER)


def change_organization(store: Store, organization_id: str) -> None:
    with duckdb.connect(str(store.path)) as connection:
        connection.execute(
            "update settings set value = ? where name = 'organization_id'", [organization_id]
        )


def test_a_warehouse_holds_every_row_of_the_store(store, warehouse):
    outcome = load(store, warehouse)

    expected = store_rows(store)
    assert warehouse_rows(warehouse) == expected
    assert all(expected[name] for name in expected if name != "revisions")
    assert outcome.loaded == 5
    assert outcome.rows == sum(len(rows) for name, rows in expected.items() if name != "ledger")
    moments = warehouse.read_table("ledger")["loaded_at"].to_pylist()
    assert moments == [LOADED_AT] * 5


def test_loaded_twice_changes_nothing(store, warehouse):
    load(store, warehouse)
    before = warehouse_rows(warehouse)

    outcome = load(store, warehouse)

    assert (outcome.loaded, outcome.deleted, outcome.unchanged, outcome.rows) == (0, 0, 5, 0)
    assert warehouse_rows(warehouse) == before


def test_a_restated_day_is_replaced_with_its_revisions_and_no_other(store, warehouse):
    add_day(store, START + DAY)
    load(store, warehouse)
    restate_posted(store)

    outcome = load(store, warehouse)

    assert (outcome.loaded, outcome.unchanged) == (1, 5)
    assert warehouse_rows(warehouse) == store_rows(store)
    assert warehouse.read_table("revisions").num_rows > 0


def test_a_day_that_became_empty_is_empty_there(store, warehouse):
    load(store, warehouse)
    store.settle(Source.POSTED, MONDAY, {"posted": POSTED_SCHEMA.empty_table()}, LATER)

    load(store, warehouse)

    assert warehouse.read_table("posted").num_rows == 0
    assert warehouse_rows(warehouse) == store_rows(store)


def test_a_day_that_the_store_has_let_go_of_is_deleted_of_every_source(store, warehouse):
    add_day(store, START + DAY)
    load(store, warehouse)
    store.delete_days_before(START + DAY)

    outcome = load(store, warehouse, delete_missing=True)

    assert (outcome.loaded, outcome.deleted, outcome.unchanged) == (0, 3, 3)
    rows = warehouse_rows(warehouse)
    assert {name for name, of_table in rows.items() if of_table} == {
        *("posted", "agents", "queues", "ledger")
    }
    assert rows["posted"] == store_rows_of_posted(store)


def test_a_load_that_would_delete_most_of_what_is_there_changes_nothing(store, warehouse):
    """A new store of an organisation, for example, has none of the days of the old one."""
    load(store, warehouse)
    before = warehouse_rows(warehouse)
    store.delete_days_before(START + DAY)

    refusal = r"lacks 3 of the 3 days of all sources .* add delete_missing"
    with pytest.raises(ConfigError, match=refusal):
        load(store, warehouse)

    assert warehouse_rows(warehouse) == before
    assert load(store, warehouse, delete_missing=True).deleted == 3
    assert warehouse.read_table("posted").num_rows == 0


def store_rows_of_posted(store: Store) -> list[tuple[object, ...]]:
    posted = store.posted_rows(Interval(START, START + 9 * DAY))
    (organization,) = {store.stored_settings()["organization_id"]}
    ids = pa.array([organization] * posted.num_rows)
    return sort_rows(posted.add_column(0, "organization_id", ids))


def test_what_genesys_said_goes_when_the_store_lets_go_of_it(store, warehouse):
    load(store, warehouse)
    assert store.delete_raw_before(START + DAY) == 1

    outcome = load(store, warehouse)

    assert outcome.loaded == 1
    assert warehouse.read_table("session_metrics").num_rows == 0
    assert warehouse.read_table("segments").num_rows > 0
    assert warehouse_rows(warehouse) == store_rows(store)


def test_details_are_loaded_again_when_their_rules_have_changed(store, warehouse):
    load(store, warehouse)
    with duckdb.connect(str(store.path)) as connection:
        connection.execute("update settings set value = 'other' where name = 'detail_rules'")
        connection.execute("delete from segments where segment_type = 'alert'")

    outcome = load(store, warehouse)

    assert (outcome.loaded, outcome.unchanged) == (1, 4)
    assert warehouse_rows(warehouse) == store_rows(store)


def test_names_that_were_read_again_are_replaced(store, warehouse):
    load(store, warehouse)
    with duckdb.connect(str(store.path)) as connection:
        connection.execute(
            "update names set name = 'Ada ''quoted'' \\ O''Brien', team = null, state = 'deleted', "
            "read_at = $1 "
            "where kind = 'agent' and id = (select min(id) from names where kind = 'agent')",
            [datetime(2099, 1, 1, tzinfo=UTC)],
        )

    outcome = load(store, warehouse)

    assert (outcome.loaded, outcome.unchanged) == (1, 4)
    assert warehouse_rows(warehouse) == store_rows(store)


def test_organisations_share_a_warehouse_and_replace_their_own_rows_only(store, warehouse):
    other = Store(store.path.with_name("other.duckdb"))
    other.path.write_bytes(store.path.read_bytes())
    change_organization(other, "it's another")
    load(store, warehouse)
    load(other, warehouse)
    assert warehouse_rows(warehouse) == store_rows(store, other)

    restate_posted(other)
    store.delete_days_before(START + DAY)
    load(other, warehouse)
    load(store, warehouse, delete_missing=True)

    rows = warehouse_rows(warehouse)
    expected = store_rows(other)
    assert rows["posted"] == expected["posted"]
    assert rows["revisions"] == expected["revisions"]
    assert rows["segments"] == expected["segments"]
    assert len(rows["ledger"]) == 5 + 2


def test_a_plan_writes_nothing_and_names_what_a_load_would_do(store, warehouse):
    with warehouse.open() as destination:
        plan = plan_store_load(store, destination)
        assert [part.source for part in plan.to_load] == [
            *("agents", "queues", "posted", "status", "details")
        ]
        assert len(destination.find_missing_tables()) == 11
        load_store(store, destination, lambda: LOADED_AT, lambda step: None, lambda reason: None)
        assert plan_store_load(store, destination).step_count == 0


def test_steps_are_told_with_their_rows_one_after_the_other(store, warehouse):
    steps: list[LoadStep] = []
    with warehouse.open() as destination:
        load_store(store, destination, lambda: LOADED_AT, steps.append, lambda reason: None)

    assert [step.done for step in steps] == [1, 2, 3, 4, 5]
    assert {step.of for step in steps} == {5}
    assert steps[2].window == MONDAY
    assert steps[2].row_count == len(store_rows(store)["posted"])


def test_a_store_that_does_not_know_its_organisation_is_refused(store, warehouse):
    with duckdb.connect(str(store.path)) as connection:
        connection.execute("delete from settings where name = 'organization_id'")

    with pytest.raises(ConfigError, match="does not know its organisation"):
        load(store, warehouse)


def test_a_table_with_other_columns_is_refused_and_named(store, warehouse, tmp_path):
    load(store, warehouse)
    spoil_table(warehouse, tmp_path)

    with pytest.raises(ConfigError, match=r"busy.*other columns"):
        load(store, warehouse)


def spoil_table(warehouse, tmp_path: Path) -> None:
    """Give the table `busy` another column."""
    match warehouse.destination.partition(":")[0]:
        case "postgresql":
            warehouse.run(f"alter table {warehouse.schema}.busy add column more text")
        case "delta":
            from deltalake import DeltaTable, Field
            from deltalake.schema import PrimitiveType

            table = DeltaTable(str(warehouse.path / "busy"))
            table.alter.add_columns(Field("more", PrimitiveType("string")))
        case _:
            from pyiceberg.types import StringType

            with warehouse.open_table("busy") as busy, busy.update_schema() as update:
                update.add_column("more", StringType())


def test_the_queries_of_these_tests_see_rows(store):
    assert set(SQL) < set(store_rows(store))
