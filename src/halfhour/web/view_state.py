"""What an address asks to see. What it says that cannot be meant is said, and the rest is shown."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from halfhour.errors import ConfigError, suggest_name
from halfhour.model import time_ranges
from halfhour.model.intervals import Interval
from halfhour.model.question import Question
from halfhour.model.vocabulary import Basis

FILTER_NAMES = ("queue", "media", "division", "team")
"""What can be chosen one of."""


TODAY = "today"
"""The day that it is whenever the page looks; a date is that date for ever."""


class Measure(StrEnum):
    """What the cells show; its value is the word in the address."""

    HANDLE = "handle"
    TALK = "talk"
    HOLD = "hold"
    ACW = "acw"
    BUSY = "busy"
    ON_QUEUE = "on-queue"
    OCCUPANCY = "occupancy"
    HANDLED = "handled"

    @property
    def report_column(self) -> str:
        """Of a report by interval."""
        return {
            Measure.ON_QUEUE: "on_queue_time_sec",
            Measure.OCCUPANCY: "occupancy_ratio",
            Measure.HANDLED: "handled_count",
        }.get(self, f"{self.value}_time_sec")


AGENT_WIDE_MEASURES = (Measure.ON_QUEUE, Measure.OCCUPANCY)


class SortOrder(StrEnum):
    """In which order agents stand."""

    NAME = "name"
    LOAD = "load"
    OCCUPANCY = "occupancy"


@dataclass(frozen=True, slots=True)
class DayView:
    """A day of agents by half-hours, those with *find* in the name.

    *agent* is the one to tell more of. *problems* are sentences about what the
    address got wrong.
    """

    day: date
    zone: tzinfo
    measure: Measure = Measure.HANDLE
    basis: Basis = Basis.POSTED
    sort: SortOrder = SortOrder.NAME
    queue: str = ""
    media: str = ""
    division: str = ""
    team: str = ""
    agent: str = ""
    find: str = ""
    problems: tuple[str, ...] = ()

    @property
    def day_interval(self) -> Interval:
        """The local day."""
        start = datetime.combine(self.day, time(), self.zone)
        return Interval(start, datetime.combine(self.day + timedelta(days=1), time(), self.zone))

    @property
    def day_question(self) -> Question:
        """What a store is asked for it."""
        queues, media, divisions, teams = (
            (chosen,) if (chosen := getattr(self, name)) else () for name in FILTER_NAMES
        )
        return Question(
            self.day_interval,
            self.zone,
            basis=self.basis,
            queues=queues,
            media=media,
            divisions=divisions,
            teams=teams,
        )

    @property
    def shows_status(self) -> bool:
        """Whether sums of agents' status go with it, which is of no queue or media type."""
        return not (self.queue or self.media)

    @property
    def totals_occupancy(self) -> bool:
        """Whether an agent's total is the occupancy of the day, which no half-hours add up to."""
        return Measure.OCCUPANCY in (self.measure, self.sort)

    def available_measures(self, columns: Container[str]) -> list[Measure]:
        """Those that a report with *columns* tells of it."""
        return [
            each
            for each in Measure
            if each.report_column in columns
            and (self.shows_status or each not in AGENT_WIDE_MEASURES)
        ]

    def limited_to_columns(self, columns: Container[str]) -> "DayView":
        """It, with a measure and an order that a report with *columns* tells.

        One that it does not is replaced, and told of.
        """
        known, view = self.available_measures(columns), self
        if self.measure not in known:
            view = view._with_default("measure", Measure.HANDLE)
        if self.sort is SortOrder.OCCUPANCY and Measure.OCCUPANCY not in known:
            view = view._with_default("sort", SortOrder.NAME)
        return view

    def _with_default(self, word: str, usual: StrEnum) -> "DayView":
        given = getattr(self, word)
        why = (
            "it is of all that an agent does, not of one queue or media type"
            if given in AGENT_WIDE_MEASURES and not self.shows_status
            else f"it is not known on the {self.basis} basis"
        )
        problem = f"{word} {given}: {why}; showing {usual} instead"
        instead: dict[str, Any] = {word: usual}
        return replace(self, problems=(*self.problems, problem), **instead)

    def matching_choices(self, known: Mapping[str, Iterable[str]]) -> "DayView":
        """It, with choices as they are written in what is *known*.

        One that is not known is left out, and told of.
        """
        problems, chosen = list(self.problems), dict[str, Any]()
        for name in FILTER_NAMES:
            given = getattr(self, name)
            names = {each.casefold(): each for each in known[name]}
            chosen[name] = names.get(given.casefold(), "")
            if given and not chosen[name]:
                near = suggest_name(given, names.values())
                problems.append(f"{name} {given!r}: none of that name is known here{near}")
        return replace(self, problems=tuple(problems), **chosen)


def parse_view(asked: Mapping[str, str], now: datetime, zone: str = "UTC") -> DayView:
    """What the query of an address asks for; *zone* is for one that names none."""
    problems: list[str] = []

    def word(name: str, kind: type[StrEnum], default: StrEnum) -> StrEnum:
        given = asked.get(name, "")
        if given in {*kind, ""}:
            return kind(given) if given else default
        problems.append(f"{name} {given!r} is none of {', '.join(kind)}{suggest_name(given, kind)}")
        return default

    try:
        local: tzinfo = time_ranges.parse_zone(asked.get("zone") or zone)
    except ConfigError as error:
        problems.append(str(error))
        local = UTC
    measure = word("measure", Measure, Measure.HANDLE)
    basis = word("basis", Basis, Basis.POSTED)
    if basis is Basis.BOTH:
        problems.append("basis 'both' is for one half-hour: choose a cell to see them side by side")
        basis = Basis.POSTED
    return DayView(
        _parse_day(asked.get("day", ""), now.astimezone(local).date(), problems),
        local,
        Measure(measure),
        Basis(basis),
        SortOrder(word("sort", SortOrder, SortOrder.NAME)),
        **{name: asked.get(name, "") for name in (*FILTER_NAMES, "agent", "find")},
        problems=tuple(problems),
    )


def _parse_day(text: str, today: date, problems: list[str]) -> date:
    if text in ("", TODAY):
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        problems.append(f"day {text!r} is no date such as {today}")
        return today
    if not date(2010, 1, 2) <= day <= today + timedelta(days=1):
        problems.append(f"day {text}: there is nothing then; showing {today}")
        return today
    return day
