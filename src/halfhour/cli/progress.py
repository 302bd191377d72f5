"""The progress of a sync or an import: log messages, and a bar where a person watches."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from halfhour.cli.console import is_interactive
from halfhour.clock import utc_now
from halfhour.model.coverage import format_days
from halfhour.syncing.progress import Event, EventCallback, EventKind

log = logging.getLogger("halfhour")


@contextmanager
def show_progress() -> Iterator[EventCallback]:
    """Log each event, and show a progress bar if a person watches.

    The bar shows how many files are read, then how many days of all sources are done, and how many
    requests the rate limit still allows.
    """
    if not is_interactive():
        yield _log_event
        return
    # Imported late, because a command without a bar needs nothing of rich.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rows]}"),
        TextColumn("{task.fields[limit]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("days", total=None, rows="", limit="")
        row_count, days_label = 0, "days"

        def on_event(event: Event) -> None:
            nonlocal row_count, days_label
            if event.kind in (EventKind.SETTLED, EventKind.LOADED) and event.rows:
                row_count += event.rows
                progress.update(task, rows=f"{row_count:,} rows")
            if event.sources and event.sources > 1:
                days_label = f"days of {event.sources} sources"
            progress.update(
                task,
                description="files" if event.kind is EventKind.READ else days_label,
                completed=event.done,
                total=event.of,
            )
            if limit := _rate_limit_status(event):
                progress.update(task, limit=limit)
            _log_event(event)

        yield on_event


def explain_days(days: Sequence[datetime]) -> None:
    """Log which *days* files decided themselves; a single one needs no explanation."""
    if len(days) > 1:
        log.info(
            "without ⟨start⟩ and ⟨end⟩ the days are those on which conversations began (%s), also "
            "if the files hold only a part of a day, such as the first",
            format_days(days),
        )


def _log_event(event: Event) -> None:
    log.log(event.level, event.message, extra={"event": event.as_json()})


def _rate_limit_status(event: Event) -> str:
    """Return how many requests the rate limit still allows; empty if *event* does not tell."""
    if event.kind is EventKind.PAUSED and event.seconds:
        until = utc_now() + timedelta(seconds=event.seconds)
        return f"waiting for the rate limit until {until:%H:%M:%S} UTC"
    return "" if event.left is None else f"{event.left} requests left this minute"
