"""Commands, streams and exit codes. Data goes to stdout, talk to stderr."""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, CycloptsError, Parameter

from halfhour import __version__, errors
from halfhour.vocabulary import By, Format

if TYPE_CHECKING:
    from halfhour.plan import Question
    from halfhour.settings import Settings


class Exit(IntEnum):
    """What the exit code says."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CREDENTIALS = 3
    UNREACHABLE = 4
    INTERRUPTED = 130
    TERMINATED = 143


app = App(
    name="halfhour",
    help="What every agent did, half-hour by half-hour, from Genesys Cloud.",
    version=__version__,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,
)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where to ask, and as whom. The secret comes from GENESYS_CLIENT_SECRET or the file."""

    client_id: Annotated[str | None, Parameter(help="OAuth client [env: GENESYS_CLIENT_ID].")] = (
        None
    )
    region: Annotated[
        str | None,
        Parameter(
            help="AWS region, domain or base URL [env: GENESYS_REGION; default: mypurecloud.com]."
        ),
    ] = None
    settings: Annotated[
        Path | None,
        Parameter(help="Settings file [default: halfhour.toml, here or in ~/.config/halfhour]."),
    ] = None
    timeout: Annotated[
        float | None, Parameter(help="Seconds of silence before a request is given up [30].")
    ] = None
    attempts: Annotated[int | None, Parameter(help="How often a request is tried [5].")] = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Which rows, and what one stands for."""

    from_: Annotated[
        str | None,
        Parameter(name="--from", help="First half-hour: a date, a time, today or yesterday."),
    ] = None
    to: Annotated[
        str | None, Parameter(help="End, not included [default: the last full half-hour].")
    ] = None
    last: Annotated[
        str | None, Parameter(help="Length back from the end: 90m, 24h, 7d, 2w [24h].")
    ] = None
    queue: Annotated[
        tuple[str, ...], Parameter(negative=(), help="Queue name or id; repeatable.")
    ] = ()
    agent: Annotated[
        tuple[str, ...], Parameter(negative=(), help="Agent name or id; repeatable.")
    ] = ()
    zone: Annotated[
        str, Parameter(help="IANA time zone to read and write times in, such as Europe/London.")
    ] = "UTC"
    by: Annotated[By, Parameter(help="A row per half-hour and agent, or per agent.")] = By.INTERVAL

    def question(self) -> "Question":
        from halfhour import api

        return api.ask(
            start=self.from_,
            end=self.to,
            last=self.last,
            queues=self.queue,
            agents=self.agent,
            zone=self.zone,
            by=self.by,
        )


@app.command
def report(
    rows: Rows | None = None,
    connection: Connection | None = None,
    *,
    format: Annotated[  # noqa: A002  (the option's name)
        Format | None, Parameter(help="[default: by the ending of --output, else table].")
    ] = None,
    output: Annotated[Path | None, Parameter(help="File to write [default: stdout].")] = None,
    dry_run: Annotated[
        bool, Parameter(negative=(), help="Show the requests as JSON and send none.")
    ] = False,
) -> None:
    """Show handle, after-call work and hold time, as Genesys Cloud posted them.

    Posted basis: a value lies whole in the half-hour in which it was
    completed, as in the Genesys UI, so a half-hour can hold more than 1,800 s.
    """
    from halfhour import settings, show

    rows, connection = rows or Rows(), connection or Connection()
    question = rows.question()
    form = format or show.form_of(output)
    if dry_run:
        hosts = settings.region_hosts(file=connection.settings, region=connection.region)
        show.plan(question, hosts)
        return
    show.report(_load(connection), question, form, output)


@app.command
def demo(
    *,
    agents: Annotated[int, Parameter(help="Agents in the contact centre.")] = 8,
    seed: Annotated[int, Parameter(help="Which contact centre.")] = 1,
) -> None:
    """Show the last 24 hours of a Genesys Cloud on this machine: no account needed."""
    from halfhour import show
    from halfhour.demo import emulator

    question = Rows().question()
    with emulator("--agents", str(agents), "--seed", str(seed), "--days", "2") as settings:
        show.report(settings, question, Format.TABLE, None)


@app.command(help_flags=[], version_flags=[])
def emulator(
    *options: Annotated[str, Parameter(allow_leading_hyphen=True, show=False)],
) -> None:
    """Run a Genesys Cloud on this machine (its own options: halfhour emulator --help)."""
    from halfhour.demo import run_emulator

    sys.exit(run_emulator(options))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    # An exception, so that what was begun is cleared away, as it is on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(Exit.TERMINATED))
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: Sequence[str] | None) -> int:
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError as error:
        return _say(f"{error}; see halfhour --help", Exit.USAGE)
    except errors.HalfhourError as error:
        return _say(str(error), _code(error))
    except KeyboardInterrupt:
        return _say("interrupted", Exit.INTERRUPTED)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        _drop_stdout()
    except OSError as error:
        _drop_stdout()
        return _say(f"could not be written to the end ({error.strerror})", Exit.FAILED)
    except Exception as error:
        if os.environ.get("HALFHOUR_DEBUG"):
            raise
        kind = type(error).__name__
        return _say(
            f"unexpected {kind}: {error}; this is a bug, please report it "
            "(HALFHOUR_DEBUG=1 shows where)",
            Exit.FAILED,
        )
    return Exit.DONE


def _drop_stdout() -> None:
    """Let what is still to be written go nowhere, or Python fails with it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _code(error: errors.HalfhourError) -> Exit:
    match error:
        case errors.ConfigError():
            return Exit.USAGE
        case errors.AuthError() | errors.ApiError(status=401 | 403):
            return Exit.CREDENTIALS
        case errors.Unreachable():
            return Exit.UNREACHABLE
        case _:
            return Exit.FAILED


def _load(connection: Connection) -> "Settings":
    from halfhour import settings

    return settings.load(
        file=connection.settings,
        client_id=connection.client_id,
        region=connection.region,
        timeout=connection.timeout,
        attempts=connection.attempts,
    )


def _say(message: str, code: Exit) -> Exit:
    print(f"halfhour: {message}", file=sys.stderr)
    return code
