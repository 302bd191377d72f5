"""A heat map for the terminal: a line an agent, a character a half-hour."""

from collections.abc import Iterator
from io import StringIO

import pyarrow as pa
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from halfhour.render.grid import Cell, Grid, grids, shown_of
from halfhour.render.text import clock

LEVELS = "·▁▂▃▄▅▆▇█"
OVER, ABSENT, YOUNG = "▲", " ", "~"
LEGEND = (
    f"{LEVELS[1:]} eighths of the half-hour, {OVER} more than it has, {LEVELS[0]} none of it, "
    f"{YOUNG} provisional"
)
TWICE = "A is before the clock goes back, B after"
# The terminal's own colours, as only these are readable on its background whatever that is.
_STYLES = ("dim", *["cyan"] * 4, *["bold cyan"] * 4)
_OVER_STYLE = "bold red"
_LONGEST_NAME, _SHORTEST_NAME = 24, 10
_TOTAL = "all agents"


def heat(table: pa.Table, width: int | None = None, *, colour: bool = False) -> str:
    """A report by interval, day by day; *width* is that of the terminal, None for no limit."""
    out = StringIO()
    # Wide enough never to break a line, which is cut to *width* here.
    console = Console(
        file=out, width=10_000, force_terminal=colour, color_system="auto" if colour else None
    )
    days = list(grids(table))
    for grid in days:
        for line in _lines(grid, width):
            console.print(line, highlight=False)
    said = shown_of(table).removesuffix("_sec")
    console.print(f"{said}: {LEGEND if days else 'nothing in this range'}", highlight=False)
    if any(grid.hour(at).endswith("B") for grid in days for at in range(len(grid.starts))):
        console.print(TWICE, highlight=False)
    return out.getvalue()


def _lines(grid: Grid, width: int | None) -> Iterator[Text]:
    names = [line.name for line in grid.lines]
    totals = [clock(seconds) for seconds in (*grid.totals_by_line, sum(grid.totals))]
    room = min(max(map(cell_len, [*names, _TOTAL])), _LONGEST_NAME)
    count, beside = len(grid.starts), max(map(len, totals)) + 2
    if width is not None:
        room = min(room, max(_SHORTEST_NAME, width - count - beside - 2))
        count = max(4, width - room - beside - 2)
    yield Text(grid.title, style="bold")
    for at in range(0, len(grid.starts), count):
        part = slice(at, at + count)
        wide = len(grid.starts[part])
        last = at + count >= len(grid.starts)
        yield Text(f"{'':{room}}  {_hours(grid, at, at + wide)}")
        for name, line, total in zip(names, grid.lines, totals[:-1], strict=True):
            shown = Text(f"{_fitted(name, room)}  ")
            for cell in line.cells[part]:
                shown.append(*_drawn(cell))
            if last:
                shown.append(f"{total:>{beside}}")
            shown.rstrip()
            yield shown
        if last:
            yield Text(f"{_fitted(_TOTAL, room)}  {'':{wide}}{totals[-1]:>{beside}}")
        if any(grid.provisional[part]):
            marks = "".join(YOUNG if young else " " for young in grid.provisional[part])
            yield Text(f"{'':{room}}  {marks}".rstrip())
    yield Text()


def _hours(grid: Grid, first: int, last: int) -> str:
    """Full hours over their first half-hours, as far as they do not touch."""
    line = ""
    for at in range(first, last):
        hour = grid.hour(at)
        twice = len(hour) > len("01")
        if hour and (twice or not line or len(line) < at - first):
            line = f"{line:{at - first}}{hour[-2:]}"
    return line


def _fitted(name: str, room: int) -> str:
    fits = cell_len(name) <= room
    return set_cell_size(name, room) if fits else f"{set_cell_size(name, room - 1)}…"


def _drawn(cell: Cell | None) -> tuple[str, str]:
    if cell is None:
        return ABSENT, ""
    if cell.is_over:
        return OVER, _OVER_STYLE
    return LEVELS[cell.level], _STYLES[cell.level]
