"""Four weeks of 2,000 agents to CSV, Parquet and XLSX, beside pandas' writers on the same rows.

A store is filled with made-up figures of 28 days, as many as
one sheet of a workbook can hold. Then each file is written in
a process of its own: by `halfhour report --offline`, and by pandas from a
Parquet file of the very rows, so that halfhour also reads the store, works the
report out and checks what is held, and pandas only reads and writes. Told are
seconds and peak memory, of CSV and Parquet also for 7 days, as it is to be flat.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from store_speed import a_day, a_store, settle

START = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 28
PANDAS = """
import sys, pandas
frame = pandas.read_parquet(sys.argv[1])
for name, column in frame.items():
    if sys.argv[2].endswith("xlsx") and hasattr(column.dtype, "tz"):
        frame[name] = column.dt.tz_localize(None)
write = {"csv": lambda: frame.to_csv(sys.argv[2], index=False),
         "parquet": lambda: frame.to_parquet(sys.argv[2], index=False),
         "xlsx": lambda: frame.to_excel(sys.argv[2], index=False, engine="xlsxwriter")}
write[sys.argv[2].rpartition(".")[2]]()
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = a_store(folder / "month")
        for day in range(DAYS):
            settle(store, day, a_day(day))
        found = {form: beside(folder, form) for form in ("parquet", "csv", "xlsx")}
    print(json.dumps({"python": platform.python_version(), **found}, indent=2))


def beside(folder: Path, form: str) -> dict[str, object]:
    ours, theirs = folder / f"ours.{form}", folder / f"theirs.{form}"
    week = ran(report(folder, folder / f"week.{form}", 7), folder)
    month = ran(report(folder, ours, DAYS), folder)
    pandas = ran([sys.executable, "-c", PANDAS, str(folder / "ours.parquet"), str(theirs)], folder)
    return {
        "halfhour_7_days": week,
        "halfhour_28_days": month,
        "pandas_28_days": pandas,
        "pandas_to_halfhour": {
            what: round(pandas[what] / month[what], 2) for what in ("wall_s", "peak_mb")
        },
        "megabytes": [round(path.stat().st_size / 1e6, 1) for path in (ours, theirs)],
    }


def report(folder: Path, output: Path, days: int) -> list[str]:
    end = START + timedelta(days=days)
    return [sys.executable, "-m", "halfhour", "report", "--offline",
            "--store", str(folder / "month.duckdb"), "--output", str(output),
            "--from", f"{START:%Y-%m-%d}", "--to", f"{end:%Y-%m-%d}"]  # fmt: skip


def ran(command: list[str], folder: Path) -> dict[str, float]:
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        raise SystemExit(f"{command[1:4]} ended with {status}")
    return {
        "wall_s": round(time.perf_counter() - began, 1),
        "peak_mb": round(used.ru_maxrss / 1024),
    }


if __name__ == "__main__":
    main()
