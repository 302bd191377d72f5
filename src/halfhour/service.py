"""Answer a question: bring the store up to date, read it, and add the figures it does not keep.

The command line and the Python functions both use this module, so they answer alike. The API
client and the syncs are imported late, because a stored answer needs neither.
"""

import logging
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from halfhour.clock import utc_now
from halfhour.errors import ConfigError, StoreError, Unreachable
from halfhour.genesys.connection import Settings
from halfhour.model.coverage import DAY
from halfhour.model.question import Question
from halfhour.model.vocabulary import Source
from halfhour.reports.data import ReportData
from halfhour.reports.from_store import stored_report_data
from halfhour.reports.pseudonyms import Pseudonymizer
from halfhour.store.store import Store
from halfhour.syncing.progress import Event, EventCallback, EventKind

T = TypeVar("T")

log = logging.getLogger("halfhour")

ShowProgress = Callable[[], AbstractContextManager[EventCallback]]
"""Opens a display of progress, which gets each event until it is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The sources of an answer: Genesys, with the settings of *load_settings*, and a *store*.

    Without a *store* all data comes from Genesys. With *offline* only the store is read.
    """

    load_settings: Callable[[], Settings]
    store: Store | None = None
    offline: bool = False
    pseudonyms: Pseudonymizer | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """The data for one part of a question, such as a day of it."""

    question: Question
    data: ReportData


@contextmanager
def log_warnings() -> Iterator[EventCallback]:
    """Log the messages of a sync, and show no other progress."""
    yield lambda event: log.log(event.level, event.message) if event.message else None


def answer(
    question: Question,
    access: Access,
    *,
    by_day: bool = False,
    with_offered: bool = False,
    show_progress: ShowProgress = log_warnings,
) -> Iterator[Part]:
    """Yield the data for *question*, oldest first: in one part, or a part for each day if *by_day*.

    A store is first brought up to date for the question. If Genesys cannot be reached or the
    store is busy, a warning is logged and the stored data is the answer. *with_offered* adds the
    numbers of interactions that queues were offered. The caller checks the parts for missing
    days (`coverage.require_complete_coverage`) after it has shown them.

    Raises ConfigError, AuthError, ApiError, Unreachable, UnexpectedAnswer or StoreError.
    """
    if question.with_capacity and access.offline:
        raise ConfigError("⟨with_capacity⟩: a store does not keep capacity; leave out ⟨offline⟩")
    # Every part of an answer needs the settings, and they are read once.
    access = replace(access, load_settings=cache(access.load_settings))
    with _store_for(question, access.store) as store:
        if store is None:
            parts = iter([Part(question, _fetch_data(question, access, show_progress))])
        else:
            if not access.offline:
                _bring_up_to_date(store, question, access, show_progress)
            parts = _stored_parts(store, question, by_day=by_day)
        for part in parts:
            yield replace(part, data=_completed(part, access, with_offered=with_offered))


def _fetch_data(question: Question, access: Access, show_progress: ShowProgress) -> ReportData:
    from halfhour.reports import from_api

    settings = access.load_settings()
    with show_progress() as on_event:

        def count_windows(done: int, of: int) -> None:
            on_event(Event(EventKind.ANSWERED, done=done, of=of))

        return run_async(from_api.fetch_report_data(settings, question, utc_now(), count_windows))


def _completed(part: Part, access: Access, *, with_offered: bool) -> ReportData:
    """Return the data of *part* with the figures that a store does not keep, and pseudonyms."""
    data = part.data
    if part.question.with_capacity or with_offered:
        from halfhour.reports import from_api

        settings = access.load_settings()
        if part.question.with_capacity:
            data = run_async(from_api.add_capacity(settings, part.question, data))
        if with_offered:
            data = run_async(from_api.add_offered(settings, part.question, data))
    return access.pseudonyms.pseudonymize_report_data(data) if access.pseudonyms else data


@contextmanager
def _store_for(question: Question, store: Store | None) -> Iterator[Store | None]:
    """Give *store*, or a temporary one if *store* is None and *question* needs details."""
    if store or Source.DETAILS not in question.required_sources:
        yield store
        return
    with TemporaryDirectory(prefix="halfhour-") as folder:
        yield Store(Path(folder) / "temporary.duckdb")


def _bring_up_to_date(
    store: Store, question: Question, access: Access, show_progress: ShowProgress
) -> None:
    from halfhour.syncing import planner, runner
    from halfhour.syncing.planner import SyncRequest

    # Status is read too, because it takes few requests and most reports show it.
    request = SyncRequest(
        question.interval,
        (*question.required_sources, Source.STATUS),
        None if store.exists else question.granularity,
    )
    if not any(planner.due_days(store, request, utc_now()).values()):
        return
    settings = access.load_settings()
    try:
        with show_progress() as on_event:
            outcome = run_async(
                runner.run_sync(settings, store, request, utc_now, on_event, wait=False)
            )
        if outcome.failed and not outcome.settled:
            first_error = next(iter(outcome.failed.values()))
            log.warning("%s; the report shows the stored data", first_error)
    except (StoreError, Unreachable) as error:
        if not store.exists:
            raise
        log.warning("%s; the report shows the stored data", error)


def _stored_parts(store: Store, question: Question, *, by_day: bool) -> Iterator[Part]:
    days = question.interval.split_into_windows(DAY) if by_day else [question.interval]
    for day in days:
        part = replace(question, interval=day)
        yield Part(part, stored_report_data(store, part, utc_now()))


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of *work*, also if an event loop runs already, as in a notebook."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
