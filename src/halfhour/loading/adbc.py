"""Load into a database by ADBC: a window and its row in the ledger in one transaction."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa
from adbc_driver_manager import Error as AdbcError

from halfhour.errors import AuthError, ConfigError, HalfhourError, Unreachable, WriteError
from halfhour.loading import sql
from halfhour.loading.destination import Address, TableChange
from halfhour.loading.tables import ALL_TABLES, LoadedTable, Slice, without_nul
from halfhour.redaction import register_secret


@contextmanager
def open_database(address: Address) -> Iterator["Database"]:
    """Give the database at *address* until the block ends; what is not committed is undone.

    Raises AuthError, Unreachable or ConfigError.
    """
    kinds: Mapping[str, type[Database]] = {
        "postgresql": PostgresqlDatabase,
        "snowflake": SnowflakeDatabase,
        "bigquery": BigqueryDatabase,
    }
    kind = kinds[address.kind]
    with explained_errors(address):
        connection = kind.connect(address)
    try:
        yield kind(connection, address)
    finally:
        # A failed transaction is undone by the end of its connection, too.
        connection.close()


class Database:
    """A database that takes Arrow tables over an ADBC *connection*."""

    dialect: sql.Dialect

    def __init__(self, connection: Any, address: Address) -> None:
        self.connection = connection
        self.address = address
        self.schema = address.schema

    @classmethod
    def connect(cls, address: Address) -> Any:
        """Return an open connection of the driver."""
        raise NotImplementedError

    def find_missing_tables(self) -> Sequence[LoadedTable]:
        """Return the tables that are missing. Raises ConfigError if one has other columns."""
        with explained_errors(self.address):
            columns = self.read(sql.list_columns_statement(self.dialect, self.schema))
        rows = zip(*(column.to_pylist() for column in columns.columns), strict=True)
        missing, difference = sql.find_differing_table(self.dialect, rows, ALL_TABLES)
        if difference:
            raise ConfigError(
                f"{self.address}: {difference}; name another ⟨schema⟩, or drop its tables and load "
                "them again"
            )
        return missing

    def create_tables(self, tables: Sequence[LoadedTable]) -> None:
        """Create *tables*, with the meaning of each column."""
        with explained_errors(self.address), self.transaction():
            self.create_schema()
            for table in tables:
                for statement in sql.create_table_statements(self.dialect, self.schema, table):
                    self.run(statement)
                self.index_table(table)

    def create_schema(self) -> None:
        """Create the schema if it is missing."""
        self.run(f"create schema if not exists {self.dialect.quote_name(self.schema)}")

    def index_table(self, table: LoadedTable) -> None:
        """Make the rows of a window quick to find, where the database does not do so itself."""

    def try_lock(self, organization_id: str) -> bool:
        """Return true: the database has no locks that end with a connection."""
        return True

    def read_rows(self, table: LoadedTable, rows: Slice) -> pa.Table:
        """Return *rows* of a table that is there, in the columns of its schema."""
        with explained_errors(self.address):
            answer = self.read(sql.select_rows_statement(self.dialect, self.schema, table, rows))
        return answer.rename_columns(table.full_schema.names).cast(table.full_schema)

    def apply_changes(self, changes: Sequence[TableChange]) -> None:
        """Apply all *changes* in one transaction."""
        raise NotImplementedError

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block does, or undo it if it raises, an interrupt included."""
        try:
            yield
            self.connection.commit()
        except BaseException:
            with suppress(AdbcError):  # the first error tells more
                self.connection.rollback()
            raise

    def read(self, statement: str) -> pa.Table:
        """Return the answer to a query that is a transaction of its own."""
        with self.transaction():
            return self.query(statement)

    def query(self, statement: str) -> pa.Table:
        """Return the answer to a query."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetch_arrow_table()

    def run(self, statement: str) -> None:
        """Run a statement that has no answer."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement)


class StagingDatabase(Database):
    """A database in which rows come in by tables of their own, before the transaction.

    To write a table's rows ends a transaction there, or cannot be a part of one.
    """

    def stage_rows(self, change: TableChange) -> None:
        """Write the rows of *change* into a table of their own, if there are any."""
        if not change.rows.num_rows:
            return
        fold = str.upper if self.dialect.folds_to_upper else str
        with self.connection.cursor() as cursor:
            cursor.adbc_ingest(
                fold(staged_name(change)),
                change.rows.rename_columns([fold(name) for name in change.rows.column_names]),
                mode="replace",
                db_schema_name=fold(self.schema),
            )

    def staged_statements(self, changes: Sequence[TableChange]) -> Iterator[str]:
        """Yield the statements of the transaction, after the rows are staged."""
        for change in changes:
            yield sql.delete_statement(self.dialect, self.schema, change.table, change.replaced)
            if change.rows.num_rows:
                staged = staged_name(change)
                yield sql.insert_statement(self.dialect, self.schema, change.table, staged)

    def drop_statements(self, changes: Sequence[TableChange]) -> Iterator[str]:
        """Yield the statements that drop the tables of staged rows."""
        for change in changes:
            if change.rows.num_rows:
                yield sql.drop_statement(self.dialect, self.schema, staged_name(change))


def staged_name(change: TableChange) -> str:
    """Return the name of the table of staged rows, which organisations do not share."""
    organization = change.replaced.equal["organization_id"]
    return f"incoming_{change.table.name}_{sha256(organization.encode()).hexdigest()[:8]}"


class PostgresqlDatabase(Database):
    """A PostgreSQL database: rows come in by COPY, within the transaction."""

    dialect = sql.POSTGRESQL

    @classmethod
    def connect(cls, address: Address) -> Any:
        """Return an open connection; libpq reads PGPASSWORD and ~/.pgpass itself."""
        from adbc_driver_postgresql import dbapi

        if password := os.environ.get("PGPASSWORD"):
            register_secret(password)
        return dbapi.connect(f"postgresql:{address.place}")

    def create_schema(self) -> None:
        """Create the schema if it is missing."""
        # Two loads that create a table at once would fail; and `if not exists` takes the right to
        # create a schema even where it exists.
        self.query("select pg_advisory_xact_lock(hashtextextended('halfhour tables', 0))::text")
        name = self.dialect.quote_text(self.schema)
        if not self.query(f"select 1 from pg_namespace where nspname = {name}").num_rows:  # noqa: S608
            super().create_schema()

    def index_table(self, table: LoadedTable) -> None:
        """Create an index on the columns by which a window is deleted."""
        self.run(sql.create_index_statement(self.schema, table))

    def try_lock(self, organization_id: str) -> bool:
        """Return whether this connection now has the lock of the organisation in the schema."""
        key = self.dialect.quote_text(f"halfhour {self.schema} {organization_id}")
        with explained_errors(self.address):
            answer = self.read(f"select pg_try_advisory_lock(hashtextextended({key}, 0))")
        return bool(answer.column(0)[0].as_py())

    def apply_changes(self, changes: Sequence[TableChange]) -> None:
        """Apply all *changes* in one transaction."""
        with explained_errors(self.address), self.transaction():
            for change in changes:
                self.run(
                    sql.delete_statement(self.dialect, self.schema, change.table, change.replaced)
                )
                if change.rows.num_rows:
                    with self.connection.cursor() as cursor:
                        cursor.adbc_ingest(
                            change.table.name,
                            without_nul(change.rows),
                            mode="append",
                            db_schema_name=self.schema,
                        )


class SnowflakeDatabase(StagingDatabase):
    """A Snowflake database: rows come in by tables of their own, as COPY ends a transaction."""

    dialect = sql.SNOWFLAKE

    @classmethod
    def connect(cls, address: Address) -> Any:
        """Return an open connection, with the password or the key that the environment names."""
        from adbc_driver_snowflake import dbapi

        return dbapi.connect(db_kwargs=snowflake_options(address, os.environ))

    def apply_changes(self, changes: Sequence[TableChange]) -> None:
        """Apply all *changes* in one transaction, after their rows are staged."""
        with explained_errors(self.address):
            with self.transaction():
                for change in changes:
                    self.stage_rows(change)
            with self.transaction():
                for statement in self.staged_statements(changes):
                    self.run(statement)
            with self.transaction():
                for statement in self.drop_statements(changes):
                    self.run(statement)


class BigqueryDatabase(StagingDatabase):
    """A BigQuery project, whose transactions are scripts: rows come in by tables of their own."""

    dialect = sql.BIGQUERY

    @classmethod
    def connect(cls, address: Address) -> Any:
        """Return an open connection, with the credentials of the environment."""
        from adbc_driver_bigquery import dbapi

        return dbapi.connect(db_kwargs=bigquery_options(address), autocommit=True)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do nothing: statements that define tables commit themselves."""
        yield

    def apply_changes(self, changes: Sequence[TableChange]) -> None:
        """Apply all *changes* by one script, after their rows are staged."""
        with explained_errors(self.address):
            for change in changes:
                self.stage_rows(change)
            self.run(bigquery_script(self.staged_statements(changes)))
            for statement in self.drop_statements(changes):
                self.run(statement)


def bigquery_script(statements: Iterable[str]) -> str:
    """Return the script that runs *statements* in one transaction, which an error undoes."""
    return ";\n".join(("begin transaction", *statements, "commit transaction", ""))


def snowflake_options(address: Address, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the options of Snowflake's driver for *address*. Raises ConfigError."""
    url = urlsplit(f"snowflake:{address.place}")
    query = {name: values[-1] for name, values in parse_qs(url.query).items()}
    database = unquote(url.path.strip("/"))
    if not (url.username and url.hostname and database):
        raise ConfigError(
            "the destination is incomplete; write snowflake://USER@ACCOUNT/DATABASE?warehouse=NAME"
        )
    options = {
        "username": unquote(url.username),
        "adbc.snowflake.sql.account": url.hostname,
        "adbc.snowflake.sql.db": database,
        **{f"adbc.snowflake.sql.{name}": query[name] for name in ("warehouse", "role")
           if name in query},
    }  # fmt: skip
    if password := environment.get("SNOWFLAKE_PASSWORD"):
        register_secret(password)
        return {**options, "password": password}
    if key_file := environment.get("SNOWFLAKE_PRIVATE_KEY_FILE"):
        return {
            **options,
            "adbc.snowflake.sql.auth_type": "auth_jwt",
            "adbc.snowflake.sql.client_option.jwt_private_key": key_file,
        }
    raise AuthError("set SNOWFLAKE_PASSWORD, or SNOWFLAKE_PRIVATE_KEY_FILE with the path of a key")


def bigquery_options(address: Address) -> dict[str, str]:
    """Return the options of BigQuery's driver for *address*; it finds credentials itself."""
    return {
        "adbc.bigquery.sql.project_id": urlsplit(f"bigquery:{address.place}").netloc,
        "adbc.bigquery.sql.dataset_id": address.schema,
    }


CANCELLED = re.compile(r"canceling statement due to user request|context canceled")
"""Parts of errors of a statement that an interrupt has cancelled."""
REFUSED = re.compile(
    r"password|authentication|pg_hba\.conf|permission denied|not authorized|access denied|"
    r"insufficient privileges|Unauthenticated|role \"[^\"]*\" does not exist|\b40[13]\b",
    re.IGNORECASE,
)
"""Parts of errors of a database that refuses the user."""
UNREACHABLE = re.compile(
    r"\[libpq\] Failed to connect|could not connect|connection refused|no such host|timed? ?out|"
    r"server closed the connection|terminating connection|connection to server|"
    r"no connection to the server",
    re.IGNORECASE,
)
"""Parts of errors of a database that does not answer."""
WRONG_ADDRESS = re.compile(
    r"FATAL:.*database \"|invalid (integer value|port|URI|connection option)|"
    r"database \"[^\"]*\" does not exist|unrecognized configuration parameter|missing \"=\"",
    re.IGNORECASE,
)
"""Parts of errors of an address that leads to no database."""


def explain_error(address: Address, error: Exception) -> HalfhourError:
    """Return what an *error* of a driver means and what to do."""
    text = str(error).split("\n", maxsplit=1)[0].split(" Query was:")[0]
    reason = re.sub(r"^[A-Z_]+: (\[[a-z]+\] )?", "", text).strip().rstrip(".")
    if REFUSED.search(text):
        return AuthError(
            f"{address}: {reason}; check the user and the password in the environment, and the "
            "user's rights on the database and the schema"
        )
    if WRONG_ADDRESS.search(text):
        return ConfigError(f"{address}: {reason}; check the destination")
    if UNREACHABLE.search(text):
        return Unreachable(
            f"{address}: {reason}; check the address, and run it again: days that were loaded stay"
        )
    return WriteError(
        f"{address}: {reason}; days that were loaded stay, and running it again loads the others"
    )


@contextmanager
def explained_errors(address: Address) -> Iterator[None]:
    """Raise the errors of a driver as a HalfhourError.

    A cancelled statement is a KeyboardInterrupt: while one runs, the driver takes SIGINT, cancels
    the statement and passes on nothing but the database's error.
    """
    try:
        yield
    except AdbcError as error:
        if CANCELLED.search(str(error)):
            raise KeyboardInterrupt from error
        raise explain_error(address, error) from error
