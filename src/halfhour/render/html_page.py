"""A report as one HTML page that needs nothing else: no request leaves it, and without its one
small script only sorting is gone.
"""

from typing import Any

import pyarrow as pa
from markupsafe import Markup
from rich.cells import cell_len

from halfhour.model.data_dictionary import MEANINGS, metric, title, unit
from halfhour.render.captions import facts
from halfhour.render.cells import cells
from halfhour.render.charts import DARK_SHADES, SHADES, bars_svg, profile
from halfhour.render.day_grid import NOTHING, Grid, grids, names_of, title_of, work_of
from halfhour.render.table import clock
from halfhour.render.templates import rendered

_AGENTS = (
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
"""What the table of agents shows, as far as there is anything of it."""
_LONGEST_NAME = 24
_ON_QUEUE = "Agents on queue"


def page(table: pa.Table, agents: pa.Table, total: pa.Table) -> str:
    """The page of a report by interval, *table*, the same by agent, and of all of them."""
    columns = [name for name in _AGENTS if _has_any(agents, name)]
    days, work = list(grids(table)), work_of(table)
    return rendered(
        "page.html",
        measure=title_of(table),
        work=work,
        facts=facts(table),
        young=table["provisional"].to_pylist().count(True),
        rows=table.num_rows,
        over=_over(table),
        nothing=NOTHING,
        days=[
            (grid, _room(grid, work), Markup(bars_svg(grid, work)), profile(grid))  # noqa: S704
            for grid in days
        ],
        sums=[
            (title(name), _texts(total, name)[0])
            for name in ("agent_count", *_AGENTS)
            if _has_any(total, name)
        ],
        heads=[(title(name), "text" if name == "agent_name" else "number") for name in columns],
        agents=_agents(agents, columns),
        meanings=[
            (title(name), unit(name), metric(name), MEANINGS[name])
            for name in dict.fromkeys([*table.column_names, *columns])
            if name in MEANINGS
        ],
        palettes={"light": SHADES, "dark": DARK_SHADES},
        clock=clock,
    )


def _has_any(table: pa.Table, name: str) -> bool:
    return name in table.column_names and table[name].null_count < table.num_rows


def _room(grid: Grid, work: str) -> int:
    """How many letters wide the names beside a map are to be, and what its last rows are of."""
    longest = max(cell_len(line.name) for line in grid.lines)
    return max(len(_ON_QUEUE), len(work), min(longest, _LONGEST_NAME))


def _over(table: pa.Table) -> int:
    if "exceeds_interval" not in table.column_names:
        return 0
    return int(table["exceeds_interval"].to_pylist().count(True))


def _agents(agents: pa.Table, columns: list[str]) -> list[list[tuple[str, Any]]]:
    """Each cell as it is shown, and the number to sort it by: names are in order already."""
    shown = [
        zip(names_of(agents).values(), range(agents.num_rows), strict=True)
        if name == "agent_name"
        else zip(_texts(agents, name), agents[name].to_pylist(), strict=True)
        for name in columns
    ]
    return [
        [(text, "" if value is None else value) for text, value in row]
        for row in zip(*shown, strict=True)
    ]


def _texts(table: pa.Table, name: str) -> list[str]:
    texts = cells(table[name].combine_chunks(), name).to_pylist()
    return [
        _shown(name, value, text)
        for value, text in zip(table[name].to_pylist(), texts, strict=True)
    ]


def _shown(name: str, value: Any, text: str | None) -> str:
    if value is None:
        return "–"
    if name.endswith("_sec"):
        return clock(value)
    return f"{value:.1%}" if name.endswith("_ratio") else text or ""
