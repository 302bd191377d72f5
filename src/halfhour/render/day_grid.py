"""Grids of a report by interval, one per day, with agents by half-hours, for the charts."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
from rich.cells import cell_len, set_cell_size

from halfhour.model.data_dictionary import WORK_DESCRIPTIONS
from halfhour.model.intervals import HALF_HOUR, SECOND
from halfhour.model.names import name_sort_key
from halfhour.model.vocabulary import Basis

HALF_HOUR_SECONDS = HALF_HOUR // SECOND
FILL_LEVELS = 8
NO_FIGURES_MESSAGE = "There is nothing to show: no figures of any agent are known of this range."


@dataclass(frozen=True, slots=True)
class HeatCell:
    """The time of one agent in one half-hour, in *seconds*."""

    seconds: float
    provisional: bool

    @property
    def exceeds_half_hour(self) -> bool:
        """True if the time is longer than the half-hour."""
        return self.seconds > HALF_HOUR_SECONDS

    @property
    def fill_level(self) -> int:
        """The number of eighths of the half-hour that the time begins to fill; 0 if it is zero."""
        return (
            0
            if not self.seconds
            else min(int(self.seconds / HALF_HOUR_SECONDS * FILL_LEVELS) + 1, FILL_LEVELS)
        )


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent's day, a cell per half-hour; None where the report has no time of the agent."""

    name: str
    cells: Sequence[HeatCell | None]


@dataclass(frozen=True, slots=True)
class DayGrid:
    """A local day, from its first to its last half-hour with a row in the report.

    *on_queue* is the on-queue time of all agents in seconds, None where status is unknown.
    """

    day: date
    starts: Sequence[datetime]
    agent_rows: Sequence[AgentRow]
    on_queue: Sequence[float | None]

    @property
    def day_title(self) -> str:
        """The day and its zone by name.

        A day when clocks change has both offsets too, with the letters of the repeated hours.
        """
        letters: dict[str, str] = {}
        for index, start in enumerate(self.starts):
            offset = _offset_label(start)
            letters[offset] = letters.get(offset) or self.repeated_hour_letter(index)
        labels = [
            f"{offset} ({letter})" if letter else offset for offset, letter in letters.items()
        ]
        offsets = f", {' then '.join(labels)}" if len(labels) > 1 else ""
        return f"{self.day}, {self.starts[0].tzinfo}{offsets}"

    @property
    def half_hour_totals(self) -> list[float]:
        """The time of all agents in each half-hour, in seconds."""
        columns = zip(*(row.cells for row in self.agent_rows), strict=True)
        return [sum(cell.seconds for cell in column if cell) for column in columns]

    @property
    def provisional_flags(self) -> list[bool]:
        """Flags of the half-hours that are provisional, which they are for all agents at once."""
        columns = zip(*(row.cells for row in self.agent_rows), strict=True)
        return [any(cell.provisional for cell in column if cell) for column in columns]

    def half_hour_label(self, index: int) -> str:
        """Return the start of a half-hour, with its offset if the clock shows that time twice."""
        start = self.starts[index]
        return f"{start:%H:%M}{start.isoformat()[-6:] if self.repeated_hour_letter(index) else ''}"

    def hour_label(self, index: int) -> str:
        """Return the start of a full hour, "01", or "01A" and "01B"; empty for half past."""
        start = self.starts[index]
        return f"{start:%H}{self.repeated_hour_letter(index)}" if start.minute == 0 else ""

    def repeated_hour_letter(self, index: int) -> str:
        """Return A or B for the first or second of two half-hours with the same local time."""
        start = self.starts[index]
        is_repeated = start.replace(fold=0).utcoffset() != start.replace(fold=1).utcoffset()
        return "AB"[start.fold] if is_repeated else ""


def drawn_column(table: pa.Table) -> str:
    """Return the column of *table* that the charts show, which depends on the basis."""
    return "busy_time_sec" if _table_basis(table) is Basis.WORKED else "handle_time_sec"


def chart_title(table: pa.Table) -> str:
    """Return the title of a chart of *table*: what it shows, and on which basis."""
    return {
        Basis.POSTED: "Handle time, posted basis",
        Basis.WORKED: "Time at work, worked basis",
        Basis.BOTH: "Handle time, posted basis (the worked basis draws time at work)",
    }[_table_basis(table)]


def work_unit(table: pa.Table) -> str:
    """Return the unit of a profile's bars in words."""
    return WORK_DESCRIPTIONS[_table_basis(table)]


def _table_basis(table: pa.Table) -> Basis:
    return Basis((table["basis"][:1].to_pylist() or [Basis.POSTED])[0])


def day_grids(table: pa.Table) -> Iterator[DayGrid]:
    """Yield a grid for each day of *table*, a report by interval, oldest day first.

    Agents are sorted by name, or stay in the order of a report that is sorted by a column.
    """
    column = drawn_column(table)
    names = agent_display_names(table)
    needed = ["agent_id", "agent_name", "interval_start", "on_queue_time_sec", "provisional"]
    rows = [row for row in table.select([*needed, column]).to_pylist() if row[column] is not None]
    rows_by_day = defaultdict(list)
    for row in rows:
        rows_by_day[row["interval_start"].date()].append(row)
    ordered_names = {agent: names[agent] for agent in _ordered_agents(rows)}
    for day, day_rows in sorted(rows_by_day.items()):
        yield _build_day_grid(day, day_rows, column, ordered_names)


def agent_display_names(table: pa.Table) -> dict[str, str]:
    """Return the agents' names by id, each one printable and distinct."""
    names = distinguish_namesakes(table["agent_id"].to_pylist(), table["agent_name"].to_pylist())
    return {agent: _printable_name(name) for agent, name in names.items()}


def distinguish_namesakes(ids: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Return *names* by id, with the start of the id after a name that several people have."""
    name_by_id = dict(zip(ids, names, strict=True))
    name_counts = Counter(name_by_id.values())
    return {
        person: f"{name} ({person[:8]})" if name_counts[name] > 1 else name
        for person, name in name_by_id.items()
    }


def shorten_name(name: str, width: int) -> str:
    """Return *name* in at most *width* cells of a terminal; an ellipsis replaces the rest."""
    return name if cell_len(name) <= width else set_cell_size(name, width - 1).rstrip() + "…"


def _ordered_agents(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    starts = [row["interval_start"].astimezone(UTC) for row in rows]
    names = {row["agent_id"]: row["agent_name"] for row in rows}
    # The rows of a single half-hour are in the right order: by name or by the chosen column.
    if len(set(starts)) > 1 and starts == sorted(starts):
        return sorted(names, key=lambda agent: (name_sort_key(names[agent]), names[agent], agent))
    return list(names)


def _build_day_grid(
    day: date, rows: Sequence[Mapping[str, Any]], column: str, names: Mapping[str, str]
) -> DayGrid:
    """Return the grid of *day*; its agents are in the order of *names*, which has all days'."""
    zone = rows[0]["interval_start"].tzinfo
    # The keys are in UTC, as local times are equal in an hour that occurs twice.
    cells: dict[str, dict[datetime, HeatCell]] = defaultdict(dict)
    on_queue: dict[datetime, float] = {}
    for row in rows:
        start = row["interval_start"].astimezone(UTC)
        cells[row["agent_id"]][start] = HeatCell(row[column], row["provisional"])
        if row["on_queue_time_sec"] is not None:
            on_queue[start] = on_queue.get(start, 0) + row["on_queue_time_sec"]
    filled_starts = {start for agent_cells in cells.values() for start in agent_cells}
    starts = list(_half_hour_starts(min(filled_starts), max(filled_starts)))
    return DayGrid(
        day,
        [start.astimezone(zone) for start in starts],
        [
            AgentRow(name, [cells[agent].get(start) for start in starts])
            for agent, name in names.items()
            if agent in cells
        ],
        [on_queue.get(start) for start in starts],
    )


def _offset_label(start: datetime) -> str:
    offset = start.isoformat()[-6:]
    return "UTC" if offset == "+00:00" else f"UTC{offset}"


def _printable_name(name: str) -> str:
    """Return *name* without characters that move a cursor or that XML forbids."""
    return "".join(letter if letter.isprintable() else " " for letter in name)


def _half_hour_starts(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += HALF_HOUR
