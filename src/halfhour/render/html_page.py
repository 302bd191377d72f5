"""A report as one self-contained HTML page.

The page loads nothing from elsewhere. Without its one small script, only sorting does not work.
"""

from typing import Any

import pyarrow as pa
from markupsafe import Markup
from rich.cells import cell_len

from halfhour.model.data_dictionary import (
    COLUMN_MEANINGS,
    EXCEEDING_CAUSES,
    column_title,
    displayed_unit,
    genesys_metric,
)
from halfhour.render.captions import ALL_PROVISIONAL_NOTE, table_captions
from halfhour.render.cells import cell_texts
from halfhour.render.charts import DARK_SHADES, LIGHT_SHADES, profile_bars, render_profile_svg
from halfhour.render.day_grid import (
    NO_FIGURES_MESSAGE,
    DayGrid,
    agent_display_names,
    chart_title,
    day_grids,
    work_unit,
)
from halfhour.render.table import are_all_provisional, format_duration
from halfhour.render.templates import render_template

_AGENT_COLUMNS = (
    "agent_name",
    "handle_time_sec",
    "acw_time_sec",
    "hold_time_sec",
    "talk_time_sec",
    "worked_time_sec",
    "busy_time_sec",
    "on_queue_time_sec",
    "handled_count",
    "aht_sec",
    "acw_share_ratio",
    "hold_share_ratio",
    "occupancy_ratio",
)
"""Columns of the table of agents, each left out if it has no values."""
_MAX_NAME_WIDTH = 24
_ON_QUEUE_LABEL = "Agents on queue"


def render_page(table: pa.Table, agents: pa.Table, total: pa.Table) -> str:
    """Return the page of *table*, a report by interval, with the same by agent and in total."""
    columns = [name for name in _AGENT_COLUMNS if _has_values(agents, name)]
    days, unit = list(day_grids(table)), work_unit(table)
    return render_template(
        "page.html",
        chart_title=chart_title(table),
        work_unit=unit,
        captions=table_captions(table),
        provisional_count=table["provisional"].to_pylist().count(True),
        all_provisional=are_all_provisional([table]),
        all_provisional_note=ALL_PROVISIONAL_NOTE,
        row_count=table.num_rows,
        exceeding_count=_exceeding_interval_count(table),
        exceeding_causes=EXCEEDING_CAUSES,
        empty_message=NO_FIGURES_MESSAGE,
        days=[
            (
                grid,
                _name_column_width(grid, unit),
                Markup(render_profile_svg(grid, unit)),  # noqa: S704  (our own template)
                profile_bars(grid),
            )
            for grid in days
        ],
        totals=[
            (column_title(name), _display_texts(total, name)[0])
            for name in ("agent_count", *_AGENT_COLUMNS)
            if _has_values(total, name)
        ],
        agent_headers=[
            (column_title(name), "text" if name == "agent_name" else "number") for name in columns
        ],
        agent_rows=_agent_table_rows(agents, columns),
        column_meanings=[
            (column_title(name), displayed_unit(name), genesys_metric(name), COLUMN_MEANINGS[name])
            for name in dict.fromkeys([*table.column_names, *columns])
            if name in COLUMN_MEANINGS
        ],
        palettes={"light": LIGHT_SHADES, "dark": DARK_SHADES},
        format_duration=format_duration,
    )


def _has_values(table: pa.Table, name: str) -> bool:
    return name in table.column_names and table[name].null_count < table.num_rows


def _name_column_width(grid: DayGrid, unit: str) -> int:
    """Return the width in letters of the first column, with agents and the labels of the totals."""
    longest_name = max(cell_len(row.name) for row in grid.agent_rows)
    return max(len(_ON_QUEUE_LABEL), len(unit), min(longest_name, _MAX_NAME_WIDTH))


def _exceeding_interval_count(table: pa.Table) -> int:
    if "exceeds_interval" not in table.column_names:
        return 0
    return int(table["exceeds_interval"].to_pylist().count(True))


def _agent_table_rows(agents: pa.Table, columns: list[str]) -> list[list[tuple[str, Any]]]:
    """Return each cell's text and the number that it sorts by, for names their place in order."""
    cells_by_column = [
        zip(agent_display_names(agents).values(), range(agents.num_rows), strict=True)
        if name == "agent_name"
        else zip(_display_texts(agents, name), agents[name].to_pylist(), strict=True)
        for name in columns
    ]
    return [
        [(text, "" if value is None else value) for text, value in row]
        for row in zip(*cells_by_column, strict=True)
    ]


def _display_texts(table: pa.Table, name: str) -> list[str]:
    texts = cell_texts(table[name].combine_chunks(), name).to_pylist()
    return [
        _display_text(name, value, text)
        for value, text in zip(table[name].to_pylist(), texts, strict=True)
    ]


def _display_text(name: str, value: Any, text: str | None) -> str:
    if value is None:
        return "–"
    if name.endswith("_sec"):
        return format_duration(value)
    return f"{value:.1%}" if name.endswith("_ratio") else text or ""
