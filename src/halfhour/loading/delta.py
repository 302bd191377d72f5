"""Load into Delta tables, one folder a table: atomic by table."""

from collections.abc import Sequence

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, Schema, write_deltalake
from deltalake.exceptions import DeltaError

from halfhour.errors import ConfigError, WriteError
from halfhour.loading.destination import TableChange
from halfhour.loading.sql import DELTA, write_condition
from halfhour.loading.tables import ALL_TABLES, LoadedTable, Slice, to_microseconds


class DeltaDestination:
    """The Delta tables in the folder, or at the URL, *place*."""

    def __init__(self, place: str) -> None:
        self.place = place.rstrip("/")

    def find_missing_tables(self) -> Sequence[LoadedTable]:
        """Return the tables that are missing. Raises ConfigError if one has other columns."""
        missing = []
        for table in ALL_TABLES:
            try:
                if not DeltaTable.is_deltatable(self._path_of(table)):
                    missing.append(table)
                    continue
                present = pa.schema(DeltaTable(self._path_of(table)).schema().to_arrow())
            except (DeltaError, OSError) as error:
                raise self._explain_error(error) from error
            if not present.equals(to_microseconds(table.full_schema)):
                raise ConfigError(
                    f"{self._path_of(table)} has other columns than this halfhour writes; name "
                    "another folder, or remove it and load it again"
                )
        return missing

    def create_tables(self, tables: Sequence[LoadedTable]) -> None:
        """Create *tables*, with the meaning of each column."""
        for table in tables:
            schema = to_microseconds(table.full_schema)
            fields = [
                field.with_metadata({"comment": table.column_meanings[field.name]})
                for field in schema
            ]
            try:
                DeltaTable.create(
                    self._path_of(table),
                    schema=Schema.from_arrow(pa.schema(fields)),
                    mode="ignore",
                    partition_by=["organization_id"],
                    name=table.name,
                    description=table.meaning,
                )
            except (DeltaError, OSError) as error:
                raise self._explain_error(error) from error

    def try_lock(self, organization_id: str) -> bool:
        """Return true: of two writers of one table, Delta refuses the later one."""
        return True

    def read_rows(self, table: LoadedTable, rows: Slice) -> pa.Table:
        """Return *rows* of a table that is there, in the columns of its schema."""
        # to_pyarrow_table has threads that call Python, and may abort as the process exits
        query = f"select * from {table.name} where {write_condition(DELTA, rows)}"  # noqa: S608
        try:
            present = DeltaTable(self._path_of(table))
            batches = QueryBuilder().register(table.name, present).execute(query).read_all()
        except (DeltaError, OSError) as error:
            raise self._explain_error(error) from error
        return pa.table(batches).select(table.full_schema.names).cast(table.full_schema)

    def apply_changes(self, changes: Sequence[TableChange]) -> None:
        """Apply *changes* one after the other, each as a whole."""
        for change in changes:
            path = self._path_of(change.table)
            condition = write_condition(DELTA, change.replaced)
            try:
                if not change.rows.num_rows:
                    DeltaTable(path).delete(condition)
                    continue
                write_deltalake(
                    path,
                    change.rows.cast(to_microseconds(change.rows.schema)),
                    mode="overwrite",
                    predicate=condition,
                )
            except (DeltaError, OSError) as error:
                raise self._explain_error(error) from error

    def _path_of(self, table: LoadedTable) -> str:
        return f"{self.place}/{table.name}"

    def _explain_error(self, error: Exception) -> WriteError:
        first_line = str(error).split("\n", maxsplit=1)[0]
        return WriteError(
            f"{self.place}: {first_line}; days that were loaded stay, and running it again "
            "loads the others"
        )
