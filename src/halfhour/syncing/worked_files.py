"""Turn files of conversation details into worked time in Parquet files, without a store."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from halfhour.errors import ConfigError, Incomplete
from halfhour.ingest.detail_files import find_detail_files
from halfhour.ingest.detail_spool import DetailSpool
from halfhour.model.coverage import DAY, format_days
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.store.derived_details import DataIssue
from halfhour.store.worked_tables import WORKED_TABLES, derive_worked_tables, table_path
from halfhour.syncing.detail_scan import (
    DetailScan,
    begun_windows,
    may_affect_window,
    missing_pages_event,
    read_pages,
    require_whole_days,
    scan_files,
)
from halfhour.syncing.output_folder import (
    OutputFolder,
    QuarantineWriter,
    refuse_inner_output,
    replace_file,
)
from halfhour.syncing.progress import (
    MAX_LISTED,
    Event,
    EventCallback,
    EventKind,
    data_issue_event,
    format_count,
    format_listed,
)

_ORGANIZATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PERCENTAGE = re.compile(r"(\d{1,3}(?:\.\d{1,9})?)%")


@dataclass(frozen=True, slots=True)
class WorkedRequest:
    """The choices of a run: the folder and the organization, the days, and intervals of *width*.

    More unreadable records than the share *max_bad* of all are an error.
    """

    output: str
    organization: str
    interval: Interval | None
    width: timedelta
    max_bad: Fraction

    @classmethod
    def parse(
        cls,
        *,
        output: str,
        organization: str,
        interval: Interval | None,
        width: timedelta,
        max_bad: str,
    ) -> "WorkedRequest":
        """Return the request that these words make. Raises ConfigError."""
        if not _ORGANIZATION.fullmatch(organization):
            raise ConfigError(
                f"⟨org⟩ {organization!r} cannot be the name of a folder; write letters, digits, "
                "dots, hyphens and underscores, and a letter or a digit first"
            )
        require_whole_days(interval)
        place = output.rstrip("/") or "/"
        return cls(place, organization, interval, width, _parse_share(max_bad))


def _parse_share(text: str) -> Fraction:
    """Return the share that a percentage is. Raises ConfigError."""
    match = _PERCENTAGE.fullmatch(text)
    share = Fraction(match[1]) / 100 if match else None
    if share is None or share > 1:
        hint = f"; did you mean '{text}%'?" if _PERCENTAGE.fullmatch(f"{text}%") else ""
        raise ConfigError(
            f"⟨max_bad⟩ {text!r} is not a percentage; write one from 0% to 100%, such as 0.1%{hint}"
        )
    return share


@dataclass(slots=True)
class WorkedOutcome:
    """The result of a run: the days that were written, and what is wrong with their data.

    *derived_count* counts the days that are derived, *left_out* the records and parts that a day
    may lack. *issue_counts* and *first_issues* have the data issues by kind. *incomplete_files*
    are those of `DetailScan`. *shrunk_days* has the days that have fewer segments than before,
    with the numbers before and now.
    """

    days: Sequence[Interval] = ()
    derived_count: int = 0
    row_count: int = 0
    record_count: int = 0
    unreadable_count: int = 0
    incomplete_files: Sequence[str] = ()
    shrunk_days: dict[Interval, tuple[int, int]] = field(default_factory=dict)
    left_out: Counter[Interval] = field(default_factory=Counter)
    issue_counts: Counter[str] = field(default_factory=Counter)
    first_issues: dict[str, list[DataIssue]] = field(default_factory=dict)

    def add_day(self, on_event: EventCallback, day: Interval, row_count: int) -> None:
        """Count the rows of *day*, which is derived, and emit that it is."""
        self.derived_count += 1
        self.row_count += row_count
        done, of = self.derived_count, len(self.days)
        on_event(Event(EventKind.DERIVED, Source.DETAILS, day, row_count, done=done, of=of))

    def compare_segments(self, day: Interval, old_count: int, new_count: int) -> None:
        """Note that *new_count* segments replace *old_count* of *day*."""
        if new_count < old_count:
            self.shrunk_days[day] = (old_count, new_count)

    def add_issue(self, issue: DataIssue) -> None:
        """Count *issue*; only the first ones of a kind are kept."""
        self.issue_counts[issue.kind] += 1
        first_issues = self.first_issues.setdefault(issue.kind, [])
        if len(first_issues) < MAX_LISTED:
            first_issues.append(issue)
        if issue.is_left_out:
            self.left_out.update(day for day in self.days if may_affect_window(issue, day))

    def emit_data_issues(self, on_event: EventCallback) -> None:
        """Emit an event per kind of data issue, and events about days that may be incomplete.

        A day may lack a part that could not be read, or have fewer segments than before.
        """
        for kind, issues in self.first_issues.items():
            on_event(data_issue_event(issues, self.issue_counts[kind]))
        if self.left_out:
            left_out_days = format_days(day.start for day in self.left_out)
            reason = (
                f"{left_out_days}: may lack a part of what the files say, as something was left out"
            )
            on_event(Event(EventKind.DATA_ISSUE, rows=len(self.left_out), reason=reason))
        if self.shrunk_days:
            on_event(self._shrunk_days_event)

    @property
    def _shrunk_days_event(self) -> Event:
        days = [
            f"{day.start.date()} ({format_count(new, 'segment')}, {old:,} before)"
            for day, (old, new) in self.shrunk_days.items()
        ]
        reason = (
            f"fewer segments than before: {format_listed(days)}; if the files hold only a part of "
            "a day, write it again from all of its files, and name the days that the files hold "
            "whole with ⟨start⟩ and ⟨end⟩"
        )
        return Event(EventKind.DATA_ISSUE, rows=len(days), reason=reason)

    def raise_if_incomplete(self) -> None:
        """Raise Incomplete if pages are missing."""
        if self.incomplete_files:
            days = format_days(day.start for day in self.days)
            raise Incomplete(
                f"{days}: incomplete, because pages are missing after "
                f"{format_listed(self.incomplete_files)}; the days are written"
            )


async def write_worked_files(
    inputs: Sequence[Path],
    request: WorkedRequest,
    clock: Callable[[], datetime],
    on_event: EventCallback,
) -> WorkedOutcome:
    """Replace the days (UTC) of *request* with what the conversations in *inputs* say.

    Days, the moment up to which they are right and what they lack are decided as by
    `import_files`. Records that cannot be read go into quarantine. A day's files are written
    aside and renamed, so each is whole at any moment; other days stay as they are.

    Raises ConfigError before a day is replaced, or WriteError.
    """
    output = OutputFolder(Path(request.output), request.organization)
    refuse_inner_output(inputs, output.path)
    files = find_detail_files(inputs)
    with output.draft_folder() as draft:
        quarantine = QuarantineWriter(draft)
        scan = await scan_files(
            files,
            clock(),
            on_event,
            keep_broken_lines=True,
            on_unreadable=quarantine.append_record,
        )
        quarantine.replace_files(output, map(str, files))
        outcome = plan_days(scan, request, on_event)
        output.refuse_other_files(WORKED_TABLES, [day.start for day in outcome.days])
        await _derive_files(scan, files, request, outcome, draft, on_event)
        _replace_days(outcome, output, draft, on_event)
    outcome.emit_data_issues(on_event)
    return outcome


def plan_days(scan: DetailScan, request: WorkedRequest, on_event: EventCallback) -> WorkedOutcome:
    """Return an outcome with the days to write, of which no row is written yet.

    Raises ConfigError if too many records cannot be read, or if there are no days.
    """
    _refuse_bad_records(scan, request)
    windows = begun_windows(scan.days_to_settle(request.interval), request.width)
    days = [Interval(window.start, window.start + DAY) for window in windows]
    on_event(Event(EventKind.PLANNED, of=len(days)))
    if scan.incomplete_files:
        on_event(missing_pages_event(scan.incomplete_files))
    return WorkedOutcome(
        days,
        record_count=scan.record_count,
        unreadable_count=scan.unreadable_count,
        incomplete_files=scan.incomplete_files,
    )


async def _derive_files(
    scan: DetailScan,
    files: Iterable[Path],
    request: WorkedRequest,
    outcome: WorkedOutcome,
    draft: Path,
    on_event: EventCallback,
) -> None:
    with DetailSpool(draft) as spool:
        for file in files:
            async for page in read_pages(file, keep_broken_lines=True):
                spool.append_records(page.conversations or (), scan.valid_until[str(file)])
    await derive_worked_tables(
        spool.tables(),
        outcome.days,
        scan.records_interval(request.interval),
        request.width,
        draft,
        outcome.add_issue,
        partial(outcome.add_day, on_event),
    )


def _replace_days(
    outcome: WorkedOutcome, output: OutputFolder, draft: Path, on_event: EventCallback
) -> None:
    for done, day in enumerate(outcome.days, 1):
        new_count = pq.read_metadata(table_path(draft, "segments", day.start)).num_rows
        outcome.compare_segments(day, output.count_rows("segments", day.start), new_count)
        for table in WORKED_TABLES:
            source = table_path(draft, table, day.start)
            replace_file(source, output.day_path(table, day.start))
        on_event(Event(EventKind.SETTLED, Source.DETAILS, day, done=done, of=len(outcome.days)))


def _refuse_bad_records(scan: DetailScan, request: WorkedRequest) -> None:
    if scan.unreadable_count <= scan.record_count * request.max_bad:
        return
    percent = float(request.max_bad * 100)
    first = scan.first_unreadable
    place = f"{first.path}, record {first.record_number}: {first.reason}" if first else ""
    raise ConfigError(
        f"{scan.unreadable_count:,} of {format_count(scan.record_count, 'record')} cannot be read, "
        f"more than ⟨max_bad⟩ {percent:g}%, so no day was replaced; they are in "
        f"{request.output}/quarantine, the first is {place}"
    )
