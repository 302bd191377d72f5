"""What is told of one agent: a half-hour of theirs, and their last weeks."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow.compute as pc

from halfhour.model.coverage import DAY, missing_intervals
from halfhour.model.intervals import HALF_HOUR, Interval, epoch_ms, floor_to_width
from halfhour.model.measures import FIGURES
from halfhour.model.question import Question
from halfhour.model.vocabulary import Basis, By, Source
from halfhour.reports import questions
from halfhour.reports.data import ReportData
from halfhour.reports.from_store import stored_report_data
from halfhour.store.store import Store
from halfhour.web.view_state import DayView

HISTORY_DAYS = 28
"""How many an agent's page tells of."""


def cell_details(store: Store, view: DayView, start: datetime, now: datetime) -> dict[str, Any]:
    """What made one half-hour of one agent: both bases, status, and the conversations behind it."""
    interval = Interval(start, start + HALF_HOUR)
    question = Question(interval, view.zone, basis=Basis.BOTH, agents=(view.agent,))
    with store.open_snapshot() as held:
        found = stored_report_data(held, question, now)
        segments = _agent_segments(held, interval, view.agent)
    rows = questions.build_report(question, found).to_pylist()
    row = rows[0] if rows else {}
    return {
        "start": start.astimezone(view.zone).isoformat(),
        "agent": row.get("agent_name", _agent_name(found, view.agent)),
        "figures": [
            {"name": each.name, "meaning": each.meaning, "value": row[each.name]}
            for each in FIGURES
            if each.source is not Source.STATUS and row.get(each.name) is not None
        ],
        "status": [
            {key: each[key] for key in ("kind", "status", "status_ms")}
            for each in sorted(found.status.to_pylist(), key=lambda each: -each["status_ms"])
        ],
        "segments": segments,
        "provisional": bool(row.get("provisional")),
    }


def _agent_name(found: ReportData, agent_id: str) -> str:
    """The agent's name, or the id where no name is known."""
    bearers = found.agents.filter(pc.equal(found.agents["id"], agent_id))
    return str(next(iter(bearers["name"].to_pylist()), agent_id))


def _agent_segments(store: Store, interval: Interval, agent_id: str) -> list[dict[str, Any]]:
    """The segments of an agent with a part in *interval*, in order, each once."""
    return list(
        store.query_store(
            "select distinct conversation_id, media_type, segment_type, start_ms, end_ms, open, "
            "coalesce(names.name, queue_id) as queue from segments "
            "left join names on names.kind = 'queue' and names.id = queue_id "
            "where window_start >= $first and window_start < $last "
            "and agent_id = $agent and start_ms < $end and end_ms > $start "
            "order by start_ms, end_ms, conversation_id",
            first=floor_to_width(interval.start, DAY),
            last=interval.end,
            agent=agent_id,
            start=epoch_ms(interval.start),
            end=epoch_ms(interval.end),
        ).to_pylist()
    )


def agent_history(store: Store, view: DayView, now: datetime) -> dict[str, Any]:
    """An agent's last weeks, day by day."""
    first = replace(view, day=view.day - timedelta(days=HISTORY_DAYS - 1))
    interval = Interval(first.day_interval.start, view.day_interval.end)
    question = Question(interval, view.zone, By.DAY, view.basis, agents=(view.agent,))
    with store.open_snapshot() as held:
        found = stored_report_data(held, question, now)
    rows = questions.build_report(question, found).to_pylist()
    half_hours = questions.build_report(replace(question, by=By.INTERVAL), found)
    view = replace(view, queue="", media="").limited_to_columns(half_hours.column_names)
    names = ("day", "handle_time_sec", "acw_time_sec", "hold_time_sec", "handled_count", "aht_sec",
             "occupancy_ratio", "provisional")  # fmt: skip
    return {
        "agent": rows[0]["agent_name"] if rows else _agent_name(found, view.agent),
        "measure": view.measure,
        "from": str(first.day),
        "days": [{name: row.get(name) for name in names} for row in rows],
        "half_hours": [
            {"start": row["interval_start"].isoformat(), "value": row[view.measure.report_column]}
            for row in half_hours.to_pylist()
        ],
        "missing": [
            str(each)
            for each in missing_intervals(
                found.days_of_sources(question.required_sources), interval
            )
        ],
    }
