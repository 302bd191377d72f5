"""Messages on stderr: sentences for people, or a JSON object per line for machines."""

import logging
import os
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from halfhour.cli.spelling import option_name
from halfhour.errors import DEBUG_VARIABLE, HalfhourError, spell_parameters
from halfhour.model.vocabulary import LogFormat
from halfhour.redaction import sanitize_lines

if TYPE_CHECKING:
    from stamina.instrumentation import RetryDetails

_MIN_LINE_WIDTH = 20

log = logging.getLogger("halfhour")

early_messages: dict[tuple[int, str], bool] = {}
"""Levels and texts of messages that come before the format of the log is known.

The value tells whether the message is logged.
"""


class _StderrHandler(logging.Handler):
    """Writes to the current `sys.stderr`, which a progress display replaces while it is shown."""

    def __init__(self, log_format: LogFormat) -> None:
        super().__init__()
        self.log_format = log_format
        self.organization = ""

    def emit(self, record: logging.LogRecord) -> None:
        event_fields: Mapping[str, Any] = getattr(record, "event", {})
        if self.log_format is LogFormat.JSON:
            import json  # imported late, because people read sentences

            fields = {
                "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
                "level": record.levelname.lower(),
                **(event_fields or {"message": spell_parameters(record.getMessage(), option_name)}),
            }
            harmless = {
                name: sanitize_lines(value) if isinstance(value, str) else value
                for name, value in fields.items()
            }
            print(json.dumps(harmless), file=sys.stderr, flush=True)
        elif message := spell_parameters(record.getMessage(), option_name):
            prefix = f"halfhour: {self.organization}: " if self.organization else "halfhour: "
            print(fit_terminal(f"{prefix}{sanitize_lines(message)}"), file=sys.stderr)


def begin_json_log(words: Sequence[str]) -> None:
    """Log as JSON from now on if the *words* of the command line ask for it.

    A mistake in these words, or in a settings file, ends a command before it begins its log.
    """
    options = (*words, *map("=".join, pairwise(words)))
    if f"--log-format={LogFormat.JSON}" in (option.lower().replace("_", "-") for option in options):
        _add_handler(LogFormat.JSON)


def _add_handler(log_format: LogFormat) -> _StderrHandler:
    handler = _StderrHandler(log_format)
    log.addHandler(handler)
    if log.level == logging.NOTSET:
        log.setLevel(logging.INFO)
    return handler


@contextmanager
def logging_to_stderr(log_format: LogFormat = LogFormat.TEXT) -> Iterator[None]:
    """Log to stderr inside the context.

    If it raises, the handler stays for the error's message. That of a JSON log always stays, for
    the last event, and a JSON log that has begun goes on.
    """
    handler = None if logs_json() else _add_handler(log_format)
    for (level, text), is_logged in early_messages.items():
        if not is_logged:
            early_messages[level, text] = True
            log.log(level, "%s", text)
    yield
    if handler and log_format is LogFormat.TEXT:
        log.removeHandler(handler)  # not reached after an error, which is still to be logged


def announce_early(level: int, text: str) -> None:
    """Log a message, once, as soon as the format of the log is known."""
    early_messages.setdefault((level, text), False)


def show_early_messages() -> None:
    """Log the messages that still wait, because the command has ended without a log."""
    if not all(early_messages.values()):
        with logging_to_stderr():
            pass


@contextmanager
def log_organization(name: str) -> Iterator[None]:
    """Log with the *name* of an organisation inside the context, and a failure of it after, too.

    An empty *name* adds nothing.
    """
    handlers = [handler for handler in log.handlers if isinstance(handler, _StderrHandler)]
    for handler in handlers:
        handler.organization = name
    try:
        yield
    except HalfhourError:
        raise  # the message of the error is still to be logged
    except BaseException:
        _forget_organization(handlers)
        raise
    _forget_organization(handlers)


def _forget_organization(handlers: Iterable[_StderrHandler]) -> None:
    for handler in handlers:
        handler.organization = ""


def set_verbosity(*, quiet: bool, verbose: bool, debug: bool) -> None:
    """Choose the messages that are shown; *debug* shows where an unexpected error came from."""
    if debug:
        os.environ[DEBUG_VARIABLE] = "1"  # processes of other organisations inherit it
    log.setLevel(logging.DEBUG if verbose or debug else logging.WARNING if quiet else logging.INFO)


def fit_terminal(text: str) -> str:
    """Return *text* with lines broken between words, if a terminal shows it."""
    if not sys.stderr.isatty():
        return text
    try:
        width = os.get_terminal_size(sys.stderr.fileno()).columns
    except OSError:
        return text
    if width <= 0:
        return text
    return "\n".join(
        textwrap.fill(
            line,
            max(width, _MIN_LINE_WIDTH),
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.split("\n")
    )


def is_interactive() -> bool:
    """Return whether a person can watch progress: on a terminal, not quiet, not logged as JSON."""
    return sys.stderr.isatty() and log.isEnabledFor(logging.INFO) and not logs_json()


def logs_json() -> bool:
    """Return whether a JSON log has begun."""
    return any(
        isinstance(handler, _StderrHandler) and handler.log_format is LogFormat.JSON
        for handler in log.handlers
    )


def log_table(text: str, events: Iterable[Mapping[str, Any]]) -> None:
    """Write a table to stderr: its *text* for people, or its rows as *events* of a JSON log."""
    if not logs_json():
        print(text, end="", file=sys.stderr, flush=True)
        return
    for event in events:
        log.info("", extra={"event": event})


def log_retries() -> None:
    """Log each request that is sent again. Every command that sends requests calls this first."""
    import stamina.instrumentation  # imported late, because other commands send none

    stamina.instrumentation.set_on_retry_hooks([_log_retry])


def _log_retry(details: "RetryDetails") -> None:
    log.warning("%s; retrying in %.1f s", details.caused_by, details.wait_for)
