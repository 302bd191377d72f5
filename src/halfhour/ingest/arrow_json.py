"""Parse JSON objects into Arrow columns by a schema, and flatten lists in them."""

from collections.abc import Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

_WITHOUT_NEWLINES = bytes.maketrans(b"\r\n", b"  ")


def parse_objects(objects: Sequence[bytes | msgspec.Raw], schema: pa.Schema) -> dict[str, pa.Array]:
    """Return the columns of *schema*, with a row per object. A missing key gives null.

    Raises ArrowInvalid or UnicodeDecodeError if one of *objects* is no JSON object or has another
    form than *schema*.
    """
    if not all(bytes(memoryview(text)[:64]).lstrip().startswith(b"{") for text in objects):
        raise pa.ArrowInvalid("a value that is no object")  # Arrow crashes at a null
    body = b"\n".join(objects)
    if b"\r" in body or body.count(b"\n") >= len(objects):
        body = b"\n".join(bytes(text).translate(_WITHOUT_NEWLINES) for text in objects)
    body.decode()  # Arrow takes any bytes for text.
    if not objects:
        return {field.name: pa.nulls(0, field.type) for field in schema}
    table = pj.read_json(
        pa.BufferReader(body),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(body) + 1),
        parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )
    if table.num_rows != len(objects):
        raise pa.ArrowInvalid("a text that is not one JSON object")
    return {name: table[name].combine_chunks() for name in table.column_names}


def flatten_lists(lists: pa.ListArray) -> tuple[pa.StructArray, pa.Array]:
    """Return the elements of *lists*, and for every element the number of its list.

    Raises ArrowInvalid if an element is null.
    """
    elements = pc.list_flatten(lists)
    if elements.null_count:
        raise pa.ArrowInvalid("an element of a list is null")
    return elements, pc.list_parent_indices(lists)
