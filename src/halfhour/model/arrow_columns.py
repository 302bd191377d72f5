"""Arrow columns from Python values.

`pyarrow.array` would do, but it imports pandas wherever that is installed,
which takes longer than all else that a report does.
"""

from array import array
from collections.abc import Collection, Iterable
from itertools import accumulate

import pyarrow as pa

NULL_MARKER = -(2**63)
"""The value that stands for null in an `array` of figures."""


def integer_column(values: "array[int]", kind: pa.DataType) -> pa.Array:
    """Return a column of 64-bit integers or timestamps; `NULL_MARKER` becomes null."""
    valid = _pack_bits(value != NULL_MARKER for value in values) if NULL_MARKER in values else None
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(values)])


def string_column(values: Collection[str | None]) -> pa.Array:
    """Return a column of strings; None becomes null."""
    encoded = [(value or "").encode() for value in values]
    ends = array("i", accumulate(map(len, encoded), initial=0))
    valid = _pack_bits(value is not None for value in values) if None in values else None
    buffers = [valid, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def boolean_column(values: Iterable[bool]) -> pa.Array:
    """Return a column of booleans."""
    listed = list(values)
    return pa.Array.from_buffers(pa.bool_(), len(listed), [None, _pack_bits(listed)])


def take_rows(column: pa.Array, places: "array[int]") -> pa.Array:
    """The values of *column* at *places*, each as often as it is named."""
    return column.take(integer_column(places, pa.int64()))


def _pack_bits(flags: Iterable[bool]) -> pa.Buffer:
    """Pack flags into bits, the first one lowest."""
    ones = "".join("1" if flag else "0" for flag in flags)
    return pa.py_buffer(int(ones[::-1] or "0", 2).to_bytes(len(ones) // 8 + 1, "little"))
