"""Talk on stderr: sentences for people, or a line of JSON each for machines."""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import stamina.instrumentation

from halfhour.cli.spelling import option_name
from halfhour.errors import spell_parameters
from halfhour.model.vocabulary import LogFormat
from halfhour.redaction import sanitize_lines

log = logging.getLogger("halfhour")


class _StderrHandler(logging.Handler):
    """Asks for stderr anew each time: while progress is shown, it is another."""

    def __init__(self, form: LogFormat) -> None:
        super().__init__()
        self.form = form

    def emit(self, record: logging.LogRecord) -> None:
        more: Mapping[str, Any] = getattr(record, "event", {})
        if self.form is LogFormat.JSON:
            told = {
                "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
                "level": record.levelname.lower(),
                **(more or {"message": spell_parameters(record.getMessage(), option_name)}),
            }
            shown = {
                name: sanitize_lines(value) if isinstance(value, str) else value
                for name, value in told.items()
            }
            print(json.dumps(shown), file=sys.stderr, flush=True)
        elif message := spell_parameters(record.getMessage(), option_name):
            print(f"halfhour: {sanitize_lines(message)}", file=sys.stderr)


@contextmanager
def logging_to_stderr(form: LogFormat = LogFormat.TEXT) -> Iterator[None]:
    """What is logged is said, for as long as the context lasts; and how it ended, if badly."""
    handler = _StderrHandler(form)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    stamina.instrumentation.set_on_retry_hooks([_log_retry])
    yield
    log.removeHandler(handler)  # not reached where it fails: that is still to be said


def is_interactive() -> bool:
    """Whether there is somebody to show progress to."""
    to_machines = any(
        isinstance(each, _StderrHandler) and each.form is LogFormat.JSON for each in log.handlers
    )
    return sys.stderr.isatty() and not to_machines


def _log_retry(details: stamina.instrumentation.RetryDetails) -> None:
    log.warning("%s; trying again in %.1f s", details.caused_by, details.wait_for)
