"""The command ``halfhour worked``: show progress and log the outcome."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from halfhour.cli.progress import show_progress
from halfhour.clock import utc_now
from halfhour.model.coverage import format_days
from halfhour.syncing.progress import format_count
from halfhour.syncing.worked_files import WorkedRequest, write_worked_files

log = logging.getLogger("halfhour")


def write_with_progress(inputs: Sequence[Path], request: WorkedRequest) -> None:
    """Write the worked time in the files of *inputs*, and show progress.

    Raises Incomplete if pages are missing, and any error of `write_worked_files`.
    """
    with show_progress() as on_event:
        outcome = asyncio.run(write_worked_files(inputs, request, utc_now, on_event))
    if outcome.unreadable_count:
        log.warning(
            "%s of %s cannot be read and are in %s",
            f"{outcome.unreadable_count:,}",
            format_count(outcome.record_count, "record"),
            request.output.path / "quarantine",
        )
    log.info(
        "%s: %s written (%s), %s from %s",
        request.output.path,
        format_count(len(outcome.days), "day"),
        format_days(day.start for day in outcome.days),
        format_count(outcome.row_count, "row"),
        format_count(outcome.record_count, "record"),
    )
    outcome.raise_if_incomplete()
