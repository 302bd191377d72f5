import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

# How fast a test is says nothing on a shared machine.
settings.register_profile("halfhour", deadline=None)
settings.load_profile("halfhour")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
WITHOUT = "NOT TESTED IN A BROWSER: there is no Chromium here (apt install chromium)"


@pytest.fixture(scope="module")  # while it is there, this thread has an event loop running
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(WITHOUT)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if CHROMIUM is None:
        terminalreporter.write_sep("!", WITHOUT)
