"""Report a sync: an event for each step while it runs, and its outcome in the end."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from halfhour.errors import ApiError, HalfhourError, Incomplete, Unreachable
from halfhour.genesys.retry_policy import TRANSIENT_STATUSES
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.redaction import MAX_QUOTED_LENGTH, sanitize_text

if TYPE_CHECKING:
    from halfhour.store.derived_details import DataIssue
    from halfhour.store.store import SettleResult

MAX_LISTED = 5
"""Number of conversations, files or days that a message lists."""


class SourceWindow(NamedTuple):
    """A day of one source, or the part of it that is over."""

    source: Source
    interval: Interval

    def __str__(self) -> str:
        return f"{self.source} {self.interval}"


_SOURCE_WORDS = {
    Source.POSTED: "posted figures",
    Source.STATUS: "status",
    Source.DETAILS: "details",
}
"""The sources in the words of a sentence."""


class EventKind(StrEnum):
    """The kind of an event, as a JSON log writes it."""

    WAITING = "waiting"
    READ = "read"
    PLANNED = "planned"
    PAUSED = "paused"
    ASKED = "asked"
    ANSWERED = "answered"
    DERIVED = "derived"
    SETTLED = "settled"
    FAILED = "failed"
    SOURCE_LEFT_OUT = "left_out"
    DATA_ISSUE = "odd"
    UNNAMED = "unnamed"
    UNIDENTIFIED = "unidentified"
    CLOCK_AHEAD = "clock_ahead"
    REBUILT = "rebuilt"
    LOADED = "loaded"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Event:
    """A step of a sync or of a load.

    *done* and *of* count windows, or files while these are read. *left* is the number of requests
    that the current minute still allows, if Genesys has sent it. *seconds* is the length of a
    pause, or an estimate of the time that the planned requests take. *days* and *sources* count
    those of the planned windows. *directory* says which of agents and queues were loaded.
    """

    kind: EventKind
    source: Source | None = None
    window: Interval | None = None
    rows: int | None = None
    changed: int | None = None
    done: int | None = None
    of: int | None = None
    left: int | None = None
    requests: int | None = None
    seconds: float | None = None
    reason: str = ""
    directory: str = ""
    days: int | None = None
    sources: int | None = None

    @property
    def level(self) -> int:
        """The level of `logging` for `message`."""
        quiet = (EventKind.READ, EventKind.PLANNED, EventKind.PAUSED, EventKind.ASKED,
                 EventKind.ANSWERED, EventKind.DERIVED, EventKind.SETTLED, EventKind.LOADED,
                 EventKind.DELETED)  # fmt: skip
        return logging.INFO if self.kind in quiet else logging.WARNING

    @property
    def message(self) -> str:
        """The sentence for people; empty for an event that only moves a progress bar."""
        match self.kind:
            case EventKind.PLANNED if self.requests:
                planned = format_days_of_sources(self.days or 0, self.sources or 0)
                requests = format_count(self.requests, "request")
                return f"{planned} to read: about {requests}, {_format_estimate(self.seconds or 0)}"
            case EventKind.WAITING:
                return f"{self.reason}; waiting for it to end"
            case EventKind.FAILED:
                return f"{self.source} {self.window}: {self.reason}"
            case EventKind.SOURCE_LEFT_OUT:
                return f"{self.source} is left out, so its columns are empty: {self.reason}"
            case EventKind.DATA_ISSUE:
                return self.reason
            case EventKind.CLOCK_AHEAD:
                return (
                    f"this machine's clock is {self.reason} ahead of Genesys' clock; the sync uses "
                    "Genesys' time, so that no half-hour counts as read before it is over: set the "
                    "clock"
                )
            case EventKind.UNIDENTIFIED:
                return (
                    "the organisation of this OAuth client is unknown, so the store cannot check "
                    f"that it belongs to the same one: {self.reason}"
                )
            case EventKind.REBUILT:
                return self._rebuilt_message
            case EventKind.UNNAMED:
                return (
                    "names of agents or queues are missing, so reports show ids until the next "
                    f"sync: {self.reason}"
                )
        return ""

    @property
    def _rebuilt_message(self) -> str:
        rebuilt, held = self.done or 0, self.of or 0
        days = format_count(rebuilt, "day")
        figures = format_count(self.changed or 0, "figure")
        message = f"details of {days} derived anew: {figures} revised"
        if rebuilt == held:
            return message
        return (
            f"{message}; of {format_count(held - rebuilt, 'day')} the store does not hold what "
            "Genesys said, so they stay as they were: ⟨reread⟩ now fetches them again"
        )

    def as_json(self) -> dict[str, object]:
        """Return the fields for a JSON log, without empty ones."""
        fields = {
            "event": self.kind,
            "source": self.source,
            "directory": self.directory,
            "window": str(self.window) if self.window else "",
            "rows": self.rows,
            "changed": self.changed,
            "done": self.done,
            "of": self.of,
            "requests_left": self.left,
            "requests": self.requests,
            "seconds": self.seconds,
            "days": self.days,
            "sources": self.sources,
            "reason": self.reason,
        }
        return {name: value for name, value in fields.items() if value not in (None, "")}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Event":
        """Return the event whose `as_json` gave *fields*. Raises ValueError for another kind."""
        return cls(
            EventKind(fields["event"]),
            Source(fields["source"]) if "source" in fields else None,
            Interval.from_text(fields["window"]) if "window" in fields else None,
            fields.get("rows"),
            fields.get("changed"),
            fields.get("done"),
            fields.get("of"),
            left=fields.get("requests_left"),
            requests=fields.get("requests"),
            seconds=fields.get("seconds"),
            reason=fields.get("reason", ""),
            directory=fields.get("directory", ""),
            days=fields.get("days"),
            sources=fields.get("sources"),
        )


def format_count(number: int, noun: str) -> str:
    """Return *number* with its *noun*, which is given in the singular."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def format_listed(names: Sequence[str]) -> str:
    """Return the first ones of *names*, and how many more there are."""
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more


def format_days_of_sources(days: int, sources: int) -> str:
    """Return the size of a sync in words: "31 days of 3 sources"."""
    return f"{format_count(days, 'day')} of {format_count(sources, 'source')}"


def _format_estimate(seconds: float) -> str:
    """Return *seconds* as a person estimates them, in minutes from a minute and a half on."""
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"


EventCallback = Callable[[Event], None]


def emit_waiting(on_event: EventCallback, reason: str) -> None:
    """Emit that the writer of a store waits, because of *reason*."""
    on_event(Event(EventKind.WAITING, reason=reason))


@dataclass(slots=True)
class Outcome:
    """The result of a sync or of an import.

    *settled* counts windows, *rows* their rows, and *changed* the figures that reading a day
    again has changed. *failed* has the windows that could not be read, with the error.
    *left_out* has the sources that the client may not read. *incomplete* has the windows that
    were stored without their unreadable records, or although pages are missing after
    *incomplete_files*, with a description of what they lack. *imported_days* are the days that
    files settled.
    """

    settled: int = 0
    rows: int = 0
    changed: int = 0
    failed: dict[SourceWindow, HalfhourError] = field(default_factory=dict)
    left_out: dict[Source, ApiError] = field(default_factory=dict)
    incomplete: dict[SourceWindow, str] = field(default_factory=dict)
    data_issues: "list[DataIssue]" = field(default_factory=list)
    incomplete_files: Sequence[str] = ()
    imported_days: list[datetime] = field(default_factory=list)
    settled_windows: list[SourceWindow] = field(default_factory=list)

    def add_settled(self, window: SourceWindow, result: "SettleResult") -> None:
        """Count one more settled *window*, with its rows and changed figures."""
        self.settled_windows.append(window)
        self.settled += 1
        self.rows += result.rows
        self.changed += result.changed

    @property
    def settled_size(self) -> str:
        """The days and sources that a sync has settled, in words."""
        days = {window.interval.start for window in self.settled_windows}
        sources = {window.source for window in self.settled_windows}
        return format_days_of_sources(len(days), len(sources))

    def raise_if_incomplete(self) -> None:
        """Raise Incomplete if any window failed or is incomplete.

        Raises Unreachable if no window was settled and the first one failed with that.
        """
        errors = list(self.failed.values())
        if errors and not self.settled and isinstance(errors[0], Unreachable):
            raise errors[0]
        reasons = []
        if errors:
            lines = "".join(f"\n  {window}: {error}" for window, error in self.failed.items())
            advice = [
                *["the others are kept"] * bool(self.settled),
                *["running it again fetches what is missing"] * any(map(_may_pass, errors)),
            ]
            hint = f"; {', and '.join(advice)}" if advice else ""
            reasons.append(f"{self._count_days(self.failed)} missing{hint}:{lines}")
        if self.incomplete:
            lines = "".join(f"\n  {window}: {gap}" for window, gap in self.incomplete.items())
            reasons.append(
                f"{self._count_days(self.incomplete)} incomplete, because {self._gap_cause}; the "
                f"others are kept:{lines}"
            )
        if reasons:
            raise Incomplete("\n  ".join(reasons))

    @property
    def _gap_cause(self) -> str:
        """The reason why windows are incomplete; each of them lists what it lacks."""
        if self.incomplete_files:
            return f"pages are missing after {format_listed(self.incomplete_files)}"
        return "some records could not be read"

    def _count_days(self, windows: Collection[SourceWindow]) -> str:
        """Return how many days of each source *windows* are: "2 of 7 days of details are"."""
        counts = Counter(window.source for window in windows)
        totals = Counter(window.source for window in (*self.settled_windows, *self.failed))
        listed = [
            f"{counts[source]} of {format_count(totals[source], 'day')} of {words}"
            for source, words in _SOURCE_WORDS.items()
            if counts[source]
        ]
        return f"{' and '.join(listed)} {'is' if len(windows) == 1 else 'are'}"

    def emit_data_issues(self, on_event: EventCallback) -> None:
        """Emit one event for each kind of data issue; it lists the first conversations."""
        for kind in dict.fromkeys(issue.kind for issue in self.data_issues):
            issues = [*dict.fromkeys(issue for issue in self.data_issues if issue.kind == kind)]
            on_event(data_issue_event(issues[:MAX_LISTED], len(issues)))


def _may_pass(error: HalfhourError) -> bool:
    """Return whether the same request may succeed later without a change by somebody."""
    if not isinstance(error, ApiError) or error.status in TRANSIENT_STATUSES:
        return True
    return error.status >= 500


def data_issue_event(first_issues: "Sequence[DataIssue]", count: int) -> Event:
    """Return the event of *count* data issues of one kind, of which it lists the first."""
    places = (", ".join(filter(None, issue[1:3])) for issue in first_issues)
    listed = "; ".join(sanitize_text(place, MAX_QUOTED_LENGTH) for place in places)
    more = f"; and {count - len(first_issues)} more" if count > len(first_issues) else ""
    reason = f"{first_issues[0].kind}: {count} ({listed}{more})"
    return Event(EventKind.DATA_ISSUE, rows=count, reason=reason)
