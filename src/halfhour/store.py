"""The store: one DuckDB file. Nothing but a settled window ever gets into it.

DuckDB lets one process write, or several read. So each step opens the file,
does one transaction and closes it, and waits its turn.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa

from halfhour.errors import StoreError
from halfhour.intervals import Interval, moment
from halfhour.tables import NAMES, POSTED, REVISIONS
from halfhour.windows import DAY, Settled

VERSION = 1
POSTED_SOURCE = "posted"
MAGIC = b"DUCK"
WAIT = 30.0
"""Seconds to wait for another process that has the file open."""
PAUSE = 0.02

Kind = Literal["agent", "queue"]
Connection = duckdb.DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Store:
    """The file at *path*; it need not exist before something is settled."""

    path: Path
    wait: float = WAIT

    @property
    def exists(self) -> bool:
        return self.path.exists()

    def create(self, settings: Mapping[str, str]) -> None:
        """Make sure that there is a store, of this version; a new one gets these *settings*.

        Raises StoreError, as all that follows does.
        """
        self._refuse_other_files()
        with self._transaction() as connection:
            version = _version(connection, self.path)
            for number in range(version + 1, VERSION + 1):
                connection.execute(_sql(f"{number:04}"))
                connection.execute(
                    "insert or replace into settings values ('version', ?)", [str(number)]
                )
            if version == 0:
                connection.executemany(
                    "insert into settings values (?, ?)", [list(each) for each in settings.items()]
                )

    def settings(self) -> dict[str, str]:
        """What the store was made with."""
        with self._reading() as connection:
            return dict(connection.execute("select name, value from settings").fetchall())

    def settled(self) -> list[Settled]:
        """The windows that are held, oldest first."""
        # As whole milliseconds: as moments they would need a library for time zones.
        with self._reading() as connection:
            rows = connection.execute(
                "select epoch_ms(window_start), epoch_ms(window_end), epoch_ms(read_at), row_count "
                "from settled where source = ? order by all",
                [POSTED_SOURCE],
            ).fetchall()
        return [
            Settled(Interval(moment(start), moment(end)), moment(read_at), count)
            for start, end, read_at, count in rows
        ]

    def settle(self, window: Interval, posted: pa.Table, read_at: datetime) -> int:
        """Hold *posted*, a `tables.POSTED`, and nothing else of the day of *window*.

        What it changes of what was held before is noted; how many figures.
        """
        with self._transaction() as connection:
            connection.register("incoming", posted)
            known = connection.execute(
                "select epoch_ms(window_end) from settled where source = ? and window_start = ?",
                [POSTED_SOURCE, window.start],
            ).fetchall()
            changed = sum(_revised(connection, window, moment(end), read_at) for (end,) in known)
            connection.execute(
                "delete from posted where interval_start >= ? and interval_start < ?",
                [window.start, window.start + DAY],
            )
            connection.execute("insert into posted by name select * from incoming")
            connection.execute(
                "delete from settled where source = ? and window_start = ?",
                [POSTED_SOURCE, window.start],
            )
            connection.execute(
                "insert into settled values (?, ?, ?, ?, ?)",
                [POSTED_SOURCE, window.start, window.end, read_at, posted.num_rows],
            )
        return changed

    def name(self, kind: Kind, names: Mapping[str, str | None], read_at: datetime) -> None:
        """Hold these *names* by id, as of *read_at*."""
        incoming = pa.table({"id": list(names), "name": pa.array(names.values(), pa.string())})
        with self._transaction() as connection:
            connection.register("incoming", incoming)
            connection.execute(
                "delete from names where kind = ? and id in (select id from incoming)", [kind]
            )
            connection.execute(
                "insert into names select ?, id, name, ? from incoming", [kind, read_at]
            )

    def unnamed(self, kind: Kind, before: datetime) -> list[str]:
        """Ids in posted rows whose name was not asked for since *before*."""
        with self._reading() as connection:
            rows = connection.execute(
                "select id from named where kind = $kind and id not in "
                "(select id from names where kind = $kind and read_at >= $before) order by id",
                {"kind": kind, "before": before},
            ).fetchall()
        return [row[0] for row in rows]

    def posted(self, interval: Interval) -> pa.Table:
        """`tables.POSTED` of *interval*, as far as it is held."""
        return self._table(
            "select * from posted where interval_start >= $start and interval_start < $end",
            start=interval.start,
            end=interval.end,
        ).cast(POSTED)

    def names(self, kind: Kind) -> pa.Table:
        """`tables.NAMES` of agents or queues."""
        return self._table(
            "select id, name from names where kind = $kind and name is not null order by id",
            kind=kind,
        ).cast(NAMES)

    def revisions(self, interval: Interval | None = None) -> pa.Table:
        """What was changed by reading it again, in *interval* or ever: `tables.REVISIONS`."""
        within = interval or Interval(moment(0), moment(2**47))
        return (
            self._table(
                "select revisions.*, names.name as agent_name from revisions "
                "left join names on names.kind = 'agent' and names.id = agent_id "
                "where interval_start >= $start and interval_start < $end "
                "order by read_at, interval_start, agent_id, queue_id, media_type, column_name",
                start=within.start,
                end=within.end,
            )
            .select(REVISIONS.names)
            .cast(REVISIONS)
        )

    def keep(self, since: datetime) -> int:
        """Let go of the windows that end by *since*, whole; how many."""
        with self._transaction() as connection:
            gone = connection.execute(
                "delete from settled where window_end <= ? returning epoch_ms(window_end)", [since]
            ).fetchall()
            if gone:
                end = moment(max(row[0] for row in gone))
                connection.execute("delete from posted where interval_start < ?", [end])
                connection.execute("delete from revisions where interval_start < ?", [end])
        return len(gone)

    def _table(self, sql: str, **values: object) -> pa.Table:
        with self._reading() as connection:
            return connection.sql(sql, params=values).to_arrow_table()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._refuse_other_files()
        if not self.exists:
            raise StoreError(f"{self.path}: there is no store; 'halfhour sync' makes one")
        with self._opened(read_only=True) as connection:
            if _version(connection, self.path) == 0:
                raise StoreError(f"{self.path}: the store is empty; run 'halfhour sync'")
            yield connection

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._opened(read_only=False) as connection:
            connection.execute("begin")
            yield connection
            connection.execute("commit")

    @contextmanager
    def _opened(self, *, read_only: bool) -> Iterator[Connection]:
        try:
            connection = self._connected(read_only=read_only)
            try:
                connection.execute("set TimeZone = 'UTC'")
                yield connection
            finally:
                connection.close()
        except duckdb.Error as error:
            raise StoreError(f"{self.path}: {_reason(error)}") from error

    def _connected(self, *, read_only: bool) -> Connection:
        until = time.monotonic() + self.wait
        while True:
            try:
                return duckdb.connect(str(self.path), read_only=read_only)
            except duckdb.IOException as error:
                if "Could not set lock" not in str(error) or time.monotonic() > until:
                    raise
            time.sleep(PAUSE)

    def _refuse_other_files(self) -> None:
        try:
            with self.path.open("rb") as file:
                head = file.read(12)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be opened ({error.strerror})") from error
        if head and head[8:] != MAGIC:
            raise StoreError(f"{self.path}: this file is no halfhour store; name another")


def _revised(
    connection: Connection, window: Interval, known_end: datetime, read_at: datetime
) -> int:
    values = {"window_start": window.start, "known_end": known_end, "read_at": read_at}
    ((count,),) = connection.execute(_sql("revise"), values).fetchall()
    return int(count)


def _version(connection: Connection, path: Path) -> int:
    """The version of the store that is there; 0 for an empty file. Raises StoreError."""
    tables = {
        row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()
    }
    if not tables:
        return 0
    found = (
        connection.execute("select value from settings where name = 'version'").fetchall()
        if {"settings", "settled"} <= tables
        else []
    )
    if not found:
        raise StoreError(f"{path}: this DuckDB database is no halfhour store; name another")
    ((version,),) = found
    if int(version) > VERSION:
        raise StoreError(
            f"{path}: a newer halfhour made this store (version {version}, this one knows "
            f"{VERSION}); install a newer halfhour to use it"
        )
    return int(version)


def _sql(name: str) -> str:
    return (files("halfhour") / "sql" / "store" / f"{name}.sql").read_text(encoding="utf-8")


def _reason(error: duckdb.Error) -> str:
    """What DuckDB's words mean, and what to do."""
    said = str(error).split("\n", maxsplit=1)[0]
    found = re.search(r"\(PID \d+\)", said)
    for sign, reason in REASONS.items():
        if sign in said:
            return reason.format(holder=f" {found[0]}" if found else "")
    return said


REASONS: Mapping[str, str] = {
    "Could not set lock": "another process{holder} has it open; try again when that is done",
    "No space left": "the disk is full; what was settled before is as it was",
    "Read-only file system": "it is on a disk that cannot be written to",
    "Permission denied": "it may not be written to (permission denied)",
    "No such file or directory": "there is no such folder",
    "newer": "a newer DuckDB wrote this file; install a newer halfhour to use it",
}
