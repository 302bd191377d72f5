"""What a command does once its words are understood: fetch, report, write, and talk of it."""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.progress import Progress

from halfhour.api import now
from halfhour.cli import sync
from halfhour.cli.console import talking, watched
from halfhour.cli.notices import Account
from halfhour.cli.output import Shape, destination
from halfhour.errors import ConfigError, StoreError, Unreachable
from halfhour.genesys import requests as planning
from halfhour.genesys.regions import Hosts
from halfhour.genesys.requests import Question
from halfhour.ingest import queries as fetching
from halfhour.model.coverage import DAY
from halfhour.model.data_dictionary import labelled
from halfhour.model.intervals import Interval
from halfhour.model.measures import CAPACITY_USED, FIGURES
from halfhour.model.vocabulary import By, Format, Source
from halfhour.redaction import harmless
from halfhour.render import formats, layouts
from halfhour.reports import questions
from halfhour.reports.data import Found
from halfhour.reports.from_store import check, holdings, missing, passing, reconciled, wish_of
from halfhour.settings import Settings
from halfhour.store.store import Store
from halfhour.syncing import planner
from halfhour.syncing.planner import Wish
from halfhour.syncing.progress import LISTED

_TITLES = {
    By.INTERVAL: "Intervals",
    By.AGENT: "Agents",
    By.QUEUE: "Queues",
    By.QUEUE_INTERVAL: "Queues by interval",
    By.MEDIA: "Media types",
    By.DAY: "Days",
}

log = logging.getLogger("halfhour")


def plan(question: Question, hosts: Hosts) -> None:
    """Print the requests that would be sent."""
    print(json.dumps(planning.preview(question, hosts), indent=2))


def report(
    load: Callable[[], Settings],
    question: Question,
    shape: Shape,
    *,
    store: Store | None = None,
    offline: bool = False,
) -> None:
    """Fetch, and print or write. A table by interval is followed by each agent's averages.

    With a *store* what it lacks is read into it first, unless *offline*, and
    it answers. Without one, what needs details is answered from one that is
    gone afterwards. Raises Incomplete once all that there is has been shown.
    """
    question = shape.question(question)
    account = Account(question)
    with (
        talking(),
        destination(shape, store) as write,
        passing(store, question) as held,
    ):
        if held:
            parts: Parts = _held(load, question, held, offline, whole=_is_whole(question, shape))
        else:
            parts = [(question, _fetch(load(), question))]
        if question.with_capacity:
            parts = _also(fetching.with_capacity, load(), parts)
        if shape.layout and layouts.load(shape.layout).wants_offered:
            if offline:
                raise ConfigError(
                    f"--layout {shape.layout}: a store does not keep what queues were offered; "
                    "leave out --offline"
                )
            parts = _also(fetching.with_offered, load(), parts)
        if shape.pseudonyms:
            parts = ((asked, shape.pseudonyms.found(found)) for asked, found in parts)
        below: dict[str, Iterable[pa.Table]] = {}
        if shape.form in formats.SEVERAL:
            ((_, found),) = parts = list(parts)
            below = _below(question, found, shape.form)
        write({_TITLES[question.by]: _answers(question, parts, account), **below})
        account.tell()
        account.tell_of_empty_columns(stored=held is not None)
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
    """What a report is followed by: each agent's averages, and for people to read the total."""
    below: dict[str, Iterable[pa.Table]] = {}
    if question.by is By.INTERVAL:
        agents = replace(question, by=By.AGENT, with_capacity=False, sort="", top=None)
        below[_TITLES[By.AGENT]] = [_labelled(agents, found)]
    if form in (Format.TABLE, Format.HTML):
        below["Total"] = [questions.total(question, found)]
    return below


def _labelled(asked: Question, found: Found, **facts: str) -> pa.Table:
    held, table = found.held(asked.sources), questions.report(asked, found)
    return labelled(
        table,
        zone=str(asked.zone),
        source=", ".join(_sources(asked, table)),
        made_at=f"{now():%Y-%m-%dT%H:%M:%SZ}",
        missing=", ".join(dict.fromkeys(map(str, missing(held, asked.interval)))),
        **facts,
    )


def _sources(asked: Question, table: pa.Table) -> list[str]:
    """Name all that the figures of *table* come from, as far as it has any of them."""
    filled = {name for name in table.column_names if table[name].null_count < len(table)}
    sources = {figure.source for figure in FIGURES if figure.name in filled} | {*asked.sources}
    names = [source.called for source in Source if source in sources]
    return [*names, *(["agent utilization aggregates"] if CAPACITY_USED in filled else [])]


def _also(
    more: Callable[[Settings, Question, Found], Coroutine[Any, Any, Found]],
    settings: Settings,
    parts: Parts,
) -> Parts:
    """*parts* with what a store does not keep."""
    for asked, found in parts:
        yield asked, asyncio.run(more(settings, asked, found))


def _is_whole(question: Question, shape: Shape) -> bool:
    """Whether all of it must be there before the first row of it is known."""
    by_interval = question.by in (By.INTERVAL, By.QUEUE_INTERVAL)
    in_order = by_interval and not question.sort and question.top is None
    return shape.form in formats.SEVERAL | formats.DRAWN or not in_order


def _held(
    load: Callable[[], Settings], question: Question, store: Store, offline: bool, *, whole: bool
) -> Parts:
    wish = wish_of(question, store)
    if not offline and any(planner.due(store, wish, now()).values()):
        try:
            sync.run(load(), store, wish, wait=False)
        except (StoreError, Unreachable) as error:
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


def _disguised(table: pa.Table, shape: Shape) -> pa.Table:
    return shape.pseudonyms.table(table) if shape.pseudonyms else table


def coverage(store: Store, interval: Interval | None, shape: Shape) -> None:
    """Print or write what *store* holds of each day of *interval*, or since its first."""
    store.settings()  # raises if there is no store, which holds nothing of any day
    days = planner.held(store, Wish(interval), now())
    with talking(), destination(shape, store) as write:
        write({"Coverage": [labelled(questions.coverage(days), zone="UTC")]})


def revisions(store: Store, interval: Interval | None, shape: Shape) -> None:
    """Print or write what reading days again has changed, in *interval* or ever."""
    with talking(), destination(shape, store) as write:
        table = _disguised(store.revisions(interval), shape)
        write({"Revisions": [labelled(table, zone="UTC")]})
        if not table.num_rows:
            log.info("nothing that was read again had changed")


def reconcile(store: Store, interval: Interval | None, shape: Shape) -> None:
    """Print or write how posted and worked time differ, and say what is not explained."""
    table = _disguised(reconciled(store, interval, now()), shape)
    with talking(), destination(shape, store) as write:
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
        if unexplained := list(filter(_is_unexplained, table.to_pylist())):
            listed = "; ".join(map(_unexplained, unexplained[:LISTED]))
            more = f"; and {len(unexplained) - LISTED} more" if unexplained[LISTED:] else ""
            log.warning("unexplained: %s%s", listed, more)


def _is_unexplained(row: Mapping[str, Any]) -> bool:
    return bool(row["unexplained_ms"] or row["unexplained_conversations"])


def _unexplained(row: Mapping[str, Any]) -> str:
    ids = row["unexplained_conversations"].split()
    more = f" and {len(ids) - LISTED} more" if ids[LISTED:] else ""
    where = f"conversations {', '.join(ids[:LISTED])}{more}" if ids else "in no conversation"
    return f"{harmless(row['agent_name'])} on {row['day']}, {row['unexplained_ms']:,} ms ({where})"
