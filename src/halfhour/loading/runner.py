"""Load a store into a destination, one part after the other."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa

from halfhour.errors import ConfigError
from halfhour.loading.destination import Destination, TableChange
from halfhour.loading.planning import LoadPlan, Part, PartKey, plan_load
from halfhour.loading.tables import (
    LEDGER,
    TABLES_BY_PART,
    slice_of_ledger,
    slice_of_organization,
    slice_of_part,
)
from halfhour.model.coverage import DAY
from halfhour.model.intervals import MILLISECOND, Interval, floor_to_width
from halfhour.model.vocabulary import Source
from halfhour.store.store import EntityKind, Store
from halfhour.store.window_tables import (
    derivation_rules,
    directory_state,
    read_directory,
    read_window,
)

KIND_BY_DIRECTORY: Mapping[str, EntityKind] = {"agents": "agent", "queues": "queue"}
LOCK_PAUSE = 0.5
"""Seconds between two attempts to lock an organisation in the destination."""


@dataclass(frozen=True, slots=True)
class LoadStep:
    """A part that a load has written, or deleted if *row_count* is None.

    *done* and *of* count the parts of the load. *window* is None for a directory.
    """

    key: PartKey
    window: Interval | None
    row_count: int | None
    done: int
    of: int


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """The numbers of parts loaded, deleted and left as they were, and of rows written."""

    loaded: int
    deleted: int
    unchanged: int
    rows: int


@dataclass(frozen=True, slots=True)
class Organization:
    """The organisation that a store belongs to."""

    id: str
    name: str | None


def organization_of(store: Store) -> Organization:
    """Return the organisation of *store*. Raises ConfigError if the store does not know it."""
    settings = store.stored_settings()
    organization_id = settings.get("organization_id")
    if not organization_id:
        raise ConfigError(
            f"{store.path} does not know its organisation, by which a warehouse tells its rows "
            "from others; run 'halfhour sync', which records it"
        )
    return Organization(organization_id, settings.get("organization_name") or None)


def stored_parts(store: Store) -> list[Part]:
    """Return the parts of *store*: its directories and its settled windows."""
    with store.open_snapshot() as snapshot:
        parts = [
            Part(directory, state.read_at, row_count=state.row_count)
            for directory, kind in KIND_BY_DIRECTORY.items()
            if (state := directory_state(snapshot, kind))
        ]
        for source in Source:
            rules = derivation_rules(snapshot, source)
            parts += [
                Part(source, settled.read_at, settled.window, settled.has_raw, rules)
                for settled in snapshot.settled_windows(source)
            ]
    return parts


def plan_store_load(store: Store, destination: Destination) -> LoadPlan:
    """Return what would make *destination* equal to *store*. Nothing is written."""
    organization = organization_of(store)
    ledger: Iterable[Part] = ()
    if LEDGER not in destination.find_missing_tables():
        ledger = _read_ledger(destination, organization)
    return plan_load(stored_parts(store), ledger)


def load_store(
    store: Store,
    destination: Destination,
    now: Callable[[], datetime],
    on_step: Callable[[LoadStep], None],
    on_wait: Callable[[str], None],
    *,
    delete_missing: bool = False,
) -> LoadOutcome:
    """Make *destination* equal to *store*, and call *on_step* after each part.

    *on_wait* gets the reason if another load has to end first. If it is interrupted, the parts
    that are done stay, and the next load does the others. Raises ConfigError if most of what is
    there would be deleted, as by a store that is new, without *delete_missing*; any HalfhourError.
    """
    organization = organization_of(store)
    parts = stored_parts(store)  # raises before anything is created
    if missing := destination.find_missing_tables():
        destination.create_tables(missing)
    _wait_for_lock(destination, organization, on_wait)
    plan = plan_load(parts, _read_ledger(destination, organization))
    if not delete_missing:
        refuse_to_delete_most(plan, store, organization)
    loaded = deleted = rows = 0
    for key, planned in plan.steps:
        change = read_part_change(store, organization, key, planned, now())
        destination.apply_changes(change.changes)
        loaded += change.row_count is not None
        deleted += change.row_count is None
        rows += change.row_count or 0
        window = planned.window if planned else day_of_key(key)
        on_step(LoadStep(key, window, change.row_count, loaded + deleted, plan.step_count))
    return LoadOutcome(loaded, deleted, plan.unchanged_count, rows)


def refuse_to_delete_most(plan: LoadPlan, store: Store, organization: Organization) -> None:
    """Raise ConfigError if *plan* would delete most of what the destination holds."""
    if plan.deletes_most:
        owner = organization.name or organization.id
        raise ConfigError(
            f"{store.path} lacks {len(plan.deleted_windows)} of the {plan.loaded_windows} days of "
            f"all sources that the destination holds of {owner}, and a load would delete them "
            "there; if the store is new, load the old one, or sync these days first; if it is "
            "meant, add ⟨delete_missing⟩. Nothing was changed"
        )


def day_of_key(key: PartKey) -> Interval | None:
    """Return the day of a window; None for a directory."""
    return Interval(key.window_start, key.window_start + DAY) if key.window_start else None


@dataclass(frozen=True, slots=True)
class PartChange:
    """A part as a store has it by now, and the changes of tables that it takes, the ledger's last.

    *part* is None if the store does not have it, and the changes delete it.
    """

    part: Part | None
    changes: Sequence[TableChange]

    @property
    def row_count(self) -> int | None:
        """The number of rows of the part in all tables; None if it is deleted."""
        return self.part.row_count if self.part else None


def read_part_change(
    store: Store,
    organization: Organization,
    key: PartKey,
    planned: Part | None,
    now: datetime,
) -> PartChange:
    """Return the change that writes the part as *store* has it by *now*.

    It deletes the part if none is *planned*, or if the store has let go of it meanwhile.
    """
    part, rows = _read_part(store, key, planned) if planned else (None, {})
    changes = [
        TableChange(
            table,
            slice_of_part(table, organization.id, key),
            table.build_rows(rows[table.name], organization.id)
            if part
            else table.full_schema.empty_table(),
        )
        for table in TABLES_BY_PART.get(key.source, ())
    ]
    if part:
        part = replace(part, row_count=sum(change.rows.num_rows for change in changes))
    ledger_rows = _build_ledger_rows(organization, part, now)
    changes.append(TableChange(LEDGER, slice_of_ledger(organization.id, key), ledger_rows))
    return PartChange(part, changes)


def _read_part(
    store: Store, key: PartKey, planned: Part
) -> tuple[Part | None, dict[str, pa.Table]]:
    """Return the part and its rows by table; none if the store has let go of it meanwhile."""
    if key.window_start is None:
        table = read_directory(store, KIND_BY_DIRECTORY[key.source])
        return planned, {key.source: _name_directory_columns(key.source, table)}
    held = read_window(store, Source(key.source), key.window_start)
    if held is None:
        return None, {}
    settled = held.settled
    part = Part(key.source, settled.read_at, settled.window, settled.has_raw, held.rules)
    return part, held.tables


def _build_ledger_rows(organization: Organization, part: Part | None, now: datetime) -> pa.Table:
    if part is None:
        return LEDGER.full_schema.empty_table()
    return pa.Table.from_pylist(
        [
            {
                "organization_id": organization.id,
                "organization_name": organization.name,
                "source": str(part.source),
                "window_start": part.window.start if part.window else None,
                "window_end": part.window.end if part.window else None,
                "read_at": part.read_at,
                "has_raw": part.has_raw,
                "rules": part.rules,
                "row_count": part.row_count,
                "loaded_at": floor_to_width(now, MILLISECOND),
            }
        ],
        schema=LEDGER.full_schema,
    )


def _name_directory_columns(directory: str, table: pa.Table) -> pa.Table:
    noun = KIND_BY_DIRECTORY[directory]
    return table.rename_columns(
        [f"{noun}_{name}" if name in ("id", "name") else name for name in table.column_names]
    )


def _read_ledger(destination: Destination, organization: Organization) -> list[Part]:
    rows = destination.read_rows(LEDGER, slice_of_organization(organization.id))
    return [
        Part(
            row["source"],
            row["read_at"],
            Interval(row["window_start"], row["window_end"]) if row["window_start"] else None,
            row["has_raw"],
            row["rules"],
            row["row_count"],
        )
        for row in rows.to_pylist()
    ]


def _wait_for_lock(
    destination: Destination, organization: Organization, on_wait: Callable[[str], None]
) -> None:
    is_announced = False
    while not destination.try_lock(organization.id):
        if not is_announced:
            on_wait(f"another load of {organization.name or organization.id} is running")
        is_announced = True
        time.sleep(LOCK_PAUSE)
