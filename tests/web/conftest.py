"""A store of two days, the dashboard over one as a process of its own, and a browser to see it."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
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
from tests.processes import Cloud, emulator

SCREENSHOTS = os.environ.get("HALFHOUR_SCREENSHOTS")
"""The folder for pictures of what tests have seen, for people to look at."""
MONDAY = "?day=2026-03-02"

NOW = datetime(2026, 3, 3, tzinfo=UTC)
RANGE = Interval(datetime(2026, 3, 1, tzinfo=UTC), NOW)
DAY = Interval(datetime(2026, 3, 2, tzinfo=UTC), NOW)


def bring(cloud: Cloud, store: Store, interval: Interval = RANGE) -> None:
    sync = runner.run_sync(
        cloud.settings, store, SyncRequest(interval), lambda: NOW, lambda _: None
    )
    with ThreadPoolExecutor(1) as thread:  # Playwright has a loop of its own running
        thread.submit(asyncio.run, sync).result().raise_if_incomplete()


@pytest.fixture(scope="session")
def web_cloud() -> Iterator[Cloud]:
    yield from emulator("--now", "2026-03-03T00:00:00Z", "--agents", "45", "--seed", "1")


@pytest.fixture(scope="session")
def store(web_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two days of 45 agents, which were read as soon as they were over."""
    web_cloud.reset()  # of faults that a test before has left
    store = Store(tmp_path_factory.mktemp("web") / "halfhour.duckdb")
    bring(web_cloud, store)
    return store


class Served:
    """The dashboard as a process: where it listens, and what it has said."""

    def __init__(self, process: "subprocess.Popen[str]", said: str) -> None:
        self.process = process
        self.said = said
        self.url = said.split("halfhour: ", 1)[-1].strip()


@contextmanager
def serving(
    folder: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[Served]:
    command = [sys.executable, "-m", "halfhour", "serve", "--port", "0", *options]
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**kept, "HOME": str(folder), **(environment or {})},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        try:
            yield Served(process, process.stderr.readline())
        finally:
            process.terminate()
            rest = process.stderr.read()
            process.wait(timeout=20)
            assert "Traceback" not in rest, rest


@pytest.fixture(scope="session")
def served(store: Store) -> Iterator[str]:
    with serving(store.path.parent) as dashboard:
        yield dashboard.url


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    """A tab that must not complain, nor ask anybody else."""
    context = browser.new_context(viewport={"width": 1300, "height": 850}, accept_downloads=True)
    opened = context.new_page()
    opened.said = []
    opened.on("pageerror", lambda error: opened.said.append(str(error)))
    # Where a busy machine draws the log-in late, it has the focus by a click already.
    opened.on(
        "console",
        lambda message: (
            message.text.startswith("Autofocus processing was blocked")
            or opened.said.append(message.text)
        ),
    )
    opened.on(
        "request",
        lambda request: (
            urlsplit(request.url).hostname == "127.0.0.1" or opened.said.append(request.url)
        ),
    )
    yield opened
    assert opened.said == []
    context.close()


def loaded(tab: Any, url: str) -> None:
    tab.goto(url)
    tab.wait_for_selector(".cell")


def forgive(tab: Any, *texts: str) -> None:
    """Chromium tells of every answer that is an error; these are meant to be."""
    tab.said[:] = [line for line in tab.said if not any(text in line for text in texts)]


def seen(tab: Any, name: str, *, whole: bool = False) -> None:
    """That axe finds nothing, light or dark, and that it is no wider than the window.

    Of the heat map the first lines will do, but for once: all are of one kind, and axe is slow.
    """
    tab.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        if SCREENSHOTS:
            tab.screenshot(path=Path(SCREENSHOTS) / f"{name}-{scheme}.png")
        rules = [] if scheme == "light" else ["color-contrast"]
        assert axe(tab, rules, [] if whole else [".line:nth-child(n+4)"]) == []
    tab.emulate_media(color_scheme="light")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def axe(tab: Any, rules: Sequence[str], left_out: Sequence[str]) -> list[Any]:
    """What is against these *rules*, or any."""
    from axe_playwright_python.sync_playwright import Axe

    context = {"include": ["html"], "exclude": left_out}
    options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    found = Axe().run(tab, context, options).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found]


def ask_again(tab: Any) -> None:
    """As the page does every ten seconds."""
    tab.evaluate("dispatchEvent(new Event('online'))")


@contextmanager
def running(application: Callable[..., Any]) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:  # or a test that fails would never end
        server.should_exit = True
        thread.join()


@pytest.fixture
def own(store: Store, tmp_path: Path) -> Store:
    """A copy of the store, to be changed."""
    path = tmp_path / "own.duckdb"
    path.write_bytes(store.path.read_bytes())
    return Store(path)


def made(path: Path, start: datetime, handled_ms: Mapping[tuple[str, int], int]) -> Store:
    """A store of what agents have posted in half-hours after *start*."""
    store = Store(path)
    day = Interval(start, start + timedelta(days=1))
    prepare_store(store, SyncRequest(day), NOW)
    rows = [
        {
            "interval_start": start + at * HALF_HOUR,
            "agent_id": agent,
            "media_type": "voice",
            "handle_ms": value,
        }
        for (agent, at), value in handled_ms.items()
    ]
    store.settle(
        Source.POSTED, day, {"posted": pa.Table.from_pylist(rows, schema=POSTED_SCHEMA)}, NOW
    )
    return store
