"""Notices below a report: how many rows it has, and what it lacks."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from halfhour.clock import utc_now
from halfhour.model.coverage import DayCoverage, missing_intervals
from halfhour.model.data_dictionary import EXCEEDING_CAUSES
from halfhour.model.measures import FIGURES
from halfhour.model.question import Question
from halfhour.model.time_ranges import format_range
from halfhour.model.vocabulary import Basis, Source
from halfhour.reports.data import ReportData
from halfhour.syncing.progress import format_count

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
    _stored_sources: set[Source] = field(default_factory=set)

    def add_part(self, part: pa.Table, data: ReportData) -> None:
        """Add *part* of the report, which was made from *data*, to the counts."""
        for source in self.question.required_sources:
            self.days.setdefault(source, []).extend(data.days_of_sources([source]))
        self._stored_sources |= {source for source in Source if data.settled_days(source)}
        self._row_count += part.num_rows
        self._provisional_count += part["provisional"].to_pylist().count(True)
        if "exceeds_interval" in part.column_names:
            self._exceeding_count += part["exceeds_interval"].to_pylist().count(True)
        self._callbacks_count_twice |= data.lacks_callback_voice
        self._column_names = part.column_names
        self._filled_columns |= {
            name for name in part.column_names if part[name].null_count < len(part)
        }

    def log_footer(self, *, stored: bool, marks_rows: bool) -> None:
        """Log one line about the report: its size and range, and what it lacks in a few words.

        The logging level DEBUG adds a sentence about each. The line leaves out what the notes of
        a table say that *marks_rows*. An empty report ends in the likely reasons instead.
        """
        question = self.question
        if not self._row_count:
            self._log_empty_report()
            return
        notices = list(self._notices(stored=stored, marks_rows=marks_rows))
        basis = "posted and worked" if question.basis is Basis.BOTH else question.basis
        rows = f"{self._row_count} row{'s' * (self._row_count != 1)}"
        facts = [f"{rows}, {basis} basis, {format_range(question.interval, question.zone)}"]
        facts += [short for short, _ in notices if short]
        is_explained = log.isEnabledFor(logging.DEBUG) or not facts[1:]
        log.info("%s%s", "; ".join(facts), "" if is_explained else " (-v explains)")
        for _, sentence in notices:
            log.debug("%s", sentence)

    def _notices(self, *, stored: bool, marks_rows: bool) -> Iterator[tuple[str, str]]:
        """Yield each notice in a few words, which may be empty, and as a sentence."""
        if (count := self._provisional_count) and not marks_rows:
            yield (
                f"{'all' if count == self._row_count else count} provisional",
                f"Genesys may still correct {format_count(count, 'row')} (column provisional)",
            )
        if (count := self._exceeding_count) and not marks_rows:
            yield (
                f"{count} longer than the interval",
                f"posted time is longer than the interval in {format_count(count, 'row')} (column "
                f"exceeds_interval): {EXCEEDING_CAUSES}",
            )
        if self._callbacks_count_twice:
            yield (
                "callbacks count twice",
                "callbacks count twice here, as callback and as voice; run 'halfhour sync' to see "
                "in callback_voice_time_sec how much that is",
            )
        yield from self._empty_column_notices(stored=stored)

    def _empty_column_notices(self, *, stored: bool) -> Iterator[tuple[str, str]]:
        """Yield which columns are empty, and what to do to fill them."""
        empty_columns = self._empty_columns()
        if self.question.has_work_filter and Source.STATUS in empty_columns:
            del empty_columns[Source.STATUS]
            yield (
                "",
                "the status columns are empty: an agent's status belongs to no queue or media "
                "type; leave out --queue and --media to see it",
            )
        if not stored:
            if Source.STATUS in empty_columns:
                yield (
                    "no status without a store",
                    "status and occupancy are empty, as they need a store; run 'halfhour sync' to "
                    "create one",
                )
            return
        for source, column_names in empty_columns.items():
            columns = f"these columns are empty: {', '.join(column_names)}"
            if source in self._stored_sources:
                yield ("", f"{columns}; the stored {source.resource_name} have nothing for them")
                continue
            yield (
                f"no {source.resource_name} of these days stored ('halfhour sync' reads them)",
                f"{columns}; the store has no {source.resource_name} of these days; run "
                "'halfhour sync' to read them; if it leaves them out, the OAuth client's role "
                f"needs {source.required_permission}",
            )
        windows = [day.settled for day in self.days.get(Source.POSTED, ()) if day.settled]
        if "transferred_count" in self._column_names and not all(
            window.has_transfers for window in windows
        ):
            yield (
                "transfers missing",
                "transferred_count is empty on days that an older version of halfhour fetched "
                "without transfers; run 'halfhour sync --reread now' with --from and --to to "
                "fetch these days again",
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
        time_range = format_range(question.interval, question.zone)
        if question.interval.start >= utc_now():
            log.warning("%s is in the future, so nothing was posted yet", time_range)
            return
        if any(missing_intervals(days, question.interval) for days in self.days.values()):
            log.warning("no rows in %s, of which days are missing", time_range)
            return
        choice = " for the chosen queues and agents" if question.queues or question.agents else ""
        log.warning(
            "nothing was posted%s in %s. Likely reasons: no interaction was completed in that "
            "time (a time is posted when the work ends); the OAuth client's role does not cover "
            "the division of these agents and queues (Genesys then leaves out their rows without "
            "an error); or the OAuth client belongs to another organisation",
            choice,
            time_range,
        )
