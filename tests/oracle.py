"""The right figures, computed as plainly as possible, to compare with those of halfhour.

The functions go through the emulator's true segments and statuses one by one.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from halfhour.model.intervals import HALF_HOUR, MILLISECOND, Interval
from halfhour.model.tables import POSTED_METRICS
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from tests.processes import Cloud
from tests.report_data import worked_rows

Figures = dict[tuple[Any, ...], int]
"""Figures by interval, agent, queue, media type and column."""
Changes = dict[tuple[Any, ...], tuple[int | None, int | None]]
"""Old and new value of figures; None means absent."""

WORKED_COLUMNS = {
    "interact": "talk_ms",
    "hold": "hold_ms",
    "wrapup": "acw_ms",
    "contacting": "contacting_ms",
    "dialing": "dialing_ms",
    "alert": "alert_ms",
}
"""Columns of worked time by segment type; all but alerts are handle time."""


def figure_key(row: dict[str, Any], column: str) -> tuple[Any, ...]:
    return row["interval_start"], row["agent_id"], row["queue_id"], row["media_type"], column


def table_figures(table: pa.Table) -> Figures:
    """Return the figures of *table*, none of which may occur twice."""
    items = [
        (figure_key(row, metric.name), row[metric.name])
        for row in table.to_pylist()
        for metric in POSTED_METRICS
        if row[metric.name] is not None
    ]
    figures = dict(items)
    assert len(figures) == len(items)
    return figures


def stored_posted_figures(store: Store, interval: Interval) -> Figures:
    return table_figures(store.posted_rows(interval))


def stored_worked_figures(store: Store, interval: Interval) -> Figures:
    figures = table_figures(worked_rows(store, interval, HALF_HOUR))
    return {key: ms for key, ms in figures.items() if ms}


def stored_changes(store: Store, source: Source) -> Changes:
    """Return the revisions of *source*; no figure may have two."""
    rows = [row for row in store.revision_rows().to_pylist() if row["source"] == source]
    changes = {
        figure_key(row, row["column_name"]): (row["old_value"], row["new_value"]) for row in rows
    }
    assert len(changes) == len(rows)
    return changes


def differences(old: Figures, new: Figures) -> Changes:
    return {
        key: (old.get(key), new.get(key))
        for key in old.keys() | new.keys()
        if old.get(key) != new.get(key)
    }


def true_posted_figures(cloud: Cloud, interval: Interval, granularity: str = "PT30M") -> Figures:
    columns: dict[str, list[tuple[str, str]]] = {}
    for metric in POSTED_METRICS:
        columns.setdefault(metric.metric, []).append((metric.name, metric.stat))
    return {
        figure_key(row, name): row[stat]
        for row in cloud.truth("posted", str(interval), granularity).to_pylist()
        for name, stat in columns.get(row["metric"], ())
    }


def split_at_intervals(
    span: dict[str, Any], within: Interval, width: timedelta = HALF_HOUR
) -> Iterator[tuple[datetime, int]]:
    """Yield each interval of *within* that *span*, a segment or a status, touches, with its ms."""
    start, end = max(span["start"], within.start), min(span["end"] or within.end, within.end)
    interval_start = within.start + (start - within.start) // width * width
    while interval_start < end:
        interval_end = interval_start + width
        yield interval_start, (min(end, interval_end) - max(start, interval_start)) // MILLISECOND
        interval_start = interval_end


def sessions_led_to_by_callbacks(segments: list[dict[str, Any]]) -> set[str]:
    """Return the voice sessions of agents who had a callback in the same conversation."""
    callbacks = {
        (segment["conversation_id"], segment["agent_id"])
        for segment in segments
        if segment["media_type"] == "callback"
    }
    return {
        segment["session_id"]
        for segment in segments
        if segment["media_type"] == "voice"
        and (segment["conversation_id"], segment["agent_id"]) in callbacks
    }


def true_worked_figures(cloud: Cloud, interval: Interval, width: timedelta = HALF_HOUR) -> Figures:
    """Return the sums of all segments, split at the intervals since *interval* began.

    Calls that a callback led to do not count, because the session of the callback spans them.
    """
    segments = cloud.truth("segments", str(interval)).to_pylist()
    ignored_sessions = sessions_led_to_by_callbacks(segments)
    figures: Counter[tuple[Any, ...]] = Counter()
    for segment in segments:
        kind = segment["segment_type"]
        if kind in WORKED_COLUMNS and segment["session_id"] not in ignored_sessions:
            for interval_start, ms in split_at_intervals(segment, interval, width):
                row = {**segment, "interval_start": interval_start}
                figures[figure_key(row, WORKED_COLUMNS[kind])] += ms
                if kind != "alert":
                    figures[figure_key(row, "handle_ms")] += ms
    return +figures


def true_status_times(cloud: Cloud, interval: Interval) -> Counter[tuple[Any, ...]]:
    """Return the ms in each status by interval, agent, kind and status."""
    times: Counter[tuple[Any, ...]] = Counter()
    for status in cloud.truth("statuses", str(interval)).to_pylist():
        for interval_start, ms in split_at_intervals(status, interval):
            times[interval_start, status["agent_id"], status["kind"], status["status"]] += ms
    return +times


def stored_status_times(store: Store, interval: Interval) -> dict[tuple[Any, ...], int]:
    """Return the same of a store; no status may occur twice."""
    rows = store.status_rows(interval).to_pylist()
    times = {
        (row["interval_start"], row["agent_id"], row["kind"], row["status"]): row["status_ms"]
        for row in rows
    }
    assert len(times) == len(rows)
    return times
