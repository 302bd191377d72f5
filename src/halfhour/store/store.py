"""Read and write the tables of a store, in whole windows of a source."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import pyarrow as pa

from halfhour.errors import ConfigError
from halfhour.model.coverage import DAY, SettledWindow
from halfhour.model.intervals import (
    MILLISECOND,
    Interval,
    epoch_ms,
    floor_to_width,
    from_epoch_ms,
    to_utc,
)
from halfhour.model.rules import detail_rules_hash
from halfhour.model.tables import (
    AGENT_PLACES_SCHEMA,
    DIRECTORY_SCHEMA,
    NAMES_SCHEMA,
    POSTED_SCHEMA,
    RAW_SCHEMAS,
    REVISIONS_SCHEMA,
    STATUS_SCHEMA,
)
from halfhour.model.vocabulary import Source
from halfhour.store import revisions as revising
from halfhour.store.database import (
    BUSY_TIMEOUT,
    DETAIL_RULES,
    Connection,
    Database,
    create_in_memory,
    load_store_sql,
)

EntityKind = Literal["agent", "queue"]

TABLES_BY_SOURCE: Mapping[Source, Mapping[str, str]] = {
    Source.POSTED: {"posted": "interval_start"},
    Source.STATUS: {"status": "interval_start"},
    Source.DETAILS: {
        "segments": "window_start",
        "emitted": "emitted_at",
        **dict.fromkeys(RAW_SCHEMAS, "window_start"),
    },
}
"""The tables of each source, with the column that places a row in a window."""


class SettleResult(NamedTuple):
    """The numbers of stored rows, and of figures that reading the window again has changed."""

    rows: int
    changed: int


@dataclass(frozen=True)
class Store:
    """The store in the file at *path*, which need not exist yet. Every method raises StoreError.

    If there is an *open_connection*, to the file or to a database in memory, it is used.
    """

    path: Path
    busy_timeout: float = BUSY_TIMEOUT
    open_connection: Connection | None = None

    @cached_property
    def _database_file(self) -> Database:
        return Database(self.path, self.busy_timeout, self.open_connection)

    @classmethod
    @contextmanager
    def create_in_memory(
        cls, settings: Mapping[str, str], folder: Path | None = None
    ) -> Iterator["Store"]:
        """Give a new store with *settings* that has no file, until the block ends.

        What does not fit into memory goes into *folder*; without one, nothing can be synced.
        """
        with create_in_memory(settings, folder) as connection:
            yield cls((folder or Path()) / "memory", open_connection=connection)

    @contextmanager
    def open_snapshot(self) -> Iterator["Store"]:
        """Give the store with one open connection, so that several queries see the same data.

        Other processes cannot write meanwhile.
        """
        with self._database_file.open_for_reading() as connection:
            yield replace(self, open_connection=connection)

    @property
    def exists(self) -> bool:
        """Return whether the file is a store."""
        return self._database_file.store_version > 0

    def ensure_created(self, settings: Mapping[str, str]) -> None:
        """Create a store with *settings*, or migrate the existing one to this version."""
        self._database_file.create_or_migrate(settings)

    def upgrade_if_present(self) -> None:
        """Migrate the store to this version. Do nothing if there is none."""
        if self.exists:
            self.ensure_created({})

    def stored_settings(self) -> dict[str, str]:
        """Return the settings with which the store was created, and its organisation."""
        with self._database_file.open_for_reading() as connection:
            return dict(connection.execute("select name, value from settings").fetchall())

    def claim_organization(self, organization: Mapping[str, str]) -> None:
        """Record the *organization* (id and name) that the store belongs to.

        Raises ConfigError if it belongs to another one.
        """
        settings = self.stored_settings()
        owner = settings.get("organization_id")
        if owner is None:
            with self._database_file.write_transaction() as connection:
                connection.executemany(
                    "insert or replace into settings values (?, ?)",
                    [[f"organization_{name}", value] for name, value in organization.items()],
                )
        elif owner != organization["id"]:
            raise ConfigError(
                f"{self.path} holds figures of the organisation "
                f"{settings.get('organization_name') or 'without a name'} ({owner}), and this "
                f"OAuth client belongs to {organization['name'] or 'another'} "
                f"({organization['id']}); "
                "name another store, or use a client of that organisation. Nothing was written"
            )

    def settled_windows(self, source: Source) -> list[SettledWindow]:
        """Return the stored windows of *source*, oldest first."""
        # Epoch milliseconds, because DuckDB needs pytz to return timestamps with a time zone.
        with self._database_file.open_for_reading() as connection:
            rows = connection.execute(
                "select epoch_ms(window_start), epoch_ms(window_end), epoch_ms(read_at), "
                "row_count, has_transfers, left_out_count, has_raw from settled where source = ? "
                "order by all",
                [source],
            ).fetchall()
        return [
            SettledWindow(
                Interval(from_epoch_ms(start), from_epoch_ms(end)), from_epoch_ms(read_at), *fields
            )
            for start, end, read_at, *fields in rows
        ]

    def settle(
        self,
        source: Source,
        window: Interval,
        tables: Mapping[str, pa.Table | Path],
        read_at: datetime,
        *,
        left_out: int = 0,
        revised_at: datetime | None = None,
    ) -> "SettleResult":
        """Replace the day of *window* with *tables* in one transaction, and record its revisions.

        *tables* has each table of `TABLES_BY_SOURCE`, as rows or as an Arrow file; rows of other
        days are ignored. *left_out* is the number of records that
        could not be read; if there are any, the day is incomplete. *revised_at* is the time of the
        revisions if it is not *read_at*.
        """
        row_count, read_at = 0, floor_to_width(to_utc(read_at), MILLISECOND)
        day = {"start": window.start, "end": window.start + DAY}
        has_raw = all(name in tables for name in RAW_SCHEMAS)
        with self._database_file.write_transaction() as connection:
            stored_part = revising.capture_figures(connection, source, window)
            for name, table in tables.items():
                column = TABLES_BY_SOURCE[source][name]
                of_day = f"{column} >= $start and {column} < $end"
                connection.register(
                    "incoming", _open_arrow_file(table) if isinstance(table, Path) else table
                )
                connection.execute(f"delete from {name} where {of_day}", day)  # noqa: S608
                ((inserted,),) = connection.execute(
                    f"insert into {name} by name select * from incoming where {of_day}",  # noqa: S608
                    day,
                ).fetchall()
                row_count += inserted if name not in RAW_SCHEMAS else 0
            changed = (
                revising.record_revisions(connection, source, stored_part, revised_at or read_at)
                if stored_part
                else 0
            )
            connection.execute(
                "delete from settled where source = ? and window_start = ?", [source, window.start]
            )
            connection.execute(
                "insert into settled values (?, ?, ?, ?, ?, true, ?, ?)",
                [source, window.start, window.end, read_at, row_count, left_out, has_raw],
            )
        return SettleResult(row_count, changed)

    def raw_details(self, window: Interval) -> dict[str, pa.Table]:
        """Return what Genesys said in the details of *window*: the tables of `RAW_SCHEMAS`."""
        return {
            name: self._query(
                f"select * exclude (window_start) from {name} where window_start = $start",  # noqa: S608
                start=window.start,
            ).cast(schema)
            for name, schema in RAW_SCHEMAS.items()
        }

    def delete_raw_before(self, since: datetime) -> int:
        """Delete what Genesys said in details of days that ended by *since*; return their number.

        The segments and values that were derived from it stay.
        """
        first_kept = floor_to_width(since, DAY)
        with self._database_file.write_transaction() as connection:
            for name in RAW_SCHEMAS:
                connection.execute(f"delete from {name} where window_start < ?", [first_kept])  # noqa: S608
            deleted_rows = connection.execute(
                "update settled set has_raw = false where has_raw and window_start < ? "
                "returning window_start is null",
                [first_kept],
            ).fetchall()
        return len(deleted_rows)

    @property
    def has_current_rules(self) -> bool:
        """Return whether the stored details were derived by the rules of this version."""
        return self.stored_settings().get(DETAIL_RULES) == detail_rules_hash()

    def record_current_rules(self) -> None:
        """Record that the stored details follow from the rules of this version."""
        with self._database_file.write_transaction() as connection:
            connection.execute(
                "insert or replace into settings values (?, ?)",
                [DETAIL_RULES, detail_rules_hash()],
            )

    def store_names(self, kind: EntityKind, names: pa.Table, read_at: datetime) -> None:
        """Store the directory entries *names* (`tables.DIRECTORY_SCHEMA`), read at *read_at*."""
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
        """Return the stored ids whose names were not read since *before*, in order."""
        table = self._query(
            "select id from named where kind = $kind and id not in "
            "(select id from names where kind = $kind and read_at >= $before) order by id",
            kind=kind,
            before=before,
        )
        return cast("list[str]", table["id"].to_pylist())

    def active_agent_ids(self, interval: Interval) -> list[str]:
        """Return the ids of the agents with stored activity in *interval*, in order."""
        table = self._query(
            "select agent_id from posted where interval_start between $start and $end union "
            "select agent_id from segments where window_start between $start and $end "
            "order by agent_id",
            start=interval.start,
            end=interval.end,
        )
        return cast("list[str]", table["agent_id"].to_pylist())

    def posted_rows(self, interval: Interval) -> pa.Table:
        """Return the stored posted figures of *interval*."""
        return (
            self._query(
                "select * from posted where interval_start >= $start and interval_start < $end",
                start=interval.start,
                end=interval.end,
            )
            .select(POSTED_SCHEMA.names)
            .cast(POSTED_SCHEMA)
        )

    def status_rows(self, interval: Interval) -> pa.Table:
        """Return the stored status times of *interval*."""
        return self._query(
            "select * from status where interval_start >= $start and interval_start < $end",
            start=interval.start,
            end=interval.end,
        ).cast(STATUS_SCHEMA)

    def names_by_kind(self, kind: EntityKind) -> pa.Table:
        """Return the stored names of agents or queues, by id."""
        return self._query(
            "select id, name from names where kind = $kind and name is not null order by id",
            kind=kind,
        ).cast(NAMES_SCHEMA)

    def directory_entries(self, kind: EntityKind) -> pa.Table:
        """Return the stored agents or queues, by id: `tables.DIRECTORY_SCHEMA`."""
        return self._query(
            "select id, name, division, team, state from names where kind = $kind order by id",
            kind=kind,
        ).cast(DIRECTORY_SCHEMA)

    def agent_places(self) -> pa.Table:
        """Return the division and team of each stored agent; null if unknown."""
        return self._query(
            "select id as agent_id, division, team from names where kind = 'agent' order by id"
        ).cast(AGENT_PLACES_SCHEMA)

    def revision_rows(self, interval: Interval | None = None) -> pa.Table:
        """Return the revisions of *interval*, or all: `tables.REVISIONS_SCHEMA`."""
        bounds = interval or Interval(from_epoch_ms(0), from_epoch_ms(2**47))
        return (
            self._query(
                # Older versions stored more digits than the milliseconds of the schema.
                "select revisions.* replace (epoch_ms(revisions.read_at) as read_at), "
                "names.name as agent_name from revisions "
                "left join names on names.kind = 'agent' and names.id = agent_id "
                "where interval_start >= $start and interval_start < $end "
                "order by read_at, source, interval_start, agent_id, queue_id, media_type, "
                "column_name",
                start=bounds.start,
                end=bounds.end,
            )
            .select(REVISIONS_SCHEMA.names)
            .cast(REVISIONS_SCHEMA)
        )

    def delete_days_before(self, since: datetime) -> int:
        """Delete the days that ended by *since*, of every source, and return their number."""
        first_kept = floor_to_width(since, DAY)
        with self._database_file.write_transaction() as connection:
            deleted_rows = connection.execute(
                "delete from settled where window_start < ? returning epoch_ms(window_start)",
                [first_kept],
            ).fetchall()
            for tables in (*TABLES_BY_SOURCE.values(), {"revisions": "interval_start"}):
                for name, column in tables.items():
                    connection.execute(f"delete from {name} where {column} < ?", [first_kept])  # noqa: S608
        return len({row[0] for row in deleted_rows})

    def media_types(self, interval: Interval) -> list[str]:
        """Return the media types of the posted figures of *interval*, in alphabetical order."""
        table = self._query(
            load_store_sql("sql/media_types"), start=interval.start, end=interval.end
        )
        return cast("list[str]", table["media_type"].to_pylist())

    def agent_segments(self, agent_id: str, interval: Interval) -> pa.Table:
        """Return the segments of an agent that overlap *interval*, each once, oldest first.

        *start_ms* and *end_ms* are milliseconds since 1970, and may lie outside *interval*;
        *queue* is the name of the queue, or the id where no name is known.
        """
        return self._query(
            load_store_sql("sql/agent_segments"),
            first=floor_to_width(interval.start, DAY),
            last=interval.end,
            agent=agent_id,
            start=epoch_ms(interval.start),
            end=epoch_ms(interval.end),
        )

    def _query(self, sql: str, **values: object) -> pa.Table:
        """Return the answer to *sql*, which can only read.

        Only modules of `halfhour.store` call it: others ask a method that has a name.
        """
        with self._database_file.open_for_reading() as connection:
            return connection.sql(sql, params=values).to_arrow_table()


def _open_arrow_file(path: Path) -> Any:
    """Return the rows of an Arrow file for DuckDB, which has no access to files of its own."""
    import pyarrow.dataset as ds  # imported late, because reports do without it

    return ds.dataset(path, format="ipc")
