"""A heat map for the terminal: a line an agent, a character a half-hour."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from itertools import groupby
from typing import Any

import pyarrow as pa
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

HALF_HOUR = 1800.0
LEVELS = "▁▂▃▄▅▆▇█"
OVER, NOTHING, ABSENT = "▲", "·", " "
LEGEND = f"{LEVELS} eighths of the half-hour, {OVER} more than it has, {NOTHING} none of it"
_SHADES = ("#9ecae1", "#7fb8d9", "#61a5cf", "#4a93c4", "#3580b8", "#246caa", "#155a98", "#08478a")
_OVER_SHADE = "#d9822b"
_LONGEST_NAME, _SHORTEST_NAME = 24, 10
_STEP = timedelta(minutes=30)

Cells = Mapping[tuple[str, datetime], float]


def shown_of(table: pa.Table) -> str:
    """The column of a report by interval that a heat map shows: the one that fills half-hours."""
    return "busy_time_sec" if table["basis"][:1].to_pylist() == ["worked"] else "handle_time_sec"


def heat(table: pa.Table, width: int | None = None, *, colour: bool = False) -> str:
    """A report by interval, day by day; *width* is that of the terminal, None for no limit."""
    column = shown_of(table)
    rows = table.select(["agent_id", "agent_name", "interval_start", column]).to_pylist()
    out = StringIO()
    # Wide enough never to break a line, which is cut to *width* here.
    console = Console(
        file=out, width=10_000, force_terminal=colour, color_system="truecolor" if colour else None
    )
    for day, of_day in groupby(rows, key=lambda row: row["interval_start"].date()):
        for line in _day(day, list(of_day), column, width):
            console.print(line, highlight=False)
    if rows:
        console.print(f"{column.removesuffix('_sec')}: {LEGEND}", highlight=False)
    return out.getvalue()


def _day(
    day: date, rows: Sequence[Mapping[str, Any]], column: str, width: int | None
) -> Iterator[Text]:
    names = {row["agent_id"]: _printable(row["agent_name"]) for row in rows}
    agents = sorted(names, key=lambda each: (names[each].casefold(), each))
    zone = rows[0]["interval_start"].tzinfo
    # By moments of UTC: of an hour that comes twice, local ones are equal.
    cells = {(row["agent_id"], row["interval_start"].astimezone(UTC)): row[column] for row in rows}
    first, last = (pick(at for _, at in cells) for pick in (min, max))
    starts = list(_starts(first.astimezone(zone), last))
    longest = max(map(cell_len, names.values()))
    room = min(longest, _LONGEST_NAME)
    if width is not None:
        room = min(room, max(_SHORTEST_NAME, width - len(starts) - 2))
    at_once = len(starts) if width is None else max(2, (width - room - 2) // 2 * 2)
    offsets = dict.fromkeys(f"UTC{start.isoformat()[-6:]}" for start in starts)
    yield Text(f"{day}, {' then '.join(offsets)}", style="bold")
    for at in range(0, len(starts), at_once):
        some = starts[at : at + at_once]
        yield Text(" " * (room + 2) + _hours(some))
        for agent in agents:
            line = Text(set_cell_size(names[agent], room) + "  ")
            for start in some:
                line.append(*_cell(cells, agent, start))
            line.rstrip()
            yield line
    yield Text()


def _starts(first: datetime, last: datetime) -> Iterator[datetime]:
    """Every half-hour from the full hour before *first* to *last*, in the zone of *first*."""
    at = first.astimezone(UTC) - timedelta(minutes=first.minute)
    while at <= last:
        yield at.astimezone(first.tzinfo)
        at += _STEP


def _hours(starts: Sequence[datetime]) -> str:
    """Each full hour over its first two half-hours."""
    line = [" "] * (len(starts) + 1)
    for at, start in enumerate(starts):
        if start.minute == 0:
            line[at : at + 2] = f"{start:%H}"
    return "".join(line).rstrip()


def _cell(cells: Cells, agent: str, start: datetime) -> tuple[str, str]:
    value = cells.get((agent, start.astimezone(UTC)))
    if value is None:
        return ABSENT, ""
    if value == 0:
        return NOTHING, "dim"
    if value > HALF_HOUR:
        return OVER, _OVER_SHADE
    level = min(int(value / HALF_HOUR * len(LEVELS)), len(LEVELS) - 1)
    return LEVELS[level], _SHADES[level]


def _printable(name: str) -> str:
    return "".join(each if each.isprintable() else " " for each in name)
