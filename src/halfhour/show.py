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
from rich.console import Console
from rich.progress import Progress

from halfhour import fetch as fetching
from halfhour import plan as planning
from halfhour import reports, syncing, syncs
from halfhour.api import now
from halfhour.errors import ConfigError, StoreBusy, Unreachable, near_miss
from halfhour.found import Found
from halfhour.holdings import check, holdings, passing, reconciled, wish_of
from halfhour.intervals import Interval
from halfhour.measures import FIGURES
from halfhour.plan import Question
from halfhour.regions import Hosts
from halfhour.render import files, text
from halfhour.settings import Settings
from halfhour.store import Store
from halfhour.syncing import Wish
from halfhour.talk import talking, watched
from halfhour.vocabulary import Basis, By, Format, Source

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


def report(
    load: Callable[[], Settings],
    question: Question,
    form: Format,
    output: Path | None,
    *,
    store: Store | None = None,
    offline: bool = False,
) -> None:
    """Fetch, and print or write. A table by interval is followed by each agent's averages.

    With a *store* what it lacks is read into it first, unless *offline*, and
    it answers. Without one, what needs details is answered from one that is
    gone afterwards. Raises Incomplete once all that there is has been shown.
    """
    with talking(), _destination(output) as write, passing(store, question) as held:
        found = _held(load, question, held, offline) if held else _fetch(load(), question)
        if question.with_capacity:
            found = asyncio.run(fetching.with_capacity(load(), question, found))
        width = _width() if output is None else None
        questions = [question]
        if form is Format.TABLE and question.by is By.INTERVAL:
            questions.append(replace(question, by=By.AGENT))
        tables = [reports.report(asked, found) for asked in questions]
        write("\n".join(text.text(table, form, width) for table in tables))
        _account(tables[0], question, found)
        if held:
            _name_empty(tables[0])
    if held:
        check(found.days, question.interval)


def _held(load: Callable[[], Settings], question: Question, store: Store, offline: bool) -> Found:
    wish = wish_of(question)
    if not offline and any(syncing.due(store, wish, now()).values()):
        try:
            syncs.run(load(), store, wish, wait=False)
        except (StoreBusy, Unreachable) as error:
            log.warning("%s; showing what is held", error)
    return holdings(store, question, now())


def _fetch(settings: Settings, question: Question) -> Found:
    with Progress(console=Console(stderr=True), transient=True, disable=not watched()) as bar:
        task = bar.add_task("windows", total=None)
        return asyncio.run(
            fetching.fetch(
                settings,
                question,
                now(),
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


def _account(table: pa.Table, question: Question, found: Found) -> None:
    """Say what was shown, or why there may be nothing to show."""
    if table.num_rows:
        basis = "posted and worked" if question.basis is Basis.BOTH else question.basis
        log.info("%d rows, %s basis, %s", table.num_rows, basis, question.interval)
        if young := table["provisional"].to_pylist().count(True):
            log.info("%d of them are provisional: Genesys may still correct them", young)
        if found.counts_callbacks_twice:
            log.info(
                "calls that callbacks led to are posted under voice too, and count twice on days "
                "without conversation details; 'halfhour sync' reads those"
            )
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


def _name_empty(table: pa.Table) -> None:
    """Say which columns have nothing, and what would fill them."""
    for source in (Source.STATUS, Source.DETAILS):
        filled = [each.name for each in FIGURES if each.source is source]
        empty = [
            name
            for name in table.column_names
            if name in filled and table[name].null_count == table.num_rows > 0
        ]
        if empty:
            log.info(
                "empty, as no %s of these days is held: %s; 'halfhour sync' reads it, with the "
                "permission %s",
                source,
                ", ".join(empty),
                source.permission,
            )


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def coverage(store: Store, interval: Interval | None, form: Format, output: Path | None) -> None:
    """Print or write what *store* holds of each day of *interval*, or since its first."""
    store.settings()  # raises if there is no store, which holds nothing of any day
    days = syncing.held(store, Wish(interval), now())
    with talking(), _destination(output) as write:
        write(text.text(reports.coverage(days), form, _width() if output is None else None))


def revisions(store: Store, interval: Interval | None, form: Format, output: Path | None) -> None:
    """Print or write what reading days again has changed, in *interval* or ever."""
    with talking(), _destination(output) as write:
        table = store.revisions(interval)
        write(text.text(table, form, _width() if output is None else None))
        if not table.num_rows:
            log.info("nothing that was read again had changed")


def reconcile(store: Store, interval: Interval | None, form: Format, output: Path | None) -> None:
    """Print or write how posted and worked time differ, and say what is not explained."""
    table = reconciled(store, interval, now())
    with talking(), _destination(output) as write:
        write(text.text(table, form, _width() if output is None else None))
        if not table.num_rows:
            log.warning(
                "no day is held both of posted figures and of conversation details; "
                "'halfhour sync' reads both"
            )
            return
        if differing := sum(table["differing_interval_count"].to_pylist()):
            log.warning("posted and rebuilt differ in %d intervals", differing)
        else:
            log.info("posted and rebuilt agree in every interval")
        ids = " ".join(filter(None, table["unexplained_conversations"].to_pylist())).split()
        if ids:
            log.warning("unexplained: conversations %s", ", ".join(dict.fromkeys(ids)))
