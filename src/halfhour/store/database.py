"""The file of a store: one DuckDB database, of a version that is known here.

DuckDB lets one process write, or several read. So each step opens the file,
does one transaction and closes it, and waits its turn. It is opened without access to any
other file, as somebody else may have made it.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import duckdb

from halfhour.errors import StoreBusy, StoreError
from halfhour.model.coverage import DAY
from halfhour.model.intervals import MILLISECOND, Interval, epoch_ms, floored

VERSION = 5
MAGIC = b"DUCK"
WAIT = 30.0
"""Seconds to wait for another process that has the file open."""
PAUSE = 0.02
STORE = {("settings", "name"), ("settings", "value"), ("settled", "window_start")}
"""Columns that a database has to have to be taken for a store, of whatever version."""
TABLES = {"settings", "posted", "settled", "revisions", "names", "segments", "emitted", "status"}
"""Tables that a store of this version has."""
LEAST_BYTES = 3 * 4096
"""A database of DuckDB is larger: so small a file is one whose making was cut short."""
CONFIG: Mapping[str, str | bool | int | float | list[str]] = {"enable_external_access": "false"}
BUSY = ("Could not set lock", "different configuration", "file handle conflict")
"""What DuckDB says where another process has the file open, or this one for something else."""

DAMAGED = (
    "the file is damaged; put a copy in its place, or move it away and sync again from its first "
    "day"
)

Connection = duckdb.DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Database:
    """The file at *path*; it need not exist before it is migrated.

    While it is *kept* open for reading, all that is read is read from there.
    """

    path: Path
    wait: float = WAIT
    kept: Connection | None = None

    @property
    def version(self) -> int:
        """That of the store in the file; 0 if there is none yet. Raises StoreError."""
        if self.kept:
            return VERSION
        self._refuse_other_files()
        if not self._is_made:
            return 0
        with self._opened(read_only=True) as connection:
            return _version(connection, self.path)

    def migrate(self, settings: Mapping[str, str]) -> None:
        """Make sure that there is a store, of this version; a new one gets these *settings*.

        A new one is made aside and renamed, so that it is there whole or not at all.
        Raises StoreError, as all that follows does.
        """
        self._refuse_other_files()
        if self._is_made:
            self._upgrade(settings)
            return
        place = self.path.resolve()
        aside = replace(self, path=place.with_name(f".{place.name}.new"))
        try:
            aside._remove()  # what one that was killed has left, its log too
            aside._upgrade(settings)
            aside.path.replace(place)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be made ({error.strerror})") from error
        except StoreError as error:
            raise StoreError(str(error).replace(str(aside.path), str(self.path))) from error
        finally:
            with suppress(OSError):
                aside._remove()

    def _remove(self) -> None:
        """Remove the file and its log, as far as they are there. Raises OSError."""
        for ending in ("", ".wal"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)

    def _upgrade(self, settings: Mapping[str, str]) -> None:
        with self._opened(read_only=False) as connection:
            version = _version(connection, self.path)
            for number in range(version + 1, VERSION + 1):
                connection.execute("begin")
                connection.execute(sql_text(f"migrations/{number:04}"))
                connection.execute(
                    "insert or replace into settings values ('version', ?)", [str(number)]
                )
                if number == 1:
                    connection.executemany(
                        "insert into settings values (?, ?)",
                        [list(each) for each in settings.items()],
                    )
                connection.execute("commit")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        if self.kept:
            yield self.kept
            return
        self._refuse_other_files()
        if not self.path.exists():
            raise StoreError(f"{self.path}: there is no store; 'halfhour sync' makes one")
        empty = StoreError(f"{self.path}: the store is empty; run 'halfhour sync'")
        if not self._is_made:
            raise empty
        with self._opened(read_only=True) as connection:
            version = _version(connection, self.path)
            if version == 0:
                raise empty
            if version < VERSION:
                raise StoreError(
                    f"{self.path}: an older halfhour made this store; run 'halfhour sync' to "
                    "bring it up to date"
                )
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
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
                return duckdb.connect(str(self.path), read_only=read_only, config=dict(CONFIG))
            except duckdb.Error as error:
                if not any(sign in str(error) for sign in BUSY):
                    raise
                if time.monotonic() >= until:
                    raise StoreBusy(f"{self.path}: {_reason(error)}") from error
            time.sleep(PAUSE)

    @property
    def _is_made(self) -> bool:
        """Tell whether there is a database, and not only the beginning of one."""
        try:
            return self.path.stat().st_size > LEAST_BYTES or Path(f"{self.path}.wal").exists()
        except OSError:
            return self.path.exists()

    def _refuse_other_files(self) -> None:
        try:
            with self.path.open("rb") as file:
                head = file.read(12)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be opened ({error.strerror})") from error
        if head and head[8:] != MAGIC:  # an empty one may be a store that is being made
            raise StoreError(f"{self.path}: this file is no halfhour store; name another")


def _version(connection: Connection, path: Path) -> int:
    """The version of the store that is there; 0 for an empty file. Raises StoreError."""
    columns = set(
        connection.execute(
            "select table_name, column_name from duckdb_columns() where not internal "
            "and table_name in (select table_name from duckdb_tables())"
        ).fetchall()
    )
    if not columns:
        return 0
    found = (
        connection.execute(
            "select try_cast(value as integer) from settings where name = 'version'"
        ).fetchall()
        if columns >= STORE
        else []
    )
    if not found or found[0][0] is None:
        raise StoreError(f"{path}: this DuckDB database is no halfhour store; name another")
    ((version,),) = found
    if version > VERSION:
        raise StoreError(
            f"{path}: a newer halfhour made this store (version {version}, this one knows "
            f"{VERSION}); install a newer halfhour to use it"
        )
    if version == VERSION and (lacking := TABLES - {table for table, _ in columns}):
        raise StoreError(f"{path}: the table {min(lacking)} is missing; {DAMAGED}")
    return int(version)


def sql_text(name: str) -> str:
    """Return a text of this room, such as `sql/revise` or `migrations/0001`."""
    return (files("halfhour.store") / f"{name}.sql").read_text(encoding="utf-8")


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
    "different configuration": "this program is writing to it; try again when that is done",
    "file handle conflict": "this program is opening it; try again",
    "No space left": "the disk is full; what was settled before is as it was",
    "File too large": "the file may not grow so large; what was settled before is as it was",
    "Read-only file system": "it is on a disk that cannot be written to",
    "Permission denied": "it may not be written to (permission denied)",
    "No such file or directory": "there is no such folder",
    "Corrupt database": DAMAGED,
    "Could not read enough bytes": DAMAGED,
    "newer": "a newer DuckDB wrote this file; install a newer halfhour to use it",
}


def cut(interval: Interval, width: timedelta) -> dict[str, object]:
    """What the SQL that cuts segments takes: which windows, and which intervals of them."""
    return {
        "first": floored(interval.start, DAY),
        "last": interval.end,
        "start_ms": epoch_ms(interval.start),
        "end_ms": epoch_ms(interval.end),
        "width": width // MILLISECOND,
    }
