"""The options that stand for the parameters named in errors and messages."""

import os
import shutil
import sys

_IRREGULAR = {
    "start": "from",
    "end": "to",
    "queues": "queue",
    "agents": "agent",
    "divisions": "division",
    "teams": "team",
    "names": "name",
    "form": "format",
}


def option_name(parameter: str) -> str:
    """Return the option that stands for *parameter*: ``--with-capacity`` for `with_capacity`."""
    return f"--{_IRREGULAR.get(parameter, parameter).replace('_', '-')}"


def program_name() -> str:
    """Return the command as it can be typed here: with its folder if that is not on the PATH."""
    # The environment of uvx is on the PATH only as long as the command runs; uv run sets both.
    if "UV" in os.environ and "UV_RUN_RECURSION_DEPTH" not in os.environ:
        return "uvx halfhour"
    if shutil.which("halfhour"):
        return "halfhour"
    called = sys.argv[0]
    return f"{sys.executable} -m halfhour" if called.endswith("__main__.py") else called
