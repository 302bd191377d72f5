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
from typing import TYPE_CHECKING, Any, TypeVar

from halfhour.clock import utc_now
from halfhour.errors import ConfigError, StoreError, Unreachable
from halfhour.genesys.connection import Settings
from halfhour.model.coverage import DAY, Calendar
from halfhour.model.question import Question
from halfhour.model.vocabulary import Source
from halfhour.reports.data import ReportData
from halfhour.reports.from_store import open_report_data
from halfhour.reports.pseudonyms import Pseudonymizer
from halfhour.store.store import EntityKind, Store
from halfhour.syncing.progress import Event, EventCallback, EventKind

if TYPE_CHECKING:
    import pyarrow as pa

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
    build: Callable[[Part], T],
    *,
    by_day: bool = False,
    with_offered: bool = False,
    show_progress: ShowProgress = log_warnings,
) -> Iterator[T]:
    """Yield what *build* makes of the data for *question*, oldest first.

    The data is in one part, or in a part for each day if *by_day*; it is gone when *build*
    returns. A store is first brought up to date for the question. If Genesys cannot be reached or
    the store is busy, a warning is logged and the stored data is the answer. *with_offered* adds
    the numbers of interactions that queues were offered. The caller checks the parts for missing
    days (`coverage.require_complete_coverage`) after it has shown them.

    Raises ConfigError, AuthError, ApiError, Unreachable, UnexpectedAnswer or StoreError.
    """
    if question.with_capacity and access.offline:
        raise ConfigError("⟨with_capacity⟩: a store does not keep capacity; leave out ⟨offline⟩")
    # Every part of an answer needs the settings, and they are read once.
    access = replace(access, load_settings=cache(access.load_settings))
    with _store_for(question, access, show_progress) as store:
        days = question.interval.split_into_windows(DAY) if by_day else [question.interval]
        for day in days:
            part = replace(question, interval=day)
            unstored = _fetch_unstored_tables(part, access, with_offered=with_offered)
            with open_report_data(store, part, utc_now()) as data:
                for name, table in unstored.items():
                    data.replace_table(name, table)
                if access.pseudonyms:
                    access.pseudonyms.pseudonymize_report_data(data)
                built = build(Part(part, replace(data, has_offered=with_offered)))
            yield built


def list_directory(kind: EntityKind, access: Access) -> "pa.Table":
    """Return the agents or queues of the store, or without one those that Genesys lists.

    The table is `tables.DIRECTORY_SCHEMA`. Raises the errors of `answer`.
    """
    if access.store:
        return access.store.directory_entries(kind)
    from halfhour.reports import from_api

    return run_async(from_api.fetch_directory(access.load_settings(), kind))


@contextmanager
def _store_for(question: Question, access: Access, show_progress: ShowProgress) -> Iterator[Store]:
    """Give the store that answers *question*, brought up to date: if there is none, in memory."""
    if access.store:
        if not access.offline:
            _bring_up_to_date(access.store, question, access, show_progress)
        yield access.store
        return
    calendar = Calendar(utc_now(), question.granularity)
    if Source.DETAILS not in question.required_sources:
        with Store.create_in_memory(calendar.stored_settings) as store:
            _fetch_posted(store, question, access, show_progress)
            yield store
        return
    with (
        TemporaryDirectory(prefix="halfhour-") as folder,
        Store.create_in_memory(calendar.stored_settings, Path(folder)) as store,
    ):
        _bring_up_to_date(store, question, access, show_progress)
        yield store


def _fetch_posted(
    store: Store, question: Question, access: Access, show_progress: ShowProgress
) -> None:
    from halfhour.reports import from_api

    settings = access.load_settings()
    with show_progress() as on_event:

        def count_windows(done: int, of: int) -> None:
            on_event(Event(EventKind.ANSWERED, done=done, of=of))

        run_async(from_api.fetch_into_store(settings, store, question, utc_now(), count_windows))


def _fetch_unstored_tables(
    question: Question, access: Access, *, with_offered: bool
) -> "dict[str, pa.Table]":
    """Return the figures of *question* that a store does not keep, by the name of the table."""
    tables = {}
    if question.with_capacity or with_offered:
        from halfhour.reports import from_api

        settings = access.load_settings()
        if question.with_capacity:
            tables["capacity"] = run_async(from_api.fetch_capacity(settings, question))
        if with_offered:
            tables["offered"] = run_async(from_api.fetch_offered(settings, question))
    return tables


def _bring_up_to_date(
    store: Store, question: Question, access: Access, show_progress: ShowProgress
) -> None:
    from halfhour.syncing import planner, runner
    from halfhour.syncing.planner import SyncRequest

    # Status is read too, because it takes few requests and most reports show it.
    request = SyncRequest(
        question.interval,
        question.required_sources,
        None if store.exists else question.granularity,
        extra_sources=(Source.STATUS,),
        keep_raw=access.store is not None,
    )
    if not any(planner.due_days(store, request, utc_now()).values()):
        return
    settings = access.load_settings()
    try:
        with show_progress() as on_event:
            outcome = run_async(
                runner.run_sync(settings, store, request, utc_now, on_event, wait=False)
            )
        if not store.exists:
            outcome.raise_if_incomplete()
        elif outcome.failed and not outcome.settled:
            first_error = next(iter(outcome.failed.values()))
            log.warning("%s; the report shows the stored data", first_error)
    except (StoreError, Unreachable) as error:
        if not store.exists:
            raise
        log.warning("%s; the report shows the stored data", error)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of *work*, also if an event loop runs already, as in a notebook."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
