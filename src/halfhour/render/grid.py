"""A report by interval as days of agents by half-hours, for whatever draws it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

import pyarrow as pa

HALF_HOUR = 1800
LEVELS = 8
_STEP = timedelta(seconds=HALF_HOUR)


@dataclass(frozen=True, slots=True)
class Cell:
    """What lies in one half-hour of one agent: seconds, and whether they may still change."""

    seconds: float
    provisional: bool

    @property
    def is_over(self) -> bool:
        """Whether it is more than the half-hour has."""
        return self.seconds > HALF_HOUR

    @property
    def level(self) -> int:
        """How many eighths of the half-hour it begins to fill, 0 for nothing."""
        return 0 if not self.seconds else min(int(self.seconds / HALF_HOUR * LEVELS) + 1, LEVELS)


@dataclass(frozen=True, slots=True)
class Line:
    """An agent's day; None where nothing is known of the agent."""

    name: str
    cells: Sequence[Cell | None]


@dataclass(frozen=True, slots=True)
class Grid:
    """A local day: its half-hours from the first to the last with anything in them, and agents by
    name. *on_queue* is in seconds by half-hour, None where no status is known.
    """

    day: date
    starts: Sequence[datetime]
    lines: Sequence[Line]
    on_queue: Sequence[float | None]

    @property
    def title(self) -> str:
        """The day with its offset from UTC, or both on a day when clocks change."""
        offsets = dict.fromkeys(f"UTC{start.isoformat()[-6:]}" for start in self.starts)
        return f"{self.day}, {' then '.join(offsets)}"

    @property
    def totals(self) -> list[float]:
        """Seconds of all agents by half-hour."""
        columns = zip(*(line.cells for line in self.lines), strict=True)
        return [sum(cell.seconds for cell in column if cell) for column in columns]

    def label(self, at: int) -> str:
        """When a half-hour begins; with the offset where the clock shows it twice."""
        clock = f"{self.starts[at]:%H:%M}"
        twice = [f"{start:%H:%M}" for start in self.starts].count(clock) > 1
        return f"{clock}{self.starts[at].isoformat()[-6:]}" if twice else clock


def shown_of(table: pa.Table) -> str:
    """The column that is drawn: the one that fills half-hours."""
    return "busy_time_sec" if table["basis"][:1].to_pylist() == ["worked"] else "handle_time_sec"


def grids(table: pa.Table) -> Iterator[Grid]:
    """The days of a report by interval, oldest first; what was not asked for is left out."""
    column = shown_of(table)
    names = told_apart(table["agent_id"].to_pylist(), table["agent_name"].to_pylist())
    wanted = ["agent_id", "interval_start", column, "provisional", "on_queue_time_sec"]
    rows = [row for row in table.select(wanted).to_pylist() if row[column] is not None]
    for day, of_day in groupby(rows, key=lambda row: row["interval_start"].date()):
        yield _grid(day, list(of_day), column, names)


def told_apart(ids: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Names by id, with the beginning of the id behind those that several people have."""
    people = dict(zip(ids, names, strict=True))
    bearers = Counter(people.values())
    return {
        one: f"{name} ({one[:8]})" if bearers[name] > 1 else name for one, name in people.items()
    }


def _grid(
    day: date, rows: Sequence[Mapping[str, Any]], column: str, names: Mapping[str, str]
) -> Grid:
    zone = rows[0]["interval_start"].tzinfo
    # By moments of UTC: of an hour that comes twice, local ones are equal.
    moments = {row["interval_start"].astimezone(UTC) for row in rows}
    cells = {
        (row["agent_id"], row["interval_start"].astimezone(UTC)): Cell(
            row[column], row["provisional"]
        )
        for row in rows
    }
    on_queue: dict[datetime, float] = {}
    for row in rows:
        if row["on_queue_time_sec"] is not None:
            at = row["interval_start"].astimezone(UTC)
            on_queue[at] = on_queue.get(at, 0) + row["on_queue_time_sec"]
    starts = list(_steps(min(moments), max(moments)))
    agents = sorted({agent for agent, _ in cells}, key=lambda each: (names[each].casefold(), each))
    return Grid(
        day,
        [start.astimezone(zone) for start in starts],
        [
            Line(_printable(names[agent]), [cells.get((agent, at)) for at in starts])
            for agent in agents
        ],
        [on_queue.get(at) for at in starts],
    )


def _printable(name: str) -> str:
    """*name* without what moves a cursor or is no character of XML: whatever somebody typed."""
    return "".join(each if each.isprintable() else " " for each in name)


def _steps(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += _STEP
