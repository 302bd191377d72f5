"""The charts of a report by interval as SVG and PNG: each day's profile over its heat map."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from halfhour.render.captions import facts
from halfhour.render.day_grid import HALF_HOUR, NOTHING, Grid, grids, shortened, title_of, work_of
from halfhour.render.table import clock
from halfhour.render.templates import rendered

SCALE = 2
"""Dots of a PNG for each unit of the SVG."""
CELL, ROW, LEFT, TOP, FACT, LEGEND, BARS, GAP = 18, 18, 190, 38, 16, 40, 110, 44
NARROWEST = 620
"""What the legend takes."""
_LONGEST = 24
SHADES = (
    *("#b9d6ee", "#99c3e5", "#79afdb", "#589acf"),
    *("#2f79b5", "#1f659f", "#124f86", "#083a6b"),
)
"""Of the eighths of a half-hour; dark ink is readable on the first four, white on the others."""
DARK_SHADES = (
    *("#24527c", "#2b6297", "#3370aa", "#3878b6"),
    *("#6fb0e6", "#93c6f0", "#b5daf8", "#d8edff"),
)
"""The same on dark paper; white ink is readable on the first four, dark on the others."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A half-hour of a profile: how often its length was work (`meanings.WORK`), and how many
    agents were on queue.
    """

    label: str
    worth: float
    on_queue: float | None


def profile(grid: Grid) -> list[Bar]:
    """How much work there was in each half-hour, and how many agents were on queue."""
    return [
        Bar(grid.label(at), total / HALF_HOUR, None if queue is None else queue / HALF_HOUR)
        for at, (total, queue) in enumerate(zip(grid.totals, grid.on_queue, strict=True))
    ]


def svg(table: pa.Table) -> str:
    """A report by interval, drawn day under day."""
    days, told = list(grids(table)), facts(table)
    tops = [TOP + FACT * len(told) + LEGEND]
    for grid in days:
        tops.append(tops[-1] + 24 + BARS + 34 + ROW * len(grid.lines) + GAP)
    width = LEFT + CELL * max((len(grid.starts) for grid in days), default=0) + 30
    return rendered(
        "charts.svg",
        days=[(grid, profile(grid), top) for grid, top in zip(days, tops, strict=False)],
        measure=title_of(table),
        work=work_of(table),
        facts=told,
        nothing=NOTHING,
        width=max(width, NARROWEST),
        height=tops[-1],
        geometry={"cell": CELL, "row": ROW, "left": LEFT, "bars": BARS, "top": TOP, "fact": FACT},
        short=lambda name: shortened(name, _LONGEST),
        peak=peak,
        clock=clock,
        shades=SHADES,
    )


def bars_svg(grid: Grid, work: str) -> str:
    """The profile of one day alone, a cell wide for each half-hour, to stand over its map."""
    return rendered(
        "profile.svg",
        profile=profile(grid),
        work=work,
        peak=peak,
        title=grid.title,
        cell=CELL,
        height=BARS - 20,
    )


def png_file(table: pa.Table, file: BinaryIO) -> None:
    """Write the same as a picture."""
    import resvg_py

    file.write(bytes(resvg_py.svg_to_bytes(svg_string=svg(table), zoom=SCALE)))


def peak(bars: Sequence[Bar]) -> float:
    """The top of the axis that *bars* stand on."""
    return max([1.0, *(max(bar.worth, bar.on_queue or 0) for bar in bars)])
