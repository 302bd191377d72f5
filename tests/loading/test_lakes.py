"""Loads into Delta and Iceberg as a process: killed between tables, and what errors say."""

import json
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from deltalake import DeltaTable

from halfhour.loading.tables import ALL_TABLES
from halfhour.model.coverage import DAY
from tests.loading.conftest import start_load
from tests.loading.test_load import START, add_day, restate_posted
from tests.loading.warehouses import (
    DeltaFolder,
    IcebergCatalog,
    load,
    store_rows,
    warehouse_rows,
)

WAIT_SECONDS = 60


@pytest.fixture(params=[DeltaFolder, IcebergCatalog])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> DeltaFolder | IcebergCatalog:
    made: DeltaFolder | IcebergCatalog = request.param(tmp_path / "lake")
    return made


def commits(lake: DeltaFolder | IcebergCatalog, table: str) -> int:
    """Return the number of commits to *table*, as its files show it."""
    return len(
        [
            *lake.path.glob(f"{table}/_delta_log/*.json"),
            *lake.path.glob(f"tables/**/{table}/metadata/*.metadata.json"),
        ]
    )


def finish_events(process) -> tuple[int, list[dict[str, Any]]]:
    _, err = process.communicate(timeout=WAIT_SECONDS)
    assert "Traceback" not in err
    return process.returncode, [json.loads(line) for line in err.splitlines()]


def test_a_load_by_the_command_line_makes_it_equal_to_the_store(store, lake):
    code, events = finish_events(start_load(store, lake))

    assert (code, len(events)) == (0, 7), events
    assert (events[-1]["event"], events[-1]["exit_code"]) == ("ended", 0)
    assert warehouse_rows(lake) == store_rows(store)

    code, events = finish_events(start_load(store, lake))
    assert (code, "0 parts loaded" in events[-2]["message"]) == (0, True)


@pytest.mark.parametrize("table", ["segments", "worked"])
def test_killed_between_two_tables_the_ledger_is_old_and_the_next_load_repairs(store, lake, table):
    load(store, lake)
    for number in range(1, 4):
        add_day(store, START + number * DAY)
    restate_posted(store)
    # The details of the day are read again, too, with other segments.
    with duckdb.connect(str(store.path)) as connection:
        connection.execute("update settings set value = 'other' where name = 'detail_rules'")
        connection.execute("delete from segments where segment_type = 'alert'")
    before = commits(lake, table)

    process = start_load(store, lake)
    deadline = time.monotonic() + WAIT_SECONDS
    while commits(lake, table) == before and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.kill()
    process.communicate()

    load(store, lake)
    assert warehouse_rows(lake) == store_rows(store)


def test_a_window_that_was_written_without_its_ledger_row_is_written_once(store, lake):
    """Delete the ledger's rows, as if every load had been killed just before the ledger."""
    load(store, lake)
    if isinstance(lake, DeltaFolder):
        DeltaTable(str(lake.path / "ledger")).delete()
    else:
        with lake.open_table("ledger") as ledger:
            ledger.delete()

    outcome = load(store, lake)

    assert outcome.loaded == 5
    assert warehouse_rows(lake) == store_rows(store)


def test_columns_carry_their_meaning(store, lake):
    load(store, lake)

    for table in ALL_TABLES:
        if isinstance(lake, DeltaFolder):
            fields = DeltaTable(str(lake.path / table.name)).schema().fields
            meanings = {field.name: field.metadata["comment"] for field in fields}
        else:
            with lake.open_table(table.name) as loaded:
                meanings = {field.name: field.doc for field in loaded.schema().fields}
        assert meanings == table.column_meanings


def test_an_iceberg_catalogue_that_is_not_configured_is_named(store, tmp_path):
    lake = IcebergCatalog(tmp_path / "lake")
    code, events = finish_events(start_load(store, lake, destination="iceberg:other/halfhour"))

    assert code == 2
    assert "PYICEBERG_CATALOG__OTHER__URI" in events[-1]["reason"]


def test_a_catalogue_that_does_not_answer_is_unreachable(store, tmp_path, unused_port):
    lake = IcebergCatalog(tmp_path / "lake")
    process = start_load(
        store,
        lake,
        environment={
            "PYICEBERG_CATALOG__LAKE__TYPE": "rest",
            "PYICEBERG_CATALOG__LAKE__URI": f"http://127.0.0.1:{unused_port}",
        },
    )
    code, events = finish_events(process)

    assert code == 4
    assert "cannot be reached" in events[-1]["reason"]


def test_a_delta_folder_that_cannot_be_made_is_named(store, tmp_path):
    lake = DeltaFolder(tmp_path / "file" / "lake")
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    code, events = finish_events(start_load(store, lake))

    assert code == 1
    assert str(tmp_path / "file") in events[-1]["reason"]
    assert "unexpected" not in events[-1]["reason"]
