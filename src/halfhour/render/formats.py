"""One door to every format: Arrow tables in, bytes out."""

import os
from collections.abc import Iterable, Mapping
from typing import BinaryIO

import pyarrow as pa

from halfhour.model.vocabulary import Format
from halfhour.render import csv_json, heatmap
from halfhour.render import table as text
from halfhour.render.layouts import Layout

BINARY_FORMATS = {Format.PARQUET, Format.XLSX, Format.PNG}
"""What no terminal can show."""
CHART_FORMATS = {Format.HEATMAP, Format.HTML, Format.SVG, Format.PNG}
"""What shows half-hours, and so needs a report by interval."""
MULTI_TABLE_FORMATS = {Format.TABLE, Format.XLSX, Format.HTML}
"""What has room for more than one table. The others are written part by part."""


def write_tables(
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
    colour = width is not None and wants_colour()
    match form:
        case Format.TABLE:
            shown = (
                text.render_text_table(table, width, seconds=seconds, colour=colour)
                for table in _concatenate_parts(tables).values()
            )
            file.write("\n".join(shown).encode())
        case Format.HEATMAP:
            file.write(
                heatmap.render_heatmap(pa.concat_tables(first), width, colour=colour).encode()
            )
        case Format.CSV:
            csv_json.write_csv(first, file)
        case Format.JSON:
            csv_json.write_json(first, file)
        case Format.NDJSON:
            csv_json.write_ndjson(first, file)
        case Format.PARQUET:
            from halfhour.render import parquet

            parquet.write_parquet(first, file)
        case Format.XLSX:
            from halfhour.render import xlsx

            xlsx.write_xlsx(_concatenate_parts(tables), file)
        case Format.WFM:
            from halfhour.render import wfm

            assert layout
            wfm.write_wfm(first, layout, file)
        case Format.HTML | Format.SVG | Format.PNG:
            _write_charts(tables, form, file)


def wants_colour() -> bool:
    """Whether the terminal is to have colours (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _write_charts(tables: Mapping[str, Iterable[pa.Table]], form: Format, file: BinaryIO) -> None:
    from halfhour.render import charts, html_page

    first, *others = _concatenate_parts(tables).values()
    match form:
        case Format.HTML:
            file.write(html_page.render_page(first, *others).encode())
        case Format.SVG:
            file.write(charts.render_svg(first).encode())
        case _:
            charts.write_png(first, file)


def _concatenate_parts(tables: Mapping[str, Iterable[pa.Table]]) -> dict[str, pa.Table]:
    return {title: pa.concat_tables(parts) for title, parts in tables.items()}
