"""How a process ends: signals, streams and exit codes."""

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import NoReturn

from cyclopts import CycloptsError

from halfhour import errors
from halfhour.redaction import LONGEST_QUOTED, harmless, harmless_lines


class Exit(IntEnum):
    """What the exit code says."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CREDENTIALS = 3
    UNREACHABLE = 4
    INCOMPLETE = 5
    INTERRUPTED = 130
    TERMINATED = 143


def ended(command: Callable[[], object]) -> NoReturn:
    """Run *command* and exit: with a sentence and a code for whatever it raises."""
    terminated = []

    def end(*_: object) -> None:
        """As on Ctrl-C, so that what was begun is cleared away."""
        terminated.append(True)
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):  # it is ignored, as in the background of a script
            sys.exit(Exit.TERMINATED)
        interrupt(signal.SIGINT, None)

    signal.signal(signal.SIGTERM, end)
    code = _exit_code(command)
    for each in (signal.SIGINT, signal.SIGTERM):  # whoever asks again need not wait for threads
        if callable(signal.getsignal(each)):
            signal.signal(each, signal.SIG_DFL)
    sys.exit(Exit.TERMINATED if terminated else code)


def _exit_code(command: Callable[[], object]) -> int:
    try:
        command()
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
    except Exception as error:  # noqa: BLE001  (what nobody thought of gets a sentence, too)
        if os.environ.get("HALFHOUR_DEBUG"):
            print(*map(harmless, traceback.format_exc().splitlines()), sep="\n", file=sys.stderr)
            return Exit.FAILED
        said = harmless(str(error), LONGEST_QUOTED)
        return _say(
            f"unexpected {type(error).__name__}: {said}; this is a bug, please report it "
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
        case errors.Incomplete():
            return Exit.INCOMPLETE
        case _:
            return Exit.FAILED


def _say(message: str, code: Exit) -> Exit:
    log = logging.getLogger("halfhour")
    if log.handlers:  # a command has begun to talk, to people or machines
        event = {"event": "ended", "exit_code": code, "reason": message}
        log.error("%s", message, extra={"event": event})
    else:
        print(f"halfhour: {harmless_lines(message)}", file=sys.stderr)
    return code
