"""Run `halfhour` in a process forked from a server that has imported the libraries.

Importing the libraries takes longer than most commands. Each process imports halfhour itself, as
if it had been started by its name.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from multiprocessing import reduction
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

LIBRARIES = (
    "asyncio cyclopts duckdb httpx2 jinja2 msgspec pyarrow.compute pyarrow.dataset pyarrow.parquet "
    "rich.progress starlette.applications starlette.middleware uvicorn.protocols.http.h11_impl"
).split()


def started(
    words: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> "Prepared | subprocess.Popen[str]":
    """Start ``halfhour`` with these *words* in *folder*, with only *environment* set.

    A new Python is started if *environment* has variables that Python reads at its start.
    """
    if not hasattr(os, "fork") or any(name.startswith("PYTHON") for name in environment):
        return subprocess.Popen(
            [sys.executable, "-m", "halfhour", *words], cwd=folder, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8",
        )  # fmt: skip
    return Prepared(words, folder, environment)


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    return context


class _Passed:
    """A file descriptor for the other process, which receives it as a number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> Any:
        return _taken, (reduction.DupFd(self.number),)


def _taken(passed: Any) -> int:
    return int(passed.detach())


class Prepared:
    """A process with the methods of `subprocess.Popen` that the tests need."""

    def __init__(self, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        pipes = os.pipe(), os.pipe()
        ends = [_Passed(end) for _, end in pipes]
        self._process = _server().Process(
            target=_halfhour, args=(words, folder, dict(environment), *ends)
        )
        self._process.start()
        for _, end in pipes:
            os.close(end)
        self.stdout, self.stderr = (os.fdopen(end, encoding="utf-8") for end, _ in pipes)
        self.kill = self._process.kill
        self.terminate = self._process.terminate

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float) -> None:
        self._process.join(timeout)

    def communicate(self, timeout: float) -> tuple[str, str]:
        with ThreadPoolExecutor(2) as pool, self.stdout, self.stderr:
            outputs = [pool.submit(stream.read) for stream in (self.stdout, self.stderr)]
            self._process.join(timeout)
            if timed_out := self.returncode is None:
                self.kill()
            out, err = (output.result() for output in outputs)
        assert not timed_out, f"still running after {timeout} s: {out}{err}"
        return out, err


def _halfhour(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], out: int, err: int
) -> None:
    for standard, number in enumerate((os.open(os.devnull, os.O_RDONLY), out, err)):
        os.dup2(number, standard)
        os.close(number)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
    )
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv[1:] = words
    runpy.run_module("halfhour", run_name="__main__", alter_sys=True)
