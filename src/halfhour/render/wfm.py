"""A report as delimited text in a layout that a tool for workforce management reads."""

import csv
import io
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from typing import Any, BinaryIO

import pyarrow as pa

from halfhour.render.layouts import LINE_ENDINGS, Layout, LayoutColumn
from halfhour.render.table import format_duration

_UNIT_SCALES = {"s": 1.0, "ms": 1000.0, "min": 1 / 60}


def write_wfm(parts: Iterable[pa.Table], layout: Layout, file: BinaryIO) -> None:
    """Write *parts*, all of one schema, in *layout*. Names are unchanged, quoted if needed."""
    zone = layout.time_zone
    for index, part in enumerate(parts):
        if index == 0 and layout.header:
            file.write(_csv_lines([[column.name for column in layout.columns]], layout))
        columns = [_layout_cells(column, part, zone) for column in layout.columns]
        file.write(_csv_lines(zip(*columns, strict=True), layout))


def _csv_lines(rows: Iterable[Iterable[str]], layout: Layout) -> bytes:
    out = io.StringIO()
    csv.writer(
        out, delimiter=layout.delimiter, lineterminator=LINE_ENDINGS[layout.line_ending]
    ).writerows(rows)
    return out.getvalue().encode()


def _layout_cells(column: LayoutColumn, part: pa.Table, zone: tzinfo | None) -> list[str]:
    if column.text is not None:
        return [column.text] * part.num_rows
    format_value = _value_formatter(column, part.schema.field(column.value).type, zone)
    return [
        column.absent if value is None else format_value(value)
        for value in part[column.value].to_pylist()
    ]


def _value_formatter(
    column: LayoutColumn, data_type: pa.DataType, zone: tzinfo | None
) -> Callable[[Any], str]:
    if pa.types.is_timestamp(data_type):
        return lambda timestamp: _format_timestamp(
            timestamp.astimezone(zone) if zone else timestamp, column.format
        )
    if column.value.endswith("_sec"):
        if column.unit == "h:mm:ss":
            return format_duration
        scale = _UNIT_SCALES[column.unit]
        return lambda seconds: f"{seconds * scale:.{column.decimals}f}"
    return str


def _format_timestamp(timestamp: datetime, directives: str) -> str:
    return timestamp.strftime(directives) if directives else timestamp.isoformat()
