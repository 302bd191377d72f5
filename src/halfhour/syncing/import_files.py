"""Conversation details that have landed as files, read into a store as if they had been fetched."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from halfhour.errors import ConfigError
from halfhour.genesys import payloads
from halfhour.ingest.detail_download import DetailSpool
from halfhour.ingest.detail_files import (
    MAX_PAGE_CONVERSATIONS,
    DetailFilePage,
    RawRecords,
    modification_time,
    read_detail_pages,
)
from halfhour.ingest.detail_records import (
    UNREADABLE_CONVERSATIONS,
    DataIssue,
    decode_leniently,
    decode_record,
    epoch_ms_column,
    find_invalid_time,
)
from halfhour.ingest.segments import tabulate_records
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
from halfhour.store.locking import retry_while_busy, spool_directory, writer_lock
from halfhour.store.store import Store
from halfhour.syncing.planner import SyncRequest, prepare_store
from halfhour.syncing.progress import (
    Event,
    EventCallback,
    EventKind,
    Outcome,
    SourceWindow,
    format_count,
)


async def import_files(
    store: Store,
    paths: Sequence[Path],
    interval: Interval | None,
    clock: Callable[[], datetime],
    tell: EventCallback,
) -> Outcome:
    """Hold what the files at *paths* say of the days (UTC) of *interval*, and nothing else of them.

    Without *interval* those are the days in which their conversations began, of
    which none may be held already. What was still going on lasts until its
    file was known to be right, and a day that was not over then is held as
    far as it was. What cannot be read makes the days that it may be of incomplete, and so
    does a page that is known to be missing. Raises ConfigError, before anything is changed;
    StoreError.
    """
    if interval and any(
        floor_to_width(each, DAY) != each for each in (interval.start, interval.end)
    ):
        raise ConfigError("⟨start⟩, ⟨end⟩: files settle whole days (UTC); write dates")
    found = await _scan_files(paths, interval, clock())
    store = replace(store, busy_timeout=0)  # `patiently` waits in its place
    async with writer_lock(store, lambda reason: tell(Event(EventKind.WAITING, reason=reason))):
        windows = await retry_while_busy(
            lambda: _windows_to_settle(store, found, clock(), again=bool(interval))
        )
        tell(Event(EventKind.PLANNED, of=len(windows)))
        if found.incomplete_file:
            tell(Event(EventKind.DATA_ISSUE, reason=f"{found.incomplete_file}: {MISSING_PAGES}"))
        with spool_directory(store) as folder:
            with DetailSpool(folder) as files:
                async for path, records in _record_batches(paths):
                    files.append_part(
                        tabulate_records(records, found.records_interval, found.valid_until[path])
                    )
            await retry_while_busy(lambda: prepare_store(store, SyncRequest(), clock()))
            outcome = await _settle_days(store, windows, files, bool(found.incomplete_file), tell)
            outcome.data_issues += [*files.data_issues, *_issues_on_other_days(files, windows)]
    outcome.emit_data_issues(tell)
    return outcome


async def _settle_days(
    store: Store,
    windows: Mapping[Interval, datetime],
    files: DetailSpool,
    lacks_pages: bool,
    tell: EventCallback,
) -> Outcome:
    outcome = Outcome(imported_days=[each.start for each in windows])
    for done, (window, read_at) in enumerate(windows.items(), 1):
        left_out = sum(_may_affect_window(oddity, window) for oddity in files.data_issues)
        lacking = [f"{left_out} left out"] * bool(left_out) + ["pages are missing"] * lacks_pages
        if lacking:
            outcome.incomplete[SourceWindow(Source.DETAILS, window)] = ", ".join(lacking)
        settle = partial(
            store.settle,
            Source.DETAILS,
            window,
            files.parquet_paths,
            read_at,
            left_out=left_out + lacks_pages,
        )
        rows, changed = await retry_while_busy(settle)
        outcome.settled += 1
        outcome.rows += rows
        outcome.changed += changed
        tell(Event(EventKind.SETTLED, Source.DETAILS, window, rows, changed, done, len(windows)))
    return outcome


def _may_affect_window(oddity: DataIssue, window: Interval) -> bool:
    """Tell whether *window* lacks what *oddity* left out, as far as its times tell."""
    if not oddity.is_left_out or oddity.time_span is None:
        return oddity.is_left_out
    first, last = oddity.time_span
    return first < epoch_ms(window.start + DAY) and last >= epoch_ms(window.start)


MISSING_PAGES = (
    "its last page has a cursor, so the job has more pages, which are not among the files"
)
ACTIVE_ON_OTHER_DAYS = "conversations that agents also worked on in days that are not settled"


class _FileScan(NamedTuple):
    """What files are about. Each is right until *known_until*, and so are the *days* that are to be
    settled, in order; *span* is what is read of them. Of the job that *unfinished* is of pages are
    missing.
    """

    valid_until: Mapping[Path, datetime]
    days_to_settle: Mapping[datetime, datetime]
    records_interval: Interval
    incomplete_file: Path | None


async def _scan_files(paths: Sequence[Path], interval: Interval | None, now: datetime) -> _FileScan:
    """Raises ConfigError for what is no file of conversation details, or says of no day."""
    known = {path: min(floor_to_width(modification_time(path), MILLISECOND), now) for path in paths}
    began: dict[datetime, set[Path]] = {}
    touched: set[datetime] = set()
    cursors = {}
    wrong: list[str] = []
    async for path, page in _read_pages(paths):
        cursors[path] = page.cursor
        if page.data_availability_date:
            known[path] = min(known[path], to_utc(page.data_availability_date))
        for record in page.conversations or ():
            times = _activity_times(record)
            if isinstance(times, DataIssue):
                _refuse_snake_case(path, record)
                wrong.append(f"{path}: {', '.join(filter(None, times[1:3]))}")
            elif times:
                days = [floor_to_width(from_epoch_ms(ms), DAY) for ms in times]
                began.setdefault(days[0], set()).add(path)
                touched.update(days)
    if not interval and not began:
        if wrong:
            raise ConfigError(
                "no conversation of an agent is in the files that can be read; "
                f"{format_count(len(wrong), 'conversation')} cannot be: {wrong[0]}. "
                "Nothing was imported"
            )
        raise ConfigError(
            "no conversation of an agent in the files; say with ⟨start⟩ and ⟨end⟩ of which days "
            "this is all there was"
        )
    wanted = [day.start for day in interval.split_into_windows(DAY)] if interval else sorted(began)
    # A day that no conversation began on is known to have none by the last file.
    until = {
        day: min((known[path] for path in began.get(day, ())), default=max(known.values()))
        for day in wanted
    }
    span = interval or Interval(min(touched), max(touched) + DAY)
    unfinished = paths[-1] if all(cursors.values()) else None
    return _FileScan(known, until, span, unfinished)


class _StartedConversation(payloads.Conversation, kw_only=True):
    conversation_start: str | None = None


_CONVERSATION_DECODER = msgspec.json.Decoder(_StartedConversation)


def _activity_times(record: msgspec.Raw) -> list[int] | DataIssue:
    """Return when a conversation of agents began, and when they first and last did something of it,
    in ms since 1970; nothing for one of no agent; or what is wrong with it.
    """
    try:
        conversation = _CONVERSATION_DECODER.decode(record)
        sessions = [
            session
            for participant in conversation.participants
            if participant.user_id
            for session in participant.sessions or ()
        ]
        if not sessions:
            return []
        segments = [segment for session in sessions for segment in session.segments or ()]
        edges = epoch_ms_column(
            text for segment in segments for text in (segment.segment_start, segment.segment_end)
        )
        extent = pc.min_max(edges).as_py()
        did = [] if extent["min"] is None else [extent["min"], extent["max"]]
        return [*epoch_ms_column([conversation.conversation_start]).drop_null().to_pylist(), *did]
    except (msgspec.DecodeError, RecursionError, pa.ArrowInvalid):
        told = decode_record(record)
        if isinstance(told, DataIssue):
            return told
        where = find_invalid_time(decode_leniently(record), "$") or "not a conversation"
        return DataIssue(UNREADABLE_CONVERSATIONS, told.conversation_id, where, is_left_out=True)


def _refuse_snake_case(path: Path, record: msgspec.Raw) -> None:
    """Raises ConfigError for a record with the names that an SDK has for Python."""
    fields = decode_leniently(record)
    if isinstance(fields, dict) and "conversation_id" in fields:
        raise ConfigError(
            f"{path}: the names in it are written in snake_case, such as conversation_id, as the "
            "to_dict() of Genesys' SDK for Python writes them; halfhour reads what the API "
            "answers, with conversationId: write the answer's own JSON, or use the SDK's "
            "ApiClient().sanitize_for_serialization(). Nothing was imported"
        )


def _windows_to_settle(
    store: Store, found: _FileScan, now: datetime, *, again: bool
) -> dict[Interval, datetime]:
    """The days to settle, as far as they were over, and as of when. Raises ConfigError for one that
    is held, if it is not to be settled *again*.
    """
    store.upgrade_if_present()
    days, granularity = found.days_to_settle, store_calendar(store, now).granularity
    over = {day: min(day + DAY, floor_to_width(until, granularity)) for day, until in days.items()}
    if all(day >= over[day] for day in days):
        latest = max(days.values())
        raise ConfigError(
            f"{format_days(days)}: not begun at {latest:%Y-%m-%dT%H:%M:%SZ}, when the files "
            "were written or their data ends, so nothing was imported; export them again later"
        )
    held = (
        {each.window.start for each in store.settled_windows(Source.DETAILS)}
        if store.exists
        else set()
    )
    if not again and (twice := held.intersection(days)):
        first = min(twice)
        raise ConfigError(
            f"{format_days(twice)}: held already; say with ⟨start⟩ and ⟨end⟩ of which days the "
            f"files are all there was, as in ⟨start⟩ {first.date()} ⟨end⟩ {(first + DAY).date()}, "
            "and they replace what is held; nothing was imported"
        )
    return {Interval(day, over[day]): days[day] for day in days if day < over[day]}


async def _read_pages(paths: Sequence[Path]) -> AsyncIterator[tuple[Path, DetailFilePage]]:
    for path in paths:
        for page in read_detail_pages(path):
            yield path, page
            await asyncio.sleep(0)  # where an interrupt comes through


async def _record_batches(paths: Sequence[Path]) -> AsyncIterator[tuple[Path, RawRecords]]:
    """Conversations of a file, some at a time however few are on a page."""
    for path in paths:
        batch: RawRecords = []
        async for _, page in _read_pages([path]):
            batch += page.conversations or ()
            if len(batch) >= MAX_PAGE_CONVERSATIONS:
                yield path, batch
                batch = []
        yield path, batch


def _issues_on_other_days(files: DetailSpool, windows: Iterable[Interval]) -> list[DataIssue]:
    """The conversations of which more lies in other days than these."""
    settled = pa.array([each.start for each in windows], TIMESTAMP)
    others = pq.read_table(
        files.parquet_paths["segments"],
        columns=["window_start", "conversation_id"],
        filters=~pc.field("window_start").isin(settled),
    )
    kind = f"{ACTIVE_ON_OTHER_DAYS} ({format_days(set(others['window_start'].to_pylist()))})"
    return [DataIssue(kind, each) for each in others["conversation_id"].unique().to_pylist()]
