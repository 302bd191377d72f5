"""Notices below a report: how many rows it has, and what it lacks."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from halfhour.model.coverage import DayCoverage
from halfhour.model.measures import FIGURES
from halfhour.model.question import Question
from halfhour.model.vocabulary import Basis, Source
from halfhour.reports.data import ReportData

log = logging.getLogger("halfhour")


@dataclass(slots=True)
class ReportNotices:
    """Counts the parts of the report that answers *question*, for the notices below it."""

    question: Question
    days: dict[Source, list[DayCoverage]] = field(default_factory=dict)
    _row_count: int = 0
    _provisional_count: int = 0
    _exceeding_count: int = 0
    _callbacks_count_twice: bool = False
    _column_names: Sequence[str] = ()
    _filled_columns: set[str] = field(default_factory=set)

    def add_part(self, part: pa.Table, data: ReportData) -> None:
        """Add *part* of the report, which was made from *data*, to the counts."""
        for source in self.question.required_sources:
            self.days.setdefault(source, []).extend(data.days_of_sources([source]))
        self._row_count += part.num_rows
        self._provisional_count += part["provisional"].to_pylist().count(True)
        if "exceeds_interval" in part.column_names:
            self._exceeding_count += part["exceeds_interval"].to_pylist().count(True)
        self._callbacks_count_twice |= data.lacks_callback_voice
        self._column_names = part.column_names
        self._filled_columns |= {
            name for name in part.column_names if part[name].null_count < len(part)
        }

    def log_summary(self) -> None:
        """Log the size and range of the report, or the likely reasons why it is empty."""
        question = self.question
        if not self._row_count:
            self._log_empty_report()
            return
        basis = "posted and worked" if question.basis is Basis.BOTH else question.basis
        log.info("%d rows, %s basis, %s", self._row_count, basis, question.interval)
        if self._provisional_count:
            log.info(
                "%d rows are provisional: Genesys may still correct them",
                self._provisional_count,
            )
        if self._exceeding_count:
            log.info(
                "%d rows have a posted time longer than the interval (a table marks them with !, "
                "other formats in the column exceeds_interval): the work started earlier and was "
                "completed there",
                self._exceeding_count,
            )
        if self._callbacks_count_twice:
            log.info(
                "callbacks count twice here, as callback and as voice; run 'halfhour sync' to "
                "fetch conversation details, from which callback_voice_time_sec shows how much"
            )

    def log_empty_columns(self, *, stored: bool) -> None:
        """Log which columns are empty, and what to do to fill them."""
        empty_columns = self._empty_columns() if self._row_count else {}
        if self.question.has_work_filter and Source.STATUS in empty_columns:
            del empty_columns[Source.STATUS]
            log.info(
                "the status columns are empty: an agent's status belongs to no queue or media "
                "type; leave out --queue and --media to see it"
            )
        if not stored:
            if Source.STATUS in empty_columns:
                log.info(
                    "status and occupancy are empty, as they need a store; run 'halfhour sync' to "
                    "create one"
                )
            return
        for source, column_names in empty_columns.items():
            log.info(
                "these columns are empty: %s; the store has no %s for these days; run 'halfhour "
                "sync' to fetch them (the OAuth client's role needs %s)",
                ", ".join(column_names),
                source.resource_name,
                source.required_permission,
            )
        windows = [day.settled for day in self.days.get(Source.POSTED, ()) if day.settled]
        if "transferred_count" in self._column_names and not all(
            window.has_transfers for window in windows
        ):
            log.info(
                "transferred_count is empty on days that an older version of halfhour fetched "
                "without transfers; run 'halfhour sync --reread now' with --from and --to to "
                "fetch these days again"
            )

    def _empty_columns(self) -> dict[Source, list[str]]:
        """Return the columns of each source that has filled none of its columns."""
        columns: dict[Source, list[str]] = {}
        for figure in FIGURES:
            if figure.name in self._column_names:
                source = figure.source or self.question.required_sources[0]
                columns.setdefault(source, []).append(figure.name)
        return {
            source: names
            for source, names in columns.items()
            if self._filled_columns.isdisjoint(names)
        }

    def _log_empty_report(self) -> None:
        question = self.question
        choice = " for the chosen queues and agents" if question.queues or question.agents else ""
        log.warning(
            "nothing was posted%s in %s. Likely reasons: no interaction was completed in that "
            "time (a time is posted when the work ends); the OAuth client's role does not cover "
            "the division of these agents and queues (Genesys then leaves out their rows without "
            "an error); or the OAuth client belongs to another organisation",
            choice,
            question.interval,
        )
