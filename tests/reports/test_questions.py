"""The SQL of the reports against plain Python."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.model.coverage import DayCoverage, DayState, SettledWindow
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, Interval
from halfhour.model.measures import STORED_FIGURES
from halfhour.model.question import Question
from halfhour.model.tables import NAMES_SCHEMA, POSTED_SCHEMA, STATUS_SCHEMA
from halfhour.model.vocabulary import Basis, By, Source
from halfhour.reports import questions
from halfhour.reports.data import ReportData
from tests.report_data import report_data

START = datetime(2026, 3, 2, 5, 45, tzinfo=UTC)
DAY = Interval(START, START + timedelta(days=1))
AGENTS = pa.table({"id": ["a", "b"], "name": ["Zoë", "anna"]}, schema=NAMES_SCHEMA)

figures = st.one_of(st.none(), st.integers(0, 8 * 10**7))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "interval_start": st.integers(0, 95).map(lambda at: START + at * QUARTER_HOUR),
            "agent_id": st.sampled_from("abc"),
            "queue_id": st.sampled_from(["p", "q", None]),
            "media_type": st.sampled_from(["voice", "chat"]),
            "handle_ms": figures,
            "acw_ms": figures,
            "hold_ms": figures,
            **{
                figure.sum_column: st.one_of(st.none(), st.integers(0, 9))
                for figure in STORED_FIGURES
                if figure.sum_column not in ("handle_ms", "acw_ms", "hold_ms")
            },
        }
    ),
    max_size=30,
    unique_by=lambda row: (
        row["interval_start"],
        row["agent_id"],
        row["queue_id"],
        row["media_type"],
    ),
)


widths = st.sampled_from([HALF_HOUR, QUARTER_HOUR])


def report_rows(
    by: By, posted: list[dict[str, Any]], width: timedelta = HALF_HOUR
) -> list[dict[str, Any]]:
    table = pa.Table.from_pylist(posted, schema=POSTED_SCHEMA)
    report = questions.build_report(Question(DAY, UTC, by, width=width), report_data(AGENTS, table))
    return list(report.to_pylist())


def sum_in_seconds(posted: list[dict[str, Any]], name: str) -> float:
    return sum(row[name] or 0 for row in posted) / 1000


def group_rows(posted: list[dict[str, Any]], key: Any) -> dict[Any, list[dict[str, Any]]]:
    groups = defaultdict(list)
    for row in posted:
        groups[key(row)].append(row)
    return groups


def interval_start_of(row: dict[str, Any], width: timedelta = HALF_HOUR) -> datetime:
    start = row["interval_start"]
    assert isinstance(start, datetime)
    return start - (start - START) % width


@given(rows, widths)
def test_a_report_by_interval_sums_every_row_into_its_interval(posted, width):
    expected = group_rows(posted, lambda row: (interval_start_of(row, width), row["agent_id"]))
    report = report_rows(By.INTERVAL, posted, width)

    assert {(row["interval_start"], row["agent_id"]) for row in report} == set(expected)
    assert len(report) == len(expected)
    for row in report:
        of_cell = expected[row["interval_start"], row["agent_id"]]
        assert row["interval_end"] == row["interval_start"] + width
        for name in ("handle", "acw", "hold"):
            assert row[f"{name}_time_sec"] == sum_in_seconds(of_cell, f"{name}_ms")
        for name, column in (("handled", "handle"), ("transferred", "transferred")):
            count = sum(posted_row[f"{column}_count"] or 0 for posted_row in of_cell)
            assert row[f"{name}_count"] == count
        assert row["exceeds_interval"] is (row["handle_time_sec"] > width.total_seconds())


@given(rows, widths)
def test_a_report_by_agent_divides_sums_and_nothing_by_zero(posted, width):
    expected = group_rows(posted, lambda row: row["agent_id"])

    for row in report_rows(By.AGENT, posted, width):
        of_agent = expected.pop(row["agent_id"])
        active = {
            interval_start_of(posted_row, width)
            for posted_row in of_agent
            if any(posted_row[name] is not None for name in ("handle_ms", "acw_ms", "hold_ms"))
        }
        handle, count = sum_in_seconds(of_agent, "handle_ms"), row["handled_count"]
        assert row["interval_count"] == len(active)
        assert_quotient(row["handle_time_mean_sec"], handle, len(active), 3)
        assert_quotient(row["aht_sec"], handle, count, 3)
        transferred = sum(posted_row["transferred_count"] or 0 for posted_row in of_agent)
        assert row["transferred_count"] == transferred
        assert_quotient(row["transferred_per_handled_ratio"], transferred, count, 4)
        assert_quotient(row["acw_share_ratio"], sum_in_seconds(of_agent, "acw_ms"), handle, 4)
    assert not expected


@given(rows, st.sampled_from([By.INTERVAL, By.AGENT, By.DAY, By.QUEUE, By.MEDIA]))
def test_every_stored_figure_of_a_report_adds_up_to_that_of_its_rows(posted, by):
    report = report_rows(by, posted)

    for figure in STORED_FIGURES:
        if by in figure.groupings:
            scale = 1000 if figure.sum_column.endswith("_ms") else 1
            total = sum(row[figure.sum_column] or 0 for row in posted) / scale
            assert sum(row[figure.name] for row in report) == pytest.approx(total)


def assert_quotient(actual: float | None, over: float, per: float, digits: int) -> None:
    if per:
        assert actual == pytest.approx(over / per, rel=1e-12, abs=0.51 * 10**-digits)
    else:
        assert actual is None


def test_rows_are_sorted_as_people_sort_names():
    posted = [
        {"interval_start": START, "agent_id": agent, "handle_ms": 1} for agent in ("b", "c", "a")
    ]

    assert [row["agent_name"] for row in report_rows(By.INTERVAL, posted)] == ["anna", "c", "Zoë"]
    assert [row["agent_name"] for row in report_rows(By.AGENT, posted)] == ["anna", "c", "Zoë"]


@given(rows, st.sampled_from([By.QUEUE, By.MEDIA]))
def test_reports_by_queue_and_by_media_type_count_every_row_once(posted, by):
    key = {By.QUEUE: "queue_id", By.MEDIA: "media_type"}[by]
    expected = group_rows(posted, lambda row: row[key])
    report = report_rows(by, posted)

    assert [row["handle_time_sec"] for row in report] == sorted(
        (row["handle_time_sec"] for row in report), reverse=True
    )
    assert {row[key] for row in report} == set(expected)
    assert len(report) == len(expected)
    for row in report:
        own = expected[row[key]]
        assert row["agent_count"] == len({posted_row["agent_id"] for posted_row in own})
        for column in ("handle", "acw", "hold"):
            assert row[f"{column}_time_sec"] == sum_in_seconds(own, f"{column}_ms")
        assert row["handled_count"] == sum(posted_row["handle_count"] or 0 for posted_row in own)


@given(rows, st.sampled_from([Basis.POSTED, Basis.WORKED]))
def test_no_queue_time_is_the_handle_time_of_the_row_without_a_queue(figure_rows, basis):
    table = pa.Table.from_pylist(figure_rows, schema=POSTED_SCHEMA)
    data = report_data(AGENTS, **{basis.value: table})

    def shown(by: By) -> list[dict[str, Any]]:
        return list(questions.build_report(Question(DAY, UTC, by, basis), data).to_pylist())

    right = sum(row["handle_time_sec"] for row in shown(By.QUEUE) if row["queue_id"] is None)
    for by in (By.INTERVAL, By.AGENT, By.MEDIA):
        assert sum(row["no_queue_time_sec"] for row in shown(by)) == pytest.approx(right)


@given(rows, widths)
def test_a_report_by_day_has_local_days(posted, width):
    zone = ZoneInfo("Asia/Kathmandu")
    table = pa.Table.from_pylist(posted, schema=POSTED_SCHEMA)
    question = Question(DAY, zone, By.DAY, width=width)
    report = questions.build_report(question, report_data(AGENTS, table)).to_pylist()
    expected = group_rows(
        posted, lambda row: (f"{interval_start_of(row).astimezone(zone):%Y-%m-%d}", row["agent_id"])
    )

    assert {(row["day"], row["agent_id"]) for row in report} == set(expected)
    assert [row["day"] for row in report] == sorted(row["day"] for row in report)
    for row in report:
        own = expected[row["day"], row["agent_id"]]
        assert row["handle_time_sec"] == sum_in_seconds(own, "handle_ms")


def test_queues_have_their_names_and_several_of_one_session_stand_together():
    queues = pa.table({"id": ["p", "q"], "name": ["Billing", "Sales"]}, schema=NAMES_SCHEMA)
    posted = pa.Table.from_pylist(
        [
            {"interval_start": START, "agent_id": "a", "queue_id": queue, "handle_ms": ms}
            for queue, ms in (("p", 4), ("q,p", 3), ("gone", 2), (None, 1))
        ],
        schema=POSTED_SCHEMA,
    )
    report = questions.build_report(
        Question(DAY, UTC, By.QUEUE), report_data(AGENTS, posted, queues=queues)
    )
    assert report["queue_name"].to_pylist() == ["Billing", "Billing, Sales", "gone", "no queue"]


def test_queues_of_an_interval_are_sorted_by_name_whatever_its_letters():
    names = {"p": "sales", "q": "Åland", "r": "Zeta", "s": "Łódź", "t": "Billing"}
    queues = pa.table({"id": list(names), "name": list(names.values())}, schema=NAMES_SCHEMA)
    posted = pa.Table.from_pylist(
        [
            {"interval_start": START, "agent_id": "a", "queue_id": queue, "handle_ms": 1}
            for queue in names
        ],
        schema=POSTED_SCHEMA,
    )
    report = questions.build_report(
        Question(DAY, UTC, By.QUEUE_INTERVAL), report_data(AGENTS, posted, queues=queues)
    )
    assert report["queue_name"].to_pylist() == ["Åland", "Billing", "Łódź", "sales", "Zeta"]


MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
LATER = datetime(2026, 3, 20, tzinfo=UTC)
POSTED_COLUMNS = ("handle_time_sec", "acw_time_sec", "hold_time_sec", "talk_time_sec",
                  "handled_count", "answered_count")  # fmt: skip


def partly_held_data() -> ReportData:
    """Status of three days; posted figures of the first, details of half of the second."""

    def held(start: datetime, length: timedelta) -> list[DayCoverage]:
        settled = SettledWindow(Interval(start, start + length), LATER, 1)
        return [DayCoverage(Interval(start, start + timedelta(days=1)), DayState.SETTLED, settled)]

    tuesday = MIDNIGHT + timedelta(days=1)
    row = {"agent_id": "a", "queue_id": "q", "media_type": "voice", "handle_ms": 1000}
    idle = {"agent_id": "b", "kind": "presence", "status": "ON_QUEUE", "status_ms": 1000}
    starts = [MIDNIGHT + at * HALF_HOUR for at in range(3 * 48)]
    return report_data(
        AGENTS,
        posted=pa.Table.from_pylist([{**row, "interval_start": MIDNIGHT}], schema=POSTED_SCHEMA),
        worked=pa.Table.from_pylist([{**row, "interval_start": tuesday}], schema=POSTED_SCHEMA),
        status=pa.Table.from_pylist(
            [{**idle, "interval_start": at} for at in starts], STATUS_SCHEMA
        ),
        days_by_source={
            Source.POSTED: held(MIDNIGHT, timedelta(days=1)),
            Source.DETAILS: held(tuesday, timedelta(hours=12)),
        },
    )


@pytest.mark.parametrize("by", [By.INTERVAL, By.DAY, By.AGENT, By.MEDIA])
def test_figures_are_null_only_where_their_source_is_not_held(by):
    days = Interval(MIDNIGHT, MIDNIGHT + timedelta(days=3))
    rows = questions.build_report(
        Question(days, UTC, by, Basis.BOTH), partly_held_data()
    ).to_pylist()

    assert rows
    for row in rows:
        posted = worked = True
        if by is By.INTERVAL:
            at = row["interval_start"] - MIDNIGHT
            posted = at < timedelta(hours=24)
            worked = timedelta(hours=24) <= at < timedelta(hours=36)
        if by is By.DAY:
            posted, worked = row["day"] == "2026-03-02", row["day"] == "2026-03-03"
        names = [name for name in POSTED_COLUMNS if name in row]
        assert [row[name] is not None for name in names] == [posted] * len(names)
        assert (row["worked_time_sec"] is not None) is worked
        if "busy_time_sec" in row:
            assert (row["busy_time_sec"] is not None) is worked
    for name in ("handle_time_sec", "worked_time_sec"):
        assert sum(filter(None, (row[name] for row in rows))) == 1


def test_figures_of_a_source_that_is_not_held_are_null_in_the_sum_of_an_agent():
    days = Interval(MIDNIGHT + timedelta(days=2), MIDNIGHT + timedelta(days=3))
    data = partly_held_data()
    data.replace_table("figures", POSTED_SCHEMA.empty_table())
    data.replace_table("worked", POSTED_SCHEMA.empty_table())
    (row,) = questions.build_report(Question(days, UTC, By.AGENT, Basis.BOTH), data).to_pylist()

    assert row["on_queue_time_sec"] == 48
    assert {row[name] for name in (*POSTED_COLUMNS, "interval_count", "busy_time_sec")} == {None}


@pytest.mark.parametrize("by", [By.INTERVAL, By.DAY, By.AGENT, By.MEDIA])
def test_transfers_are_null_where_there_are_days_that_were_read_without_them(by):
    data = partly_held_data()
    (monday,) = data.days_by_source[Source.POSTED]
    assert monday.settled
    without = replace(monday, settled=replace(monday.settled, has_transfers=False))
    days = Interval(MIDNIGHT, MIDNIGHT + timedelta(days=1))

    def transferred(held: DayCoverage) -> set[int | None]:
        names = replace(data, days_by_source={Source.POSTED: [held]})
        rows = questions.build_report(Question(days, UTC, by), names).to_pylist()
        assert None not in {row["handled_count"] for row in rows}
        return {row["transferred_count"] for row in rows}

    assert transferred(monday) == {0}
    assert transferred(without) == {None}
