"""`halfhour` as a process that comes of one in which the libraries are imported already.

To import them takes longer than most commands do. Nothing of halfhour is: each process imports
that itself, as if it had been started by its name.
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
    "asyncio cyclopts duckdb httpx2 jinja2 msgspec pyarrow.compute pyarrow.parquet rich.progress"
).split()


def started(
    words: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> "Prepared | subprocess.Popen[str]":
    """``halfhour`` with these *words*, in *folder* and with nothing else in its environment.

    Where that has what Python reads as it starts, it is started.
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
    """A file descriptor that the other process is to have; there it is a number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> Any:
        return _taken, (reduction.DupFd(self.number),)


def _taken(passed: Any) -> int:
    return int(passed.detach())


class Prepared:
    """What a `subprocess.Popen` with pipes is, as far as tests need it."""

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

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def communicate(self, timeout: float) -> tuple[str, str]:
        with ThreadPoolExecutor(2) as pool, self.stdout, self.stderr:
            said = [pool.submit(each.read) for each in (self.stdout, self.stderr)]
            self._process.join(timeout)
            if late := self.returncode is None:
                self.kill()
            out, err = (each.result() for each in said)
        assert not late, f"not at its end after {timeout} s: {out}{err}"
        return out, err


def _halfhour(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], out: int, err: int
) -> None:
    for at, number in enumerate((os.open(os.devnull, os.O_RDONLY), out, err)):
        os.dup2(number, at)
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
