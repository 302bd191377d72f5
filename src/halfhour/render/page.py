"""A report as one HTML page that needs nothing else: no request leaves it, and without its one
small script only sorting is gone.
"""

from typing import Any

import pyarrow as pa
from markupsafe import Markup

from halfhour.meanings import MEANINGS, metric, title, unit
from halfhour.render.cells import cells
from halfhour.render.charts import SHADES, bars_svg, profile, title_of
from halfhour.render.grid import grids
from halfhour.render.templates import rendered
from halfhour.render.text import clock

_AGENTS = (
    "agent_name",
    "handle_time_sec",
    "acw_time_sec",
    "hold_time_sec",
    "talk_time_sec",
    "busy_time_sec",
    "on_queue_time_sec",
    "handled_count",
    "aht_sec",
    "acw_share_ratio",
    "hold_share_ratio",
    "occupancy_ratio",
)
"""What the table of agents shows, as far as there is anything of it."""
_FACTS = {
    "basis": "Basis",
    "interval": "Range (UTC, end not included)",
    "zone": "Time zone of what is shown",
    "source": "Source",
    "made_at": "As of",
    "missing": "Not held",
}


def page(table: pa.Table, agents: pa.Table) -> str:
    """The page of a report by interval, *table*, and the same by agent."""
    known = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    young = table["provisional"].to_pylist().count(True)
    columns = [
        name
        for name in _AGENTS
        if name in agents.column_names and agents[name].null_count < max(1, agents.num_rows)
    ]
    return rendered(
        "page.html",
        measure=title_of(table),
        facts=[
            (called, known[f"halfhour.{name}"])
            for name, called in _FACTS.items()
            if known.get(f"halfhour.{name}")
        ],
        young=young,
        rows=table.num_rows,
        over=_over(table),
        days=[(grid, Markup(bars_svg(grid)), profile(grid)) for grid in grids(table)],  # noqa: S704
        heads=[(title(name), "text" if name == "agent_name" else "number") for name in columns],
        agents=_agents(agents, columns),
        meanings=[
            (title(name), unit(name), metric(name), MEANINGS[name])
            for name in dict.fromkeys([*table.column_names, *columns])
            if name in MEANINGS
        ],
        shades=SHADES,
        clock=clock,
    )


def _over(table: pa.Table) -> int:
    if "exceeds_interval" not in table.column_names:
        return 0
    return int(table["exceeds_interval"].to_pylist().count(True))


def _agents(agents: pa.Table, columns: list[str]) -> list[list[tuple[str, Any]]]:
    """Each cell as it is shown, and as it is sorted by."""
    shown = [
        [
            (_shown(name, value, text), "" if value is None else value)
            for value, text in zip(
                agents[name].to_pylist(),
                cells(agents[name].combine_chunks(), name).to_pylist(),
                strict=True,
            )
        ]
        for name in columns
    ]
    return [list(row) for row in zip(*shown, strict=True)]


def _shown(name: str, value: Any, text: str | None) -> str:
    if value is None:
        return "–"
    if name.endswith("_sec"):
        return clock(value)
    return f"{value:.1%}" if name.endswith("_ratio") else text or ""
