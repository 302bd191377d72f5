"""Worked time of 1, 4 and 16 million segments, with DuckDB and with Spark.

Conversations that the emulator simulates are written as pages into files, again
and again with other ids, with a later version of every fiftieth one in a file of
its own and two broken lines in each file. Whole processes turn them into Parquet
files: `halfhour worked` with DuckDB, with Spark on two cores, and with DuckDB for
two organisations at once, which have a half of the files each. Then the segments
in Parquet files are cut into half-hours alone. Told are seconds of CPU and of the
wall clock, the peak of the memory of all processes, bytes, and how fast each
grows with the segments: the exponent is 1 where twice as many take twice as long.

    python bench/worked_scale.py [--folder FOLDER] [--without-spark] [MILLIONS…]
"""

import argparse
import math
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec

from genesys_emulator.simulation.organization import make_organization
from genesys_emulator.simulation.restatements import Snapshot
from genesys_emulator.simulation.source import SimulatedCentre
from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, Interval, epoch_ms

START = datetime(2026, 3, 2, tzinfo=UTC)
RANGE = Interval(START, START + 4 * DAY)
WRITTEN = START + timedelta(days=6)
AGENTS = 100
PAGE = 100
SHARDS = ("a", "b")
IDS = re.compile(rb'("(?:conversationId|participantId|sessionId|userId)":")[0-9a-f]{8}')
CORES = "local[2]"
POLL = 0.05


@dataclass
class Measured:
    """What the processes of a run took together."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--cut", choices=("duckdb", "spark"), help=argparse.SUPPRESS)
    parser.add_argument("--without-spark", action="store_true")
    parser.add_argument("millions", nargs="*", type=float, default=[1, 4, 16])
    words = parser.parse_args()
    if words.cut:
        {"duckdb": cut_with_duckdb, "spark": cut_with_spark}[words.cut](words.folder)
        return
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores\n")
    print("| step | segments | CPU s | wall s | peak MB | MB in | MB out |")
    print("|---|--:|--:|--:|--:|--:|--:|", flush=True)
    runs: dict[str, list[tuple[int, Measured]]] = {}
    for millions in words.millions:
        with tempfile.TemporaryDirectory(dir=words.folder) as name:
            folder = Path(name)
            segments = write_details(folder, round(millions * 1_000_000))
            landed = [f"landed-{shard}" for shard in SHARDS]
            on_spark = ("--engine", "spark", "--master", CORES)
            steps = {
                "details, DuckDB": [worked(landed, "duckdb")],
                f"details, Spark {CORES}": [worked(landed, "spark", *on_spark)],
                "details, two shards of DuckDB": [
                    worked([place], "shards", "--org", shard)
                    for place, shard in zip(landed, SHARDS, strict=True)
                ],
                "segments, DuckDB": [cut("duckdb")],
                f"segments, Spark {CORES}": [cut("spark")],
            }
            outputs = ("duckdb", "spark", "shards", "cut-duckdb", "cut-spark")
            for (step, commands), output in zip(steps.items(), outputs, strict=True):
                if words.without_spark and "Spark" in step:
                    continue
                measured = measure(commands, folder)
                source = "duckdb/segments" if output.startswith("cut") else "landed-*"
                bytes_in = sum(map(megabytes, folder.glob(source)))
                bytes_out = megabytes(folder / output)
                print(
                    f"| {step} | {segments:,} | {measured.cpu_s:,.1f} | {measured.wall_s:,.1f} | "
                    f"{measured.peak_mb:,.0f} | {bytes_in:,.0f} | {bytes_out:,.1f} |",
                    flush=True,
                )
                runs.setdefault(step, []).append((segments, measured))
    if len(words.millions) > 1:
        print_growth(runs)


def print_growth(runs: dict[str, list[tuple[int, Measured]]]) -> None:
    print("\n| step | from | to | CPU grows with the power | memory |\n|---|--:|--:|--:|--:|")
    for step, points in runs.items():
        for (few, before), (many, after) in pairwise(points):
            cpu, memory = (
                math.log(getattr(after, name) / getattr(before, name)) / math.log(many / few)
                for name in ("cpu_s", "peak_mb")
            )
            print(f"| {step} | {few:,} | {many:,} | {cpu:.2f} | {memory:.2f} |")


def write_details(folder: Path, wanted: int) -> int:
    """Write about *wanted* segments of agents as landed files, and return their number."""
    centre = SimulatedCentre(make_organization(1, AGENTS), date(2026, 2, 24))
    start, end = epoch_ms(RANGE.start), epoch_ms(RANGE.end)
    snapshot = Snapshot(epoch_ms(WRITTEN))
    records = [
        detail.record(snapshot)
        for detail in centre.conversations_begun(start, end)
        if start <= detail.start < end and detail.is_known(snapshot)
    ]
    in_a_copy = [segments_of_agents(record) for record in records]
    copies, rest = divmod(wanted, sum(in_a_copy))
    for shard in SHARDS:
        (folder / f"landed-{shard}").mkdir()
    written = 0
    late: dict[str, list[bytes]] = {shard: [] for shard in SHARDS}
    for copy in range(copies + 1):
        chosen = len(records)
        if copy == copies:
            chosen = next((at for at in range(len(records)) if sum(in_a_copy[:at]) >= rest), chosen)
        written += sum(in_a_copy[:chosen])
        pages = [
            msgspec.json.encode({"conversations": records[at : min(at + PAGE, chosen)]})
            for at in range(0, chosen, PAGE)
        ]
        broken = [b'{"conversationId": "cut o'] * 2
        shard = SHARDS[copy % len(SHARDS)]
        content = IDS.sub(rb"\g<1>%08x" % copy, b"\n".join([*pages, *broken, b""]))
        land(folder / f"landed-{shard}" / f"{copy:05}.ndjson", content)
        again = msgspec.json.encode({"conversations": records[:chosen:50]})
        late[shard].append(IDS.sub(rb"\g<1>%08x" % copy, again))
    for shard, pages in late.items():
        land(folder / f"landed-{shard}" / "late.ndjson", b"\n".join(pages))
    return written


def segments_of_agents(record: dict[str, object]) -> int:
    participants: list[dict[str, list[dict[str, list[object]]]]] = record["participants"]  # type: ignore[assignment]
    return sum(
        len(session.get("segments") or ())
        for participant in participants
        if participant.get("userId")
        for session in participant.get("sessions") or ()
    )


def land(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.utime(path, (WRITTEN.timestamp(),) * 2)


def worked(inputs: Sequence[str], output: str, *words: str) -> list[str]:
    days = ["--from", f"{RANGE.start.date()}", "--to", f"{RANGE.end.date()}"]
    command = [sys.executable, "-m", "halfhour", "worked", *inputs, "--output", output]
    return [*command, *days, *words]


def cut(engine: str) -> list[str]:
    return [sys.executable, str(Path(__file__).resolve()), "--cut", engine, "--folder", "."]


def measure(commands: Sequence[Sequence[str]], folder: Path) -> Measured:
    """Run *commands* at once, each with the processes that it starts, as sessions of their own.

    Java and what it starts is no child that would be waited for, so all processes of the sessions
    are looked at until none is left.
    """
    began = time.perf_counter()
    with tempfile.TemporaryFile() as err:
        started = [
            subprocess.Popen(command, cwd=folder, stderr=err, start_new_session=True)
            for command in commands
        ]
        sessions = {process.pid for process in started}
        cpu: dict[int, float] = {}
        peak, ended = 0.0, 0.0
        while True:
            memory = 0.0
            living = 0
            for pid, seconds, megabyte in processes_of(sessions):
                cpu[pid] = seconds
                memory += megabyte
                living += 1
            peak = max(peak, memory)
            if not ended and all(process.poll() is not None for process in started):
                ended = time.perf_counter()
            if ended and not living:
                break
            time.sleep(POLL)
        if any(process.returncode for process in started):
            err.seek(0)
            raise SystemExit(err.read().decode())
    return Measured(sum(cpu.values()), ended - began, peak)


def processes_of(sessions: set[int]) -> list[tuple[int, float, float]]:
    """Return the id, the seconds of CPU and the resident megabytes of each process, on Linux."""
    found = []
    second, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE") / 1e6
    for path in Path("/proc").glob("[0-9]*"):
        try:
            text = (path / "stat").read_text(encoding="ascii", errors="replace")
        except OSError:  # it has ended
            continue
        fields = text.rpartition(")")[2].split()
        state, session = fields[0], int(fields[3])
        if session in sessions and state != "Z":
            seconds = (int(fields[11]) + int(fields[12])) / second
            found.append((int(path.name), seconds, int(fields[21]) * page))
    return found


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def cut_with_duckdb(folder: Path) -> None:
    import duckdb

    from halfhour.store.database import segment_parameters, segment_rule

    (folder / "cut-duckdb").mkdir()
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        files = folder / "duckdb/segments/*/*/*.parquet"
        connection.execute(
            f"create view segments as from read_parquet('{files}', hive_partitioning = false)"
        )
        for day in RANGE.split_into_windows(DAY):
            for rule in ("worked", "busy"):
                path = folder / "cut-duckdb" / f"{rule}-{day.start.date()}.parquet"
                query = f"copy ({segment_rule(rule)} order by all) to '{path}' (compression zstd)"
                connection.execute(query, segment_parameters(day, HALF_HOUR))


def cut_with_spark(folder: Path) -> None:
    from halfhour.spark.derivation import SparkDerivation
    from halfhour.spark.session import open_session

    output = folder.resolve() / "cut-spark"
    with open_session(CORES) as session:
        segments = session.read.parquet(f"file:{folder.resolve()}/duckdb/segments")
        segments.createOrReplaceTempView("segments")
        derivation = SparkDerivation(session, f"file:{output}")
        derivation.derive_work(list(RANGE.split_into_windows(DAY)), HALF_HOUR)


if __name__ == "__main__":
    main()
