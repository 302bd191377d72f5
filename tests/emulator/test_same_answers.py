"""Every answer is the same, byte for byte, as when its digest was written down.

`same_answers.json` has the SHA-256 of the answers to the requests below, by set-up. A digest
changes only if an answer is meant to change; `python -m tests.emulator.test_same_answers`
writes the file anew.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from genesys_emulator.simulation.captured import load_captured
from genesys_emulator.simulation.organization import make_organization
from genesys_emulator.simulation.source import Centre, SimulatedCentre

from .conftest import METRICS, Cloud, a_query, cloud_of
from .records import CARE, FIRST, RECORDS

DIGESTS = Path(__file__).with_name("same_answers.json")
ANALYTICS = "/api/v2/analytics"
COUNTERS = ["nOffered", "nConnected", "nTransferred", "nOutbound", "tAcd", "tAbandon", "tTalk"]
DAY = "2026-03-02T00:00:00Z/2026-03-03T00:00:00Z"
DAYS = "2026-02-27T05:10:00Z/2026-03-02T21:50:00Z"
LATE = {"kind": "late", "share": 0.2, "hours": 9}
RESTATED = {"kind": "restatement", "share": 0.3}

SETUPS: Mapping[str, tuple[int, int, str, list[dict[str, Any]]]] = {
    "seed 1": (1, 12, "2026-03-03T00:00:00Z", []),
    "seed 7, 45 agents, by day": (7, 45, "2026-03-02T14:17:03.250Z", []),
    "late and restated": (3, 20, "2026-03-02T22:00:00Z", [LATE, RESTATED]),
    "3 agents": (5, 3, "2026-03-02T18:00:00Z", []),
    "captured": (0, 0, "2026-03-03T00:00:00Z", []),
}
"""Seed, number of agents, time of the clock, and faults of the data."""


def user_filter(users: list[str]) -> dict[str, Any]:
    predicates = [{"dimension": "userId", "operator": "matches", "value": user} for user in users]
    return {"type": "or", "predicates": predicates}


def aggregate_queries(user: str, queue: str) -> Iterator[dict[str, Any]]:
    yield a_query()
    yield a_query(metrics=COUNTERS, flattenMultivaluedDimensions=None, granularity="PT1H")
    yield a_query(interval=DAYS, granularity="P1D", timeZone="America/Los_Angeles")
    yield a_query(interval=DAYS, granularity=None, groupBy=["direction", "purpose", "divisionId"])
    yield a_query(groupBy=None, metrics=[*METRICS, *COUNTERS], granularity="PT7M")
    yield a_query(filter=user_filter([user]), granularity="PT15M")
    by_queue = {"dimension": "queueId", "operator": "matches", "value": queue}
    voice = {"dimension": "mediaType", "operator": "matches", "value": "voice"}
    yield a_query(interval=DAYS, filter={"type": "and", "predicates": [by_queue, voice]})
    nobody = {"dimension": "userId", "operator": "notExists"}
    yield a_query(interval="2026-03-02T08:13:00Z/2026-03-02T09:00:00Z", metrics=COUNTERS,
                  filter={"type": "or", "predicates": [nobody, by_queue]})  # fmt: skip
    if queue == CARE:  # captured
        yield a_query(interval="2025-06-10T00:00:00Z/2025-06-13T00:00:00Z")


def details_queries(user: str, queue: str) -> Iterator[dict[str, Any]]:
    yield {"interval": DAY}
    yield {"interval": DAYS, "order": "desc"}
    of_user = {"dimension": "userId", "operator": "matches", "value": user}
    hold = {"dimension": "segmentType", "operator": "matches", "value": "hold"}
    yield {"interval": DAYS, "segmentFilters": [{"type": "and", "predicates": [of_user, hold]}]}
    outbound = {"dimension": "originatingDirection", "operator": "matches", "value": "outbound"}
    yield {"interval": DAYS, "conversationFilters": [{"type": "or", "predicates": [outbound]}]}
    if queue == CARE:
        yield {"interval": "2025-06-10T00:00:00Z/2025-06-13T00:00:00Z"}


def job_pages(cloud: Cloud, path: str, body: Mapping[str, Any], page_size: int = 0) -> bytes:
    """Return all pages of a job, one after the other."""
    job = f"{path}/{cloud.call('POST', path, json=body).json()['jobId']}"
    for _ in range(3):
        cloud.get(job)
    pages, parameters = [], {"pageSize": str(page_size)} if page_size else {}
    while True:
        page = cloud.get(f"{job}/results", params=parameters)
        pages.append(page.content)
        if not (cursor := page.json().get("cursor")):
            return b"\n".join(pages)
        parameters["cursor"] = cursor


def answers(cloud: Cloud, *, simulated: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each answer."""
    shown = cloud.get("/_emulator/org")
    yield "organization", shown.content
    users = [user["id"] for user in shown.json()["users"]][:30] or [FIRST]
    queues = [queue["id"] for queue in shown.json()["queues"]]
    user, queue = users[0], queues[0]
    yield from directory_answers(cloud, queue)
    for number, body in enumerate(aggregate_queries(user, queue), 1):
        path = f"{ANALYTICS}/conversations/aggregates"
        yield f"aggregates {number}", cloud.call("POST", f"{path}/query", json=body).content
        yield (
            f"aggregates job {number}",
            job_pages(cloud, f"{path}/jobs", {**body, "pageSize": 17}),
        )
    ids: list[str] = []
    for number, body in enumerate(details_queries(user, queue), 1):
        path = f"{ANALYTICS}/conversations/details"
        for page in (1, 2, 3, 1):
            asked = {**body, "paging": {"pageSize": 40, "pageNumber": page}}
            answer = cloud.call("POST", f"{path}/query", json=asked)
            yield f"details {number}, page {page}", answer.content
            listed = answer.json().get("conversations", [])
            ids += [conversation["conversationId"] for conversation in listed[:2]]
        yield f"details job {number}", job_pages(cloud, f"{path}/jobs", body, 700)
        since_midnight = {**body, "startOfDayIntervalMatching": True}
        yield f"details job of days {number}", job_pages(cloud, f"{path}/jobs", since_midnight, 700)
    several = cloud.get(f"{ANALYTICS}/conversations/details", params={"id": ",".join(ids)})
    yield "details by id", several.content
    yield "details of one", cloud.get(f"{ANALYTICS}/conversations/{ids[-1]}/details").content
    yield from status_answers(cloud, users)
    if simulated:
        yield from truth_answers(cloud)


def directory_answers(cloud: Cloud, queue: str) -> Iterator[tuple[str, bytes]]:
    for path in (
        "/api/v2/users?state=any&pageSize=10&pageNumber=2",
        "/api/v2/users?pageSize=100",
        "/api/v2/routing/queues",
        f"/api/v2/routing/queues/{queue}/members",
        "/api/v2/routing/queues/divisionviews/all",
        "/api/v2/authorization/divisions",
        "/api/v2/groups",
        "/api/v2/teams",
        "/api/v2/presence/definitions",
        "/api/v2/organizations/me",
        "/api/v2/organizations/limits/namespaces",
    ):
        yield path.replace(queue, "{queue}"), cloud.get(path).content


def status_answers(cloud: Cloud, users: list[str]) -> Iterator[tuple[str, bytes]]:
    path = f"{ANALYTICS}/users"
    metrics = ["tAgentRoutingStatus", "tOrganizationPresence", "tSystemPresence"]
    for interval, granularity in ((DAY, "PT30M"), (DAYS, "P1D"), (DAYS, None)):
        body = {"interval": interval, "groupBy": ["userId"], "metrics": metrics,
                "filter": user_filter(users)}  # fmt: skip
        body |= {"granularity": granularity} if granularity else {"timeZone": "Europe/Warsaw"}
        name = f"of users, {interval}, {granularity}"
        yield (
            f"aggregates {name}",
            cloud.call("POST", f"{path}/aggregates/query", json=body).content,
        )
        yield f"aggregates job {name}", job_pages(cloud, f"{path}/aggregates/jobs", body)
    for order in ("asc", "desc"):
        body = {"interval": DAYS, "order": order}
        asked = {**body, "paging": {"pageSize": 7, "pageNumber": 1}}
        yield (
            f"details of users, {order}",
            cloud.call("POST", f"{path}/details/query", json=asked).content,
        )
        yield f"details job of users, {order}", job_pages(cloud, f"{path}/details/jobs", body)
    used = {"interval": DAY, "granularity": "PT30M", "groupBy": ["userId"],
            "metrics": ["oAgentUtilizationPercentage"]}  # fmt: skip
    yield (
        "capacity",
        cloud.call("POST", f"{ANALYTICS}/agentutilizations/aggregates/query", json=used).content,
    )


def truth_answers(cloud: Cloud) -> Iterator[tuple[str, bytes]]:
    """Yield the rows of the tables: the bytes of a file depend on the version of Arrow."""
    for name in ("segments", "statuses", "posted", "worked", "busy"):
        answer = cloud.get(f"/_emulator/truth/{name}.arrow?interval={DAYS}")
        rows = pa.ipc.open_stream(answer.content).read_all().to_pylist()
        yield f"truth: {name}", msgspec.json.encode(rows)


def make_centre(seed: int, agents: int) -> Centre:
    if not agents:
        return load_captured(msgspec.json.encode(RECORDS))
    return SimulatedCentre(make_organization(seed, agents), date(2026, 2, 24))


def digests_of(setup: str) -> dict[str, str]:
    seed, agents, now, faults = SETUPS[setup]
    cloud = cloud_of(make_centre(seed, agents), allowed=1_000_000)
    cloud.log_in()
    for fault in faults:
        cloud.fault(**fault)
    cloud.call("POST", "/_emulator/clock", json={"now": now})
    return {
        name: sha256(content).hexdigest() for name, content in answers(cloud, simulated=agents > 0)
    }


@pytest.mark.parametrize(
    "setup",
    [pytest.param(name, marks=[pytest.mark.soak] * ("45 agents" in name)) for name in SETUPS],
)
def test_answers_are_the_same_as_ever(setup):
    assert digests_of(setup) == json.loads(DIGESTS.read_bytes())[setup]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_answers_do_not_depend_on_how_a_process_hashes_texts(seed):
    name = "3 agents"
    script = (
        f"import json; from {__name__} import digests_of; print(json.dumps(digests_of({name!r})))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": seed},
        cwd=DIGESTS.parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(result.stdout) == json.loads(DIGESTS.read_bytes())[name]


if __name__ == "__main__":
    DIGESTS.write_text(
        json.dumps({setup: digests_of(setup) for setup in SETUPS}, indent=1) + "\n",
        encoding="utf-8",
    )
