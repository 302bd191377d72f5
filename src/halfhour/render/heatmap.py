"""A heat map for the terminal: a line per agent, a character per half-hour, totals at the end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise, starmap
from math import ceil

import pyarrow as pa
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from halfhour.render.captions import ALL_PROVISIONAL_NOTE
from halfhour.render.day_grid import (
    NO_FIGURES_MESSAGE,
    DayGrid,
    HeatCell,
    chart_title,
    day_grids,
    shorten_name,
)
from halfhour.render.table import are_all_provisional, format_duration

LEVEL_CHARACTERS = "·▁▂▃▄▅▆▇█"
EXCEEDING_CHARACTER, ABSENT_CHARACTER, PROVISIONAL_CHARACTER = "▲", " ", "~"
LEVEL_LEGEND = (
    f"{LEVEL_CHARACTERS[1:]} eighths of the half-hour, {EXCEEDING_CHARACTER} longer than it, "
    f"{LEVEL_CHARACTERS[0]} none of it"
)
ALL_AGENTS = "all agents"
CELL_COLOURS = {"none": "#808080", "some": "#3a85c6", "over": "#c8641b"}
"""Colours that are readable on black and on white; the height of the character shows the value."""
_MAX_NAME_WIDTH, _MIN_NAME_WIDTH = 24, 10
_MAX_CELL_WIDTH = 2
"""Characters of a half-hour in a terminal that has room for them: then each hour has a label."""
_TOTALS_WIDTH = 10
"""Characters for the total at the end of a line, up to hhh:mm:ss."""
_MIN_WIDTH_FOR_TOTALS = 40
"""The narrowest terminal that shows totals."""


def render_heatmap(table: pa.Table, width: int | None = None, *, colour: bool = False) -> str:
    """Return *table*, a report by interval, as heat maps, one per day.

    *width* is the terminal's width, None for no limit.
    """
    out = StringIO()
    # The console is too wide to break lines: they are fitted to *width* here.
    console = Console(
        file=out, width=10_000, force_terminal=colour, color_system="auto" if colour else None
    )
    days = list(day_grids(table))
    all_provisional = are_all_provisional([table])
    for grid, layout in zip(days, _fit_days(days, width), strict=True):
        for line in _day_lines(grid, layout, mark_provisional=not all_provisional):
            console.print(line, highlight=False)
    for legend_line in _legend_lines(table, days, all_provisional=all_provisional):
        console.print(legend_line, highlight=False)
    return out.getvalue()


def _legend_lines(table: pa.Table, days: list[DayGrid], *, all_provisional: bool) -> Iterator[str]:
    yield f"{chart_title(table)}: {LEVEL_LEGEND}" if days else NO_FIGURES_MESSAGE
    if days:
        yield f"times: {table.schema.field('interval_start').type.tz}"
    if days and all_provisional:
        yield ALL_PROVISIONAL_NOTE
    elif any(any(grid.provisional_flags) for grid in days):
        yield f"{PROVISIONAL_CHARACTER} under the hours: provisional, Genesys may still correct it"


@dataclass(frozen=True, slots=True)
class _LineLayout:
    """Widths in characters of a day's lines; the half-hours that do not fit continue below.

    *first_indexes* are the first half-hours of the lines, and the number of all at the end.
    """

    name_width: int
    cell_width: int
    first_indexes: Sequence[int]
    with_totals: bool


def _fit_days(days: Sequence[DayGrid], width: int | None) -> Iterator[_LineLayout]:
    """Yield the layout of each of *days*, with half-hours as wide as all days have room for."""
    is_double = width is not None and all(
        _fit_day(grid, width, _MAX_CELL_WIDTH) == _fit_day(grid, None, _MAX_CELL_WIDTH)
        for grid in days
    )
    for grid in days:
        yield _fit_day(grid, width, _MAX_CELL_WIDTH if is_double else 1)


def _fit_day(grid: DayGrid, width: int | None, cell_width: int) -> _LineLayout:
    half_hours = len(grid.starts)
    with_totals = width is None or width >= _MIN_WIDTH_FOR_TOTALS
    names = [row.name for row in grid.agent_rows] + [ALL_AGENTS] * with_totals
    name_width = min(max(map(cell_len, names)), _MAX_NAME_WIDTH)
    if width is None:
        return _LineLayout(name_width, cell_width, [0, half_hours], with_totals)
    free_width = width - 2 - (_TOTALS_WIDTH if with_totals else 1)
    # A day that needs several lines anyway leaves room for names, as several may begin alike.
    width_beside_day = free_width - half_hours * cell_width
    if width_beside_day < min(name_width, _MIN_NAME_WIDTH):
        width_beside_day = free_width // 2
    name_width = min(name_width, max(_MIN_NAME_WIDTH, width_beside_day))
    line_size = max(2, (free_width - name_width) // cell_width)
    if line_size >= half_hours:
        return _LineLayout(name_width, cell_width, [0, half_hours], with_totals)
    # Lines are equally long and begin with a full hour.
    offset = int(grid.starts[0].minute != 0)
    line_count = ceil((half_hours + offset) / line_size)
    even_size = ceil((half_hours + offset) / line_count / 2) * 2
    if even_size > line_size:
        name_width = max(min(name_width, _MIN_NAME_WIDTH), free_width - even_size * cell_width)
        even_size = min(even_size, (free_width - name_width) // cell_width)
    first_indexes = [0, *range(even_size - offset, half_hours, even_size), half_hours]
    return _LineLayout(name_width, cell_width, first_indexes, with_totals)


def _day_lines(grid: DayGrid, layout: _LineLayout, *, mark_provisional: bool) -> Iterator[Text]:
    name_width = layout.name_width
    yield Text(grid.day_title, style="bold")
    for part in starmap(slice, pairwise(layout.first_indexes)):
        rows = [(row.name, row.cells[part]) for row in grid.agent_rows if any(row.cells[part])]
        if not rows:
            continue
        hours, letters, marks = _head_lines(grid, part, layout.cell_width)
        for head in (hours, letters, marks if mark_provisional else ""):
            if head.strip():
                yield Text(" " * (name_width + 2) + head.rstrip())
        sums = [sum(cell.seconds for cell in row if cell) for _, row in rows]
        if layout.with_totals:
            rows.append((ALL_AGENTS, [None] * len(rows[0][1])))
        for (name, row), total in zip(rows, [*sums, sum(sums)], strict=False):
            line = Text(set_cell_size(shorten_name(name, name_width), name_width) + "  ")
            for cell in row:
                character, colour = _styled_character(cell)
                line.append(character * layout.cell_width, colour)
            if layout.with_totals:
                line.append(f"{format_duration(total):>{_TOTALS_WIDTH}}")
            line.rstrip()
            yield line
    yield Text()


def _head_lines(grid: DayGrid, part: slice, cell_width: int) -> Iterator[str]:
    """Yield the lines above the half-hours: hours, letters of a repeated hour, provisional marks.

    Wide half-hours have the letters beside the hours.
    """
    indexes = range(len(grid.starts))[part]
    letters = [grid.repeated_hour_letter(index) or " " for index in indexes]
    is_wide = cell_width > 1
    yield _hour_line(grid, indexes, cell_width, with_letters=is_wide)
    yield "" if is_wide else "".join(letters)
    flags = grid.provisional_flags[part]
    yield "".join(
        (PROVISIONAL_CHARACTER if provisional else " ") * cell_width for provisional in flags
    )


def _hour_line(grid: DayGrid, indexes: range, cell_width: int, *, with_letters: bool) -> str:
    """Return the hours above the half-hours *indexes*, each with a blank after it.

    Where there is no room for all, hours at which the clocks change come first, then even ones.
    """
    length = 3 if with_letters else 2
    line = " " * (len(indexes) * cell_width + length)
    full_hours = [index for index in indexes if grid.hour_label(index)]
    for index in sorted(full_hours, key=lambda index: _hour_rank(grid, index)):
        label, column = grid.hour_label(index)[:length], (index - indexes.start) * cell_width
        if not line[max(column - 1, 0) : column + len(label) + 1].strip():
            line = line[:column] + label + line[column + len(label) :]
    return line


def _hour_rank(grid: DayGrid, index: int) -> tuple[bool, bool, int]:
    start, before = grid.starts[index], grid.starts[max(index - 1, 0)]
    is_first_after_skip = not start.fold and start.utcoffset() != before.utcoffset()
    is_change = is_first_after_skip or grid.repeated_hour_letter(index) == "A"
    return not is_change, start.hour % 2 != 0, index


def _styled_character(cell: HeatCell | None) -> tuple[str, str]:
    if cell is None:
        return ABSENT_CHARACTER, ""
    if cell.exceeds_half_hour:
        return EXCEEDING_CHARACTER, CELL_COLOURS["over"]
    return LEVEL_CHARACTERS[cell.fill_level], CELL_COLOURS["some" if cell.fill_level else "none"]
