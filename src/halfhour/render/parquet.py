"""Parquet, typed, a row group at a time."""

from collections.abc import Iterable
from itertools import chain
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP_SIZE = 1 << 16
"""Rows to a group, of which one at a time is held encoded."""


def write_parquet(parts: Iterable[pa.Table], file: BinaryIO) -> None:
    """Write *parts* with the metadata of the first one's schema and columns, which says what they
    mean.
    """
    parts = iter(parts)
    first = next(parts)
    with pq.ParquetWriter(pa.PythonFile(file, "w"), first.schema, compression="zstd") as writer:
        for part in chain([first], parts):
            writer.write_table(part, row_group_size=ROW_GROUP_SIZE)
