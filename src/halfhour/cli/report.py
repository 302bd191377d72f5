"""The command ``halfhour report``: answer a question, write the report, log what it lacks."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import pyarrow as pa

from halfhour.cli.console import log_organization, log_retries, logging_to_stderr
from halfhour.cli.notices import ReportNotices
from halfhour.cli.output import Output, open_output
from halfhour.cli.progress import show_progress
from halfhour.cli.spelling import option_name
from halfhour.clock import utc_now
from halfhour.errors import ConfigError, Incomplete
from halfhour.model.coverage import missing_intervals, require_complete_coverage
from halfhour.model.data_dictionary import label_table
from halfhour.model.measures import CAPACITY_USED_COLUMN, FIGURES
from halfhour.model.question import Question
from halfhour.model.vocabulary import By, Format, Source
from halfhour.render import formats
from halfhour.reports import questions
from halfhour.reports.agent_names import mark_gone_agents
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
    write_organizations_report(question, {"": access}, output)


def write_organizations_report(
    question: Question, accesses: Mapping[str, Access], output: Output
) -> None:
    """Answer *question* for each organisation of *accesses*, and write one report to *output*.

    The rows of an organisation have its name in a first column, `org`, unless it is empty. They
    follow those of the one before if the question sets no order.
    Raises Incomplete as `write_report` does.
    """
    if all(accesses):
        output.require_room_for_organizations()
    question = output.adapt_question(question)
    questions.validate_sort(question)
    with_offered = bool((layout := output.load_layout()) and layout.wants_offered)
    is_offline = any(access.offline for access in accesses.values())
    if with_offered and is_offline:
        raise ConfigError(
            f"--layout {output.layout}: a store does not keep offered interactions; leave out "
            "--offline"
        )
    if not is_offline:
        log_retries()
    reports = [_Report(question, name, access, output) for name, access in accesses.items()]
    stores = [access.store for access in accesses.values()]
    with logging_to_stderr(), open_output(output, *stores) as write_tables:
        tables: Iterable[pa.Table] = chain.from_iterable(
            report.build_tables(with_offered) for report in reports
        )
        if _needs_whole_range(question, output):
            tables = _merge_tables(question, list(tables))
        write_tables({_TABLE_TITLES[question.by]: tables, **_merge_summaries(reports)})
        for report in reports:
            report.log_notices()
    _require_complete_coverage(question, reports)


@dataclass(slots=True)
class _Report:
    """The report about an organisation, or about the only one, whose name is empty."""

    question: Question
    name: str
    access: Access
    output: Output
    notices: ReportNotices = field(init=False)
    summaries: dict[str, pa.Table] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.notices = ReportNotices(self.question)

    @property
    def is_stored(self) -> bool:
        return bool(self.access.store) or Source.DETAILS in self.question.required_sources

    def build_tables(self, with_offered: bool) -> Iterator[pa.Table]:
        """Yield the report in one part, or in one for each day if the format allows it."""
        with log_organization(self.name):
            yield from answer(
                self.question,
                self.access,
                self._build_part,
                by_day=not _needs_whole_range(self.question, self.output),
                with_offered=with_offered,
                show_progress=show_progress,
            )

    def _build_part(self, part: Part) -> pa.Table:
        interval, form = str(self.question.interval), self.output.form
        table = _labelled_report(part.question, part.data, self.name, form, interval=interval)
        self.notices.add_part(table, part.data)
        if form in formats.MULTI_TABLE_FORMATS:
            self.summaries = _summary_tables(part.question, part.data, form, self.name)
        return table

    def log_notices(self) -> None:
        """Log what the report has and what it lacks."""
        with log_organization(self.name):
            self.notices.log_footer(
                stored=self.is_stored, marks_rows=self.output.form is Format.TABLE
            )


def _merge_tables(question: Question, tables: Sequence[pa.Table]) -> list[pa.Table]:
    """Return one table of *tables*, each of an organisation, in the order of *question*."""
    if len(tables) == 1:
        return [*tables]
    merged = questions.sort_and_limit(pa.concat_tables(tables), question)
    labels = [table.schema.metadata for table in tables]
    listed = {
        key: b", ".join(dict.fromkeys(texts[key] for texts in labels if texts.get(key)))
        for key in (b"halfhour.source", b"halfhour.missing")
    }
    return [merged.replace_schema_metadata({**labels[0], **listed})]


def _merge_summaries(reports: Sequence[_Report]) -> dict[str, Iterable[pa.Table]]:
    titles = dict.fromkeys(title for report in reports for title in report.summaries)
    return {title: [report.summaries[title] for report in reports] for title in titles}


def _require_complete_coverage(question: Question, reports: Sequence[_Report]) -> None:
    """Raise Incomplete, for each organisation that lacks data, unless all of it is stored."""
    reasons = []
    for report in reports:
        try:
            if report.is_stored:
                require_complete_coverage(report.notices.days, question.interval)
        except Incomplete as error:
            reason = error.spelled(option_name)
            reasons.append(f"{report.name}: {reason}" if report.name else reason)
    if reasons:
        raise Incomplete("\n  ".join(reasons))


def _summary_tables(
    question: Question, data: ReportData, form: Format, organization: str
) -> dict[str, pa.Table]:
    """Return the tables below a report: each agent's averages, and in readable forms the total."""
    summaries: dict[str, pa.Table] = {}
    if question.by is By.INTERVAL:
        agents = replace(question, by=By.AGENT, with_capacity=False, sort="", top=None)
        summaries[_TABLE_TITLES[By.AGENT]] = _labelled_report(agents, data, organization, form)
    if form in (Format.TABLE, Format.HTML):
        total = questions.build_total(question, data)
        summaries["Total"] = _name_organization(total, organization)
    return summaries


def _name_organization(table: pa.Table, organization: str) -> pa.Table:
    return questions.name_organization(table, organization) if organization else table


def _labelled_report(
    question: Question, data: ReportData, organization: str, form: Format, **labels: str
) -> pa.Table:
    table = _name_organization(questions.build_report(question, data), organization)
    if form in formats.FORMATS_FOR_PEOPLE:
        table = mark_gone_agents(table, data.table("agents"))
    days = data.days_of_sources(question.required_sources)
    prefix = f"{organization} " if organization else ""
    missing = dict.fromkeys(
        f"{prefix}{interval}" for interval in missing_intervals(days, question.interval)
    )
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
