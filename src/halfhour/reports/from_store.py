"""What a store holds for a question."""

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
    """What *store* holds for *question*, and how sure its days are at *now*.

    Raises ConfigError for a name that nobody in the store has, or a zone whose
    half-hours it does not have; StoreError.
    """
    with store.open_snapshot() as still:
        return _snapshot_report_data(still, question, now)


def _snapshot_report_data(store: Store, question: Question, now: datetime) -> ReportData:
    when = store_calendar(store, now)
    if question.width < when.granularity:
        raise ConfigError(
            f"⟨granularity⟩ or ⟨layout⟩: quarter-hours are wanted, and {store.path} holds "
            "half-hours; "
            "a sync into another ⟨store⟩ with ⟨granularity⟩ 15m gets both"
        )
    if question.granularity < when.granularity:
        raise ConfigError(
            f"⟨zone⟩: half-hours of {question.zone} start at :15 or :45, and {store.path} holds "
            "those of UTC; a sync into another ⟨store⟩ with ⟨granularity⟩ 15m gets both"
        )
    interval, width = question.interval, question.granularity
    held = {each: when.coverage_of_days(interval, store.settled_windows(each)) for each in Source}
    agents = _ids_by_name(store, "agent", question.agents) if question.agents else None
    if (places := filters.agents_in_places(question, store.agent_places())) is not None:
        agents = [each for each in places if agents is None or each in agents]
    queues = _ids_by_name(store, "queue", question.queues) if question.queues else None

    def wanted(table: pa.Table) -> pa.Table:
        return filters.filter_by_queues(filters.filter_by_media(table, question.media), queues)

    figures = {}
    if Source.POSTED in question.required_sources:
        figures["posted"] = store.posted_rows(interval, agents)
        if any(day.settled for day in held[Source.DETAILS]):
            figures["callback_voice"] = worked_time.callback_voice_time(
                store, interval, width, agents
            )
    if Source.DETAILS in question.required_sources:
        figures["worked"] = worked_time.worked_time(store, interval, width, agents)
        figures["busy"] = worked_time.busy_time(
            store, interval, width, agents, queues=queues, media=question.media
        )
    none = STATUS_SCHEMA.empty_table()
    return ReportData(
        store.names_by_kind("agent"),
        queues=store.names_by_kind("queue"),
        **{name: wanted(table) for name, table in figures.items()},
        status=none if question.has_work_filter else store.status_rows(interval, agents),
        days_by_source=held,
    )


def reconcile_store(store: Store, interval: Interval | None, now: datetime) -> pa.Table:
    """`tables.RECONCILED` of the days in *interval*, or of all, that posted figures and details
    are held of.
    """
    when = store_calendar(store, now)
    sources = [store.settled_windows(each) for each in (Source.POSTED, Source.DETAILS)]
    details = [each.window for each in sources[1]]
    if not details or not sources[0]:
        return RECONCILIATION_SCHEMA.empty_table()
    return worked_time.handle_time_comparison(
        store,
        interval or Interval(details[0].start, details[-1].end),
        when.granularity,
        held=details,
        young=[
            each.window
            for settled in sources
            for each in settled
            if when.state_of_window(each) is not DayState.SETTLED
        ],
    )


def _ids_by_name(store: Store, kind: EntityKind, wanted: Sequence[str]) -> list[str]:
    names = store.names_by_kind(kind)
    known = zip(names["id"].to_pylist(), names["name"].to_pylist(), strict=True)
    return resolve_ids(f"{kind}s", wanted, known, f"{kind}s in {store.path}")
