"""What a command does once its words are understood: fetch, report, write, and talk of it."""

import asyncio
import json
import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import stamina.instrumentation
from rich.console import Console
from rich.progress import Progress

from halfhour import plan as planning
from halfhour import reports
from halfhour.errors import ConfigError, near_miss
from halfhour.fetch import Fetched, fetch
from halfhour.plan import Question
from halfhour.regions import Hosts
from halfhour.render import files, text
from halfhour.settings import Settings
from halfhour.vocabulary import By, Format

_ENDINGS = {".csv": Format.CSV, ".json": Format.JSON, ".txt": Format.TABLE}

log = logging.getLogger("halfhour")


def form_of(output: Path | None) -> Format:
    """The format that a file's ending stands for. Raises ConfigError for any other ending."""
    if output is None:
        return Format.TABLE
    if output.suffix.lower() not in _ENDINGS:
        hint = near_miss(output.suffix, _ENDINGS)
        raise ConfigError(
            f"--output {output}: the ending is none of {', '.join(_ENDINGS)}{hint}; "
            "say which with --format"
        )
    return _ENDINGS[output.suffix.lower()]


def plan(question: Question, hosts: Hosts) -> None:
    """Print the requests that would be sent."""
    print(json.dumps(planning.preview(question, hosts), indent=2))


def report(settings: Settings, question: Question, form: Format, output: Path | None) -> None:
    """Fetch, and print or write. A table by interval is followed by each agent's averages."""
    with _talk(), _destination(output) as write:
        fetched = _fetch(settings, question)
        width = _width() if output is None else None
        questions = [question]
        if form is Format.TABLE and question.by is By.INTERVAL:
            questions.append(replace(question, by=By.AGENT))
        tables = [
            reports.report(asked, posted=fetched.posted, agents=fetched.agents)
            for asked in questions
        ]
        write("\n".join(text.text(table, form, width) for table in tables))
        _account(tables[0], question)


def _fetch(settings: Settings, question: Question) -> Fetched:
    with Progress(console=Console(stderr=True), transient=True, disable=not _watched()) as bar:
        task = bar.add_task("windows", total=None)
        return asyncio.run(
            fetch(
                settings,
                question,
                lambda done, of: bar.update(task, completed=done, total=of),
            )
        )


@contextmanager
def _destination(output: Path | None) -> Iterator[Callable[[str], object]]:
    if output is None:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        yield sys.stdout.write
        return
    with files.replacing(output) as file:
        yield lambda written: file.write(written.encode())


def _account(table: pa.Table, question: Question) -> None:
    """Say what was shown, or why there may be nothing to show."""
    if table.num_rows:
        log.info("%d rows, posted basis, %s", table.num_rows, question.interval)
        return
    chosen = " for the queues and agents chosen" if question.queues or question.agents else ""
    log.warning(
        "nothing was posted%s in %s. Likely reasons: no interaction was completed then (a value "
        "is posted when its work ends); the OAuth client's role does not cover the division of "
        "these agents and queues (Genesys leaves those rows out without an error); or the client "
        "belongs to another organisation",
        chosen,
        question.interval,
    )


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _watched() -> bool:
    return sys.stderr.isatty()


class _Stderr(logging.Handler):
    """Asks for stderr anew each time: while progress is shown, it is another."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"halfhour: {record.getMessage()}", file=sys.stderr)


@contextmanager
def _talk() -> Iterator[None]:
    handler = _Stderr()
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    stamina.instrumentation.set_on_retry_hooks([_retrying])
    try:
        yield
    finally:
        log.removeHandler(handler)


def _retrying(details: stamina.instrumentation.RetryDetails) -> None:
    log.warning("%s; trying again in %.1f s", details.caused_by, details.wait_for)
