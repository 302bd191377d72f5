"""Import conversation details from files into a store, as if they had been fetched."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from halfhour.errors import ConfigError
from halfhour.ingest.detail_files import (
    DetailFilePage,
    is_snake_case,
    modification_time,
    read_detail_pages,
)
from halfhour.ingest.detail_spool import RECORDS_READ_TOGETHER, DetailSpool
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
from halfhour.model.tables import TIMESTAMP
from halfhour.model.vocabulary import Source
from halfhour.store.coverage import store_calendar
from halfhour.store.derived_details import (
    UNKNOWN_CONVERSATION_ID,
    DataIssue,
    DerivedDetails,
    derive_details,
)
from halfhour.store.locking import retry_while_busy, spool_directory, writer_lock
from halfhour.store.store import Store
from halfhour.syncing.planner import SyncRequest, prepare_store
from halfhour.syncing.progress import (
    Event,
    EventCallback,
    EventKind,
    Outcome,
    SourceWindow,
    emit_waiting,
    format_count,
)


async def import_files(
    store: Store,
    paths: Sequence[Path],
    interval: Interval | None,
    clock: Callable[[], datetime],
    on_event: EventCallback,
) -> Outcome:
    """Replace the details of the days (UTC) of *interval* with the conversations in *paths*.

    Without an *interval* the days are those on which the conversations began, and none of them
    may be stored already. A segment that was still open lasts until the moment at which its file
    was written or its data ends; a day that was not over at that moment is stored up to it. A
    record that cannot be read makes the days that it may belong to incomplete, and so does a
    missing page.

    Raises ConfigError before anything is changed, or StoreError.
    """
    if interval and any(
        floor_to_width(edge, DAY) != edge for edge in (interval.start, interval.end)
    ):
        raise ConfigError("⟨start⟩, ⟨end⟩: an import replaces whole days (UTC); write dates")
    scan = await _scan_files(paths, interval, clock())
    store = replace(store, busy_timeout=0)  # `retry_while_busy` waits instead

    async with writer_lock(store, partial(emit_waiting, on_event)):
        windows = await retry_while_busy(
            lambda: _windows_to_settle(store, scan, clock(), replace_stored=bool(interval))
        )
        on_event(Event(EventKind.PLANNED, of=len(windows)))
        if scan.incomplete_file:
            on_event(Event(EventKind.DATA_ISSUE, reason=f"{scan.incomplete_file}: {MISSING_PAGES}"))
        with spool_directory(store) as folder:
            with DetailSpool(folder) as spool:
                async for path, page in _read_pages(paths):
                    spool.append_records(page.conversations or (), scan.valid_until[path])
            details = await derive_details(spool.tables(), scan.records_interval, folder)
            await retry_while_busy(lambda: prepare_store(store, SyncRequest(), clock()))
            lacks_pages = bool(scan.incomplete_file)
            outcome = await _settle_days(store, windows, details, lacks_pages, on_event)
            outcome.data_issues += [*details.data_issues, *_issues_on_other_days(details, windows)]
    outcome.emit_data_issues(on_event)
    return outcome


async def _settle_days(
    store: Store,
    windows: Mapping[Interval, datetime],
    details: DerivedDetails,
    lacks_pages: bool,
    on_event: EventCallback,
) -> Outcome:
    outcome = Outcome(imported_days=[window.start for window in windows])
    for done, (window, read_at) in enumerate(windows.items(), 1):
        left_out = sum(_may_affect_window(issue, window) for issue in details.data_issues)
        gaps = [f"{left_out} left out"] * bool(left_out) + ["pages are missing"] * lacks_pages
        if gaps:
            outcome.incomplete[SourceWindow(Source.DETAILS, window)] = ", ".join(gaps)
        settle = partial(
            store.settle,
            Source.DETAILS,
            window,
            details.paths,
            read_at,
            left_out=left_out + lacks_pages,
        )
        result = await retry_while_busy(settle)
        outcome.add_settled(result)
        on_event(Event(EventKind.SETTLED, Source.DETAILS, window, *result, done, len(windows)))
    return outcome


def _may_affect_window(issue: DataIssue, window: Interval) -> bool:
    """Return whether *window* may lack the record that *issue* left out.

    A record without readable times may belong to any window.
    """
    if not issue.is_left_out or issue.time_span is None:
        return issue.is_left_out
    first, last = issue.time_span
    return first < epoch_ms(window.start + DAY) and last >= epoch_ms(window.start)


MISSING_PAGES = (
    "its last page has a cursor, so the job has more pages, which are not among the files"
)
ACTIVE_ON_OTHER_DAYS = "conversations that agents also worked on in days that are not imported"


class _FileScan(NamedTuple):
    """The result of a first reading of the files.

    *valid_until* has the time up to which the records of a file are valid, by file, and
    *days_to_settle* the same by day, in order. Segments of *records_interval* are read.
    *incomplete_file* is a file of a job whose other pages are missing.
    """

    valid_until: Mapping[Path, datetime]
    days_to_settle: Mapping[datetime, datetime]
    records_interval: Interval
    incomplete_file: Path | None


async def _scan_files(paths: Sequence[Path], interval: Interval | None, now: datetime) -> _FileScan:
    """Read the files once, for their days and the moments up to which they are right.

    Raises ConfigError for a file that has no conversation details, or if there are no days.
    """
    valid_until = {
        path: min(floor_to_width(modification_time(path), MILLISECOND), now) for path in paths
    }
    files_by_start_day: dict[datetime, set[Path]] = {}
    active_days: set[datetime] = set()
    cursors = {}
    unreadable_texts: list[str] = []
    async for path, pages in _read_page_batches(paths):
        for page in pages:
            cursors[path] = page.cursor
            if page.data_availability_date:
                valid_until[path] = min(valid_until[path], to_utc(page.data_availability_date))
        records = [record for page in pages for record in page.conversations or ()]
        details = read_records(records, now)
        for unreadable in _unreadable_rows(details):
            _refuse_snake_case(path, records[unreadable["record"]])
            names = (unreadable["conversation_id"] or UNKNOWN_CONVERSATION_ID, unreadable["reason"])
            unreadable_texts.append(f"{path}: {', '.join(names)}")
        starts, days = _active_days(details)
        for day in starts:
            files_by_start_day.setdefault(day, set()).add(path)
        active_days.update(days)
    if not interval and not files_by_start_day:
        if unreadable_texts:
            raise ConfigError(
                "the files have no readable conversation of an agent; "
                f"{format_count(len(unreadable_texts), 'conversation')} cannot be read: "
                f"{unreadable_texts[0]}. Nothing was imported"
            )
        raise ConfigError(
            "the files have no conversation of an agent; name the days that they cover with "
            "⟨start⟩ and ⟨end⟩"
        )
    days_to_settle = (
        [day.start for day in interval.split_into_windows(DAY)]
        if interval
        else sorted(files_by_start_day)
    )
    # The latest file is the evidence that no conversation began on a day.
    latest = max(valid_until.values())
    days_valid_until = {
        day: min((valid_until[path] for path in files_by_start_day.get(day, ())), default=latest)
        for day in days_to_settle
    }
    records_interval = interval or Interval(min(active_days), max(active_days) + DAY)
    incomplete_file = paths[-1] if all(cursors.values()) else None
    return _FileScan(valid_until, days_valid_until, records_interval, incomplete_file)


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


def _refuse_snake_case(path: Path, record: msgspec.Raw) -> None:
    """Raise ConfigError for a record with the field names of Genesys' SDK for Python."""
    if is_snake_case(record):
        raise ConfigError(
            f"{path}: its field names are in snake_case, such as conversation_id, as to_dict() of "
            "Genesys' SDK for Python writes them; halfhour reads the names of the API, such as "
            "conversationId: save the API's JSON, or use the SDK's "
            "ApiClient().sanitize_for_serialization(). Nothing was imported"
        )


def _windows_to_settle(
    store: Store, scan: _FileScan, now: datetime, *, replace_stored: bool
) -> dict[Interval, datetime]:
    """Return the days to settle, up to the moment to which their files are right, with that moment.

    Raises ConfigError for a stored day, unless *replace_stored*.
    """
    store.upgrade_if_present()
    days, granularity = scan.days_to_settle, store_calendar(store, now).granularity
    day_ends = {
        day: min(day + DAY, floor_to_width(valid_until, granularity))
        for day, valid_until in days.items()
    }
    if all(day >= day_ends[day] for day in days):
        latest = max(days.values())
        raise ConfigError(
            f"{format_days(days)}: not begun at {latest:%Y-%m-%dT%H:%M:%SZ}, when the files "
            "were written or their data ends, so nothing was imported; export them again later"
        )
    stored_days = (
        {settled.window.start for settled in store.settled_windows(Source.DETAILS)}
        if store.exists
        else set()
    )
    if not replace_stored and (repeated_days := stored_days.intersection(days)):
        first = min(repeated_days)
        raise ConfigError(
            f"{format_days(repeated_days)}: stored already, and nothing was imported; to replace "
            "the stored details, name the days that the files cover, as in "
            f"⟨start⟩ {first.date()} ⟨end⟩ {(first + DAY).date()}"
        )
    return {Interval(day, day_ends[day]): days[day] for day in days if day < day_ends[day]}


async def _read_pages(paths: Sequence[Path]) -> AsyncIterator[tuple[Path, DetailFilePage]]:
    for path in paths:
        for page in read_detail_pages(path):
            yield path, page
            await asyncio.sleep(0)  # lets an interrupt through


async def _read_page_batches(
    paths: Sequence[Path],
) -> AsyncIterator[tuple[Path, list[DetailFilePage]]]:
    """Yield the pages of each file in batches, because a page may have a single conversation."""
    for path in paths:
        pages: list[DetailFilePage] = []
        record_count = 0
        async for _, page in _read_pages([path]):
            pages.append(page)
            record_count += len(page.conversations or ())
            if record_count >= RECORDS_READ_TOGETHER:
                yield path, pages
                pages, record_count = [], 0
        yield path, pages


def _issues_on_other_days(details: DerivedDetails, windows: Iterable[Interval]) -> list[DataIssue]:
    """Return an issue for each conversation that also has segments outside *windows*."""
    window_starts = pa.array([window.start for window in windows], TIMESTAMP)
    outside = ds.dataset(details.paths["segments"], format="ipc").to_table(
        columns=["window_start", "conversation_id"],
        filter=~pc.field("window_start").isin(window_starts),
    )
    kind = f"{ACTIVE_ON_OTHER_DAYS} ({format_days(set(outside['window_start'].to_pylist()))})"
    conversation_ids = outside["conversation_id"].unique().to_pylist()
    return [DataIssue(kind, conversation_id) for conversation_id in conversation_ids]
