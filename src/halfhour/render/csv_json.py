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
"""Rows that are made at once."""

_FORMULA_PATTERN = "^('*[=+\\-@\t\r\n＝＋－＠])"
"""What a spreadsheet would compute. Apostrophes before it are counted in, so that taking one
away from each text that then still begins so gives back what it was.
"""


def write_csv(parts: Iterable[pa.Table], file: BinaryIO) -> None:
    """Write *parts* as RFC 4180 with plain line feeds, a header first, null an empty field.

    A text that a spreadsheet would take for a formula gets an apostrophe in
    front, and so does one that already has some there.
    """
    for at, batch in enumerate(_row_batches(parts)):
        if at == 0:
            header = io.StringIO()
            csv.writer(header, lineterminator="\n").writerow(batch.schema.names)
            file.write(header.getvalue().encode())
        *fields, last = (_csv_fields(batch[name], name) for name in batch.schema.names)
        lines = pc.binary_join_element_wise(last, "\n", "")
        _write_strings(pc.binary_join_element_wise(*fields, lines, ","), file)


def write_json(parts: Iterable[pa.Table], file: BinaryIO) -> None:
    """Write *parts* as an array with an object per line."""
    before = "[\n"
    for objects in _json_objects(parts):
        if len(objects):
            after = pc.binary_join_element_wise(",\n", objects, "")
            file.write(before.encode())
            _write_strings(after, file, skip=2)
            before = ",\n"
    file.write(b"[]\n" if before == "[\n" else b"\n]\n")


def write_ndjson(parts: Iterable[pa.Table], file: BinaryIO) -> None:
    """Write *parts* as an object per line."""
    for objects in _json_objects(parts):
        _write_strings(pc.binary_join_element_wise(objects, "\n", ""), file)


def _csv_fields(column: pa.Array, name: str) -> pa.Array:
    if not pa.types.is_string(column.type):
        return pc.fill_null(cell_texts(column, name), "")
    places = column.dictionary_encode()
    safe = pc.replace_substring_regex(places.dictionary, _FORMULA_PATTERN, r"'\1")
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(safe, '"', '""'), '"', "")
    written = pc.if_else(pc.match_substring_regex(safe, '[",\r\n]'), quoted, safe)
    return pc.fill_null(written.take(places.indices), "")


def _row_batches(parts: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
    """All rows, in one batch at least."""
    for at, part in enumerate(parts):
        empty = pa.RecordBatch.from_pylist([], part.schema)
        yield from part.to_batches(max_chunksize=BATCH_ROWS) or ([] if at else [empty])


def _json_objects(parts: Iterable[pa.Table]) -> Iterator[pa.Array]:
    for batch in _row_batches(parts):
        pieces: list[pa.Array | str] = []
        for name in batch.schema.names:
            pieces += [
                f"{', ' if pieces else '{'}{_quote_json(name)}: ",
                _json_literals(batch[name], name),
            ]
        yield pc.binary_join_element_wise(*pieces, "}", "")


def _json_literals(column: pa.Array, name: str) -> pa.Array:
    kind = column.type
    if pa.types.is_string(kind):
        literals = map_unique_values(column, _quote_json)
    elif pa.types.is_timestamp(kind):
        literals = pc.binary_join_element_wise('"', cell_texts(column, name), '"', "")
    elif pa.types.is_floating(kind):
        literals = pc.replace_substring_regex(column.cast(pa.string()), r"^(-?\d+)$", r"\1.0")
    else:
        literals = column.cast(pa.string())
    return pc.fill_null(literals, "null")


def _quote_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _write_strings(lines: pa.Array, file: BinaryIO, skip: int = 0) -> None:
    """The bytes of *lines*, one after the other, as they already lie in memory."""
    _, offsets, data = lines.buffers()
    (end,) = memoryview(offsets).cast("i")[len(lines) : len(lines) + 1]
    file.write(memoryview(data)[skip:end])
