"""Load into the Iceberg tables of a namespace: atomic by table."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import AuthorizationExpiredError, ForbiddenError, UnauthorizedError
from pyiceberg.expressions import (
    And,
    BooleanExpression,
    EqualTo,
    GreaterThanOrEqual,
    LessThan,
)
from requests.exceptions import RequestException

from halfhour.errors import AuthError, ConfigError, HalfhourError, Unreachable, WriteError
from halfhour.loading.destination import TableChange
from halfhour.loading.tables import ALL_TABLES, LoadedTable, Slice, to_microseconds


@contextmanager
def open_iceberg(catalog: str, namespace: str) -> "Iterator[IcebergDestination]":
    """Give the destination in *namespace* of a *catalog* of pyiceberg's settings.

    Its connections are closed at the end of the block.
    """
    with _explained_errors(catalog):
        try:
            opened = load_catalog(catalog)
        except ValueError as error:
            raise ConfigError(
                f"the Iceberg catalog {catalog!r} is not configured; name it in ~/.pyiceberg.yaml "
                f"or set PYICEBERG_CATALOG__{catalog.upper()}__URI ({error})"
            ) from error
    with opened:
        yield IcebergDestination(opened, namespace)


class IcebergDestination:
    """The tables in *namespace* of *catalog*."""

    def __init__(self, catalog: Catalog, namespace: str) -> None:
        self.catalog = catalog
        self.namespace = namespace

    def find_missing_tables(self) -> Sequence[LoadedTable]:
        """Return the tables that are missing. Raises ConfigError if one has other columns."""
        missing = []
        with _explained_errors(self.namespace):
            for table in ALL_TABLES:
                if not self.catalog.table_exists((self.namespace, table.name)):
                    missing.append(table)
                    continue
                present = self._open_table(table).schema().as_arrow()
                wanted = to_microseconds(table.full_schema)
                if _plain_columns(present) != _plain_columns(wanted):
                    raise ConfigError(
                        f"the table {self.namespace}.{table.name} has other columns than this "
                        "halfhour writes; name another namespace, or drop it and load it again"
                    )
        return missing

    def create_tables(self, tables: Sequence[LoadedTable]) -> None:
        """Create *tables*, with the meaning of each column."""
        with _explained_errors(self.namespace):
            self.catalog.create_namespace_if_not_exists(self.namespace)
            for table in tables:
                fields = [
                    field.with_metadata({"doc": table.column_meanings[field.name]})
                    for field in to_microseconds(table.full_schema)
                ]
                self.catalog.create_table_if_not_exists(
                    (self.namespace, table.name),
                    schema=pa.schema(fields),
                    properties={"comment": table.meaning},
                )

    def try_lock(self, organization_id: str) -> bool:
        """Return true: of two writers of one table, the catalog refuses the later one."""
        return True

    def read_rows(self, table: LoadedTable, rows: Slice) -> pa.Table:
        """Return *rows* of a table that is there, in the columns of its schema."""
        with _explained_errors(self.namespace):
            scan = self._open_table(table).scan(row_filter=_filter_of(rows))
            present = scan.to_arrow()
        return present.select(table.full_schema.names).cast(table.full_schema)

    def apply_changes(self, changes: Sequence[TableChange]) -> None:
        """Apply *changes* one after the other, each as a whole."""
        with _explained_errors(self.namespace), warnings.catch_warnings():
            # Most windows replace nothing, of which pyiceberg warns.
            warnings.filterwarnings("ignore", "Delete operation did not match any records")
            for change in changes:
                table, condition = self._open_table(change.table), _filter_of(change.replaced)
                if change.rows.num_rows:
                    rows = change.rows.cast(to_microseconds(change.rows.schema))
                    table.overwrite(rows, overwrite_filter=condition)
                else:
                    table.delete(condition)

    def _open_table(self, table: LoadedTable) -> Any:
        return self.catalog.load_table((self.namespace, table.name))


def _plain_columns(schema: pa.Schema) -> list[tuple[str, str, bool]]:
    # Iceberg reads text as large text.
    return [
        (field.name, str(field.type).removeprefix("large_"), field.nullable) for field in schema
    ]


def _filter_of(rows: Slice) -> BooleanExpression:
    terms: list[BooleanExpression] = [
        EqualTo(column, value) for column, value in rows.equal.items()
    ]
    if rows.start and rows.end:
        terms.append(GreaterThanOrEqual(rows.placed_by, rows.start.isoformat()))
        terms.append(LessThan(rows.placed_by, rows.end.isoformat()))
    return reduce(And, terms)


@contextmanager
def _explained_errors(place: str) -> Iterator[None]:
    try:
        yield
    except HalfhourError:
        raise
    except (AuthorizationExpiredError, ForbiddenError, UnauthorizedError) as error:
        raise AuthError(f"{place}: the catalog refused: {_first_line(error)}") from error
    except RequestException as error:
        raise Unreachable(f"{place}: cannot be reached: {_first_line(error)}") from error
    except Exception as error:  # catalogs raise the errors of many libraries
        raise WriteError(
            f"{place}: {type(error).__name__}: {_first_line(error)}; days that were loaded "
            "stay, and running it again loads the others"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0]
