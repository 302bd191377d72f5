"""Columns of a table made to fit a terminal: shortened first, then left out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from rich.cells import cell_len, set_cell_size

from halfhour.render.day_grid import distinguish_namesakes

_FIRST_DROPPED_COLUMNS = (
    "interval_end",
    "window_end",
    "interval_count",
    "agent_count",
    "acw_share_ratio",
    "hold_share_ratio",
    "on_queue_time_sec",
    "busy_time_sec",
    "differing_interval_count",
    "handled_count",
)
_ESSENTIAL_COLUMNS = {
    "interval_start",
    "day",
    "agent_name",
    "queue_name",
    "media_type",
    "total",
    "handle_time_sec",
}
"""What a row is of, and the figure that has the marks."""
_MIN_NAME_WIDTH = 17
"""How far a name is cut before a column is left out for it: ``Chiara…(731d81ad)``."""
_NAME_END_WIDTH = 10
"""Of it from the end, where people of one name are told apart."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One as it is shown: its head line by line, its cells, on the *right* if it is of figures,
    what of it has to be explained, and how cells look in colour.
    """

    head: Sequence[str]
    cells: Sequence[str]
    is_right_aligned: bool = False
    notes: Sequence[str] = ()
    styles: Sequence[str] = ()

    @property
    def display_width(self) -> int:
        """What it takes of a line."""
        return max(map(cell_len, (*self.head, *self.cells)))


def fit_columns(
    table: pa.Table, columns: Mapping[str, TableColumn], width: int
) -> Mapping[str, TableColumn]:
    """*columns* of *table*, as many and as full as there is room for in *width*."""
    for some in _narrowing_steps(table, columns):
        beside = sum(each.display_width for name, each in some.items() if not _is_name_column(name))
        names = [name for name in some if _is_name_column(name)]
        room = width - beside - 2 * (len(some) - 1)
        if room >= sum(min(some[name].display_width, _MIN_NAME_WIDTH) for name in names):
            break
    return {
        name: _shorten_names(each, max(_MIN_NAME_WIDTH, room // len(names)))
        if _is_name_column(name)
        else each
        for name, each in some.items()
    }


def _narrowing_steps(
    table: pa.Table, columns: Mapping[str, TableColumn]
) -> Iterator[Mapping[str, TableColumn]]:
    """*columns* as they are, and then each time with less."""
    yield columns
    columns = {name: _wrap_head(each) for name, each in columns.items()}
    yield columns
    for kind in ("agent", "queue"):
        if f"{kind}_id" in columns:
            columns = _replace_ids_by_names(columns, f"{kind}_id", f"{kind}_name")
            yield columns
    for name in table.column_names:
        if name in columns and pa.types.is_timestamp(table.schema.field(name).type):
            short = _shorten_times(columns[name], table[name])
            columns = {**columns, name: _wrap_head(short)}
    yield columns
    others = [name for name in reversed(list(columns)) if name not in _ESSENTIAL_COLUMNS]
    for name in (*_FIRST_DROPPED_COLUMNS, *others):
        columns = {other: each for other, each in columns.items() if other != name}
        yield columns


def _is_name_column(column: str) -> bool:
    return column.endswith("_name")


def _wrap_head(column: TableColumn) -> TableColumn:
    """With a head over several lines, none wider than the cells or its longest word."""
    words = [f"{word}_" for word in "".join(column.head).split("_")]
    room = max(map(cell_len, (*column.cells, *words)))
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > room:
            lines.append("")
        lines[-1] += word
    return replace(column, head=[*lines[:-1], lines[-1].removesuffix("_")])


def _replace_ids_by_names(
    columns: Mapping[str, TableColumn], key: str, named: str
) -> Mapping[str, TableColumn]:
    """Names alone, told apart where several people have one; where there is none, of the id its
    beginning.
    """
    ids = columns[key].cells
    if named not in columns:
        return {**columns, key: replace(columns[key], cells=[each[:8] for each in ids])}
    names = columns[named].cells
    known = distinguish_namesakes(ids, names)
    cells = [
        f"{one[:8]}…" if name in {"", one} and len(one) > len("12345678…") else known[one]
        for one, name in zip(ids, names, strict=True)
    ]
    others = {name: each for name, each in columns.items() if name != key}
    return {**others, named: replace(columns[named], cells=cells)}


def _shorten_times(column: TableColumn, moments: pa.ChunkedArray) -> TableColumn:
    """Moments to the minute, with the year and the offset from UTC only if there are several."""
    known = [each for each in moments.to_pylist() if each]
    years = sorted({each.year for each in known})
    form = "%m-%d %H:%M" if len(years) == 1 else "%Y-%m-%d %H:%M"
    offset = -len("+00:00") if len({each.utcoffset() for each in known}) > 1 else None
    cells = [
        f"{each:{form}}{each.isoformat()[offset:] if offset else ''}" if each else ""
        for each in moments.to_pylist()
    ]
    of = f"times: {moments.type.tz}" + (f", {years[0]}" if len(years) == 1 else "")
    return replace(column, cells=cells, notes=[of])


def _shorten_names(column: TableColumn, room: int) -> TableColumn:
    """Names with an ellipsis instead of their middle where they are longer than *room*."""
    return replace(
        column,
        cells=[
            name
            if cell_len(name) <= room
            else f"{set_cell_size(name, room - _NAME_END_WIDTH - 1).rstrip()}…"
            f"{set_cell_size(name[::-1], _NAME_END_WIDTH)[::-1].lstrip()}"
            for name in column.cells
        ],
    )
