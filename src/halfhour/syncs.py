"""What ``halfhour sync`` does once its words are understood: sync, once or for ever."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from halfhour import landed, plan, syncing
from halfhour.api import now
from halfhour.errors import ApiError, Incomplete, UnexpectedAnswer, Unreachable
from halfhour.intervals import Interval
from halfhour.outcomes import Event, Outcome, Tell
from halfhour.settings import Settings
from halfhour.store import Store
from halfhour.syncing import Wish
from halfhour.talk import watched

log = logging.getLogger("halfhour")


def once(settings: Settings, store: Store, wish: Wish, keep: timedelta | None = None) -> None:
    """Bring *store* up to date, and let go of what is older than *keep*.

    Raises Incomplete, and what `syncing.sync` raises.
    """
    outcome = run(settings, store, wish)
    changed = f"; {outcome.changed:,} figures have changed since" if outcome.changed else ""
    log.info(
        "%s: %d windows settled, %s rows%s",
        store.path,
        outcome.settled,
        f"{outcome.rows:,}",
        changed,
    )
    if keep and (gone := store.keep(now() - keep)):
        log.info("%s: %d days older than %s are gone", store.path, gone, keep)
    outcome.check()


def watch(
    settings: Settings, store: Store, wish: Wish, keep: timedelta | None, every: timedelta
) -> None:
    """Do so at every full *every*, for ever. What may pass is only told."""
    while True:
        try:
            once(settings, store, wish, keep)
        except (Incomplete, UnexpectedAnswer, Unreachable) as error:
            log.error("%s", error)
        except ApiError as error:
            if error.status in (401, 403):
                raise
            log.error("%s", error)
        time.sleep(every.total_seconds() - time.time() % every.total_seconds())


def run(settings: Settings, store: Store, wish: Wish, *, wait: bool = True) -> Outcome:
    """Sync, and show how far it is."""
    return _shown(lambda tell: syncing.sync(settings, store, wish, now, tell, wait=wait))


def land(store: Store, paths: Sequence[Path], interval: Interval | None) -> None:
    """Hold what the files at *paths* say, and show how far it is.

    Raises what `landed.land` raises.
    """
    outcome = _shown(lambda tell: landed.land(store, paths, interval, now, tell))
    log.info("%s: %d days settled, %s rows", store.path, outcome.settled, f"{outcome.rows:,}")


def _shown(work: Callable[[Tell], Coroutine[Any, Any, Outcome]]) -> Outcome:
    """What comes of *work*, whose progress is shown while it goes on."""
    columns = (
        TextColumn("windows"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TextColumn("{task.fields[left]} requests left this minute"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not watched()) as bar:
        task = bar.add_task("windows", total=None, rows=0, left="?")
        rows = 0

        def tell(event: Event) -> None:
            nonlocal rows
            rows += event.rows if event.kind == "settled" else 0
            left = "?" if event.left is None else event.left
            bar.update(task, completed=event.done, total=event.of, rows=rows, left=left)
            said = SAID.get(event.kind)
            if said:
                log.log(*said(event))
            log.info("", extra={"event": event.as_json()})

        return asyncio.run(work(tell))


def preview(store: Store, wish: Wish) -> None:
    """Print which windows are due, and what they will cost."""
    days = syncing.due(store, wish, now())
    windows = [
        {"source": source, "window": str(each.day), "state": each.state}
        for source, held in days.items()
        for each in held
    ]
    print(json.dumps({"windows": windows, **plan.cost(len(windows))}, indent=2))


SAID: dict[str, Callable[[Event], tuple[int, str]]] = {
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
    "unnamed": lambda event: (
        logging.WARNING,
        f"names could not be had, so ids show until the next sync: {event.reason}",
    ),
}
"""What is said of an event to people, besides the progress."""
