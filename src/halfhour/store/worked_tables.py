"""Derive segments, posted values, worked and busy time by day, as Parquet files, without a store.

DuckDB does it with all cores, and puts what does not fit into memory on disk.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from halfhour.errors import WriteError
from halfhour.model.coverage import DAY
from halfhour.model.intervals import Interval, epoch_ms, from_epoch_ms
from halfhour.model.rules import rule_text
from halfhour.model.tables import BUSY_SCHEMA, EMITTED_SCHEMA, POSTED_SCHEMA, SEGMENTS_SCHEMA
from halfhour.store.database import Connection, explain_error, segment_parameters, segment_rule
from halfhour.store.derived_details import (
    DataIssue,
    find_data_issues,
    issues_on_other_days,
    run_derivation,
)

WORKED_TABLES: Mapping[str, pa.Schema] = {
    "segments": SEGMENTS_SCHEMA,
    "emitted": EMITTED_SCHEMA,
    "worked": POSTED_SCHEMA,
    "busy": BUSY_SCHEMA,
}
"""The tables by name: those of a store that follow from details, and what reports make of them."""
ROW_GROUP_SIZE = 1 << 17
"""Rows per group of a Parquet file. Few groups are kept in memory."""

_OF_DAY = "select * from {} where {} >= $start and {} < $end"


async def derive_worked_tables(
    raw_tables: Mapping[str, pa.Table | Path],
    days: Sequence[Interval],
    records_interval: Interval,
    width: timedelta,
    folder: Path,
    on_issue: Callable[[DataIssue], None],
    on_day: Callable[[Interval, int], None],
) -> None:
    """Write each table of `WORKED_TABLES` for each of *days* (UTC), at `table_path` in *folder*.

    *raw_tables* are those of `derive_details`. Worked and busy time are by intervals of *width*.
    Rows are in the order of their columns, so equal rows give equal files.

    *on_issue* is called in another thread with what is wrong with the details of the days of
    *records_interval*, and *on_day* with each day and its number of rows. Raises WriteError.
    """
    write = partial(_write_tables, days, records_interval, width, folder, on_issue, on_day)
    record_days = [day.start for day in records_interval.split_into_windows(DAY)]
    try:
        await run_derivation(raw_tables, record_days, folder, write)
    except duckdb.Error as error:
        raise WriteError(f"{folder}: not written ({explain_error(error)})") from error


def table_path(folder: Path, table: str, day: datetime) -> Path:
    """Return the path in *folder* of the file of a *table* and a *day* (UTC)."""
    return folder / f"{table}-{day.date()}.parquet"


def _write_tables(
    days: Sequence[Interval],
    records_interval: Interval,
    width: timedelta,
    folder: Path,
    on_issue: Callable[[DataIssue], None],
    on_day: Callable[[Interval, int], None],
    connection: Connection,
) -> None:
    connection.execute(f"create temp table segments as {rule_text('segments_by_day')}")
    connection.execute(
        f"create temp table emitted as {rule_text('emitted')}",
        {"start_ms": epoch_ms(records_interval.start), "end_ms": epoch_ms(records_interval.end)},
    )
    for issue in chain(_other_day_issues(connection, days), find_data_issues(connection)):
        on_issue(issue)
    for day in days:
        bounds = {"start": day.start, "end": day.end}
        values = segment_parameters(day, width)
        queries: dict[str, tuple[str, Mapping[str, object]]] = {
            "segments": (_OF_DAY.format("segments", *["window_start"] * 2), bounds),
            "emitted": (_OF_DAY.format("emitted", *["emitted_at"] * 2), bounds),
            "worked": (segment_rule("worked"), values),
            "busy": (segment_rule("busy"), values),
        }
        row_count = 0
        for table, (query, parameters) in queries.items():
            path = table_path(folder, table, day.start)
            relation = connection.sql(f"{query} order by all", params=dict(parameters))
            row_count += _write_parquet(path, WORKED_TABLES[table], relation.to_arrow_reader())
        on_day(day, row_count)


def _other_day_issues(connection: Connection, days: Sequence[Interval]) -> Iterator[DataIssue]:
    """Yield an issue for each conversation with segments on days that are not of *days*."""
    outside = "from segments where not list_contains($days, window_start)"
    values = {"days": [day.start for day in days]}
    day_rows = connection.sql(f"select distinct epoch_ms(window_start) {outside}", params=values)
    other_days = [from_epoch_ms(day_ms) for (day_ms,) in day_rows.fetchall()]
    connection.execute(f"select distinct conversation_id {outside} order by all", values)
    ids = (row[0] for rows in iter(lambda: connection.fetchmany(1_000), []) for row in rows)
    return issues_on_other_days(other_days, ids)


def _write_parquet(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write *batches* as rows of *schema* to *path*, and return the number of rows."""
    row_count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _row_groups(schema, batches):
            writer.write_table(group, row_group_size=ROW_GROUP_SIZE)
            row_count += group.num_rows
    return row_count


def _row_groups(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield the rows of *batches* as groups of `ROW_GROUP_SIZE`, the last of which may be smaller.

    DuckDB's batches differ from run to run, and the bytes of a file depend on how it is written.
    """
    pending = schema.empty_table()
    for batch in batches:
        rows = pa.Table.from_batches([batch]).cast(schema)
        pending = pa.concat_tables([pending, rows])
        while pending.num_rows >= ROW_GROUP_SIZE:
            yield pending.slice(0, ROW_GROUP_SIZE).combine_chunks()
            pending = pending.slice(ROW_GROUP_SIZE)
    if pending.num_rows:
        yield pending.combine_chunks()
