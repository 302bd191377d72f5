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
from halfhour.model.intervals import MILLISECOND, Interval, epoch_ms, floor_to_width

STORE_VERSION = 5
DUCKDB_MAGIC = b"DUCK"
BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process that has the file open."""
RETRY_PAUSE = 0.02
REQUIRED_COLUMNS = {("settings", "name"), ("settings", "value"), ("settled", "window_start")}
"""Columns that a database has to have to be taken for a store, of whatever version."""
REQUIRED_TABLES = {
    "settings",
    "posted",
    "settled",
    "revisions",
    "names",
    "segments",
    "emitted",
    "status",
}
"""Tables that a store of this version has."""
MIN_DATABASE_BYTES = 3 * 4096
"""A database of DuckDB is larger: so small a file is one whose making was cut short."""
CONNECTION_CONFIG: Mapping[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false"
}
BUSY_MESSAGES = ("Could not set lock", "different configuration", "file handle conflict")
"""What DuckDB says where another process has the file open, or this one for something else."""

DAMAGED_ADVICE = (
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
    busy_timeout: float = BUSY_TIMEOUT
    open_connection: Connection | None = None

    @property
    def store_version(self) -> int:
        """That of the store in the file; 0 if there is none yet. Raises StoreError."""
        if self.open_connection:
            return STORE_VERSION
        self._refuse_other_files()
        if not self._is_initialized:
            return 0
        with self._open_connection(read_only=True) as connection:
            return _read_version(connection, self.path)

    def create_or_migrate(self, settings: Mapping[str, str]) -> None:
        """Make sure that there is a store, of this version; a new one gets these *settings*.

        A new one is made aside and renamed, so that it is there whole or not at all.
        Raises StoreError, as all that follows does.
        """
        self._refuse_other_files()
        if self._is_initialized:
            self._apply_migrations(settings)
            return
        place = self.path.resolve()
        aside = replace(self, path=place.with_name(f".{place.name}.new"))
        try:
            aside._remove_files()  # what one that was killed has left, its log too
            aside._apply_migrations(settings)
            aside.path.replace(place)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be made ({error.strerror})") from error
        except StoreError as error:
            raise StoreError(str(error).replace(str(aside.path), str(self.path))) from error
        finally:
            with suppress(OSError):
                aside._remove_files()

    def _remove_files(self) -> None:
        """Remove the file and its log, as far as they are there. Raises OSError."""
        for ending in ("", ".wal"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)

    def _apply_migrations(self, settings: Mapping[str, str]) -> None:
        with self._open_connection(read_only=False) as connection:
            version = _read_version(connection, self.path)
            for number in range(version + 1, STORE_VERSION + 1):
                connection.execute("begin")
                connection.execute(load_store_sql(f"migrations/{number:04}"))
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
    def open_for_reading(self) -> Iterator[Connection]:
        if self.open_connection:
            yield self.open_connection
            return
        self._refuse_other_files()
        if not self.path.exists():
            raise StoreError(f"{self.path}: there is no store; 'halfhour sync' makes one")
        empty = StoreError(f"{self.path}: the store is empty; run 'halfhour sync'")
        if not self._is_initialized:
            raise empty
        with self._open_connection(read_only=True) as connection:
            version = _read_version(connection, self.path)
            if version == 0:
                raise empty
            if version < STORE_VERSION:
                raise StoreError(
                    f"{self.path}: an older halfhour made this store; run 'halfhour sync' to "
                    "bring it up to date"
                )
            yield connection

    @contextmanager
    def write_transaction(self) -> Iterator[Connection]:
        with self._open_connection(read_only=False) as connection:
            connection.execute("begin")
            yield connection
            connection.execute("commit")

    @contextmanager
    def _open_connection(self, *, read_only: bool) -> Iterator[Connection]:
        try:
            connection = self._connect_when_free(read_only=read_only)
            try:
                connection.execute("set TimeZone = 'UTC'")
                yield connection
            finally:
                connection.close()
        except duckdb.Error as error:
            raise StoreError(f"{self.path}: {_explain_error(error)}") from error

    def _connect_when_free(self, *, read_only: bool) -> Connection:
        until = time.monotonic() + self.busy_timeout
        while True:
            try:
                return duckdb.connect(
                    str(self.path), read_only=read_only, config=dict(CONNECTION_CONFIG)
                )
            except duckdb.Error as error:
                if not any(sign in str(error) for sign in BUSY_MESSAGES):
                    raise
                if time.monotonic() >= until:
                    raise StoreBusy(f"{self.path}: {_explain_error(error)}") from error
            time.sleep(RETRY_PAUSE)

    @property
    def _is_initialized(self) -> bool:
        """Tell whether there is a database, and not only the beginning of one."""
        try:
            return (
                self.path.stat().st_size > MIN_DATABASE_BYTES or Path(f"{self.path}.wal").exists()
            )
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
        if head and head[8:] != DUCKDB_MAGIC:  # an empty one may be a store that is being made
            raise StoreError(f"{self.path}: this file is no halfhour store; name another")


def _read_version(connection: Connection, path: Path) -> int:
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
        if columns >= REQUIRED_COLUMNS
        else []
    )
    if not found or found[0][0] is None:
        raise StoreError(f"{path}: this DuckDB database is no halfhour store; name another")
    ((version,),) = found
    if version > STORE_VERSION:
        raise StoreError(
            f"{path}: a newer halfhour made this store (version {version}, this one knows "
            f"{STORE_VERSION}); install a newer halfhour to use it"
        )
    if version == STORE_VERSION and (lacking := REQUIRED_TABLES - {table for table, _ in columns}):
        raise StoreError(f"{path}: the table {min(lacking)} is missing; {DAMAGED_ADVICE}")
    return int(version)


def load_store_sql(name: str) -> str:
    """Return a text of this room, such as `sql/revise` or `migrations/0001`."""
    return (files("halfhour.store") / f"{name}.sql").read_text(encoding="utf-8")


def _explain_error(error: duckdb.Error) -> str:
    """What DuckDB's words mean, and what to do."""
    said = str(error).split("\n", maxsplit=1)[0]
    found = re.search(r"\(PID \d+\)", said)
    for sign, reason in ERROR_REASONS.items():
        if sign in said:
            return reason.format(holder=f" {found[0]}" if found else "")
    return said


ERROR_REASONS: Mapping[str, str] = {
    "Could not set lock": "another process{holder} has it open; try again when that is done",
    "different configuration": "this program is writing to it; try again when that is done",
    "file handle conflict": "this program is opening it; try again",
    "No space left": "the disk is full; what was settled before is as it was",
    "File too large": "the file may not grow so large; what was settled before is as it was",
    "Read-only file system": "it is on a disk that cannot be written to",
    "Permission denied": "it may not be written to (permission denied)",
    "No such file or directory": "there is no such folder",
    "Corrupt database": DAMAGED_ADVICE,
    "Could not read enough bytes": DAMAGED_ADVICE,
    "newer": "a newer DuckDB wrote this file; install a newer halfhour to use it",
}


def slice_parameters(interval: Interval, width: timedelta) -> dict[str, object]:
    """What the SQL that cuts segments takes: which windows, and which intervals of them."""
    return {
        "first": floor_to_width(interval.start, DAY),
        "last": interval.end,
        "start_ms": epoch_ms(interval.start),
        "end_ms": epoch_ms(interval.end),
        "width": width // MILLISECOND,
    }
