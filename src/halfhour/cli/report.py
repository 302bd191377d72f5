"""The command ``halfhour report``: answer a question, write the answer, and say what it lacks."""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pyarrow as pa

from halfhour.cli.console import logging_to_stderr
from halfhour.cli.notices import ReportNotices
from halfhour.cli.output import Output, open_output
from halfhour.cli.sync import show_progress
from halfhour.clock import utc_now
from halfhour.errors import ConfigError
from halfhour.genesys.cost import preview_requests
from halfhour.genesys.regions import Hosts
from halfhour.model.coverage import missing_intervals, require_complete_coverage
from halfhour.model.data_dictionary import label_table
from halfhour.model.measures import CAPACITY_USED_COLUMN, FIGURES
from halfhour.model.question import Question
from halfhour.model.vocabulary import By, Format, Source
from halfhour.render import formats, layouts
from halfhour.reports import questions
from halfhour.reports.data import ReportData
from halfhour.service import Access, Part, answer

_TABLE_TITLES = {
    By.INTERVAL: "Intervals",
    By.AGENT: "Agents",
    By.QUEUE: "Queues",
    By.QUEUE_INTERVAL: "Queues by interval",
    By.MEDIA: "Media types",
    By.DAY: "Days",
}

log = logging.getLogger("halfhour")


def print_requests(question: Question, hosts: Hosts) -> None:
    """Print the requests that would be sent."""
    print(json.dumps(preview_requests(question, hosts), indent=2))


def write_report(question: Question, access: Access, shape: Output) -> None:
    """Answer *question*, and print or write the answer. A table by interval is followed by each
    agent's averages.

    Raises Incomplete once everything that is there has been shown.
    """
    question = shape.adapt_question(question)
    account = ReportNotices(question)
    with_offered = bool(shape.layout) and layouts.load_layout(shape.layout).wants_offered
    if with_offered and access.offline:
        raise ConfigError(
            f"--layout {shape.layout}: a store does not keep what queues were offered; "
            "leave out --offline"
        )
    with logging_to_stderr(), open_output(shape, access.store) as write:
        parts: Iterable[Part] = answer(
            question,
            access,
            by_day=not _needs_whole_range(question, shape),
            with_offered=with_offered,
            show_progress=show_progress,
        )
        below: dict[str, Iterable[pa.Table]] = {}
        if shape.form in formats.MULTI_TABLE_FORMATS:
            (part,) = parts = list(parts)
            below = _summary_tables(question, part.data, shape.form)
        write({_TABLE_TITLES[question.by]: _report_tables(question, parts, account), **below})
        account.log_summary()
        is_stored = bool(access.store) or Source.DETAILS in question.required_sources
        account.log_empty_columns(stored=is_stored)
    if is_stored:
        require_complete_coverage(account.days, question.interval)


def _report_tables(
    question: Question, parts: Iterable[Part], account: ReportNotices
) -> Iterator[pa.Table]:
    for part in parts:
        table = _labelled_report(part.question, part.data, interval=str(question.interval))
        account.add_part(table, part.data)
        yield table


def _summary_tables(
    question: Question, found: ReportData, form: Format
) -> dict[str, Iterable[pa.Table]]:
    """What a report is followed by: each agent's averages, and for people to read the total."""
    below: dict[str, Iterable[pa.Table]] = {}
    if question.by is By.INTERVAL:
        agents = replace(question, by=By.AGENT, with_capacity=False, sort="", top=None)
        below[_TABLE_TITLES[By.AGENT]] = [_labelled_report(agents, found)]
    if form in (Format.TABLE, Format.HTML):
        below["Total"] = [questions.build_total(question, found)]
    return below


def _labelled_report(asked: Question, found: ReportData, **facts: str) -> pa.Table:
    held, table = (
        found.days_of_sources(asked.required_sources),
        questions.build_report(asked, found),
    )
    return label_table(
        table,
        zone=str(asked.zone),
        source=", ".join(_source_names(asked, table)),
        made_at=f"{utc_now():%Y-%m-%dT%H:%M:%SZ}",
        missing=", ".join(dict.fromkeys(map(str, missing_intervals(held, asked.interval)))),
        **facts,
    )


def _source_names(asked: Question, table: pa.Table) -> list[str]:
    """Name all that the figures of *table* come from, as far as it has any of them."""
    filled = {name for name in table.column_names if table[name].null_count < len(table)}
    sources = {figure.source for figure in FIGURES if figure.name in filled} | {
        *asked.required_sources
    }
    names = [source.resource_name for source in Source if source in sources]
    return [*names, *(["agent utilization aggregates"] if CAPACITY_USED_COLUMN in filled else [])]


def _needs_whole_range(question: Question, shape: Output) -> bool:
    """Whether all of it must be there before the first row of it is known."""
    by_interval = question.by in (By.INTERVAL, By.QUEUE_INTERVAL)
    in_order = by_interval and not question.sort and question.top is None
    return shape.form in formats.MULTI_TABLE_FORMATS | formats.CHART_FORMATS or not in_order
