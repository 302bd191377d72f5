"""What ``halfhour sync`` does once its words are understood: sync, once or for ever."""

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
    settings: Settings, store: Store, wish: SyncRequest, keep: timedelta | None = None
) -> None:
    """Bring *store* up to date, and let go of days that are older than *keep*.

    Raises Incomplete, and what `syncing.sync` raises.
    """
    first_kept = floor_to_width(utc_now() - keep, DAY) if keep else None
    with show_progress() as on_event:
        request = replace(wish, since=first_kept)
        outcome = asyncio.run(runner.run_sync(settings, store, request, utc_now, on_event))
    settled = f"{format_count(outcome.settled, 'window')} settled"
    log.info("%s: %s, %s", store.path, settled, _row_summary(outcome))
    if first_kept and (gone := store.delete_days_before(first_kept)):
        days = format_count(gone, "day")
        log.info("%s: %s before %s let go of", store.path, days, first_kept.date())
    outcome.raise_if_incomplete()


def sync_repeatedly(
    settings: Settings,
    store: Store,
    wish: Callable[[], SyncRequest],
    keep: timedelta | None,
    every: timedelta,
) -> None:
    """Do so at every full *every*, for ever; what to *wish* for is asked anew each time.

    What may pass is only told: of a store all that comes up once it has been good.
    """
    was_good = False
    while True:
        try:
            sync_once(settings, store, wish(), keep)
            was_good = True
        except (Incomplete, UnexpectedAnswer, Unreachable, StoreBusy) as error:
            log.error("%s", error)
        except StoreError as error:
            if not was_good:
                raise
            log.error("%s", error)
        except ApiError as error:
            if error.status in (401, 403):
                raise
            log.error("%s", error)
        time.sleep(every.total_seconds() - time.time() % every.total_seconds())


def import_with_progress(store: Store, paths: Sequence[Path], interval: Interval | None) -> None:
    """Hold what the files at *paths* say, and show how far it is.

    Raises what `landed.land` raises, and Incomplete where something could not be read.
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
    """Show how many windows are done and how near the rate limit is, if a person looks on, and log
    each event.
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
    with Progress(*columns, console=console, transient=True, disable=not is_interactive()) as bar:
        task = bar.add_task("windows", total=None, rows="", limit="")
        rows = 0

        def on_event(event: Event) -> None:
            nonlocal rows
            if event.kind is EventKind.SETTLED and event.rows:
                rows += event.rows
                bar.update(task, rows=f"{rows:,} rows")
            bar.update(task, completed=event.done, total=event.of)
            if limit := _rate_limit_status(event):
                bar.update(task, limit=limit)
            log.log(event.level, event.message, extra={"event": event.as_json()})

        yield on_event


def _rate_limit_status(event: Event) -> str:
    """How near the rate limit is, as far as *event* tells."""
    if event.kind is EventKind.PAUSED and event.seconds:
        until = utc_now() + timedelta(seconds=event.seconds)
        return f"waiting for the rate limit until {until:%H:%M:%S} UTC"
    return "" if event.left is None else f"{event.left} requests left this minute"


def print_due_windows(store: Store, wish: SyncRequest, a_minute: int | None) -> None:
    """Print which windows are due, and what they will cost at so many requests *a_minute*."""
    days, requests = planner.plan_due_days(store, wish, utc_now())
    windows = [
        {"source": source, "window": str(each.day), "state": each.state}
        for source, held in days.items()
        for each in held
    ]
    print(json.dumps({"windows": windows, **request_cost(requests, a_minute)}, indent=2))
