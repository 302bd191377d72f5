"""The panel beside the heat map: one half-hour of an agent, or the agent's last weeks."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from halfhour.model.coverage import missing_intervals
from halfhour.model.intervals import HALF_HOUR, Interval
from halfhour.model.measures import FIGURES
from halfhour.model.question import Question
from halfhour.model.vocabulary import Basis, By, Source
from halfhour.reports import questions
from halfhour.reports.agent_names import shown_agent_name
from halfhour.reports.from_store import open_report_data
from halfhour.store.store import Store
from halfhour.web.view_state import DayView

HISTORY_DAYS = 28
"""Number of days in an agent's history."""
HISTORY_COLUMNS = (
    "day",
    "handle_time_sec",
    "acw_time_sec",
    "hold_time_sec",
    "handled_count",
    "aht_sec",
    "occupancy_ratio",
    "provisional",
)


def cell_details(store: Store, view: DayView, start: datetime, now: datetime) -> dict[str, Any]:
    """Return one half-hour of the view's agent: both bases, the status, and the segments."""
    interval = Interval(start, start + HALF_HOUR)
    question = Question(interval, view.zone, basis=Basis.BOTH, agents=(view.agent,))
    with (
        store.open_snapshot() as snapshot,
        open_report_data(snapshot, question, now) as data,
    ):
        segments = snapshot.agent_segments(view.agent, interval).to_pylist()
        rows = questions.build_report(question, data).to_pylist()
        status_times = data.table("status_times").to_pylist()
        detail_days = data.settled_days(Source.DETAILS)
        agent_name = shown_agent_name(view.agent, data.table("agents"))
    row = rows[0] if rows else {}
    statuses = sorted(status_times, key=lambda status: -status["status_ms"])
    return {
        "start": start.astimezone(view.zone).isoformat(),
        "agent": agent_name,
        "figures": [
            {"name": figure.name, "meaning": figure.meaning, "value": row[figure.name]}
            for figure in FIGURES
            if figure.source is not Source.STATUS and row.get(figure.name) is not None
        ],
        "status": [
            {key: status[key] for key in ("kind", "status", "status_ms")} for status in statuses
        ],
        "segments": segments,
        "has_details": any(day.window.end > start for day in detail_days),
        "provisional": bool(row.get("provisional")),
    }


def agent_history(store: Store, view: DayView, now: datetime) -> dict[str, Any]:
    """Return the days and half-hours of the view's agent, up to the day of the view."""
    first = replace(view, day=view.day - timedelta(days=HISTORY_DAYS - 1))
    interval = Interval(first.day_interval.start, view.day_interval.end)
    question = Question(interval, view.zone, By.DAY, view.basis, agents=(view.agent,))
    with open_report_data(store, question, now) as data:
        rows = questions.build_report(question, data).to_pylist()
        half_hours = questions.build_report(replace(question, by=By.INTERVAL), data)
        agent_name = shown_agent_name(view.agent, data.table("agents"))
    view = replace(view, queue="", media="").limited_to_columns(half_hours.column_names)
    return {
        "agent": agent_name,
        "measure": view.measure,
        "from": str(first.day),
        "days": [{name: row.get(name) for name in HISTORY_COLUMNS} for row in rows],
        "half_hours": [
            {"start": start.isoformat(), "value": value}
            for start, value in zip(
                half_hours["interval_start"].to_pylist(),
                half_hours[view.measure.report_column].to_pylist(),
                strict=True,
            )
        ],
        "missing": [
            str(missing)
            for missing in missing_intervals(
                data.days_of_sources(question.required_sources), interval
            )
        ],
    }
