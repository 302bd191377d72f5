"""A report as a table of aligned columns."""

import pyarrow as pa
import pyarrow.compute as pc
from rich.cells import cell_len, set_cell_size

from halfhour.render.cells import cells as cells_of
from halfhour.render.grid import told_apart

SECONDARY = {
    "talk_time_sec",
    "contacting_time_sec",
    "dialing_time_sec",
    "alert_time_sec",
    "not_responding_time_sec",
    "digital_hold_time_sec",
    "no_queue_time_sec",
    "callback_voice_time_sec",
    "answered_count",
    "transferred_count",
    "transferred_per_handled_ratio",
    "exceeds_interval",
    "worked_talk_time_sec",
    "worked_hold_time_sec",
    "worked_acw_time_sec",
    "logged_in_time_sec",
    "interacting_time_sec",
    "idle_time_sec",
    "communicating_time_sec",
    "status_not_responding_time_sec",
    "interacting_per_on_queue_ratio",
    "interacting_per_logged_in_ratio",
    "basis",
}
"""What a table leaves out, and a workbook folds."""
_WHERE_ANY = {
    "offered_count",
    "busy_time_sec",
    "on_queue_time_sec",
    "occupancy_ratio",
    "late_data_ms",
    "callback_under_voice_ms",
    "crosses_midnight_ms",
    "still_open_ms",
    "unanswered_acw_ms",
    "unexplained_ms",
    "unexplained_conversations",
}
"""What a table shows if there is anything of it: neither null nor nothing."""
_FIRST_TO_GO = (
    "agent_id",
    "queue_id",
    "interval_end",
    "handled_count",
    "interval_count",
    "acw_share_ratio",
    "hold_share_ratio",
    "on_queue_time_sec",
    "busy_time_sec",
    "differing_interval_count",
    "provisional",
)
_MARKS = {"provisional"}
_YES = {"true": "yes", "false": ""}


def text(table: pa.Table, width: int | None = None, *, seconds: bool = False) -> str:
    """*table*, a header first; *width* is that of the terminal, None for no limit.

    Moments are ISO 8601 in the column's zone, lengths of time h:mm:ss or, to
    the millisecond, *seconds*. What is more than its half-hour has a ``!``.
    """
    cells = {
        name: _cells(table, name, seconds=seconds)
        for name in table.column_names
        if name not in SECONDARY
        and (name not in _WHERE_ANY or any(pc.unique(table[name]).to_pylist()))
    }
    if "exceeds_interval" in table.column_names:
        marks = table["exceeds_interval"].to_pylist()
        cells["handle_time_sec"] = [
            f"! {cell}" if mark else cell
            for cell, mark in zip(cells["handle_time_sec"], marks, strict=True)
        ]
    titles = {name: name if seconds else name.removesuffix("_sec") for name in cells}
    heads = {name: [title] for name, title in titles.items()}
    if width is not None and _breadth(heads, cells) > width:
        heads = {name: _broken(title, cells[name]) for name, title in titles.items()}
        for name in _FIRST_TO_GO:
            if _breadth(heads, cells) <= width:
                break
            heads.pop(name, None)
            if name == "agent_id" and "agent_name" in cells:
                known = told_apart(cells["agent_id"], cells["agent_name"])
                cells["agent_name"] = [known[each] for each in cells["agent_id"]]
    height = max(map(len, heads.values()))
    columns = (
        _padded([""] * (height - len(head)) + head + cells[name], right=_is_number(table, name))
        for name, head in heads.items()
    )
    return "".join("  ".join(row).rstrip() + "\n" for row in zip(*columns, strict=True))


def clock(seconds: float) -> str:
    """A length of time as h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _breadth(heads: dict[str, list[str]], cells: dict[str, list[str]]) -> int:
    return sum(_widest(head + cells[name]) for name, head in heads.items()) + 2 * len(heads) - 2


def _broken(name: str, cells: list[str]) -> list[str]:
    """*name* over several lines, none wider than the cells or its longest word."""
    words = [f"{word}_" for word in name.split("_")]
    room = _widest(cells + words)
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > room:
            lines.append("")
        lines[-1] += word
    return [*lines[:-1], lines[-1].removesuffix("_")]


def _padded(cells: list[str], *, right: bool) -> list[str]:
    width = _widest(cells)
    if right:
        return [" " * (width - cell_len(cell)) + cell for cell in cells]
    return [set_cell_size(cell, width) for cell in cells]


def _widest(cells: list[str]) -> int:
    return max(map(cell_len, cells), default=0)


def _cells(table: pa.Table, name: str, *, seconds: bool) -> list[str]:
    if name.endswith("_sec") and not seconds:
        return ["" if each is None else clock(each) for each in table[name].to_pylist()]
    found = [cell or "" for cell in cells_of(table[name].combine_chunks(), name).to_pylist()]
    return [_harmless(_YES.get(each, each) if name in _MARKS else each) for each in found]


def _harmless(cell: str) -> str:
    """*cell* without what would move the cursor: a name is whatever somebody typed."""
    return cell if cell.isprintable() else "".join(c if c.isprintable() else " " for c in cell)


def _is_number(table: pa.Table, name: str) -> bool:
    kind = table.schema.field(name).type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
