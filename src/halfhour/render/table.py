"""A report as text tables of aligned columns."""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
from rich.cells import cell_len, set_cell_size

from halfhour.errors import spell_parameters
from halfhour.model.data_dictionary import column_head
from halfhour.model.measures import Tier, columns_of_tier
from halfhour.render.captions import ALL_PROVISIONAL_NOTE, EXCEEDING_LABEL, PROVISIONAL_LABEL
from halfhour.render.cells import cell_texts
from halfhour.render.table_width import TableColumn, fit_columns, replace_ids_by_names

SECONDARY_COLUMNS = columns_of_tier(Tier.FILE) | {"exceeds_interval", "basis"}
"""The columns that a table leaves out and a workbook folds."""
_OPTIONAL_COLUMNS = columns_of_tier(Tier.ROOM) | {"offered_count", "left_out_count"}
"""The columns that a table shows only if they hold anything: neither null nor zero."""
_MARKED_COLUMN = "handle_time_sec"
_EXCEEDING_MARK, _PROVISIONAL_MARK = "! ", "~"
_MARK_NOTES = {
    _EXCEEDING_MARK: f"! {': '.join(EXCEEDING_LABEL)}",
    _PROVISIONAL_MARK: f"~ {': '.join(PROVISIONAL_LABEL)}",
}
_NAMELESS_NOTE = "ids in place of names: deleted, or hidden from the OAuth client"
# The terminal's own colours: only these are readable on every background.
_MARK_STYLES = {_EXCEEDING_MARK: "\x1b[1;31m", _PROVISIONAL_MARK: "\x1b[2m", "": ""}
_RESET_STYLE = "\x1b[0m"


def render_text_tables(
    tables: Iterable[pa.Table],
    width: int | None = None,
    *,
    seconds: bool = False,
    ids: bool = False,
    colour: bool = False,
    spell: Callable[[str], str] = str,
) -> str:
    """Return *tables* as text, each with a header first, and notes about all of them at the end.

    A table without rows is left out: messages tell that there are none.
    *width* is the terminal's, None for no limit. Timestamps are ISO 8601 in the column's zone;
    durations are h:mm:ss, or *seconds* with milliseconds; ratios are percentages. Names stand for
    ids, unless *ids*. Handle time is marked ``!`` if it is longer than its interval, and ``~`` if
    it is provisional and others are not. *spell* writes the names of parameters in notes.
    """
    tables = [table for table in tables if table.num_rows]
    all_provisional = are_all_provisional(tables)
    texts: list[str] = []
    notes: dict[str, None] = {}
    hidden_columns: set[str] = set()
    for table in tables:
        columns = _table_columns(table, seconds=seconds, ids=ids, mark_all=not all_provisional)
        shown = columns if width is None else dict(fit_columns(table, columns, width))
        hidden_columns |= columns.keys() - shown.keys()
        texts.append(_aligned_text(list(shown.values()), colour=colour))
        notes |= dict.fromkeys(note for column in shown.values() for note in column.notes)
    if all_provisional:
        notes[ALL_PROVISIONAL_NOTE] = None
    if count := len(hidden_columns):
        hidden = f"{count} column{'s' * (count > 1)} not shown"
        notes[f"{hidden}: widen the terminal, or use ⟨form⟩ csv"] = None
    lines = [
        line
        for note in notes
        for line in textwrap.wrap(spell_parameters(note, spell), width or 200)
    ]
    return "\n".join(texts) + "".join(f"{line}\n" for line in lines)


def are_all_provisional(tables: Sequence[pa.Table]) -> bool:
    """Return whether all rows of *tables* are provisional, as far as they tell."""
    flags = [
        flag
        for table in tables
        if "provisional" in table.column_names
        for flag in table["provisional"].to_pylist()
    ]
    return bool(flags) and all(flags)


def _table_columns(
    table: pa.Table, *, seconds: bool, ids: bool, mark_all: bool
) -> dict[str, TableColumn]:
    """Return the columns of *table* as text. With *mark_all* provisional rows are marked too."""
    columns = {
        name: TableColumn(
            [name.removesuffix("_ratio") if seconds else column_head(name)],
            _table_cells(table, name, seconds=seconds),
            is_right_aligned=_is_number(table, name),
        )
        for name in table.column_names
        if name not in SECONDARY_COLUMNS
        and (name not in _OPTIONAL_COLUMNS or any(pc.unique(table[name]).to_pylist()))
    }
    if columns.pop("provisional", None):
        columns[_MARKED_COLUMN] = _mark_figures(columns[_MARKED_COLUMN], table, mark_all=mark_all)
    for entity in ("agent", "queue"):
        named = columns.get(f"{entity}_name")
        if named and f"{entity}_id" in columns and _lacks_name(columns[f"{entity}_id"], named):
            columns[f"{entity}_name"] = replace(named, notes=[_NAMELESS_NOTE])
    for entity in () if ids else ("agent", "queue"):
        if f"{entity}_id" in columns:
            columns = dict(replace_ids_by_names(columns, f"{entity}_id", f"{entity}_name"))
    return columns


def _lacks_name(ids: TableColumn, names: TableColumn) -> bool:
    """Return whether an id stands for a name that is not known."""
    return any(
        entity and name in {"", entity} for entity, name in zip(ids.cells, names.cells, strict=True)
    )


def _aligned_text(columns: Sequence[TableColumn], *, colour: bool) -> str:
    height = max(len(column.head) for column in columns)
    rows = zip(*(_aligned_lines(column, height, colour=colour) for column in columns), strict=True)
    return "".join(f"{'  '.join(row).rstrip()}\n" for row in rows)


def _mark_figures(column: TableColumn, table: pa.Table, *, mark_all: bool) -> TableColumn:
    """Return *column* with marks before values that exceed an interval, and are provisional.

    The latter are marked only with *mark_all*.
    """
    exceeding_flags, provisional_flags = (
        table[name].to_pylist() if name in table.column_names else [False] * table.num_rows
        for name in ("exceeds_interval", "provisional")
    )
    marks = [
        (
            _EXCEEDING_MARK if exceeding else "",
            _PROVISIONAL_MARK if provisional and mark_all else "",
        )
        for exceeding, provisional in zip(exceeding_flags, provisional_flags, strict=True)
    ]
    return replace(
        column,
        cells=["".join((*pair, cell)) for pair, cell in zip(marks, column.cells, strict=True)],
        notes=[note for mark, note in _MARK_NOTES.items() if any(mark in pair for pair in marks)],
        styles=[_MARK_STYLES[first or second] for first, second in marks],
    )


def format_duration(seconds: float) -> str:
    """Return a duration as h:mm:ss, with a sign if it is negative."""
    minutes, remaining_seconds = divmod(abs(round(seconds)), 60)
    sign = "-" if round(seconds) < 0 else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02}:{remaining_seconds:02}"


def _aligned_lines(column: TableColumn, height: int, *, colour: bool) -> list[str]:
    """Return the lines of the head, *height* of them, and of the cells, all equally wide."""
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
    styled_lines = zip(column.styles, lines[height:], strict=True)
    return [
        *lines[:height],
        *(f"{style}{line}{_RESET_STYLE}" if style else line for style, line in styled_lines),
    ]


def _table_cells(table: pa.Table, name: str, *, seconds: bool) -> list[str]:
    if name.endswith("_sec") and not seconds:
        return ["" if time is None else format_duration(time) for time in table[name].to_pylist()]
    if name.endswith("_ratio"):
        return ["" if ratio is None else f"{ratio:.1%}" for ratio in table[name].to_pylist()]
    cells = cell_texts(table[name].combine_chunks(), name).to_pylist()
    return [_printable_cell(cell or "") for cell in cells]


def _printable_cell(cell: str) -> str:
    """Return *cell* without characters that move the cursor, which a name can have."""
    if cell.isprintable():
        return cell
    return "".join(letter if letter.isprintable() else " " for letter in cell)


def _is_number(table: pa.Table, name: str) -> bool:
    data_type = table.schema.field(name).type
    return bool(pa.types.is_integer(data_type) or pa.types.is_floating(data_type))
