"""`halfhour sync` and what reads its store, as processes; killed at any moment."""

import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pytest

from genesys_emulator.pytest_plugin import running
from halfhour import report
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.render.csv_json import write_csv
from halfhour.store.store import Store
from tests.cli.test_interrupt import IGNORING_SIGINT
from tests.prepared_process import started
from tests.processes import Cloud, emulator
from tests.sync_runs import sync_store

RANGE = ("--from", "2026-02-26", "--to", "2026-03-03")
SHORT = ("--from", "2026-03-01", "--to", "2026-03-03")
DAYS = 2
WINDOWS = 3 * DAYS
"""The number of windows of SHORT: two days of three sources."""

SMALL = ("--now", "2026-03-03T00:00:00Z", "--agents", "6", "--requests-per-minute", "100000")


@pytest.fixture(scope="module")
def small_cloud() -> Iterator[Cloud]:
    yield from emulator(*SMALL)


def halfhour_command(*words: str) -> list[str]:
    return [sys.executable, "-m", "halfhour", *words]


def full_environment(cloud: Cloud) -> dict[str, str]:
    return {**os.environ, **cloud.environment}


EXPORTS: tuple[tuple[Any, Any], ...] = tuple(
    (basis, by) for basis in ("posted", "worked") for by in ("interval", "agent")
)


def store_snapshot(folder: Path) -> tuple[bytes, dict[str, list[tuple[Any, ...]]]]:
    """Return the visible content of the store in *folder*, to compare it with another.

    It is the exports as CSV, which must be complete, and the rows of every table without `read_at`.
    """
    path, file = folder / "halfhour.duckdb", BytesIO()
    for basis, by in EXPORTS:
        table = report(start=SHORT[1], end=SHORT[3], basis=basis, by=by, store=path, offline=True)
        write_csv([table], file)
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute("select table_name from duckdb_tables()").fetchall()
        rows = {
            name: connection.execute(
                f"select columns(lambda c: c <> 'read_at') from {name} order by all"
            ).fetchall()
            for (name,) in names
        }
    return file.getvalue(), rows


def run_and_kill(cloud: Cloud, folder: Path, dice: random.Random) -> bool:
    """Start a sync, kill it at a random event or up to 30 ms later, and return if it still ran.

    Each window that is due has three events: before its request, and before and after its commit.
    """
    process = started(("sync", *SHORT, "--log-format", "json"), folder, cloud.environment)
    assert process.stderr
    due = json.loads(process.stderr.readline())["of"]
    if due:
        for _ in range(dice.randint(1, 3 * due)):
            process.stderr.readline()
        time.sleep(dice.choice((0, dice.uniform(0, 0.03))))
        process.kill()
    process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGKILL)
    return process.returncode != 0


def run_to_the_end(cloud: Cloud, folder: Path) -> None:
    process = started(("sync", *SHORT), folder, cloud.environment)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err


@dataclass(frozen=True)
class Course:
    """A sync to be killed: its *cloud*, the store *begun* that it starts from, and its *end*.

    *begun* is None for a new store. *end* is the snapshot after a sync that nobody kills.
    """

    cloud: Cloud
    begun: bytes | None
    end: tuple[bytes, dict[str, list[tuple[Any, ...]]]]

    def begin(self, folder: Path) -> None:
        folder.mkdir()
        if self.begun:
            (folder / "halfhour.duckdb").write_bytes(self.begun)


@pytest.fixture(scope="module")
def courses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Course]]:
    """Courses by name: "first" fetches new days, "again" days that Genesys restated in part."""
    with ExitStack() as clouds:

        @cache
        def course(reading: str) -> Course:
            cloud = Cloud(clouds.enter_context(running(*SMALL)).url)
            folder, begun = tmp_path_factory.mktemp(reading), None
            path = folder / "halfhour.duckdb"
            if reading == "again":
                cloud.faults({"kind": "restatement", "share": 0.25})
                first = datetime(2026, 3, 3, tzinfo=UTC)
                days = Interval(first - timedelta(days=2), first)
                sync_store(cloud.settings, Store(path), days, first, sources=None)
                begun = path.read_bytes()
                cloud.clock(now="2026-03-08T03:00:00Z")
            run_to_the_end(cloud, folder)
            return Course(cloud, begun, store_snapshot(folder))

        yield course


SOAKED = [
    pytest.param(reading, seed, 9, marks=pytest.mark.soak)
    for reading in ("first", "again")
    for seed in range(1, 4)
]
"""Nine kills in each of six courses; every run of the tests has two in each of two."""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize(("reading", "seed", "most"), [("first", 0, 2), ("again", 0, 2), *SOAKED])
def test_a_sync_killed_at_any_moment_and_run_again_ends_in_the_same_store(
    courses, tmp_path, reading, seed, most
):
    """Up to three syncs are killed in a row, each on the store that the one before has left."""
    dice, course = random.Random(f"{reading} {seed}"), courses(reading)
    assert bool(course.end[1]["revisions"]) == (reading == "again")
    kills = 0
    while kills < most:
        folder = tmp_path / str(kills)
        course.begin(folder)
        for _ in range(3):
            kills += run_and_kill(course.cloud, folder, dice)
        run_to_the_end(course.cloud, folder)
        assert store_snapshot(folder) == course.end


@pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")
@pytest.mark.parametrize("signals", [4, pytest.param(24, marks=pytest.mark.soak)])
def test_sigterm_ends_a_sync_at_any_moment_even_where_sigint_is_ignored(courses, tmp_path, signals):
    """SIGINT is ignored here. Some signals arrive before Python has imported the package."""
    dice, course = random.Random(), courses("first")
    course.begin(tmp_path / "store")
    codes: list[int] = []
    for _ in range(signals):
        with subprocess.Popen(
            [*IGNORING_SIGINT, *halfhour_command("sync", *SHORT, "--log-format", "json")],
            cwd=tmp_path / "store",
            env=full_environment(course.cloud),
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            if codes:
                time.sleep(dice.uniform(0.1, 1.5))
            else:  # One signal must meet a sync that runs.
                assert process.stderr
                process.stderr.readline()
            process.terminate()
            _, err = process.communicate(timeout=20)
        codes.append(process.returncode)
        assert "Traceback" not in err
        assert "Exception ignored" not in err
    assert {*codes} <= {0, 143, -signal.SIGTERM}
    assert 143 in codes

    run_to_the_end(course.cloud, tmp_path / "store")
    assert store_snapshot(tmp_path / "store") == course.end


@pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")
@pytest.mark.parametrize(("signal_", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_hanging_sync_within_a_second(small_cloud, tmp_path, signal_, code):
    small_cloud.reset()
    small_cloud.faults({"kind": "hang", "seconds": 60, "endpoint": "aggregates"})
    with subprocess.Popen(
        halfhour_command("sync", *RANGE, "--log-format", "json"),
        cwd=tmp_path,
        env=full_environment(small_cloud),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        process.stderr.readline()
        process.stderr.readline()
        began = time.monotonic()
        process.send_signal(signal_)
        rest = process.stderr.read()
        process.wait(timeout=20)
    assert process.returncode == code
    assert time.monotonic() - began < 1.5
    assert "Traceback" not in rest


def test_a_report_reads_what_is_missing_first_and_then_asks_nothing(cloud, halfhour, tmp_path):
    first = halfhour("report", *SHORT, "--store", "s.duckdb", "--format", "csv")
    request_count = len(cloud.requests("conversations/aggregates/query"))
    again = halfhour("report", *SHORT, "--store", "s.duckdb", "--format", "csv")
    direct = halfhour("report", *SHORT, "--format", "csv")

    assert (first.code, again.code) == (0, 0), first.err
    assert request_count == DAYS
    assert first.out == again.out
    # Without a store no status is asked for, so those who were only there are not known.
    rows = first_columns(direct.out)
    assert [row for row in first_columns(first.out) if row in rows] == rows
    idle = [row for row in first_columns(first.out) if row not in rows]
    assert {tuple(row[4:7]) for row in idle} == {("0.000",) * 3}
    assert first.out.count("\n") > 100


def first_columns(report: str) -> list[list[str]]:
    return [row[:7] for row in csv.reader(report.splitlines())]


def test_reports_beside_a_running_sync_show_what_is_held_and_do_not_wait(cloud, halfhour, tmp_path):
    halfhour("sync", "--from", "2026-03-01", "--to", "2026-03-02")
    cloud.faults({"kind": "hang", "seconds": 60, "endpoint": "aggregates", "calls": [3]})
    with subprocess.Popen(
        halfhour_command("sync", *RANGE, "--source", "posted", "--log-format", "json"),
        cwd=tmp_path,
        env=full_environment(cloud),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        while "settled" not in process.stderr.readline():
            pass
        held_day = ("report", "--from", "2026-03-01", "--to", "2026-03-02", "--format", "csv")
        first = [halfhour(*held_day) for _ in range(3)]
        wider = halfhour("report", *RANGE, "--format", "csv")
        assert process.poll() is None
        process.kill()
        process.stderr.read()

    assert {ran.code for ran in first} == {0}
    assert len({ran.out for ran in first}) == 1
    assert wider.code == 5
    assert (
        f"another sync of halfhour.duckdb is running (process {process.pid}); the report shows "
        "the stored data" in wider.err
    )
    assert "not all of it is held" in wider.err
    assert set(first[0].out.splitlines()) <= set(wider.out.splitlines())


def test_a_report_of_days_that_are_missing_does_not_say_that_nothing_was_posted(halfhour):
    halfhour("sync", "--from", "2026-03-01", "--to", "2026-03-02")
    ran = halfhour("report", "--offline", "--from", "2026-02-20", "--to", "2026-02-22")

    assert (ran.code, ran.out) == (5, "")
    assert "no rows in 2026-02-20 00:00 to 2026-02-22 00:00 UTC, of which days are" in ran.err
    assert "'halfhour sync' with --from 2026-02-20 fetches what is missing" in ran.err
    assert "nothing was posted" not in ran.err


def test_a_store_in_the_folder_is_used_without_being_named(cloud, halfhour):
    day = ("--from", "2026-03-01", "--to", "2026-03-02")
    halfhour("sync", *SHORT)
    request_count = len(cloud.requests("conversations/aggregates/query"))
    ran = halfhour("report", *day, "--queue", "Billing", "--format", "csv")

    assert ran.code == 0, ran.err
    assert len(cloud.requests("conversations/aggregates/query")) == request_count
    halfhour("sync", *day, "--store", "other.duckdb")
    other_report = halfhour("report", *day, "--queue", "Billing", "--format", "csv",
                     "--store", "other.duckdb")  # fmt: skip
    assert other_report.out == ran.out


def test_an_offline_report_lists_missing_days_and_exits_with_5(cloud, halfhour):
    halfhour("sync", "--from", "2026-03-01", "--to", "2026-03-02")
    ran = halfhour("report", *RANGE, "--offline", "--format", "csv")

    assert ran.code == 5
    assert "2026-02-26T00:00:00.000Z/2026-03-01T00:00:00.000Z" in ran.err
    assert ran.out.count("\n") > 10
    assert len(cloud.requests("conversations/aggregates/query")) == 1


@pytest.mark.parametrize(
    ("source", "filled", "empty"),
    [
        (Source.POSTED, "handle_time_sec", "worked_time_sec"),
        (Source.DETAILS, "worked_time_sec", "handle_time_sec"),
    ],
)
def test_columns_of_a_source_that_was_never_read_are_empty_and_named(
    cloud, halfhour, source, filled, empty
):
    day = ("--from", "2026-03-02", "--to", "2026-03-03")
    halfhour("sync", *day, "--source", source)
    ran = halfhour("report", *day, "--basis", "both", "--offline", "-f", "json", "-v")

    assert ran.code == 5
    assert {row[empty] for row in ran.json} == {None}
    assert None not in {row[filled] for row in ran.json}
    (other_source,) = {Source.POSTED, Source.DETAILS} - {source}
    needed = f"the OAuth client's role needs {other_source.required_permission}"
    (message,) = [line for line in ran.err.splitlines() if needed in line]
    assert empty in message
    assert filled not in message
    assert f"{other_source} 2026-03-02T00:00:00.000Z/2026-03-03T00:00:00.000Z" in ran.err


def test_a_report_that_did_not_read_details_says_what_reads_them(cloud, halfhour):
    day = ("--from", "2026-03-02", "--to", "2026-03-03")
    ran = halfhour("report", *day, "--by", "agent", "--store", "fresh.duckdb")

    assert ran.code == 0
    unread = "no conversation details of these days stored ('halfhour sync' reads them)"
    assert unread in ran.err
    assert "view" not in ran.err


def test_a_report_without_a_store_says_where_status_comes_from(cloud, halfhour):
    message = "status and occupancy are empty, as they need a store"
    day = ("report", "--from", "2026-03-02", "--to", "2026-03-03", "--verbose")
    assert message in halfhour(*day).err
    assert message not in halfhour(*day, "--by", "queue").err
    assert message not in halfhour(*day, "--store", "s.duckdb").err


def test_a_sync_that_could_not_get_everything_exits_with_5(cloud, halfhour):
    cloud.faults({"kind": "status", "status": 500, "endpoint": "aggregates", "calls": [2]})
    ran = halfhour("sync", *RANGE, "--source", "posted")

    assert ran.code == 5
    assert "1 of 5 days of posted figures is missing" in ran.err
    covered = halfhour("coverage", *RANGE, "--format", "json")
    states = [day["state"] for day in json.loads(covered.out) if day["source"] == "posted"]
    assert sorted(states) == ["missing", *["settled"] * 4]
    assert halfhour("sync", *RANGE, "--source", "posted").code == 0


NOWHERE = {"GENESYS_REGION": "http://127.0.0.1:9"}
WRONG_SECRET = {"GENESYS_CLIENT_SECRET": "wrong"}


@pytest.mark.parametrize(
    ("environment", "fault", "code"),
    [
        (WRONG_SECRET, {}, 3),
        (NOWHERE, {}, 4),
        ({}, {"status": 401}, 3),
        ({}, {"status": 403}, 3),
        ({}, {"status": 403, "endpoint": "aggregates"}, 3),
        ({}, {"status": 500}, 5),
    ],
)
def test_a_first_sync_that_stores_nothing_makes_no_store(cloud, halfhour, environment, fault, code):
    if fault:
        cloud.faults({"kind": "status", "share": 1, **fault})
    store = ("--store", "halfhour.duckdb")
    for command in ("sync", *SHORT, "--keep", "400d"), ("report", *SHORT, *store):
        refused = halfhour(*command, **environment)
        assert refused.code == code, refused.err
        assert not (halfhour.folder / "halfhour.duckdb").exists()
    missing = "halfhour: halfhour.duckdb: there is no store; 'halfhour sync' makes one\n"
    assert halfhour("coverage").err == missing
    cloud.reset()
    assert halfhour("sync", *SHORT).code == 0


@pytest.mark.parametrize("environment", [WRONG_SECRET, NOWHERE])
def test_a_sync_that_fails_leaves_a_store_as_it_was(halfhour, synced_day, environment):
    path = halfhour.folder / "halfhour.duckdb"
    path.write_bytes(synced_day)
    assert halfhour("sync", *SHORT, **environment).code in (3, 4)
    assert path.read_bytes() == synced_day


def test_a_refused_sync_beside_a_right_one_leaves_the_store_of_that(cloud, halfhour, tmp_path):
    right = cloud.environment
    syncs = [
        started(("sync", *SHORT), tmp_path, {**right, **environment, "PATH": os.environ["PATH"]})
        for environment in (WRONG_SECRET, {}, WRONG_SECRET, {})
    ]
    for sync in syncs:
        sync.communicate(timeout=60)
    codes = [sync.returncode for sync in syncs]
    assert codes[1::2] == [0, 0]
    assert {*codes[::2]} <= {0, 3}  # one that finds nothing due sends no request
    assert halfhour("report", *SHORT, "--offline").code == 0


def test_status_alone_needs_agents_whom_another_source_names(halfhour):
    ran = halfhour("sync", *SHORT, "--source", "status")

    assert ran.code == 5
    assert "the agents are unknown, because posted figures and details are missing; read one" in (
        ran.err
    )
    assert "the others are kept" not in ran.err
    assert not (halfhour.folder / "halfhour.duckdb").exists()


def test_a_sync_says_how_much_it_reads_and_that_nothing_is_due(halfhour):
    first, again = halfhour("sync", *SHORT), halfhour("sync", *SHORT)

    planned, settled = first.err.splitlines()
    pattern = r"halfhour: (\d days? of 3 sources) to read: about \d+ requests, \d+ s"
    (size,) = re.findall(pattern, planned)
    assert re.fullmatch(rf"halfhour: halfhour.duckdb: {size} stored, [\d,]+ rows", settled)
    assert (again.code, again.err) == (0, "halfhour: halfhour.duckdb: nothing was due\n")


def test_coverage_is_summed_up_in_a_table_and_revisions_say_if_nothing_changed(
    cloud, halfhour, tmp_path
):
    cloud.faults({"kind": "restatement", "share": 0.5})
    halfhour("sync", *SHORT)
    coverage = halfhour("coverage", *SHORT)
    head, *lines = [line.split() for line in coverage.out.splitlines()]
    days = halfhour("coverage", *SHORT, "--format", "json").json
    assert head == ["source", "first_day", "last_day", "state", "day_count", "row_count"]
    assert len(lines) == len({(day["source"], day["state"]) for day in days})
    assert sum(int(line[-2]) for line in lines) == len(days)
    assert sum(int(line[-1]) for line in lines) == sum(day["row_count"] or 0 for day in days)
    assert (
        halfhour("revisions")
        .err.strip()
        .endswith("no value was different when it was fetched again")
    )


def test_progress_is_json_for_machines(cloud, halfhour):
    ran = halfhour("sync", *SHORT, "--log-format", "json")
    events = [json.loads(line) for line in ran.err.splitlines()]

    assert [event["event"] for event in events if "event" in event].count("settled") == WINDOWS
    assert events[0]["event"] == "planned"
    assert all(event["time"] and event["level"] for event in events)
    settled = [event for event in events if event.get("event") == "settled"]
    assert {event["of"] for event in settled} == {WINDOWS}
    assert all(event["requests_left"] > 0 for event in settled)


def test_the_last_line_for_machines_has_the_exit_code(cloud, halfhour):
    def last_event(*words):
        ran = halfhour(*words, "--log-format", "json")
        events = [json.loads(line) for line in ran.err.splitlines()]
        assert [event.get("event") for event in events].count("ended") == 1
        assert events[-1]["exit_code"] == ran.code
        return {name: events[-1].get(name) for name in ("event", "level", "exit_code")}

    done = {"event": "ended", "level": "info", "exit_code": 0}
    assert last_event("sync", *SHORT) == done
    assert last_event("sync", *SHORT) == done  # nothing is due
    assert last_event("rebuild") == done
    cloud.faults({"kind": "status", "status": 500, "endpoint": "aggregates"})
    failed = {"event": "ended", "level": "error", "exit_code": 5}
    assert last_event("sync", *RANGE, "--source", "posted") == failed
    assert halfhour("sync", *SHORT, "--log-format", "json", "--quiet").err == ""


def test_a_dry_run_says_what_is_due_and_asks_nothing(cloud, halfhour):
    ran = halfhour("sync", *RANGE, "--dry-run")
    due = json.loads(ran.out)

    assert [window["state"] for window in due["windows"]] == ["missing"] * 3 * 5
    # A job of details is submitted, looked at, read and ended; the organisation is asked for once.
    assert due["request_count"] == (1 + 1 + 4) * 5 + 1
    assert due["seconds_at_limit"] == 6.2
    slow = halfhour("sync", *RANGE, "--dry-run", "--max-requests-per-minute", "10")
    assert json.loads(slow.out)["seconds_at_limit"] == 186
    assert cloud.requests() == []


def test_old_days_are_deleted_and_not_fetched_again(cloud, halfhour):
    halfhour("sync", *SHORT)
    request_count = len(cloud.requests())
    ran = halfhour("sync", *SHORT, "--keep", "1d")

    assert f"{DAYS} days before " in ran.err
    assert halfhour("coverage", *SHORT, "--format", "csv").out.count("missing") == WINDOWS
    halfhour("sync", *SHORT, "--keep", "1d")
    assert len(cloud.requests()) == request_count  # days that --keep would delete are not fetched


def test_a_watching_sync_goes_on_after_a_failed_turn(small_cloud, tmp_path):
    small_cloud.reset()
    small_cloud.faults({"kind": "status", "status": 500, "endpoint": "aggregates", "calls": [1]})
    with subprocess.Popen(
        halfhour_command("sync", "--from", "2026-03-02", "--to", "2026-03-03", "--watch", "1m"),
        cwd=tmp_path,
        env=full_environment(small_cloud),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        message = process.stderr.readline() + process.stderr.readline()
        assert process.poll() is None  # it has failed, and waits for its next turn
        process.terminate()
    assert "500" in message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sync", "--watch", "often"), "--watch 'often' is not a duration; write 15m"),
        (("sync", "--keep", "0d"), "--keep '0d' is not a duration"),
        (("sync", "--reread", "1x"), "--reread '1x'"),
        (("sync", "--granularity", "15min"), "15min"),
        (("sync", "--from", "2026-02-30"), "--from '2026-02-30' cannot be read"),
        (("report", "--offline", "--store", "none.duckdb"), "there is no store"),
        (("coverage",), "there is no store; 'halfhour sync' makes one"),
        (("sync", "--max-requests-per-minute", "0"), "is not a number above 0"),
        (("sync", "--store", "nowhere/x.duckdb"), "nowhere/x.duckdb"),
        (("report", "--offline", "--agent", "Nobody"), "there is no store"),
    ],
)
def test_bad_input_of_commands_with_a_store_gets_a_sentence(cloud, halfhour, words, message):
    ran = halfhour(*words)

    assert ran.code in (1, 2)
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_a_sync_that_cannot_lock_its_store_fails_at_once_with_the_reason(cloud, halfhour):
    (halfhour.folder / "mine.duckdb.lock").mkdir()
    for path, reason in (
        ("/proc/x.duckdb", "No such file or directory"),
        ("mine.duckdb", "Is a directory"),
    ):
        ran = halfhour("sync", *SHORT, "--store", path)

        assert ran.code == 1
        assert f"{path}.lock: cannot be locked ({reason})" in ran.err
        assert ran.err.count("\n") == 1


def test_a_name_that_nobody_in_the_store_has_is_answered_with_the_nearest(cloud, halfhour):
    halfhour("sync", "--from", "2026-03-02", "--to", "2026-03-03")
    ran = halfhour("report", "--from", "2026-03-02", "--to", "2026-03-03", "--offline",
                   "--queue", "Biling")  # fmt: skip

    assert ran.code == 2
    assert "did you mean 'Billing'" in ran.err
