"""Data of reports that tests make of rows, and tables of a store as reports read them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pyarrow as pa

from halfhour.model.coverage import DayCoverage
from halfhour.model.intervals import Interval
from halfhour.model.question import Question
from halfhour.model.vocabulary import Basis, Source
from halfhour.reports.data import ReportData
from halfhour.reports.from_store import open_report_data
from halfhour.reports.questions import build_report
from halfhour.store.report_views import ReportScope, open_report_views
from halfhour.store.store import Store


def report_data(
    agents: pa.Table | None = None,
    posted: pa.Table | None = None,
    *,
    days_by_source: Mapping[Source, Sequence[DayCoverage]] | None = None,
    **tables: pa.Table,
) -> ReportData:
    """Return data with these tables; worked time stands for the figures if *posted* is missing."""
    if "status" in tables:
        tables["status_times"] = tables.pop("status")
    data = ReportData.without_rows()
    figures = posted if posted is not None else tables.pop("worked", None)
    for name, table in {"agents": agents, "figures": figures, **tables}.items():
        if table is not None:
            data.replace_table(name, table)
    return ReportData(data.connection, days_by_source or {})


def worked_rows(store: Store, interval: Interval, width: timedelta) -> pa.Table:
    """Return the worked time in *store*, in the columns of posted figures."""
    return _rows(store, "figures", ReportScope(interval, width, Basis.WORKED))


def busy_rows(
    store: Store,
    interval: Interval,
    width: timedelta,
    *,
    queues: Sequence[str] | None = None,
    media: Sequence[str] | None = None,
) -> pa.Table:
    """Return the busy time in *store*."""
    scope = ReportScope(interval, width, Basis.WORKED, None, queues, media or None)
    return _rows(store, "busy", scope)


def callback_voice_rows(store: Store, interval: Interval, width: timedelta) -> pa.Table:
    """Return the time in *store* that callbacks and the calls they led to have in common."""
    return _rows(store, "callback_voice", ReportScope(interval, width))


def _rows(store: Store, name: str, scope: ReportScope) -> pa.Table:
    with open_report_views(store, scope) as connection:
        return ReportData(connection).table(name)


def stored_report(store: Store, question: Question, now: datetime) -> pa.Table:
    """Return the report of *question* from the data in *store* at *now*."""
    with open_report_data(store, question, now) as data:
        return build_report(question, data)
