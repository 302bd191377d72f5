"""The commands ``halfhour sync``, ``import`` and ``rebuild``: show progress and log the outcome."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from halfhour.cli.exit_codes import announce_error
from halfhour.cli.progress import explain_days, show_progress
from halfhour.clock import utc_now
from halfhour.errors import (
    ApiError,
    Incomplete,
    StoreBusy,
    StoreError,
    UnexpectedAnswer,
    Unreachable,
)
from halfhour.genesys.connection import Settings
from halfhour.model.coverage import DAY, KeptAges, format_days
from halfhour.model.intervals import Interval, floor_to_width
from halfhour.store.store import Store
from halfhour.syncing import import_files, rebuild
from halfhour.syncing.planner import SyncRequest
from halfhour.syncing.progress import Outcome, format_count

log = logging.getLogger("halfhour")


def sync_once(settings: Settings, store: Store, request: SyncRequest, kept_ages: KeptAges) -> None:
    """Bring *store* up to date, and delete what is older than *kept_ages*.

    Raises Incomplete if windows are missing, and any error of `runner.run_sync`.
    """
    from halfhour.syncing import runner  # imported late, because only a sync talks to Genesys

    first_kept, first_raw = (
        floor_to_width(utc_now() - age, DAY) if age else None for age in kept_ages
    )
    with show_progress() as on_event:
        request = replace(request, since=first_kept)
        outcome = asyncio.run(runner.run_sync(settings, store, request, utc_now, on_event))
    if outcome.settled:
        stored = f"{outcome.settled_size} stored"
        log.info("%s: %s, %s", store.path, stored, _row_summary(outcome))
    elif not outcome.failed:
        log.info("%s: nothing was due", store.path)
    if not store.exists:  # no window could be settled
        first_kept = first_raw = None
    if first_kept and (deleted_count := store.delete_days_before(first_kept)):
        days = format_count(deleted_count, "day")
        log.info("%s: %s before %s deleted", store.path, days, first_kept.date())
    if first_raw and (deleted_count := store.delete_raw_before(first_raw)):
        days = format_count(deleted_count, "day")
        log.info(
            "%s: what Genesys said of %s before %s deleted", store.path, days, first_raw.date()
        )
    outcome.raise_if_incomplete()


def sync_repeatedly(
    settings: Settings,
    store: Store,
    build_request: Callable[[], SyncRequest],
    kept_ages: KeptAges,
    interval: timedelta,
) -> None:
    """Run `sync_once` at every full *interval*, for ever, each time with a new request.

    Errors that may pass are logged and not raised. Errors of the store are among them once a sync
    has succeeded.
    """
    has_succeeded = False
    while True:
        try:
            sync_once(settings, store, build_request(), kept_ages)
            has_succeeded = True
        except (Incomplete, UnexpectedAnswer, Unreachable, StoreBusy) as error:
            announce_error(error)
        except StoreError as error:
            if not has_succeeded:
                raise
            announce_error(error)
        except ApiError as error:
            if error.status in (401, 403):
                raise
            announce_error(error)
        wait_for_next(interval)


def wait_for_next(interval: timedelta) -> None:
    """Sleep until the next full *interval*, such as the next quarter of an hour."""
    time.sleep(interval.total_seconds() - time.time() % interval.total_seconds())


def import_with_progress(store: Store, paths: Sequence[Path], interval: Interval | None) -> None:
    """Import the conversation details in the files at *paths*, and show progress.

    Raises Incomplete if a file could not be read in full, and any error of `import_files`.
    """
    with show_progress() as on_event:
        outcome = asyncio.run(import_files.import_files(store, paths, interval, utc_now, on_event))
    stored = f"{format_count(outcome.settled, 'day')} stored ({format_days(outcome.imported_days)})"
    log.info("%s: %s, %s", store.path, stored, _row_summary(outcome))
    if not interval:
        explain_days(outcome.imported_days)
    outcome.raise_if_incomplete()


def rebuild_with_progress(store: Store) -> None:
    """Derive the details of *store* anew, and show progress. Raises StoreError."""
    with show_progress() as on_event:
        outcome = asyncio.run(rebuild.rebuild_details(store, utc_now(), on_event))
    rebuilt = f"{format_count(outcome.settled, 'day')} rebuilt"
    log.info("%s: %s, %s", store.path, rebuilt, _row_summary(outcome))


def _row_summary(outcome: Outcome) -> str:
    rows, changed = format_count(outcome.rows, "row"), format_count(outcome.changed, "figure")
    return f"{rows}; {changed} revised" if outcome.changed else rows
