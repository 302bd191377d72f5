"""A store of two days, and the dashboard over one as a process of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from halfhour import syncing
from halfhour.intervals import Interval
from halfhour.store import Store
from halfhour.wishes import Wish
from tests.shell.conftest import Cloud, emulator

NOW = datetime(2026, 3, 3, tzinfo=UTC)
RANGE = Interval(datetime(2026, 3, 1, tzinfo=UTC), NOW)
DAY = Interval(datetime(2026, 3, 2, tzinfo=UTC), NOW)


def bring(cloud: Cloud, store: Store, interval: Interval = RANGE) -> None:
    sync = syncing.sync(cloud.settings, store, Wish(interval), lambda: NOW, lambda _: None)
    with ThreadPoolExecutor(1) as thread:  # Playwright has a loop of its own running
        thread.submit(asyncio.run, sync).result().check()


@pytest.fixture(scope="session")
def web_cloud() -> Iterator[Cloud]:
    yield from emulator("--now", "2026-03-03T00:00:00Z", "--agents", "45", "--seed", "1")


@pytest.fixture(scope="session")
def store(web_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two days of 45 agents, which were read as soon as they were over."""
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
