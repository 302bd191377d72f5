"""Derive stored details anew from what Genesys said, as a better rule needs no new request."""

from dataclasses import replace
from datetime import datetime
from functools import partial

from halfhour.model.coverage import SettledWindow
from halfhour.model.vocabulary import Source
from halfhour.store.derived_details import derive_details
from halfhour.store.locking import retry_while_busy, spool_directory, writer_lock
from halfhour.store.store import SettleResult, Store
from halfhour.syncing.progress import (
    Event,
    EventCallback,
    EventKind,
    Outcome,
    SourceWindow,
    emit_waiting,
)


async def rebuild_details(store: Store, now: datetime, on_event: EventCallback) -> Outcome:
    """Derive all details of *store* anew, and record at *now* which figures that has changed.

    Raises StoreError.
    """
    store = replace(store, busy_timeout=0)  # `retry_while_busy` waits instead
    if not await retry_while_busy(lambda: store.exists):
        store.stored_settings()  # raises before a lock file is made
    async with writer_lock(store, partial(emit_waiting, on_event)):
        await retry_while_busy(store.upgrade_if_present)
        return await rebuild_stored_details(store, now, on_event)


async def rebuild_stored_details(store: Store, now: datetime, on_event: EventCallback) -> Outcome:
    """Do what `rebuild_details` does, for a caller who holds the lock of the writer."""
    settled_windows = await retry_while_busy(lambda: store.settled_windows(Source.DETAILS))
    windows = [settled for settled in settled_windows if settled.has_raw]
    outcome = Outcome()
    for settled in windows:
        result = await _rebuild_window(store, settled, now)
        outcome.add_settled(SourceWindow(Source.DETAILS, settled.window), result)
        done, of = outcome.settled, len(windows)
        on_event(Event(EventKind.SETTLED, Source.DETAILS, settled.window, *result, done, of))
    await retry_while_busy(store.record_current_rules)
    if settled_windows:
        done, of, changed = outcome.settled, len(settled_windows), outcome.changed
        on_event(Event(EventKind.REBUILT, Source.DETAILS, changed=changed, done=done, of=of))
    return outcome


async def _rebuild_window(store: Store, settled: SettledWindow, now: datetime) -> SettleResult:
    raw_tables = await retry_while_busy(lambda: store.raw_details(settled.window))
    with spool_directory(store) as folder:
        details = await derive_details(raw_tables, settled.window, folder)
        settle = partial(
            store.settle,
            Source.DETAILS,
            settled.window,
            details.paths,
            settled.read_at,
            left_out=settled.left_out_count,
            revised_at=now,
        )
        return await retry_while_busy(settle)
