"""The heat map of a day and the rows behind it, from a store: JSON as plain values."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.errors import ConfigError
from halfhour.model.coverage import missing_intervals
from halfhour.model.data_dictionary import WORK_DESCRIPTIONS
from halfhour.model.intervals import HALF_HOUR, Interval, epoch_ms
from halfhour.model.names import name_sort_key
from halfhour.model.vocabulary import Source
from halfhour.render.day_grid import distinguish_namesakes
from halfhour.reports import profile, questions
from halfhour.reports.agent_names import mark_gone_agents
from halfhour.reports.data import ReportData
from halfhour.reports.from_store import open_report_data
from halfhour.store.coverage import day_coverage, store_calendar
from halfhour.store.store import Store
from halfhour.web.view_state import DayView, SortOrder


def day_heat_map(store: Store, requested: DayView, now: datetime) -> dict[str, Any]:
    """Return the half-hours of each agent, the profile of the day, and the coverage of both."""
    with ExitStack() as stack:
        snapshot = stack.enter_context(store.open_snapshot())
        choices = _filter_choices(snapshot, requested.day_interval)
        view = requested.matching_choices(choices)
        problems = []
        try:
            data = stack.enter_context(open_report_data(snapshot, view.day_question, now))
        except ConfigError as error:  # the store lacks the half-hours of the view's time zone
            data = ReportData.without_rows()
            problems.append(str(error))
        report = mark_gone_agents(
            questions.build_report(view.day_question, data), data.table("agents")
        )
        totals = profile.day_totals(view.day_question, data)
        days = _coverage_rows(snapshot, view, now)
        latest = _latest_stored_day(snapshot)
    view = view.limited_to_columns(report.column_names)
    starts = [
        half_hour.start.astimezone(view.zone)
        for half_hour in view.day_interval.split_into_windows(HALF_HOUR)
    ]
    positions = {epoch_ms(start): position for position, start in enumerate(starts)}
    return {
        **{name: str(getattr(view, name)) for name in ("day", "zone", "measure", "basis", "sort")},
        **{name: getattr(view, name) for name in choices},
        "work": WORK_DESCRIPTIONS[view.basis],
        "known": choices,
        "measures": [measure.value for measure in view.available_measures(report.column_names)],
        "starts": [start.isoformat() for start in starts],
        "agents": _agent_rows(report, totals.by_agent, view, positions),
        "profile": _profile_bars(totals.by_half_hour, view, positions),
        "days": days,
        "latest": latest,
        "missing": [
            str(interval)
            for interval in missing_intervals(
                data.days_of_sources(view.day_question.required_sources), view.day_interval
            )
        ],
        "problems": [*view.problems, *problems],
    }


def filtered_report(store: Store, requested: DayView, now: datetime) -> pa.Table:
    """Return the report by interval of a view, of the agents whose name contains `find`.

    Raises ConfigError if the view has problems: the page would list them, a file cannot.
    """
    with store.open_snapshot() as snapshot:
        view = requested.matching_choices(_filter_choices(snapshot, requested.day_interval))
        if view.problems:
            raise ConfigError("; ".join(view.problems))
        with open_report_data(snapshot, view.day_question, now) as data:
            report = questions.build_report(view.day_question, data)
            shown_names = mark_gone_agents(report, data.table("agents"))["agent_name"].to_pylist()
    searched_text = view.find.casefold()
    return report.filter(
        pa.array([searched_text in name.casefold() for name in shown_names], pa.bool_())
    )


def _filter_choices(store: Store, interval: Interval) -> dict[str, list[str]]:
    """Return the values of each filter that a view of *interval* can have, in natural order."""
    places = store.agent_places()
    choices = {
        "queue": _distinct_texts(store.names_by_kind("queue")["name"]),
        "media": store.media_types(interval),
        "division": _distinct_texts(places["division"]),
        "team": _distinct_texts(places["team"]),
    }
    return {name: sorted(values, key=_natural_sort_key) for name, values in choices.items()}


def _distinct_texts(column: pa.ChunkedArray) -> list[str]:
    return list(pc.unique(column).drop_null().to_pylist())


def _natural_sort_key(text: str) -> tuple[str, str]:
    """Return a key that puts Team 10 after Team 9."""
    head = text.rstrip("0123456789")
    return name_sort_key(head), text[len(head) :].zfill(9)


def _agent_rows(
    report: pa.Table, totals: pa.Table, view: DayView, positions: Mapping[int, int]
) -> list[dict[str, Any]]:
    """Return the half-hours and the total of each agent, in the order of *view*.

    The total is occupancy if the view shows it or sorts by it, else that of the view's measure.
    """
    total_column = "occupancy_ratio" if view.totals_occupancy else view.measure.report_column
    totals_by_agent = dict(
        zip(totals["agent_id"].to_pylist(), totals[total_column].to_pylist(), strict=True)
    )
    agents: dict[str, dict[str, Any]] = {}
    for start, agent_id, name, is_provisional, value in zip(
        report["interval_start"].cast(pa.int64()).to_pylist(),
        *(
            report[column].to_pylist()
            for column in ("agent_id", "agent_name", "provisional", view.measure.report_column)
        ),
        strict=True,
    ):
        agent = agents.get(agent_id)
        if agent is None:
            agent = agents[agent_id] = {
                "id": agent_id,
                "name": name,
                "cells": [None] * len(positions),
                "young": [],
                "total": totals_by_agent[agent_id],
            }
        position = positions[start]
        agent["cells"][position] = value
        if is_provisional:
            agent["young"].append(position)
    names = distinguish_namesakes(list(agents), [agent["name"] for agent in agents.values()])
    for agent in agents.values():
        agent["name"] = names[agent["id"]]
    return sorted(agents.values(), key=lambda agent: _agent_sort_key(agent, view.sort))


def _agent_sort_key(agent: Mapping[str, Any], sort: SortOrder) -> tuple[Any, ...]:
    """Return a key that sorts by name, or by falling total with null totals last."""
    total = 0 if sort is SortOrder.NAME else agent["total"]
    return total is None, -(total or 0), name_sort_key(agent["name"]), agent["name"], agent["id"]


def _profile_bars(
    totals: pa.Table, view: DayView, positions: Mapping[int, int]
) -> list[dict[str, Any]]:
    """Return the work of all agents by half-hour, empty where nothing is known.

    *work* is in seconds: handle time, or busy time on the worked basis, as `WORK_DESCRIPTIONS`
    says. Status is of an agent's whole work, so a view of one queue or media type lacks it.
    """
    has_busy_time = "busy_time_sec" in totals.column_names
    columns = {"work": "busy_time_sec" if has_busy_time else "handle_time_sec"}
    columns["handled"] = "handled_count"
    if view.shows_status:
        columns |= {"on_queue": "on_queue_time_sec", "occupancy": "occupancy_ratio"}
    bars: list[dict[str, Any]] = [{} for _ in positions]
    starts = totals["interval_start"].cast(pa.int64()).to_pylist()
    for start, row in zip(starts, totals.to_pylist(), strict=True):
        bars[positions[start]] = {name: row.get(column) for name, column in columns.items()}
    return bars


def _coverage_rows(store: Store, view: DayView, now: datetime) -> list[dict[str, str | None]]:
    """Return the state of each day (UTC) of *view* by source, for the list at the page's foot."""
    coverage = day_coverage(store, store_calendar(store, now), view.day_interval)
    return [
        {
            "source": source.value,
            "day": str(day.day.start.date()),
            "state": day.state.value,
            "held_until": day.settled.window.end.isoformat() if day.settled else None,
            "read_at": day.settled.read_at.isoformat() if day.settled else None,
        }
        for source, days in coverage.items()
        for day in days
    ]


def _latest_stored_day(store: Store) -> str | None:
    """Return the last day (UTC) of which the store has posted figures."""
    starts = [
        settled.window.start
        for settled in store.settled_windows(Source.POSTED)
        if settled.row_count
    ]
    return str(max(starts).date()) if starts else None
