"""The summary of several syncs: a row for each organisation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from halfhour.cli.exit_codes import ExitCode
from halfhour.cli.organizations.messages import LogMessage
from halfhour.syncing.progress import EventKind

KILOBYTE = 1024
_SCHEMA = pa.schema(
    {
        "org": pa.string(),
        "settled_day_count": pa.int64(),
        "row_count": pa.int64(),
        "changed_count": pa.int64(),
        "failed_count": pa.int64(),
        "exit_code": pa.int64(),
        "peak_memory_mb": pa.int64(),
    }
)


@dataclass(slots=True)
class SyncSummary:
    """The sync of the organisation *name*, as its messages and its process tell.

    *rows* and *changed* are those of settled windows, *failed* counts windows. *exit_code* is
    None if the sync has not ended, *peak_memory_mb* if the system does not tell.
    """

    name: str
    settled_days: set[datetime] = field(default_factory=set)
    rows: int = 0
    changed: int = 0
    failed: int = 0
    exit_code: int | None = None
    peak_memory_mb: int | None = None
    reason: str = ""

    def add_message(self, message: LogMessage) -> None:
        """Count the window that *message* tells about, or keep the reason of a failure."""
        if message.event is None:
            if message.has_ended or not self.reason:
                self.reason = message.text
            return
        event = message.event
        if event.kind is EventKind.FAILED:
            self.failed += 1
        elif event.kind is EventKind.SETTLED and event.window:
            self.settled_days.add(event.window.start)
            self.rows += event.rows or 0
            self.changed += event.changed or 0

    def end(self, return_code: int, peak_memory_mb: int | None) -> None:
        """Keep how the process ended; a signal counts as a shell counts it."""
        self.exit_code = return_code if return_code >= 0 else 128 - return_code
        self.peak_memory_mb = peak_memory_mb
        if return_code < 0:
            self.reason = f"ended by signal {-return_code}"

    def as_row(self) -> dict[str, Any]:
        """Return the row of the table, by column."""
        return {
            "org": self.name,
            "settled_day_count": len(self.settled_days),
            "row_count": self.rows,
            "changed_count": self.changed,
            "failed_count": self.failed,
            "exit_code": self.exit_code,
            "peak_memory_mb": self.peak_memory_mb,
        }


def summary_table(summaries: Iterable[SyncSummary]) -> pa.Table:
    """Return a row for each of *summaries*."""
    return pa.Table.from_pylist([summary.as_row() for summary in summaries], _SCHEMA)


def describe_memory(summaries: Sequence[SyncSummary], at_once: int) -> str:
    """Return how much memory *at_once* processes need at most; empty if it is unknown."""
    peaks = [summary.peak_memory_mb for summary in summaries if summary.peak_memory_mb]
    if not peaks:
        return ""
    largest = sum(sorted(peaks)[-at_once:])
    return (
        f"{max(peaks):,} MB of memory at most in a process; the {min(at_once, len(peaks))} largest "
        f"at once need {largest:,} MB"
    )


def describe_failures(summaries: Sequence[SyncSummary]) -> str:
    """Return which syncs failed and why, one a line below the first; empty if none did."""
    failed = [summary for summary in summaries if summary.exit_code]
    if not failed:
        return ""
    lines = "".join(
        f"\n  {summary.name}: exit code {summary.exit_code}, {_first_line(summary.reason)}"
        for summary in failed
    )
    advice = "what the others have is stored; run it again to fetch the rest"
    if len(failed) == len(summaries):
        advice = "mend the causes and run it again"
    return f"{len(failed)} of {len(summaries)} organisations failed; {advice}:{lines}"


def exit_code_of_failures(summaries: Iterable[SyncSummary]) -> ExitCode:
    """Return the exit code of a command whose syncs failed, at least one of them.

    It is 3 or 4 if all of them ended with it, because then nothing could be had.
    """
    codes = {summary.exit_code for summary in summaries}
    for code in (ExitCode.CREDENTIALS, ExitCode.UNREACHABLE):
        if codes == {code}:
            return code
    return ExitCode.INCOMPLETE


def _first_line(reason: str) -> str:
    line, *others = reason.splitlines() or ["without a message"]
    return line.removesuffix(":") + (" (listed above)" if others else "")


def peak_megabytes(peak: int, platform: str) -> int:
    """Return the megabytes of a *peak* that `getrusage` tells: in bytes on macOS, else in kB."""
    kilobytes = peak // KILOBYTE if platform == "darwin" else peak
    return round(kilobytes / KILOBYTE)
