"""Give a store to a pipeline of dlt: a resource a table, each of which replaces whole parts.

dlt deletes the rows that have the merge keys of a row that comes in, so every row has its part of
the store, and every part that changed comes with a row that only deletes. What a table holds is in
the state of its resource, which dlt commits with the rows, undoes with them and forgets with the
table.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.configuration.container import Container
from dlt.common.destination.exceptions import DestinationCapabilitiesException
from dlt.common.destination.utils import resolve_merge_strategy
from dlt.common.pipeline import PipelineContext
from dlt.common.schema.typing import TColumnSchema
from dlt.extract import DltResource, DltSource

from halfhour.errors import ConfigError
from halfhour.loading.planning import LoadPlan, Part, PartKey, plan_load
from halfhour.loading.runner import (
    Organization,
    organization_of,
    read_part_change,
    refuse_to_delete_most,
    stored_parts,
)
from halfhour.loading.tables import (
    ALL_TABLES,
    LEDGER,
    TABLES_BY_PART,
    LoadedTable,
    to_microseconds,
    without_nul,
)
from halfhour.model.intervals import MILLISECOND, Interval, epoch_ms, from_epoch_ms
from halfhour.store.store import Store

SOURCE_NAME = "halfhour"
MERGE_KEY = ("organization_id", "part")
DLT_COLUMNS: Mapping[str, TColumnSchema] = {
    "part": {
        "description": "the part of the store that the row is of, which is replaced whole: a "
        "source with its day, or the names of agents or queues",
    },
    "deleted": {
        "description": "true only while rows come in, for a row that deletes its part",
        "hard_delete": True,
    },
}
"""The columns that every table has for dlt, after its own, and their hints."""


def build_source(
    store: Store, now: Callable[[], datetime], *, delete_missing: bool = False
) -> DltSource:
    """Return a source with a resource for each table of a warehouse. Raises ConfigError."""
    organization = organization_of(store)

    def changes() -> Iterator[dict[str, pa.Table]]:
        yield from read_changes(store, organization, now, delete_missing=delete_missing)

    def tables() -> list[DltResource]:
        # One reader for all tables, so that a window is read once, as it is at one moment.
        reader = dlt.resource(changes, name="changes", selected=False)
        return [_table_resource(reader, table) for table in ALL_TABLES]

    return dlt.source(tables, name=SOURCE_NAME, section=SOURCE_NAME)()


def _table_resource(reader: DltResource, table: LoadedTable) -> DltResource:
    """Return the resource that picks the rows of *table* from the parts that *reader* yields."""

    def rows(tables: dict[str, pa.Table]) -> Iterator[pa.Table]:
        if table.name in tables:
            yield tables[table.name]

    hints: dict[str, TColumnSchema] = {
        name: {"description": text} for name, text in table.column_meanings.items()
    }
    resource: DltResource = reader | dlt.transformer(rows, name=table.name)
    resource.apply_hints(
        write_disposition={"disposition": "merge", "strategy": "delete-insert"},
        merge_key=MERGE_KEY,
        columns={**hints, **DLT_COLUMNS},
        file_format="parquet",  # dlt's CSV makes empty texts null
    )
    return resource


def read_changes(
    store: Store,
    organization: Organization,
    now: Callable[[], datetime],
    *,
    delete_missing: bool,
) -> Iterator[dict[str, pa.Table]]:
    """Yield the rows of each changed part by table, for the tables that the running pipeline loads.

    Raises ConfigError if the destination would append, or most of what is there be deleted.
    """
    selected: Mapping[str, DltResource] = dlt.current.source().resources.selected
    require_replacing(list(selected.values()))
    held = {
        name: dlt.current.resource_state(name).setdefault(organization.id, {}) for name in selected
    }
    parts = stored_parts(store)
    planned: dict[PartKey, Part | None] = {}
    outdated: dict[PartKey, set[str]] = {}
    for table in ALL_TABLES:
        if table.name in selected:
            plan = _plan_table(table, parts, held[table.name])
            if not delete_missing:
                refuse_to_delete_most(plan, store, organization)
            for key, part in plan.steps:
                planned[key] = part
                outdated.setdefault(key, set()).add(table.name)
    for key, names in outdated.items():
        change = read_part_change(store, organization, key, planned[key], now())
        for name in names:
            if change.part:
                held[name][write_key(key)] = write_state(change.part)
            else:
                held[name].pop(write_key(key), None)
        yield {
            one.table.name: build_rows(one.rows, organization.id, write_key(key))
            for one in change.changes
            if one.table.name in names
        }


def require_replacing(resources: Sequence[DltResource]) -> None:
    """Raise ConfigError if the running pipeline would not replace the rows of *resources*."""
    context = Container()[PipelineContext]
    if not context.is_active():
        return  # somebody looks at the rows
    destination = context.pipeline().destination
    if destination is None:
        raise ConfigError("the pipeline has no destination; name one in dlt.pipeline")
    for resource in resources:
        table = resource.compute_table_schema()
        if table.get("write_disposition") != "merge":
            raise ConfigError(
                f"the pipeline would {table.get('write_disposition')} the rows of "
                f"{resource.name}, and only merge replaces changed days and keeps the others; "
                "leave out write_disposition. To load all anew, run it with refresh='drop_sources'"
            )
        try:
            strategy = resolve_merge_strategy(
                {resource.name: table}, table, destination.capabilities()
            )
        except DestinationCapabilitiesException:
            strategy = None
        if strategy != "delete-insert":
            raise ConfigError(
                f"dlt cannot replace the rows of a day in the destination "
                f"{destination.destination_name}: it would append them, and figures would count "
                "twice; for files and tables of a lake run 'halfhour load delta:FOLDER' or "
                "'halfhour load iceberg:CATALOG/NAMESPACE', or name a database as destination"
            )


def _plan_table(table: LoadedTable, parts: Sequence[Part], held: Mapping[str, Any]) -> LoadPlan:
    """Return what makes *table* equal to the store's *parts*, of which it has *held*."""
    return plan_load(
        [part for part in parts if table is LEDGER or table in TABLES_BY_PART[part.source]],
        [parse_state(key, state) for key, state in held.items()],
    )


def build_rows(rows: pa.Table, organization_id: str, part: str) -> pa.Table:
    """Return *rows* with the columns for dlt, after a row that deletes the part."""
    rows = without_nul(rows).cast(to_microseconds(rows.schema))
    for name, value in (("part", part), ("deleted", False)):
        rows = rows.append_column(
            name, pa.array([value]).take(pa.array([0] * len(rows), pa.int32()))
        )
    schema = pa.schema([field.with_nullable(field.name not in MERGE_KEY) for field in rows.schema])
    deletion = {"organization_id": organization_id, "part": part, "deleted": True}
    return pa.concat_tables([pa.Table.from_pylist([deletion], schema=schema), rows.cast(schema)])


def write_key(key: PartKey) -> str:
    """Return *key* as text, such as ``posted 2026-03-02`` or ``agents``."""
    return f"{key.source} {key.window_start:%Y-%m-%d}" if key.window_start else str(key.source)


def write_state(part: Part) -> list[Any]:
    """Return what tells whether a loaded *part* changes, besides its key, as JSON has it.

    dlt stores the state of all parts at each run, so it is short: a window has no number of rows.
    """
    length = (part.window.end - part.window.start) // MILLISECOND if part.window else None
    row_count = None if part.window else part.row_count
    return [length, epoch_ms(part.read_at), part.has_raw, part.rules, row_count]


def parse_state(key: str, state: Sequence[Any]) -> Part:
    """Return the loaded part that `write_key` and `write_state` wrote as *key* and *state*."""
    source, _, day = key.partition(" ")
    length, read_at, has_raw, rules, row_count = state
    start = datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None
    window = Interval(start, start + length * MILLISECOND) if start else None
    return Part(source, from_epoch_ms(read_at), window, has_raw, rules, row_count)
