"""An Excel workbook: a sheet per table, and one that says what the numbers mean.

Cells are typed: durations show as ``[h]:mm:ss`` but keep their milliseconds,
moments are dates in the report's zone, whose offset from UTC the cell's format
shows. Excel itself knows no zones. A name is always text, never a formula.
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
    column_unit,
    genesys_metric,
)
from halfhour.model.intervals import SECOND
from halfhour.render.captions import table_captions
from halfhour.render.table import SECONDARY_COLUMNS

MAX_SHEET_ROWS = (1 << 20) - 1
"""What a sheet holds below its header; a longer table goes on in the next one."""
BATCH_ROWS = 1 << 12

_DAY_SECONDS = DAY // SECOND
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  (what Excel counts days from, in no zone)
_COLUMN_WIDTHS = {"_id": 11, "_name": 24, "_sec": 11, "_ratio": 11, "_count": 10}
_LAST_FROZEN_COLUMN = "agent_name"
"""The last column that stays in sight when one scrolls to the right."""

CellWriter = Callable[[int, int, Any], object]


def write_xlsx(tables: Mapping[str, pa.Table], file: BinaryIO) -> None:
    """Write *tables*, each to a sheet of its title, and what they mean to one more."""
    with _open_workbook(file) as book:
        for name, table in tables.items():
            for part, at in enumerate(range(0, max(table.num_rows, 1), MAX_SHEET_ROWS), 1):
                sheet = book.add_worksheet(name if part == 1 else f"{name} {part}")
                _fill_sheet(book, sheet, table.slice(at, MAX_SHEET_ROWS))
        _write_legend_sheet(book, tables)


@contextmanager
def _open_workbook(file: BinaryIO) -> Iterator[xlsxwriter.Workbook]:
    whole = io.BytesIO()  # as a disk that is full would leave its archive half open
    book = xlsxwriter.Workbook(whole, {"constant_memory": True})
    try:
        yield book
        book.close()
    except XlsxWriterException as error:
        raise OSError(0, str(error)) from error
    file.write(whole.getbuffer())


def _fill_sheet(book: xlsxwriter.Workbook, sheet: Worksheet, table: pa.Table) -> None:
    names = table.column_names
    sheet.set_row(0, 32)
    for at, field in enumerate(table.schema):
        folded = {"level": 1, "hidden": True} if _is_folded(field.name, table) else {}
        sheet.set_column(at, at, _column_width(field), None, folded)
        head = book.add_format({**_HEADER_STYLE, "align": _cell_alignment(field)})
        sheet.write_string(0, at, column_title(field.name), head)
    stays = names.index(_LAST_FROZEN_COLUMN) + 1 if _LAST_FROZEN_COLUMN in names else 0
    sheet.freeze_panes(1, stays)
    sheet.autofilter(0, 0, table.num_rows, len(names) - 1)
    _set_up_printing(sheet, head=0)
    _add_highlight_rules(book, sheet, table)
    writers = [_cell_writer(book, sheet, table.schema.field(name)) for name in names]
    row = 1
    for batch in table.to_batches(max_chunksize=BATCH_ROWS):
        columns = [_excel_values(batch[name], name) for name in names]
        for values in zip(*columns, strict=True):
            for at, value in enumerate(values):
                if value is not None:
                    writers[at](row, at, value)
            row += 1


def _is_folded(column: str, table: pa.Table) -> bool:
    """Whether *column* is not for everybody; an id is where a name says as much."""
    named = column.replace("_id", "_name")
    if column == named or named not in table.column_names:
        return column in SECONDARY_COLUMNS
    return bool(pc.count_distinct(table[column]) == pc.count_distinct(table[named]))


def _cell_alignment(field: pa.Field) -> str:
    """Where the cells of a column stand."""
    if pa.types.is_boolean(field.type):
        return "center"
    is_number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
    return "right" if is_number else "left"


def _set_up_printing(sheet: Worksheet, *, head: int) -> None:
    """A page wide, however many pages long, with the row *head* on top of each."""
    sheet.repeat_rows(head)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&RPage &P of &N")


def _add_highlight_rules(book: xlsxwriter.Workbook, sheet: Worksheet, table: pa.Table) -> None:
    """Grey what may still change, mark what is more than an interval has, show no FALSE."""
    names, rows = table.column_names, table.num_rows
    rules = (
        ("exceeds_interval", "handle_time_sec", _EXCEEDING_STYLE),
        ("provisional", "", _PROVISIONAL_STYLE),
    )
    for flag, of, style in rules:
        if flag not in names or not rows:
            continue
        no = {
            "type": "cell",
            "criteria": "==",
            "value": "FALSE",
            "format": book.add_format(_HIDDEN_STYLE),
        }
        sheet.conditional_format(1, names.index(flag), rows, names.index(flag), no)
        first, last = (names.index(of),) * 2 if of in names else (0, len(names) - 1)
        rule = {
            "type": "formula",
            "criteria": f"=${xl_col_to_name(names.index(flag))}2",
            "format": book.add_format(style),
        }
        sheet.conditional_format(1, first, rows, last, rule)


def _excel_values(column: pa.Array, name: str) -> list[Any]:
    """The cells of *column*: figures as Excel counts them, moments as they are."""
    if name.endswith("_sec"):
        return list(pc.divide(column, float(_DAY_SECONDS)).to_pylist())
    if not pa.types.is_timestamp(column.type):
        return list(column.to_pylist())
    places = column.dictionary_encode()
    moments = places.dictionary.to_pylist()
    return [None if at is None else moments[at] for at in places.indices.to_pylist()]


def _cell_writer(book: xlsxwriter.Workbook, sheet: Worksheet, field: pa.Field) -> CellWriter:
    if pa.types.is_timestamp(field.type):
        return partial(_write_timestamp, book, sheet, {})
    if pa.types.is_string(field.type):
        # Marked as text for Excel too, which else makes a formula of one that is edited.
        style = book.add_format({"quote_prefix": True})
        return lambda row, at, value: sheet.write_string(
            row, at, value, style if value[:1] in _FORMULA_PREFIXES else None
        )
    if pa.types.is_boolean(field.type):
        style = book.add_format({"align": _cell_alignment(field)})
        return lambda row, at, value: sheet.write_boolean(row, at, value, style)
    number = next(
        (form for end, form in _NUMBER_FORMATS.items() if field.name.endswith(end)), "#,##0"
    )
    style = book.add_format({"num_format": number})
    return lambda row, at, value: sheet.write_number(row, at, value, style)


def _write_timestamp(
    book: xlsxwriter.Workbook,
    sheet: Worksheet,
    styles: dict[str, Style],
    row: int,
    at: int,
    moment: datetime,
) -> None:
    local = moment.replace(tzinfo=None)
    number = "yyyy-mm-dd hh:mm:ss" if local.second else "yyyy-mm-dd hh:mm"
    number += f'" {_offset_text(moment)}"'
    if number not in styles:
        styles[number] = book.add_format({"num_format": number, "align": "left"})
    sheet.write_number(row, at, (local - _EXCEL_EPOCH) / timedelta(days=1), styles[number])


def _offset_text(moment: datetime) -> str:
    return moment.isoformat()[-6:] if moment.utcoffset() else "UTC"


def _column_width(field: pa.Field) -> int:
    if pa.types.is_timestamp(field.type):
        return 23
    ending = next((width for end, width in _COLUMN_WIDTHS.items() if field.name.endswith(end)), 12)
    return max(ending, max(map(len, column_title(field.name).split())) + 3)


def _write_legend_sheet(book: xlsxwriter.Workbook, tables: Mapping[str, pa.Table]) -> None:
    """The sheet that says on what the numbers stand, and what each column is."""
    sheet, head = book.add_worksheet("What it means"), book.add_format(_HEADER_STYLE)
    broken = book.add_format({"text_wrap": True, "valign": "top"})
    for at, width in enumerate(_LEGEND_COLUMNS.values()):
        sheet.set_column(at, at, width)
    known = table_captions(next(iter(tables.values())))
    titles = filter(None, (*tables, known.get("Range")))
    book.set_properties({"title": ", ".join(titles), "author": "halfhour"})
    told = (*((called, text, _LABEL_STYLE) for called, text in known.items()), *_LEGEND_NOTES)
    room = sum(_LEGEND_COLUMNS.values()) - next(iter(_LEGEND_COLUMNS.values()))
    for row, (called, text, style) in enumerate(told):
        sheet.set_row(row, _row_height(text, room))
        sheet.write_string(row, 0, called, book.add_format({**style, "valign": "top"}))
        sheet.merge_range(row, 1, row, len(_LEGEND_COLUMNS) - 1, text, broken)
    first = len(told) + 1
    for at, called in enumerate(_LEGEND_COLUMNS):
        sheet.write_string(first, at, called, head)
    sheet.freeze_panes(first + 1, 0)
    _set_up_printing(sheet, head=first)
    names = dict.fromkeys(chain.from_iterable(table.column_names for table in tables.values()))
    for row, name in enumerate(names, first + 1):
        cells = (
            column_title(name),
            name,
            column_unit(name),
            genesys_metric(name),
            COLUMN_MEANINGS.get(name, ""),
        )
        sheet.set_row(row, max(map(_row_height, cells, _LEGEND_COLUMNS.values())))
        for at, text in enumerate(cells):
            sheet.write_string(row, at, text, broken)


def _row_height(text: str, width: int) -> float:
    """What *text* needs in points, over as many lines as it takes. LibreOffice does not see to it
    where cells are merged or rows have been written with a style of their own.
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
"""The heads of what is said of each column, and how wide they are."""
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
    (
        "More than the interval has",
        "posted here because it was completed here; it began earlier",
        _EXCEEDING_STYLE,
    ),
    ("Provisional", "Genesys may still correct it", _PROVISIONAL_STYLE),
    (
        "Folded columns",
        "the + above a sheet's columns unfolds the others of this list",
        _LABEL_STYLE,
    ),
)
