"""The rules of what numbers mean: SQL texts in `sql/`, filled in from the catalogue of figures.

A text is SQL with placeholders. `_FILLINGS` writes select lists, lists of words and constants in
their place and nothing else: joins, conditions and the order of the steps stand in the text.
"""

import re
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.resources import files

from halfhour.model.coverage import DAY
from halfhour.model.intervals import MILLISECOND
from halfhour.model.measures import (
    AGENT_MEASURES,
    COLUMN_DECIMALS,
    DASHBOARD_COLUMNS,
    DIMENSION_MEASURES,
    FIGURES,
    OCCUPANCY,
    QUEUE_INTERVAL_COLUMNS,
    SEGMENT_TYPES,
    STORED_FIGURES,
    WORK_SEGMENT_TYPES,
    Figure,
    Measure,
    sql_list,
)
from halfhour.model.names import name_sort_expression
from halfhour.model.vocabulary import By

DETAIL_STEPS = ("latest_records", "agent_sessions", "timed_segments", "timeline")
"""The texts that derive details, each from the tables of those before it."""

SHARED_TEXTS = (
    "half_hours",
    "segment_slices",
    "rebuilt",
    "overlaps_by_day",
    *DETAIL_STEPS,
    "session_overlaps",
)
"""The texts that others contain as a common table expression, each before those it contains."""


@cache
def detail_rules_hash() -> str:
    """Return a hash of the rules by which details are derived, whatever their comments say."""
    return _hash_statements(*DETAIL_STEPS, "segments_by_day", "emitted")


@cache
def worked_rules_hash() -> str:
    """Return a hash of the rules of worked and busy time, whatever their comments say."""
    return _hash_statements("worked", "busy")


def _hash_statements(*names: str) -> str:
    texts = map(rule_text, names)
    statements = " ".join(re.sub(r"--.*", "", text) for text in texts)
    return sha256(" ".join(statements.split()).encode()).hexdigest()[:16]


@cache
def rule_text(name: str, **values: object) -> str:
    """Return the SQL text of the rule *name*, such as `worked` or `by_interval`.

    *values* are put in the place of the placeholders that only the caller can fill in.
    """
    text = _read_text(name)
    shared = {shared: _read_text(shared) for shared in SHARED_TEXTS}
    for placeholder, filling in (shared | _FILLINGS | values).items():
        text = text.replace(f"{{{placeholder}}}", str(filling))
    return text


def _read_text(name: str) -> str:
    return (files("halfhour.model") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def _figures_by(by: By, *tables: str) -> list[Figure]:
    """Return the figures that a report by *by* makes of *tables*, in the order of its columns."""
    return [figure for figure in FIGURES if by in figure.groupings and figure.table in tables]


def _stored_column(figure: Figure) -> str:
    """Return the column of the rows of the figure's table that it adds up."""
    if figure.table == "status":
        return "status_ms"
    return next(
        stored.sum_column
        for stored in STORED_FIGURES
        if (
            (stored.metric, stored.stat) == (figure.metric, figure.stat)
            if figure.metric
            else stored.segment_types == figure.segment_types
        )
    )


def _row_sum(figure: Figure) -> str:
    return f"sum({_stored_column(figure)})" + (
        f" filter ({figure.rule.sql})" if figure.rule else ""
    )


def _or_zero(figure: Figure, value: str, zero: str = "{}") -> str:
    """Return *value*, or zero where there is none though the source was read.

    *zero* is the expression for the column that holds that zero, and null for what was not read.
    Time in a status needs none: `half_hours` has zeros already.
    """
    if figure.table == "status":
        return value
    if figure.is_newer_than_store:
        return f"coalesce({value}, 0) + {zero.format('transfers_zero')}"
    column = "figures_zero" if figure.table == "figures" else "details_zero"
    return f"coalesce({value}, {zero.format(column)})"


def _total(figure: Figure) -> str:
    total = _or_zero(figure, f"sum({figure.sum_column})", "any_value({})")
    return f"{total} as {figure.sum_column}"


def _shown(figure: Figure, value: str) -> str:
    """Return *value*, a sum, in the unit and under the name of the report's column."""
    scale = " / 1000.0" if figure.sum_column.endswith("_ms") else ""
    return f"{value}{scale} as {figure.name}"


def _quotient(measure: Measure) -> str:
    scale = " / 1000.0" if measure.unit == "s" else ""
    quotient = f"{measure.numerator}{scale} / nullif({measure.denominator}, 0)"
    decimals = COLUMN_DECIMALS["_sec" if measure.unit == "s" else "_ratio"]
    return f"round({quotient}, {decimals}) as {measure.name}"


def _worked_sum(figure: Figure) -> str:
    """Return the time in the figure's segments; null for a count, as work that goes on has none."""
    types = figure.segment_types if figure.stat == "sum" else ()
    if not types:
        return f"null::bigint as {figure.sum_column}"
    return (
        f"sum(end_ms - start_ms) filter (segment_type in {sql_list(types)})::bigint "
        f"as {figure.sum_column}"
    )


def _rebuilt_sum(figure: Figure) -> str:
    """Return the sum or the count of the values of the figure's metric; null if there are none."""
    of_metric = f"filter (where metric = '{figure.metric}')"
    # The value of a metric that counts events is a count itself.
    if figure.stat == "count" and not figure.counts_events:
        return f"nullif(count(*) {of_metric}, 0) as {figure.sum_column}"
    return f"sum(value) {of_metric}::bigint as {figure.sum_column}"


def _lines(items: Iterable[str], indent: int = 4) -> str:
    return f",\n{' ' * indent}".join(items)


_POSTED, _WORK = ("figures", "callback_voice"), ("worked", "busy")
_BY_AGENT = _figures_by(By.AGENT, *_POSTED, *_WORK, "status")
_BY_DIMENSION = _figures_by(By.QUEUE, *_POSTED, *_WORK)
_BY_QUEUE_INTERVAL = [
    next(figure for figure in FIGURES if figure.name == name) for name in QUEUE_INTERVAL_COLUMNS
]

_BY_DAY = [figure for figure in FIGURES if figure.name in DASHBOARD_COLUMNS]


def _interval_sums(table: str, form: str = "{} as {}") -> str:
    figures = _figures_by(By.INTERVAL, table)
    return _lines((form.format(_row_sum(figure), figure.sum_column) for figure in figures), 8)


def _interval_columns(*tables: str) -> str:
    figures = _figures_by(By.INTERVAL, *tables)
    return _lines(_shown(figure, _or_zero(figure, figure.sum_column)) for figure in figures)


_FILLINGS = {
    "day_ms": DAY // MILLISECOND,
    "work_segment_types": sql_list(WORK_SEGMENT_TYPES),
    # names
    "agent_name_order": f"{name_sort_expression('agent_name')}, agent_name, agent_id",
    "queue_name_order": f"{name_sort_expression('queue_name')}, queue_name, queue_id",
    # details
    "segment_types": sql_list(SEGMENT_TYPES),
    "posted_metrics": sql_list([*dict.fromkeys(figure.metric or "" for figure in STORED_FIGURES)]),
    # half_hours
    "posted_sums": _interval_sums("figures"),
    "worked_sums": _interval_sums("worked"),
    "status_sums": _interval_sums("status", "coalesce({}, 0) as {}"),
    # by_interval
    "interval_posted_columns": _interval_columns(*_POSTED),
    "interval_work_columns": _interval_columns(*_WORK),
    "interval_status_columns": _interval_columns("status"),
    "occupancy": _quotient(OCCUPANCY),
    "percent_decimals": COLUMN_DECIMALS["_percent"],
    # by_agent
    "agent_totals": _lines(map(_total, _BY_AGENT), 8),
    "agent_columns": _lines(_shown(figure, figure.sum_column) for figure in _BY_AGENT),
    "agent_measures": _lines(map(_quotient, AGENT_MEASURES)),
    # by_dimension
    "rule_columns": _lines(
        (
            f"case when {figure.rule.sql} then {_stored_column(figure)} end as {figure.sum_column}"
            for figure in _BY_DIMENSION
            if figure.rule
        ),
        8,
    ),
    "dimension_worked_columns": _lines(
        (
            f"{_stored_column(figure)} as {figure.sum_column}"
            for figure in _figures_by(By.QUEUE, "worked")
        ),
        8,
    ),
    "dimension_totals": _lines(map(_total, _BY_DIMENSION), 8),
    "dimension_columns": _lines(_shown(figure, figure.sum_column) for figure in _BY_DIMENSION),
    "dimension_measures": _lines(map(_quotient, DIMENSION_MEASURES)),
    # by_queue_interval
    "queue_interval_sums": _lines(
        (
            f"{_row_sum(figure)} as {figure.sum_column}"
            for figure in _BY_QUEUE_INTERVAL
            if figure.table == "figures"
        ),
        8,
    ),
    "queue_interval_columns": _lines(
        (_shown(figure, _or_zero(figure, figure.sum_column)) for figure in _BY_QUEUE_INTERVAL), 8
    ),
    # day_totals
    "day_totals": _lines(
        (
            f"sum({_or_zero(figure, figure.sum_column)}) as {figure.sum_column}"
            for figure in _BY_DAY
        ),
        8,
    ),
    "day_columns": _lines(_shown(figure, figure.sum_column) for figure in _BY_DAY),
    # worked
    "worked_columns": _lines(map(_worked_sum, STORED_FIGURES)),
    # rebuilt
    "rebuilt_columns": _lines(map(_rebuilt_sum, STORED_FIGURES)),
}
