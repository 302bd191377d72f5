"""Layouts of files for workforce management: TOML that names the columns, their order and units."""

import re
import tomllib
from datetime import timedelta, tzinfo
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
import pyarrow as pa
from msgspec.structs import fields

from halfhour.errors import ConfigError, suggest_name
from halfhour.model.data_dictionary import COLUMN_MEANINGS
from halfhour.model.intervals import INTERVAL_WIDTHS
from halfhour.model.measures import BASES_BY_COLUMN
from halfhour.model.time_ranges import parse_zone
from halfhour.model.vocabulary import Basis, By

DurationUnit = Literal["s", "ms", "min", "h:mm:ss"]
BY_FOR_ROWS = {"agent": By.INTERVAL, "queue": By.QUEUE_INTERVAL}
LINE_ENDINGS = {"lf": "\n", "crlf": "\r\n"}


class LayoutColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column of a layout, which holds the report's column *value* or the constant *text*.

    *name* is its header. *format* is the strftime format of timestamps, ISO 8601 if empty. *unit*
    and *decimals* apply to durations. *absent* is written if there is no value.
    """

    name: str
    value: str = ""
    text: str | None = None
    format: str = ""
    unit: DurationUnit = "s"
    decimals: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0
    absent: str = ""


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"zone_name": "zone"}):
    """A layout of a file. An empty *zone_name* stands for the report's zone."""

    rows: Literal["agent", "queue"]
    columns: Annotated[tuple[LayoutColumn, ...], msgspec.Meta(min_length=1)]
    interval: Literal["15m", "30m"] = "30m"
    zone_name: str = ""
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    header: bool = True
    line_ending: Literal["lf", "crlf"] = "lf"

    @property
    def report_by(self) -> By:
        """The grouping of the report that has the layout's rows."""
        return BY_FOR_ROWS[self.rows]

    @property
    def interval_width(self) -> timedelta:
        """The length of an interval."""
        return INTERVAL_WIDTHS[self.interval]

    @property
    def time_zone(self) -> tzinfo | None:
        """The zone of timestamps, None for the report's zone."""
        return parse_zone(self.zone_name) if self.zone_name else None

    @property
    def wants_offered(self) -> bool:
        """True if a column counts the interactions that a queue was offered."""
        return any(column.value == "offered_count" for column in self.columns)


_BUILT_IN_LAYOUTS = files("halfhour.render.layouts")
_KIND_OF_FIELD = {
    "format": ("timestamp", "a format"),
    "unit": ("duration", "a unit"),
    "decimals": ("duration", "decimals"),
}
"""Fields of a column that apply to one kind of value only: the kind, and the field in words."""
_DEFAULT_COLUMN = LayoutColumn("")
_PORTABLE_DIRECTIVES = "aAbBcdfGHIjmMpSuUVwWxXyYzZ%"
"""strftime directives that behave the same on every platform."""


def built_in_layout_names() -> list[str]:
    """Return the names of the layouts that come with halfhour, in order."""
    return sorted(
        file.name.removesuffix(".toml")
        for file in _BUILT_IN_LAYOUTS.iterdir()
        if file.name.endswith(".toml")
    )


def load_layout(name: str) -> Layout:
    """Return the built-in layout *name*, or the layout in the file *name*. Raises ConfigError."""
    return parse_layout(_layout_text(name), name)


def _layout_text(name: str) -> str:
    built_in = _BUILT_IN_LAYOUTS / f"{name}.toml"
    if re.fullmatch(r"[a-z-]+", name) and built_in.is_file():
        return built_in.read_text(encoding="utf-8")
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        built_in_names = built_in_layout_names()
        raise ConfigError(
            f"⟨layout⟩ {name}: neither a file nor one of {', '.join(built_in_names)}"
            f"{suggest_name(name, built_in_names)}"
        ) from error


def parse_layout(text: str, source: str) -> Layout:
    """Return the layout that *text*, TOML from *source*, describes.

    Raises ConfigError, which names the column and the field.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _layout_error(source, str(error)) from error
    try:
        layout = msgspec.convert(document, Layout)
    except msgspec.ValidationError as error:
        raise _explain_validation_error(error, document, source) from error
    try:
        _ = layout.time_zone
    except ConfigError as error:
        raise _layout_error(source, "zone", str(error).removeprefix("zone ")) from error
    if layout.delimiter in '"\r\n':
        reason = "a quote or a line break cannot separate values"
        raise _layout_error(source, "delimiter", reason)
    for index, column in enumerate(layout.columns):
        place = _column_place(index, column.name)
        if bool(column.value) == (column.text is not None):
            number = "both" if column.value else "neither"
            reason = f"a column needs a value or a text, and this one has {number}"
            raise _layout_error(source, place, "value", reason)
        for directive in re.findall(r"%(.?)", column.format, re.DOTALL):
            if not directive or directive not in _PORTABLE_DIRECTIVES:
                reason = f"%{directive} is no portable strftime directive; write %% for a % sign"
                raise _layout_error(source, place, "format", reason)
    return layout


def validate_layout(layout: Layout, schema: pa.Schema, source: str, basis: Basis) -> None:
    """Raise ConfigError if the report with *schema*, on *basis*, cannot fill *layout*."""
    for index, column in enumerate(layout.columns):
        place = _column_place(index, column.name)
        if column.value and column.value not in schema.names:
            reason = f"a report by {layout.rows} and interval has no {column.value!r}"
            bases = BASES_BY_COLUMN.get(column.value, [basis])
            if basis not in bases:
                reason += f" on the {basis} basis; use ⟨basis⟩ {' or '.join(bases)}"
            elif column.value in COLUMN_MEANINGS:
                reason += ", only a report with other rows"
            else:
                reason += suggest_name(column.value, schema.names)
            raise _layout_error(source, place, "value", reason)
        for field, (kind, field_in_words) in _KIND_OF_FIELD.items():
            is_set = getattr(column, field) != getattr(_DEFAULT_COLUMN, field)
            if is_set and kind != _column_kind(column, schema):
                subject = repr(column.value) if column.value else "a text"
                reason = f"only {kind}s have {field_in_words}; {subject} is not one"
                raise _layout_error(source, place, field, reason)


def _column_kind(column: LayoutColumn, schema: pa.Schema) -> str:
    if column.value and pa.types.is_timestamp(schema.field(column.value).type):
        return "timestamp"
    return "duration" if column.value.endswith("_sec") else ""


def _explain_validation_error(
    error: msgspec.ValidationError, document: dict[str, Any], source: str
) -> ConfigError:
    """Return *error* with its place in *document*, and the possible values or the nearest name."""
    reason, _, path = str(error).partition(" - at ")
    index_match = re.search(r"columns\[(\d+)\]", path)
    field_match = re.search(r"\.(\w+)`$", path) or re.search(r"field `(\w+)`", reason)
    field = field_match[1] if field_match else ""
    places = [field] if field else []
    struct: type[msgspec.Struct] = Layout
    if index_match:
        struct, index = LayoutColumn, int(index_match[1])
        column = document["columns"][index]
        name = column.get("name", "") if isinstance(column, dict) else ""
        places.insert(0, _column_place(index, name))
    if "unknown field" in reason:
        reason = f"unknown field{suggest_name(field, struct.__struct_encode_fields__)}"
    elif "missing" in reason:
        reason = "this field is missing"
    elif value_match := re.search(r"enum value '(.*)'", reason):
        (kind,) = (entry.type for entry in fields(struct) if entry.encode_name == field)
        choices = get_args(kind)
        hint = suggest_name(value_match[1], choices)
        reason = f"{value_match[1]!r} is none of {', '.join(choices)}{hint}"
    return _layout_error(source, *places, reason)


def _column_place(index: int, name: str) -> str:
    """Return the place of a column, such as ``columns[3] ("Agent")``; the first has index 0."""
    return f'columns[{index}] ("{name}")' if name else f"columns[{index}]"


def _layout_error(source: str, *places_and_reason: str) -> ConfigError:
    return ConfigError(f"⟨layout⟩ {source}: {': '.join(places_and_reason)}")
