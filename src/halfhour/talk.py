"""Talk on stderr: sentences for people, or a line of JSON each for machines."""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import stamina.instrumentation

from halfhour.vocabulary import Log

log = logging.getLogger("halfhour")


class _Stderr(logging.Handler):
    """Asks for stderr anew each time: while progress is shown, it is another."""

    def __init__(self, form: Log) -> None:
        super().__init__()
        self._form = form

    def emit(self, record: logging.LogRecord) -> None:
        more: Mapping[str, Any] = getattr(record, "event", {})
        if self._form is Log.JSON:
            told = {
                "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
                "level": record.levelname.lower(),
                **(more or {"message": record.getMessage()}),
            }
            print(json.dumps(told), file=sys.stderr, flush=True)
        elif not more:
            print(f"halfhour: {record.getMessage()}", file=sys.stderr)


@contextmanager
def talking(form: Log = Log.TEXT) -> Iterator[None]:
    """What is logged is said, for as long as the context lasts."""
    handler = _Stderr(form)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    stamina.instrumentation.set_on_retry_hooks([_retrying])
    try:
        yield
    finally:
        log.removeHandler(handler)


def watched() -> bool:
    """Whether there is somebody to show progress to."""
    return sys.stderr.isatty()


def _retrying(details: stamina.instrumentation.RetryDetails) -> None:
    log.warning("%s; trying again in %.1f s", details.caused_by, details.wait_for)
