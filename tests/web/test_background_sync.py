"""The state of the background sync, against the real emulator."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from halfhour.cli.console import logging_to_stderr
from halfhour.errors import ConfigError
from halfhour.genesys import regions
from halfhour.genesys.connection import Settings
from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, Interval, floor_to_width
from halfhour.model.tables import POSTED_SCHEMA
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.syncing.planner import SyncRequest, prepare_store
from halfhour.web.app import create_app
from halfhour.web.background_sync import BackgroundSync
from tests.echoing import SECRET, Echo, assert_nothing_leaks, echoing
from tests.processes import QUICK, Cloud

HERE = "http://127.0.0.1"


@pytest.fixture
def recent_store(tmp_path: Path) -> Store:
    """Return a store that was begun two days ago, so that few windows are due."""
    store, now = Store(tmp_path / "halfhour.duckdb"), datetime.now(UTC)
    prepare_store(store, SyncRequest(), now)
    start = floor_to_width(now, DAY) - 2 * DAY
    half_hour = Interval(start, start + HALF_HOUR)
    store.settle(Source.POSTED, half_hour, {"posted": POSTED_SCHEMA.empty_table()}, now)
    return store


@contextmanager
def syncing_with(
    loads: list[Callable[[], Settings]], store: Store
) -> Iterator[Callable[[], dict[str, str]]]:
    """Yield a function that lets the next sync run and returns its state on the page.

    The first sync calls the first of *loads* for its settings, and so on; the last one goes on.
    """
    allowed, ended = threading.Semaphore(0), threading.Semaphore(0)

    def load_settings() -> Settings:
        if number := next(numbers):
            ended.release()
        allowed.acquire()
        return loads[min(number, len(loads) - 1)]()

    numbers = iter(range(99))
    background_sync = BackgroundSync(timedelta(milliseconds=20))
    background_sync.start_thread(load_settings, store)
    client = TestClient(create_app(store, background_sync=background_sync), base_url=HERE)

    def run_next_sync() -> dict[str, str]:
        allowed.release()
        assert ended.acquire(timeout=20)
        state: dict[str, str] = client.get("/api/state").json()["sync"]
        return state

    yield run_next_sync
    background_sync.stop_requested.set()
    allowed.release()


def wrong_secret(cloud: Cloud) -> Settings:
    return replace(cloud.settings, client_secret="wrong")


def refused_token(cloud: Cloud) -> Settings:
    cloud.faults({"kind": "expired_token", "endpoint": "aggregates", "calls": [*range(2, 99)]})
    return cloud.settings


def good_settings(cloud: Cloud) -> Settings:
    cloud.reset()
    return cloud.settings


def unreadable_settings(_: Cloud) -> Settings:
    raise ConfigError("halfhour.toml: unknown setting 'regoin'; did you mean 'region'?")


@pytest.mark.parametrize(
    ("failing_settings", "sentence"),
    [
        (wrong_secret, "check GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET"),
        (refused_token, "check that the OAuth client is active"),
        (unreadable_settings, "did you mean 'region'?"),
    ],
)
def test_a_failure_of_credentials_is_shown_until_a_sync_succeeds(
    web_cloud, recent_store, failing_settings, sentence
):
    web_cloud.reset()
    with syncing_with(
        [lambda: failing_settings(web_cloud), lambda: good_settings(web_cloud)], recent_store
    ) as run_next_sync:
        assert sentence in run_next_sync()["said"]
        assert run_next_sync()["said"] == ""
    assert len(recent_store.settled_windows(Source.STATUS)) >= 2


def test_an_echoed_secret_is_masked_in_the_state_of_the_sync(recent_store, capsys):
    def refuse(_: str, echo: Echo) -> tuple[int, str, dict[str, str], object]:
        return 401, "No", {}, {"error": echo.text, "description": echo.text}

    with (
        echoing(refuse) as url,
        syncing_with(
            [lambda: Settings("my-client", SECRET, regions.hosts_of_region(url), QUICK)],
            recent_store,
        ) as run_next_sync,
        logging_to_stderr(),
    ):
        assert_nothing_leaks(run_next_sync()["said"])
    assert_nothing_leaks(capsys.readouterr().err)


def test_a_token_that_expires_during_a_sync_is_no_failure(web_cloud, recent_store):
    web_cloud.reset()
    web_cloud.faults({"kind": "expired_token", "calls": [2]})
    with syncing_with([lambda: web_cloud.settings], recent_store) as run_next_sync:
        assert run_next_sync()["said"] == ""


def test_only_the_first_missing_window_is_listed(web_cloud, recent_store):
    web_cloud.reset()
    web_cloud.faults({"kind": "status", "status": 500, "endpoint": "aggregates"})
    with syncing_with([lambda: web_cloud.impatient(attempts=1)], recent_store) as run_next_sync:
        message = run_next_sync()["said"]
    assert "days of posted figures are missing" in message
    assert message.count("HTTP 500") == 1
    assert re.search(r"; and [12] more$", message)


def test_a_sync_with_an_unexpected_error_is_reported_and_tried_again(tmp_path):
    attempts: list[int] = []

    def load_settings() -> Settings:
        attempts.append(len(attempts))
        raise OSError(28, "No space left on device")

    background_sync = BackgroundSync(timedelta(milliseconds=20))
    background_sync.start_thread(load_settings, Store(tmp_path / "none.duckdb"))
    while len(attempts) < 3:
        time.sleep(0.01)
    background_sync.stop_requested.set()
    assert "No space left on device" in background_sync.last_error
