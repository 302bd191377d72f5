"""The charts of a report by interval as SVG and PNG: each day's profile over its heat map."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from halfhour.render.captions import table_captions
from halfhour.render.day_grid import (
    HALF_HOUR_SECONDS,
    NO_FIGURES_MESSAGE,
    DayGrid,
    chart_title,
    day_grids,
    shorten_name,
    work_unit,
)
from halfhour.render.table import format_duration
from halfhour.render.templates import render_template

PNG_SCALE = 2
"""Dots of a PNG for each unit of the SVG."""
(
    CELL_WIDTH,
    ROW_HEIGHT,
    LEFT_MARGIN,
    TOP_MARGIN,
    CAPTION_HEIGHT,
    LEGEND_HEIGHT,
    PROFILE_HEIGHT,
    DAY_GAP,
) = 18, 18, 190, 38, 16, 40, 110, 44
MIN_CHART_WIDTH = 620
"""What the legend takes."""
_MAX_NAME_WIDTH = 24
LIGHT_SHADES = (
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
class ProfileBar:
    """A half-hour of a profile: how often its length was work (`meanings.WORK`), and how many
    agents were on queue.
    """

    label: str
    work_half_hours: float
    on_queue: float | None


def profile_bars(grid: DayGrid) -> list[ProfileBar]:
    """How much work there was in each half-hour, and how many agents were on queue."""
    return [
        ProfileBar(
            grid.half_hour_label(at),
            total / HALF_HOUR_SECONDS,
            None if queue is None else queue / HALF_HOUR_SECONDS,
        )
        for at, (total, queue) in enumerate(zip(grid.half_hour_totals, grid.on_queue, strict=True))
    ]


def render_svg(table: pa.Table) -> str:
    """A report by interval, drawn day under day."""
    days, told = list(day_grids(table)), table_captions(table)
    tops = [TOP_MARGIN + CAPTION_HEIGHT * len(told) + LEGEND_HEIGHT]
    for grid in days:
        tops.append(
            tops[-1] + 24 + PROFILE_HEIGHT + 34 + ROW_HEIGHT * len(grid.agent_rows) + DAY_GAP
        )
    width = LEFT_MARGIN + CELL_WIDTH * max((len(grid.starts) for grid in days), default=0) + 30
    return render_template(
        "charts.svg",
        days=[(grid, profile_bars(grid), top) for grid, top in zip(days, tops, strict=False)],
        measure=chart_title(table),
        work=work_unit(table),
        facts=told,
        nothing=NO_FIGURES_MESSAGE,
        width=max(width, MIN_CHART_WIDTH),
        height=tops[-1],
        geometry={
            "cell": CELL_WIDTH,
            "row": ROW_HEIGHT,
            "left": LEFT_MARGIN,
            "bars": PROFILE_HEIGHT,
            "top": TOP_MARGIN,
            "fact": CAPTION_HEIGHT,
        },
        short=lambda name: shorten_name(name, _MAX_NAME_WIDTH),
        peak=axis_peak,
        clock=format_duration,
        shades=LIGHT_SHADES,
    )


def render_profile_svg(grid: DayGrid, work: str) -> str:
    """The profile of one day alone, a cell wide for each half-hour, to stand over its map."""
    return render_template(
        "profile.svg",
        profile=profile_bars(grid),
        work=work,
        peak=axis_peak,
        title=grid.day_title,
        cell=CELL_WIDTH,
        height=PROFILE_HEIGHT - 20,
    )


def write_png(table: pa.Table, file: BinaryIO) -> None:
    """Write the same as a picture."""
    import resvg_py

    file.write(bytes(resvg_py.svg_to_bytes(svg_string=render_svg(table), zoom=PNG_SCALE)))


def axis_peak(bars: Sequence[ProfileBar]) -> float:
    """The top of the axis that *bars* stand on."""
    return max([1.0, *(max(bar.work_half_hours, bar.on_queue or 0) for bar in bars)])
