"""Run commands as processes, a few at once, and read what they log."""

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue

OnLine = Callable[[str, str], None]
"""Gets a name and a line on the stderr of its process."""
OnEnd = Callable[[str, int, int | None], None]
"""Gets a name, the return code of its process, and the peak of its memory as `getrusage` has it."""


@dataclass(frozen=True, slots=True)
class Command:
    """The *words* of a command of halfhour, and its *environment*."""

    words: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)


@dataclass(slots=True)
class ProcessGroup:
    """Runs a command for each name, at most *at_once* at the same time."""

    at_once: int
    on_line: OnLine
    on_end: OnEnd
    _running: dict[str, "subprocess.Popen[str]"] = field(default_factory=dict)
    _lines: "SimpleQueue[tuple[str, str | None]]" = field(default_factory=SimpleQueue)

    def run(self, commands: Mapping[str, Command]) -> None:
        """Run *commands* until all have ended.

        A KeyboardInterrupt starts no more of them, asks those that run to end, and is raised when
        they have. A second one kills them.
        """
        waiting = deque(commands.items())
        try:
            while waiting or self._running:
                while waiting and len(self._running) < self.at_once:
                    self._start(*waiting.popleft())
                self._take_line()
        except KeyboardInterrupt:
            for process in self._running.values():
                process.terminate()
            while self._running:
                self._take_line()
            raise
        finally:
            for process in self._running.values():
                process.kill()

    def _start(self, name: str, command: Command) -> None:
        process = subprocess.Popen(  # noqa: S603  (this program, with the user's own options)
            # With -P, no module in the current folder stands in for one of Python.
            [sys.executable, "-P", "-m", "halfhour", *command.words],
            env=command.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            # A terminal sends Ctrl-C to a group, and these processes are asked to end just once.
            process_group=None if os.name == "nt" else 0,
        )
        self._running[name] = process
        threading.Thread(target=self._read_lines, args=(name, process), daemon=True).start()

    def _read_lines(self, name: str, process: "subprocess.Popen[str]") -> None:
        assert process.stderr
        with process.stderr:
            for line in process.stderr:
                self._lines.put((name, line.rstrip("\n")))
        self._lines.put((name, None))

    def _take_line(self) -> None:
        name, line = self._lines.get()
        if line is not None:
            self.on_line(name, line)
            return
        return_code, peak = _wait_for_end(self._running[name])
        del self._running[name]
        self.on_end(name, return_code, peak)


def _wait_for_end(process: "subprocess.Popen[str]") -> tuple[int, int | None]:
    """Return the return code and the peak of memory; None where the system does not tell it."""
    if sys.platform == "win32":
        return process.wait(), None
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss
