"""What the sync beside the page says of itself, against the real emulator."""

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
def young(tmp_path: Path) -> Store:
    """A store that was begun two days ago, so that little is due."""
    store, now = Store(tmp_path / "halfhour.duckdb"), datetime.now(UTC)
    prepare_store(store, SyncRequest(), now)
    start = floor_to_width(now, DAY) - 2 * DAY
    began = Interval(start, start + HALF_HOUR)
    store.settle(Source.POSTED, began, {"posted": POSTED_SCHEMA.empty_table()}, now)
    return store


@contextmanager
def syncing_with(
    loads: list[Callable[[], Settings]], store: Store
) -> Iterator[Callable[[], dict[str, str]]]:
    """Turns of a sync, each with the next of *loads*; to end each, and see what it has come to."""
    turns, ended = threading.Semaphore(0), threading.Semaphore(0)

    def load() -> Settings:
        if turn := next(numbers):
            ended.release()
        turns.acquire()
        return loads[min(turn, len(loads) - 1)]()

    numbers = iter(range(99))
    live = BackgroundSync(timedelta(milliseconds=20))
    live.start_thread(load, store)
    client = TestClient(create_app(store, live=live), base_url=HERE)

    def turn() -> dict[str, str]:
        turns.release()
        assert ended.acquire(timeout=20)
        sync: dict[str, str] = client.get("/api/state").json()["sync"]
        return sync

    yield turn
    live.stop_requested.set()
    turns.release()


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
    ("trouble", "sentence"),
    [
        (wrong_secret, "check GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET"),
        (refused_token, "check that the OAuth client is active"),
        (unreadable_settings, "did you mean 'region'?"),
    ],
)
def test_a_failure_of_credentials_is_shown_until_a_sync_succeeds(
    web_cloud, young, trouble, sentence
):
    web_cloud.reset()
    with syncing_with(
        [lambda: trouble(web_cloud), lambda: good_settings(web_cloud)], young
    ) as turn:
        assert sentence in turn()["said"]
        assert turn()["said"] == ""
    assert len(young.settled_windows(Source.STATUS)) >= 2


def test_an_echoed_secret_is_masked_in_the_state_of_the_sync(young, capsys):
    def refused(_: str, echo: Echo) -> tuple[int, str, dict[str, str], object]:
        return 401, "No", {}, {"error": echo.text, "description": echo.text}

    with (
        echoing(refused) as url,
        syncing_with(
            [lambda: Settings("my-client", SECRET, regions.hosts_of_region(url), QUICK)], young
        ) as (turn),
        logging_to_stderr(),
    ):
        assert_nothing_leaks(turn()["said"])
    assert_nothing_leaks(capsys.readouterr().err)


def test_a_token_that_runs_out_in_the_middle_is_no_trouble(web_cloud, young):
    web_cloud.reset()
    web_cloud.faults({"kind": "expired_token", "calls": [2]})
    with syncing_with([lambda: web_cloud.settings], young) as turn:
        assert turn()["said"] == ""


def test_days_that_could_not_be_had_are_not_all_listed(web_cloud, young):
    web_cloud.reset()
    web_cloud.faults({"kind": "status", "status": 500, "endpoint": "aggregates"})
    with syncing_with([lambda: web_cloud.impatient(attempts=1)], young) as turn:
        said = turn()["said"]
    assert "windows are missing" in said
    assert said.count("HTTP 500") == 1
    assert re.search(r"; and [12] more$", said)


def test_a_sync_that_breaks_is_said_and_tried_again(tmp_path):
    tries: list[int] = []

    def load() -> Settings:
        tries.append(len(tries))
        raise OSError(28, "No space left on device")

    live = BackgroundSync(timedelta(milliseconds=20))
    live.start_thread(load, Store(tmp_path / "none.duckdb"))
    while len(tries) < 3:
        time.sleep(0.01)
    live.stop_requested.set()
    assert "No space left on device" in live.last_error
