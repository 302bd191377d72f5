"""What ``halfhour sync`` does once its words are understood: sync, once or for ever."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from halfhour.api import now
from halfhour.cli.console import watched
from halfhour.errors import (
    ApiError,
    Incomplete,
    StoreBusy,
    StoreError,
    UnexpectedAnswer,
    Unreachable,
)
from halfhour.genesys import requests as plan
from halfhour.model.coverage import DAY, dates
from halfhour.model.intervals import Interval, floored
from halfhour.settings import Settings
from halfhour.store.store import Store
from halfhour.syncing import import_files, planner, runner
from halfhour.syncing.planner import Wish
from halfhour.syncing.progress import Event, Outcome, Tell, counted

log = logging.getLogger("halfhour")


def once(settings: Settings, store: Store, wish: Wish, keep: timedelta | None = None) -> None:
    """Bring *store* up to date, and let go of days that are older than *keep*.

    Raises Incomplete, and what `syncing.sync` raises.
    """
    first_kept = floored(now() - keep, DAY) if keep else None
    outcome = run(settings, store, replace(wish, since=first_kept))
    settled = f"{counted(outcome.settled, 'window')} settled"
    log.info("%s: %s, %s", store.path, settled, _rows(outcome))
    if first_kept and (gone := store.keep(first_kept)):
        days = counted(gone, "day")
        log.info("%s: %s before %s let go of", store.path, days, first_kept.date())
    outcome.check()


def watch(
    settings: Settings,
    store: Store,
    wish: Callable[[], Wish],
    keep: timedelta | None,
    every: timedelta,
) -> None:
    """Do so at every full *every*, for ever; what to *wish* for is asked anew each time.

    What may pass is only told: of a store all that comes up once it has been good.
    """
    was_good = False
    while True:
        try:
            once(settings, store, wish(), keep)
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


def run(settings: Settings, store: Store, wish: Wish, *, wait: bool = True) -> Outcome:
    """Sync, and show how far it is."""
    return _shown(lambda tell: runner.sync(settings, store, wish, now, tell, wait=wait))


def land(store: Store, paths: Sequence[Path], interval: Interval | None) -> None:
    """Hold what the files at *paths* say, and show how far it is.

    Raises what `landed.land` raises, and Incomplete where something could not be read.
    """
    outcome = _shown(lambda tell: import_files.land(store, paths, interval, now, tell))
    settled = f"{counted(outcome.settled, 'day')} settled ({dates(outcome.days)})"
    log.info("%s: %s, %s", store.path, settled, _rows(outcome))
    outcome.check()


def _rows(outcome: Outcome) -> str:
    rows, changed = counted(outcome.rows, "row"), counted(outcome.changed, "figure")
    return f"{rows}; {changed} revised" if outcome.changed else rows


def _shown(work: Callable[[Tell], Coroutine[Any, Any, Outcome]]) -> Outcome:
    """What comes of *work*, whose progress is shown while it goes on."""
    columns = (
        TextColumn("windows"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TextColumn("{task.fields[limit]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not watched()) as bar:
        task = bar.add_task("windows", total=None, rows=0, limit="")
        rows = 0

        def tell(event: Event) -> None:
            nonlocal rows
            rows += event.rows or 0 if event.kind == "settled" else 0
            bar.update(task, completed=event.done, total=event.of, rows=rows)
            if limit := _limit(event):
                bar.update(task, limit=limit)
            level, said = SAID.get(event.kind, _nothing)(event)
            log.log(level, said, extra={"event": event.as_json()})

        return asyncio.run(work(tell))


def _limit(event: Event) -> str:
    """How near the rate limit is, as far as *event* tells."""
    if event.kind == "paused" and event.seconds:
        until = now() + timedelta(seconds=event.seconds)
        return f"waiting for the rate limit until {until:%H:%M:%S} UTC"
    return "" if event.left is None else f"{event.left} requests left this minute"


def _nothing(_: Event) -> tuple[int, str]:
    return logging.INFO, ""


def preview(store: Store, wish: Wish, a_minute: int | None) -> None:
    """Print which windows are due, and what they will cost at so many requests *a_minute*."""
    days, requests = planner.planned(store, wish, now())
    windows = [
        {"source": source, "window": str(each.day), "state": each.state}
        for source, held in days.items()
        for each in held
    ]
    print(json.dumps({"windows": windows, **plan.cost(requests, a_minute)}, indent=2))


SAID: dict[str, Callable[[Event], tuple[int, str]]] = {
    "planned": lambda event: (
        logging.INFO,
        f"{event.of} windows to read: at least {event.requests} requests, {event.seconds:g} s"
        if event.requests
        else "",
    ),
    "waiting": lambda event: (logging.WARNING, f"{event.reason}; waiting for it to end"),
    "failed": lambda event: (
        logging.WARNING,
        f"{event.source} {event.window}: {event.reason}",
    ),
    "left_out": lambda event: (
        logging.WARNING,
        f"{event.source} is left out, so what needs it is empty: {event.reason}",
    ),
    "odd": lambda event: (logging.WARNING, event.reason),
    "clock_ahead": lambda event: (
        logging.WARNING,
        f"this machine's clock is ahead of Genesys' by {event.reason}; Genesys' time is used, so "
        "that nothing counts as read that has not been yet: set the clock",
    ),
    "unidentified": lambda event: (
        logging.WARNING,
        f"the client's organisation is not known, so the store cannot tell it from another: "
        f"{event.reason}",
    ),
    "unnamed": lambda event: (
        logging.WARNING,
        f"names could not be had, so ids show until the next sync: {event.reason}",
    ),
}
"""What is said of an event to people, besides the progress."""
