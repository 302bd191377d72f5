"""The end of the process: its last message and its exit code."""

import io
import logging
import os
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from cyclopts import CycloptsError

from halfhour import errors
from halfhour.cli.console import fit_terminal, logs_json, show_early_messages
from halfhour.cli.signals import SignalHandlers
from halfhour.cli.spelling import option_name
from halfhour.redaction import MAX_QUOTED_LENGTH, sanitize_lines, sanitize_text

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


log = logging.getLogger("halfhour")

ENDED = "ended"
"""The last event of a JSON log, with the exit code, and the reason if the command failed.

A command that goes on, such as a sync with --watch, logs it after a turn that failed, too.
"""


class ExitCode(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CREDENTIALS = 3
    UNREACHABLE = 4
    INCOMPLETE = 5
    INTERRUPTED = 130
    TERMINATED = 143


class SyncsFailed(errors.Incomplete):
    """Syncs of several organisations failed, and the message lists them."""

    def __init__(self, message: str, exit_code: ExitCode) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def run_and_exit(command: Callable[[], object]) -> NoReturn:
    """Run *command* and exit. An error ends in one sentence on stderr and in its exit code."""
    # If stdout is closed (>&-), the next file that is opened would become stdout.
    sys.stdout = _StdoutWriter.wrap_stdout(sys.stdout or open(os.devnull, "w"))  # noqa: SIM115, PTH123
    code = ExitCode.INTERRUPTED
    with SignalHandlers() as signals:
        try:
            code = _run_command(command, signals)
        except BaseException as error:  # asyncio's own, if a signal arrives while it starts
            if not (signals.terminated or isinstance(error, KeyboardInterrupt)):
                raise
            signals.silence_shutdown()
            code = ExitCode.TERMINATED if signals.terminated else ExitCode.INTERRUPTED
            _announce_exit(code.name.lower(), code)
    sys.exit(ExitCode.TERMINATED if signals.terminated else code)


class _StdoutWriter(io.RawIOBase):
    """Standard output whose write errors are WriteError, distinct from any other OSError."""

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout  # keeps it from being closed
        self._raw: Any = getattr(stdout.buffer, "raw", stdout.buffer)  # python -u has no buffer

    @classmethod
    def wrap_stdout(cls, stdout: TextIO) -> TextIO:
        """Return a text stream like *stdout* that raises WriteError."""
        return io.TextIOWrapper(
            io.BufferedWriter(cls(stdout)),
            encoding=stdout.encoding,
            errors=stdout.errors,
            line_buffering=stdout.isatty(),
        )

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stdout.fileno()

    def isatty(self) -> bool:
        return self._stdout.isatty()

    def write(self, data: "ReadableBuffer") -> int | None:
        try:
            byte_count: int | None = self._raw.write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise errors.WriteError(f"standard output is incomplete: {error.strerror}") from error
        return byte_count


def _run_command(command: Callable[[], object], signals: SignalHandlers) -> ExitCode:
    """Run *command* and announce its end. Raises KeyboardInterrupt if a signal interrupted it."""
    try:
        command()
        show_early_messages()
        sys.stdout.flush()
    except Exception as error:
        if isinstance(error, BrokenPipeError | errors.WriteError):
            _discard_stdout()
        if signals.have_arrived():  # libraries make an error of their own of an interrupt
            raise KeyboardInterrupt from error
        return announce_error(error)
    if signals.terminated:
        raise KeyboardInterrupt
    if logs_json():
        log.info("", extra={"event": {"event": ENDED, "exit_code": ExitCode.DONE}})
    return ExitCode.DONE


def announce_error(error: Exception) -> ExitCode:
    """Log *error* as the end of a command, or of a turn of one that goes on; return its code."""
    match error:
        case CycloptsError():
            # Imported late, because only a mistyped command needs it.
            from halfhour.cli.usage_errors import describe_usage_error

            return _announce_exit(describe_usage_error(error), ExitCode.USAGE)
        case errors.HalfhourError():
            return _announce_exit(error.spelled(option_name), exit_code_of(error))
        case BrokenPipeError():  # the reader, such as head, needs no more
            return ExitCode.DONE
        case _ if os.environ.get(errors.DEBUG_VARIABLE):
            lines = "".join(traceback.format_exception(error)).splitlines()
            print(*map(sanitize_text, lines), sep="\n", file=sys.stderr)
            return ExitCode.FAILED
        case _:
            return _announce_exit(_describe_unexpected(error), ExitCode.FAILED)


def _describe_unexpected(error: Exception) -> str:
    reason = sanitize_text(str(error), MAX_QUOTED_LENGTH)
    if isinstance(error, OSError):
        return f"the operating system reported an error: {reason} (--debug shows where)"
    return (
        f"unexpected {type(error).__name__}: {reason}; this is a bug, please report it "
        "(--debug shows where)"
    )


def _discard_stdout() -> None:
    """Send the rest of the output to nowhere, or Python fails on it again when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def exit_code_of(error: errors.HalfhourError) -> ExitCode:
    """Return the exit code of a command that *error* ends."""
    match error:
        case SyncsFailed():
            return error.exit_code
        case errors.ConfigError():
            return ExitCode.USAGE
        case errors.AuthError() | errors.ApiError(status=401 | 403):
            return ExitCode.CREDENTIALS
        case errors.Unreachable():
            return ExitCode.UNREACHABLE
        case errors.Incomplete():
            return ExitCode.INCOMPLETE
        case _:
            return ExitCode.FAILED


def _announce_exit(message: str, code: ExitCode) -> ExitCode:
    show_early_messages()
    if log.handlers:  # logging has begun, as text or as JSON
        event = {"event": ENDED, "exit_code": code, "reason": message}
        log.error("%s", message, extra={"event": event})
    else:
        print(fit_terminal(f"halfhour: {sanitize_lines(message)}"), file=sys.stderr)
    return code
