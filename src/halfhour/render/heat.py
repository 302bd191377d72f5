"""A heat map for the terminal: a line an agent, a character a half-hour."""

from collections.abc import Iterator
from io import StringIO

import pyarrow as pa
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from halfhour.render.grid import Cell, Grid, grids, shown_of

LEVELS = "·▁▂▃▄▅▆▇█"
OVER, ABSENT = "▲", " "
LEGEND = f"{LEVELS[1:]} eighths of the half-hour, {OVER} more than it has, {LEVELS[0]} none of it"
_SHADES = (
    *("dim", "#9ecae1", "#7fb8d9", "#61a5cf", "#4a93c4", "#3580b8", "#246caa"),
    *("#155a98", "#08478a"),
)
_OVER_SHADE = "#d9822b"
_LONGEST_NAME, _SHORTEST_NAME = 24, 10


def heat(table: pa.Table, width: int | None = None, *, colour: bool = False) -> str:
    """A report by interval, day by day; *width* is that of the terminal, None for no limit."""
    out = StringIO()
    # Wide enough never to break a line, which is cut to *width* here.
    console = Console(
        file=out, width=10_000, force_terminal=colour, color_system="truecolor" if colour else None
    )
    for grid in grids(table):
        for line in _lines(grid, width):
            console.print(line, highlight=False)
    if table.num_rows:
        console.print(f"{shown_of(table).removesuffix('_sec')}: {LEGEND}", highlight=False)
    return out.getvalue()


def _lines(grid: Grid, width: int | None) -> Iterator[Text]:
    names = [line.name for line in grid.lines]
    room, count = min(max(map(cell_len, names)), _LONGEST_NAME), len(grid.starts)
    if width is not None:
        room = min(room, max(_SHORTEST_NAME, width - count - 2))
        count = max(2, width - room - 2)
    yield Text(grid.title, style="bold")
    for at in range(0, len(grid.starts), count):
        yield Text(" " * (room + 2) + _hours(grid, at, at + count))
        for name, line in zip(names, grid.lines, strict=True):
            shown = Text(set_cell_size(name, room) + "  ")
            for cell in line.cells[at : at + count]:
                shown.append(*_drawn(cell))
            shown.rstrip()
            yield shown
    yield Text()


def _hours(grid: Grid, first: int, last: int) -> str:
    """Each full hour over its first two half-hours."""
    line = [" "] * (last - first)
    for at, start in enumerate(grid.starts[first:last]):
        if start.minute == 0 and at + 1 < len(line):
            line[at : at + 2] = f"{start:%H}"
    return "".join(line).rstrip()


def _drawn(cell: Cell | None) -> tuple[str, str]:
    if cell is None:
        return ABSENT, ""
    if cell.is_over:
        return OVER, _OVER_SHADE
    return LEVELS[cell.level], _SHADES[cell.level]
