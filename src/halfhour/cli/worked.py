"""The command ``halfhour worked``: show progress and log the outcome."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from halfhour.cli.progress import explain_days, show_progress
from halfhour.clock import utc_now
from halfhour.errors import ConfigError, suggest_name
from halfhour.model.coverage import format_days
from halfhour.syncing.progress import format_count
from halfhour.syncing.worked_files import WorkedRequest, write_worked_files

log = logging.getLogger("halfhour")


ENGINES = ("duckdb", "spark")


def require_engine(engine: str, master: str) -> None:
    """Raise ConfigError unless *engine* is one of `ENGINES`, and spark if there is a *master*."""
    if engine not in ENGINES:
        choices, hint = " or ".join(ENGINES), suggest_name(engine, ENGINES)
        raise ConfigError(f"⟨engine⟩ {engine!r} is not known; write {choices}{hint}")
    if master and engine != "spark":
        raise ConfigError("⟨master⟩ is for ⟨engine⟩ spark; add that, or leave ⟨master⟩ out")


def write_with_progress(
    inputs: Sequence[str], request: WorkedRequest, engine: str, master: str
) -> None:
    """Write the worked time in the files of *inputs* with *engine*, and show progress.

    Raises Incomplete if pages are missing, and any error of `write_worked_files` or
    `write_with_spark`.
    """
    with show_progress() as on_event:
        if engine == "spark":
            from halfhour.spark.worked import write_with_spark

            outcome = write_with_spark(inputs, request, master, utc_now, on_event)
        else:
            paths = [Path(path) for path in inputs]
            outcome = asyncio.run(write_worked_files(paths, request, utc_now, on_event))
    if outcome.unreadable_count:
        log.warning(
            "%s of %s cannot be read and are in %s",
            f"{outcome.unreadable_count:,}",
            format_count(outcome.record_count, "record"),
            f"{request.output}/quarantine",
        )
    log.info(
        "%s: %s written (%s), %s from %s",
        request.output,
        format_count(len(outcome.days), "day"),
        format_days(day.start for day in outcome.days),
        format_count(outcome.row_count, "row"),
        format_count(outcome.record_count, "record"),
    )
    if not request.interval:
        explain_days([day.start for day in outcome.days])
    outcome.raise_if_incomplete()
