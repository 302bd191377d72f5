"""CSV and JSON, written batch by batch: the memory needed does not grow with the table."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.render.cells import cell_texts, map_unique_values

BATCH_ROWS = 1 << 14
"""Rows that are written at once."""

_FORMULA_PATTERN = "^('*[=+\\-@\t\r\n＝＋－＠])"
"""Beginnings of texts that a spreadsheet computes, after any number of apostrophes.

One more apostrophe makes them texts. Removing one apostrophe from each text that still matches
restores the original.
"""


def write_csv(parts: Iterable[pa.Table], file: BinaryIO) -> None:
    """Write *parts* as RFC 4180 with plain line feeds, a header first, null an empty field.

    A text that a spreadsheet would compute as a formula is preceded by an apostrophe.
    """
    for index, batch in enumerate(_row_batches(parts)):
        if index == 0:
            header = io.StringIO()
            csv.writer(header, lineterminator="\n").writerow(batch.schema.names)
            file.write(header.getvalue().encode())
        *fields, last = (_csv_fields(batch[name], name) for name in batch.schema.names)
        lines = pc.binary_join_element_wise(last, "\n", "")
        _write_strings(pc.binary_join_element_wise(*fields, lines, ","), file)


def write_json(parts: Iterable[pa.Table], file: BinaryIO) -> None:
    """Write *parts* as an array with an object per line."""
    separator = "[\n"
    for objects in _json_objects(parts):
        if len(objects):
            lines = pc.binary_join_element_wise(",\n", objects, "")
            file.write(separator.encode())
            _write_strings(lines, file, skip=2)
            separator = ",\n"
    file.write(b"[]\n" if separator == "[\n" else b"\n]\n")


def write_ndjson(parts: Iterable[pa.Table], file: BinaryIO) -> None:
    """Write *parts* as an object per line."""
    for objects in _json_objects(parts):
        _write_strings(pc.binary_join_element_wise(objects, "\n", ""), file)


def _csv_fields(column: pa.Array, name: str) -> pa.Array:
    if not pa.types.is_string(column.type):
        return pc.fill_null(cell_texts(column, name), "")
    encoded = column.dictionary_encode()
    safe = pc.replace_substring_regex(encoded.dictionary, _FORMULA_PATTERN, r"'\1")
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(safe, '"', '""'), '"', "")
    fields = pc.if_else(pc.match_substring_regex(safe, '[",\r\n]'), quoted, safe)
    return pc.fill_null(fields.take(encoded.indices), "")


def _row_batches(parts: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
    """Yield all rows in batches; without rows, one empty batch, which has the column names."""
    for index, part in enumerate(parts):
        empty = pa.RecordBatch.from_pylist([], part.schema)
        yield from part.to_batches(max_chunksize=BATCH_ROWS) or ([] if index else [empty])


def _json_objects(parts: Iterable[pa.Table]) -> Iterator[pa.Array]:
    for batch in _row_batches(parts):
        members: list[pa.Array | str] = []
        for name in batch.schema.names:
            members += [
                f"{', ' if members else '{'}{_quote_json(name)}: ",
                _json_literals(batch[name], name),
            ]
        yield pc.binary_join_element_wise(*members, "}", "")


def _json_literals(column: pa.Array, name: str) -> pa.Array:
    data_type = column.type
    if pa.types.is_string(data_type):
        literals = map_unique_values(column, _quote_json)
    elif pa.types.is_timestamp(data_type):
        literals = pc.binary_join_element_wise('"', cell_texts(column, name), '"', "")
    elif pa.types.is_floating(data_type):
        literals = pc.replace_substring_regex(column.cast(pa.string()), r"^(-?\d+)$", r"\1.0")
    else:
        literals = column.cast(pa.string())
    return pc.fill_null(literals, "null")


def _quote_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _write_strings(lines: pa.Array, file: BinaryIO, skip: int = 0) -> None:
    """Write the text of *lines* straight from Arrow's buffer, without its first *skip* bytes."""
    _, offsets, data = lines.buffers()
    (end,) = memoryview(offsets).cast("i")[len(lines) : len(lines) + 1]
    file.write(memoryview(data)[skip:end])
