"""A heat map for the terminal: a line an agent, a character a half-hour, totals at the end."""

from collections.abc import Iterator
from io import StringIO

import pyarrow as pa
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from halfhour.render.day_grid import NOTHING, Cell, Grid, grids, shortened, title_of
from halfhour.render.table import clock

LEVELS = "·▁▂▃▄▅▆▇█"
OVER, ABSENT, PROVISIONAL = "▲", " ", "~"
LEGEND = f"{LEVELS[1:]} eighths of the half-hour, {OVER} more than it has, {LEVELS[0]} none of it"
ALL = "all agents"
SHADES = {"none": "#808080", "some": "#3a85c6", "over": "#c8641b"}
"""Readable on black and on white; how much it is, the height of the character says."""
_LONGEST_NAME, _SHORTEST_NAME = 24, 10
_TOTALS = 10
"""The room for those at the end of lines, up to hhh:mm:ss."""
_NARROW = 40
"""A terminal with less has no room for totals, only for an hour that sticks out."""


def heat(table: pa.Table, width: int | None = None, *, colour: bool = False) -> str:
    """A report by interval, day by day; *width* is that of the terminal, None for no limit.

    Colours are those that the terminal has.
    """
    out = StringIO()
    # Wide enough never to break a line, which is cut to *width* here.
    console = Console(
        file=out, width=10_000, force_terminal=colour, color_system="auto" if colour else None
    )
    days = list(grids(table))
    for grid in days:
        for line in _lines(grid, width):
            console.print(line, highlight=False)
    for told in _legend(table, days):
        console.print(told, highlight=False)
    return out.getvalue()


def _legend(table: pa.Table, days: list[Grid]) -> Iterator[str]:
    yield f"{title_of(table)}: {LEGEND}" if days else NOTHING
    if any(any(grid.provisional) for grid in days):
        yield f"{PROVISIONAL} under the hours: provisional, Genesys may still correct it"


def _lines(grid: Grid, width: int | None) -> Iterator[Text]:
    count = len(grid.starts)
    with_totals = width is None or width >= _NARROW
    names = [line.name for line in grid.lines] + [ALL] * with_totals
    room = min(max(map(cell_len, names)), _LONGEST_NAME)
    if width is not None:
        left = width - 2 - (_TOTALS if with_totals else 1)
        # A day that is broken anyway leaves names their room: several may begin alike.
        beside = left - count if left - count >= _SHORTEST_NAME else left // 2
        room = min(room, max(_SHORTEST_NAME, beside))
        count = max(2, left - room)
    yield Text(grid.title, style="bold")
    for first in range(0, len(grid.starts), count):
        part = slice(first, first + count)
        for head in _heads(grid, part):
            if head.strip():
                yield Text(" " * (room + 2) + head.rstrip())
        cells = [line.cells[part] for line in grid.lines]
        sums = [sum(cell.seconds for cell in row if cell) for row in cells]
        nothing = [None] * len(cells[0])
        for name, row, total in zip(names, [*cells, nothing], [*sums, sum(sums)], strict=False):
            shown = Text(set_cell_size(shortened(name, room), room) + "  ")
            for cell in row:
                shown.append(*_drawn(cell))
            shown.append(f"{clock(total):>{_TOTALS}}" if with_totals else "")
            shown.rstrip()
            yield shown
    yield Text()


def _heads(grid: Grid, part: slice) -> Iterator[str]:
    """Over the half-hours: the hours that there is room for, which of two they are, and whether
    they may still change.
    """
    hours = ""
    for at, start in enumerate(grid.starts[part]):
        if start.minute == 0 and (at > len(hours) or not hours):
            hours = f"{hours:{at}}{start:%H}"
    yield hours
    places = range(len(grid.starts))[part]
    yield "".join(grid.letter(at) or " " for at in places)
    yield "".join(PROVISIONAL if each else " " for each in grid.provisional[part])


def _drawn(cell: Cell | None) -> tuple[str, str]:
    if cell is None:
        return ABSENT, ""
    if cell.is_over:
        return OVER, SHADES["over"]
    return LEVELS[cell.level], SHADES["some" if cell.level else "none"]
