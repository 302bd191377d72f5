"""Import conversation details from files into a store, as if they had been fetched."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from halfhour.errors import ConfigError
from halfhour.ingest.detail_files import find_detail_files
from halfhour.ingest.detail_spool import DetailSpool
from halfhour.model.coverage import DAY, format_days
from halfhour.model.intervals import Interval
from halfhour.model.tables import TIMESTAMP
from halfhour.model.vocabulary import Source
from halfhour.store.coverage import store_calendar
from halfhour.store.derived_details import (
    DataIssue,
    DerivedDetails,
    derive_details,
    issues_on_other_days,
)
from halfhour.store.locking import retry_while_busy, spool_directory, writer_lock
from halfhour.store.store import Store
from halfhour.syncing.detail_scan import (
    begun_windows,
    may_affect_window,
    missing_pages_event,
    read_pages,
    require_whole_days,
    scan_files,
)
from halfhour.syncing.planner import SyncRequest, prepare_store
from halfhour.syncing.progress import (
    Event,
    EventCallback,
    EventKind,
    Outcome,
    SourceWindow,
    emit_waiting,
)


async def import_files(
    store: Store,
    inputs: Iterable[Path],
    interval: Interval | None,
    clock: Callable[[], datetime],
    on_event: EventCallback,
) -> Outcome:
    """Replace the details of the days (UTC) of *interval* with the conversations in *inputs*.

    *inputs* are files, or folders of them.

    Without an *interval* the days are those on which the conversations began, and none of them
    may be stored already. A segment that was still open lasts until the moment at which its file
    was written or its data ends; a day that was not over at that moment is stored up to it. A
    record that cannot be read makes the days that it may belong to incomplete, and so does a
    missing page.

    Raises ConfigError before anything is changed, or StoreError.
    """
    require_whole_days(interval)
    paths = find_detail_files(inputs)
    scan = await scan_files(paths, clock(), on_event)
    days = scan.days_to_settle(interval)
    store = replace(store, busy_timeout=0)  # `retry_while_busy` waits instead

    async with writer_lock(store, partial(emit_waiting, on_event)):
        windows = await retry_while_busy(
            lambda: _windows_to_settle(store, days, clock(), replace_stored=bool(interval))
        )
        on_event(Event(EventKind.PLANNED, of=len(windows)))
        if scan.incomplete_files:
            on_event(missing_pages_event(scan.incomplete_files))
        with spool_directory(store) as folder:
            with DetailSpool(folder) as spool:
                for path in paths:
                    async for page in read_pages(path):
                        spool.append_records(page.conversations or (), scan.valid_until[str(path)])
            details = await derive_details(spool.tables(), scan.records_interval(interval), folder)
            await retry_while_busy(lambda: prepare_store(store, SyncRequest(), clock()))
            outcome = await _settle_days(store, windows, details, scan.incomplete_files, on_event)
            outcome.data_issues += [*details.data_issues, *_issues_on_other_days(details, windows)]
    outcome.emit_data_issues(on_event)
    return outcome


async def _settle_days(
    store: Store,
    windows: Mapping[Interval, datetime],
    details: DerivedDetails,
    incomplete_files: Sequence[str],
    on_event: EventCallback,
) -> Outcome:
    outcome = Outcome(
        incomplete_files=incomplete_files, imported_days=[window.start for window in windows]
    )
    lacks_pages = bool(incomplete_files)
    for done, (window, read_at) in enumerate(windows.items(), 1):
        left_out = sum(may_affect_window(issue, window) for issue in details.data_issues)
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
        outcome.add_settled(SourceWindow(Source.DETAILS, window), result)
        on_event(Event(EventKind.SETTLED, Source.DETAILS, window, *result, done, len(windows)))
    return outcome


def _windows_to_settle(
    store: Store, days: Mapping[datetime, datetime], now: datetime, *, replace_stored: bool
) -> dict[Interval, datetime]:
    """Return the windows of *days* that have begun, as `begun_windows` does.

    Raises ConfigError for a stored day, unless *replace_stored*.
    """
    store.upgrade_if_present()
    windows = begun_windows(days, store_calendar(store, now).granularity)
    stored_days = (
        {settled.window.start for settled in store.settled_windows(Source.DETAILS)}
        if store.exists
        else set()
    )
    if not replace_stored and (repeated_days := stored_days.intersection(days)):
        first = min(repeated_days)
        raise ConfigError(
            f"{format_days(repeated_days)}: stored already, and nothing was changed; to replace "
            "the stored details, name the days that the files cover, as in "
            f"⟨start⟩ {first.date()} ⟨end⟩ {(first + DAY).date()}"
        )
    return windows


def _issues_on_other_days(
    details: DerivedDetails, windows: Iterable[Interval]
) -> Iterator[DataIssue]:
    """Yield an issue for each conversation that also has segments outside *windows*."""
    window_starts = pa.array([window.start for window in windows], TIMESTAMP)
    outside = ds.dataset(details.paths["segments"], format="ipc").to_table(
        columns=["window_start", "conversation_id"],
        filter=~pc.field("window_start").isin(window_starts),
    )
    return issues_on_other_days(
        outside["window_start"].to_pylist(), outside["conversation_id"].unique().to_pylist()
    )
