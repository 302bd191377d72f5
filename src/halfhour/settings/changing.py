"""Change settings in the text of a settings file, and leave all else in it as it is."""

import tomllib
from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.container import Container
from tomlkit.items import Whitespace

from halfhour import organizations
from halfhour.errors import ConfigError
from halfhour.settings.definitions import SETTINGS_BY_NAME


def change_settings(text: str, changes: Mapping[str, str | None], organization: str = "") -> str:
    """Return *text* of a settings file with *changes*; None removes a setting.

    *organization* is the name of the one whose table is changed; if it is empty, the settings
    outside tables are. A new file or table has a comment above each setting. *text* is valid, and
    empty for a new file. Raises ConfigError for a file whose organisations are no tables of lines.
    """
    expected = tomllib.loads(text)
    table = expected
    if organization:
        table = expected.setdefault(organizations.TABLE, {}).setdefault(organization, {})
    table |= {name: value for name, value in changes.items() if value is not None}
    for name, value in changes.items():
        if value is None:
            table.pop(name, None)
    try:
        changed = _edit_text(text, changes, organization)
        if tomllib.loads(changed) == expected:
            return changed
        reason = ""
    except (ValueError, LookupError) as error:
        reason = f" ({error})"
    raise ConfigError(
        f"the settings file cannot be changed by a program as it is written{reason}; write each "
        f"organisation below a line [{organizations.TABLE}.NAME]"
    )


def _edit_text(text: str, changes: Mapping[str, str | None], organization: str) -> str:
    document = tomlkit.parse(text or _head_of_file(changes))
    is_new, target = not text, document
    if organization:
        tables: Any = document.get(organizations.TABLE)
        if tables is None:
            document.add(organizations.TABLE, tomlkit.table(is_super_table=True))
            tables = document[organizations.TABLE]
        is_new = organization not in tables
        if is_new:
            tables[organization] = tomlkit.table()
        target = tables[organization]
    for name, value in changes.items():
        if value is None:
            target.pop(name, None)
        elif name in target:
            target[name] = value
        elif is_new:
            target.add(tomlkit.comment(SETTINGS_BY_NAME[name].meaning.replace("`", "")))
            target.add(name, value)
        else:
            _append_setting(target, name, value)
    return tomlkit.dumps(document)


def _head_of_file(changes: Mapping[str, object]) -> str:
    others = ", ".join(name for name in SETTINGS_BY_NAME if name not in changes)
    return (
        "# Settings of halfhour. Edit them, or run 'halfhour init' again, which changes what it\n"
        "# asks for and nothing else. 'halfhour settings' shows which ones are in force.\n"
        f"# Others: {others}\n\n"
    )


def _append_setting(target: Any, name: str, value: str) -> None:
    """Add a setting below the last one of a table, above the blank lines that end the table."""
    # Dotted keys in several places have no body of their own.
    body = getattr(target if isinstance(target, Container) else target.value, "body", [])
    blank_lines = []
    while body and body[-1][0] is None and isinstance(body[-1][1], Whitespace):
        blank_lines.append(body.pop())
    target.add(name, value)
    body.extend(reversed(blank_lines))
