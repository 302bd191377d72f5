"""Bring a store up to date: fetch each due window from Genesys and settle it in the store.

The settled windows are the only state of a sync, so it may be interrupted at any point and
started again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from halfhour.errors import (
    ApiError,
    HalfhourError,
    Incomplete,
    UnexpectedAnswer,
    Unreachable,
)
from halfhour.genesys import cost
from halfhour.genesys.client import Client
from halfhour.genesys.connection import Settings
from halfhour.genesys.endpoints import ORGANIZATION, QUEUE_LIST
from halfhour.genesys.requests import PostedQuery
from halfhour.ingest import aggregates, detail_download, queries
from halfhour.ingest.detail_spool import DetailSpool
from halfhour.model.coverage import Calendar, DayCoverage
from halfhour.model.intervals import Interval
from halfhour.model.tables import RAW_SCHEMAS
from halfhour.model.vocabulary import Source
from halfhour.store.derived_details import DataIssue, derive_details
from halfhour.store.locking import retry_while_busy, spool_directory, writer_lock
from halfhour.store.store import Store
from halfhour.syncing import planner
from halfhour.syncing.planner import SyncRequest
from halfhour.syncing.progress import (
    Event,
    EventCallback,
    EventKind,
    Outcome,
    SourceWindow,
    emit_waiting,
)
from halfhour.syncing.rebuild import rebuild_stored_details

PARALLEL_WINDOWS = 4
"""Number of windows fetched at the same time; each may take many requests."""
NAME_LIFETIME = timedelta(days=1)
"""Age at which names of agents and queues are read again."""
UNAUTHORIZED, FORBIDDEN, TOO_MANY = 401, 403, 429
UNIDENTIFIED_STATUSES = (403, 404, 501)
"""HTTP statuses with which Genesys refuses to name the organisation; the sync goes on then."""
CLOCK_TOLERANCE = timedelta(minutes=1)
"""Difference by which this machine's clock may be ahead of Genesys' clock.

It does no harm, because every sync reads today again.
"""

Clock = Callable[[], datetime]


async def run_sync(
    settings: Settings,
    store: Store,
    request: SyncRequest,
    clock: Clock,
    on_event: EventCallback,
    *,
    wait: bool = True,
) -> Outcome:
    """Read the due windows in the order of `planner.order_by_urgency`, and settle each one at once.

    One sync of a store runs at a time, and a new store is created when its first window is there
    to be settled: a sync that Genesys refuses makes none. If this machine's *clock* is ahead of
    Genesys' clock, Genesys' time decides which windows are due.

    Raises StoreBusy if another sync runs and this one shall not *wait*; ConfigError, for example
    if the store belongs to another organisation; StoreError; and an error of `Client.call` that
    would meet every window, such as AuthError.
    """
    store = replace(store, busy_timeout=0)  # `retry_while_busy` waits instead

    def emit_paused(seconds: float) -> None:
        on_event(Event(EventKind.PAUSED, seconds=seconds))

    async with (
        writer_lock(store, partial(emit_waiting, on_event), wait=wait),
        Client(settings, emit_paused) as client,
    ):
        calendar = await retry_while_busy(
            lambda: planner.upgraded_calendar(store, request, clock())
        )
        if await retry_while_busy(lambda: store.exists and not store.has_current_rules):
            await rebuild_stored_details(store, clock(), on_event)
        run = _SyncRun(client, store, request, calendar, clock, on_event)
        requests_per_minute = settings.max_requests_per_minute
        days = await run.plan_days(calendar.now, requests_per_minute)
        try:
            if any(days.values()):
                await run.verify_organization()
                if run.correct_clock():
                    days = await run.plan_days(run.clock(), requests_per_minute)
            outcome = await run.read_due_days(days)
        except NotIdentified as failure:
            outcome = run.fail_all_days(days, failure.error)
        outcome.emit_data_issues(on_event)
    return outcome


class NotIdentified(Exception):  # noqa: N818
    """Genesys did not name the client's organisation, because of *error*."""

    def __init__(self, error: HalfhourError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(slots=True)
class _SyncRun:
    """The windows of one sync: fetched several at a time, and written one after the other."""

    client: Client
    store: Store
    sync_request: SyncRequest
    calendar: Calendar
    clock: Clock
    on_event: EventCallback
    outcome: Outcome = field(default_factory=Outcome)
    write_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    queued_windows: deque[SourceWindow] = field(default_factory=deque)
    window_count: int = 0
    details_available_until: datetime | None = None
    is_identified: bool = False
    owner: Mapping[str, str] = field(default_factory=dict)

    async def plan_days(
        self, now: datetime, requests_per_minute: int | None
    ) -> Mapping[Source, Sequence[DayCoverage]]:
        """Return the days that are due at *now*, and emit how many requests they take."""
        days, requests = await retry_while_busy(
            lambda: planner.plan_due_days(self.store, self.sync_request, now)
        )
        seconds = cost.request_seconds(requests, requests_per_minute)
        window_count = sum(map(len, days.values()))
        due_sources = [source for source, source_days in days.items() if source_days]
        self.on_event(
            Event(
                EventKind.PLANNED,
                of=window_count,
                requests=requests,
                seconds=seconds,
                days=len({day.day.start for source in due_sources for day in days[source]}),
                sources=len(due_sources),
            )
        )
        return days

    def fail_all_days(
        self, days: Mapping[Source, Sequence[DayCoverage]], error: HalfhourError
    ) -> Outcome:
        """Return the outcome of a sync that met *error* before it read any of *days*."""
        for source, source_days in days.items():
            self.outcome.failed |= {SourceWindow(source, day.day): error for day in source_days}
        return self.outcome

    async def verify_organization(self) -> None:
        """Check that the store belongs to the client's organisation, before anything is written.

        Raises ConfigError if it belongs to another one, AuthError, or NotIdentified if Genesys
        cannot be asked.
        """
        if self.is_identified:
            return
        try:
            organization = await self.client.call(ORGANIZATION)
        except ApiError as error:
            if error.status == UNAUTHORIZED:
                raise
            if error.status not in UNIDENTIFIED_STATUSES:
                raise NotIdentified(error) from error
            self.on_event(Event(EventKind.UNIDENTIFIED, reason=str(error)))
        except (UnexpectedAnswer, Unreachable) as error:
            raise NotIdentified(error) from error
        else:
            self.owner = {"id": organization.id, "name": organization.name or ""}
            await retry_while_busy(self._claim_store)
        self.is_identified = True

    def _claim_store(self) -> None:
        """Record the owner in the store, if there is one. Raises ConfigError if it has another."""
        if self.owner and self.store.exists:
            self.store.claim_organization(self.owner)

    def correct_clock(self) -> bool:
        """Set the run's clock to Genesys' time if this machine's clock is ahead of it.

        Return whether that was so.
        """
        server_time, local_clock = self.client.server_time, self.clock
        lead = local_clock() - server_time if server_time else timedelta(0)
        if lead <= CLOCK_TOLERANCE:
            return False
        whole_seconds = timedelta(seconds=round(lead.total_seconds()))
        self.on_event(Event(EventKind.CLOCK_AHEAD, reason=str(whole_seconds)))
        self.clock = lambda: local_clock() - lead
        return True

    async def read_due_days(self, days: Mapping[Source, Sequence[DayCoverage]]) -> Outcome:
        """Read *days*, then the names of their agents and queues, and return the outcome."""
        self.window_count = sum(map(len, days.values()))
        names_available = True
        for source, source_days in planner.order_by_urgency(days):
            refusal = self.outcome.left_out.get(source)
            refusal = refusal or await self._read_source(source, source_days)
            if refusal and source in (self.sync_request.sources or ()):
                # The user asked for this source by name, so its absence is a failure.
                self.outcome.failed |= {
                    SourceWindow(source, day.day): refusal for day in source_days
                }
            elif refusal:
                self.window_count -= len(source_days)
            if source is Source.POSTED and self.outcome.settled:
                # A dashboard that is open during the sync shows names early.
                names_available = await self._refresh_names()
        if names_available and await retry_while_busy(lambda: self.store.exists):
            await self._refresh_names()
        self.outcome.failed = dict(sorted(self.outcome.failed.items()))
        return self.outcome

    async def _read_source(self, source: Source, days: Sequence[DayCoverage]) -> ApiError | None:
        """Read *days* of *source*, newest first after the oldest one.

        Return the refusal if the client may not read an optional source.
        """
        self.queued_windows.extend(SourceWindow(source, day.day) for day in days)
        try:
            # The oldest day goes first, because the first stored day is where an interrupted
            # sync without a range resumes.
            while self.queued_windows and not self.outcome.settled:
                await self._try_window(self.queued_windows.popleft())
            await queries.gather_results(self._drain_queue() for _ in range(PARALLEL_WINDOWS))
        except ApiError as error:
            if error.status != FORBIDDEN or not self._is_optional_source(source):
                raise
            self.queued_windows.clear()
            self.outcome.left_out[source] = error
            self.on_event(Event(EventKind.SOURCE_LEFT_OUT, source, reason=str(error)))
            return error
        return None

    def _is_optional_source(self, source: Source) -> bool:
        """Return whether a sync that may not read *source* still reads something asked for."""
        sources = self.sync_request.sources or Source
        return source is not Source.POSTED and {*sources} != {source}

    async def _drain_queue(self) -> None:
        while self.queued_windows:
            await self._try_window(self.queued_windows.pop())

    async def _try_window(self, window: SourceWindow) -> None:
        try:
            await self._settle_window(window)
        except (ApiError, Incomplete, UnexpectedAnswer, Unreachable) as error:
            status = error.status if isinstance(error, ApiError) else None
            if status in (UNAUTHORIZED, FORBIDDEN):
                raise
            self.outcome.failed[window] = error
            self._emit_window_event(EventKind.FAILED, window, reason=str(error))
            # The queued windows would meet the same error.
            if isinstance(error, Unreachable) or status == TOO_MANY:
                self.outcome.failed |= dict.fromkeys(self.queued_windows, error)
                self.queued_windows.clear()

    async def _settle_window(self, window: SourceWindow) -> None:
        read_at = self.clock()
        self._emit_window_event(EventKind.ASKED, window)
        with spool_directory(self.store) as folder:
            tables, data_issues = await self._fetch_tables(window, folder)
            left_out = sum(issue.is_left_out for issue in data_issues)
            self._emit_window_event(EventKind.ANSWERED, window)
            async with self.write_lock:
                if not self.outcome.settled:
                    await retry_while_busy(self._ensure_store)
                result = await retry_while_busy(
                    lambda: self.store.settle(*window, tables, read_at, left_out=left_out)
                )
        self.outcome.add_settled(window, result)
        self.outcome.data_issues += data_issues
        if left_out:
            self.outcome.incomplete[window] = f"{left_out} left out"
        self._emit_window_event(EventKind.SETTLED, window, rows=result.rows, changed=result.changed)

    def _ensure_store(self) -> None:
        """Create the store, if there is none, with its owner."""
        self.store.ensure_created(self.calendar.stored_settings)
        self._claim_store()

    async def _fetch_tables(
        self, window: SourceWindow, folder: Path
    ) -> tuple[Mapping[str, pa.Table | Path], Sequence[DataIssue]]:
        """Return the tables of *window*, as rows or as files in *folder*, and their data issues."""
        interval = window.interval
        match window.source:
            case Source.POSTED:
                query = PostedQuery(interval, self.calendar.granularity)
                return {"posted": await queries.fetch_posted(self.client, query)}, ()
            case Source.STATUS:
                agents = await retry_while_busy(lambda: self._agents_to_ask(interval))
                status = await queries.fetch_status(
                    self.client, interval, self.calendar.granularity, agents
                )
                return {"status": status}, ()
            case Source.DETAILS:
                self.details_available_until = (
                    self.details_available_until
                    or await detail_download.fetch_availability(self.client)
                )
                with DetailSpool(folder) as spool:
                    await detail_download.download_details(
                        self.client, interval, self.details_available_until, spool
                    )
                details = await derive_details(spool.tables(), interval, folder)
                kept = {
                    name: path
                    for name, path in details.paths.items()
                    if self.sync_request.keep_raw or name not in RAW_SCHEMAS
                }
                return kept, details.data_issues

    def _agents_to_ask(self, interval: Interval) -> list[str]:
        """Return the ids of the agents whose status to read.

        Raises Incomplete if the store holds neither posted figures nor details of that day.
        """
        unknown = Incomplete(
            "the agents are unknown, because posted figures and details are missing; read one of "
            "them, too"
        )
        if not self.store.exists:
            raise unknown
        with self.store.open_snapshot() as snapshot:
            settled_windows = [
                *snapshot.settled_windows(Source.POSTED),
                *snapshot.settled_windows(Source.DETAILS),
            ]
            if interval.start not in {settled.window.start for settled in settled_windows}:
                raise unknown
            return snapshot.active_agent_ids(planner.activity_interval(interval))

    def _emit_window_event(self, kind: EventKind, window: SourceWindow, **fields: Any) -> None:
        done = self.outcome.settled + len(self.outcome.failed)
        self.on_event(
            Event(
                kind,
                *window,
                done=done,
                of=self.window_count,
                left=self.client.requests_left,
                **fields,
            )
        )

    async def _refresh_names(self) -> bool:
        """Store the names of agents and queues that are missing or old; return whether it worked.

        A failure is an event and no error, because reports show ids in place of names.
        """
        store, now = self.store, self.clock()
        oldest_valid = now - NAME_LIFETIME
        try:
            if agent_ids := await retry_while_busy(
                lambda: store.unnamed_ids("agent", oldest_valid)
            ):
                await self.verify_organization()
                agents = await queries.fetch_agents(self.client, agent_ids)
                agent_names = aggregates.directory_table(agent_ids, agents)
                await retry_while_busy(lambda: store.store_names("agent", agent_names, now))
            if queue_ids := await retry_while_busy(
                lambda: store.unnamed_ids("queue", oldest_valid)
            ):
                await self.verify_organization()
                queues = [queue async for queue in self.client.list_entities(QUEUE_LIST)]
                queue_names = aggregates.directory_table(queue_ids, queues)
                await retry_while_busy(lambda: store.store_names("queue", queue_names, now))
        except (ApiError, NotIdentified, UnexpectedAnswer, Unreachable) as error:
            self.on_event(Event(EventKind.UNNAMED, reason=str(error)))
            return False
        return True
