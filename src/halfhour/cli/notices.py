"""What is said of a report once it is shown: how much there was, and what it lacks."""

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
    """What the parts of a report have told of *question*."""

    question: Question
    days: dict[Source, list[DayCoverage]] = field(default_factory=dict)
    _row_count: int = 0
    _provisional_count: int = 0
    _exceeding_count: int = 0
    _callbacks_count_twice: bool = False
    _column_names: Sequence[str] = ()
    _filled_columns: set[str] = field(default_factory=set)

    def add_part(self, part: pa.Table, found: ReportData) -> None:
        """Count a part in, which *found* has led to."""
        for source in self.question.required_sources:
            self.days.setdefault(source, []).extend(found.days_of_sources([source]))
        self._row_count += part.num_rows
        self._provisional_count += part["provisional"].to_pylist().count(True)
        if "exceeds_interval" in part.column_names:
            self._exceeding_count += part["exceeds_interval"].to_pylist().count(True)
        self._callbacks_count_twice |= found.lacks_callback_voice
        self._column_names = part.column_names
        self._filled_columns |= {
            name for name in part.column_names if part[name].null_count < len(part)
        }

    def log_summary(self) -> None:
        """Say what was shown, or why there may be nothing to show."""
        asked = self.question
        if not self._row_count:
            self._log_empty_report()
            return
        basis = "posted and worked" if asked.basis is Basis.BOTH else asked.basis
        log.info("%d rows, %s basis, %s", self._row_count, basis, asked.interval)
        if self._provisional_count:
            log.info(
                "%d of them are provisional: Genesys may still correct them",
                self._provisional_count,
            )
        if self._exceeding_count:
            log.info(
                "in %d of them more was posted than the interval has (exceeds_interval, ! in a "
                "table): it began earlier and was completed there",
                self._exceeding_count,
            )
        if self._callbacks_count_twice:
            log.info(
                "Genesys posts a callback twice, as callback and as voice; without conversation "
                "details callback_voice_time_sec cannot say how much of it that is: 'halfhour "
                "sync' reads them"
            )

    def log_empty_columns(self, *, stored: bool) -> None:
        """Say which columns have nothing, and what would fill them."""
        empty = self._empty_columns() if self._row_count else {}
        if self.question.has_work_filter and Source.STATUS in empty:
            del empty[Source.STATUS]
            log.info(
                "status is of all that an agent does, so with --queue or --media its columns are "
                "empty"
            )
        if not stored:
            if Source.STATUS in empty:
                log.info(
                    "without a store there is no status or occupancy; 'halfhour sync' makes one"
                )
            return
        for source, columns in empty.items():
            log.info(
                "no %s are held for these days, so these columns are empty: %s; 'halfhour sync' "
                "fetches them if the OAuth client's role has %s",
                source.resource_name,
                ", ".join(columns),
                source.required_permission,
            )
        settled = [each.settled for each in self.days.get(Source.POSTED, ()) if each.settled]
        if "transferred_count" in self._column_names and not all(
            day.has_transfers for day in settled
        ):
            log.info(
                "transferred_count is empty where there are days that an older halfhour has read, "
                "which did not ask for transfers"
            )

    def _empty_columns(self) -> dict[Source, list[str]]:
        """The columns of each source that nothing is known from."""
        columns: dict[Source, list[str]] = {}
        for each in FIGURES:
            if each.name in self._column_names:
                source = each.source or self.question.required_sources[0]
                columns.setdefault(source, []).append(each.name)
        return {
            of: names for of, names in columns.items() if self._filled_columns.isdisjoint(names)
        }

    def _log_empty_report(self) -> None:
        asked = self.question
        chosen = " for the queues and agents chosen" if asked.queues or asked.agents else ""
        log.warning(
            "nothing was posted%s in %s. Likely reasons: no interaction was completed then (a "
            "value is posted when its work ends); the OAuth client's role does not cover the "
            "division of these agents and queues (Genesys leaves those rows out without an "
            "error); or the client belongs to another organisation",
            chosen,
            asked.interval,
        )
