"""Read files of conversation details once, to decide the days that they settle."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from halfhour.errors import ConfigError
from halfhour.ingest.detail_files import (
    DetailFilePage,
    is_snake_case,
    modification_time,
    read_detail_pages,
)
from halfhour.ingest.detail_spool import RECORDS_READ_TOGETHER
from halfhour.ingest.raw_details import RawDetails, read_records
from halfhour.model.coverage import DAY, format_days
from halfhour.model.intervals import (
    MILLISECOND,
    Interval,
    epoch_ms,
    floor_to_width,
    from_epoch_ms,
    to_utc,
)
from halfhour.store.derived_details import UNKNOWN_CONVERSATION_ID, DataIssue
from halfhour.syncing.progress import Event, EventCallback, EventKind, format_count, format_listed

_LAST_NUMBER = re.compile(r"(.*?)(\d+)\D*", re.DOTALL)


class UnreadableRecord(NamedTuple):
    """A record that is no conversation: number *record_number* of *path*, counted from 1.

    *conversation_id* is None if that cannot be read either.
    """

    path: str
    record_number: int
    conversation_id: str | None
    reason: str
    record: bytes


@dataclass(slots=True)
class FileScan:
    """The facts about the file *path* that its pages tell, one after the other.

    *valid_until* is the time up to which its records are valid, *start_days* the days on which
    conversations of agents began, and *active_days* those of all their activity. *page_count*
    counts the pages, of which those that follow each other with the same cursor or without one
    are one. *last_cursor* is the cursor of the last page: with one, it is not the last of its job.
    """

    path: str
    valid_until: datetime
    record_count: int = 0
    unreadable_count: int = 0
    start_days: set[datetime] = field(default_factory=set)
    active_days: set[datetime] = field(default_factory=set)
    page_count: int = 0
    last_cursor: str | None = None

    @classmethod
    def of_file(cls, path: str, modified_at: datetime, now: datetime) -> "FileScan":
        """Return the facts about a file that was last changed at *modified_at*, before any page."""
        return cls(path, min(floor_to_width(modified_at, MILLISECOND), now))

    def add_pages(
        self, pages: Sequence[DetailFilePage], now: datetime
    ) -> tuple[RawDetails, list[UnreadableRecord]]:
        """Add the facts of *pages*; return their raw tables and the records that cannot be read.

        Raises ConfigError for a record with the field names of Genesys' SDK for Python.
        """
        for page in pages:
            cursor = page.cursor or None
            self.page_count += not self.page_count or cursor != self.last_cursor
            self.last_cursor = cursor
            if page.data_availability_date:
                self.valid_until = min(self.valid_until, to_utc(page.data_availability_date))
        records = [record for page in pages for record in page.conversations or ()]
        details = read_records(records, now)
        unreadable = []
        for row in _unreadable_rows(details):
            record = records[row["record"]]
            _refuse_snake_case(self.path, record)
            number = self.record_count + row["record"] + 1
            unreadable.append(
                UnreadableRecord(
                    self.path, number, row["conversation_id"], row["reason"], bytes(record)
                )
            )
        start_days, active_days = _active_days(details)
        self.start_days |= start_days
        self.active_days |= active_days
        self.record_count += len(records)
        self.unreadable_count += len(unreadable)
        return details, unreadable


class DetailScan(NamedTuple):
    """The result of a first reading of the files.

    *valid_until* has the time up to which the records of a file are valid, by file.
    *files_by_start_day* has the files with conversations that began on a day, and *active_days*
    the days of all their activity. *incomplete_files* are those of `find_incomplete_files`.
    *unreadable_count* of *record_count* records cannot be read.
    """

    valid_until: Mapping[str, datetime]
    files_by_start_day: Mapping[datetime, set[str]]
    active_days: set[datetime]
    incomplete_files: Sequence[str]
    record_count: int
    unreadable_count: int
    first_unreadable: UnreadableRecord | None

    @classmethod
    def of_files(
        cls, scans: Sequence[FileScan], first_unreadable: UnreadableRecord | None
    ) -> "DetailScan":
        """Return what the *scans* of all files say together."""
        files_by_start_day: dict[datetime, set[str]] = {}
        for scan in scans:
            for day in scan.start_days:
                files_by_start_day.setdefault(day, set()).add(scan.path)
        return cls(
            {scan.path: scan.valid_until for scan in scans},
            files_by_start_day,
            {day for scan in scans for day in scan.active_days},
            find_incomplete_files(scans),
            sum(scan.record_count for scan in scans),
            sum(scan.unreadable_count for scan in scans),
            first_unreadable,
        )

    def days_to_settle(self, interval: Interval | None) -> dict[datetime, datetime]:
        """Return the days of *interval*, in order, with the time up to which their files are valid.

        Without an *interval* the days are those on which conversations began. Raises ConfigError
        if there are none.
        """
        if not interval and not self.files_by_start_day:
            raise ConfigError(self._no_days_message)
        days = (
            [day.start for day in interval.split_into_windows(DAY)]
            if interval
            else sorted(self.files_by_start_day)
        )
        # The latest file is the evidence that no conversation began on a day.
        latest = max(self.valid_until.values())
        return {
            day: min(
                (self.valid_until[path] for path in self.files_by_start_day.get(day, ())),
                default=latest,
            )
            for day in days
        }

    def records_interval(self, interval: Interval | None) -> Interval:
        """Return the days (UTC) whose segments are read: *interval*, or all with activity."""
        return interval or Interval(min(self.active_days), max(self.active_days) + DAY)

    @property
    def _no_days_message(self) -> str:
        if unreadable := self.first_unreadable:
            place = f"{unreadable.conversation_id or UNKNOWN_CONVERSATION_ID}, {unreadable.reason}"
            return (
                "the files have no readable conversation of an agent; "
                f"{format_count(self.unreadable_count, 'conversation')} cannot be read: "
                f"{unreadable.path}: {place}. Nothing was changed"
            )
        return (
            "the files have no conversation of an agent; name the days that they cover with "
            "⟨start⟩ and ⟨end⟩"
        )


def find_incomplete_files(scans: Iterable[FileScan]) -> list[str]:
    """Return the last file of each job whose last page is missing, as far as the files tell.

    Only the last page of a job has no cursor, and no page names its job. So a file with several
    pages is a job of its own, and so are the files of a folder with one page each. If their names
    number the pages of several jobs, as ``24-000`` and ``25-000`` do, those are told apart. The
    order of the pages does not count.
    """
    folders: dict[PurePath, list[FileScan]] = {}
    for scan in scans:
        path = PurePath(scan.path)
        folders.setdefault(path if scan.page_count > 1 else path.parent, []).append(scan)
    jobs = [job for folder in folders.values() for job in _divide_into_jobs(folder)]
    return [job[-1].path for job in jobs if all(scan.last_cursor for scan in job)]


def _divide_into_jobs(folder: list[FileScan]) -> list[list[FileScan]]:
    """Return the files of each job in *folder*.

    Names tell them apart only if the last numbers of all begin again with each beginning of a
    name, all with 0 or all with 1: so days, times and random names do not.
    """
    jobs: dict[str, list[FileScan]] = {}
    numbers: dict[str, list[int]] = {}
    for scan in folder:
        if not (match := _LAST_NUMBER.fullmatch(PurePath(scan.path).name)):
            return [folder]
        jobs.setdefault(match[1], []).append(scan)
        numbers.setdefault(match[1], []).append(int(match[2]))
    first_numbers = {min(job_numbers) for job_numbers in numbers.values()}
    return list(jobs.values()) if first_numbers in ({0}, {1}) else [folder]


def missing_pages_event(incomplete_files: Sequence[str]) -> Event:
    """Return the event about jobs that lack pages after *incomplete_files*."""
    places = format_listed(incomplete_files)
    reason = (
        f"{places}: its last page has a cursor, so the job has more pages, which are not among "
        "the files"
        if len(incomplete_files) == 1
        else f"{places}: the last page of each has a cursor, so these jobs have more pages, which "
        "are not among the files"
    )
    return Event(EventKind.DATA_ISSUE, rows=len(incomplete_files), reason=reason)


def require_whole_days(interval: Interval | None) -> None:
    """Raise ConfigError unless *interval* has whole days (UTC)."""
    if interval and any(
        floor_to_width(edge, DAY) != edge for edge in (interval.start, interval.end)
    ):
        raise ConfigError(
            f"⟨start⟩, ⟨end⟩: files replace whole days (UTC), and {interval} is not; write a date "
            "for each"
        )


async def scan_files(
    paths: Sequence[Path],
    now: datetime,
    on_event: EventCallback,
    *,
    keep_broken_lines: bool = False,
    on_unreadable: Callable[[UnreadableRecord], None] = lambda _: None,
) -> DetailScan:
    """Read the files once, for their days and the moments up to which they are right.

    *keep_broken_lines* is that of `read_detail_pages`. Raises ConfigError for a file that has no
    conversation details.
    """
    scans: list[FileScan] = []
    first_unreadable = None
    for done, path in enumerate(paths, 1):
        scan = FileScan.of_file(str(path), modification_time(path), now)
        pages = read_detail_pages(path, keep_broken_lines=keep_broken_lines)
        for batch in batch_pages(pages):
            for unreadable in scan.add_pages(batch, now)[1]:
                on_unreadable(unreadable)
                first_unreadable = first_unreadable or unreadable
            await asyncio.sleep(0)  # lets an interrupt through
        scans.append(scan)
        on_event(Event(EventKind.READ, rows=scan.record_count, done=done, of=len(paths)))
    return DetailScan.of_files(scans, first_unreadable)


def _unreadable_rows(details: RawDetails) -> list[dict[str, Any]]:
    conversations = details.conversations
    rows: list[dict[str, Any]] = conversations.filter(
        pc.invert(conversations["is_readable"])
    ).to_pylist()
    return rows


def _active_days(details: RawDetails) -> tuple[set[datetime], set[datetime]]:
    """Return the days on which conversations of agents began, and those of all their activity.

    A conversation without a start begins with its agents' first segment.
    """
    edges = pa.concat_tables(
        details.raw_segments.select(["session_key", edge]).rename_columns(["session_key", "ms"])
        for edge in ("start_ms", "end_ms")
    ).filter(pc.is_valid(pc.field("ms")))
    activity = (
        details.sessions.select(["session_key", "record"])
        .join(edges, "session_key")
        .group_by("record")
        .aggregate([("ms", "min"), ("ms", "max")])
        .join(details.conversations.select(["record", "started_ms"]), "record", join_type="inner")
    )
    starts = pc.coalesce(activity["started_ms"], activity["ms_min"])

    def days(times_ms: pa.ChunkedArray) -> set[datetime]:
        numbers = pc.unique(pc.divide(times_ms.drop_null(), DAY // MILLISECOND)).to_pylist()
        return {from_epoch_ms(number * (DAY // MILLISECOND)) for number in numbers}

    start_days = days(starts)
    return start_days, start_days | days(activity["ms_min"]) | days(activity["ms_max"])


def _refuse_snake_case(path: str, record: msgspec.Raw) -> None:
    """Raise ConfigError for a record with the field names of Genesys' SDK for Python."""
    if is_snake_case(record):
        raise ConfigError(
            f"{path}: its field names are in snake_case, such as conversation_id, as to_dict() of "
            "Genesys' SDK for Python writes them; halfhour reads the names of the API, such as "
            "conversationId: save the API's JSON, or use the SDK's "
            "ApiClient().sanitize_for_serialization(). Nothing was changed"
        )


def begun_windows(
    days: Mapping[datetime, datetime], granularity: timedelta
) -> dict[Interval, datetime]:
    """Return *days* up to the moment to which their files are right, with that moment.

    Only whole intervals of *granularity* count. Raises ConfigError if no day had begun.
    """
    day_ends = {
        day: min(day + DAY, floor_to_width(valid_until, granularity))
        for day, valid_until in days.items()
    }
    if all(day >= day_ends[day] for day in days):
        latest = max(days.values())
        raise ConfigError(
            f"{format_days(days)}: not begun at {latest:%Y-%m-%dT%H:%M:%SZ}, when the files "
            "were written or their data ends, so nothing was changed; export them again later"
        )
    return {Interval(day, day_ends[day]): days[day] for day in days if day < day_ends[day]}


def may_affect_window(issue: DataIssue, window: Interval) -> bool:
    """Return whether *window* may lack the record that *issue* left out.

    A record without readable times may belong to any window.
    """
    if not issue.is_left_out or issue.time_span is None:
        return issue.is_left_out
    first, last = issue.time_span
    return first < epoch_ms(window.start + DAY) and last >= epoch_ms(window.start)


async def read_pages(
    path: Path, *, keep_broken_lines: bool = False
) -> AsyncIterator[DetailFilePage]:
    """Yield the pages of the file at *path*, as `read_detail_pages` does."""
    for page in read_detail_pages(path, keep_broken_lines=keep_broken_lines):
        yield page
        await asyncio.sleep(0)  # lets an interrupt through


def batch_pages(pages: Iterable[DetailFilePage]) -> Iterator[list[DetailFilePage]]:
    """Yield *pages* in batches, because a page may have a single conversation."""
    batch: list[DetailFilePage] = []
    record_count = 0
    for page in pages:
        batch.append(page)
        record_count += len(page.conversations or ())
        if record_count >= RECORDS_READ_TOGETHER:
            yield batch
            batch, record_count = [], 0
    if batch:
        yield batch
