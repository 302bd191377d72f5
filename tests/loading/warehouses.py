"""Warehouses as their own clients read them, and the rows that a store should give them."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import adbc_driver_postgresql.dbapi
import pyarrow as pa
from deltalake import DeltaTable
from pyiceberg.catalog import load_catalog
from pyiceberg.table import Table

from halfhour.loading.destination import Destination, open_destination, parse_address
from halfhour.loading.iceberg import IcebergDestination
from halfhour.loading.runner import LoadOutcome, load_store
from halfhour.loading.tables import ALL_TABLES, LEDGER_SCHEMA, WORKED_SCHEMA
from halfhour.model.intervals import HALF_HOUR, from_epoch_ms
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.store.window_tables import derivation_rules
from tests.report_data import busy_rows, worked_rows
from tests.sync_runs import query_file

OWNER = "owner"
PASSWORD = "not-on-any-command-line"
LOADED_AT = datetime(2026, 3, 9, 12, 30, 0, 250_000, tzinfo=UTC)

Rows = list[tuple[Any, ...]]


class Tables(Protocol):
    """The tables of a load, which a test can read without halfhour."""

    def read_table(self, name: str) -> pa.Table: ...


class Warehouse(Tables, Protocol):
    """A place for tables."""

    @property
    def destination(self) -> str: ...

    @property
    def options(self) -> Sequence[str]: ...

    @property
    def environment(self) -> dict[str, str]: ...

    def open(self) -> AbstractContextManager[Destination]: ...


@dataclass
class PostgresqlSchema:
    port: int
    schema: str = field(default_factory=lambda: f"of_test_{uuid.uuid4().hex}")

    @property
    def destination(self) -> str:
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/postgres"

    @property
    def options(self) -> Sequence[str]:
        return ("--schema", self.schema)

    @property
    def environment(self) -> dict[str, str]:
        return {"PGPASSWORD": PASSWORD}

    def open(self) -> AbstractContextManager[Destination]:
        return open_destination(parse_address(self.destination, self.schema))

    def connect(self) -> Any:
        url = f"postgresql://{OWNER}:{PASSWORD}@127.0.0.1:{self.port}/postgres"
        return adbc_driver_postgresql.dbapi.connect(url, autocommit=True)

    def query(self, text: str) -> pa.Table:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetch_arrow_table()

    def run(self, *statements: str) -> None:
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def drop(self) -> None:
        self.run(f"drop schema if exists {self.schema} cascade")

    def read_table(self, name: str) -> pa.Table:
        return self.query(f"select * from {self.schema}.{name}")


@dataclass
class DeltaFolder:
    path: Path
    options: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def destination(self) -> str:
        return f"delta:{self.path}"

    def open(self) -> AbstractContextManager[Destination]:
        return open_destination(parse_address(self.destination))

    def read_table(self, name: str) -> pa.Table:
        return DeltaTable(str(self.path / name)).to_pyarrow_table()


@dataclass
class IcebergCatalog:
    path: Path
    destination: str = "iceberg:lake/halfhour"
    options: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.path.mkdir()

    @property
    def properties(self) -> dict[str, str]:
        return {
            "type": "sql",
            "uri": f"sqlite:///{self.path}/catalog.db",
            "warehouse": f"file://{self.path}/tables",
        }

    @property
    def environment(self) -> dict[str, str]:
        return {
            f"PYICEBERG_CATALOG__LAKE__{name.upper()}": value
            for name, value in self.properties.items()
        }

    @contextmanager
    def open(self) -> Iterator[Destination]:
        # pyiceberg reads its environment once, when it is imported.
        with load_catalog("lake", **self.properties) as catalog:
            yield IcebergDestination(catalog, "halfhour")

    @contextmanager
    def open_table(self, name: str) -> Iterator[Table]:
        """Give the table *name*, with a catalogue that is closed at the end of the block."""
        with load_catalog("lake", **self.properties) as catalog:
            yield catalog.load_table(("halfhour", name))

    def read_table(self, name: str) -> pa.Table:
        with self.open_table(name) as table:
            return table.scan().to_arrow()


def load(store: Store, warehouse: Warehouse, *, delete_missing: bool = False) -> LoadOutcome:
    """Load *store* at `LOADED_AT`, in this process."""
    with warehouse.open() as destination:
        return load_store(
            store,
            destination,
            lambda: LOADED_AT,
            lambda step: None,
            lambda reason: None,
            delete_missing=delete_missing,
        )


def sort_rows(table: pa.Table) -> Rows:
    """Return the rows of *table* in an order that nulls do not disturb."""
    return sorted(
        zip(*(column.to_pylist() for column in table.columns), strict=True),
        key=lambda row: [(value is not None, str(value)) for value in row],
    )


def warehouse_rows(warehouse: Tables) -> dict[str, Rows]:
    """Return the rows of every table, without the time of the load."""
    rows = {}
    for table in ALL_TABLES:
        names = [name for name in table.full_schema.names if name != "loaded_at"]
        rows[table.name] = sort_rows(warehouse.read_table(table.name).select(names))
    return rows


def store_rows(*stores: Store) -> dict[str, Rows]:
    """Return the rows that *stores* should give a warehouse, by another way than the load's."""
    tables = [_tables_of(store) for store in stores]
    return {
        name: sort_rows(pa.concat_tables([of_store[name] for of_store in tables]))
        for name in tables[0]
    }


SQL = {
    "posted": "select * from posted",
    "status": "select * from status",
    "segments": "select * from segments",
    "emitted": "select * from emitted",
    "revisions": "select * from revisions",
    "agents": "select id as agent_id, name as agent_name, division, team, state from names "
    "where kind = 'agent'",
    "queues": "select id as queue_id, name as queue_name, division from names where kind = 'queue'",
    # Of the records of a conversation in a window, the last counts.
    "session_metrics": """
        select
            m.window_start, c.conversation_id, s.session_id, s.agent_id, s.media_type, s.direction,
            m.position, m.metric, m.value, make_timestamptz(m.emit_ms * 1000) as emitted_at
        from session_metrics m
        join sessions s on s.window_start = m.window_start and s.session_key = m.session_key
        join conversations c on c.window_start = s.window_start and c.record = s.record
        where c.conversation_id is null or not exists (
            select * from conversations later
            where later.window_start = c.window_start and later.record > c.record
                and later.conversation_id = c.conversation_id
        )
    """,
}


def _tables_of(store: Store) -> dict[str, pa.Table]:
    (organization,) = query_file(
        store, "select value from settings where name = 'organization_id'"
    )["value"].to_pylist()
    tables = {name: query_file(store, text) for name, text in SQL.items()}
    windows = [settled.window for settled in store.settled_windows(Source.DETAILS)]
    tables["worked"] = pa.concat_tables(
        [
            WORKED_SCHEMA.empty_table(),
            *(
                worked_rows(store, window, HALF_HOUR)
                .select(WORKED_SCHEMA.names)
                .cast(WORKED_SCHEMA)
                for window in windows
            ),
        ]
    )
    tables["busy"] = pa.concat_tables([busy_rows(store, window, HALF_HOUR) for window in windows])
    tables["ledger"] = _ledger_of(store, tables)
    return {
        table.name: tables[table.name]
        .append_column("organization_id", pa.array([organization] * len(tables[table.name])))
        .select([name for name in table.full_schema.names if name != "loaded_at"])
        .cast(pa.schema([field for field in table.full_schema if field.name != "loaded_at"]))
        for table in ALL_TABLES
    }


PLACES = {
    Source.POSTED: {"posted": "interval_start"},
    Source.STATUS: {"status": "interval_start"},
    Source.DETAILS: {
        "segments": "window_start",
        "session_metrics": "window_start",
        "emitted": "emitted_at",
        "worked": "interval_start",
        "busy": "interval_start",
    },
}


def _ledger_of(store: Store, tables: dict[str, pa.Table]) -> pa.Table:
    settings = store.stored_settings()
    rows = []
    for source in Source:
        for settled in store.settled_windows(source):
            day = settled.window.start.date()
            count = sum(
                moment.date() == day
                for name, column in PLACES[source].items()
                for moment in tables[name][column].to_pylist()
            )
            count += sum(
                row["source"] == source and row["interval_start"].date() == day
                for row in tables["revisions"].to_pylist()
            )
            rows.append(
                {
                    "organization_name": settings["organization_name"],
                    "source": str(source),
                    "window_start": settled.window.start,
                    "window_end": settled.window.end,
                    "read_at": settled.read_at,
                    "has_raw": settled.has_raw,
                    "rules": derivation_rules(store, source),
                    "row_count": count,
                }
            )
    for directory in ("agents", "queues"):
        (read_at,) = query_file(
            store,
            "select max(epoch_ms(read_at)) as ms from names where kind || 's' = $directory",
            directory=directory,
        )["ms"].to_pylist()
        rows.append(
            {
                "organization_name": settings["organization_name"],
                "source": directory,
                "window_start": None,
                "window_end": None,
                "read_at": from_epoch_ms(read_at),
                "has_raw": False,
                "rules": "",
                "row_count": len(tables[directory]),
            }
        )
    schema = [field for field in LEDGER_SCHEMA if field.name != "loaded_at"]
    return pa.Table.from_pylist(rows, schema=pa.schema(schema))
