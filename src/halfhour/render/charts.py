"""The charts of a report by interval as SVG and PNG: each day's profile over its heat map."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
from rich.cells import cell_len

from halfhour.render.grid import HALF_HOUR, Grid, grids, shown_of
from halfhour.render.templates import rendered
from halfhour.render.text import clock

SCALE = 2
"""Dots of a PNG for each unit of the SVG."""
CELL, ROW, LEFT, TOP, BARS, GAP = 18, 18, 190, 34, 110, 44
_LONGEST = 24
SHADES = (
    *("#d6e6f4", "#b3d3ea", "#8fbfe0", "#6aaad4"),
    *("#2f79b5", "#1f659f", "#124f86", "#083a6b"),
)
"""Of the eighths of a half-hour; dark ink is readable on the first four, white on the others."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A half-hour of a profile: how many agents' worth of it was work, how many were on queue."""

    label: str
    worth: float
    on_queue: float | None


def profile(grid: Grid) -> list[Bar]:
    """How much was done in each half-hour, in agents who would have done nothing else."""
    return [
        Bar(grid.label(at), total / HALF_HOUR, None if queue is None else queue / HALF_HOUR)
        for at, (total, queue) in enumerate(zip(grid.totals, grid.on_queue, strict=True))
    ]


def svg(table: pa.Table) -> str:
    """A report by interval, drawn day under day."""
    days = list(grids(table))
    tops = [TOP]
    for grid in days:
        tops.append(tops[-1] + 24 + BARS + 30 + ROW * len(grid.lines) + GAP)
    return rendered(
        "charts.svg",
        days=[(grid, profile(grid), top) for grid, top in zip(days, tops, strict=False)],
        measure=title_of(table),
        width=LEFT + CELL * max((len(grid.starts) for grid in days), default=1) + 30,
        height=tops[-1],
        geometry={"cell": CELL, "row": ROW, "left": LEFT, "bars": BARS},
        short=_short,
        peak=peak,
        clock=clock,
        shades=SHADES,
    )


def bars_svg(grid: Grid) -> str:
    """The profile of one day alone."""
    return rendered(
        "profile.svg",
        profile=profile(grid),
        peak=peak,
        title=grid.title,
        geometry={"cell": CELL, "left": 40, "bars": BARS},
        width=40 + CELL * len(grid.starts) + 20,
    )


def png_file(table: pa.Table, file: BinaryIO) -> None:
    """Write the same as a picture."""
    import resvg_py

    file.write(bytes(resvg_py.svg_to_bytes(svg_string=svg(table), zoom=SCALE)))


def title_of(table: pa.Table) -> str:
    """What is drawn, in words."""
    return {
        "busy_time_sec": "Time at work, worked basis",
        "handle_time_sec": "Handle time, posted basis",
    }[shown_of(table)]


def peak(bars: Sequence[Bar]) -> float:
    """The top of the axis that *bars* stand on."""
    return max([1.0, *(max(bar.worth, bar.on_queue or 0) for bar in bars)])


def _short(name: str) -> str:
    while cell_len(name) > _LONGEST:
        name = name[:-2] + "…"
    return name
