"""Typed Parquet files, written one row group at a time."""

from collections.abc import Iterable
from itertools import chain
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP_SIZE = 1 << 16
"""Rows per group. One group at a time is kept in memory, encoded."""


def write_parquet(parts: Iterable[pa.Table], file: BinaryIO) -> None:
    """Write *parts* with the metadata of the first part, which explains the table's columns."""
    parts = iter(parts)
    first = next(parts)
    with pq.ParquetWriter(pa.PythonFile(file, "w"), first.schema, compression="zstd") as writer:
        for part in chain([first], parts):
            writer.write_table(part, row_group_size=ROW_GROUP_SIZE)
