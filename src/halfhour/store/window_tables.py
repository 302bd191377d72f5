"""Give the rows of a window as they leave a store: what was read, and what follows from it."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import pyarrow as pa

from halfhour.model.coverage import DAY, SettledWindow
from halfhour.model.intervals import from_epoch_ms
from halfhour.model.rules import rule_text, worked_rules_hash
from halfhour.model.vocabulary import Basis, Source
from halfhour.store.coverage import store_calendar
from halfhour.store.database import DETAIL_RULES, load_store_sql
from halfhour.store.report_views import ReportScope, open_report_views
from halfhour.store.store import TABLES_BY_SOURCE, EntityKind, Store

LOADED_TABLES: Mapping[Source, tuple[str, ...]] = {
    Source.POSTED: ("posted",),
    Source.STATUS: ("status",),
    Source.DETAILS: ("segments", "emitted"),
}
"""The tables of each source that leave a store as they are."""


class WindowTables(NamedTuple):
    """A stored window and its rows, by table, as they were at one moment.

    *rules* change if the rules do by which the rows were derived; empty if they were read so.
    """

    settled: SettledWindow
    rules: str
    tables: dict[str, pa.Table]


class DirectoryState(NamedTuple):
    """The number of agents or queues in a store, and the latest time any of them was read."""

    row_count: int
    read_at: datetime


def read_window(store: Store, source: Source, start: datetime) -> WindowTables | None:
    """Return the window of *source* that begins at *start*; None if it is not stored.

    Details have two tables by the rules of worked time, in the store's intervals: `worked` in the
    columns of posted figures, and `busy`. Every source has its `revisions`. Raises StoreError.
    """
    with store.open_snapshot() as snapshot:
        settled = next(
            (one for one in snapshot.settled_windows(source) if one.window.start == start), None
        )
        if settled is None:
            return None
        day = {"start": start, "end": start + DAY}
        tables = {
            name: snapshot._query(
                f"select * from {name} where {column} >= $start and {column} < $end",  # noqa: S608
                **day,
            )
            for name, column in TABLES_BY_SOURCE[source].items()
            if name in LOADED_TABLES[source]
        }
        tables["revisions"] = snapshot._query(
            # Older versions stored more digits than milliseconds.
            "select * replace (epoch_ms(read_at) as read_at) from revisions where source = $source "
            "and interval_start >= $start and interval_start < $end",
            source=source,
            **day,
        )
        if source is Source.DETAILS:
            tables["session_metrics"] = snapshot._query(_session_values_sql(), start=start)
            tables |= _worked_tables(snapshot, settled)
        return WindowTables(settled, derivation_rules(snapshot, source), tables)


def _session_values_sql() -> str:
    text = load_store_sql("sql/session_values")
    for name in ("latest_records", "agent_sessions"):
        text = text.replace(f"{{{name}}}", rule_text(name))
    return text


def _worked_tables(store: Store, settled: SettledWindow) -> dict[str, pa.Table]:
    width = store_calendar(store, settled.read_at).granularity
    scope = ReportScope(settled.window, width, Basis.WORKED)
    with open_report_views(store, scope) as connection:
        return {
            name: connection.sql(f"from {view}").to_arrow_table()
            for name, view in (("worked", "figures"), ("busy", "busy"))
        }


def derivation_rules(store: Store, source: Source) -> str:
    """Return a text that changes if the rules do by which rows of *source* are derived.

    It is empty for a source whose rows are stored as they were read.
    """
    if source is not Source.DETAILS:
        return ""
    return f"{store.stored_settings().get(DETAIL_RULES, '')} {worked_rules_hash()}"


def directory_state(store: Store, kind: EntityKind) -> DirectoryState | None:
    """Return the state of the stored agents or queues; None if there are none."""
    table = store._query(
        "select count(*) as row_count, max(epoch_ms(read_at)) as read_ms from names "
        "where kind = $kind",
        kind=kind,
    )
    ((row_count, read_ms),) = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return DirectoryState(row_count, from_epoch_ms(read_ms)) if row_count else None


def read_directory(store: Store, kind: EntityKind) -> pa.Table:
    """Return the stored agents or queues; the name is null if Genesys has no such id."""
    return store._query(
        "select id, name, division, team, state from names where kind = $kind order by id",
        kind=kind,
    )
