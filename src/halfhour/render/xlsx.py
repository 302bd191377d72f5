"""An Excel workbook with a sheet per table, and one sheet that explains the columns.

Cells are typed. Durations show as ``[h]:mm:ss`` but keep their milliseconds.
Timestamps are dates in the report's zone; as Excel has no zones, the cell's
format shows the offset from UTC. A name is always text, never a formula.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from textwrap import wrap
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.format import Format as Style
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from halfhour.model.coverage import DAY
from halfhour.model.data_dictionary import (
    COLUMN_MEANINGS,
    column_title,
    displayed_unit,
    genesys_metric,
)
from halfhour.model.intervals import SECOND
from halfhour.render.captions import EXCEEDING_LABEL, PROVISIONAL_LABEL, table_captions
from halfhour.render.table import SECONDARY_COLUMNS

MAX_SHEET_ROWS = (1 << 20) - 1
"""Rows that a sheet holds below its header; a longer table continues on the next sheet."""
BATCH_ROWS = 1 << 12

_DAY_SECONDS = DAY // SECOND
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  (day 0 of Excel, which has no zones)
_COLUMN_WIDTHS = {"_id": 11, "_name": 24, "_sec": 11, "_ratio": 11, "_count": 10}
_LAST_FROZEN_COLUMN = "agent_name"
"""The last of the columns that stay visible when a person scrolls to the right."""

CellWriter = Callable[[int, int, Any], object]


def write_xlsx(tables: Mapping[str, pa.Table], file: BinaryIO) -> None:
    """Write each of *tables* to a sheet with its title, and add a sheet that explains them."""
    with _open_workbook(file) as book:
        for title, table in tables.items():
            first_rows = range(0, max(table.num_rows, 1), MAX_SHEET_ROWS)
            for number, first_row in enumerate(first_rows, 1):
                sheet = book.add_worksheet(title if number == 1 else f"{title} {number}")
                _fill_sheet(book, sheet, table.slice(first_row, MAX_SHEET_ROWS))
        _write_legend_sheet(book, tables)


@contextmanager
def _open_workbook(file: BinaryIO) -> Iterator[xlsxwriter.Workbook]:
    archive = io.BytesIO()  # a full disk would leave xlsxwriter's own archive half open
    book = xlsxwriter.Workbook(archive, {"constant_memory": True})
    try:
        yield book
        book.close()
    except XlsxWriterException as error:
        raise OSError(0, str(error)) from error
    file.write(archive.getbuffer())


def _fill_sheet(book: xlsxwriter.Workbook, sheet: Worksheet, table: pa.Table) -> None:
    names = table.column_names
    sheet.set_row(0, 32)
    for index, field in enumerate(table.schema):
        folding = {"level": 1, "hidden": True} if _is_folded(field.name, table) else {}
        sheet.set_column(index, index, _column_width(field), None, folding)
        header_style = book.add_format({**_HEADER_STYLE, "align": _cell_alignment(field)})
        sheet.write_string(0, index, column_title(field.name), header_style)
    frozen_count = names.index(_LAST_FROZEN_COLUMN) + 1 if _LAST_FROZEN_COLUMN in names else 0
    sheet.freeze_panes(1, frozen_count)
    sheet.autofilter(0, 0, table.num_rows, len(names) - 1)
    _set_up_printing(sheet, header_row=0)
    _add_highlight_rules(book, sheet, table)
    writers = [_cell_writer(book, sheet, table.schema.field(name)) for name in names]
    row = 1
    for batch in table.to_batches(max_chunksize=BATCH_ROWS):
        columns = [_excel_values(batch[name], name) for name in names]
        for values in zip(*columns, strict=True):
            for index, value in enumerate(values):
                if value is not None:
                    writers[index](row, index, value)
            row += 1


def _is_folded(column: str, table: pa.Table) -> bool:
    """Return whether *column* is secondary, or an id in a table without namesakes."""
    name_column = column.replace("_id", "_name")
    if column == name_column or name_column not in table.column_names:
        return column in SECONDARY_COLUMNS
    return bool(pc.count_distinct(table[column]) == pc.count_distinct(table[name_column]))


def _cell_alignment(field: pa.Field) -> str:
    if pa.types.is_boolean(field.type):
        return "center"
    is_number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
    return "right" if is_number else "left"


def _set_up_printing(sheet: Worksheet, *, header_row: int) -> None:
    """Print *sheet* one page wide, with *header_row* at the top of each page."""
    sheet.repeat_rows(header_row)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&RPage &P of &N")


def _add_highlight_rules(book: xlsxwriter.Workbook, sheet: Worksheet, table: pa.Table) -> None:
    """Grey provisional rows, mark times longer than their interval, and hide each FALSE."""
    names, last_row = table.column_names, table.num_rows
    rules = (
        ("exceeds_interval", "handle_time_sec", _EXCEEDING_STYLE),
        ("provisional", "", _PROVISIONAL_STYLE),
    )
    for flag, marked_column, style in rules:
        if flag not in names or not last_row:
            continue
        hide_false = {
            "type": "cell",
            "criteria": "==",
            "value": "FALSE",
            "format": book.add_format(_HIDDEN_STYLE),
        }
        flag_index = names.index(flag)
        sheet.conditional_format(1, flag_index, last_row, flag_index, hide_false)
        first, last = 0, len(names) - 1
        if marked_column in names:
            first = last = names.index(marked_column)
        rule = {
            "type": "formula",
            "criteria": f"=${xl_col_to_name(flag_index)}2",
            "format": book.add_format(style),
        }
        sheet.conditional_format(1, first, last_row, last, rule)


def _excel_values(column: pa.Array, name: str) -> list[Any]:
    """Return the values of *column*, with durations in days, as Excel counts them."""
    if name.endswith("_sec"):
        return list(pc.divide(column, float(_DAY_SECONDS)).to_pylist())
    if not pa.types.is_timestamp(column.type):
        return list(column.to_pylist())
    encoded = column.dictionary_encode()
    timestamps = encoded.dictionary.to_pylist()
    return [None if index is None else timestamps[index] for index in encoded.indices.to_pylist()]


def _cell_writer(book: xlsxwriter.Workbook, sheet: Worksheet, field: pa.Field) -> CellWriter:
    if pa.types.is_timestamp(field.type):
        return partial(_write_timestamp, book, sheet, {})
    if pa.types.is_string(field.type):
        # The prefix keeps Excel from making a formula of the text when somebody edits it.
        style = book.add_format({"quote_prefix": True})
        return lambda row, index, value: sheet.write_string(
            row, index, value, style if value[:1] in _FORMULA_PREFIXES else None
        )
    if pa.types.is_boolean(field.type):
        style = book.add_format({"align": _cell_alignment(field)})
        return lambda row, index, value: sheet.write_boolean(row, index, value, style)
    number_format = next(
        (text for suffix, text in _NUMBER_FORMATS.items() if field.name.endswith(suffix)), "#,##0"
    )
    style = book.add_format({"num_format": number_format})
    return lambda row, index, value: sheet.write_number(row, index, value, style)


def _write_timestamp(
    book: xlsxwriter.Workbook,
    sheet: Worksheet,
    styles: dict[str, Style],
    row: int,
    index: int,
    timestamp: datetime,
) -> None:
    local = timestamp.replace(tzinfo=None)
    number_format = "yyyy-mm-dd hh:mm:ss" if local.second else "yyyy-mm-dd hh:mm"
    number_format += f'" {_offset_text(timestamp)}"'
    if number_format not in styles:
        styles[number_format] = book.add_format({"num_format": number_format, "align": "left"})
    days = (local - _EXCEL_EPOCH) / timedelta(days=1)
    sheet.write_number(row, index, days, styles[number_format])


def _offset_text(timestamp: datetime) -> str:
    return timestamp.isoformat()[-6:] if timestamp.utcoffset() else "UTC"


def _column_width(field: pa.Field) -> int:
    if pa.types.is_timestamp(field.type):
        return 23
    usual_width = next(
        (width for suffix, width in _COLUMN_WIDTHS.items() if field.name.endswith(suffix)), 12
    )
    longest_word = max(map(len, column_title(field.name).split()))
    return max(usual_width, longest_word + 3)


def _write_legend_sheet(book: xlsxwriter.Workbook, tables: Mapping[str, pa.Table]) -> None:
    """Add the sheet with the report's captions, its notes and the meaning of each column."""
    sheet = book.add_worksheet("What it means")
    header_style = book.add_format(_HEADER_STYLE)
    wrapped_style = book.add_format({"text_wrap": True, "valign": "top"})
    for index, width in enumerate(_LEGEND_COLUMNS.values()):
        sheet.set_column(index, index, width)
    captions = table_captions(next(iter(tables.values())))
    titles = filter(None, (*tables, captions.get("Range")))
    book.set_properties({"title": ", ".join(titles), "author": "halfhour"})
    notes = (*((title, text, _LABEL_STYLE) for title, text in captions.items()), *_LEGEND_NOTES)
    text_width = sum(_LEGEND_COLUMNS.values()) - next(iter(_LEGEND_COLUMNS.values()))
    for row, (title, text, style) in enumerate(notes):
        sheet.set_row(row, _row_height(text, text_width))
        sheet.write_string(row, 0, title, book.add_format({**style, "valign": "top"}))
        sheet.merge_range(row, 1, row, len(_LEGEND_COLUMNS) - 1, text, wrapped_style)
    header_row = len(notes) + 1
    for index, title in enumerate(_LEGEND_COLUMNS):
        sheet.write_string(header_row, index, title, header_style)
    sheet.freeze_panes(header_row + 1, 0)
    _set_up_printing(sheet, header_row=header_row)
    names = dict.fromkeys(chain.from_iterable(table.column_names for table in tables.values()))
    for row, name in enumerate(names, header_row + 1):
        cells = (
            column_title(name),
            name,
            displayed_unit(name),
            genesys_metric(name),
            COLUMN_MEANINGS.get(name, ""),
        )
        sheet.set_row(row, max(map(_row_height, cells, _LEGEND_COLUMNS.values())))
        for index, text in enumerate(cells):
            sheet.write_string(row, index, text, wrapped_style)


def _row_height(text: str, width: int) -> float:
    """Return the height in points of *text* that is wrapped at *width* characters.

    LibreOffice does not adjust the height of merged cells and of rows with a style.
    """
    return _LINE_HEIGHT * max(1, len(wrap(text, width)))


_FORMULA_PREFIXES = tuple("=+-@\t\r\n＝＋－＠")
_NUMBER_FORMATS = {"_sec": "[h]:mm:ss", "_ratio": "0.0%", "_percent": "0.0"}
_LEGEND_COLUMNS = {
    "Column": 28,
    "In other formats": 30,
    "Unit": 20,
    "Genesys metric": 24,
    "Means": 90,
}
"""The headers and widths of the sheet's columns."""
_LINE_HEIGHT = 15.0
_HEADER_STYLE = {
    "bold": True,
    "text_wrap": True,
    "valign": "top",
    "bg_color": "#E7EDF3",
    "bottom": 1,
    "bottom_color": "#8496A9",
}
_EXCEEDING_STYLE = {"bg_color": "#FCE4C4", "font_color": "#7A3E00"}
_PROVISIONAL_STYLE = {"italic": True, "font_color": "#5F6B7A"}
_HIDDEN_STYLE = {"font_color": "#FFFFFF"}
_LABEL_STYLE = {"bold": True}
_LEGEND_NOTES: tuple[tuple[str, str, Mapping[str, object]], ...] = (
    *(
        (title.capitalize(), explanation, style)
        for (title, explanation), style in (
            (EXCEEDING_LABEL, _EXCEEDING_STYLE),
            (PROVISIONAL_LABEL, _PROVISIONAL_STYLE),
        )
    ),
    (
        "Folded columns",
        "the + above a sheet's columns unfolds the others of this list",
        _LABEL_STYLE,
    ),
)
