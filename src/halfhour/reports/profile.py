"""The totals that the dashboard shows beside a day's half-hours: by half-hour and by agent.

Both are sums of the half-hours of a report by interval. A sum is null if all its half-hours are;
seconds are exact milliseconds. Occupancy divides sums, as in every report.
"""

from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.model.intervals import MINUTE
from halfhour.model.question import Question
from halfhour.model.rules import rule_text
from halfhour.model.vocabulary import By
from halfhour.reports.data import ReportData
from halfhour.reports.questions import answer_question


class DayTotals(NamedTuple):
    """The totals of a day.

    *by_half_hour* has a row per half-hour with any activity, of all agents together, in the order
    of `interval_start`. *by_agent* has a row per agent with any activity, in the order of
    `agent_id`.
    """

    by_half_hour: pa.Table
    by_agent: pa.Table


def day_totals(question: Question, data: ReportData) -> DayTotals:
    """Return the totals of *question*, with times in its zone."""
    sql = rule_text("day_totals", minutes=question.width // MINUTE)
    totals = answer_question(replace(question, by=By.INTERVAL), data, sql)
    return DayTotals(
        totals.filter(pc.is_null(totals["agent_id"])).drop_columns("agent_id"),
        totals.filter(pc.is_null(totals["interval_start"])).drop_columns("interval_start"),
    )
