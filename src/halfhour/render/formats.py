"""Every output format behind one function: Arrow tables in, bytes out.

The module of a format is imported when the format is written.
"""

import os
from typing import TYPE_CHECKING, BinaryIO

from halfhour.model.vocabulary import Format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pyarrow as pa

    from halfhour.render.layouts import Layout

BINARY_FORMATS = {Format.PARQUET, Format.XLSX, Format.PNG}
"""Formats that a terminal cannot show."""
CHART_FORMATS = {Format.HEATMAP, Format.HTML, Format.SVG, Format.PNG}
"""Formats that show half-hours, and so need a report by interval."""
FORMATS_FOR_PEOPLE = {Format.TABLE, Format.XLSX, *CHART_FORMATS}
"""Formats that mark names of agents who are gone. In the others a name is as Genesys has it."""
MULTI_TABLE_FORMATS = {Format.TABLE, Format.XLSX, Format.HTML}
"""Formats with room for several tables. The others are written part by part."""

ROWS_FORMATS = [form for form in Format if form not in {*CHART_FORMATS, Format.WFM}]
"""Formats that show rows of any table. The others are for a report of one organisation."""


def write_tables(
    tables: "Mapping[str, Iterable[pa.Table]]",
    form: Format,
    file: BinaryIO,
    width: int | None = None,
    *,
    seconds: bool = False,
    ids: bool = False,
    layout: "Layout | None" = None,
    spell: "Callable[[str], str]" = str,
) -> None:
    """Write *tables*, by title, to *file*; only the first one if *form* has room for one.

    Each table has at least one part, and its parts have one schema. *width* is
    the terminal's width, None for no limit. A text table shows durations as
    h:mm:ss, or in *seconds*, and *ids* beside names; *spell* writes the names of
    parameters in its notes. The WFM format needs a *layout*.
    """
    first_parts = next(iter(tables.values()))
    colour = width is not None and wants_colour()
    match form:
        case Format.TABLE:
            from halfhour.render.table import render_text_tables

            parts = _concatenate_parts(tables).values()
            text = render_text_tables(
                parts, width, seconds=seconds, ids=ids, colour=colour, spell=spell
            )
            file.write(text.encode())
        case Format.HEATMAP:
            from halfhour.render import heatmap

            (table,) = _concatenate_parts({"": first_parts}).values()
            file.write(heatmap.render_heatmap(table, width, colour=colour).encode())
        case Format.CSV | Format.JSON | Format.NDJSON:
            from halfhour.render import csv_json

            write_rows = {
                Format.CSV: csv_json.write_csv,
                Format.JSON: csv_json.write_json,
                Format.NDJSON: csv_json.write_ndjson,
            }[form]
            write_rows(first_parts, file)
        case Format.PARQUET:
            from halfhour.render import parquet

            parquet.write_parquet(first_parts, file)
        case Format.XLSX:
            from halfhour.render import xlsx

            xlsx.write_xlsx(_concatenate_parts(tables), file)
        case Format.WFM:
            from halfhour.render import wfm

            assert layout
            wfm.write_wfm(first_parts, layout, file)
        case Format.HTML | Format.SVG | Format.PNG:
            _write_charts(tables, form, file)


def wants_colour() -> bool:
    """Return whether the environment allows colours (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _write_charts(tables: "Mapping[str, Iterable[pa.Table]]", form: Format, file: BinaryIO) -> None:
    from halfhour.render import charts, html_page

    first, *others = _concatenate_parts(tables).values()
    match form:
        case Format.HTML:
            file.write(html_page.render_page(first, *others).encode())
        case Format.SVG:
            file.write(charts.render_svg(first).encode())
        case _:
            charts.write_png(first, file)


def _concatenate_parts(tables: "Mapping[str, Iterable[pa.Table]]") -> "dict[str, pa.Table]":
    import pyarrow as pa

    return {title: pa.concat_tables(parts) for title, parts in tables.items()}
