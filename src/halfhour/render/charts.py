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
from halfhour.render.table import are_all_provisional, format_duration
from halfhour.render.templates import render_template

PNG_SCALE = 2
"""Pixels of the PNG per unit of the SVG."""
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
"""The width of the legend."""
_MAX_NAME_WIDTH = 24
LIGHT_SHADES = (
    *("#b9d6ee", "#99c3e5", "#79afdb", "#589acf"),
    *("#2f79b5", "#1f659f", "#124f86", "#083a6b"),
)
"""Colours for eighths of a half-hour, on a light page.

Dark text is readable on the first four, white text on the others.
"""
DARK_SHADES = (
    *("#24527c", "#2b6297", "#3370aa", "#3878b6"),
    *("#6fb0e6", "#93c6f0", "#b5daf8", "#d8edff"),
)
"""Colours for eighths of a half-hour, on a dark page.

White text is readable on the first four, dark text on the others.
"""


@dataclass(frozen=True, slots=True)
class ProfileBar:
    """One half-hour of a day's profile.

    *work_half_hours* is the work of all agents, in half-hours. `data_dictionary.WORK_DESCRIPTIONS`
    tells what counts as work on a basis. *on_queue* is the number of agents on queue, None if
    unknown.
    """

    label: str
    work_half_hours: float
    on_queue: float | None


def profile_bars(grid: DayGrid) -> list[ProfileBar]:
    """Return the bar of each half-hour of *grid*, in order."""
    return [
        ProfileBar(
            grid.half_hour_label(index),
            work_seconds / HALF_HOUR_SECONDS,
            None if queue_seconds is None else queue_seconds / HALF_HOUR_SECONDS,
        )
        for index, (work_seconds, queue_seconds) in enumerate(
            zip(grid.half_hour_totals, grid.on_queue, strict=True)
        )
    ]


def render_svg(table: pa.Table) -> str:
    """Return *table*, a report by interval, as an SVG drawing with one day below the other."""
    days, captions = list(day_grids(table)), table_captions(table)
    tops = [TOP_MARGIN + CAPTION_HEIGHT * len(captions) + LEGEND_HEIGHT]
    for grid in days:
        tops.append(
            tops[-1] + 24 + PROFILE_HEIGHT + 34 + ROW_HEIGHT * len(grid.agent_rows) + DAY_GAP
        )
    width = LEFT_MARGIN + CELL_WIDTH * max((len(grid.starts) for grid in days), default=0) + 30
    return render_template(
        "charts.svg",
        days=[(grid, profile_bars(grid), top) for grid, top in zip(days, tops, strict=False)],
        chart_title=chart_title(table),
        work_unit=work_unit(table),
        captions=captions,
        all_provisional=are_all_provisional([table]),
        empty_message=NO_FIGURES_MESSAGE,
        width=max(width, MIN_CHART_WIDTH),
        height=tops[-1],
        geometry={
            "cell_width": CELL_WIDTH,
            "row_height": ROW_HEIGHT,
            "left_margin": LEFT_MARGIN,
            "profile_height": PROFILE_HEIGHT,
            "top_margin": TOP_MARGIN,
            "caption_height": CAPTION_HEIGHT,
        },
        shorten_name=lambda name: shorten_name(name, _MAX_NAME_WIDTH),
        axis_peak=axis_peak,
        format_duration=format_duration,
        shades=LIGHT_SHADES,
    )


def render_profile_svg(grid: DayGrid, unit: str) -> str:
    """Return the profile of one day as SVG, as wide as the day's heat map; bars are in *unit*."""
    return render_template(
        "profile.svg",
        profile=profile_bars(grid),
        work_unit=unit,
        axis_peak=axis_peak,
        day_title=grid.day_title,
        cell_width=CELL_WIDTH,
        height=PROFILE_HEIGHT - 20,
    )


def write_png(table: pa.Table, file: BinaryIO) -> None:
    """Write the drawing of `render_svg` as PNG."""
    import resvg_py

    file.write(bytes(resvg_py.svg_to_bytes(svg_string=render_svg(table), zoom=PNG_SCALE)))


def axis_peak(bars: Sequence[ProfileBar]) -> float:
    """Return the highest value of the axis behind *bars*, at least 1."""
    return max([1.0, *(max(bar.work_half_hours, bar.on_queue or 0) for bar in bars)])
