"""Organisations of a settings file: their tables, the choice among them, and what clashes."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from halfhour.errors import ConfigError, suggest_name
from halfhour.model import time_ranges

ALL = "all"
"""The word for every organisation of the settings file; no organisation can have this name."""
TABLE = "org"
"""The name of the table in a settings file that has a table for each organisation."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", re.ASCII)
"""The form of a name, which can be a part of a file's name and of an address."""

OWN_SETTINGS: Mapping[str, Callable[[str], object]] = {
    "zone": time_ranges.parse_zone,
    "store": str,
    "keep": lambda text: time_ranges.parse_duration("keep", text),
}
"""The settings that only an organisation has, with the functions that raise if one is wrong."""


@dataclass(frozen=True, slots=True)
class Organization:
    """An organisation: its *name*, its *settings*, and the *path* of the file that has them."""

    name: str
    path: str
    settings: Mapping[str, Any] = field(repr=False)

    @property
    def title(self) -> str:
        """The name of its table, as the settings file writes it."""
        return f"[{TABLE}.{self.name}]"

    @property
    def zone(self) -> str:
        """The time zone; empty if it has none of its own."""
        return str(self.settings.get("zone", ""))

    @property
    def keep(self) -> str:
        """The age above which a sync deletes days; empty for none."""
        return str(self.settings.get("keep", ""))

    @property
    def store_path(self) -> Path:
        """The file of its store, in the current folder unless the settings name another."""
        path = Path(self.settings.get("store") or f"{self.name}.duckdb")
        with suppress(RuntimeError):  # without a home folder, ~ stays as it is
            path = path.expanduser()
        return path


def parse_organizations(
    content: object, path: str, shared_settings: Iterable[str]
) -> dict[str, Organization]:
    """Return the organisations in *content*, the table `org` of the file at *path*, by name.

    An organisation has `OWN_SETTINGS` and *shared_settings*. Raises ConfigError.
    """
    names = {*shared_settings, *OWN_SETTINGS}
    tables = content if isinstance(content, Mapping) else {"NAME": content}
    parsed: dict[str, Organization] = {}
    for name, table in tables.items():
        place = f"{path}: [{TABLE}.{name}]"
        if not isinstance(table, Mapping):
            raise ConfigError(
                f"{path}: {TABLE}.{name} is a value; write the settings of an organisation below "
                f"a line [{TABLE}.NAME]"
            )
        if not _NAME.fullmatch(name) or name.casefold() == ALL:
            raise ConfigError(
                f"{place}: {name!r} cannot be the name of an organisation; write letters, digits, "
                f"- and _, and another word than {ALL!r}"
            )
        for setting, value in table.items():
            if setting not in names:
                choices = ", ".join(sorted(names))
                hint = suggest_name(setting, names) or f"; the settings are {choices}"
                raise ConfigError(f"{place}: unknown setting {setting!r}{hint}")
            _validate_own_setting(setting, value, place)
        parsed[name] = Organization(name, path, table)
    return parsed


def _validate_own_setting(setting: str, value: object, place: str) -> None:
    if setting not in OWN_SETTINGS:
        return
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{place}: {setting} is {value!r}; write a text in quotes")
    try:
        OWN_SETTINGS[setting](value)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from error


def are_several(names: Sequence[str]) -> bool:
    """Tell whether *names* ask for several organisations, which `ALL` does even of one."""
    return len({*names}) > 1 or ALL in names


def choose_organizations(
    names: Sequence[str], organizations: Mapping[str, Organization], path: str
) -> list[Organization]:
    """Return the organisations of *names*, once each, and every one for `ALL`.

    *path* is that of the settings file, empty if there is none. Raises ConfigError for a name
    that the file does not have, and if two of several organisations have one store.
    """
    for name in names:
        if not organizations:
            place = f"{path} has no table" if path else "there is no settings file with a table"
            raise ConfigError(f"⟨{TABLE}⟩ {name}: {place} [{TABLE}.NAME]; write one (README)")
        if name != ALL and name not in organizations:
            raise ConfigError(
                f"⟨{TABLE}⟩ {name}: {path} has no such organisation, only "
                f"{', '.join(organizations)}{suggest_name(name, organizations)}"
            )
    chosen = organizations if ALL in names else dict.fromkeys(names)
    return _require_own_stores([organizations[name] for name in chosen])


def _require_own_stores(organizations: list[Organization]) -> list[Organization]:
    counts = Counter(organization.store_path for organization in organizations)
    path, count = next(iter(counts.most_common(1)), (Path(), 0))
    if count > 1:
        sharing = [entry.title for entry in organizations if entry.store_path == path]
        raise ConfigError(
            f"{organizations[0].path}: {' and '.join(sharing)} have the same store, {path}; a "
            "store belongs to one organisation, so name another for the others"
        )
    return organizations


def common_zone(organizations: Sequence[Organization]) -> str:
    """Return the zone that all *organizations* have; empty if none has one.

    Raises ConfigError if they differ, because one table has one zone.
    """
    zones = {organization.zone for organization in organizations}
    if len(zones) > 1:
        listed = ", ".join(f"{entry.name} {entry.zone or 'UTC'}" for entry in organizations)
        raise ConfigError(
            f"⟨zone⟩: the organisations have different time zones ({listed}), and a table has one; "
            "name the zone of the table"
        )
    return zones.pop() if zones else ""


def clashing_variables(
    organization: Organization,
    environ: Mapping[str, str],
    variables_by_setting: Mapping[str, Sequence[str]],
) -> list[str]:
    """Return the variables of *environ* that say something else than *organization* says itself.

    *variables_by_setting* has the variables of each setting.
    """
    return [
        variable
        for setting, variables in variables_by_setting.items()
        if organization.settings.get(setting) not in (None, "")
        for variable in variables
        if environ.get(variable, "") not in ("", str(organization.settings[setting]))
    ]
