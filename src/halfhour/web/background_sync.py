"""The stores that the dashboard serves, and the syncs that run in threads beside it."""

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

SYNCS_AT_ONCE = 4
"""Number of organisations that are synced at the same time; each may need 500 MB."""
_TURNS = threading.BoundedSemaphore(SYNCS_AT_ONCE)


@dataclass(slots=True)
class BackgroundSync:
    """The state of the sync as the page shows it: off, running or waiting.

    A running sync has read *done* of *of* windows. *last_error* is empty if the last sync
    succeeded.
    """

    every: timedelta | None = None
    state: str = "off"
    done: int = 0
    of: int = 0
    last_error: str = ""
    stop_requested: threading.Event = field(default_factory=threading.Event)

    def start_thread(
        self,
        load_settings: Callable[[], Settings],
        store: Store,
        request: SyncRequest = SyncRequest(),  # noqa: B008  (a frozen value)
    ) -> None:
        """Sync at once and at every full *every*, such as each quarter of an hour, until stopped.

        Setting `stop_requested` stops it.
        """
        self.state = "running"
        threading.Thread(
            target=self._sync_until_stopped, args=(load_settings, store, request), daemon=True
        ).start()

    def _sync_until_stopped(
        self, load_settings: Callable[[], Settings], store: Store, request: SyncRequest
    ) -> None:
        assert self.every
        seconds = self.every.total_seconds()
        while not self.stop_requested.is_set():
            self._attempt_sync(load_settings, store, request)
            self.stop_requested.wait(seconds - utc_now().timestamp() % seconds)

    def _attempt_sync(
        self, load_settings: Callable[[], Settings], store: Store, request: SyncRequest
    ) -> None:
        """Sync once. Settings are loaded each time, as somebody may have corrected a credential."""
        self.state, self.done, self.of = "running", 0, 0
        try:
            with _TURNS:
                outcome = asyncio.run(
                    runner.run_sync(load_settings(), store, request, utc_now, self._count_windows)
                )
            outcome.raise_if_incomplete()
            message = ""
        except HalfhourError as error:
            message = str(error)
        except Exception as error:  # noqa: BLE001  (nobody would notice that the thread has ended)
            text = sanitize_text(str(error), MAX_QUOTED_LENGTH)
            message = f"unexpected {type(error).__name__}: {text}"
        self.state, self.last_error = "waiting", _shorten_message(message)
        if message:
            log.warning("sync of %s: %s; trying again at the next turn", store.path, message)

    def _count_windows(self, event: Event) -> None:
        if event.of is not None:
            self.done, self.of = event.done or 0, event.of


def _shorten_message(message: str) -> str:
    """Return *message* in one line: of the items that it lists, one a line, only the first."""
    head, *items = message.split("\n  ")
    more = f"; and {len(items) - 1} more" if len(items) > 1 else ""
    return " ".join([head, *items[:1]]) + more


@dataclass(slots=True)
class ServedStore:
    """A store that the dashboard serves, and the sync that keeps it fresh.

    *zone* is the time zone for an address that names none. The sync reads at least the days of
    *history* if there is one.
    """

    store: Store
    zone: str = "UTC"
    background_sync: BackgroundSync = field(default_factory=BackgroundSync)
    history: timedelta | None = None
