"""How fast and how large the emulator is, beside a plain handler that returns ready bytes.

Both are processes on loopback, asked by one client over one connection, one
request after the other. The plain handler gives the very bytes that the
emulator gave. What counts are the ratios. Then the CPU time of the emulator's process,
which other work on the machine changes less than the time that passes; with
`--beside SRC` also of the emulator in another folder of sources, in turns.
Memory is the emulator's, after it has been asked for 1, 5 and 30 days of 2,000
agents, a day at a time.
"""

import base64
import http.client
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

NOW = datetime(2026, 3, 3, tzinfo=UTC)
AGENTS, TEAMS, CROWD, DAYS, ROUNDS = 300, 500, 2000, 30, 5
JOBS = "/api/v2/analytics/conversations/details/jobs"
SOURCES = str(Path(__file__).parent.parent / "src")
FROM = "import sys; sys.path.insert(0, {!r}); from genesys_emulator.__main__ import main; main()"
AGGREGATES = "/api/v2/analytics/conversations/aggregates/query"
SMALL = "/api/v2/organizations/me"
PLAIN = """
import asyncio, sys, uvicorn, pathlib
pairs = [word.split("=") for word in sys.argv[1:]]
ready = {path: pathlib.Path(file).read_bytes() for path, file in pairs}
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    body = ready[scope["path"]]
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
async def main():
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    await task
asyncio.run(main())
"""


@contextmanager
def serving(*command: str) -> Iterator[tuple[int, http.client.HTTPConnection]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        host = process.stdout.readline().strip().removeprefix("http://")
        try:
            yield process.pid, http.client.HTTPConnection(host, timeout=600)
        finally:
            process.terminate()


@contextmanager
def emulating(
    agents: int, command: Sequence[str] = (sys.executable, "-m", "genesys_emulator")
) -> Iterator[tuple[int, http.client.HTTPConnection, dict[str, str]]]:
    options = ("--now", f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "--agents", str(agents), "--days", "31")
    with serving(*command, *options, "--requests-per-minute", "1000000") as (pid, connection):
        secret = base64.b64encode(b"emulator:emulator-secret").decode()
        form = {"Authorization": f"Basic {secret}",
                "Content-Type": "application/x-www-form-urlencoded"}  # fmt: skip
        token = json.loads(asked(connection, "POST", "/oauth/token", form,
                                 b"grant_type=client_credentials"))["access_token"]  # fmt: skip
        yield pid, connection, {"Authorization": f"Bearer {token}",
                                "Content-Type": "application/json"}  # fmt: skip


def asked(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes | None = None,
) -> bytes:
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {content[:200]!r}")
    return content


def query(day: int) -> bytes:
    start = NOW - timedelta(days=day)
    return json.dumps(
        {
            "interval": f"{start.isoformat()}/{(start + timedelta(days=1)).isoformat()}",
            "granularity": "PT30M",
            "groupBy": ["userId", "queueId", "mediaType"],
            "flattenMultivaluedDimensions": True,
            "metrics": ["tHandle", "tTalkComplete", "tHeldComplete", "tAcw", "tAlert"],
        }
    ).encode()


def rate(connection: http.client.HTTPConnection, path: str, headers: dict[str, str],
         bodies: list[bytes | None]) -> tuple[float, float, bytes]:  # fmt: skip
    """Megabytes and requests a second, and the last answer."""
    began, size, content = time.perf_counter(), 0, b""
    for body in bodies:
        content = asked(connection, "POST" if body else "GET", path, headers, body)
        size += len(content)
    took = time.perf_counter() - began
    return size / 1e6 / took, len(bodies) / took, content


def memory(pid: int) -> float:
    """Resident megabytes, where Linux tells."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


def cpu_seconds(pid: int) -> float:
    """Return what a process has taken so far, itself and in the system, where Linux tells."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_times(sources: str) -> dict[str, float]:
    """Return seconds of CPU by what they were spent on, and the speed of pages of details."""
    command = (sys.executable, "-c", FROM.format(sources))
    with emulating(TEAMS, command) as (pid, connection, headers):
        times = {"until it listens": cpu_seconds(pid)}

        def take(what: str, *days: int) -> None:
            before = cpu_seconds(pid)
            for day in days:
                asked(connection, "POST", AGGREGATES, headers, query(day))
            times[what] = (cpu_seconds(pid) - before) / len(days)

        take("first answer of a day", 1)
        take("the same again", 1, 1, 1, 1)
        take("the day before", 2)
        size, before = details_size(connection, headers), cpu_seconds(pid)
        size = details_size(connection, headers)
        times["MB/s of details"] = size / 1e6 / (cpu_seconds(pid) - before)
        return times


def details_size(connection: http.client.HTTPConnection, headers: dict[str, str]) -> int:
    """Return the bytes of twenty pages of a details job of a day that the emulator has."""
    start = NOW - timedelta(days=1, hours=1)
    body = {"interval": f"{start.isoformat()}/{(start + timedelta(hours=18)).isoformat()}"}
    connection.request("POST", JOBS, json.dumps(body).encode(), headers)
    job = f"{JOBS}/{json.loads(connection.getresponse().read())['jobId']}"
    for _ in range(3):
        asked(connection, "GET", job, headers)
    size, cursor = 0, ""
    for _ in range(20):
        page = asked(connection, "GET", f"{job}/results?pageSize=500{cursor}", headers)
        size, cursor = size + len(page), f"&cursor={json.loads(page)['cursor']}"
    return size


def show_cpu_times(beside: str | None) -> None:
    kinds = {**({"beside": beside} if beside else {}), "not on disk": SOURCES, "on disk": SOURCES}
    runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(ROUNDS):
        with TemporaryDirectory() as folder:
            os.environ["GENESYS_EMULATOR_CACHE"] = folder
            for kind, sources in kinds.items():
                runs[kind].append(cpu_times(sources))
    print(f"CPU seconds of {TEAMS} agents, median of {ROUNDS} (least)")
    for kind, times in runs.items():
        for what in times[0]:
            measured = [run[what] for run in times]
            print(f"  {kind:12} {what:24} {statistics.median(measured):7.3f} ({min(measured):.3f})")


def main() -> None:
    show_cpu_times(sys.argv[2] if sys.argv[1:2] == ["--beside"] else None)
    with TemporaryDirectory() as cache:
        os.environ["GENESYS_EMULATOR_CACHE"] = cache
        show_rates_and_memory()


def show_rates_and_memory() -> None:
    folder = Path(__file__).parent
    with emulating(AGENTS) as (_, connection, headers):
        first, _, _ = rate(connection, AGGREGATES, headers, [query(day) for day in range(1, 6)])
        later, _, large = rate(connection, AGGREGATES, headers, [query(5)] * 20)
        _, small, little = rate(connection, SMALL, headers, [None] * 2000)
    ready = {AGGREGATES: (folder / ".large", large), SMALL: (folder / ".small", little)}
    try:
        for file, content in ready.values():
            file.write_bytes(content)
        words = [f"{path}={file}" for path, (file, _) in ready.items()]
        with serving(sys.executable, "-c", PLAIN, *words) as (_, connection):
            plain, _, _ = rate(connection, AGGREGATES, {}, [query(5)] * 20)
            _, plain_small, _ = rate(connection, SMALL, {}, [None] * 2000)
    finally:
        for file, _ in ready.values():
            file.unlink(missing_ok=True)
    print(f"{platform.platform()}, Python {platform.python_version()}")
    print(f"aggregates of {AGENTS} agents, {len(large) / 1e6:.1f} MB a day")
    print(f"  first   {first:8.1f} MB/s  {first / plain:7.3f} of plain")
    print(f"  later   {later:8.1f} MB/s  {later / plain:7.3f} of plain")
    print(f"  plain   {plain:8.1f} MB/s")
    print(f"small answers\n  emulator{small:8.0f} a second  {small / plain_small:7.3f} of plain")
    print(f"  plain   {plain_small:8.0f} a second")
    print(f"memory of {CROWD} agents")
    with emulating(CROWD) as (pid, connection, headers):
        print(f"  0 days  {memory(pid):8.0f} MB")
        for day in range(1, DAYS + 1):
            asked(connection, "POST", AGGREGATES, headers, query(day))
            if day in (1, 5, DAYS):
                print(f"  {day} days  {memory(pid):8.0f} MB", flush=True)


if __name__ == "__main__":
    main()
