"""Layouts of files for workforce management, as data: which columns, in which order and units."""

import re
import tomllib
from datetime import timedelta, tzinfo
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
import pyarrow as pa
from msgspec.structs import fields

from halfhour.errors import ConfigError, suggest_name
from halfhour.model.intervals import INTERVAL_WIDTHS
from halfhour.model.measures import BASES_BY_COLUMN
from halfhour.model.time_ranges import parse_zone
from halfhour.model.vocabulary import Basis, By

DurationUnit = Literal["s", "ms", "min", "h:mm:ss"]
BY_FOR_ROWS = {"agent": By.INTERVAL, "queue": By.QUEUE_INTERVAL}
LINE_ENDINGS = {"lf": "\n", "crlf": "\r\n"}


class LayoutColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """*name* stands in the header; *value* is a column of a report, *text* always the same.

    *format* is that of a moment, as of strftime; without it ISO 8601. *unit* and
    *decimals* are those of a length of time, *absent* stands where there is no value.
    """

    name: str
    value: str = ""
    text: str | None = None
    format: str = ""
    unit: DurationUnit = "s"
    decimals: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0
    absent: str = ""


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"zone_name": "zone"}):
    """What a file is to look like. *zone_name* is empty for that of the report."""

    rows: Literal["agent", "queue"]
    columns: Annotated[tuple[LayoutColumn, ...], msgspec.Meta(min_length=1)]
    interval: Literal["15m", "30m"] = "30m"
    zone_name: str = ""
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    header: bool = True
    line_ending: Literal["lf", "crlf"] = "lf"

    @property
    def report_by(self) -> By:
        """What a row stands for."""
        return BY_FOR_ROWS[self.rows]

    @property
    def interval_width(self) -> timedelta:
        """How wide the intervals are."""
        return INTERVAL_WIDTHS[self.interval]

    @property
    def time_zone(self) -> tzinfo | None:
        """Whose times are written; None for the report's."""
        return parse_zone(self.zone_name) if self.zone_name else None

    @property
    def wants_offered(self) -> bool:
        """Whether it says how many interactions a queue was offered."""
        return any(column.value == "offered_count" for column in self.columns)


_BUILT_IN_LAYOUTS = files("halfhour.render.layouts")
_KIND_OF_FIELD = {"format": "moment", "unit": "length of time", "decimals": "length of time"}
_DEFAULT_COLUMN = LayoutColumn("")
_PORTABLE_DIRECTIVES = "aAbBcdfGHIjmMpSuUVwWxXyYzZ%"
"""Those of strftime that every system has; of others each makes what it likes."""


def load_layout(name: str) -> Layout:
    """The layout of that *name*, or in the file at that path. Raises ConfigError."""
    return parse_layout(_layout_text(name), name)


def _layout_text(name: str) -> str:
    shipped = _BUILT_IN_LAYOUTS / f"{name}.toml"
    if re.fullmatch(r"[a-z-]+", name) and shipped.is_file():
        return shipped.read_text(encoding="utf-8")
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = sorted(
            each.name.removesuffix(".toml")
            for each in _BUILT_IN_LAYOUTS.iterdir()
            if each.name.endswith(".toml")
        )
        raise ConfigError(
            f"⟨layout⟩ {name}: neither a file nor one of {', '.join(known)}"
            f"{suggest_name(name, known)}"
        ) from error


def parse_layout(text: str, where: str) -> Layout:
    """The layout that *text*, TOML, describes. Raises ConfigError with line and field."""
    try:
        layout = msgspec.convert(tomllib.loads(text), Layout)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"⟨layout⟩ {where}: {error}") from error
    except msgspec.ValidationError as error:
        raise ConfigError(_explain_validation_error(error, text, where)) from error
    try:
        _ = layout.time_zone
    except ConfigError as error:
        said = str(error).removeprefix("zone ")
        raise ConfigError(_mistake_message(text, where, "zone", said)) from error
    if layout.delimiter in '"\r\n':
        said = "a quote or a line break is part of a value"
        raise ConfigError(_mistake_message(text, where, "delimiter", said))
    for at, column in enumerate(layout.columns):
        if bool(column.value) == (column.text is not None):
            said = f"a value or a text, and {'not both' if column.value else 'there is neither'}"
            raise ConfigError(_mistake_message(text, where, "value", said, at))
        for directive in re.findall(r"%(.?)", column.format, re.DOTALL):
            if not directive or directive not in _PORTABLE_DIRECTIVES:
                said = f"%{directive} is no directive of strftime; %% is a per cent sign"
                raise ConfigError(_mistake_message(text, where, "format", said, at))
    return layout


def validate_layout(layout: Layout, schema: pa.Schema, where: str, basis: Basis) -> None:
    """Raises ConfigError for what cannot be had of the report with that *schema* and *basis*."""
    for at, column in enumerate(layout.columns):
        if column.value and column.value not in schema.names:
            has = f"a report by {layout.rows} and interval has no {column.value!r}"
            others = BASES_BY_COLUMN.get(column.value, [basis])
            said = (
                f"{has}{suggest_name(column.value, schema.names)}"
                if basis in others
                else f"{has} on the {basis} basis; ⟨basis⟩ {' or '.join(others)} has it"
            )
            raise ConfigError(_mistake_message(_layout_text(where), where, "value", said, at))
        for field, kind in _KIND_OF_FIELD.items():
            given = getattr(column, field)
            if given != getattr(_DEFAULT_COLUMN, field) and kind != _column_kind(column, schema):
                said = f"it is of a {kind}, and {column.value or 'a text'!r} is none"
                raise ConfigError(_mistake_message(_layout_text(where), where, field, said, at))


def _column_kind(column: LayoutColumn, schema: pa.Schema) -> str:
    if column.value and pa.types.is_timestamp(schema.field(column.value).type):
        return "moment"
    return "length of time" if column.value.endswith("_sec") else ""


def _explain_validation_error(error: msgspec.ValidationError, text: str, where: str) -> str:
    """*error* in words, with those that a field may have, or the nearest field."""
    said, _, path = str(error).partition(" - at ")
    column = re.search(r"columns\[(\d+)\]", path)
    owner = LayoutColumn if column else Layout
    found = re.search(r"\.(\w+)`$", path) or re.search(r"field `(\w+)`", said)
    field = found[1] if found else "columns"
    if "unknown field" in said:
        said = f"there is no such field{suggest_name(field, owner.__struct_encode_fields__)}"
    elif "missing" in said:
        said = "it is missing"
    elif given := re.search(r"enum value '(.*)'", said):
        (kind,) = (each.type for each in fields(owner) if each.encode_name == field)
        words = get_args(kind)
        said = f"{given[1]!r} is none of {', '.join(words)}{suggest_name(given[1], words)}"
    return _mistake_message(text, where, field, said, int(column[1]) if column else None)


def _mistake_message(
    text: str, where: str, field: str, said: str, column: int | None = None
) -> str:
    return f"⟨layout⟩ {where}, line {_line_number(text, field, column)}: {field}: {said}"


def _line_number(text: str, field: str, column: int | None) -> int:
    """That of *field* of the layout or of a *column*, or else that where these begin."""
    heads = re.compile(r"^[ \t]*\[\[\s*columns\s*\]\]", re.MULTILINE)
    starts = [each.start() for each in [*heads.finditer(text)] or re.finditer(r"\{", text)]
    start, end = ([*starts, len(text)][column:] if column is not None else [0, len(text)])[:2]
    given = re.compile(rf"(?:^|[{{,])\s*[\"']?{re.escape(field)}[\"']?\s*=", re.MULTILINE)
    at = given.search(text, start, end)
    return text.count("\n", 0, at.end() if at else start) + 1
