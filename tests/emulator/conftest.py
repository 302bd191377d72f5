"""The emulator in this process, over ASGI; and, for what breaks connections, as one of its own."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx2
import pytest

from genesys_emulator.http.app import Emulator
from genesys_emulator.simulation.organization import make_organization
from genesys_emulator.simulation.source import Centre, SimulatedCentre
from genesys_emulator.state.clock import Clock
from genesys_emulator.state.tokens import Tokens
from genesys_emulator.wire.timestamps import midnight_of

NOW = midnight_of(date(2026, 3, 3))
CLIENT = ("emulator", "emulator-secret")
GRANT = {"grant_type": "client_credentials"}
AGGREGATES = "/api/v2/analytics/conversations/aggregates/query"
METRICS = (
    "tHandle tTalkComplete tHeldComplete tAcw tContacting tDialing tAlert tNotResponding tAnswered"
).split()


def a_query(**changes: object) -> dict[str, Any]:
    """A day by half-hours, agent, queue and media type, as a reporting client asks for it."""
    asked = {
        "interval": "2026-03-02T00:00:00.000Z/2026-03-03T00:00:00.000Z",
        "granularity": "PT30M",
        "groupBy": ["userId", "queueId", "mediaType"],
        "flattenMultivaluedDimensions": True,
        "metrics": METRICS,
        **changes,
    }
    return {name: value for name, value in asked.items() if value is not None}


@dataclass
class Seconds:
    """Seconds that pass when a test says so."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Cloud:
    """An emulator in this process, and a client of it that has a token."""

    emulator: Emulator
    clock: Seconds
    headers: Mapping[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, **request: Any) -> httpx2.Response:
        async def one() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.emulator)
            async with httpx2.AsyncClient(transport=transport, base_url="http://cloud") as client:
                headers = {**self.headers, **request.pop("headers", {})}
                return await client.request(method, path, headers=headers, **request)

        return asyncio.run(one())

    def get(self, path: str, **request: Any) -> httpx2.Response:
        return self.call("GET", path, **request)

    def ask(self, **changes: object) -> httpx2.Response:
        return self.call("POST", AGGREGATES, json=a_query(**changes))

    def log_in(self) -> str:
        token = self.call("POST", "/oauth/token", auth=CLIENT, data=GRANT).json()["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}
        return str(token)

    def fault(self, **fault: object) -> None:
        answer = self.call("POST", "/_emulator/faults", json={"faults": [fault]})
        assert answer.status_code == 200, answer.text

    def requests(self) -> list[dict[str, Any]]:
        return list(self.get("/_emulator/requests").json()["requests"])


def cloud_of(
    centre: Centre, *, allowed: int = 300, lifetime: int = 86_399, withheld: Sequence[str] = ()
) -> Cloud:
    clock = Seconds()
    tokens = Tokens(*CLIENT, lifetime=lifetime, requests_per_minute=allowed)
    emulator = Emulator(
        centre, tokens, now=Clock(lambda: NOW), withheld=frozenset(withheld), monotonic=clock
    )
    return Cloud(emulator, clock)


@pytest.fixture(scope="session")
def centre() -> SimulatedCentre:
    """Twelve agents, a week before `NOW` on."""
    return SimulatedCentre(make_organization(1, 12), date(2026, 2, 24))


@pytest.fixture
def stranger(centre: SimulatedCentre) -> Cloud:
    """A client that has not logged in."""
    return cloud_of(centre)


@pytest.fixture
def cloud(stranger: Cloud) -> Cloud:
    stranger.log_in()
    return stranger


@dataclass(frozen=True)
class Served:
    """The emulator as a process."""

    url: str
    process: "subprocess.Popen[str]"

    def token(self) -> dict[str, str]:
        answer = httpx2.post(f"{self.url}/oauth/token", auth=CLIENT, data=GRANT)
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def fault(self, **fault: object) -> None:
        answer = httpx2.post(f"{self.url}/_emulator/faults", json={"faults": [fault]})
        assert answer.status_code == 200, answer.text

    def stop(self) -> tuple[str, str]:
        self.process.terminate()
        return self.process.communicate(timeout=20)


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "genesys_emulator", *options]


@contextmanager
def served(*options: str, before: Sequence[str] = ()) -> Iterator[Served]:
    """The words *before* are of a program that becomes the emulator."""
    with subprocess.Popen(
        [*before, *command("--now", "2026-03-03T00:00:00Z", *options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            yield Served(process.stdout.readline().strip(), process)
        finally:
            process.kill()


def buckets(answer: httpx2.Response) -> int:
    return sum(len(group["data"]) for group in answer.json()["results"])
