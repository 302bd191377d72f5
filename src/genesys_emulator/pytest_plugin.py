"""The fixture `genesys_cloud`: an emulator as a process of its own, for any project's tests."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from genesys_emulator.simulation.day_cache import FOLDER_VARIABLE

CREDENTIALS = ("emulator", "emulator-secret")


@dataclass(frozen=True, slots=True)
class GenesysCloud:
    """A running emulator: *url* serves both login and API, to this one OAuth client."""

    url: str
    client_id: str = CREDENTIALS[0]
    client_secret: str = field(default=CREDENTIALS[1], repr=False)

    def faults(self, *faults: Mapping[str, Any]) -> None:
        """Add faults, besides those in force already; the docs describe each kind."""
        self._call_control("POST", "faults", {"faults": faults})

    def requests(self, path: str = "") -> list[dict[str, Any]]:
        """Return the requests since the last reset whose path ends in *path*, oldest first."""
        answer = self._call_control("GET", "requests")
        return [request for request in answer["requests"] if request["path"].endswith(path)]

    def clock(self, **changes: str | None) -> str:
        """Set the clock of the data, ``now="2026-03-03T12:00:00Z"``, or put it forward,
        ``move="PT30M"``; return the time that it shows.
        """
        return str(self._call_control("POST", "clock", changes)["now"])

    def truth(self, table: str, interval: str, granularity: str = "PT30M") -> Any:
        """Return a table of right answers: segments, statuses, posted, worked or busy."""
        from pyarrow import ipc

        asked = urlencode({"interval": interval, "granularity": granularity})
        return ipc.open_stream(self._fetch_answer("GET", f"truth/{table}.arrow?{asked}")).read_all()

    def reset(self) -> None:
        """Forget tokens, limits, jobs and the log; put faults and clock back to the start."""
        self._call_control("POST", "reset")

    def _call_control(self, method: str, what: str, content: object = None) -> Any:
        return json.loads(self._fetch_answer(method, what, content))

    def _fetch_answer(self, method: str, what: str, content: object = None) -> bytes:
        body = None if content is None else json.dumps(content).encode()
        asked = Request(f"{self.url}/_emulator/{what}", data=body, method=method)  # noqa: S310
        try:
            with urlopen(asked, timeout=30) as answer:  # noqa: S310  (its own base URL)
                return bytes(answer.read())
        except OSError as error:
            reply = error.read().decode() if hasattr(error, "read") else ""
            raise ValueError(f"/_emulator/{what}: {reply or error}") from error


@contextmanager
def running(*options: str) -> Iterator[GenesysCloud]:
    """Run an emulator with these command-line *options* for as long as the context lasts."""
    command = [sys.executable, "-m", "genesys_emulator", "--port", "0", *options]
    with subprocess.Popen(  # noqa: S603  (ours, with the tests' options)
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        try:
            url = process.stdout.readline().strip()
            if not url:
                raise ValueError(process.stderr.read().strip())
            yield GenesysCloud(url)
        finally:
            process.terminate()


def pytest_configure(config: pytest.Config) -> None:
    """Keep simulated days in pytest's own cache folder, for all workers and all runs."""
    cache = getattr(config, "cache", None)  # pytest may run without it
    if cache and FOLDER_VARIABLE not in os.environ:
        with suppress(OSError):
            os.environ[FOLDER_VARIABLE] = str(cache.mkdir("genesys-emulator"))


@pytest.fixture(scope="session")
def genesys_cloud_options() -> tuple[str, ...]:
    """Options of the emulator; a project overrides this fixture to choose others."""
    return ("--now", "2026-03-03T00:00:00Z")


@pytest.fixture(scope="session")
def genesys_cloud_process(genesys_cloud_options: tuple[str, ...]) -> Iterator[GenesysCloud]:
    """The emulator that the tests of a session share."""
    with running(*genesys_cloud_options) as cloud:
        yield cloud


@pytest.fixture
def genesys_cloud(genesys_cloud_process: GenesysCloud) -> GenesysCloud:
    """A Genesys Cloud with nothing wrong, no request made and the whole limit left."""
    genesys_cloud_process.reset()
    return genesys_cloud_process
