"""A report as a table of aligned columns."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
from rich.cells import cell_len, set_cell_size

from halfhour.model.measures import Tier, columns_of_tier
from halfhour.render.cells import cell_texts as cells_of
from halfhour.render.table_width import TableColumn, fit_columns

SECONDARY_COLUMNS = columns_of_tier(Tier.FILE) | {"exceeds_interval", "basis"}
"""The columns that a table leaves out and a workbook folds."""
_OPTIONAL_COLUMNS = columns_of_tier(Tier.ROOM) | {
    "offered_count",
    "late_data_ms",
    "callback_under_voice_ms",
    "crosses_midnight_ms",
    "still_open_ms",
    "unanswered_acw_ms",
    "unexplained_ms",
    "unexplained_conversations",
}
"""The columns that a table shows only if they hold anything: neither null nor zero."""
_MARKED_COLUMN = "handle_time_sec"
_EXCEEDING_MARK, _PROVISIONAL_MARK = "! ", "~"
_MARK_NOTES = {_EXCEEDING_MARK: "! more than the interval has", _PROVISIONAL_MARK: "~ provisional"}
# The terminal's own colours, as only these are readable on its background whatever that is.
_MARK_STYLES = {_EXCEEDING_MARK: "\x1b[1;31m", _PROVISIONAL_MARK: "\x1b[2m", "": ""}
_RESET_STYLE = "\x1b[0m"


def render_text_table(
    table: pa.Table, width: int | None = None, *, seconds: bool = False, colour: bool = False
) -> str:
    """*table*, a header first; *width* is that of the terminal, None for no limit.

    Moments are ISO 8601 in the column's zone, lengths of time h:mm:ss or, to
    the millisecond, *seconds*. Handle time has a ``!`` where it is more than its
    half-hour, and a ``~`` where it is provisional; below it says so.
    """
    columns = {
        name: TableColumn(
            [name if seconds else name.removesuffix("_sec")],
            _table_cells(table, name, seconds=seconds),
            is_right_aligned=_is_number(table, name),
        )
        for name in table.column_names
        if name not in SECONDARY_COLUMNS
        and (name not in _OPTIONAL_COLUMNS or any(pc.unique(table[name]).to_pylist()))
    }
    if columns.pop("provisional", None):
        columns[_MARKED_COLUMN] = _mark_figures(columns[_MARKED_COLUMN], table)
    if width is not None:
        columns = dict(fit_columns(table, columns, width))
    height = max(len(each.head) for each in columns.values())
    lines = zip(
        *(_aligned_lines(each, height, colour=colour) for each in columns.values()), strict=True
    )
    notes = dict.fromkeys(note for each in columns.values() for note in each.notes)
    return "".join(f"{line}\n" for line in (*("  ".join(row).rstrip() for row in lines), *notes))


def _mark_figures(column: TableColumn, table: pa.Table) -> TableColumn:
    """*column* with what is to be known of its figures in front of them."""
    over, young = (
        table[name].to_pylist() if name in table.column_names else [False] * table.num_rows
        for name in ("exceeds_interval", "provisional")
    )
    marks = [
        (_EXCEEDING_MARK if one else "", _PROVISIONAL_MARK if other else "")
        for one, other in zip(over, young, strict=True)
    ]
    return replace(
        column,
        cells=["".join((*both, cell)) for both, cell in zip(marks, column.cells, strict=True)],
        notes=[note for mark, note in _MARK_NOTES.items() if any(mark in both for both in marks)],
        styles=[_MARK_STYLES[one or other] for one, other in marks],
    )


def format_duration(seconds: float) -> str:
    """A length of time as h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _aligned_lines(column: TableColumn, height: int, *, colour: bool) -> list[str]:
    """Of the head, then of the cells, all equally wide."""
    width = column.display_width
    head = [*[""] * (height - len(column.head)), *column.head]
    lines = [
        " " * (width - cell_len(cell)) + cell
        if column.is_right_aligned
        else set_cell_size(cell, width)
        for cell in (*head, *column.cells)
    ]
    if not (colour and column.styles):
        return lines
    styled = zip(column.styles, lines[height:], strict=True)
    return [
        *lines[:height],
        *(f"{style}{line}{_RESET_STYLE}" if style else line for style, line in styled),
    ]


def _table_cells(table: pa.Table, name: str, *, seconds: bool) -> list[str]:
    if name.endswith("_sec") and not seconds:
        return ["" if each is None else format_duration(each) for each in table[name].to_pylist()]
    found = [cell or "" for cell in cells_of(table[name].combine_chunks(), name).to_pylist()]
    return [_printable_cell(each) for each in found]


def _printable_cell(cell: str) -> str:
    """*cell* without what would move the cursor: a name is whatever somebody typed."""
    return cell if cell.isprintable() else "".join(c if c.isprintable() else " " for c in cell)


def _is_number(table: pa.Table, name: str) -> bool:
    kind = table.schema.field(name).type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
