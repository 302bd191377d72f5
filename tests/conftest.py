import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

pytest_plugins = ["pytester", "tests.processes"]

# How fast a test is says nothing on a shared machine.
settings.register_profile("halfhour", deadline=None)
settings.load_profile("halfhour")

PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
PROGRAMS = {
    "a browser": ("chromium", "chromium-browser"),
    "nginx": ("nginx",),
    "Caddy": ("caddy",),
}
"""What some tests need that pip does not bring, by any of these names; the first is installed."""
FOUND = {
    what: next(filter(None, (shutil.which(name, path=PATH) for name in names)), None)
    for what, names in PROGRAMS.items()
}


def program(what: str) -> str:
    """Where it is. Where it is not, the test is skipped, but in CI fails."""
    return FOUND[what] or (pytest.fail if os.environ.get("CI") else pytest.skip)(_without(what))


def _without(what: str) -> str:
    return f"NOT TESTED WITH {what}: there is none here (apt install {PROGRAMS[what][0]})"


@pytest.fixture(scope="module")  # while it is there, this thread has an event loop running
def browser() -> Iterator[Any]:
    chromium = program("a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for what, path in FOUND.items():
        if path is None:
            terminalreporter.write_sep("!", _without(what))
