"""What is held: windows of tables. Nothing but a settled window ever gets in."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, cast

import pyarrow as pa

from halfhour.errors import ConfigError
from halfhour.model.coverage import DAY, SettledWindow
from halfhour.model.intervals import MILLISECOND, Interval, floor_to_width, from_epoch_ms, to_utc
from halfhour.model.tables import (
    AGENT_PLACES_SCHEMA,
    NAMES_SCHEMA,
    POSTED_SCHEMA,
    REVISIONS_SCHEMA,
    STATUS_SCHEMA,
)
from halfhour.model.vocabulary import Source
from halfhour.store import revisions as revising
from halfhour.store.database import BUSY_TIMEOUT, Connection, Database, load_store_sql

EntityKind = Literal["agent", "queue"]

TABLES_BY_SOURCE: Mapping[Source, Mapping[str, str]] = {
    Source.POSTED: {"posted": "interval_start"},
    Source.STATUS: {"status": "interval_start"},
    Source.DETAILS: {"segments": "window_start", "emitted": "emitted_at"},
}
"""The tables of each source, and the column that says which window a row is of."""


class SettleResult(NamedTuple):
    """What settling did: *rows* are held, *changed* figures are not as they were."""

    rows: int
    changed: int


@dataclass(frozen=True)
class Store:
    """The store in the file at *path*; it need not exist before something is settled."""

    path: Path
    busy_timeout: float = BUSY_TIMEOUT
    open_connection: Connection | None = None

    @cached_property
    def _database_file(self) -> Database:
        return Database(self.path, self.busy_timeout, self.open_connection)

    @contextmanager
    def open_snapshot(self) -> Iterator["Store"]:
        """The store as it is now, for several questions whose answers are to agree.

        Nobody writes meanwhile.
        """
        with self._database_file.open_for_reading() as connection:
            yield replace(self, open_connection=connection)

    @property
    def exists(self) -> bool:
        """Whether anything can have been settled."""
        return self._database_file.store_version > 0

    def ensure_created(self, settings: Mapping[str, str]) -> None:
        """Make sure that there is a store; a new one gets these *settings*.

        Raises StoreError, as all that follows does.
        """
        self._database_file.create_or_migrate(settings)

    def upgrade_if_present(self) -> None:
        """Bring a store that an older halfhour made up to date. Does nothing if there is none."""
        if self.exists:
            self.ensure_created({})

    def stored_settings(self) -> dict[str, str]:
        """What the store was made with."""
        with self._database_file.open_for_reading() as connection:
            return dict(connection.execute("select name, value from settings").fetchall())

    def claim_organization(self, organization: Mapping[str, str]) -> None:
        """Record the *organization* (id and name) whose figures it holds, if that is not yet known.

        Raises ConfigError if it holds those of another.
        """
        known = self.stored_settings()
        owner = known.get("organization_id")
        if owner is None:
            with self._database_file.write_transaction() as connection:
                connection.executemany(
                    "insert or replace into settings values (?, ?)",
                    [[f"organization_{name}", value] for name, value in organization.items()],
                )
        elif owner != organization["id"]:
            raise ConfigError(
                f"{self.path} holds figures of the organisation "
                f"{known.get('organization_name') or 'without a name'} ({owner}), and this OAuth "
                f"client belongs to {organization['name'] or 'another'} ({organization['id']}); "
                "name another store, or use a client of that organisation. Nothing was written"
            )

    def settled_windows(self, source: Source) -> list[SettledWindow]:
        """The windows of *source* that are held, oldest first."""
        # As whole milliseconds: as moments they would need a library for time zones.
        with self._database_file.open_for_reading() as connection:
            rows = connection.execute(
                "select epoch_ms(window_start), epoch_ms(window_end), epoch_ms(read_at), "
                "row_count, has_transfers, left_out_count from settled where source = ? "
                "order by all",
                [source],
            ).fetchall()
        return [
            SettledWindow(
                Interval(from_epoch_ms(start), from_epoch_ms(end)), from_epoch_ms(read_at), *others
            )
            for start, end, read_at, *others in rows
        ]

    def settle(
        self,
        source: Source,
        window: Interval,
        tables: Mapping[str, pa.Table | Path],
        read_at: datetime,
        *,
        left_out: int = 0,
    ) -> "SettleResult":
        """Hold *tables*, those that `HOLDS` names, and nothing else of the day of *window*.

        *left_out* counts what was there and could not be read: then the day is incomplete.

        A table may be a Parquet file: then it has a column *part* besides, of
        a conversation only the rows of its last part count, which ``parts.parquet``
        beside it tells, and other days do not. What is changed
        of figures that were held before is noted: those that are posted, worked or of a status.
        """
        import pyarrow.dataset as ds  # late, as reports do without it

        count, read_at = 0, floor_to_width(to_utc(read_at), MILLISECOND)
        day = {"start": window.start, "end": window.start + DAY}
        with self._database_file.write_transaction() as connection:
            known = revising.capture_figures(connection, source, window)
            for name, found in tables.items():
                column = TABLES_BY_SOURCE[source][name]
                # DuckDB itself may read no file but the store.
                if isinstance(found, Path):
                    rows, more = load_store_sql("sql/last_parts").replace("{column}", column), day
                    connection.register("incoming", ds.dataset(found))
                    connection.register("parts", ds.dataset(found.with_name("parts.parquet")))
                else:
                    rows, more = "select * from incoming", {}
                    connection.register("incoming", found)
                connection.execute(
                    f"delete from {name} where {column} >= $start and {column} < $end",  # noqa: S608
                    day,
                )
                ((inserted,),) = connection.execute(
                    f"insert into {name} by name {rows}",
                    more,
                ).fetchall()
                count += inserted
            changed = revising.record_revisions(connection, source, known, read_at) if known else 0
            connection.execute(
                "delete from settled where source = ? and window_start = ?", [source, window.start]
            )
            connection.execute(
                "insert into settled values (?, ?, ?, ?, ?, true, ?)",
                [source, window.start, window.end, read_at, count, left_out],
            )
        return SettleResult(count, changed)

    def store_names(self, kind: EntityKind, names: pa.Table, read_at: datetime) -> None:
        """Hold *names*, which are `tables.NAMED`, as of *read_at*."""
        with self._database_file.write_transaction() as connection:
            connection.register("incoming", names)
            connection.execute(
                "delete from names where kind = ? and id in (select id from incoming)", [kind]
            )
            connection.execute(
                "insert into names by name select *, ? as kind, ? as read_at from incoming",
                [kind, read_at],
            )

    def unnamed_ids(self, kind: EntityKind, before: datetime) -> list[str]:
        """Ids in what is held whose name was not asked for since *before*."""
        found = self.query_store(
            "select id from named where kind = $kind and id not in "
            "(select id from names where kind = $kind and read_at >= $before) order by id",
            kind=kind,
            before=before,
        )
        return cast("list[str]", found["id"].to_pylist())

    def active_agent_ids(self, interval: Interval) -> list[str]:
        """Ids of those who are held to have done something in *interval*."""
        found = self.query_store(
            "select agent_id from posted where interval_start between $start and $end union "
            "select agent_id from segments where window_start between $start and $end "
            "order by agent_id",
            start=interval.start,
            end=interval.end,
        )
        return cast("list[str]", found["agent_id"].to_pylist())

    def posted_rows(self, interval: Interval, agents: Sequence[str] | None = None) -> pa.Table:
        """`tables.POSTED` of *interval* and these *agents* or all, as far as it is held."""
        return (
            self.query_store(
                "select * from posted where interval_start >= $start and interval_start < $end "
                "and ($agents is null or list_contains($agents, agent_id))",
                start=interval.start,
                end=interval.end,
                agents=agents,
            )
            .select(POSTED_SCHEMA.names)
            .cast(POSTED_SCHEMA)
        )

    def status_rows(self, interval: Interval, agents: Sequence[str] | None = None) -> pa.Table:
        """`tables.STATUS` of *interval* and these *agents* or all, as far as it is held."""
        return self.query_store(
            "select * from status where interval_start >= $start and interval_start < $end "
            "and ($agents is null or list_contains($agents, agent_id))",
            start=interval.start,
            end=interval.end,
            agents=agents,
        ).cast(STATUS_SCHEMA)

    def names_by_kind(self, kind: EntityKind) -> pa.Table:
        """`tables.NAMES` of agents or queues."""
        return self.query_store(
            "select id, name from names where kind = $kind and name is not null order by id",
            kind=kind,
        ).cast(NAMES_SCHEMA)

    def agent_places(self) -> pa.Table:
        """`tables.PLACES`: where agents belong, as far as it is known."""
        return self.query_store(
            "select id as agent_id, division, team from names where kind = 'agent' order by id"
        ).cast(AGENT_PLACES_SCHEMA)

    def revision_rows(self, interval: Interval | None = None) -> pa.Table:
        """What was changed by reading it again, in *interval* or ever: `tables.REVISIONS`."""
        within = interval or Interval(from_epoch_ms(0), from_epoch_ms(2**47))
        return (
            self.query_store(
                # Down to the millisecond: older versions kept what a file's clock says.
                "select revisions.* replace (epoch_ms(revisions.read_at) as read_at), "
                "names.name as agent_name from revisions "
                "left join names on names.kind = 'agent' and names.id = agent_id "
                "where interval_start >= $start and interval_start < $end "
                "order by read_at, source, interval_start, agent_id, queue_id, media_type, "
                "column_name",
                start=within.start,
                end=within.end,
            )
            .select(REVISIONS_SCHEMA.names)
            .cast(REVISIONS_SCHEMA)
        )

    def delete_days_before(self, since: datetime) -> int:
        """Let go of the days that are over by *since*, whole and of every source; how many."""
        first_kept = floor_to_width(since, DAY)
        with self._database_file.write_transaction() as connection:
            gone = connection.execute(
                "delete from settled where window_start < ? returning epoch_ms(window_start)",
                [first_kept],
            ).fetchall()
            for tables in (*TABLES_BY_SOURCE.values(), {"revisions": "interval_start"}):
                for name, column in tables.items():
                    connection.execute(f"delete from {name} where {column} < ?", [first_kept])  # noqa: S608
        return len({row[0] for row in gone})

    def query_store(self, query: str, **values: object) -> pa.Table:
        """The answer to a *query* in SQL, which can only read."""
        with self._database_file.open_for_reading() as connection:
            return connection.sql(query, params=values).to_arrow_table()
