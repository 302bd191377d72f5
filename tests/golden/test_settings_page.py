"""The table of docs/settings.md is made from the definitions of the settings."""

import os
import re
from pathlib import Path

from halfhour.settings.definitions import SETTINGS_BY_NAME, SettingDefinition
from tests.golden.test_metrics_page import markdown_table

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
MADE = re.compile(r"(?<=tests/golden -->\n).*?(?=<!-- end -->)", re.DOTALL)


def table_row(definition: SettingDefinition) -> tuple[str, ...]:
    default = definition.default_text or f"{definition.default or 'none'}"
    variables = ", ".join(f"`{name}`" for name in definition.environment_variables)
    return f"`{definition.name}`", variables, definition.meaning, default


def test_the_page_of_settings_has_every_setting_variable_and_default():
    head = ("in the file", "in the environment", "meaning", "default")
    table = markdown_table(head, *map(table_row, SETTINGS_BY_NAME.values()))
    if os.environ.get("HALFHOUR_WRITE_GOLDEN"):
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(MADE.sub(lambda _: f"\n{table}\n\n", page), encoding="utf-8")

    assert f"\n\n{table}\n\n" in PAGE.read_text(encoding="utf-8")
