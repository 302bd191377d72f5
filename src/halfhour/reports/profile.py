"""The totals that the dashboard shows beside a day's half-hours: by half-hour and by agent.

Both are sums of the half-hours of a report by interval. A sum is null if all its half-hours are;
seconds are exact milliseconds. Occupancy divides sums, as in every report.
"""

from dataclasses import replace

import pyarrow as pa

from halfhour.model.intervals import MINUTE
from halfhour.model.question import Question
from halfhour.model.rules import rule_text
from halfhour.model.vocabulary import By
from halfhour.reports.data import ReportData
from halfhour.reports.questions import answer_question


def day_profile(question: Question, data: ReportData) -> pa.Table:
    """Return a row per half-hour of which anything is known: the figures of all agents together.

    Rows are in the order of `interval_start`, in the zone of *question*.
    """
    return _day_totals(question, data, "interval_start")


def agent_totals(question: Question, data: ReportData) -> pa.Table:
    """Return a row per agent of whom anything is known: the figures of the whole interval.

    Rows are in the order of `agent_id`.
    """
    return _day_totals(question, data, "agent_id")


def _day_totals(question: Question, data: ReportData, key: str) -> pa.Table:
    sql = rule_text("day_totals", key=key, minutes=question.width // MINUTE)
    return answer_question(replace(question, by=By.INTERVAL), data, sql)
