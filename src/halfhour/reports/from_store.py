"""Read the data of a report from a store."""

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from halfhour.errors import ConfigError
from halfhour.model.coverage import DayState
from halfhour.model.intervals import Interval
from halfhour.model.names import resolve_ids
from halfhour.model.question import Question
from halfhour.model.tables import RECONCILIATION_SCHEMA, STATUS_SCHEMA
from halfhour.model.vocabulary import Source
from halfhour.reports import filters
from halfhour.reports.data import ReportData
from halfhour.store import worked_time
from halfhour.store.coverage import store_calendar
from halfhour.store.store import EntityKind, Store


def stored_report_data(store: Store, question: Question, now: datetime) -> ReportData:
    """Return the stored data for *question*, with the coverage of its days at *now*.

    Raises ConfigError for a name that the store does not have, or for a zone whose half-hours
    the store's intervals do not make up; StoreError.
    """
    with store.open_snapshot() as snapshot:
        return _snapshot_report_data(snapshot, question, now)


def _snapshot_report_data(store: Store, question: Question, now: datetime) -> ReportData:
    calendar = store_calendar(store, now)
    if question.width < calendar.granularity:
        raise ConfigError(
            "⟨granularity⟩ or ⟨layout⟩: the report needs quarter-hours, and "
            f"{store.path} holds half-hours; "
            "a sync into another ⟨store⟩ with ⟨granularity⟩ 15m gets both"
        )
    if question.granularity < calendar.granularity:
        raise ConfigError(
            f"⟨zone⟩: half-hours of {question.zone} start at :15 or :45, and {store.path} holds "
            "those of UTC; a sync into another ⟨store⟩ with ⟨granularity⟩ 15m gets both"
        )
    interval, width = question.interval, question.granularity
    days_by_source = {
        source: calendar.coverage_of_days(interval, store.settled_windows(source))
        for source in Source
    }
    agents = _ids_by_name(store, "agent", question.agents) if question.agents else None
    if (members := filters.agents_in_places(question, store.agent_places())) is not None:
        agents = [agent for agent in members if agents is None or agent in agents]
    queues = _ids_by_name(store, "queue", question.queues) if question.queues else None

    def matching_rows(table: pa.Table) -> pa.Table:
        return filters.filter_by_queues(filters.filter_by_media(table, question.media), queues)

    tables = {}
    if Source.POSTED in question.required_sources:
        tables["posted"] = store.posted_rows(interval, agents)
        if any(day.settled for day in days_by_source[Source.DETAILS]):
            tables["callback_voice"] = worked_time.callback_voice_time(
                store, interval, width, agents
            )
    if Source.DETAILS in question.required_sources:
        tables["worked"] = worked_time.worked_time(store, interval, width, agents)
        tables["busy"] = worked_time.busy_time(
            store, interval, width, agents, queues=queues, media=question.media
        )
    if question.has_work_filter:  # status has no queue and no media type
        status = STATUS_SCHEMA.empty_table()
    else:
        status = store.status_rows(interval, agents)
    return ReportData(
        store.names_by_kind("agent"),
        queues=store.names_by_kind("queue"),
        **{name: matching_rows(table) for name, table in tables.items()},
        status=status,
        days_by_source=days_by_source,
    )


def reconcile_store(store: Store, interval: Interval | None, now: datetime) -> pa.Table:
    """Compare handle time on the days that have both posted figures and details.

    Return `tables.RECONCILIATION_SCHEMA` for the days in *interval*, or for all.
    """
    calendar = store_calendar(store, now)
    posted_days = store.settled_windows(Source.POSTED)
    detail_days = store.settled_windows(Source.DETAILS)
    if not detail_days or not posted_days:
        return RECONCILIATION_SCHEMA.empty_table()
    return worked_time.handle_time_comparison(
        store,
        interval or Interval(detail_days[0].window.start, detail_days[-1].window.end),
        calendar.granularity,
        held_days=[settled.window for settled in detail_days],
        provisional_days=[
            settled.window
            for settled in (*posted_days, *detail_days)
            if calendar.state_of_window(settled) is not DayState.SETTLED
        ],
    )


def _ids_by_name(store: Store, kind: EntityKind, names_or_ids: Sequence[str]) -> list[str]:
    names = store.names_by_kind(kind)
    entities = zip(names["id"].to_pylist(), names["name"].to_pylist(), strict=True)
    return resolve_ids(f"{kind}s", names_or_ids, entities, f"{kind}s in {store.path}")
