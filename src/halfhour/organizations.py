"""Organisations of a settings file: their tables, the choice among them, and what clashes."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from halfhour.errors import ConfigError, suggest_name

ALL = "all"
"""The word for every organisation of the settings file; no organisation can have this name."""
TABLE = "org"
"""The name of the table in a settings file that has a table for each organisation."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", re.ASCII)
"""The form of a name, which can be a part of a file's name and of an address."""

CheckTable = Callable[[Mapping[str, Any], str], None]
"""Raises ConfigError if a table of settings, whose place is the text, has a mistake."""


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
    def default_store_path(self) -> Path:
        """The file of its store if the settings name none."""
        return Path(f"{self.name}.duckdb")

    @property
    def store_path(self) -> Path:
        """The file of its store, in the current folder unless the settings name another."""
        return expand_home(self.settings.get("store") or self.default_store_path)


def expand_home(path: str | Path) -> Path:
    """Return *path* with ~ expanded; without a home folder, ~ stays as it is."""
    with suppress(RuntimeError):
        return Path(path).expanduser()
    return Path(path)


def parse_organizations(
    content: object, path: str, check_table: CheckTable
) -> dict[str, Organization]:
    """Return the organisations in *content*, the table `org` of the file at *path*, by name.

    *check_table* checks the settings of each. Raises ConfigError.
    """
    tables = content if isinstance(content, Mapping) else {"NAME": content}
    parsed: dict[str, Organization] = {}
    for name, table in tables.items():
        if not isinstance(table, Mapping):
            raise ConfigError(
                f"{path}: {TABLE}.{name} is a value; write the settings of an organisation below "
                f"a line [{TABLE}.NAME]"
            )
        organization = Organization(name, path, table)
        require_name(name, f"{path}: {organization.title}")
        check_table(table, f"{path}: {organization.title}")
        parsed[name] = organization
    return parsed


def require_name(name: str, place: str) -> None:
    """Raise ConfigError, which begins with *place*, if no organisation can have this *name*."""
    if not _NAME.fullmatch(name) or name.casefold() == ALL:
        raise ConfigError(
            f"{place}: {name!r} cannot be the name of an organisation; write letters, digits, "
            f"- and _, and another word than {ALL!r}"
        )


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
            raise ConfigError(
                f"⟨{TABLE}⟩ {name}: {place} [{TABLE}.NAME]; write one (docs/organizations.md)"
            )
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


def require_common_value(setting: str, values: Mapping[str, Any]) -> Any:
    """Return the value that organisations have in common; *values* has that of each by name.

    Raises ConfigError if they differ, because one table has one zone, one basis and one choice.
    """
    if len(set(values.values())) > 1:
        listed = ", ".join(f"{name} {_as_text(value)}" for name, value in values.items())
        raise ConfigError(
            f"⟨{setting}⟩: the organisations have different settings ({listed}), and a table has "
            f"one; give ⟨{setting}⟩ for the table"
        )
    return next(iter(values.values()))


def _as_text(value: object) -> str:
    return " and ".join(value) or "all" if isinstance(value, tuple) else str(value)
