"""The tables that the rules of reports read, as views of a store's tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

import duckdb
import pyarrow as pa

from halfhour.model.intervals import Interval
from halfhour.model.tables import (
    AGENT_NAMES_SCHEMA,
    BUSY_SCHEMA,
    CAPACITY_SCHEMA,
    NAMES_SCHEMA,
    OFFERED_SCHEMA,
    POSTED_SCHEMA,
    STATUS_SCHEMA,
)
from halfhour.model.vocabulary import Basis
from halfhour.store.database import (
    Connection,
    load_store_sql,
    segment_parameters,
    segment_rule,
)
from halfhour.store.store import Store

REPORT_SCHEMAS: Mapping[str, pa.Schema] = {
    "figures": POSTED_SCHEMA,
    "callback_voice": POSTED_SCHEMA,
    "worked": POSTED_SCHEMA,
    "busy": BUSY_SCHEMA,
    "status_times": STATUS_SCHEMA,
    "capacity": CAPACITY_SCHEMA,
    "offered": OFFERED_SCHEMA,
    "agents": AGENT_NAMES_SCHEMA,
    "queues": NAMES_SCHEMA,
}
"""The tables that the rules of reports read, by name.

`figures` are posted figures, or worked time in the same columns on the worked basis. On both bases,
`worked` stands beside it. `callback_voice` is the time that callbacks and the calls they led to
have in common, which is posted under both: here it lies where it was worked, as work of the call.
"""


@dataclass(frozen=True, slots=True)
class ReportScope:
    """The rows that a report is about: those of *interval*, in intervals of *width*.

    *agents* and *queues* are ids; None means all of them, as it does for *media* types.
    """

    interval: Interval
    width: timedelta
    basis: Basis = Basis.POSTED
    agents: Sequence[str] | None = None
    queues: Sequence[str] | None = None
    media: Sequence[str] | None = None


@contextmanager
def open_report_views(
    store: Store, scope: ReportScope, *, with_callback_voice: bool = True
) -> Iterator[Connection]:
    """Give a connection to *store* that has the tables of `REPORT_SCHEMAS`, for *scope*.

    The tables of figures that a store does not keep are empty. Without *with_callback_voice*,
    which takes details, `callback_voice` is empty too. Raises StoreError.
    """
    with store._database_file.open_for_reading() as connection:
        _set_variables(connection, scope)
        views = {
            "agents": "select id, name, state from names where kind = 'agent' and name is not null",
            "queues": "select id, name from names where kind = 'queue' and name is not null",
        }
        if not (scope.queues or scope.media):  # Status has no queue and no media type.
            views["status_times"] = load_store_sql("sql/report_status")
        if scope.basis is not Basis.WORKED:
            views["figures"] = load_store_sql("sql/report_posted")
        for name, query in views.items():
            connection.execute(f"create temp view {name} as {query}")
        tables: dict[str, tuple[str, bool]] = {}
        if scope.basis is not Basis.WORKED and with_callback_voice:
            tables["callback_voice"] = ("worked", True)
        if scope.basis is not Basis.POSTED:
            tables["figures" if scope.basis is Basis.WORKED else "worked"] = ("worked", False)
            tables["busy"] = ("busy", False)
        for name, (rule, voice_of_callback) in tables.items():
            _create_table(connection, name, rule, scope, voice_of_callback=voice_of_callback)
        _create_empty_tables(connection, REPORT_SCHEMAS.keys() - views.keys() - tables.keys())
        yield connection


def connect_to_empty_tables() -> Connection:
    """Return a connection that has the tables of `REPORT_SCHEMAS`, without rows."""
    connection = _shared_database().cursor()
    connection.execute("set TimeZone = 'UTC'")
    _create_empty_tables(connection, REPORT_SCHEMAS)
    return connection


@cache
def _shared_database() -> Connection:
    """Return an empty database in memory, made once: making it takes longer than a query."""
    return duckdb.connect()


def _create_empty_tables(connection: Connection, names: Iterable[str]) -> None:
    for name in names:
        connection.register(name, REPORT_SCHEMAS[name].empty_table())


def _set_variables(connection: Connection, scope: ReportScope) -> None:
    """Set the variables that the views read."""
    for name, moment in (("start", scope.interval.start), ("end", scope.interval.end)):
        connection.execute(f"set variable report_{name} = $1", [moment])
    for name in ("agents", "queues", "media"):
        connection.execute(f"set variable {name} = $1::varchar[]", [getattr(scope, name)])


def _create_table(
    connection: Connection,
    name: str,
    rule: str,
    scope: ReportScope,
    *,
    voice_of_callback: bool,
) -> None:
    """Create the table *name* by a *rule* over segments, once for all queries of a report."""
    values = segment_parameters(
        scope.interval,
        scope.width,
        agents=scope.agents,
        queues=scope.queues,
        media=scope.media,
        voice_of_callback=voice_of_callback,
    )
    connection.execute(f"create temp table {name}_rows as {segment_rule(rule)}", values)
    connection.execute(f"create temp view {name} as from {name}_rows")
