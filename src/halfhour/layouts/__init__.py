"""Layouts of files for workforce management, as data: which columns, in which order and units."""

import re
import tomllib
from collections.abc import Sequence
from datetime import timedelta, tzinfo
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from halfhour.errors import ConfigError, near_miss
from halfhour.intervals import WIDTHS
from halfhour.vocabulary import By
from halfhour.when import zone

Unit = Literal["s", "ms", "min", "h:mm:ss"]
BY = {"agent": By.INTERVAL, "queue": By.QUEUE_INTERVAL}
ENDINGS = {"lf": "\n", "crlf": "\r\n"}


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """*name* stands in the header; *value* is a column of a report, *text* always the same.

    *format* is that of a moment, as of strftime; without it ISO 8601. *unit* and
    *decimals* are those of a length of time, *absent* stands where there is no value.
    """

    name: str
    value: str = ""
    text: str | None = None
    format: str = ""
    unit: Unit = "s"
    decimals: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0
    absent: str = ""


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"zone_name": "zone"}):
    """What a file is to look like. *zone_name* is empty for that of the report."""

    rows: Literal["agent", "queue"]
    columns: Annotated[tuple[Column, ...], msgspec.Meta(min_length=1)]
    interval: Literal["15m", "30m"] = "30m"
    zone_name: str = ""
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    header: bool = True
    line_ending: Literal["lf", "crlf"] = "lf"

    @property
    def by(self) -> By:
        """What a row stands for."""
        return BY[self.rows]

    @property
    def width(self) -> timedelta:
        """How wide the intervals are."""
        return WIDTHS[self.interval]

    @property
    def zone(self) -> tzinfo | None:
        """Whose times are written; None for the report's."""
        return zone(self.zone_name) if self.zone_name else None

    @property
    def wants_offered(self) -> bool:
        """Whether it says how many interactions a queue was offered."""
        return any(column.value == "offered_count" for column in self.columns)


def load(name: str) -> Layout:
    """The layout of that *name*, or in the file at that path. Raises ConfigError."""
    shipped = files("halfhour.layouts") / f"{name}.toml"
    if re.fullmatch(r"[a-z-]+", name) and shipped.is_file():
        return read(shipped.read_text(encoding="utf-8"), name)
    try:
        return read(Path(name).read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        known = sorted(
            each.name.removesuffix(".toml")
            for each in files("halfhour.layouts").iterdir()
            if each.name.endswith(".toml")
        )
        raise ConfigError(
            f"--layout {name}: neither a file nor one of {', '.join(known)}{near_miss(name, known)}"
        ) from error


def read(text: str, where: str) -> Layout:
    """The layout that *text*, TOML, describes. Raises ConfigError with line and field."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"--layout {where}: {error}") from error
    try:
        layout = msgspec.convert(given, Layout)
        _ = layout.zone
    except (msgspec.ValidationError, ConfigError) as error:
        raise ConfigError(f"--layout {where}{_line(text, str(error))}: {_hinted(error)}") from error
    for at, column in enumerate(layout.columns):
        if bool(column.value) == (column.text is not None):
            line = _line(text, f"columns[{at}]")
            raise ConfigError(
                f"--layout {where}{line}: column {column.name!r} has "
                f"{'both a value and a text' if column.value else 'neither a value nor a text'}"
            )
    return layout


def check(layout: Layout, known: Sequence[str], where: str) -> None:
    """Raises ConfigError for a value that is no column of the report, by those that are *known*."""
    for column in layout.columns:
        if column.value and column.value not in known:
            raise ConfigError(
                f"--layout {where}: column {column.name!r}: a report by {layout.rows} and interval "
                f"has no {column.value!r}{near_miss(column.value, known)}"
            )


def _line(text: str, error: str) -> str:
    """``, line n`` of what *error* is about, as far as that can be told from its path."""
    lines = text.splitlines()
    start = 0
    if found := re.search(r"columns\[(\d+)\]", error):
        heads = [at for at, line in enumerate(lines) if line.strip() == "[[columns]]"]
        start = heads[int(found[1])] if int(found[1]) < len(heads) else 0
    field = re.search(r"\$\.(?:columns\[\d+\]\.)?(\w+)|field `(\w+)`", error)
    name = next(filter(None, field.groups()), "") if field else ""
    for at, line in enumerate(lines[start:], start):
        if name and re.match(rf"\s*{re.escape(name)}\s*=", line):
            return f", line {at + 1}"
    return f", line {start + 1}" if start else ""


def _hinted(error: Exception) -> str:
    """*error* in words, with a near miss for a field that there is not."""
    said = str(error)
    if found := re.search(r"unknown field `(\w+)`", said):
        owner: Any = Column if "columns[" in said else Layout
        return f"{said}{near_miss(found[1], owner.__struct_encode_fields__)}"
    return said
