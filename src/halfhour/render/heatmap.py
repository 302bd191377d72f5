"""A heat map for the terminal: a line per agent, a character per half-hour, totals at the end."""

from collections.abc import Iterator
from io import StringIO

import pyarrow as pa
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from halfhour.render.day_grid import (
    NO_FIGURES_MESSAGE,
    DayGrid,
    HeatCell,
    chart_title,
    day_grids,
    shorten_name,
)
from halfhour.render.table import format_duration

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
    for grid in days:
        for line in _day_lines(grid, width):
            console.print(line, highlight=False)
    for legend_line in _legend_lines(table, days):
        console.print(legend_line, highlight=False)
    return out.getvalue()


def _legend_lines(table: pa.Table, days: list[DayGrid]) -> Iterator[str]:
    yield f"{chart_title(table)}: {LEVEL_LEGEND}" if days else NO_FIGURES_MESSAGE
    if days:
        yield f"times: {table.schema.field('interval_start').type.tz}"
    if any(any(grid.provisional_flags) for grid in days):
        yield f"{PROVISIONAL_CHARACTER} under the hours: provisional, Genesys may still correct it"


def _day_lines(grid: DayGrid, width: int | None) -> Iterator[Text]:
    columns_per_line = len(grid.starts)
    with_totals = width is None or width >= _MIN_WIDTH_FOR_TOTALS
    names = [row.name for row in grid.agent_rows] + [ALL_AGENTS] * with_totals
    name_width = min(max(map(cell_len, names)), _MAX_NAME_WIDTH)
    if width is not None:
        free_width = width - 2 - (_TOTALS_WIDTH if with_totals else 1)
        # A day that needs several lines anyway leaves room for names, as several may begin alike.
        width_beside_day = free_width - columns_per_line
        if width_beside_day < _MIN_NAME_WIDTH:
            width_beside_day = free_width // 2
        name_width = min(name_width, max(_MIN_NAME_WIDTH, width_beside_day))
        columns_per_line = max(2, free_width - name_width)
    yield Text(grid.day_title, style="bold")
    for first in range(0, len(grid.starts), columns_per_line):
        part = slice(first, first + columns_per_line)
        for head in _head_lines(grid, part):
            if head.strip():
                yield Text(" " * (name_width + 2) + head.rstrip())
        rows = [row.cells[part] for row in grid.agent_rows]
        sums = [sum(cell.seconds for cell in row if cell) for row in rows]
        empty_row = [None] * len(rows[0])
        for name, row, total in zip(names, [*rows, empty_row], [*sums, sum(sums)], strict=False):
            line = Text(set_cell_size(shorten_name(name, name_width), name_width) + "  ")
            for cell in row:
                line.append(*_styled_character(cell))
            line.append(f"{format_duration(total):>{_TOTALS_WIDTH}}" if with_totals else "")
            line.rstrip()
            yield line
    yield Text()


def _head_lines(grid: DayGrid, part: slice) -> Iterator[str]:
    """Yield the lines above the half-hours: hours, letters of a repeated hour, provisional marks.

    An hour without room for its two digits is left out.
    """
    hours = ""
    for index, start in enumerate(grid.starts[part]):
        if start.minute == 0 and (index > len(hours) or not hours):
            hours = f"{hours:{index}}{start:%H}"
    yield hours
    indexes = range(len(grid.starts))[part]
    yield "".join(grid.repeated_hour_letter(index) or " " for index in indexes)
    flags = grid.provisional_flags[part]
    yield "".join(PROVISIONAL_CHARACTER if provisional else " " for provisional in flags)


def _styled_character(cell: HeatCell | None) -> tuple[str, str]:
    if cell is None:
        return ABSENT_CHARACTER, ""
    if cell.exceeds_half_hour:
        return EXCEEDING_CHARACTER, CELL_COLOURS["over"]
    return LEVEL_CHARACTERS[cell.fill_level], CELL_COLOURS["some" if cell.fill_level else "none"]
