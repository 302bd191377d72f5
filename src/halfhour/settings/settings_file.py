"""Find, read and check the settings file."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from halfhour import organizations
from halfhour.errors import DEBUG_VARIABLE, ConfigError, nearest_name, suggest_name
from halfhour.organizations import Organization
from halfhour.redaction import register_secret
from halfhour.settings.definitions import SETTINGS_BY_NAME
from halfhour.settings.resolution import Origin, OriginKind

SETTINGS_FILES = ("halfhour.toml", "~/.config/halfhour/halfhour.toml")
"""The places of a settings file; the first one that exists is read."""
FILE_VARIABLE = "HALFHOUR_SETTINGS"
"""The variable that names another settings file."""
_PREFIX = "HALFHOUR_"
READABLE_BY_OTHERS = 0o044


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A settings file: its *path*, its settings, and its organisations; all empty if none.

    *has_secret* is true if it has a secret, *exposes_secret* if other users of the machine can
    read it, too.
    """

    path: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    organizations: Mapping[str, Organization] = field(default_factory=dict)
    has_secret: bool = False
    exposes_secret: bool = False


def named_file(file: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the settings file that an option or a variable names; None if none does."""
    return file or (Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else None)


def describe_unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Return a sentence about each variable of *environ* that looks like a setting and is none."""
    variables = [
        *(name for entry in SETTINGS_BY_NAME.values() for name in entry.environment_variables),
        FILE_VARIABLE,
        DEBUG_VARIABLE,
    ]
    # The word before the first _ is that of several variables, so it makes none of them near.
    by_ending = {name.partition("_")[2]: name for name in variables}
    sentences = []
    for variable in environ:
        if variable.startswith(_PREFIX) and variable not in variables:
            nearest = nearest_name(variable.removeprefix(_PREFIX), by_ending)
            hint = f"; did you mean {by_ending[nearest]!r}?" if nearest else ""
            sentences.append(f"{variable} in the environment is not a setting{hint}")
    return sentences


def usual_files() -> list[Path]:
    """Return the places of a settings file that nothing names."""
    # Path.expanduser fails without a home folder, as in some containers.
    return [Path(os.path.expanduser(name)) for name in SETTINGS_FILES]  # noqa: PTH111


def find_settings_file(file: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the settings file that is read: the named one, or the first usual one there is."""
    return named_file(file, environ) or next(filter(Path.is_file, usual_files()), None)


def read_settings_file(file: Path | None, environ: Mapping[str, str]) -> SettingsFile:
    """Return the settings file that is named, or else found.

    Raises ConfigError if it is named and missing, and for anything in it that is wrong.
    """
    path = find_settings_file(file, environ)
    if path is None:
        return SettingsFile()
    try:
        status = path.stat()
        return _parse_file(path, status.st_mode, status.st_mtime_ns, status.st_size)
    except OSError as error:
        named_by = "" if file else f"{FILE_VARIABLE} "
        raise ConfigError(
            f"{named_by}{path}: cannot be read ({error.strerror}); check the path of the settings "
            "file"
        ) from error


@lru_cache(maxsize=4)
def _parse_file(path: Path, mode: int, *_: int) -> SettingsFile:
    """Return the settings file at *path*, which is read anew if its state on disk has changed."""
    import tomllib  # imported late, because most commands run without a settings file

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # also too large a number or too deep a nesting
        raise ConfigError(f"{path}: the settings are not valid TOML: {error}") from error
    tables = organizations.parse_organizations(
        values.pop(organizations.TABLE, {}), str(path), check_table
    )
    check_table(values, str(path))
    secrets = [
        str(table[name])
        for table in (values, *(organization.settings for organization in tables.values()))
        for name, definition in SETTINGS_BY_NAME.items()
        if definition.is_secret and table.get(name)
    ]
    for secret in secrets:
        register_secret(secret)
    is_readable = os.name == "posix" and bool(mode & READABLE_BY_OTHERS)
    return SettingsFile(str(path), values, tables, bool(secrets), bool(secrets) and is_readable)


def check_table(table: Mapping[str, Any], place: str) -> None:
    """Raise ConfigError for a setting of *table* that is unknown or has a wrong value."""
    path, _, title = place.partition(": ")
    origin = Origin(OriginKind.FILE, path=path, table=title)
    for name, value in table.items():
        if name not in SETTINGS_BY_NAME:
            choices = ", ".join(SETTINGS_BY_NAME)
            hint = suggest_name(name, [*SETTINGS_BY_NAME, organizations.TABLE])
            raise ConfigError(
                f"{place}: unknown setting {name!r}{hint or f'; the settings are {choices}'}"
            )
        if value != "":
            SETTINGS_BY_NAME[name].parse_value(value, origin.label_setting(name))
