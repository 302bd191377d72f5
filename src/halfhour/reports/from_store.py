"""Read the data of a report from a store."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import pyarrow as pa

from halfhour.errors import ConfigError, StoreError
from halfhour.model.coverage import Calendar, DayState
from halfhour.model.intervals import Interval
from halfhour.model.names import resolve_ids
from halfhour.model.question import Question
from halfhour.model.tables import RECONCILIATION_SCHEMA
from halfhour.model.vocabulary import Source, is_uuid
from halfhour.reports import filters
from halfhour.reports.data import ReportData
from halfhour.store.coverage import store_calendar
from halfhour.store.reconciliation import handle_time_comparison
from halfhour.store.report_views import ReportScope, open_report_views
from halfhour.store.store import EntityKind, Store


@contextmanager
def open_report_data(store: Store, question: Question, now: datetime) -> Iterator[ReportData]:
    """Give the stored data for *question*, with the coverage of its days at *now*.

    Other processes cannot write to the store meanwhile. Raises ConfigError for a name that the
    store does not have, or for a zone whose half-hours the store's intervals do not make up;
    StoreError.
    """
    with store.open_snapshot() as snapshot:
        calendar = store_calendar(snapshot, now)
        _require_granularity(snapshot, question, calendar)
        days_by_source = {
            source: calendar.coverage_of_days(question.interval, snapshot.settled_windows(source))
            for source in Source
        }
        agents = _ids_by_name(snapshot, "agent", question.agents) if question.agents else None
        members = filters.agents_in_places(question, snapshot.agent_places())
        if members is not None:
            agents = [agent for agent in members if agents is None or agent in agents]
        scope = ReportScope(
            question.interval,
            question.granularity,
            question.basis,
            agents,
            _ids_by_name(snapshot, "queue", question.queues) if question.queues else None,
            question.media or None,
        )
        has_details = any(day.settled for day in days_by_source[Source.DETAILS])
        with open_report_views(snapshot, scope, with_callback_voice=has_details) as connection:
            yield ReportData(connection, days_by_source)


def _require_granularity(store: Store, question: Question, calendar: Calendar) -> None:
    """Raise ConfigError if the intervals of *store* do not make up those of *question*."""
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


def reconcile_store(store: Store, interval: Interval | None, now: datetime) -> pa.Table:
    """Compare handle time on the days that have both posted figures and details.

    Return `tables.RECONCILIATION_SCHEMA` for the days in *interval*, or for all.
    """
    calendar = store_calendar(store, now)
    posted_days = store.settled_windows(Source.POSTED)
    detail_days = store.settled_windows(Source.DETAILS)
    if not detail_days or not posted_days:
        return RECONCILIATION_SCHEMA.empty_table()
    return handle_time_comparison(
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
    unknown = next((text for text in names_or_ids if not is_uuid(text)), None)
    if unknown and not len(names):
        raise StoreError(
            f"⟨{kind}s⟩ {unknown!r}: {store.path} has no names of {kind}s; 'halfhour check' tells "
            "whether the OAuth client may read them, and 'halfhour sync' reads them"
        )
    entities = zip(names["id"].to_pylist(), names["name"].to_pylist(), strict=True)
    return resolve_ids(f"{kind}s", names_or_ids, entities, f"{kind}s in {store.path}")
