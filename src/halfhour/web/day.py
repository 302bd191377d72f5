"""The day by half-hours that the page shows, from a store: JSON as plain values."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.errors import ConfigError
from halfhour.model.arrow_columns import boolean_column
from halfhour.model.coverage import missing_intervals
from halfhour.model.data_dictionary import WORK_DESCRIPTIONS
from halfhour.model.intervals import HALF_HOUR, Interval, epoch_ms
from halfhour.model.vocabulary import Source, name_sort_key
from halfhour.render.day_grid import distinguish_namesakes
from halfhour.reports import questions
from halfhour.reports.data import ReportData
from halfhour.reports.from_store import stored_report_data
from halfhour.store.coverage import day_coverage, store_calendar
from halfhour.store.store import Store
from halfhour.web.view_state import DayView, SortOrder

_AVAILABLE_COLUMNS = ("interacting_time_sec", "communicating_time_sec", "idle_time_sec")
_PROFILE_COLUMNS = (
    "handle_time_sec",
    "busy_time_sec",
    "handled_count",
    "on_queue_time_sec",
    *_AVAILABLE_COLUMNS,
)


def day_heat_map(store: Store, asked: DayView, now: datetime) -> dict[str, Any]:
    """The heat map of a view, the day's profile over it, and how sure all that is."""
    with store.open_snapshot() as held:
        known = _filter_choices(held, asked.day_interval)
        view = asked.matching_choices(known)
        unanswered = []
        try:
            found = stored_report_data(held, view.day_question, now)
        except ConfigError as error:  # half-hours of a zone that it does not have
            found = ReportData()
            unanswered.append(str(error))
        days = _coverage_rows(held, view, now)
        latest = _latest_stored_day(held)
    table = questions.build_report(view.day_question, found)
    view = view.limited_to_columns(table.column_names)
    starts = [
        each.start.astimezone(view.zone) for each in view.day_interval.split_into_windows(HALF_HOUR)
    ]
    places = {epoch_ms(start): at for at, start in enumerate(starts)}
    return {
        **{name: str(getattr(view, name)) for name in ("day", "zone", "measure", "basis", "sort")},
        **{name: getattr(view, name) for name in known},
        "work": WORK_DESCRIPTIONS[view.basis],
        "known": known,
        "measures": [each.value for each in view.available_measures(table.column_names)],
        "starts": [start.isoformat() for start in starts],
        "agents": _agent_rows(table, view, places),
        "profile": _day_profile(table, places, with_status=view.shows_status),
        "days": days,
        "latest": latest,
        "missing": [
            str(each)
            for each in missing_intervals(
                found.days_of_sources(view.day_question.required_sources), view.day_interval
            )
        ],
        "problems": [*view.problems, *unanswered],
    }


def filtered_report(store: Store, asked: DayView, now: datetime) -> pa.Table:
    """What a view shows, with all that is known of each half-hour. Raises ConfigError for a view
    that the page would have told problems of.
    """
    with store.open_snapshot() as held:
        view = asked.matching_choices(_filter_choices(held, asked.day_interval))
        if view.problems:
            raise ConfigError("; ".join(view.problems))
        found = stored_report_data(held, view.day_question, now)
    rows = questions.build_report(view.day_question, found)
    sought = view.find.casefold()
    return rows.filter(
        boolean_column(sought in name.casefold() for name in rows["agent_name"].to_pylist())
    )


def _filter_choices(store: Store, interval: Interval) -> dict[str, list[str]]:
    """What a view of *interval* can be narrowed to."""
    places = store.agent_places()
    media = store.query_store(
        "select distinct media_type from posted where interval_start >= $start "
        "and interval_start < $end and media_type is not null",
        start=interval.start,
        end=interval.end,
    )
    columns = {
        "queue": store.names_by_kind("queue")["name"],
        "media": media["media_type"],
        "division": places["division"],
        "team": places["team"],
    }
    return {
        name: sorted(pc.unique(column).drop_null().to_pylist(), key=_natural_sort_key)
        for name, column in columns.items()
    }


def _natural_sort_key(text: str) -> tuple[str, str]:
    """So that Team 10 comes after Team 9."""
    head = text.rstrip("0123456789")
    return head.casefold(), text[len(head) :].zfill(9)


def _agent_rows(table: pa.Table, view: DayView, places: Mapping[int, int]) -> list[dict[str, Any]]:
    """Each agent's half-hours, in the order of *view*; the total is the day's occupancy where that
    is shown or sorted by, else the sum.
    """
    agents: dict[str, dict[str, Any]] = {}
    nothing, of_the_day = [None] * len(table), view.totals_occupancy

    def values(name: str) -> list[Any]:
        return table[name].to_pylist() if name in table.column_names else nothing

    for start, id_, name, young, value, *available in zip(
        table["interval_start"].cast(pa.int64()).to_pylist(),
        *map(
            values,
            (
                "agent_id",
                "agent_name",
                "provisional",
                view.measure.report_column,
                *_AVAILABLE_COLUMNS,
            ),
        ),
        strict=True,
    ):
        agent = agents.get(id_)
        if agent is None:
            agent = agents[id_] = {"id": id_, "name": name, "cells": [None] * len(places)}
            agent |= {"young": [], "interacting": 0.0, "available": 0.0}
        at = places[start]
        agent["cells"][at] = value
        if of_the_day:
            agent["interacting"] += available[0] or 0
            agent["available"] += sum(each or 0 for each in available)
        if young:
            agent["young"].append(at)
    names = distinguish_namesakes(list(agents), [agent["name"] for agent in agents.values()])
    for agent in agents.values():
        agent["name"] = names[agent["id"]]
        occupancy = _rounded_ratio(agent.pop("interacting"), agent.pop("available"))
        agent["total"] = occupancy if of_the_day else _rounded_sum(agent["cells"])
    return sorted(agents.values(), key=lambda agent: _agent_sort_key(agent, view.sort))


def _agent_sort_key(agent: Mapping[str, Any], sort: SortOrder) -> tuple[Any, ...]:
    """By name, or by total: the most first, and who has none last."""
    total = 0 if sort is SortOrder.NAME else agent["total"]
    return total is None, -(total or 0), name_sort_key(agent["name"]), agent["name"], agent["id"]


def _rounded_sum(cells: Sequence[float | None]) -> float | None:
    known = [each for each in cells if each is not None]
    return round(sum(known), 4) if known else None


def _rounded_ratio(over: float, per: float) -> float | None:
    return round(over / per, 4) if per else None


def _day_profile(
    table: pa.Table, places: Mapping[int, int], *, with_status: bool
) -> list[dict[str, Any]]:
    """By half-hour, of all agents: handle time, or on the worked basis busy time, and on-queue time
    in seconds, interactions that were handled, and occupancy; null where nothing is known.
    """
    work = "busy_time_sec" if "busy_time_sec" in table.column_names else "handle_time_sec"
    names = [name for name in _PROFILE_COLUMNS if name in table.column_names]
    columns = [f"{name}_sum" for name in names]
    summed = table.group_by("interval_start").aggregate([(name, "sum") for name in names])
    profile: list[dict[str, Any]] = [{} for _ in places]
    for start, *values in zip(
        summed["interval_start"].cast(pa.int64()).to_pylist(),
        *(summed[name].to_pylist() for name in columns),
        strict=True,
    ):
        sums = dict(zip(names, values, strict=True))
        interacting, communicating, idle = (sums[name] or 0 for name in _AVAILABLE_COLUMNS)
        told = {"work": sums[work], "handled": sums.get("handled_count")}
        if with_status:
            told["on_queue"] = sums["on_queue_time_sec"]
            told["occupancy"] = _rounded_ratio(interacting, interacting + communicating + idle)
        profile[places[start]] = told
    return profile


def _coverage_rows(store: Store, view: DayView, now: datetime) -> list[dict[str, str | None]]:
    """How sure each day (UTC) is that *view* draws from, by source."""
    return [
        {
            "source": source.value,
            "day": str(each.day.start.date()),
            "state": each.state.value,
            "held_until": each.settled.window.end.isoformat() if each.settled else None,
            "read_at": each.settled.read_at.isoformat() if each.settled else None,
        }
        for source, held in day_coverage(
            store, store_calendar(store, now), view.day_interval
        ).items()
        for each in held
    ]


def _latest_stored_day(store: Store) -> str | None:
    """The last day that something is held of."""
    days = [each.window.start for each in store.settled_windows(Source.POSTED) if each.row_count]
    return str(max(days).date()) if days else None
