"""Open, create and migrate the DuckDB file of a store.

DuckDB lets either one process write or several read. Each step therefore opens the file, does
one transaction and closes it, and waits while another process has it open. DuckDB gets no access
to any other file, because the database may come from somebody else.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import duckdb

from halfhour.errors import StoreBusy, StoreError
from halfhour.model.coverage import DAY
from halfhour.model.intervals import MILLISECOND, Interval, epoch_ms, floor_to_width
from halfhour.model.rules import detail_rules_hash, rule_text
from halfhour.model.tables import RAW_SCHEMAS

STORE_VERSION = 7
DETAIL_RULES = "detail_rules"
"""The setting with the hash of the rules by which the store's details were derived."""
RULES_RECORDED_SINCE = 6
"""The first version of a store with that setting. Its rules are those of version 5."""
DUCKDB_MAGIC = b"DUCK"
BUSY_TIMEOUT = 30.0
"""Seconds to wait while another process has the file open."""
RETRY_PAUSE = 0.02
TABLES_QUERY = "select table_name from duckdb_tables()"
VERSION_QUERY = (
    "select try_cast(value as integer) from settings "
    "where name = 'version' and not exists (select window_start from settled limit 0)"
)
"""Gives the version of a store of any version; other databases lack one of the columns."""
REQUIRED_TABLES = {
    "settings",
    "posted",
    "settled",
    "revisions",
    "names",
    "segments",
    "emitted",
    "status",
    *RAW_SCHEMAS,
}
"""Tables of a store of this version."""
MIN_DATABASE_BYTES = 3 * 4096
"""Size up to which a file is an interrupted creation: every DuckDB database is larger."""
CONNECTION_CONFIG: Mapping[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false"
}
BUSY_MESSAGES = ("Could not set lock", "different configuration", "file handle conflict")
"""Parts of DuckDB's errors if another process, or another thread of this one, has the file open."""

DAMAGED_ADVICE = (
    "the file is damaged; put a copy in its place, or move it away and sync again from its first "
    "day"
)

Connection = duckdb.DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Database:
    """The database file at *path*, which need not exist yet.

    If there is an *open_connection*, to the file or to a database in memory, it is used.
    """

    path: Path
    busy_timeout: float = BUSY_TIMEOUT
    open_connection: Connection | None = None

    @property
    def store_version(self) -> int:
        """The version of the store in the file; 0 if there is none yet. Raises StoreError."""
        if self.open_connection:
            return STORE_VERSION
        self._refuse_other_files()
        if not self._is_initialized:
            return 0
        with self._open_connection(read_only=True) as connection:
            return _read_version(connection, self.path)

    def create_or_migrate(self, settings: Mapping[str, str]) -> None:
        """Create a store with *settings*, or migrate the existing one to this version.

        A new store is created under another name and renamed, so it appears complete or not at
        all. Raises StoreError, as every method here does.
        """
        if self.open_connection:
            return
        self._refuse_other_files()
        if self._is_initialized:
            self._apply_migrations(settings)
            return
        final_path = self.path.resolve()
        draft = replace(self, path=final_path.with_name(f".{final_path.name}.new"))
        try:
            draft._remove_files()  # leftovers of a killed process, with the log
            draft._apply_migrations(settings)
            draft.path.replace(final_path)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be created ({error.strerror})") from error
        except StoreError as error:
            raise StoreError(str(error).replace(str(draft.path), str(self.path))) from error
        finally:
            with suppress(OSError):
                draft._remove_files()

    def _remove_files(self) -> None:
        """Remove the file and its log if they exist. Raises OSError."""
        for ending in ("", ".wal"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)

    def _apply_migrations(self, settings: Mapping[str, str]) -> None:
        with self._open_connection(read_only=False) as connection:
            _apply_migrations(connection, _read_version(connection, self.path), settings)

    @contextmanager
    def open_for_reading(self) -> Iterator[Connection]:
        """Give a read-only connection. Raises StoreError if there is no store of this version."""
        if self.open_connection:
            with self._open_connection(read_only=True) as connection:
                yield connection
            return
        self._refuse_other_files()
        if not self.path.exists():
            raise StoreError(f"{self.path}: there is no store; 'halfhour sync' makes one")
        empty_store = StoreError(f"{self.path}: the store is empty; run 'halfhour sync'")
        if not self._is_initialized:
            raise empty_store
        with self._open_connection(read_only=True) as connection:
            version = _read_version(connection, self.path)
            if version == 0:
                raise empty_store
            if version < STORE_VERSION:
                raise StoreError(
                    f"{self.path}: an older halfhour made this store; run 'halfhour sync' to "
                    "bring it up to date"
                )
            yield connection

    @contextmanager
    def write_transaction(self) -> Iterator[Connection]:
        """Give a connection in a transaction, which is committed unless the caller raises."""
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
            raise StoreError(f"{self.path}: {explain_error(error)}") from error

    def _connect_when_free(self, *, read_only: bool) -> Connection:
        if self.open_connection:
            return self.open_connection.cursor()
        deadline = time.monotonic() + self.busy_timeout
        while True:
            try:
                return duckdb.connect(
                    str(self.path), read_only=read_only, config=dict(CONNECTION_CONFIG)
                )
            except duckdb.Error as error:
                if not any(message in str(error) for message in BUSY_MESSAGES):
                    raise
                if time.monotonic() >= deadline:
                    raise StoreBusy(f"{self.path}: {explain_error(error)}") from error
            time.sleep(RETRY_PAUSE)

    @property
    def _is_initialized(self) -> bool:
        """Return whether the file is a database, and no interrupted creation of one."""
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
        if head and head[8:] != DUCKDB_MAGIC:  # an empty file may be a store in the making
            raise StoreError(f"{self.path}: this file is not a halfhour store; name another")


@contextmanager
def create_in_memory(
    settings: Mapping[str, str], overflow_folder: Path | None = None
) -> Iterator[Connection]:
    """Give the database of a new store with *settings* that has no file, until the block ends.

    What does not fit into memory goes into *overflow_folder*.
    """
    config = dict(CONNECTION_CONFIG)
    if overflow_folder:
        config["temp_directory"] = str(overflow_folder)
    with duckdb.connect(config=config) as connection:
        connection.execute("set TimeZone = 'UTC'")
        _apply_migrations(connection, 0, settings)
        yield connection


def _apply_migrations(connection: Connection, version: int, settings: Mapping[str, str]) -> None:
    """Migrate a store from *version*, 0 for a new one with *settings*, to this version."""
    for number in range(version + 1, STORE_VERSION + 1):
        connection.execute("begin")
        connection.execute(load_store_sql(f"migrations/{number:04}"))
        connection.execute("insert or replace into settings values ('version', ?)", [str(number)])
        if number == RULES_RECORDED_SINCE:
            connection.execute(
                "insert into settings values (?, ?)", [DETAIL_RULES, detail_rules_hash()]
            )
        if number == 1:
            connection.executemany(
                "insert into settings values (?, ?)",
                [list(setting) for setting in settings.items()],
            )
        connection.execute("commit")


def _read_version(connection: Connection, path: Path) -> int:
    """Return the version of the store; 0 for an empty database.

    Raises StoreError for a database that is not a store, is damaged or has a newer version.
    """
    tables = {name for (name,) in connection.execute(TABLES_QUERY).fetchall()}
    if not tables:
        return 0
    try:
        rows = connection.execute(VERSION_QUERY).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        rows = []
    if not rows or rows[0][0] is None:
        raise StoreError(f"{path}: this DuckDB database is not a halfhour store; name another")
    version = int(rows[0][0])
    if version > STORE_VERSION:
        raise StoreError(
            f"{path}: a newer halfhour made this store (version {version}; this halfhour reads "
            f"versions up to {STORE_VERSION}); install a newer halfhour to use it"
        )
    missing_tables = REQUIRED_TABLES - tables
    if version == STORE_VERSION and missing_tables:
        raise StoreError(f"{path}: the table {min(missing_tables)} is missing; {DAMAGED_ADVICE}")
    return version


def load_store_sql(name: str) -> str:
    """Return the text of an SQL file of this package, such as `sql/revise` or `migrations/0001`."""
    return (files("halfhour.store") / f"{name}.sql").read_text(encoding="utf-8")


def explain_error(error: duckdb.Error) -> str:
    """Return what an error of DuckDB means and what to do, or its first line if it is unknown."""
    first_line = str(error).split("\n", maxsplit=1)[0]
    process_id = re.search(r"\(PID \d+\)", first_line)
    for message, reason in ERROR_REASONS.items():
        if message in first_line:
            return reason.format(holder=f" {process_id[0]}" if process_id else "")
    return first_line


ERROR_REASONS: Mapping[str, str] = {
    "Could not set lock": "another process{holder} has it open; try again when that is done",
    "different configuration": "this program is writing to it; try again when that is done",
    "file handle conflict": "this program is opening it; try again",
    "No space left": "the disk is full; the stored data is unchanged",
    "File too large": "the file has reached its size limit; the stored data is unchanged",
    "Read-only file system": "it is on a read-only file system",
    "Permission denied": "it cannot be written to (permission denied)",
    "No such file or directory": "there is no such folder",
    "Corrupt database": DAMAGED_ADVICE,
    "Could not read enough bytes": DAMAGED_ADVICE,
    "newer": "a newer DuckDB wrote this file; install a newer halfhour to use it",
}


def segment_rule(name: str) -> str:
    """Return the SQL of the rule *name* of `model/sql` over the segments of a store."""
    return load_store_sql("sql/of_segments").replace("{rule}", rule_text(name))


def segment_parameters(
    interval: Interval,
    width: timedelta,
    *,
    agents: Sequence[str] | None = None,
    queues: Sequence[str] | None = None,
    media: Sequence[str] | None = None,
    voice_of_callback: bool = False,
) -> dict[str, object]:
    """Return the parameters of `segment_rule` for intervals of *width*; None means all."""
    return {
        "first": floor_to_width(interval.start, DAY),
        "last": interval.end,
        "start_ms": epoch_ms(interval.start),
        "end_ms": epoch_ms(interval.end),
        "width": width // MILLISECOND,
        "agents": agents,
        "queues": queues,
        "media": media,
        "voice_of_callback": voice_of_callback,
    }
