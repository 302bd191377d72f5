"""What a command does once its words are understood: fetch, report, write, and talk of it."""

import asyncio
import json
import logging
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.progress import Progress

from halfhour import fetch as fetching
from halfhour import plan as planning
from halfhour import reports, syncing, syncs
from halfhour.accounts import Account
from halfhour.api import now
from halfhour.errors import ConfigError, StoreBusy, Unreachable, near_miss
from halfhour.found import Found
from halfhour.holdings import check, holdings, missing, passing, reconciled, wish_of
from halfhour.intervals import Interval
from halfhour.meanings import labelled
from halfhour.plan import Question
from halfhour.regions import Hosts
from halfhour.render import files, formats
from halfhour.settings import Settings
from halfhour.store import Store
from halfhour.syncing import Wish
from halfhour.talk import talking, watched
from halfhour.vocabulary import By, Format, Source
from halfhour.windows import DAY

_ENDINGS = {
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".ndjson": Format.NDJSON,
    ".parquet": Format.PARQUET,
    ".xlsx": Format.XLSX,
    ".html": Format.HTML,
    ".svg": Format.SVG,
    ".png": Format.PNG,
    ".txt": Format.TABLE,
}
_TITLES = {
    By.INTERVAL: "Half-hours",
    By.AGENT: "Agents",
    By.QUEUE: "Queues",
    By.MEDIA: "Media types",
    By.DAY: "Days",
}
_READ = {Source.POSTED: "conversation aggregates", Source.DETAILS: "conversation details"}

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
    seconds: bool = False,
) -> None:
    """Fetch, and print or write. A table by interval is followed by each agent's averages.

    With a *store* what it lacks is read into it first, unless *offline*, and
    it answers. Without one, what needs details is answered from one that is
    gone afterwards. Raises Incomplete once all that there is has been shown.
    """
    if form in formats.DRAWN and question.by is not By.INTERVAL:
        raise ConfigError(f"--format {form}: only with --by interval, whose half-hours it shows")
    account = Account(question)
    with (
        talking(),
        _destination(form, output, store, seconds=seconds) as write,
        passing(store, question) as held,
    ):
        if held:
            parts: Parts = _held(load, question, held, offline, whole=_is_whole(question, form))
        else:
            parts = [(question, _fetch(load(), question))]
        if question.with_capacity:
            parts = _with_capacity(load(), parts)
        below: dict[str, Iterable[pa.Table]] = {}
        if form in formats.SEVERAL:
            ((_, found),) = parts = list(parts)
            below = _below(question, found, form)
        write({_TITLES[question.by]: _answers(question, parts, account), **below})
        account.tell()
        if held:
            account.tell_of_empty_columns()
    if held:
        check(account.days, question.interval)


Parts = Iterable[tuple[Question, Found]]
"""A report part by part, oldest first: memory does not grow with the range."""


def _answers(question: Question, parts: Parts, account: Account) -> Iterator[pa.Table]:
    for asked, found in parts:
        answer = _labelled(asked, found, interval=str(question.interval))
        account.add(answer, found)
        yield answer


def _below(question: Question, found: Found, form: Format) -> dict[str, Iterable[pa.Table]]:
    """What a report is followed by: each agent's averages, and in a table the total."""
    below: dict[str, Iterable[pa.Table]] = {}
    if question.by is By.INTERVAL:
        agents = replace(question, by=By.AGENT, with_capacity=False, sort="", top=None)
        below[_TITLES[By.AGENT]] = [_labelled(agents, found)]
    if form is Format.TABLE:
        below["Total"] = [reports.total(question, found)]
    return below


def _labelled(asked: Question, found: Found, **facts: str) -> pa.Table:
    read = ", ".join(_READ[source] for source in asked.sources)
    return labelled(
        reports.report(asked, found),
        zone=str(asked.zone),
        source=read,
        made_at=f"{now():%Y-%m-%dT%H:%M:%SZ}",
        missing=", ".join(map(str, missing(found.days, asked.interval))),
        **facts,
    )


def _with_capacity(settings: Settings, parts: Parts) -> Parts:
    for asked, found in parts:
        yield asked, asyncio.run(fetching.with_capacity(settings, asked, found))


def _is_whole(question: Question, form: Format) -> bool:
    """Whether all of it must be there before the first row of it is known."""
    in_order = question.by is By.INTERVAL and not question.sort and question.top is None
    return form in formats.SEVERAL | formats.DRAWN or not in_order


def _held(
    load: Callable[[], Settings], question: Question, store: Store, offline: bool, *, whole: bool
) -> Parts:
    wish = wish_of(question)
    if not offline and any(syncing.due(store, wish, now()).values()):
        try:
            syncs.run(load(), store, wish, wait=False)
        except (StoreBusy, Unreachable) as error:
            log.warning("%s; showing what is held", error)
    days = question.interval.windows(DAY)
    parts = [question] if whole else [replace(question, interval=day) for day in days]
    return ((part, holdings(store, part, now())) for part in parts)


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
def _destination(
    form: Format, output: Path | None, store: Store | None, *, seconds: bool = False
) -> Iterator[Callable[[Mapping[str, Iterable[pa.Table]]], None]]:
    """What writes tables by their titles, in *form*. Raises ConfigError where that is no place."""
    if output is None:
        if form in formats.BINARY and sys.stdout.isatty():
            raise ConfigError(
                f"--format {form} is nothing to read in a terminal; name a file with --output"
            )
        yield lambda tables: formats.write(
            tables, form, sys.stdout.buffer, _width(), seconds=seconds
        )
        return
    if store and output.resolve() == store.path.resolve():
        raise ConfigError(f"--output {output}: that is the store; name another file")
    with files.replacing(output) as file:
        yield lambda tables: formats.write(tables, form, file, seconds=seconds)


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def coverage(store: Store, interval: Interval | None, form: Format, output: Path | None) -> None:
    """Print or write what *store* holds of each day of *interval*, or since its first."""
    store.settings()  # raises if there is no store, which holds nothing of any day
    days = syncing.held(store, Wish(interval), now())
    with talking(), _destination(form, output, store) as write:
        write({"Coverage": [labelled(reports.coverage(days), zone="UTC")]})


def revisions(store: Store, interval: Interval | None, form: Format, output: Path | None) -> None:
    """Print or write what reading days again has changed, in *interval* or ever."""
    with talking(), _destination(form, output, store) as write:
        table = store.revisions(interval)
        write({"Revisions": [labelled(table, zone="UTC")]})
        if not table.num_rows:
            log.info("nothing that was read again had changed")


def reconcile(store: Store, interval: Interval | None, form: Format, output: Path | None) -> None:
    """Print or write how posted and worked time differ, and say what is not explained."""
    table = reconciled(store, interval, now())
    with talking(), _destination(form, output, store) as write:
        write({"Reconciled": [labelled(table, zone="UTC")]})
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
