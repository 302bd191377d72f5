"""Worked time with Spark: the rows, the files, the messages and the errors are those of DuckDB."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from halfhour.errors import ConfigError
from halfhour.model.coverage import DAY
from halfhour.model.intervals import QUARTER_HOUR, Interval
from halfhour.spark.worked import write_with_spark
from halfhour.syncing.output_folder import DRAFT_PREFIX
from halfhour.syncing.progress import Event
from halfhour.syncing.worked_files import WorkedOutcome
from tests.cli.test_worked import KILLED_AT_A_RENAME
from tests.spark.conftest import QUICK_JAVA, require_spark
from tests.store.test_derived_details import (
    GOOD,
    METRIC,
    NULL,
    SEGMENT,
    changed_conversation,
    one_session_conversation,
)
from tests.syncing.test_import_files import CAPTURED
from tests.syncing.test_worked_files import (
    BAD_LINES,
    BAD_TIME,
    DAYS,
    FIRST_DAY,
    NOW,
    contents_of,
    good_lines,
    landed_files,
    request_of,
    write_lines,
    write_worked,
)

pytestmark = pytest.mark.soak
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
TIMEOUT = 600
"""Seconds for a process with Spark, on a machine that others use."""


def write_on_spark(
    inputs: Iterable[object], folder: Path | str, interval: Interval | None = None, **changes: Any
) -> tuple[WorkedOutcome, list[Event]]:
    events: list[Event] = []
    request = request_of(folder, interval, **changes)
    outcome = write_with_spark(list(map(str, inputs)), request, "", lambda: NOW, events.append)
    return outcome, events


Rows = dict[str, tuple[str, list[dict[str, Any]]]]


def rows_of(folder: Path) -> Rows:
    """Return the types and the rows of each file in *folder*, but for drafts."""
    tables = {
        str(path.relative_to(folder)): pq.ParquetFile(path).read()
        for path in sorted(folder.rglob("*.parquet"))
        if DRAFT_PREFIX not in str(path)
    }
    return {
        name: (str([(field.name, field.type) for field in table.schema]), table.to_pylist())
        for name, table in tables.items()
    }


def captured_file(folder: Path) -> list[Path]:
    folder.mkdir()
    return [Path(shutil.copy2(CAPTURED, folder))]


def odd_files(folder: Path) -> list[Path]:
    """Write what is known to be odd, some of it twice in two files."""
    folder.mkdir()
    records = [
        GOOD,
        changed_conversation(f"{SEGMENT}.segmentEnd", "2026-03-02T08:00:00.007Z", "reversed"),
        changed_conversation(f"{SEGMENT}.segmentEnd", None, "endless"),
        changed_conversation(f"{SEGMENT}.segmentStart", NULL, "without start"),
        changed_conversation(f"{SEGMENT}.segmentType", "telepathy", "unknown type"),
        changed_conversation(f"{SEGMENT}.segmentEnd", "2026-03-04T00:05:00Z", "past midnight"),
        changed_conversation(f"{METRIC}.value", 60000.5, "value"),
        changed_conversation("participants.1.sessions.0.sessionId", None, "without session id"),
        changed_conversation("participants.1.sessions", [], "without sessions"),
        changed_conversation("participants.1.sessions.0.segments", [], "without segments"),
        changed_conversation("participants.1.sessions.0", {"sessionId": "s"}, "empty"),
        one_session_conversation(
            ("interact", "00", "30"), ("hold", "05", "10"), ("wrapup", "29", None), end="40"
        ),
    ]
    lines = list(map(msgspec.json.encode, records))
    later = [changed_conversation(f"{SEGMENT}.queueId", "Größe, [x]*", name) for name in ("good",)]
    return [
        write_lines(folder / "a{1}[b] ü.ndjson", [*lines[:7], *BAD_LINES, *lines[7:]]),
        write_lines(folder / "b.ndjson", [lines[1], *map(msgspec.json.encode, later)]),
    ]


def empty_pages(folder: Path) -> list[Path]:
    for job in ("24", "25"):
        (folder / job).mkdir(parents=True)
    return [
        write_lines(folder / "24" / "0.json", [b'{"conversations": [], "cursor": "more"}']),
        write_lines(folder / "24" / "1.json", [b'{"conversations": []}']),
        write_lines(folder / "25" / "0.json", [b'{"conversations": [], "cursor": "more"}']),
    ]


def month_of_files(folder: Path) -> list[Path]:
    """Write more days than Spark keeps files open, the latest of them first."""
    folder.mkdir()
    february = [
        json.dumps(GOOD | {"conversationId": f"{day}-{at}"}).replace("-03-02T", f"-02-{day:02}T")
        for day in range(28, 0, -1)
        for at in range(20, 0, -1)
    ]
    path = folder / "february.ndjson"
    path.write_text("\n".join(february), encoding="utf-8")
    return [path]


CASES: dict[str, tuple[Callable[[Path], list[Path]], dict[str, Any]]] = {
    "a centre, several versions of conversations": (landed_files, {}),
    "another centre, quarter-hours": (
        lambda folder: landed_files(folder, 2),
        {"interval": DAYS, "width": QUARTER_HOUR},
    ),
    "captured conversations": (captured_file, {}),
    "a month": (month_of_files, {"interval": Interval(FEBRUARY, FEBRUARY + 28 * DAY)}),
    "no conversations, and missing pages": (empty_pages, {"interval": FIRST_DAY}),
    "oddities": (odd_files, {"interval": FIRST_DAY, "max_bad": "50%"}),
}


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("case", CASES)
def test_spark_writes_what_duckdb_writes_and_tells_the_same(tmp_path, case):
    make_files, choices = CASES[case]
    make_files(tmp_path / "landed")
    inputs = [tmp_path / "landed"]
    expected = write_worked(inputs, tmp_path / "duckdb", **choices)

    assert write_on_spark(inputs, tmp_path / "spark", **choices) == expected

    rows = rows_of(tmp_path / "duckdb")
    assert len(rows) >= len(expected[0].days) * 4
    assert rows_of(tmp_path / "spark") == rows
    assert contents_of(tmp_path / "spark").keys() == contents_of(tmp_path / "duckdb").keys()


@pytest.mark.usefixtures("spark")
def test_a_run_replaces_what_an_earlier_one_of_either_engine_wrote(tmp_path):
    landed = landed_files(tmp_path / "landed")
    write_worked([landed[0]], tmp_path / "spark", DAYS)
    write_worked([tmp_path / "landed"], tmp_path / "duckdb", FIRST_DAY)

    for _ in range(2):
        outcome, _ = write_on_spark([tmp_path / "landed"], tmp_path / "spark", FIRST_DAY)
        assert outcome.shrunk_days == {}

        assert rows_of(tmp_path / "spark") == rows_of(tmp_path / "duckdb")
        assert list((tmp_path / "spark").glob(f"{DRAFT_PREFIX}*")) == []
    part = write_lines(tmp_path / "part", good_lines(1))
    on_spark = write_on_spark([part], tmp_path / "spark", FIRST_DAY)
    on_duckdb = write_worked([part], tmp_path / "duckdb", FIRST_DAY)
    assert list(on_spark[0].shrunk_days) == [FIRST_DAY]
    assert on_spark == on_duckdb


@pytest.mark.usefixtures("spark")
def test_more_bad_records_than_allowed_replace_no_day(tmp_path):
    path = write_lines(tmp_path / "details", good_lines())
    write_worked([path], tmp_path / "spark", FIRST_DAY)
    before = contents_of(tmp_path / "spark")
    bad = [msgspec.json.encode(BAD_TIME | {"conversationId": f"b{at}"}) for at in range(2)]
    write_lines(path, [*good_lines(1_000), *bad])

    with pytest.raises(ConfigError, match=r"2 of 1,002 records cannot be read.*max_bad 0.1%"):
        write_on_spark([path], tmp_path / "spark", FIRST_DAY)

    after = contents_of(tmp_path / "spark")
    assert {name: after[name] for name in before} == before
    (quarantine,) = after.keys() - before.keys()
    rows = pq.ParquetFile(tmp_path / "spark" / quarantine).read().to_pylist()
    assert [row["record_number"] for row in rows] == [1_001, 1_002]


def test_files_and_output_can_be_in_a_file_system_of_hadoop(tmp_path, spark):
    """ViewFS is the one that needs no server: it shows a folder of this machine."""
    settings = spark.sparkContext._jsc.hadoopConfiguration()
    settings.set("fs.viewfs.mounttable.centre.link./data", f"file://{tmp_path}")
    odd_files(tmp_path / "landed")
    choices: dict[str, Any] = {"interval": DAYS, "max_bad": "50%"}
    expected = write_worked([tmp_path / "landed"], tmp_path / "duckdb", **choices)
    address = "viewfs://centre/data"

    outcome, _ = write_on_spark([f"{address}/landed"], f"{address}/spark", **choices)

    assert (outcome.row_count, outcome.issue_counts) == (
        expected[0].row_count,
        expected[0].issue_counts,
    )
    tables = rows_of(tmp_path / "spark")
    quarantined = {name for name in tables if name.startswith("quarantine")}
    assert len(quarantined) == 1
    (first, *_) = tables[quarantined.pop()][1]
    assert first["file"] == f"{address}/landed/a{{1}}[b] ü.ndjson"
    for name, rows in rows_of(tmp_path / "duckdb").items():
        assert name.startswith("quarantine") or tables[name] == rows
    assert [path for path in (tmp_path / "spark").iterdir() if path.name[0] == "."] == []
    write_lines(tmp_path / "landed" / "part", good_lines(1))
    part, _ = write_on_spark([f"{address}/landed/part"], f"{address}/spark", FIRST_DAY)
    assert list(part.shrunk_days) == [FIRST_DAY]

    write_lines(tmp_path / "landed" / "a{1}[b] ü.ndjson", good_lines(1))
    write_on_spark([f"{address}/landed"], f"{address}/spark", **choices)
    assert not any(name.startswith("quarantine") for name in rows_of(tmp_path / "spark"))

    for inputs, output, reason in (
        ("missing", "spark", "viewfs://centre/data/missing: cannot be read ("),
        ("landed", "landed/out", "viewfs://centre/data/landed/out: this folder is in"),
        ("landed", "duckdb/worked/org=default/day=2026-03-02/part.parquet", "this is a file"),
    ):
        with pytest.raises(ConfigError, match=re.escape(reason)):
            write_on_spark([f"{address}/{inputs}"], f"{address}/{output}", **choices)
    with pytest.raises(ConfigError, match=r"s3x://a/b: Spark cannot open it \(.*s3x"):
        write_on_spark(["s3x://a/b"], tmp_path / "spark", **choices)


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "page.json, line 1: cut off, or not JSON"),
        ('{"results": []}', "these are aggregates"),
        ('{"conversation_id": "a"}', "snake_case"),
        ('{"conversations": []}', "no conversation of an agent; name the days"),
    ],
)
def test_a_file_that_is_not_understood_is_an_error_as_with_duckdb(tmp_path, content, message):
    (tmp_path / "page.json").write_text(content, encoding="utf-8")
    errors = []
    for write in (write_worked, write_on_spark):
        with pytest.raises(ConfigError, match=message) as error:
            write([tmp_path / "page.json"], tmp_path / "out")
        errors.append(str(error.value))

    assert errors[0] == errors[1]
    assert not (tmp_path / "out").exists()


HALFHOUR = (sys.executable, "-m", "halfhour", "worked")


def run_halfhour(
    folder: Path, *words: str, program: Sequence[str] = HALFHOUR, **environment: str
) -> "subprocess.Popen[str]":
    require_spark()
    command = [*program, *words, "--engine", "spark"]
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**inherited, "JDK_JAVA_OPTIONS": QUICK_JAVA, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_run_says_what_it_wrote_and_nothing_of_spark(tmp_path):
    write_lines(tmp_path / "details.ndjson", [json.dumps(GOOD).encode()])
    with run_halfhour(tmp_path, "details.ndjson", "--output", "out") as process:
        _, err = process.communicate(timeout=TIMEOUT)

    assert err == "halfhour: out: 1 day written (2026-03-02), 4 rows from 1 record\n"
    assert process.returncode == 0
    assert len(rows_of(tmp_path / "out")) == 4


def test_spark_submit_runs_the_command_in_its_application(tmp_path):
    require_spark()
    write_lines(tmp_path / "details.ndjson", [json.dumps(GOOD).encode()])
    (tmp_path / "run.py").write_text(
        "from halfhour.cli.app import main\n\nmain()\n", encoding="utf-8"
    )
    submit = shutil.which("spark-submit", path=str(Path(sys.executable).parent))
    words = "worked details.ndjson --output out --engine spark".split()
    command = [str(submit), "--master", "local[1]", "run.py", *words]
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "JDK_JAVA_OPTIONS": QUICK_JAVA}
    environment.pop("PYTHONWARNINGS", None)

    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    # spark-submit puts what the program says on stderr into its own standard output.
    assert "halfhour: out: 1 day written (2026-03-02), 4 rows from 1 record\n" in done.stdout
    assert done.returncode == 0, done.stderr
    assert len(rows_of(tmp_path / "out")) == 4


@pytest.mark.parametrize(
    ("sent", "awaited"), [(signal.SIGINT, "rows"), (signal.SIGKILL, "segments")]
)
@pytest.mark.usefixtures("spark")
def test_a_run_that_ends_early_changes_no_day_and_the_next_one_ends_alike(tmp_path, sent, awaited):
    before = prepare_rerun(tmp_path)
    with run_halfhour(tmp_path, *RERUN) as process:
        deadline = time.monotonic() + TIMEOUT
        while not list((tmp_path / "out").glob(f"{DRAFT_PREFIX}*/{awaited}")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(sent)
        _, err = process.communicate(timeout=TIMEOUT)

    if sent == signal.SIGINT:
        assert (process.returncode, err) == (130, "halfhour: interrupted\n")
    assert rows_of(tmp_path / "out") == before
    assert_rerun_ends_alike(tmp_path)


@pytest.mark.usefixtures("spark")
def test_a_run_that_is_killed_between_renames_leaves_whole_files(tmp_path):
    before = prepare_rerun(tmp_path)
    program = [sys.executable, "-c", KILLED_AT_A_RENAME, "3", "worked"]
    with run_halfhour(tmp_path, *RERUN, program=program) as process:
        _, err = process.communicate(timeout=TIMEOUT)

    assert process.returncode == -signal.SIGKILL, err
    rows, expected = rows_of(tmp_path / "out"), rows_of(tmp_path / "expected")
    assert sum(rows.get(name) == expected[name] != before.get(name) for name in expected) == 3
    assert all(rows.get(name) in (before.get(name), expected[name]) for name in expected)
    assert_rerun_ends_alike(tmp_path)


RERUN = ["landed", "--output", "out", "--from", "2026-03-02", "--to", "2026-03-04"]


def prepare_rerun(folder: Path) -> Rows:
    """Write the days of the first files to `out`, and of all to `expected`; return the former."""
    landed = landed_files(folder / "landed")
    write_worked([landed[0]], folder / "out", DAYS)
    write_worked([folder / "landed"], folder / "expected", DAYS)
    return rows_of(folder / "out")


def assert_rerun_ends_alike(folder: Path) -> None:
    write_on_spark([folder / "landed"], folder / "out", DAYS)
    assert rows_of(folder / "out") == rows_of(folder / "expected")
    assert list((folder / "out").glob(f"{DRAFT_PREFIX}*")) == []
