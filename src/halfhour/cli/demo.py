"""The emulator, run as a separate process: this package never imports it."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from halfhour.errors import ConfigError
from halfhour.genesys import regions
from halfhour.genesys.connection import Settings


def run_emulator(options: Sequence[str]) -> int:
    """Run the emulator with *options* until it ends, and return its exit code.

    On POSIX systems the emulator replaces this process, and the function does not return.
    """
    command = _emulator_command(options)
    if os.name == "posix":
        os.execv(command[0], command)
    with subprocess.Popen(command) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            return process.wait()  # the terminal sends Ctrl-C to the emulator too


@contextmanager
def running_emulator(*options: str) -> Iterator[Settings]:
    """Run an emulator on a free port inside the context, and give the settings to reach it."""
    client_id, client_secret = "demo", secrets.token_urlsafe()
    credentials = ("--client-id", client_id, "--client-secret", client_secret)
    command = _emulator_command(["--port", "0", *credentials, *options])
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            base_url = process.stdout.readline().strip() if process.stdout else ""
            if not base_url:
                raise ConfigError("the emulator did not start; its message above says why")
            yield Settings(client_id, client_secret, regions.hosts_of_region(base_url))
        finally:
            process.terminate()


def _emulator_command(options: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "genesys_emulator", *options]
