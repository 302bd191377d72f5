"""The emulator and halfhour as processes, which talk over HTTP on the loopback interface."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from genesys_emulator.pytest_plugin import GenesysCloud, running
from halfhour.genesys import regions
from halfhour.genesys.connection import Settings
from halfhour.genesys.retry_policy import RetryPolicy
from tests.prepared_process import started

NOW = "2026-03-03T00:00:00Z"
QUICK = RetryPolicy(
    attempts=4, first_wait=0.001, longest_wait=0.01, connect_timeout=5, silence_timeout=5
)


class Cloud(GenesysCloud):
    """A running emulator, with the settings of halfhour for it."""

    __slots__ = ()

    @property
    def settings(self) -> Settings:
        return Settings(
            self.client_id, self.client_secret, regions.hosts_of_region(self.url), QUICK
        )

    def impatient(self, **changes: Any) -> Settings:
        return replace(self.settings, retry_policy=replace(QUICK, **changes))

    @property
    def environment(self) -> dict[str, str]:
        return {
            "GENESYS_CLIENT_ID": self.client_id,
            "GENESYS_CLIENT_SECRET": self.client_secret,
            "GENESYS_REGION": self.url,
        }


def emulator(*options: str) -> Iterator[Cloud]:
    with running(*options) as cloud:
        yield Cloud(cloud.url)


@pytest.fixture(scope="session")
def shared_cloud() -> Iterator[Cloud]:
    yield from emulator("--now", NOW, "--agents", "12", "--seed", "1")


@pytest.fixture
def cloud(shared_cloud: Cloud) -> Cloud:
    """A contact centre of 12 agents whose clock stands at `NOW`, with no faults."""
    shared_cloud.reset()
    return shared_cloud


@pytest.fixture(scope="session")
def big_cloud() -> Iterator[Cloud]:
    """An organisation whose list of agents has three pages."""
    yield from emulator("--now", NOW, "--agents", "230")


@pytest.fixture
def tight_cloud() -> Iterator[Cloud]:
    """An organisation that allows a tenth of the usual requests."""
    yield from emulator("--now", NOW, "--agents", "2", "--requests-per-minute", "30")


@pytest.fixture
def brief_cloud() -> Iterator[Cloud]:
    """An organisation whose tokens expire after two seconds."""
    yield from emulator("--now", NOW, "--agents", "2", "--token-lifetime", "2")


@pytest.fixture(scope="session")
def powerless_cloud() -> Iterator[Cloud]:
    """An organisation whose admin gave the client no permission for aggregates."""
    yield from emulator(
        "--now", NOW, "--without-permission", "analytics:conversationAggregate:view"
    )


@pytest.fixture(scope="session")
def captured_cloud() -> Iterator[Cloud]:
    """An organisation of eight conversations in a file, in the shape of a job's results."""
    yield from emulator("--conversations", str(Path(__file__).parent / "captured.json"))


def free_port() -> int:
    """Return a port of the loopback interface on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def held_elsewhere(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run another program that keeps the database at *path* open until it gets a line."""
    program = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout
        other.stdout.readline()
        yield other


@dataclass(frozen=True)
class Ran:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Halfhour:
    """The command line as a process, in an empty folder and with nothing in the environment."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def __call__(self, *arguments: str, **environment: str) -> Ran:
        inherited = {
            name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ
        }
        process = started(
            arguments,
            self.folder,
            {**inherited, "HOME": str(self.folder), **self.environment, **environment},
        )
        out, err = process.communicate(timeout=60)
        assert process.returncode is not None
        assert "Traceback" not in err, err
        secret = self.environment.get("GENESYS_CLIENT_SECRET", "emulator-secret")
        assert arguments[0] == "emulator" or secret not in out + err
        return Ran(process.returncode, out, err)


@pytest.fixture(scope="session")
def synced_day(shared_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the file of a store with every source of 2 March 2026 in the centre of `cloud`."""
    shared_cloud.reset()
    folder = tmp_path_factory.mktemp("synced")
    sync = Halfhour(folder, shared_cloud.environment)
    ran = sync("sync", "--from", "2026-03-02", "--to", "2026-03-03")
    assert ran.code == 0, ran.err
    return (folder / "halfhour.duckdb").read_bytes()


@pytest.fixture
def halfhour(tmp_path: Path, cloud: Cloud) -> Halfhour:
    return Halfhour(tmp_path, {**cloud.environment, "HALFHOUR_ATTEMPTS": "1"})
