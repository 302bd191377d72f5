"""A heat map for the terminal: a line an agent, a character a half-hour, totals at the end."""

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
    f"{LEVEL_CHARACTERS[1:]} eighths of the half-hour, {EXCEEDING_CHARACTER} more than it has, "
    f"{LEVEL_CHARACTERS[0]} none of it"
)
ALL_AGENTS = "all agents"
CELL_COLOURS = {"none": "#808080", "some": "#3a85c6", "over": "#c8641b"}
"""Readable on black and on white; how much it is, the height of the character says."""
_MAX_NAME_WIDTH, _MIN_NAME_WIDTH = 24, 10
_TOTALS_WIDTH = 10
"""The room for those at the end of lines, up to hhh:mm:ss."""
_MIN_WIDTH_FOR_TOTALS = 40
"""A terminal with less has no room for totals, only for an hour that sticks out."""


def render_heatmap(table: pa.Table, width: int | None = None, *, colour: bool = False) -> str:
    """A report by interval, day by day; *width* is that of the terminal, None for no limit.

    Colours are those that the terminal has.
    """
    out = StringIO()
    # Wide enough never to break a line, which is cut to *width* here.
    console = Console(
        file=out, width=10_000, force_terminal=colour, color_system="auto" if colour else None
    )
    days = list(day_grids(table))
    for grid in days:
        for line in _day_lines(grid, width):
            console.print(line, highlight=False)
    for told in _legend_lines(table, days):
        console.print(told, highlight=False)
    return out.getvalue()


def _legend_lines(table: pa.Table, days: list[DayGrid]) -> Iterator[str]:
    yield f"{chart_title(table)}: {LEVEL_LEGEND}" if days else NO_FIGURES_MESSAGE
    if any(any(grid.provisional_flags) for grid in days):
        yield f"{PROVISIONAL_CHARACTER} under the hours: provisional, Genesys may still correct it"


def _day_lines(grid: DayGrid, width: int | None) -> Iterator[Text]:
    count = len(grid.starts)
    with_totals = width is None or width >= _MIN_WIDTH_FOR_TOTALS
    names = [line.name for line in grid.agent_rows] + [ALL_AGENTS] * with_totals
    room = min(max(map(cell_len, names)), _MAX_NAME_WIDTH)
    if width is not None:
        left = width - 2 - (_TOTALS_WIDTH if with_totals else 1)
        # A day that is broken anyway leaves names their room: several may begin alike.
        beside = left - count if left - count >= _MIN_NAME_WIDTH else left // 2
        room = min(room, max(_MIN_NAME_WIDTH, beside))
        count = max(2, left - room)
    yield Text(grid.day_title, style="bold")
    for first in range(0, len(grid.starts), count):
        part = slice(first, first + count)
        for head in _head_lines(grid, part):
            if head.strip():
                yield Text(" " * (room + 2) + head.rstrip())
        cells = [line.cells[part] for line in grid.agent_rows]
        sums = [sum(cell.seconds for cell in row if cell) for row in cells]
        nothing = [None] * len(cells[0])
        for name, row, total in zip(names, [*cells, nothing], [*sums, sum(sums)], strict=False):
            shown = Text(set_cell_size(shorten_name(name, room), room) + "  ")
            for cell in row:
                shown.append(*_styled_character(cell))
            shown.append(f"{format_duration(total):>{_TOTALS_WIDTH}}" if with_totals else "")
            shown.rstrip()
            yield shown
    yield Text()


def _head_lines(grid: DayGrid, part: slice) -> Iterator[str]:
    """Over the half-hours: the hours that there is room for, which of two they are, and whether
    they may still change.
    """
    hours = ""
    for at, start in enumerate(grid.starts[part]):
        if start.minute == 0 and (at > len(hours) or not hours):
            hours = f"{hours:{at}}{start:%H}"
    yield hours
    places = range(len(grid.starts))[part]
    yield "".join(grid.repeated_hour_letter(at) or " " for at in places)
    yield "".join(PROVISIONAL_CHARACTER if each else " " for each in grid.provisional_flags[part])


def _styled_character(cell: HeatCell | None) -> tuple[str, str]:
    if cell is None:
        return ABSENT_CHARACTER, ""
    if cell.exceeds_half_hour:
        return EXCEEDING_CHARACTER, CELL_COLOURS["over"]
    return LEVEL_CHARACTERS[cell.fill_level], CELL_COLOURS["some" if cell.fill_level else "none"]
