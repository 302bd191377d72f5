"""One door to every format: Arrow tables in, bytes out."""

import os
from collections.abc import Iterable, Mapping
from typing import BinaryIO

import pyarrow as pa

from halfhour.model.vocabulary import Format
from halfhour.render import csv_json, heatmap
from halfhour.render import table as text
from halfhour.render.layouts import Layout

BINARY = {Format.PARQUET, Format.XLSX, Format.PNG}
"""What no terminal can show."""
DRAWN = {Format.HEATMAP, Format.HTML, Format.SVG, Format.PNG}
"""What shows half-hours, and so needs a report by interval."""
SEVERAL = {Format.TABLE, Format.XLSX, Format.HTML}
"""What has room for more than one table. The others are written part by part."""


def write(
    tables: Mapping[str, Iterable[pa.Table]],
    form: Format,
    file: BinaryIO,
    width: int | None = None,
    *,
    seconds: bool = False,
    layout: Layout | None = None,
) -> None:
    """Write *tables*, by their titles, to *file*; only the first where *form* has room for one.

    Each is in one part at least, and all its parts are alike. *width* is that
    of the terminal, None for no limit. A table shows lengths of time as h:mm:ss
    or as *seconds*; other formats do as their readers expect, WFM as *layout* says.
    """
    first = next(iter(tables.values()))
    colour = width is not None and in_colour()
    match form:
        case Format.TABLE:
            shown = (
                text.text(table, width, seconds=seconds, colour=colour)
                for table in _whole(tables).values()
            )
            file.write("\n".join(shown).encode())
        case Format.HEATMAP:
            file.write(heatmap.heat(pa.concat_tables(first), width, colour=colour).encode())
        case Format.CSV:
            csv_json.csv_file(first, file)
        case Format.JSON:
            csv_json.json_file(first, file)
        case Format.NDJSON:
            csv_json.ndjson_file(first, file)
        case Format.PARQUET:
            from halfhour.render import parquet

            parquet.parquet_file(first, file)
        case Format.XLSX:
            from halfhour.render import xlsx

            xlsx.xlsx_file(_whole(tables), file)
        case Format.WFM:
            from halfhour.render import wfm

            assert layout
            wfm.wfm_file(first, layout, file)
        case Format.HTML | Format.SVG | Format.PNG:
            _drawn(tables, form, file)


def in_colour() -> bool:
    """Whether the terminal is to have colours (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _drawn(tables: Mapping[str, Iterable[pa.Table]], form: Format, file: BinaryIO) -> None:
    from halfhour.render import charts, html_page

    first, *others = _whole(tables).values()
    match form:
        case Format.HTML:
            file.write(html_page.page(first, *others).encode())
        case Format.SVG:
            file.write(charts.svg(first).encode())
        case _:
            charts.png_file(first, file)


def _whole(tables: Mapping[str, Iterable[pa.Table]]) -> dict[str, pa.Table]:
    return {title: pa.concat_tables(parts) for title, parts in tables.items()}
