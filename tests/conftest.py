import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

pytest_plugins = ["pytester", "tests.processes"]

# How fast a test is says nothing on a shared machine. `make soak` takes the second profile.
settings.register_profile("halfhour", deadline=None, max_examples=25)
settings.register_profile("soak", deadline=None, max_examples=60)
settings.load_profile("halfhour")

# A shell starts what ends in `&` with SIGINT ignored, and every process of a test would inherit it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

PATH = os.pathsep.join(
    [
        os.environ.get("PATH", os.defpath),
        "/usr/sbin",
        *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"))),
    ]
)
PROGRAMS = {
    "a browser": ("chromium", "chromium-browser"),
    "nginx": ("nginx",),
    "Caddy": ("caddy",),
    "PostgreSQL": ("postgresql", "initdb"),
}
"""What some tests need that pip does not bring, by any of these names; the first is installed."""
FOUND = {
    what: next(filter(None, (shutil.which(name, path=PATH) for name in names)), None)
    for what, names in PROGRAMS.items()
}


def program(what: str) -> str:
    """Return the path of the program. A test without it is skipped, but fails in CI."""
    reason = f"{what} is not installed (apt install {PROGRAMS[what][0]})"
    return FOUND[what] or (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture(scope="module")  # while it is there, this thread has an event loop running
def browser() -> Iterator[Any]:
    chromium = program("a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if missing := [what for what, path in FOUND.items() if path is None]:
        packages = " ".join(PROGRAMS[what][0] for what in missing)
        terminalreporter.write_line(
            f"Tests with {', '.join(missing)} were skipped; to run them: apt install {packages}"
        )
