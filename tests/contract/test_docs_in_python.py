"""The Python in the docs runs, from the first line to the last, and says what is right; and so
does what the README shows of the command line.
"""

import asyncio
import json
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def place(cloud, tmp_path, monkeypatch):
    """An empty folder, and the environment of somebody with a contact centre."""
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_code_of_the_page_on_dataframes_runs_and_is_right(place):
    page = (DOCS / "dataframes.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(code, names)

    assert names["top"].num_rows == 5
    assert names["over"].height == sum(names["half_hours"]["exceeds_interval"].to_pylist())
    assert names["by_hour"].sum() == sum(names["half_hours"]["handled_count"].to_pylist())
    assert len(set(names["week"]["day"].to_pylist())) == 7
    handled = names["agents"]["handle_time_sec"].to_pylist()
    assert handled == sorted(handled, reverse=True)


def test_the_notebook_runs_and_is_right(place):
    """In a running loop, as a notebook has one."""
    notebook = json.loads((DOCS / "notebook.ipynb").read_text(encoding="utf-8"))
    cells = [
        "".join(entry["source"]) for entry in notebook["cells"] if entry["cell_type"] == "code"
    ]
    names: dict[str, Any] = {}

    async def run() -> None:
        for cell in cells:
            exec(cell, names)

    asyncio.run(run())
    assert names["half_hours"].num_rows > 100
    assert 60 < names["aht"] < 3600
    assert not any(entry.get("outputs") for entry in notebook["cells"])


def test_the_first_output_in_the_readme_is_that_of_a_terminal(place):
    page = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    command, shown = re.findall(r"```text\n\$ halfhour (.*?)\n(.*?)```", page, re.DOTALL)[0]
    terminal, end = pty.openpty()
    with (place / "err").open("w") as stderr:
        running = subprocess.Popen(
            [sys.executable, "-m", "halfhour", *shlex.split(command)],
            env={**os.environ, "COLUMNS": "88", "NO_COLOR": "1"},
            stdout=end,
            stderr=stderr,
        )
    os.close(end)
    shown = b"".join(terminal_output(terminal)).decode().replace("\r\n", "\n")
    os.close(terminal)

    first, _, rest = shown.partition("\n…\n")
    assert running.wait(timeout=60) == 0
    assert shown.startswith(first)
    assert rest.partition("\n\n")[0] in shown


def terminal_output(terminal: int) -> Iterator[bytes]:
    with suppress(OSError):  # as which the end of a terminal shows on Linux
        while part := os.read(terminal, 1 << 16):
            yield part
