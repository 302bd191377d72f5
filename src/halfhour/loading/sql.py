"""Write the SQL of a load in the dialects of PostgreSQL, Snowflake and BigQuery."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import pyarrow as pa

from halfhour.loading.tables import LoadedTable, Slice
from halfhour.model.intervals import to_utc

TypeWord = Literal["text", "timestamp", "integer", "boolean"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """The words in which a database differs from the others.

    *listed_types* are the names of *types* in the list of columns that the database keeps.
    *quote* stands around names; *folds_to_upper* is true where names are upper case unless quoted.
    *escapes_backslash* is true where a text may hold escapes. *moment* is the form
    of a time. *options_of_column* is the form of a column's comment in its definition, empty
    where comments are statements of their own; *options_of_table* is that of a table.
    """

    name: str
    types: Mapping[TypeWord, str]
    listed_types: Mapping[TypeWord, str]
    quote: str = '"'
    folds_to_upper: bool = False
    escapes_backslash: bool = False
    moment: str = "cast({text} as {timestamp})"
    options_of_column: str = ""
    options_of_table: str = ""

    def quote_name(self, *parts: str) -> str:
        """Return a name with its schema, as statements write it."""
        cased = [part.upper() if self.folds_to_upper else part for part in parts]
        return ".".join(f"{self.quote}{part}{self.quote}" for part in cased)

    def quote_text(self, text: str) -> str:
        """Return *text* as a literal."""
        if self.escapes_backslash:
            text = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
            return f"'{text}'"
        return "'{}'".format(text.replace("'", "''"))

    def quote_moment(self, moment: datetime) -> str:
        """Return *moment* as a literal in UTC."""
        text = self.quote_text(f"{to_utc(moment):%Y-%m-%dT%H:%M:%S.%fZ}")
        return self.moment.format(text=text, timestamp=self.types["timestamp"])


def type_word(kind: pa.DataType) -> TypeWord:
    """Return the word for Arrow's type *kind*, by which a dialect calls its own."""
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_boolean(kind):
        return "boolean"
    return "integer" if pa.types.is_integer(kind) else "text"


POSTGRESQL = Dialect(
    "postgresql",
    types={"text": "text", "timestamp": "timestamptz", "integer": "bigint", "boolean": "boolean"},
    listed_types={
        "text": "text",
        "timestamp": "timestamp with time zone",
        "integer": "bigint",
        "boolean": "boolean",
    },
)
DELTA = replace(POSTGRESQL, name="delta", moment="{text}")
"""The dialect of predicates of Delta tables, which compare times with plain text."""
SNOWFLAKE = Dialect(
    "snowflake",
    types={
        "text": "varchar",
        "timestamp": "timestamp_tz",
        "integer": "bigint",
        "boolean": "boolean",
    },
    listed_types={
        "text": "text",
        "timestamp": "timestamp_tz",
        "integer": "number",
        "boolean": "boolean",
    },
    folds_to_upper=True,
    escapes_backslash=True,
    options_of_column=" comment {text}",
    options_of_table=" comment = {text}",
)
BIGQUERY = Dialect(
    "bigquery",
    types={"text": "string", "timestamp": "timestamp", "integer": "int64", "boolean": "bool"},
    listed_types={
        "text": "string",
        "timestamp": "timestamp",
        "integer": "int64",
        "boolean": "bool",
    },
    quote="`",
    escapes_backslash=True,
    options_of_column=" options (description = {text})",
    options_of_table=" options (description = {text})",
)


def create_table_statements(dialect: Dialect, schema: str, table: LoadedTable) -> Iterator[str]:
    """Yield the statements that create *table* in *schema* and describe it and its columns."""
    name = dialect.quote_name(schema, table.name)
    meanings = table.column_meanings

    def define_column(field: pa.Field) -> str:
        null = "" if field.nullable else " not null"
        options = dialect.options_of_column.format(text=dialect.quote_text(meanings[field.name]))
        kind = dialect.types[type_word(field.type)]
        return f"{dialect.quote_name(field.name)} {kind}{null}{options}"

    columns = ", ".join(map(define_column, table.full_schema))
    options = dialect.options_of_table.format(text=dialect.quote_text(table.meaning))
    yield f"create table if not exists {name} ({columns}){options}"
    if not dialect.options_of_column:
        yield from _comment_statements(dialect, name, table)


def _comment_statements(dialect: Dialect, name: str, table: LoadedTable) -> Iterator[str]:
    yield f"comment on table {name} is {dialect.quote_text(table.meaning)}"
    for column, meaning in table.column_meanings.items():
        quoted = f"{name}.{dialect.quote_name(column)}"
        yield f"comment on column {quoted} is {dialect.quote_text(meaning)}"


def create_index_statement(schema: str, table: LoadedTable) -> str:
    """Return the statement that makes PostgreSQL find the rows of a window of *table* quickly."""
    columns = ["organization_id", *([table.placed_by] if table.placed_by else [])]
    name = POSTGRESQL.quote_name(f"{table.name}_by_window")
    return (
        f"create index if not exists {name} on {POSTGRESQL.quote_name(schema, table.name)} "
        f"({', '.join(map(POSTGRESQL.quote_name, columns))})"
    )


def write_condition(dialect: Dialect, rows: Slice) -> str:
    """Return the condition that *rows* meet and no other rows of their table."""
    terms = [
        f"{dialect.quote_name(column)} = {dialect.quote_text(value)}"
        for column, value in rows.equal.items()
    ]
    if rows.start and rows.end:
        place = dialect.quote_name(rows.placed_by)
        terms.append(f"{place} >= {dialect.quote_moment(rows.start)}")
        terms.append(f"{place} < {dialect.quote_moment(rows.end)}")
    return " and ".join(terms)


def delete_statement(dialect: Dialect, schema: str, table: LoadedTable, rows: Slice) -> str:
    """Return the statement that deletes *rows* of *table*."""
    name = dialect.quote_name(schema, table.name)
    return f"delete from {name} where {write_condition(dialect, rows)}"  # noqa: S608


def insert_statement(dialect: Dialect, schema: str, table: LoadedTable, staged: str) -> str:
    """Return the statement that inserts all rows of the table *staged* into *table*."""
    columns = ", ".join(map(dialect.quote_name, table.full_schema.names))
    source, target = dialect.quote_name(schema, staged), dialect.quote_name(schema, table.name)
    return f"insert into {target} ({columns}) select {columns} from {source}"  # noqa: S608


def drop_statement(dialect: Dialect, schema: str, name: str) -> str:
    """Return the statement that drops the table *name*, if it is there."""
    return f"drop table if exists {dialect.quote_name(schema, name)}"


def select_rows_statement(dialect: Dialect, schema: str, table: LoadedTable, rows: Slice) -> str:
    """Return the query for *rows* of *table*, in the order of its columns."""
    columns = ", ".join(map(dialect.quote_name, table.full_schema.names))
    name = dialect.quote_name(schema, table.name)
    return f"select {columns} from {name} where {write_condition(dialect, rows)}"  # noqa: S608


def list_columns_statement(dialect: Dialect, schema: str) -> str:
    """Return the query for the table, the name and the type of every column in *schema*."""
    place = "information_schema"
    if dialect is BIGQUERY:
        place = f"{dialect.quote_name(schema)}.INFORMATION_SCHEMA"
    listed = schema.upper() if dialect.folds_to_upper else schema
    return (
        f"select table_name, column_name, data_type from {place}.columns "  # noqa: S608
        f"where table_schema = {dialect.quote_text(listed)} order by table_name, ordinal_position"
    )


def find_differing_table(
    dialect: Dialect, columns: Iterable[tuple[str, str, str]], tables: Iterable[LoadedTable]
) -> tuple[list[LoadedTable], str]:
    """Return the *tables* that are missing, and the difference of one that has other columns.

    *columns* are the answer to `list_columns_statement`. The difference is empty if there is none.
    """
    listed: dict[str, dict[str, str]] = {}
    for table_name, column, kind in columns:
        listed.setdefault(table_name.lower(), {})[column.lower()] = kind.lower()
    missing = []
    for table in tables:
        present = listed.get(table.name)
        if present is None:
            missing.append(table)
            continue
        wanted = {
            field.name: dialect.listed_types[type_word(field.type)] for field in table.full_schema
        }
        for column in sorted(wanted.keys() | present.keys()):
            if wanted.get(column) != present.get(column):
                return missing, (
                    f"the table {table.name} has other columns than this halfhour writes ("
                    f"{column}: {present.get(column, 'missing')} there, "
                    f"{wanted.get(column, 'none')} here)"
                )
    return missing, ""
