"""The command ``halfhour report``: answer a question, write the answer, and say what it lacks."""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pyarrow as pa

from halfhour.cli.console import talking
from halfhour.cli.notices import Account
from halfhour.cli.output import Shape, destination
from halfhour.cli.sync import show_progress
from halfhour.clock import now
from halfhour.errors import ConfigError
from halfhour.genesys.cost import preview
from halfhour.genesys.regions import Hosts
from halfhour.model.coverage import check, missing
from halfhour.model.data_dictionary import labelled
from halfhour.model.measures import CAPACITY_USED, FIGURES
from halfhour.model.question import Question
from halfhour.model.vocabulary import By, Format, Source
from halfhour.render import formats, layouts
from halfhour.reports import questions
from halfhour.reports.data import Found
from halfhour.service import Access, Part, answer

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
    print(json.dumps(preview(question, hosts), indent=2))


def report(question: Question, access: Access, shape: Shape) -> None:
    """Answer *question*, and print or write the answer. A table by interval is followed by each
    agent's averages.

    Raises Incomplete once everything that is there has been shown.
    """
    question = shape.question(question)
    account = Account(question)
    with_offered = bool(shape.layout) and layouts.load(shape.layout).wants_offered
    if with_offered and access.offline:
        raise ConfigError(
            f"--layout {shape.layout}: a store does not keep what queues were offered; "
            "leave out --offline"
        )
    with talking(), destination(shape, access.store) as write:
        parts: Iterable[Part] = answer(
            question,
            access,
            by_day=not _is_whole(question, shape),
            with_offered=with_offered,
            show_progress=show_progress,
        )
        below: dict[str, Iterable[pa.Table]] = {}
        if shape.form in formats.SEVERAL:
            (part,) = parts = list(parts)
            below = _below(question, part.data, shape.form)
        write({_TITLES[question.by]: _answers(question, parts, account), **below})
        account.tell()
        is_stored = bool(access.store) or Source.DETAILS in question.sources
        account.tell_of_empty_columns(stored=is_stored)
    if is_stored:
        check(account.days, question.interval)


def _answers(question: Question, parts: Iterable[Part], account: Account) -> Iterator[pa.Table]:
    for part in parts:
        table = _labelled(part.question, part.data, interval=str(question.interval))
        account.add(table, part.data)
        yield table


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


def _is_whole(question: Question, shape: Shape) -> bool:
    """Whether all of it must be there before the first row of it is known."""
    by_interval = question.by in (By.INTERVAL, By.QUEUE_INTERVAL)
    in_order = by_interval and not question.sort and question.top is None
    return shape.form in formats.SEVERAL | formats.DRAWN or not in_order
