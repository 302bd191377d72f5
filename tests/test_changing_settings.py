"""Changes of a settings file: the values that are wanted, and all else as it was."""

import re
import tomllib
from typing import Any

import pytest

from halfhour.errors import ConfigError
from halfhour.settings.changing import change_settings

TEXTS = [
    "",
    "# only a comment",
    '# mine\nattempts = 2 # few\nzone = "Asia/Tokyo"   # here\n\n\n',
    '[org.acme]\n\n[org.globex]\nzone = "UTC" # there\n',
    'zone="UTC"\n[org.globex]\nkeep = "1d"\n\n# below\n[org.acme]\nzone = "Asia/Tokyo"\nstore="x"',
    '[org]\n[org.acme]\nstore = "a"',
    'store = """a\nb"""\nqueues = [\n  "a", # first\n  "b",\n]\r\n',
]
CHANGES: dict[str, str | None] = {
    "zone": "Europe/London", "store": None, "region": 'a "quoted" one\\', "history": "31d",
}  # fmt: skip


@pytest.mark.parametrize("organization", ["", "acme", "new"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_change_sets_what_it_says_and_keeps_every_other_line(text, organization):
    expected: dict[str, Any] = tomllib.loads(text)
    table = (
        expected.setdefault("org", {}).setdefault(organization, {}) if organization else expected
    )
    for name, value in CHANGES.items():
        table.pop(name, None)
        if value is not None:
            table[name] = value
    changed = change_settings(text, CHANGES, organization)

    assert tomllib.loads(changed) == expected
    other_lines = [line for line in text.splitlines() if not re.match('zone|store|b"""', line)]
    changed_lines = iter(changed.splitlines())
    assert all(line in changed_lines for line in other_lines if line)
    assert change_settings(changed, CHANGES, organization) == changed


UNUSUAL = ['org.acme.zone = "UTC"\nattempts = 3\norg.acme.keep = "3d"\n', "org = {acme = {}}\n"]


@pytest.mark.parametrize("text", UNUSUAL)
def test_a_file_that_cannot_be_changed_safely_is_refused(text):
    with pytest.raises(ConfigError, match=r"write each organisation below a line \[org.NAME\]"):
        change_settings(text, CHANGES, "new")


def test_a_comment_beside_a_changed_value_stays():
    assert change_settings(TEXTS[2], {"zone": "UTC"}) == TEXTS[2].replace("Asia/Tokyo", "UTC")
