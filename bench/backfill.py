"""A backfill under Genesys' limit of 300 requests a minute.

It goes into a new store, as a process against the emulator on this machine:
posted figures and status for 30 days of 2,000 agents and for a year of 20, and
these with conversation details for two months of 20. Told are the wall seconds
beside the least that so many requests can take under the limit, the answers
429, and the peak memory of the process after 5, 15 and 30 days. With 2,000
agents it is the emulator that takes the time, with 20 it is the limit.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from genesys_emulator.pytest_plugin import GenesysCloud, running

NOW = datetime(2026, 3, 3, tzinfo=UTC)
LIMIT = 300
FEW, ALL = ("posted", "status"), ("posted", "details", "status")
CENTRES = ((20, 60, ALL), (20, 365, FEW), (2000, 30, FEW))
"""Agents, days to read, and what of them."""
TOLD = (5, 15, 30)


def main() -> None:
    print(f"{platform.platform()}, Python {platform.python_version()}", flush=True)
    for agents, days, sources in CENTRES:
        centre = ("--now", f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "--agents", str(agents))
        limit = ("--days", str(days + 1), "--requests-per-minute", str(LIMIT))
        with running(*centre, *limit) as cloud, tempfile.TemporaryDirectory() as folder:
            found = backfilled(cloud, Path(folder), days, sources)
            print(json.dumps({"agents": agents, "days": days, **found}, indent=2), flush=True)


def backfilled(
    cloud: GenesysCloud, folder: Path, days: int, sources: Sequence[str]
) -> dict[str, object]:
    first = NOW - timedelta(days=days)
    command = [sys.executable, "-m", "halfhour", "sync", "--log-format", "json"]
    command += ["--timeout", "600"]  # the emulator makes a day while it is asked for it
    command += [word for source in sources for word in ("--source", source)]
    command += ["--from", f"{first:%Y-%m-%d}", "--to", f"{NOW:%Y-%m-%d}"]
    environment = os.environ | {
        "GENESYS_CLIENT_ID": cloud.client_id,
        "GENESYS_CLIENT_SECRET": cloud.client_secret,
        "GENESYS_REGION": cloud.url,
    }
    settled: Counter[str] = Counter()
    peaks: dict[str, dict[int, int]] = {source: {} for source in sources}
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        for line in process.stderr:
            event = json.loads(line)
            if event.get("event") == "settled":
                settled[event["source"]] += 1
                if settled[event["source"]] in TOLD:
                    peaks[event["source"]][settled[event["source"]]] = peak_mb(process.pid)
    wall = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"the sync ended with {process.returncode}")
    asked = [each for each in cloud.requests() if each["path"].startswith("/api/")]
    return {
        "requests": len(asked),
        "wall_s": round(wall, 1),
        "least_under_the_limit_s": (len(asked) - 1) // LIMIT * 60,
        "answers_429": sum(each["status"] == 429 for each in asked),
        "peak_memory_mb_after_days": peaks,
        "store_mb": round((folder / "halfhour.duckdb").stat().st_size / 1e6, 1),
    }


def peak_mb(pid: int) -> int:
    """Where Linux tells."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return -1


if __name__ == "__main__":
    main()
