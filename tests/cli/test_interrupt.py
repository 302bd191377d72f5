"""Ctrl-C and SIGTERM, at a moment when an answer is awaited."""

import json
import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import Cloud

ENDS = [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
"""Signals, with the exit code and the reason of a process that one ends."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


def wait_for_request(cloud):
    """Wait until the emulator has the request that it will not answer."""
    for _ in range(200):
        if cloud.requests("aggregates/query"):
            return
        time.sleep(0.05)
    raise AssertionError("the request never came")


IGNORING_SIGINT = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]
"""Begins a command as a shell does in the background of a script, or nohup."""


def test_tests_that_a_shell_started_in_the_background_can_be_interrupted():
    """Processes of tests inherit SIGINT from the tests, which ignore it there."""
    program = "import signal, tests.conftest; print(signal.getsignal(signal.SIGINT).__name__)"
    done = subprocess.run(
        [*IGNORING_SIGINT, sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "default_int_handler\n"


@contextmanager
def hanging_report(cloud: Cloud, folder: Path, *prefix: str) -> Iterator[subprocess.Popen[str]]:
    """Run a report that waits for an answer; *prefix* stands before its command."""
    cloud.faults({"kind": "hang", "endpoint": "aggregates", "seconds": 60})
    with subprocess.Popen(
        [*prefix, sys.executable, "-m", "halfhour", "report", "--output", "day.csv"],
        cwd=folder,
        env={**os.environ, **cloud.environment},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for_request(cloud)
        yield process


@pytest.mark.parametrize(("sent", "code", "reason"), ENDS)
def test_a_signal_ends_a_report_at_once_and_leaves_no_file(cloud, tmp_path, sent, code, reason):
    with hanging_report(cloud, tmp_path) as process:
        process.send_signal(sent)
        _, err = process.communicate(timeout=10)

    assert (process.returncode, err) == (code, f"halfhour: {reason}\n")
    assert list(tmp_path.iterdir()) == []


def test_an_ignored_sigint_stays_ignored_while_sigterm_ends_the_report(cloud, tmp_path):
    with hanging_report(cloud, tmp_path, *IGNORING_SIGINT) as process:
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=10)

    assert (process.returncode, err) == (143, "halfhour: terminated\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", ["duckdb", "pyarrow"])
def test_sigterm_while_a_library_is_imported_waits_for_that_import(module, tmp_path):
    (tmp_path / "slow.py").write_text(
        f"import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nimport {module}\n"
        "print('imported', flush=True)\n"
    )
    script = (
        "from halfhour.cli.exit_codes import run_and_exit\n"
        "def command():\n"
        "    import slow\n"
        "    while True: pass\n"
        "run_and_exit(command)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (143, "imported\n")
    assert done.stderr == "halfhour: terminated\n"


def test_an_interrupt_that_is_lost_in_a_callback_comes_again():
    script = (
        "import os, signal, weakref; from halfhour.cli.exit_codes import run_and_exit\n"
        "class Thing: pass\n"
        "def command():\n"
        "    thing = Thing()\n"
        "    end = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGTERM))\n"
        "    del thing\n"
        "    while True: pass\n"
        "run_and_exit(command)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.returncode, done.stderr) == (143, "halfhour: terminated\n")


ERROR_OF_A_LIBRARY = """\
try:
    os.kill(os.getpid(), SENT)
except KeyboardInterrupt:
    raise RuntimeError("Query interrupted") from None
"""
"""The end of a command whose query DuckDB interrupts: it raises an error of its own."""
BROKEN_OUTPUT = """\
try:
    os.kill(os.getpid(), SENT)
except KeyboardInterrupt:
    raise BrokenPipeError from None
"""


@pytest.mark.parametrize("body", [ERROR_OF_A_LIBRARY, BROKEN_OUTPUT])
@pytest.mark.parametrize(("sent", "code", "reason"), ENDS)
def test_an_error_after_a_signal_is_the_interruption(sent, code, reason, body):
    script = (
        "import os; from halfhour.cli.exit_codes import run_and_exit\n"
        f"def command():\n{textwrap.indent(body.replace('SENT', str(int(sent))), '    ')}"
        "run_and_exit(command)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.returncode, done.stderr) == (code, f"halfhour: {reason}\n")


@pytest.mark.parametrize(("sent", "code", "reason"), ENDS)
@pytest.mark.parametrize("words", [(), ("--watch", "15m")])
def test_the_json_log_of_a_sync_that_a_signal_ends_has_its_exit_code(
    cloud, tmp_path, sent, code, reason, words
):
    cloud.faults({"kind": "hang", "endpoint": "aggregates", "seconds": 60})
    with subprocess.Popen(
        [sys.executable, "-m", "halfhour", "sync", "--last", "1d", "--source", "posted",
         "--log-format", "json", *words],
        cwd=tmp_path, env={**os.environ, **cloud.environment}, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        wait_for_request(cloud)
        process.send_signal(sent)
        _, err = process.communicate(timeout=10)

    last = json.loads(err.splitlines()[-1])
    assert (process.returncode, last["exit_code"], last["reason"]) == (code, code, reason)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_waits_for_no_thread_and_says_nothing(sent):
    script = (
        "import threading, time; from halfhour.cli.exit_codes import run_and_exit\n"
        "def command():\n"
        "    threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "    raise KeyboardInterrupt\n"
        "run_and_exit(command)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        assert process.stderr.readline() == "halfhour: interrupted\n"
        time.sleep(0.2)
        process.send_signal(sent)
        _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (-sent, "")


def test_a_reader_that_stops_early_is_no_failure(cloud):
    report = shlex.join([sys.executable, "-m", "halfhour", "report", "--from", "2026-03-01",
                         "--to", "2026-03-03"])  # fmt: skip
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{report} | head -1"],
        env={**os.environ, **cloud.environment},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert done.stdout.startswith("interval_start")
    assert "Error" not in done.stderr


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
@pytest.mark.parametrize("module", [["genesys_emulator"], ["halfhour", "emulator"]])
def test_the_emulator_ends_at_once_without_a_word(sent, code, module):
    command = [sys.executable, "-m", *module]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(sent)
        _, err = process.communicate(timeout=10)

    assert process.returncode == code
    assert len(err.splitlines()) == 1
