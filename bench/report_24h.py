"""The 24-hour report of 500 agents: halfhour beside a plain script that asks the same.

Both run as processes against the same emulator, in turn, send the same query
and write a CSV file, the script its seven columns, halfhour all it has; the
script is what a careful user would write with requests, json and pandas.
Before anything is timed, their files are checked to say the same. Times are
the median wall and CPU seconds of a whole process; what counts is the ratio.
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

AGENTS = 500
ROUNDS = 7
NOW = "2026-03-03T00:00:00Z"
DAY = ("--from", "2026-03-02", "--to", "2026-03-03")
PLAIN = Path(__file__).with_name("plain_report.py")


def main() -> None:
    command = [sys.executable, "-m", "genesys_emulator", "--now", NOW, "--agents", str(AGENTS)]
    command += ["--requests-per-minute", "100000"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as emulator,
    ):
        assert emulator.stdout is not None
        url = emulator.stdout.readline().strip()
        try:
            _compare(url, Path(folder))
        finally:
            emulator.terminate()


def _compare(url: str, folder: Path) -> None:
    files = {"halfhour": folder / "halfhour.csv", "plain": folder / "plain.csv"}
    commands = {
        "halfhour": [
            *(sys.executable, "-m", "halfhour", "report", *DAY),
            *("--output", str(files["halfhour"])),
        ],
        "plain": [sys.executable, str(PLAIN), url, _body(), str(files["plain"])],
    }
    environment = os.environ | {
        "GENESYS_CLIENT_ID": "emulator",
        "GENESYS_CLIENT_SECRET": "emulator-secret",
        "GENESYS_REGION": url,
    }
    for command in commands.values():
        _run(command, environment)  # warm: bytecode, and the emulator's days
    rows = _same(files["halfhour"], files["plain"])
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            times[name].append(_run(command, environment))
    _tell(rows, times)


def _body() -> str:
    """The query that halfhour sends."""
    command = [sys.executable, "-m", "halfhour", "report", "--dry-run", *DAY]
    shown = subprocess.run(command, check=True, capture_output=True, text=True)
    (body,) = (r["body"] for r in json.loads(shown.stdout)["requests"] if "aggregates" in r["url"])
    return json.dumps(body)


def _run(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def _same(ours: Path, theirs: Path) -> int:
    import pandas as pd

    columns = list(pd.read_csv(theirs, nrows=0).columns)
    keys = ["interval_start", "agent_id"]
    frames = [pd.read_csv(path, usecols=columns).sort_values(keys) for path in (ours, theirs)]
    # halfhour also has rows in which only an offer or an answer was posted.
    active = frames[0][columns[4:]].any(axis="columns")
    left, right = (
        frame[columns].reset_index(drop=True) for frame in (frames[0][active], frames[1])
    )
    pd.testing.assert_frame_equal(left, right, check_dtype=False)
    return len(right)


def _tell(rows: int, times: dict[str, list[tuple[float, float]]]) -> None:
    medians = {
        name: [statistics.median(part) for part in zip(*each, strict=True)]
        for name, each in times.items()
    }
    print(
        json.dumps(
            {
                "agents": AGENTS,
                "rows": rows,
                "rounds": ROUNDS,
                "python": platform.python_version(),
                **{
                    name: {"wall_s": round(wall, 3), "cpu_s": round(cpu, 3)}
                    for name, (wall, cpu) in medians.items()
                },
                "plain_to_halfhour": {
                    "wall": round(medians["plain"][0] / medians["halfhour"][0], 2),
                    "cpu": round(medians["plain"][1] / medians["halfhour"][1], 2),
                },
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
