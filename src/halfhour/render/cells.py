"""The cells of a column as text, the same in every format."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa

from halfhour.model.arrow_columns import string_column
from halfhour.model.measures import COLUMN_DECIMALS


def cell_texts(column: pa.Array, name: str) -> pa.Array:
    """Return *column* as text, null where it is null.

    Timestamps are ISO 8601 in their zone; the figures of a column have equally many decimals.
    """
    kind = column.type
    decimals = next((n for ending, n in COLUMN_DECIMALS.items() if name.endswith(ending)), None)
    if decimals is not None:
        return column.cast(pa.decimal128(38, decimals)).cast(pa.string())
    if pa.types.is_timestamp(kind):
        return map_unique_values(column, _iso_utc if kind.tz == "UTC" else datetime.isoformat)
    return column.cast(pa.string())


def map_unique_values(column: pa.Array, text: Callable[[Any], str]) -> pa.Array:
    """Return the *text* of each value of *column*, made once per distinct value."""
    places = column.dictionary_encode()
    return string_column([text(value) for value in places.dictionary.to_pylist()]).take(
        places.indices
    )


def _iso_utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
