"""The cells of a column as text, the same in every format."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa

from halfhour.model.measures import COLUMN_DECIMALS


def cell_texts(column: pa.Array, name: str) -> pa.Array:
    """Return *column* as text, null where it is null.

    Timestamps are ISO 8601 in their zone; the figures of a column have equally many decimals.
    """
    data_type = column.type
    decimals = next(
        (count for suffix, count in COLUMN_DECIMALS.items() if name.endswith(suffix)), None
    )
    if decimals is not None:
        return column.cast(pa.decimal128(38, decimals)).cast(pa.string())
    if pa.types.is_timestamp(data_type):
        return map_unique_values(column, _iso_utc if data_type.tz == "UTC" else datetime.isoformat)
    return column.cast(pa.string())


def map_unique_values(column: pa.Array, to_text: Callable[[Any], str]) -> pa.Array:
    """Return each value of *column* as text, calling *to_text* once per distinct value."""
    encoded = column.dictionary_encode()
    texts = pa.array([to_text(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return texts.take(encoded.indices)


def _iso_utc(timestamp: datetime) -> str:
    return timestamp.isoformat().replace("+00:00", "Z")
