"""The command ``halfhour report``: answer a question, write the report, log what it lacks."""

import logging
from collections.abc import Iterable
from dataclasses import replace

import pyarrow as pa

from halfhour.cli.console import log_retries, logging_to_stderr
from halfhour.cli.notices import ReportNotices
from halfhour.cli.output import Output, open_output
from halfhour.cli.progress import show_progress
from halfhour.clock import utc_now
from halfhour.errors import ConfigError
from halfhour.model.coverage import missing_intervals, require_complete_coverage
from halfhour.model.data_dictionary import label_table
from halfhour.model.measures import CAPACITY_USED_COLUMN, FIGURES
from halfhour.model.question import Question
from halfhour.model.vocabulary import By, Format, Source
from halfhour.render import formats
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


def write_report(question: Question, access: Access, output: Output) -> None:
    """Answer *question*, and write the report to *output*.

    A table by interval is followed by each agent's averages.
    Raises Incomplete after the report is written if data is missing.
    """
    question = output.adapt_question(question)
    notices = ReportNotices(question)
    layout = output.load_layout()
    with_offered = bool(layout and layout.wants_offered)
    if with_offered and access.offline:
        raise ConfigError(
            f"--layout {output.layout}: a store does not keep offered interactions; leave out "
            "--offline"
        )
    if not access.offline:
        log_retries()
    with logging_to_stderr(), open_output(output, access.store) as write_tables:
        summaries: dict[str, Iterable[pa.Table]] = {}

        def build(part: Part) -> pa.Table:
            table = _labelled_report(part.question, part.data, interval=str(question.interval))
            notices.add_part(table, part.data)
            if output.form in formats.MULTI_TABLE_FORMATS:
                summaries.update(_summary_tables(question, part.data, output.form))
            return table

        tables: Iterable[pa.Table] = answer(
            question,
            access,
            build,
            by_day=not _needs_whole_range(question, output),
            with_offered=with_offered,
            show_progress=show_progress,
        )
        if output.form in formats.MULTI_TABLE_FORMATS:
            tables = list(tables)  # so that the summaries are there
        write_tables({_TABLE_TITLES[question.by]: tables, **summaries})
        notices.log_summary()
        is_stored = bool(access.store) or Source.DETAILS in question.required_sources
        notices.log_empty_columns(stored=is_stored)
    if is_stored:
        require_complete_coverage(notices.days, question.interval)


def _summary_tables(
    question: Question, data: ReportData, form: Format
) -> dict[str, Iterable[pa.Table]]:
    """Return the tables below a report: each agent's averages, and in readable forms the total."""
    summaries: dict[str, Iterable[pa.Table]] = {}
    if question.by is By.INTERVAL:
        agents = replace(question, by=By.AGENT, with_capacity=False, sort="", top=None)
        summaries[_TABLE_TITLES[By.AGENT]] = [_labelled_report(agents, data)]
    if form in (Format.TABLE, Format.HTML):
        summaries["Total"] = [questions.build_total(question, data)]
    return summaries


def _labelled_report(question: Question, data: ReportData, **labels: str) -> pa.Table:
    table = questions.build_report(question, data)
    days = data.days_of_sources(question.required_sources)
    missing = dict.fromkeys(map(str, missing_intervals(days, question.interval)))
    return label_table(
        table,
        zone=str(question.zone),
        source=", ".join(_source_names(question, table)),
        made_at=f"{utc_now():%Y-%m-%dT%H:%M:%SZ}",
        missing=", ".join(missing),
        **labels,
    )


def _source_names(question: Question, table: pa.Table) -> list[str]:
    """Return the names of the sources that *question* needs or that *table* has values from."""
    filled = {name for name in table.column_names if table[name].null_count < len(table)}
    sources = {figure.source for figure in FIGURES if figure.name in filled} | {
        *question.required_sources
    }
    names = [source.resource_name for source in Source if source in sources]
    return [*names, *(["agent utilization aggregates"] if CAPACITY_USED_COLUMN in filled else [])]


def _needs_whole_range(question: Question, output: Output) -> bool:
    """Return whether the report must be complete before its first row can be written."""
    by_interval = question.by in (By.INTERVAL, By.QUEUE_INTERVAL)
    in_time_order = by_interval and not question.sort and question.top is None
    return output.form in formats.MULTI_TABLE_FORMATS | formats.CHART_FORMATS or not in_time_order
