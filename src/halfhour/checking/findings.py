"""Findings of a check: what works, what does not, and the one next thing to do."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from halfhour.errors import ApiError, HalfhourError, Incomplete

_ADVICE_BEGINNING = re.compile(r"; (?!did you mean)|(?<=\?) (?=[A-Z])")
"""The place in a message where the advice begins; a near miss belongs to what happened."""


class State(StrEnum):
    """The state of a part: it works, it works but deserves a look, it fails, or is not checked."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """A part that was checked: its *topic*, its state, what was seen, and what to do.

    *error* is set if the part fails; an Incomplete means that the rest works without it. Texts
    mark parameters as errors do.
    """

    topic: str
    state: State
    message: str
    fix: str = ""
    error: HalfhourError | None = None


def works(topic: str, message: str) -> Finding:
    """Return that a part works."""
    return Finding(topic, State.OK, message)


def note(topic: str, message: str, fix: str = "") -> Finding:
    """Return that a part works and deserves a look."""
    return Finding(topic, State.NOTE, message, fix)


def fails(topic: str, error: HalfhourError, fix: str = "") -> Finding:
    """Return that a part fails because of *error*, whose text ends in what to do."""
    if isinstance(error, ApiError):
        text, advice = str(error).partition(" - ")[0], error.suggested_action
    else:
        spelled = error.spelled(lambda parameter: f"⟨{parameter}⟩")
        text, advice, *_ = [*re.split(_ADVICE_BEGINNING, spelled, maxsplit=1), ""]
        advice = f"{advice[:1].lower()}{advice[1:]}" or "correct this"
    return Finding(topic, State.FAILED, text, fix or advice, error)


def lacks(topic: str, message: str, fix: str) -> Finding:
    """Return that a part is missing without which the rest works."""
    return Finding(topic, State.FAILED, message, fix, Incomplete(message))


def skipped(topic: str, needed: str) -> Finding:
    """Return that a part was not checked, because the part *needed* fails."""
    return Finding(topic, State.SKIPPED, f"not checked, because it needs: {needed}")


def main_failure(findings: Sequence[Finding]) -> Finding | None:
    """Return the failure to mend first: the first one without which nothing works, if any."""
    failures = [finding for finding in findings if finding.error]
    grave = [finding for finding in failures if not isinstance(finding.error, Incomplete)]
    return next(iter(grave or failures), None)


def next_step(findings: Sequence[Finding], *, is_stored: bool, due_count: int) -> str:
    """Return the one next thing to do; *due_count* days of a store are due, if there is one."""
    if failure := main_failure(findings):
        return f"{failure.fix or failure.message}, then run 'halfhour check' again"
    if not is_stored:
        return "run 'halfhour sync' to make a store, or 'halfhour report' for the last 24 hours"
    if due_count:
        return "run 'halfhour sync' to bring the store up to date"
    return "run 'halfhour report'"
