"""Read files of conversation details in Spark's executors, into rows of all raw tables.

An executor returns rows of one kind, so the rows have the columns of all tables, and the name of
their table.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from io import BytesIO
from typing import NamedTuple

import msgspec
import pyarrow as pa

from halfhour.errors import ConfigError
from halfhour.ingest.detail_files import read_pages_of_stream
from halfhour.ingest.raw_details import RawDetails
from halfhour.model.tables import RAW_SCHEMAS
from halfhour.syncing.detail_scan import FileScan, UnreadableRecord, batch_pages

FILES, UNREADABLE = "files", "unreadable"
"""The tables of facts about files, and of records that cannot be read."""
RECORD_BITS = 32
"""The number of bits of a record's number, or a session's, within its file."""
RAW_ROW_SCHEMA = pa.schema(
    {
        "raw_table": pa.string(),
        **{field.name: field.type for schema in RAW_SCHEMAS.values() for field in schema},
        "content": pa.binary(),
    }
)
"""The columns of all tables of `RAW_SCHEMAS`, `FILES` and `UNREADABLE`; the others are null.

Records and sessions are numbered by file, in the order of the files. *content* is the text of a
record that cannot be read, or the facts about a file as JSON, without its name. A file that cannot
be read as a whole has a *reason* in their place.
"""


class DetailFile(NamedTuple):
    """A file by its *number* in the order of reading; *name* is the one that people know."""

    number: int
    name: str
    modified_at: datetime


def row_reader(
    files: Mapping[str, DetailFile], now: datetime
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a function from rows with the *path* and *content* of files to `RAW_ROW_SCHEMA`.

    *files* are by path, and were read at *now*.
    """

    def read_rows(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for path, content in zip(batch["path"], batch["content"], strict=True):
                yield from _read_file(files[path.as_py()], content.as_py(), now)

    return read_rows


def _read_file(file: DetailFile, content: bytes, now: datetime) -> Iterator[pa.RecordBatch]:
    first_key = file.number << RECORD_BITS
    scan = FileScan.of_file(file.name, file.modified_at, now)
    session_count = 0
    try:
        pages = read_pages_of_stream(file.name, BytesIO(content), keep_broken_lines=True)
        for batch in batch_pages(pages):
            first_record = first_key + scan.record_count
            details, unreadable = scan.add_pages(batch, now)
            yield from _detail_rows(details.renumbered(first_record, first_key + session_count))
            session_count += details.sessions.num_rows
            if unreadable:
                yield _unreadable_rows(first_key, unreadable)
    except ConfigError as error:
        yield _rows_of(FILES, record=[first_key], reason=[Exception.__str__(error)])
        return
    # The driver knows the name, which need not be valid Unicode.
    scan.path = ""
    yield _rows_of(FILES, record=[first_key], content=[msgspec.json.encode(scan)])


def _detail_rows(details: RawDetails) -> Iterator[pa.RecordBatch]:
    for name, table in details._asdict().items():
        for batch in table.combine_chunks().to_batches():
            yield _rows_of(name, **dict(zip(table.schema.names, batch.columns, strict=True)))


def _unreadable_rows(first_key: int, records: list[UnreadableRecord]) -> pa.RecordBatch:
    return _rows_of(
        UNREADABLE,
        record=[first_key + record.record_number - 1 for record in records],
        conversation_id=[record.conversation_id for record in records],
        reason=[record.reason for record in records],
        content=[record.record for record in records],
    )


def _rows_of(raw_table: str, **columns: "pa.Array | list[object]") -> pa.RecordBatch:
    """Return rows of *raw_table* with these *columns*, and null in the others."""
    row_count = len(next(iter(columns.values())))
    columns["raw_table"] = pa.repeat(raw_table, row_count)
    arrays = [
        pa.array(columns[field.name], field.type)
        if field.name in columns
        else pa.nulls(row_count, field.type)
        for field in RAW_ROW_SCHEMA
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=RAW_ROW_SCHEMA)
