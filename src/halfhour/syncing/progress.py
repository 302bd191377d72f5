"""What a sync tells while it runs, and what it did in the end."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from halfhour.errors import ApiError, HalfhourError, Incomplete, Unreachable
from halfhour.ingest.detail_records import DataIssue
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.redaction import MAX_QUOTED_LENGTH, sanitize_text

MAX_LISTED = 5
"""How many conversations are named of those that something is odd about."""


class SourceWindow(NamedTuple):
    """A day, or as much of it as is over, of one source."""

    source: Source
    interval: Interval

    def __str__(self) -> str:
        return f"{self.source} {self.interval}"


class EventKind(StrEnum):
    """What an event reports, as machines read it in a log of JSON."""

    WAITING = "waiting"
    PLANNED = "planned"
    PAUSED = "paused"
    ASKED = "asked"
    ANSWERED = "answered"
    SETTLED = "settled"
    FAILED = "failed"
    SOURCE_LEFT_OUT = "left_out"
    DATA_ISSUE = "odd"
    UNNAMED = "unnamed"
    UNIDENTIFIED = "unidentified"
    CLOCK_AHEAD = "clock_ahead"


@dataclass(frozen=True, slots=True)
class Event:
    """A step of a sync.

    *done* and *of* count windows. *left* is how many requests the minute still allows, where
    that is known; *seconds* is how long a pause lasts, or how long at least what is planned takes.
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

    @property
    def level(self) -> int:
        """The level of `logging` for `message`."""
        quiet = (EventKind.PLANNED, EventKind.PAUSED, EventKind.ASKED, EventKind.ANSWERED,
                 EventKind.SETTLED)  # fmt: skip
        return logging.INFO if self.kind in quiet else logging.WARNING

    @property
    def message(self) -> str:
        """The sentence for people; empty for an event that only moves a progress bar."""
        match self.kind:
            case EventKind.PLANNED if self.requests:
                return (
                    f"{self.of} windows to read: at least {self.requests} requests, "
                    f"{self.seconds:g} s"
                )
            case EventKind.WAITING:
                return f"{self.reason}; waiting for it to end"
            case EventKind.FAILED:
                return f"{self.source} {self.window}: {self.reason}"
            case EventKind.SOURCE_LEFT_OUT:
                return f"{self.source} is left out, so what needs it is empty: {self.reason}"
            case EventKind.DATA_ISSUE:
                return self.reason
            case EventKind.CLOCK_AHEAD:
                return (
                    f"this machine's clock is ahead of Genesys' by {self.reason}; Genesys' time is "
                    "used, so that nothing counts as read that has not been yet: set the clock"
                )
            case EventKind.UNIDENTIFIED:
                return (
                    "the client's organisation is not known, so the store cannot tell it from "
                    f"another: {self.reason}"
                )
            case EventKind.UNNAMED:
                return f"names could not be had, so ids show until the next sync: {self.reason}"
        return ""

    def as_json(self) -> dict[str, object]:
        """Without what says nothing."""
        told = {
            "event": self.kind,
            "source": self.source,
            "window": str(self.window) if self.window else "",
            "rows": self.rows,
            "changed": self.changed,
            "done": self.done,
            "of": self.of,
            "requests_left": self.left,
            "requests": self.requests,
            "seconds": self.seconds,
            "reason": self.reason,
        }
        return {name: value for name, value in told.items() if value not in (None, "")}


def format_count(number: int, what: str) -> str:
    """So many of *what*, which is one of them."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


EventCallback = Callable[[Event], None]


@dataclass(slots=True)
class Outcome:
    """What a sync did. *failed* are the windows that it could not get, and why, and *left_out*
    the sources that the client is not allowed to read. *incomplete* are the windows that are
    held without what could not be read, and what that was. *days* are those that files settled.
    """

    settled: int = 0
    rows: int = 0
    changed: int = 0
    failed: dict[SourceWindow, HalfhourError] = field(default_factory=dict)
    left_out: dict[Source, ApiError] = field(default_factory=dict)
    incomplete: dict[SourceWindow, str] = field(default_factory=dict)
    data_issues: list[DataIssue] = field(default_factory=list)
    imported_days: list[datetime] = field(default_factory=list)

    def raise_if_incomplete(self) -> None:
        """Raises Incomplete, or the one failure there was where nothing could be had."""
        errors = list(self.failed.values())
        if errors and not self.settled and isinstance(errors[0], Unreachable):
            raise errors[0]
        reasons = []
        if errors:
            listed = "".join(f"\n  {window}: {error}" for window, error in self.failed.items())
            reasons.append(
                f"{len(self.failed)} of {len(self.failed) + self.settled} windows are missing, the "
                f"others are kept; run it again to fetch them:{listed}"
            )
        if self.incomplete:
            listed = "".join(f"\n  {window}: {what}" for window, what in self.incomplete.items())
            reasons.append(
                f"{format_count(len(self.incomplete), 'window')} of {self.settled} "
                f"{'is' if len(self.incomplete) == 1 else 'are'} incomplete, as something could "
                f"not be read; all else of them is kept:{listed}"
            )
        if reasons:
            raise Incomplete("\n  ".join(reasons))

    def emit_data_issues(self, tell: EventCallback) -> None:
        """A sentence for each kind, with the first conversations that it is true of."""
        for kind in dict.fromkeys(each.kind for each in self.data_issues):
            found = [*dict.fromkeys(each for each in self.data_issues if each.kind == kind)]
            named = (", ".join(filter(None, oddity[1:3])) for oddity in found[:MAX_LISTED])
            listed = "; ".join(sanitize_text(words, MAX_QUOTED_LENGTH) for words in named)
            more = f"; and {len(found) - MAX_LISTED} more" if len(found) > MAX_LISTED else ""
            tell(
                Event(
                    EventKind.DATA_ISSUE,
                    rows=len(found),
                    reason=f"{kind}: {len(found)} ({listed}{more})",
                )
            )
