"""The view that the query string of an address requests.

Invalid parameters fall back to defaults, and `DayView.problems` lists them.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from halfhour.errors import ConfigError, suggest_name
from halfhour.model import time_ranges
from halfhour.model.intervals import Interval
from halfhour.model.measures import dashboard_choices
from halfhour.model.question import Question, describe_choices
from halfhour.model.vocabulary import Basis

FILTER_NAMES = ("queue", "media", "division", "team")
"""The parameters that show only a part of the agents or of their work."""
FIRST_DAY = date(2010, 1, 2)
"""The first day that can be requested: Genesys Cloud has no earlier figures."""
TODAY = "today"
"""The word for the current day: an address with it shows another day tomorrow."""


class Measure(StrEnum):
    """The figure in the cells, as the word for it in the address."""

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
        """The column of a report by interval."""
        return dashboard_choices()[self.value]


AGENT_WIDE_MEASURES = (Measure.ON_QUEUE, Measure.OCCUPANCY)
"""The measures of status, which covers all work of an agent."""


class SortOrder(StrEnum):
    """The order of the agents."""

    NAME = "name"
    LOAD = "load"
    OCCUPANCY = "occupancy"


@dataclass(frozen=True, slots=True)
class DayView:
    """A local day of agents by half-hours, filtered to agents with *find* in the name.

    *agent* is the one in the panel. *problems* are sentences about invalid parameters.
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
    org: str = ""
    problems: tuple[str, ...] = ()

    @property
    def day_interval(self) -> Interval:
        """The local day, of 23 to 25 hours."""
        start = datetime.combine(self.day, time(), self.zone)
        return Interval(start, datetime.combine(self.day + timedelta(days=1), time(), self.zone))

    @property
    def day_question(self) -> Question:
        """The question that a store answers for this view."""
        queues, media, divisions, teams = (
            (value,) if (value := getattr(self, name)) else () for name in FILTER_NAMES
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
        """Tell whether status can be shown: Genesys does not count it by queue or media type."""
        return not (self.queue or self.media)

    @property
    def totals_occupancy(self) -> bool:
        """Tell whether the total of an agent is the occupancy of the day."""
        return Measure.OCCUPANCY in (self.measure, self.sort)

    def available_measures(self, columns: Container[str]) -> list[Measure]:
        """Return the measures that a report with *columns* has for this view."""
        return [
            measure
            for measure in Measure
            if measure.report_column in columns
            and (self.shows_status or measure not in AGENT_WIDE_MEASURES)
        ]

    def limited_to_columns(self, columns: Container[str]) -> "DayView":
        """Return the view with a measure and an order that a report with *columns* has.

        An unavailable one is replaced by the default, which is one more problem.
        """
        measures, view = self.available_measures(columns), self
        if self.measure not in measures:
            view = view._with_default("measure", Measure.HANDLE)
        if self.sort is SortOrder.OCCUPANCY and Measure.OCCUPANCY not in measures:
            view = view._with_default("sort", SortOrder.NAME)
        return view

    def _with_default(self, parameter: str, default: StrEnum) -> "DayView":
        value = getattr(self, parameter)
        reason = (
            "status covers all work of an agent, not one queue or media type"
            if value in AGENT_WIDE_MEASURES and not self.shows_status
            else f"the {self.basis} basis does not have it"
        )
        problem = f"{parameter} {value}: {reason}; showing {default} instead"
        changes: dict[str, Any] = {parameter: default}
        return replace(self, problems=(*self.problems, problem), **changes)

    def matching_choices(self, choices: Mapping[str, Iterable[str]]) -> "DayView":
        """Return the view with its filters spelled as in *choices*, whatever their case.

        A filter whose value is not in *choices* is dropped, which is one more problem.
        """
        problems, filters = list(self.problems), dict[str, Any]()
        for name in FILTER_NAMES:
            value = getattr(self, name)
            spellings = {choice.casefold(): choice for choice in choices[name]}
            filters[name] = spellings.get(value.casefold(), "")
            if value and not filters[name]:
                suggestion = suggest_name(value, spellings.values())
                problems.append(f"{name} {value!r}: the store has none of that name{suggestion}")
        return replace(self, problems=tuple(problems), **filters)


def parse_organization(parameters: Mapping[str, str], names: Sequence[str]) -> tuple[str, str]:
    """Return the organisation of *names* that the *parameters* of an address request.

    It is the first one if they name none, or one that is not served; the second text says so,
    and is empty otherwise.
    """
    name = parameters.get("org", "")
    if name in names or not name:
        return name or names[0], ""
    served = ", ".join(filter(None, names)) or "no organisation by name"
    problem = f"org {name!r}: the dashboard serves {served}{suggest_name(name, names)}"
    return names[0], problem


def parse_view(parameters: Mapping[str, str], now: datetime, default_zone: str = "UTC") -> DayView:
    """Return the view that the *parameters* of an address request at *now*.

    A wrong zone among them falls back to *default_zone*.
    """
    problems: list[str] = []

    def parse_choice(name: str, choices: type[StrEnum], default: StrEnum) -> StrEnum:
        value = parameters.get(name, "")
        if value in {*choices, ""}:
            return choices(value) if value else default
        problems.append(describe_choices(name, value, choices))
        return default

    zone = time_ranges.parse_zone(default_zone)
    try:
        zone = time_ranges.parse_zone(parameters.get("zone") or default_zone)
    except ConfigError as error:
        problems.append(f"{str(error).rstrip('?')}; showing {default_zone}")
    measure = parse_choice("measure", Measure, Measure.HANDLE)
    basis = parse_choice("basis", Basis, Basis.POSTED)
    if basis is Basis.BOTH:
        problems.append("basis 'both': choose a cell to see both bases of one half-hour")
        basis = Basis.POSTED
    return DayView(
        _parse_day(parameters.get("day", ""), now.astimezone(zone).date(), problems),
        zone,
        Measure(measure),
        Basis(basis),
        SortOrder(parse_choice("sort", SortOrder, SortOrder.NAME)),
        **{name: parameters.get(name, "") for name in (*FILTER_NAMES, "agent", "find")},
        problems=tuple(problems),
    )


def _parse_day(text: str, today: date, problems: list[str]) -> date:
    if text in ("", TODAY):
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        problems.append(f"day {text!r}: write a date such as {today}; showing {today}")
        return today
    if not FIRST_DAY <= day <= today + timedelta(days=1):
        problems.append(f"day {text}: there are no figures of that day; showing {today}")
        return today
    return day
