"""The CPU time that thresholds of Python's garbage collector save the emulator.

Measured are, in its process, the first answer of a day of 500 agents, which
plays that day and the one before, the same answer again, and the day before
that. Each setting has a process of its own, and they take turns, so that what
else the machine does falls on all of them.
"""

import os
import platform
import statistics
import sys
from http.client import HTTPConnection
from tempfile import TemporaryDirectory

from emulator_speed import AGGREGATES, asked, cpu_seconds, emulating, memory, query

AGENTS, ROUNDS, AGAIN = 500, 5, 5
SETTINGS = {
    "700, 10, 10, as Python 3.11 has it": "gc.set_threshold(700, 10, 10)",
    "200,000, 50, 100": "gc.set_threshold(200_000, 50, 100)",
    "100,000, 50, 1,000": "gc.set_threshold(100_000, 50, 1000)",
    "200,000, 50, 1,000, frozen: the emulator's": (
        "gc.collect(); gc.freeze(); gc.set_threshold(200_000, 50, 1_000)"
    ),
    "no collector": "gc.disable()",
}
EMULATOR = """
import gc, types
from genesys_emulator import __main__
from genesys_emulator.http import server
server.gc = types.SimpleNamespace(set_threshold=lambda *_: None, freeze=lambda: None)
{setting}
__main__.main()
"""


def measured(setting: str) -> dict[str, float]:
    command = (sys.executable, "-c", EMULATOR.format(setting=setting))
    with TemporaryDirectory() as cache:
        os.environ["GENESYS_EMULATOR_CACHE"] = cache  # empty, so that days are simulated
        return _measured(command)


def _measured(command: tuple[str, ...]) -> dict[str, float]:
    with emulating(AGENTS, command) as (pid, connection, headers):

        def took(day: int, times: int = 1) -> float:
            before = cpu_seconds(pid)
            for _ in range(times):
                ask(connection, headers, day)
            return (cpu_seconds(pid) - before) / times

        return {
            "first": took(1),
            "again": took(1, AGAIN),
            "another day": took(2),
            "MB": memory(pid),
        }


def ask(connection: HTTPConnection, headers: dict[str, str], day: int) -> None:
    asked(connection, "POST", AGGREGATES, headers, query(day))


def main() -> None:
    rounds = [{name: measured(text) for name, text in SETTINGS.items()} for _ in range(ROUNDS)]
    print(f"{platform.platform()}, Python {platform.python_version()}, {AGENTS} agents")
    print(f"CPU seconds and resident MB: median of {ROUNDS}, and the least")
    for name in SETTINGS:
        runs = [measures[name] for measures in rounds]
        figures = {key: [run[key] for run in runs] for key in runs[0]}
        told = "  ".join(
            f"{key} {statistics.median(of):7.2f} {min(of):7.2f}" for key, of in figures.items()
        )
        print(f"  {name:36} {told}")


if __name__ == "__main__":
    main()
