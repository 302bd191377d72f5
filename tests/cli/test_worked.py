"""``halfhour worked`` as a process: what it says, and what is there when it is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from halfhour.store.worked_tables import WORKED_TABLES
from halfhour.syncing.output_folder import DRAFT_PREFIX
from tests.processes import Halfhour
from tests.store.test_derived_details import GOOD
from tests.syncing.test_worked_files import contents_of, landed_files, write_lines

DAYS = ("--from", "2026-03-02", "--to", "2026-03-04")
KILLED_AT_A_RENAME = """
import os, pathlib, signal, sys
renames_left, rename = int(sys.argv.pop(1)), pathlib.Path.replace
def rename_or_die(path, target):
    global renames_left
    if not renames_left:
        os.kill(os.getpid(), signal.SIGKILL)
    renames_left -= 1
    return rename(path, target)
pathlib.Path.replace = rename_or_die
from halfhour.cli.app import main
main()
"""
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


@pytest.fixture
def halfhour(tmp_path: Path) -> Halfhour:
    return Halfhour(tmp_path, {})


@pytest.fixture
def details(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "details.ndjson", [json.dumps(GOOD).encode()])


@pytest.mark.usefixtures("details")
def test_a_run_says_what_it_wrote_and_writes_each_table(halfhour, tmp_path):
    ran = halfhour("worked", "details.ndjson", "--output", "out", "--org", "acme")

    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "halfhour: out: 1 day written (2026-03-02), 4 rows from 1 record\n"
    assert sorted(contents_of(tmp_path / "out")) == sorted(
        f"{table}/org=acme/day=2026-03-02/part.parquet" for table in WORKED_TABLES
    )


def test_a_run_without_a_range_says_how_its_days_are_chosen(halfhour, tmp_path):
    lines = [json.dumps(GOOD), json.dumps(GOOD).replace("-03-02T", "-03-03T")]
    write_lines(tmp_path / "details.ndjson", [line.encode() for line in lines])
    command = ("worked", "details.ndjson", "--output", "out")
    imported = ("import", "details.ndjson", "--store")
    chosen = ("--from", "2026-03-02", "--to", "2026-03-04")
    sentence = (
        "without --from and --to the days are those on which conversations began (2026-03-02 to "
        "2026-03-03), also if the files hold only a part of a day, such as the first\n"
    )

    assert halfhour(*command).err.endswith(sentence)
    assert halfhour(*imported, "a.duckdb").err.endswith(sentence)
    assert "without --from" not in halfhour(*command, *chosen).err
    assert "without --from" not in halfhour(*imported, "b.duckdb", *chosen).err


@pytest.mark.usefixtures("details")
def test_each_step_is_an_event(halfhour):
    ran = halfhour("worked", "details.ndjson", "--output", "out", "--log-format", "json")

    events = [json.loads(line) for line in ran.err.splitlines()]
    assert [event.get("event", event.get("message")) for event in events] == [
        "read",
        "planned",
        "derived",
        "settled",
        "out: 1 day written (2026-03-02), 4 rows from 1 record",
        "ended",
    ]
    assert [events[0][name] for name in ("rows", "done", "of")] == [1, 1, 1]


@pytest.mark.usefixtures("details")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "detials.ndjson --output out",
            "detials.ndjson: cannot be read (No such file or directory); did you mean "
            "'details.ndjson'? Nothing was changed",
        ),
        ("empty --output out", "empty: there is no file in this folder; nothing was changed"),
        (
            "nothing.json --output out",
            "nothing.json, line 1: cut off, or not JSON (Input data was truncated); nothing was "
            "changed - export the file again",
        ),
        (
            "page.json --output out",
            "the files have no conversation of an agent; name the days that they cover with "
            "--from and --to",
        ),
        (
            "details.ndjson --output nothing.json",
            "--output nothing.json: this is a file; name a folder",
        ),
        (
            "details.ndjson --output nothing.json/out",
            "--output nothing.json/out: cannot be written (Not a directory); name another folder",
        ),
        (
            "landed --output landed/out",
            "--output landed/out: this folder is in landed, so the next run would read the files "
            "that this one writes; name another folder",
        ),
        (
            "details.ndjson --output out --max-bad 0.1",
            "--max-bad '0.1' is not a percentage; write one from 0% to 100%, such as 0.1%; did "
            "you mean '0.1%'?",
        ),
        (
            "details.ndjson --output out --max-bad 101%",
            "--max-bad '101%' is not a percentage; write one from 0% to 100%, such as 0.1%",
        ),
        (
            "details.ndjson --output out --org a/b",
            "--org 'a/b' cannot be the name of a folder; write letters, digits, dots, hyphens and "
            "underscores, and a letter or a digit first",
        ),
        (
            "details.ndjson --output out --engine sparc",
            "--engine 'sparc' is not known; write duckdb or spark; did you mean 'spark'?",
        ),
        (
            "details.ndjson --output s3a://KEY:SECRET@figures --engine spark",
            "an address holds a password, which other users of this machine can see; leave it out "
            "and put it into the settings of Spark's file systems",
        ),
        (
            "details.ndjson --output out --master yarn",
            "--master is for --engine spark; add that, or leave --master out",
        ),
        (
            "details.ndjson --output out --from 2026-03-02T12:00 --to 2026-03-03",
            "--from, --to: files replace whole days (UTC), and 2026-03-02T12:00:00.000Z/"
            "2026-03-03T00:00:00.000Z is not; write a date for each",
        ),
    ],
)
def test_a_mistake_is_a_sentence_and_leaves_nothing(halfhour, tmp_path, words, sentence):
    (tmp_path / "empty").mkdir()
    (tmp_path / "landed").mkdir()
    (tmp_path / "nothing.json").touch()
    (tmp_path / "page.json").write_text('{"conversations": []}', encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))

    ran = halfhour("worked", *words.split())

    assert (ran.code, ran.out, ran.err) == (2, "", f"halfhour: {sentence}\n")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("details")
@pytest.mark.parametrize("package", ["pyspark.sql", "sqlglot"])
def test_an_engine_whose_packages_are_missing_names_the_extra(tmp_path, package):
    program = (
        f"import sys; sys.modules[{package!r}] = None; from halfhour.cli.app import main; main()"
    )
    words = "worked details.ndjson --output out --engine spark".split()
    with run_in(tmp_path, [sys.executable, "-c", program, *words]) as process:
        _, err = process.communicate(timeout=60)

    assert process.returncode == 2
    assert err.startswith(
        "halfhour: --engine spark needs more packages: pip install 'halfhour[spark]' ("
    )
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_too_many_bad_records_end_in_a_sentence_that_names_the_first(halfhour, tmp_path):
    good = json.dumps(GOOD).encode()
    write_lines(tmp_path / "details.ndjson", [good, b'{"conversationId": 7}'])

    ran = halfhour("worked", "details.ndjson", "--output", "out", *DAYS)

    assert (ran.code, ran.err) == (
        2,
        "halfhour: 1 of 2 records cannot be read, more than --max-bad 0.1%, so no day was "
        "replaced; they are in out/quarantine, the first is details.ndjson, record 2: Expected "
        "`str`, got `int` - at `$.conversationId`\n",
    )
    ran = halfhour("worked", "details.ndjson", "--output", "out", "--max-bad", "50%", *DAYS)
    assert ran.code == 0
    assert "halfhour: 1 of 2 records cannot be read and are in out/quarantine\n" in ran.err


def command_of(*words: str) -> list[str]:
    return [sys.executable, "-m", "halfhour", "worked", *words]


def run_in(folder: Path, command: list[str], **options: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, **options)


@posix
@pytest.mark.parametrize("rename_count", [0, 1, 4, 7])
def test_a_run_that_is_killed_leaves_whole_files_and_the_next_one_ends_alike(
    tmp_path, rename_count
):
    landed = landed_files(tmp_path / "landed")
    words = [*DAYS, "--output", "out"]
    with run_in(tmp_path, command_of("landed/a.json", *words)) as process:
        process.communicate(timeout=60)
    old = contents_of(tmp_path / "out")
    with run_in(tmp_path, command_of("landed", *words[:-1], "expected")) as process:
        process.communicate(timeout=60)
    new = contents_of(tmp_path / "expected")
    assert len(landed) == len(old) == len(new) // 2 == 4  # the second day had not begun
    assert [name for name in old if old[name] == new[name]] == []

    killed = [sys.executable, "-c", KILLED_AT_A_RENAME, str(rename_count), "worked", "landed"]
    with run_in(tmp_path, [*killed, *words]) as process:
        _, err = process.communicate(timeout=60)

    assert process.returncode == -signal.SIGKILL, err
    left = contents_of(tmp_path / "out")
    tables = {name: content for name, content in left.items() if DRAFT_PREFIX not in name}
    assert len(tables) < len(left)
    assert sum(tables.get(name) == new[name] for name in new) == rename_count
    assert all(tables.get(name) in (old.get(name), new[name]) for name in new)
    with run_in(tmp_path, command_of("landed", *words)) as process:
        process.communicate(timeout=60)
    assert contents_of(tmp_path / "out") == new
    assert list((tmp_path / "out").glob(f"{DRAFT_PREFIX}*")) == []


@posix
def test_a_full_disk_is_a_sentence_and_changes_no_day(tmp_path):
    landed_files(tmp_path / "landed")
    command = command_of("landed", "--output", "out", *DAYS)
    with run_in(tmp_path, command) as process:
        process.communicate(timeout=60)
    before = contents_of(tmp_path / "out")

    limited = ["sh", "-c", 'ulimit -f 4; exec "$@"', "sh", *command]
    with run_in(tmp_path, limited) as process:
        _, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert err.startswith("halfhour: --output out: not written in full (")
    assert err.endswith("each file there is whole, old or new, so mend that and run it again\n")
    assert contents_of(tmp_path / "out") == before


@posix
def test_organisations_can_be_written_at_the_same_time(tmp_path):
    for seed, name in enumerate(("acme", "other"), 1):
        landed_files(tmp_path / name, seed)
    for output, is_together in {"apart": False, "together": True}.items():
        runs = []
        for name in ("acme", "other"):
            words = command_of(name, "--output", output, "--org", name, *DAYS)
            runs.append(run_in(tmp_path, words))
            if not is_together:
                runs[-1].wait(timeout=60)
        for run in runs:
            with run:
                _, err = run.communicate(timeout=60)
            assert run.returncode == 0, err

    contents = contents_of(tmp_path / "together")
    assert len(contents) == 2 * 2 * len(WORKED_TABLES)
    assert contents == contents_of(tmp_path / "apart")


@posix
@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
@pytest.mark.parametrize("awaited", [f"{DRAFT_PREFIX}*", f"{DRAFT_PREFIX}*/*.arrow"])
def test_a_signal_ends_a_run_and_leaves_no_draft(tmp_path, sent, code, reason, awaited):
    """Signals arrive while files are read for the first time, and when they are read again."""
    write_lines(tmp_path / "details", (json.dumps(record).encode() for record in many_records()))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old", encoding="utf-8")
    command = command_of("details", "--output", "out", *DAYS)
    with run_in(tmp_path, command, env={**os.environ, "PYTHONWARNINGS": "default"}) as process:
        deadline = time.monotonic() + 60
        while not list((tmp_path / "out").glob(awaited)):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(sent)
        _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (code, f"halfhour: {reason}\n")
    assert contents_of(tmp_path / "out") == {"old": b"old"}
    assert sorted((tmp_path / "out").iterdir()) == [tmp_path / "out" / "old"]


def many_records() -> list[dict[str, Any]]:
    """Return so many conversations that a part of them goes to disk."""
    return [GOOD | {"conversationId": f"c{number}"} for number in range(60_000)]


@pytest.mark.usefixtures("details")
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("acmee", "has no such organisation, only acme, globex; did you mean 'acme'?"),
        ("all", "--org: this command is for one organisation; name one"),
    ],
)
def test_a_name_that_no_organisation_of_the_settings_file_has_is_refused(halfhour, name, sentence):
    (halfhour.folder / "halfhour.toml").write_text("[org.acme]\n[org.globex]\n")
    command = ("worked", "details.ndjson", "--output", "out")
    refused = halfhour(*command, "--org", name)

    assert (refused.code, sentence in refused.err) == (2, True), refused.err
    assert not (halfhour.folder / "out").exists()
    assert halfhour(*command, "--org", "acme").code == 0
    assert halfhour(*command).code == 0
    assert {path.name for path in (halfhour.folder / "out/worked").iterdir()} == {
        "org=acme",
        "org=default",
    }
