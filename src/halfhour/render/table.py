"""A report as a table of aligned columns."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
from rich.cells import cell_len, set_cell_size

from halfhour.render.cells import cells as cells_of
from halfhour.render.table_width import Column, fitted

SECONDARY = {
    "talk_time_sec",
    "contacting_time_sec",
    "dialing_time_sec",
    "alert_time_sec",
    "not_responding_time_sec",
    "digital_hold_time_sec",
    "no_queue_time_sec",
    "answered_count",
    "transferred_count",
    "transferred_per_handled_ratio",
    "exceeds_interval",
    "worked_talk_time_sec",
    "worked_hold_time_sec",
    "worked_acw_time_sec",
    "logged_in_time_sec",
    "interacting_time_sec",
    "idle_time_sec",
    "communicating_time_sec",
    "status_not_responding_time_sec",
    "interacting_per_on_queue_ratio",
    "interacting_per_logged_in_ratio",
    "basis",
}
"""What a table leaves out, and a workbook folds."""
_WHERE_ANY = {
    "callback_voice_time_sec",
    "offered_count",
    "busy_time_sec",
    "on_queue_time_sec",
    "occupancy_ratio",
    "late_data_ms",
    "callback_under_voice_ms",
    "crosses_midnight_ms",
    "still_open_ms",
    "unanswered_acw_ms",
    "unexplained_ms",
    "unexplained_conversations",
}
"""What a table shows if there is anything of it: neither null nor nothing."""
_MARKED = "handle_time_sec"
_OVER, _YOUNG = "! ", "~"
_NOTES = {_OVER: "! more than the interval has", _YOUNG: "~ provisional"}
# The terminal's own colours, as only these are readable on its background whatever that is.
_STYLES = {_OVER: "\x1b[1;31m", _YOUNG: "\x1b[2m", "": ""}
_PLAIN = "\x1b[0m"


def text(
    table: pa.Table, width: int | None = None, *, seconds: bool = False, colour: bool = False
) -> str:
    """*table*, a header first; *width* is that of the terminal, None for no limit.

    Moments are ISO 8601 in the column's zone, lengths of time h:mm:ss or, to
    the millisecond, *seconds*. Handle time has a ``!`` where it is more than its
    half-hour, and a ``~`` where it is provisional; below it says so.
    """
    columns = {
        name: Column(
            [name if seconds else name.removesuffix("_sec")],
            _cells(table, name, seconds=seconds),
            right=_is_number(table, name),
        )
        for name in table.column_names
        if name not in SECONDARY
        and (name not in _WHERE_ANY or any(pc.unique(table[name]).to_pylist()))
    }
    if columns.pop("provisional", None):
        columns[_MARKED] = _marked(columns[_MARKED], table)
    if width is not None:
        columns = dict(fitted(table, columns, width))
    height = max(len(each.head) for each in columns.values())
    lines = zip(*(_lines(each, height, colour=colour) for each in columns.values()), strict=True)
    notes = dict.fromkeys(note for each in columns.values() for note in each.notes)
    return "".join(f"{line}\n" for line in (*("  ".join(row).rstrip() for row in lines), *notes))


def _marked(column: Column, table: pa.Table) -> Column:
    """*column* with what is to be known of its figures in front of them."""
    over, young = (
        table[name].to_pylist() if name in table.column_names else [False] * table.num_rows
        for name in ("exceeds_interval", "provisional")
    )
    marks = [
        (_OVER if one else "", _YOUNG if other else "")
        for one, other in zip(over, young, strict=True)
    ]
    return replace(
        column,
        cells=["".join((*both, cell)) for both, cell in zip(marks, column.cells, strict=True)],
        notes=[note for mark, note in _NOTES.items() if any(mark in both for both in marks)],
        styles=[_STYLES[one or other] for one, other in marks],
    )


def clock(seconds: float) -> str:
    """A length of time as h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _lines(column: Column, height: int, *, colour: bool) -> list[str]:
    """Of the head, then of the cells, all equally wide."""
    width = column.width
    head = [*[""] * (height - len(column.head)), *column.head]
    lines = [
        " " * (width - cell_len(cell)) + cell if column.right else set_cell_size(cell, width)
        for cell in (*head, *column.cells)
    ]
    if not (colour and column.styles):
        return lines
    styled = zip(column.styles, lines[height:], strict=True)
    return [
        *lines[:height],
        *(f"{style}{line}{_PLAIN}" if style else line for style, line in styled),
    ]


def _cells(table: pa.Table, name: str, *, seconds: bool) -> list[str]:
    if name.endswith("_sec") and not seconds:
        return ["" if each is None else clock(each) for each in table[name].to_pylist()]
    found = [cell or "" for cell in cells_of(table[name].combine_chunks(), name).to_pylist()]
    return [_harmless(each) for each in found]


def _harmless(cell: str) -> str:
    """*cell* without what would move the cursor: a name is whatever somebody typed."""
    return cell if cell.isprintable() else "".join(c if c.isprintable() else " " for c in cell)


def _is_number(table: pa.Table, name: str) -> bool:
    kind = table.schema.field(name).type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
