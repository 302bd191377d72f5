"""Keeps the store fresh beside the page, and knows how that goes."""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from halfhour.clock import utc_now
from halfhour.errors import HalfhourError
from halfhour.genesys.connection import Settings
from halfhour.redaction import MAX_QUOTED_LENGTH, sanitize_text
from halfhour.store.store import Store
from halfhour.syncing import runner
from halfhour.syncing.planner import SyncRequest
from halfhour.syncing.progress import Event

log = logging.getLogger("halfhour")


@dataclass(slots=True)
class BackgroundSync:
    """What a sync beside the page does, as the page shows it; *said* is why the last one failed."""

    every: timedelta | None = None
    state: str = "off"
    done: int = 0
    of: int = 0
    last_error: str = ""
    stop_requested: threading.Event = field(default_factory=threading.Event)

    def start_thread(self, load: Callable[[], Settings], store: Store) -> None:
        """Sync at once, and again at every full *every*, until it is ended."""
        self.state = "running"
        threading.Thread(target=self._sync_until_stopped, args=(load, store), daemon=True).start()

    def _sync_until_stopped(self, load: Callable[[], Settings], store: Store) -> None:
        assert self.every
        seconds = self.every.total_seconds()
        while not self.stop_requested.is_set():
            self._attempt_sync(load, store)
            self.stop_requested.wait(seconds - utc_now().timestamp() % seconds)

    def _attempt_sync(self, load: Callable[[], Settings], store: Store) -> None:
        """Once. What fails may be mended by the next turn, even a credential."""
        self.state, self.done, self.of = "running", 0, 0
        try:
            outcome = asyncio.run(
                runner.run_sync(load(), store, SyncRequest(), utc_now, self._count_windows)
            )
            outcome.raise_if_incomplete()
            said = ""
        except HalfhourError as error:
            said = str(error)
        except Exception as error:  # noqa: BLE001  (a thread that ends would be missed by nobody)
            said = (
                f"unexpected {type(error).__name__}: {sanitize_text(str(error), MAX_QUOTED_LENGTH)}"
            )
        self.state, self.last_error = "waiting", _shorten_message(said)
        if said:
            log.warning("sync: %s; trying again at the next turn", said)

    def _count_windows(self, event: Event) -> None:
        if event.of is not None:
            self.done, self.of = event.done or 0, event.of


def _shorten_message(said: str) -> str:
    """With the first of what it lists, a line each, as there may be one of each day."""
    head, *listed = said.split("\n  ")
    more = f"; and {len(listed) - 1} more" if len(listed) > 1 else ""
    return " ".join([head, *listed[:1]]) + more
