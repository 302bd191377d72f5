"""The commands ``halfhour sync`` and ``import``: run, show progress and log the outcome."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from halfhour.cli.console import is_interactive
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
from halfhour.genesys.cost import request_cost
from halfhour.model.coverage import DAY, format_days
from halfhour.model.intervals import Interval, floor_to_width
from halfhour.store.store import Store
from halfhour.syncing import import_files, planner, runner
from halfhour.syncing.planner import SyncRequest
from halfhour.syncing.progress import Event, EventCallback, EventKind, Outcome, format_count

log = logging.getLogger("halfhour")


def sync_once(
    settings: Settings, store: Store, request: SyncRequest, kept_age: timedelta | None = None
) -> None:
    """Bring *store* up to date, and delete days older than *kept_age*.

    Raises Incomplete if windows are missing, and any error of `runner.run_sync`.
    """
    first_kept = floor_to_width(utc_now() - kept_age, DAY) if kept_age else None
    with show_progress() as on_event:
        request = replace(request, since=first_kept)
        outcome = asyncio.run(runner.run_sync(settings, store, request, utc_now, on_event))
    settled = f"{format_count(outcome.settled, 'window')} settled"
    log.info("%s: %s, %s", store.path, settled, _row_summary(outcome))
    if first_kept and (deleted_count := store.delete_days_before(first_kept)):
        days = format_count(deleted_count, "day")
        log.info("%s: %s before %s deleted", store.path, days, first_kept.date())
    outcome.raise_if_incomplete()


def sync_repeatedly(
    settings: Settings,
    store: Store,
    build_request: Callable[[], SyncRequest],
    kept_age: timedelta | None,
    interval: timedelta,
) -> None:
    """Run `sync_once` at every full *interval*, for ever, each time with a new request.

    Errors that may pass are logged and not raised. Errors of the store are among them once a sync
    has succeeded.
    """
    has_succeeded = False
    while True:
        try:
            sync_once(settings, store, build_request(), kept_age)
            has_succeeded = True
        except (Incomplete, UnexpectedAnswer, Unreachable, StoreBusy) as error:
            log.error("%s", error)
        except StoreError as error:
            if not has_succeeded:
                raise
            log.error("%s", error)
        except ApiError as error:
            if error.status in (401, 403):
                raise
            log.error("%s", error)
        time.sleep(interval.total_seconds() - time.time() % interval.total_seconds())


def import_with_progress(store: Store, paths: Sequence[Path], interval: Interval | None) -> None:
    """Import the conversation details in the files at *paths*, and show progress.

    Raises Incomplete if a file could not be read in full, and any error of `import_files`.
    """
    with show_progress() as on_event:
        outcome = asyncio.run(import_files.import_files(store, paths, interval, utc_now, on_event))
    settled = (
        f"{format_count(outcome.settled, 'day')} settled ({format_days(outcome.imported_days)})"
    )
    log.info("%s: %s, %s", store.path, settled, _row_summary(outcome))
    outcome.raise_if_incomplete()


def _row_summary(outcome: Outcome) -> str:
    rows, changed = format_count(outcome.rows, "row"), format_count(outcome.changed, "figure")
    return f"{rows}; {changed} revised" if outcome.changed else rows


@contextmanager
def show_progress() -> Iterator[EventCallback]:
    """Log each event, and show a progress bar if a person watches.

    The bar shows how many windows are done, and how many requests the rate limit still allows.
    """
    columns = (
        TextColumn("windows"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rows]}"),
        TextColumn("{task.fields[limit]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not is_interactive()
    ) as progress:
        task = progress.add_task("windows", total=None, rows="", limit="")
        row_count = 0

        def on_event(event: Event) -> None:
            nonlocal row_count
            if event.kind is EventKind.SETTLED and event.rows:
                row_count += event.rows
                progress.update(task, rows=f"{row_count:,} rows")
            progress.update(task, completed=event.done, total=event.of)
            if limit := _rate_limit_status(event):
                progress.update(task, limit=limit)
            log.log(event.level, event.message, extra={"event": event.as_json()})

        yield on_event


def _rate_limit_status(event: Event) -> str:
    """Return how many requests the rate limit still allows; empty if *event* does not tell."""
    if event.kind is EventKind.PAUSED and event.seconds:
        until = utc_now() + timedelta(seconds=event.seconds)
        return f"waiting for the rate limit until {until:%H:%M:%S} UTC"
    return "" if event.left is None else f"{event.left} requests left this minute"


def print_due_windows(store: Store, request: SyncRequest, requests_per_minute: int | None) -> None:
    """Print the windows that are due and the cost of fetching them, as JSON."""
    due_days, request_count = planner.plan_due_days(store, request, utc_now())
    windows = [
        {"source": source, "window": str(day.day), "state": day.state}
        for source, days in due_days.items()
        for day in days
    ]
    cost = request_cost(request_count, requests_per_minute)
    print(json.dumps({"windows": windows, **cost}, indent=2))
