"""Rows that executors make of files: the raw tables of a spool, with keys by file."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa

from halfhour.ingest.raw_details import RawDetails, read_records
from halfhour.model.intervals import from_epoch_ms
from halfhour.model.tables import RAW_SCHEMAS
from halfhour.spark.raw_rows import (
    FILES,
    RAW_ROW_SCHEMA,
    RECORD_BITS,
    UNREADABLE,
    DetailFile,
    row_reader,
)
from halfhour.syncing.detail_scan import FileScan
from tests.store.test_derived_details import GOOD, changed_conversation
from tests.syncing.test_worked_files import BAD_LINES, as_page, good_lines, good_records

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MODIFIED = datetime(2026, 3, 3, 9, 0, 0, 123456, tzinfo=UTC)


def read_rows(*contents: bytes) -> pa.Table:
    """Return the rows of files with these *contents*, one by one as Spark sends them."""
    files = {f"file:/{at}": DetailFile(at, f"{at}.json", MODIFIED) for at in range(len(contents))}
    batches = [
        pa.record_batch({"path": [path], "content": [content]})
        for path, content in zip(files, contents, strict=True)
    ]
    return pa.Table.from_batches(row_reader(files, NOW)(iter(batches)), RAW_ROW_SCHEMA)


def rows_of(rows: pa.Table, raw_table: str) -> list[dict[str, Any]]:
    return [row for row in rows.to_pylist() if row["raw_table"] == raw_table]


def test_the_raw_tables_are_those_of_one_reading_with_keys_by_file():
    records = [good_records(2_100), [GOOD, changed_conversation("conversationId", "last")]]
    rows = read_rows(*map(as_page, records))

    encoded = [[msgspec.Raw(msgspec.json.encode(record)) for record in file] for file in records]
    expected: list[RawDetails] = [
        read_records(file, NOW).renumbered(at << RECORD_BITS, at << RECORD_BITS)
        for at, file in enumerate(encoded)
    ]
    for name, schema in RAW_SCHEMAS.items():
        table = pa.concat_tables(getattr(details, name) for details in expected)
        assert [
            {column: row[column] for column in schema.names} for row in rows_of(rows, name)
        ] == table.to_pylist()


def test_the_facts_about_a_file_come_after_its_rows():
    day = datetime(2026, 3, 2, tzinfo=UTC)
    available = b'{"cursor": "more", "dataAvailabilityDate": "2026-03-02T20:00:00Z"}'
    rows = read_rows(as_page([GOOD]), as_page([GOOD]) + b"\n" + available)

    assert rows["raw_table"].to_pylist()[-1] == FILES
    scans = [msgspec.json.decode(row["content"], type=FileScan) for row in rows_of(rows, FILES)]
    modified = from_epoch_ms(int(MODIFIED.timestamp() * 1000))
    assert scans == [
        FileScan("", modified, 1, 0, {day}, {day}, page_count=1),
        FileScan("", day + timedelta(hours=20), 1, 0, {day}, {day}, 2, "more"),
    ]


def test_a_record_that_cannot_be_read_has_its_text_and_its_number():
    for line, (conversation_id, reason) in BAD_LINES.items():
        rows = read_rows(b"\n".join([*good_lines(3), line, b""]))

        (row,) = rows_of(rows, UNREADABLE)
        assert (row["record"], row["conversation_id"]) == (3, conversation_id)
        assert reason in row["reason"]
        assert row["content"].strip() == line


def test_a_file_that_cannot_be_read_has_the_reason_in_the_place_of_facts():
    rows = read_rows(b"\x1f\x8bcut", as_page([GOOD]))

    first, second = rows_of(rows, FILES)
    assert first["reason"].startswith("0.json: cannot be read (")
    assert (first["content"], second["reason"]) == (None, None)
