"""A store of two days, the dashboard over it as a process, and a browser that opens it."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
import uvicorn

from halfhour.model.intervals import HALF_HOUR, Interval
from halfhour.model.tables import POSTED_SCHEMA
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.syncing import runner
from halfhour.syncing.planner import SyncRequest, prepare_store
from tests.prepared_process import Prepared, started
from tests.processes import Cloud, emulator

if TYPE_CHECKING:
    import subprocess

SCREENSHOTS = os.environ.get("HALFHOUR_SCREENSHOTS")
"""The folder for screenshots, which a person can look at; None for no screenshots."""
MONDAY = "?day=2026-03-02"

NOW = datetime(2026, 3, 3, tzinfo=UTC)
RANGE = Interval(datetime(2026, 3, 1, tzinfo=UTC), NOW)
DAY = Interval(datetime(2026, 3, 2, tzinfo=UTC), NOW)


def sync_store(cloud: Cloud, store: Store, interval: Interval = RANGE) -> None:
    sync = runner.run_sync(
        cloud.settings, store, SyncRequest(interval), lambda: NOW, lambda _: None
    )
    with ThreadPoolExecutor(1) as thread:  # Playwright runs an event loop in this thread
        thread.submit(asyncio.run, sync).result().raise_if_incomplete()


@pytest.fixture(scope="session")
def web_cloud() -> Iterator[Cloud]:
    yield from emulator("--now", "2026-03-03T00:00:00Z", "--agents", "45", "--seed", "1")


@pytest.fixture(scope="session")
def store(web_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a store of two days of 45 agents, which was synced as soon as they were over."""
    web_cloud.reset()  # an earlier test may have left faults
    store = Store(tmp_path_factory.mktemp("web") / "halfhour.duckdb")
    sync_store(web_cloud, store)
    return store


class RunningDashboard:
    """The dashboard as a process, and the address that it has printed."""

    def __init__(self, process: "Prepared | subprocess.Popen[str]", first_line: str) -> None:
        self.process = process
        self.url = first_line.split("halfhour: ", 1)[-1].strip()


@contextmanager
def serving(
    folder: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[RunningDashboard]:
    inherited = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    process = started(
        ["serve", "--port", "0", *options],
        folder,
        {**inherited, "HOME": str(folder), **(environment or {})},
    )
    assert process.stderr
    try:
        yield RunningDashboard(process, process.stderr.readline())
    finally:
        process.terminate()
        _, messages = process.communicate(timeout=20)
        assert "Traceback" not in messages, messages


@pytest.fixture(scope="session")
def dashboard_url(store: Store) -> Iterator[str]:
    with serving(store.path.parent) as dashboard:
        yield dashboard.url


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    """Open a tab, which must log no error and request nothing from other hosts."""
    context = browser.new_context(viewport={"width": 1300, "height": 850}, accept_downloads=True)
    opened = context.new_page()
    opened.messages = []
    opened.on("pageerror", lambda error: opened.messages.append(str(error)))
    # On a busy machine, a click may give the log-in form the focus before it is drawn.
    opened.on(
        "console",
        lambda message: (
            message.text.startswith("Autofocus processing was blocked")
            or opened.messages.append(message.text)
        ),
    )
    opened.on(
        "request",
        lambda request: (
            urlsplit(request.url).hostname == "127.0.0.1" or opened.messages.append(request.url)
        ),
    )
    yield opened
    assert opened.messages == []
    context.close()


def open_page(tab: Any, url: str) -> None:
    tab.goto(url)
    tab.wait_for_selector(".cell")


def discard_messages(tab: Any, *texts: str) -> None:
    """Drop console messages with one of *texts*: Chromium logs answers that the test provoked."""
    tab.messages[:] = [
        message for message in tab.messages if not any(text in message for text in texts)
    ]


def assert_accessible(tab: Any, name: str, *, whole: bool = False) -> None:
    """Check that axe finds nothing, light or dark, and that the page fits into the window.

    Unless *whole*, axe checks only the first lines of the heat map: all are alike, and it is slow.
    """
    tab.evaluate("Promise.all(document.getAnimations().map(animation => animation.finished))")
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        if SCREENSHOTS:
            tab.screenshot(path=Path(SCREENSHOTS) / f"{name}-{scheme}.png")
        rules = [] if scheme == "light" else ["color-contrast"]
        assert violations(tab, rules, [] if whole else [".line:nth-child(n+4)"]) == []
    tab.emulate_media(color_scheme="light")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def violations(tab: Any, rules: Sequence[str], excluded: Sequence[str]) -> list[Any]:
    """Return what violates *rules*, or any rule of axe if there are none."""
    from axe_playwright_python.sync_playwright import Axe

    context = {"include": ["html"], "exclude": excluded}
    options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    response = Axe().run(tab, context, options).response
    return [
        (violation["id"], violation["nodes"][0]["html"]) for violation in response["violations"]
    ]


def poll_now(tab: Any) -> None:
    """Have the page ask for new figures, as it does every ten seconds."""
    tab.evaluate("dispatchEvent(new Event('online'))")


@contextmanager
def serving_here(application: Callable[..., Any]) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:  # else a test that fails would never end
        server.should_exit = True
        thread.join()


@pytest.fixture
def store_copy(store: Store, tmp_path: Path) -> Store:
    """Return a copy of the store, which a test may change."""
    path = tmp_path / "copy.duckdb"
    path.write_bytes(store.path.read_bytes())
    return Store(path)


def store_of(path: Path, start: datetime, handle_ms: Mapping[tuple[str, int], int]) -> Store:
    """Return a store with posted handle time, by agent and number of the half-hour of the day."""
    store = Store(path)
    day = Interval(start, start + timedelta(days=1))
    prepare_store(store, SyncRequest(day), NOW)
    rows = [
        {
            "interval_start": start + number * HALF_HOUR,
            "agent_id": agent,
            "media_type": "voice",
            "handle_ms": value,
        }
        for (agent, number), value in handle_ms.items()
    ]
    store.settle(
        Source.POSTED, day, {"posted": pa.Table.from_pylist(rows, schema=POSTED_SCHEMA)}, NOW
    )
    return store
