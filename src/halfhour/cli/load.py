"""The command ``halfhour load``: show progress and log the outcome."""

import logging

from halfhour.cli.progress import show_progress
from halfhour.clock import utc_now
from halfhour.loading.destination import Address, open_destination
from halfhour.loading.runner import LoadStep, load_store
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.syncing.progress import Event, EventKind, format_count

log = logging.getLogger("halfhour")


def load_with_progress(store: Store, address: Address, *, delete_missing: bool) -> None:
    """Make the destination at *address* equal to *store*, and show progress.

    Raises any error of `open_destination` and `load_store`.
    """
    with open_destination(address) as destination, show_progress() as on_event:

        def on_step(step: LoadStep) -> None:
            kind = EventKind.DELETED if step.row_count is None else EventKind.LOADED
            is_window = step.key.window_start is not None
            on_event(
                Event(
                    kind,
                    Source(step.key.source) if is_window else None,
                    step.window,
                    rows=step.row_count,
                    done=step.done,
                    of=step.of,
                    directory="" if is_window else step.key.source,
                )
            )

        def on_wait(reason: str) -> None:
            on_event(Event(EventKind.WAITING, reason=reason))

        outcome = load_store(
            store, destination, utc_now, on_step, on_wait, delete_missing=delete_missing
        )
    log.info(
        "%s: %s loaded (%s), %d deleted, %d unchanged",
        address,
        format_count(outcome.loaded, "part"),
        format_count(outcome.rows, "row"),
        outcome.deleted,
        outcome.unchanged,
    )
