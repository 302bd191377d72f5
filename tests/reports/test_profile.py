"""The totals beside a day's half-hours against plain Python, which adds up the same rows."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.model.coverage import DayCoverage, DayState, SettledWindow
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, Interval
from halfhour.model.question import Question
from halfhour.model.tables import BUSY_SCHEMA, NAMES_SCHEMA, POSTED_SCHEMA, STATUS_SCHEMA
from halfhour.model.vocabulary import Basis, By, Source
from halfhour.reports import profile, questions
from halfhour.reports.data import ReportData
from tests.report_data import report_data

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = Interval(START, START + timedelta(days=1))
AGENTS = pa.table({"id": ["a"], "name": ["Ada"]}, schema=NAMES_SCHEMA)
ROUTING_COLUMNS = {
    "interacting_ms": ("routing", "INTERACTING"),
    "communicating_ms": ("routing", "COMMUNICATING"),
    "idle_ms": ("routing", "IDLE"),
}
STATUSES = [*ROUTING_COLUMNS.values(), ("presence", "ON_QUEUE"), ("presence", "MEAL")]

Row = Mapping[str, Any]
Key = Callable[[Row], Any]
KEYS: dict[str, Key] = {
    "interval_start": lambda row: half_hour_of(row["interval_start"]),
    "agent_id": lambda row: row["agent_id"],
}

starts = st.integers(0, 7).map(lambda number: START + number * QUARTER_HOUR)
agent_ids = st.sampled_from("abc")
# Seconds as floats, added up one by one, would miss sums of such milliseconds by a last digit.
milliseconds = st.one_of(st.none(), st.integers(0, 10**11))
posted_rows = st.lists(
    st.fixed_dictionaries(
        {
            "interval_start": starts,
            "agent_id": agent_ids,
            "queue_id": st.sampled_from(["p", None]),
            "media_type": st.sampled_from(["voice", "chat"]),
            **dict.fromkeys(("handle_ms", "talk_ms", "hold_ms", "acw_ms"), milliseconds),
            "handle_count": st.one_of(st.none(), st.integers(0, 9)),
        }
    ),
    max_size=20,
    unique_by=lambda row: (
        row["interval_start"], row["agent_id"], row["queue_id"], row["media_type"]
    ),
)  # fmt: skip
busy_rows = st.lists(
    st.fixed_dictionaries(
        {
            "interval_start": starts,
            "agent_id": agent_ids,
            "busy_ms": st.integers(0, 900_000),
            "open": st.just(value=False),
        }
    ),
    max_size=12,
    unique_by=lambda row: (row["interval_start"], row["agent_id"]),
)
status_rows = st.lists(
    st.builds(
        lambda start, agent_id, status, status_ms: {
            "interval_start": start,
            "agent_id": agent_id,
            "kind": status[0],
            "status": status[1],
            "status_ms": status_ms,
        },
        starts,
        agent_ids,
        st.sampled_from(STATUSES),
        st.integers(0, 900_000),
    ),
    max_size=30,
    unique_by=lambda row: (row["interval_start"], row["agent_id"], row["status"]),
)


def half_hour_of(moment: datetime) -> datetime:
    return moment - (moment - START) % HALF_HOUR


def question_of(basis: Basis, by: By = By.INTERVAL) -> Question:
    return Question(DAY, UTC, by, basis)


def totals_of(key: str, question: Question, data: ReportData) -> list[dict[str, Any]]:
    totals = profile.day_totals(question, data)
    table = {"interval_start": totals.by_half_hour, "agent_id": totals.by_agent}[key]
    return list(table.to_pylist())


def sum_or_none(rows: Sequence[Row], column: str) -> int | None:
    values = [row[column] for row in rows if row[column] is not None]
    return sum(values) if values else None


def grouped(rows: Sequence[Row], key: Key) -> dict[Any, list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def in_seconds(value: int | None) -> float | None:
    return None if value is None else value / 1000


@pytest.mark.parametrize("key", KEYS)
@given(posted_rows, status_rows)
def test_posted_totals_add_up_milliseconds_of_every_row(key, posted, status):
    data = report_data(
        AGENTS,
        pa.Table.from_pylist(posted, schema=POSTED_SCHEMA),
        status=pa.Table.from_pylist(status, schema=STATUS_SCHEMA),
    )
    totals = totals_of(key, question_of(Basis.POSTED), data)
    by_key = grouped(posted, KEYS[key])

    assert set(by_key) <= {row[key] for row in totals}
    assert [row[key] for row in totals] == sorted({row[key] for row in totals})
    # Here no day is settled, so a half-hour counts as read if anybody has posted figures in it.
    read = {half_hour_of(row["interval_start"]) for row in posted}
    names = {(row["agent_id"], half_hour_of(row["interval_start"])) for row in posted}
    names |= {
        (row["agent_id"], half_hour_of(row["interval_start"]))
        for row in status
        if row["status"] in ("INTERACTING", "IDLE", "ON_QUEUE", "MEAL") and row["status_ms"]
    }
    for row in totals:
        has_figures = any(
            start in read
            for agent_id, start in names
            if row[key] == (start if key == "interval_start" else agent_id)
        )
        for column, name in (
            ("handle_ms", "handle_time_sec"),
            ("talk_ms", "talk_time_sec"),
            ("hold_ms", "hold_time_sec"),
            ("acw_ms", "acw_time_sec"),
        ):
            total = sum(figures[column] or 0 for figures in by_key[row[key]])
            assert row[name] == (total / 1000 if has_figures else None)
        count = sum(figures["handle_count"] or 0 for figures in by_key[row[key]])
        assert row["handled_count"] == (count if has_figures else None)
        assert "busy_time_sec" not in row


@pytest.mark.parametrize("key", KEYS)
@given(busy_rows)
def test_worked_totals_add_up_busy_time(key, busy):
    data = report_data(AGENTS, busy=pa.Table.from_pylist(busy, schema=BUSY_SCHEMA))
    totals = totals_of(key, question_of(Basis.WORKED), data)

    assert {row[key]: row["busy_time_sec"] for row in totals} == {
        value: in_seconds(sum_or_none(rows, "busy_ms"))
        for value, rows in grouped(busy, KEYS[key]).items()
    }
    assert all("handled_count" not in row for row in totals)


@pytest.mark.parametrize("key", KEYS)
@given(status_rows)
def test_occupancy_divides_sums_of_status_and_nothing_by_zero(key, status):
    data = report_data(AGENTS, status=pa.Table.from_pylist(status, schema=STATUS_SCHEMA))
    by_key = grouped(status, KEYS[key])

    for row in totals_of(key, question_of(Basis.POSTED), data):
        sums = {
            column: sum(
                figures["status_ms"]
                for figures in by_key[row[key]]
                if (figures["kind"], figures["status"]) == kind_and_status
                and is_shown(status, figures)
            )
            for column, kind_and_status in ROUTING_COLUMNS.items()
        }
        available = sum(sums.values())
        if available:
            expected = sums["interacting_ms"] / available
            assert row["occupancy_ratio"] == pytest.approx(expected, abs=0.500001e-4)
            assert row["occupancy_ratio"] == round(row["occupancy_ratio"], 4)
        else:
            assert row["occupancy_ratio"] is None
        assert row["handle_time_sec"] is None


def is_shown(status: Sequence[Row], figures: Row) -> bool:
    """Tell whether reports show the half-hour: the agent was logged in, interacting or idle."""
    return any(
        row["status_ms"] and row["status"] != "COMMUNICATING"
        for row in status
        if row["agent_id"] == figures["agent_id"]
        and half_hour_of(row["interval_start"]) == half_hour_of(figures["interval_start"])
    )


@given(posted_rows, status_rows)
def test_totals_of_agents_are_those_of_a_report_by_agent(posted, status):
    window = SettledWindow(DAY, DAY.end, len(posted))
    data = report_data(
        AGENTS,
        pa.Table.from_pylist(posted, schema=POSTED_SCHEMA),
        status=pa.Table.from_pylist(status, schema=STATUS_SCHEMA),
        days_by_source={Source.POSTED: [DayCoverage(DAY, DayState.SETTLED, window)]},
    )
    totals = totals_of("agent_id", question_of(Basis.POSTED), data)
    report = questions.build_report(question_of(Basis.POSTED, By.AGENT), data).to_pylist()
    expected = {row["agent_id"]: row for row in report}

    assert {row["agent_id"] for row in totals} == expected.keys()
    for row in totals:
        assert row == {name: expected[row["agent_id"]][name] for name in row}


@pytest.mark.parametrize("key", KEYS)
def test_without_figures_there_are_no_totals(key):
    question = replace(question_of(Basis.POSTED), by=By.AGENT)
    assert totals_of(key, question, report_data()) == []
