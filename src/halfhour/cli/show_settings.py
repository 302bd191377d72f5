"""The command ``halfhour settings``: show the settings in force, and where each comes from."""

import json
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from halfhour import settings
from halfhour.cli.spelling import option_name
from halfhour.errors import spell_parameters
from halfhour.model.time_ranges import format_duration
from halfhour.organizations import Organization
from halfhour.redaction import sanitize_text
from halfhour.settings.resolution import ResolvedSetting
from halfhour.settings.settings_file import (
    find_settings_file,
    read_settings_file,
    usual_files,
)


def print_settings(
    file: Path | None,
    organization: Organization | None,
    flags: Mapping[str, Any],
    *,
    as_json: bool,
) -> None:
    """Print every setting in force with its origin; of a secret only whether there is one.

    Raises ConfigError.
    """
    path = find_settings_file(file, os.environ)
    resolved = settings.resolved_settings(file=file, org=organization, **flags)
    if as_json:
        description = {
            "file": str(path.absolute()) if path else None,
            "usual_files": [str(usual.absolute()) for usual in usual_files()],
            "org": organization.name if organization else None,
            "orgs": [*read_settings_file(file, os.environ).organizations],
            "settings": {name: _as_json(setting) for name, setting in resolved.items()},
        }
        print(json.dumps(description, indent=2))
    else:
        places = " or ".join(str(usual.absolute()) for usual in usual_files())
        print(f"settings file: {path.absolute() if path else f'none; it would be {places}'}")
        if names := read_settings_file(file, os.environ).organizations:
            print(f"organisations: {', '.join(names)}; --org shows the settings of one")
        print()
        _print_table([("setting", "value", "from"), *map(_as_row, resolved.values())])


def _print_table(rows: list[tuple[str, str, str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, value, origin in rows:
        print(f"{name:{widths[0]}}  {value:{widths[1]}}  {origin}")


def _as_row(setting: ResolvedSetting) -> tuple[str, str, str]:
    origin = spell_parameters(str(setting.origin), option_name)
    return setting.definition.name, sanitize_text(_shown_text(setting)), sanitize_text(origin)


def _shown_text(setting: ResolvedSetting) -> str:
    definition, value = setting.definition, _plain_value(setting.value)
    if definition.is_secret:
        return "present" if value else "missing"
    if isinstance(value, list):
        value = ", ".join(value)
    return str(value or definition.default_text or "missing")


def _as_json(setting: ResolvedSetting) -> dict[str, Any]:
    origin = setting.origin
    content = (
        {"present": bool(setting.value)}
        if setting.definition.is_secret
        else {"value": _plain_value(setting.value)}
    )
    places = {"name": origin.name, "path": origin.path, "table": origin.table}
    return {**content, "from": origin.kind, **{key: text for key, text in places.items() if text}}


def _plain_value(value: Any) -> Any:
    """Return *value* as JSON and people have it, such as 90d for a length of time."""
    match value:
        case timedelta():
            return format_duration(value)
        case tuple():
            return [*value]
        case Path():
            return str(value)
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
