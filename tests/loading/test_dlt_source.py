"""A dlt pipeline makes a database equal to a store, or is refused where its merge appends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

import halfhour
from halfhour.errors import ConfigError, StoreError
from halfhour.loading.tables import ALL_TABLES
from halfhour.model.coverage import DAY
from halfhour.model.tables import POSTED_SCHEMA
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from tests.loading.test_load import (
    LATER,
    MONDAY,
    START,
    add_day,
    change_organization,
    restate_posted,
    store_rows_of_posted,
)
from tests.loading.warehouses import (
    OWNER,
    PASSWORD,
    PostgresqlSchema,
    Rows,
    sort_rows,
    store_rows,
    warehouse_rows,
)


@dataclass
class Dataset:
    """The tables that pipelines write into a database, by its own client."""

    folder: Path
    destination: Any
    name: str
    server: PostgresqlSchema | None = None

    def pipeline(self, machine: str = "machine") -> dlt.Pipeline:
        """Return the pipeline as it is on a *machine*, which has a folder for its work."""
        return dlt.pipeline(
            "of_test",
            pipelines_dir=str(self.folder / machine),
            destination=self.destination,
            dataset_name=self.name,
        )

    def run(self, *sources: Any, machine: str = "machine", **options: Any) -> dict[str, int]:
        """Run the pipeline and return the number of rows it sent by table, deletions included."""
        pipeline = self.pipeline(machine)
        pipeline.run(list(sources), **options)
        trace = pipeline.last_trace
        assert trace
        counts = trace.last_normalize_info.row_counts if trace.last_normalize_info else {}
        return {name: count for name, count in counts.items() if not name.startswith("_")}

    def query(self, text: str) -> pa.Table:
        if self.server:
            return self.server.query(text)
        with duckdb.connect(str(self.folder / "dlt.duckdb")) as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.sql(text).to_arrow_table()

    def read_table(self, name: str) -> pa.Table:
        return self.query(f"select * from {self.name}.{name}")


@pytest.fixture(autouse=True)
def without_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")


@pytest.fixture
def in_postgresql(postgresql: PostgresqlSchema, tmp_path: Path) -> Iterator[Dataset]:
    address = f"postgresql://{OWNER}:{PASSWORD}@127.0.0.1:{postgresql.port}/postgres"
    destination = dlt.destinations.postgres(address)
    yield Dataset(tmp_path, destination, postgresql.schema, postgresql)
    postgresql.run(f"drop schema if exists {postgresql.schema}_staging cascade")


@pytest.fixture
def in_duckdb(tmp_path: Path) -> Dataset:
    return Dataset(tmp_path, dlt.destinations.duckdb(str(tmp_path / "dlt.duckdb")), "halfhour")


@pytest.fixture(params=["duckdb", "postgresql"])
def dataset(request: pytest.FixtureRequest) -> Dataset:
    """An empty dataset of each database that is at hand."""
    found: Dataset = request.getfixturevalue(f"in_{request.param}")
    return found


def test_a_dataset_is_equal_to_the_store_and_loaded_twice_changes_nothing(store, dataset):
    counts = dataset.run(halfhour.dlt_source(store.path))

    expected = store_rows(store)
    assert warehouse_rows(dataset) == expected
    assert set(counts) == set(expected)
    posted = dataset.read_table("posted")
    assert posted.schema.field("interval_start").type.tz == "UTC"
    assert set(posted["part"].to_pylist()) == {"posted 2026-03-02"}
    assert set(posted["deleted"].to_pylist()) == {False}

    assert dataset.run(halfhour.dlt_source(store.path)) == {}
    assert warehouse_rows(dataset) == expected


def test_columns_have_the_types_and_meanings_of_a_load(store, in_duckdb):
    in_duckdb.run(halfhour.dlt_source(store.path))

    for table in ALL_TABLES:
        loaded = in_duckdb.read_table(table.name).schema
        columns = in_duckdb.pipeline().default_schema.tables[table.name]["columns"]
        assert loaded.names == [*table.full_schema.names, "part", "deleted"]
        for field in table.full_schema:
            assert columns[field.name]["description"] == table.column_meanings[field.name]
            if pa.types.is_timestamp(field.type):
                assert loaded.field(field.name).type == pa.timestamp("us", tz="UTC")
            else:
                assert loaded.field(field.name).type == field.type


@pytest.mark.parametrize(
    "dataset", ["duckdb", pytest.param("postgresql", marks=pytest.mark.soak)], indirect=True
)
def test_restated_emptied_and_aged_out_days_are_so_there(store, dataset):
    add_day(store, START + DAY)
    dataset.run(halfhour.dlt_source(store.path))

    restate_posted(store)
    sent = dataset.run(halfhour.dlt_source(store.path))
    assert warehouse_rows(dataset) == store_rows(store)
    assert set(sent) == {"posted", "revisions", "ledger"}
    assert sent["ledger"] == 2, "one row and one deletion"

    store.settle(Source.POSTED, MONDAY, {"posted": POSTED_SCHEMA.empty_table()}, LATER + DAY)
    sent = dataset.run(halfhour.dlt_source(store.path))
    assert warehouse_rows(dataset) == store_rows(store)
    assert sent["posted"] == 1, "the deletion alone"

    store.delete_days_before(START + DAY)
    with pytest.raises(PipelineStepFailed, match="would delete them there") as failed:
        dataset.run(halfhour.dlt_source(store.path))
    assert isinstance(failed.value.exception.__cause__, ConfigError)
    dataset.run(halfhour.dlt_source(store.path, delete_missing=True))
    rows = warehouse_rows(dataset)
    assert {name for name, of_table in rows.items() if of_table} == {
        *("posted", "agents", "queues", "ledger")
    }
    assert rows["posted"] == store_rows_of_posted(store)


def test_organisations_share_a_dataset_and_replace_their_own_rows_only(store, in_duckdb):
    other = Store(store.path.with_name("other.duckdb"))
    other.path.write_bytes(store.path.read_bytes())
    change_organization(other, "it's another")

    in_duckdb.run(halfhour.dlt_source(store.path), halfhour.dlt_source(other.path))
    assert warehouse_rows(in_duckdb) == store_rows(store, other)

    restate_posted(other)
    in_duckdb.run(halfhour.dlt_source(store.path), halfhour.dlt_source(other.path))
    assert warehouse_rows(in_duckdb) == store_rows(store, other)


def test_tables_that_are_chosen_later_or_dropped_are_loaded_whole(store, in_duckdb):
    sent = in_duckdb.run(halfhour.dlt_source(store.path).with_resources("posted"))
    assert set(sent) == {"posted"}

    sent = in_duckdb.run(halfhour.dlt_source(store.path))
    assert "posted" not in sent
    assert warehouse_rows(in_duckdb) == store_rows(store)

    source = halfhour.dlt_source(store.path).with_resources("worked")
    assert set(in_duckdb.run(source, refresh="drop_resources")) == {"worked"}
    assert warehouse_rows(in_duckdb) == store_rows(store)


def test_a_machine_lost_before_the_load_leaves_what_the_next_one_repeats(store, in_duckdb):
    in_duckdb.run(halfhour.dlt_source(store.path))
    restate_posted(store)
    lost = in_duckdb.pipeline()
    lost.extract(halfhour.dlt_source(store.path))
    lost.normalize()

    assert "posted" in in_duckdb.run(halfhour.dlt_source(store.path), machine="another")

    assert warehouse_rows(in_duckdb) == store_rows(store)


def posted_rows(dataset: Dataset) -> Rows:
    return sort_rows(dataset.read_table("posted").drop_columns(["part", "deleted"]))


RUN = """
import sys, dlt, halfhour
address, dataset, folder, store = sys.argv[1:]
dlt.pipeline(
    "of_test", pipelines_dir=folder, destination=dlt.destinations.postgres(address),
    dataset_name=dataset,
).run(halfhour.dlt_source(store))
"""


@pytest.mark.filterwarnings("ignore:The 'warn' method:DeprecationWarning:dlt")
@pytest.mark.parametrize("machine", ["another", pytest.param("machine", marks=pytest.mark.soak)])
def test_a_pipeline_killed_between_two_tables_is_made_whole_by_the_next(
    machine, store, in_postgresql
):
    """Also on another machine, which has only what dlt says of its state in the database."""
    server = in_postgresql.server
    assert server
    in_postgresql.run(halfhour.dlt_source(store.path))
    restate_posted(store)
    restated = store_rows(store)["posted"]
    address = f"postgresql://{OWNER}:{PASSWORD}@127.0.0.1:{server.port}/postgres"
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute(f"lock table {server.schema}.ledger in access exclusive mode")
        words = (address, server.schema, str(in_postgresql.folder / "machine"), str(store.path))
        running = subprocess.Popen(
            [sys.executable, "-c", RUN, *words], env=os.environ, cwd=in_postgresql.folder
        )
        try:
            until = time.monotonic() + 60
            while posted_rows(in_postgresql) != restated and time.monotonic() < until:
                assert running.poll() is None
                time.sleep(0.1)
        finally:
            running.send_signal(signal.SIGKILL)
            running.wait()
        # What the server was told it would do, even now that nobody waits for it.
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'"
        )
        cursor.execute("rollback")
    ledger = in_postgresql.read_table("ledger")
    assert LATER not in ledger["read_at"].to_pylist()
    assert posted_rows(in_postgresql) == restated

    in_postgresql.run(halfhour.dlt_source(store.path), machine=machine)

    assert warehouse_rows(in_postgresql) == store_rows(store)


@pytest.mark.parametrize("options", [{}, {"table_format": "delta"}, {"table_format": "iceberg"}])
def test_files_are_refused_because_dlt_would_append(options, store, tmp_path):
    lake = tmp_path / "lake"
    pipeline = dlt.pipeline(
        "of_test",
        pipelines_dir=str(tmp_path / "machine"),
        destination=dlt.destinations.filesystem(str(lake)),
        dataset_name="halfhour",
    )

    with pytest.raises(PipelineStepFailed, match=r"filesystem.*'halfhour load delta:FOLDER'"):
        pipeline.run(halfhour.dlt_source(store.path), loader_file_format="parquet", **options)

    assert not list(lake.rglob("*.parquet"))


@pytest.mark.parametrize("disposition", ["append", "replace"])
def test_a_pipeline_that_would_not_merge_is_refused(disposition, store, in_duckdb):
    with pytest.raises(PipelineStepFailed, match=f"would {disposition} the rows of posted"):
        in_duckdb.run(halfhour.dlt_source(store.path), write_disposition=disposition)


def test_without_a_pipeline_a_resource_gives_its_rows(store):
    tables = list(halfhour.dlt_source(store.path).resources["posted"])

    assert sum(len(table) for table in tables) == len(store_rows(store)["posted"]) + 1


def test_a_store_that_does_not_know_its_organisation_is_refused(store):
    with duckdb.connect(str(store.path)) as connection:
        connection.execute("delete from settings where name = 'organization_id'")

    with pytest.raises(ConfigError, match="does not know its organisation"):
        halfhour.dlt_source(store.path)


def test_a_store_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"figures\.duckdb"):
        halfhour.dlt_source(tmp_path / "figures.duckdb")

    assert not (tmp_path / "figures.duckdb").exists()


def test_without_dlt_the_extra_is_named(store, monkeypatch):
    monkeypatch.delitem(sys.modules, "halfhour.loading.dlt_source", raising=False)
    monkeypatch.setitem(sys.modules, "dlt", None)

    with pytest.raises(ConfigError, match=r"pip install .*\[dlt\]'"):
        halfhour.dlt_source(store.path)
