"""Fit the columns of a table to a terminal: shorten them first, then leave some out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from rich.cells import cell_len, set_cell_size

from halfhour.render.day_grid import distinguish_namesakes

_FIRST_DROPPED_COLUMNS = (
    "interval_end",
    "interval_count",
    "agent_count",
    "hold_time_mean_sec",
    "acw_time_mean_sec",
    "handle_time_mean_sec",
    "hold_share_ratio",
    "acw_share_ratio",
    "callback_voice_time_sec",
    "on_queue_time_sec",
    "busy_time_sec",
)
_LAST_DROPPED_COLUMNS = (
    "hold_time_sec",
    "acw_time_sec",
    "occupancy_ratio",
    "aht_sec",
    "worked_time_sec",
    "handled_count",
)
_ESSENTIAL_COLUMNS = {
    "org",
    "interval_start",
    "day",
    "agent_name",
    "queue_name",
    "media_type",
    "total",
    "handle_time_sec",
}
"""Columns that identify a row, and the one that has the marks."""
_MIN_NAME_WIDTH = 17
"""The width to which names are shortened before a column is left out: ``Chiara…(731d81ad)``."""
_NAME_END_WIDTH = 10
"""Characters kept at the end of a shortened name, because namesakes differ there."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column as text: the lines of its head, its cells, notes below the table, and styles.

    *styles* has the terminal's escape sequence of each cell, or is empty.
    """

    head: Sequence[str]
    cells: Sequence[str]
    is_right_aligned: bool = False
    notes: Sequence[str] = ()
    styles: Sequence[str] = ()

    @property
    def display_width(self) -> int:
        """The width of its widest line in cells of a terminal."""
        return max(map(cell_len, (*self.head, *self.cells)))


def fit_columns(
    table: pa.Table, columns: Mapping[str, TableColumn], width: int
) -> Mapping[str, TableColumn]:
    """Return *columns* of *table*, as many and as wide as *width* has room for."""
    for candidate in _narrowing_steps(table, columns):
        names = [name for name in candidate if _is_name_column(name)]
        other_width = sum(
            column.display_width for name, column in candidate.items() if not _is_name_column(name)
        )
        width_for_names = width - other_width - 2 * (len(candidate) - 1)
        if width_for_names >= sum(
            min(candidate[name].display_width, _MIN_NAME_WIDTH) for name in names
        ):
            break
    return {
        name: _shorten_names(column, max(_MIN_NAME_WIDTH, width_for_names // len(names)))
        if _is_name_column(name)
        else column
        for name, column in candidate.items()
    }


def _narrowing_steps(
    table: pa.Table, columns: Mapping[str, TableColumn]
) -> Iterator[Mapping[str, TableColumn]]:
    """Yield *columns* as they are, and then ever narrower and fewer."""
    yield columns
    columns = {name: _wrap_head(column) for name, column in columns.items()}
    yield columns
    for entity in ("agent", "queue"):
        if f"{entity}_id" in columns:
            columns = replace_ids_by_names(columns, f"{entity}_id", f"{entity}_name")
            yield columns
    for name in table.column_names:
        if name in columns and pa.types.is_timestamp(table.schema.field(name).type):
            short_times = _shorten_times(columns[name], table[name])
            columns = {**columns, name: _wrap_head(short_times)}
    yield columns
    others = [
        name
        for name in reversed(list(columns))
        if name not in {*_ESSENTIAL_COLUMNS, *_LAST_DROPPED_COLUMNS}
    ]
    for dropped in (*_FIRST_DROPPED_COLUMNS, *others, *_LAST_DROPPED_COLUMNS):
        columns = {name: column for name, column in columns.items() if name != dropped}
        yield columns


def _is_name_column(name: str) -> bool:
    return name.endswith("_name")


def _wrap_head(column: TableColumn) -> TableColumn:
    """Return *column* with its head over several lines, no wider than cells or longest word."""
    words = [f"{word}_" for word in "".join(column.head).split("_")]
    width = max(map(cell_len, (*column.cells, *words)))
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += word
    return replace(column, head=[*lines[:-1], lines[-1].removesuffix("_")])


def replace_ids_by_names(
    columns: Mapping[str, TableColumn], id_column: str, name_column: str
) -> Mapping[str, TableColumn]:
    """Return *columns* without the ids, and with names that tell namesakes apart.

    The start of the id stands in for a missing name, and for all names if there is no column.
    """
    ids = columns[id_column].cells
    if name_column not in columns:
        short_ids = [entity[:8] for entity in ids]
        return {**columns, id_column: replace(columns[id_column], cells=short_ids)}
    names = columns[name_column].cells
    distinct_names = distinguish_namesakes(ids, names)
    cells = [
        f"{entity[:8]}…"
        if name in {"", entity} and len(entity) > len("12345678…")
        else distinct_names[entity]
        for entity, name in zip(ids, names, strict=True)
    ]
    others = {name: column for name, column in columns.items() if name != id_column}
    return {**others, name_column: replace(columns[name_column], cells=cells)}


def _shorten_times(column: TableColumn, timestamps: pa.ChunkedArray) -> TableColumn:
    """Return timestamps to the minute; year and offset are shown only if they differ in rows."""
    times = timestamps.to_pylist()
    years = sorted({time.year for time in times if time})
    directives = "%m-%d %H:%M" if len(years) == 1 else "%Y-%m-%d %H:%M"
    with_offset = len({time.utcoffset() for time in times if time}) > 1
    cells = [
        f"{time:{directives}}{time.isoformat()[-len('+00:00') :] if with_offset else ''}"
        if time
        else ""
        for time in times
    ]
    note = f"times: {timestamps.type.tz}" + (f", {years[0]}" if len(years) == 1 else "")
    return replace(column, cells=cells, notes=[note])


def _shorten_names(column: TableColumn, width: int) -> TableColumn:
    """Return *column* with an ellipsis in the middle of names that are longer than *width*."""
    return replace(
        column,
        cells=[
            name
            if cell_len(name) <= width
            else f"{set_cell_size(name, width - _NAME_END_WIDTH - 1).rstrip()}…"
            f"{set_cell_size(name[::-1], _NAME_END_WIDTH)[::-1].lstrip()}"
            for name in column.cells
        ],
    )
