"""A report by interval as days of agents by half-hours, for whatever draws it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
from rich.cells import cell_len, set_cell_size

from halfhour.model.data_dictionary import WORK_DESCRIPTIONS
from halfhour.model.intervals import HALF_HOUR, SECOND
from halfhour.model.vocabulary import Basis, name_sort_key

HALF_HOUR_SECONDS = HALF_HOUR // SECOND
FILL_LEVELS = 8
NO_FIGURES_MESSAGE = "There is nothing to show: no figures of any agent are known of this range."


@dataclass(frozen=True, slots=True)
class HeatCell:
    """What lies in one half-hour of one agent: seconds, and whether they may still change."""

    seconds: float
    provisional: bool

    @property
    def exceeds_half_hour(self) -> bool:
        """Whether it is more than the half-hour has."""
        return self.seconds > HALF_HOUR_SECONDS

    @property
    def fill_level(self) -> int:
        """How many eighths of the half-hour it begins to fill, 0 for nothing."""
        return (
            0
            if not self.seconds
            else min(int(self.seconds / HALF_HOUR_SECONDS * FILL_LEVELS) + 1, FILL_LEVELS)
        )


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent's day; None where nothing is known of the agent."""

    name: str
    cells: Sequence[HeatCell | None]


@dataclass(frozen=True, slots=True)
class DayGrid:
    """A local day: its half-hours from the first to the last with anything in them, and agents.

    *on_queue* is in seconds by half-hour, None where no status is known.
    """

    day: date
    starts: Sequence[datetime]
    agent_rows: Sequence[AgentRow]
    on_queue: Sequence[float | None]

    @property
    def day_title(self) -> str:
        """The day with its offset from UTC, or both on a day when clocks change, and then which
        letter stands behind the hours of which.
        """
        offsets: dict[str, str] = {}
        for at, start in enumerate(self.starts):
            offset = _offset_label(start)
            offsets[offset] = offsets.get(offset) or self.repeated_hour_letter(at)
        told = (f"{each} ({letter})" if letter else each for each, letter in offsets.items())
        return f"{self.day}, {' then '.join(told)}"

    @property
    def half_hour_totals(self) -> list[float]:
        """Seconds of all agents by half-hour."""
        columns = zip(*(line.cells for line in self.agent_rows), strict=True)
        return [sum(cell.seconds for cell in column if cell) for column in columns]

    @property
    def provisional_flags(self) -> list[bool]:
        """Whether half-hours may still change: they do so for all agents alike."""
        columns = zip(*(line.cells for line in self.agent_rows), strict=True)
        return [any(cell.provisional for cell in column if cell) for column in columns]

    def half_hour_label(self, at: int) -> str:
        """When a half-hour begins; with the offset where the clock shows it twice."""
        start = self.starts[at]
        return f"{start:%H:%M}{start.isoformat()[-6:] if self.repeated_hour_letter(at) else ''}"

    def hour_label(self, at: int) -> str:
        """The same in short, of full hours only: "01", or "01A" and then "01B"."""
        start = self.starts[at]
        return f"{start:%H}{self.repeated_hour_letter(at)}" if start.minute == 0 else ""

    def repeated_hour_letter(self, at: int) -> str:
        """A or B where the clock shows the half-hour twice: the first time, and the second."""
        start = self.starts[at]
        twice = start.replace(fold=0).utcoffset() != start.replace(fold=1).utcoffset()
        return "AB"[start.fold] if twice else ""


def drawn_column(table: pa.Table) -> str:
    """The column that is drawn: the one that fills half-hours."""
    return "busy_time_sec" if _table_basis(table) is Basis.WORKED else "handle_time_sec"


def chart_title(table: pa.Table) -> str:
    """What is drawn, in words."""
    return {
        Basis.POSTED: "Handle time, posted basis",
        Basis.WORKED: "Time at work, worked basis",
        Basis.BOTH: "Handle time, posted basis (the worked basis draws time at work)",
    }[_table_basis(table)]


def work_unit(table: pa.Table) -> str:
    """What the bars of a profile are a number of, in words."""
    return WORK_DESCRIPTIONS[_table_basis(table)]


def _table_basis(table: pa.Table) -> Basis:
    return Basis((table["basis"][:1].to_pylist() or [Basis.POSTED])[0])


def day_grids(table: pa.Table) -> Iterator[DayGrid]:
    """The days of a report by interval, oldest first; what was not asked for is left out.

    Agents are by name, or as they come in a report that is sorted otherwise.
    """
    column = drawn_column(table)
    names = agent_display_names(table)
    wanted = ["agent_id", "agent_name", "interval_start", "on_queue_time_sec", "provisional"]
    rows = [row for row in table.select([*wanted, column]).to_pylist() if row[column] is not None]
    days = defaultdict(list)
    for row in rows:
        days[row["interval_start"].date()].append(row)
    agents = _ordered_agents(rows)
    for day, of_day in sorted(days.items()):
        yield _build_day_grid(day, of_day, column, {agent: names[agent] for agent in agents})


def agent_display_names(table: pa.Table) -> dict[str, str]:
    """By id what to call the agents of *table*: each by another name, and all of it printable."""
    names = distinguish_namesakes(table["agent_id"].to_pylist(), table["agent_name"].to_pylist())
    return {agent: _printable_name(name) for agent, name in names.items()}


def distinguish_namesakes(ids: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Names by id, with the beginning of the id behind those that several people have."""
    people = dict(zip(ids, names, strict=True))
    bearers = Counter(people.values())
    return {
        one: f"{name} ({one[:8]})" if bearers[name] > 1 else name for one, name in people.items()
    }


def shorten_name(name: str, room: int) -> str:
    """*name* in as many cells of a terminal at most, with an ellipsis for what is left out."""
    return name if cell_len(name) <= room else set_cell_size(name, room - 1).rstrip() + "…"


def _ordered_agents(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    moments = [row["interval_start"].astimezone(UTC) for row in rows]
    names = {row["agent_id"]: row["agent_name"] for row in rows}
    # Of one half-hour, rows are by name as they come, or by what they are sorted by.
    if len(set(moments)) > 1 and moments == sorted(moments):
        return sorted(names, key=lambda each: (name_sort_key(names[each]), names[each], each))
    return list(names)


def _build_day_grid(
    day: date, rows: Sequence[Mapping[str, Any]], column: str, names: Mapping[str, str]
) -> DayGrid:
    """*names* are in the order of the lines, of all days."""
    zone = rows[0]["interval_start"].tzinfo
    # By moments of UTC: of an hour that comes twice, local ones are equal.
    cells: dict[str, dict[datetime, HeatCell]] = defaultdict(dict)
    on_queue: dict[datetime, float] = {}
    for row in rows:
        at = row["interval_start"].astimezone(UTC)
        cells[row["agent_id"]][at] = HeatCell(row[column], row["provisional"])
        if row["on_queue_time_sec"] is not None:
            on_queue[at] = on_queue.get(at, 0) + row["on_queue_time_sec"]
    moments = {at for line in cells.values() for at in line}
    starts = list(_half_hour_starts(min(moments), max(moments)))
    return DayGrid(
        day,
        [start.astimezone(zone) for start in starts],
        [
            AgentRow(name, [cells[agent].get(at) for at in starts])
            for agent, name in names.items()
            if agent in cells
        ],
        [on_queue.get(at) for at in starts],
    )


def _offset_label(start: datetime) -> str:
    offset = start.isoformat()[-6:]
    return "UTC" if offset == "+00:00" else f"UTC{offset}"


def _printable_name(name: str) -> str:
    """*name* without what moves a cursor or is no character of XML: whatever somebody typed."""
    return "".join(each if each.isprintable() else " " for each in name)


def _half_hour_starts(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += HALF_HOUR
