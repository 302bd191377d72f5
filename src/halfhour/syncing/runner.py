"""Brings a store up to date: windows -> client -> shaping -> store, a window at a time.

There is no other state than what is settled, so that it may be ended anywhere
and begun again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
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
from halfhour.ingest.detail_records import DataIssue
from halfhour.model.coverage import DayCoverage
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.store.locking import retry_while_busy, spool_directory, writer_lock
from halfhour.store.store import Store
from halfhour.syncing import planner
from halfhour.syncing.planner import SyncRequest
from halfhour.syncing.progress import Event, EventCallback, EventKind, Outcome, SourceWindow

PARALLEL_WINDOWS = 4
"""Windows that are fetched at the same time, of which each may be many requests."""
NAME_LIFETIME = timedelta(days=1)
"""How long a name is good."""
UNAUTHORIZED, FORBIDDEN, TOO_MANY = 401, 403, 429
UNIDENTIFIED_STATUSES = (403, 404, 501)
"""Refusals after which a client's organisation stays unknown."""
CLOCK_TOLERANCE = timedelta(minutes=1)
"""How far a clock may be ahead of Genesys' without harm: today is read again all the time."""

Clock = Callable[[], datetime]


async def run_sync(
    settings: Settings,
    store: Store,
    wish: SyncRequest,
    clock: Clock,
    tell: EventCallback,
    *,
    wait: bool = True,
) -> Outcome:
    """Read what is due, and settle each window as soon as it is there; one sync at a time.

    `wishes.steps` says in which order. What Genesys' clock says has not been yet is not
    due, whatever *clock* says. Raises StoreBusy where another sync
    is under way and this one is not to *wait*; ConfigError, also where the store is of
    another organisation; StoreError, and what `Client.call` raises where there is no hope
    for any window, such as AuthError.
    """
    store = replace(store, busy_timeout=0)  # `patiently` waits in its place
    async with (
        writer_lock(store, lambda reason: tell(Event(EventKind.WAITING, reason=reason)), wait=wait),
        Client(settings, lambda wait: tell(Event(EventKind.PAUSED, seconds=wait))) as client,
    ):
        when = await retry_while_busy(lambda: planner.prepare_store(store, wish, clock()))
        work = _SyncRun(client, store, wish, when.granularity, clock, tell)
        allowed = settings.max_requests_per_minute
        days = await work.plan_days(when.now, allowed)
        try:
            if any(days.values()):
                await work.verify_organization()
                if work.correct_clock():
                    days = await work.plan_days(work.clock(), allowed)
            outcome = await work.read_due_days(days)
        except NotIdentified as failure:
            outcome = work.fail_all_days(days, failure.error)
        outcome.emit_data_issues(tell)
    return outcome


class NotIdentified(Exception):  # noqa: N818
    """The client's organisation could not be asked for, because of *error*."""

    def __init__(self, error: HalfhourError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(slots=True)
class _SyncRun:
    """The windows of one sync, several at a time, written one after the other."""

    client: Client
    store: Store
    sync_request: SyncRequest
    granularity: timedelta
    clock: Clock
    on_event: EventCallback
    outcome: Outcome = field(default_factory=Outcome)
    write_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    queued_windows: deque[SourceWindow] = field(default_factory=deque)
    window_count: int = 0
    details_available_until: datetime | None = None
    is_identified: bool = False

    async def plan_days(
        self, now: datetime, allowed: int | None
    ) -> Mapping[Source, Sequence[DayCoverage]]:
        """Return the days that are due at *now*, and tell what they take."""
        days, requests = await retry_while_busy(
            lambda: planner.plan_due_days(self.store, self.sync_request, now)
        )
        seconds = cost.request_seconds(requests, allowed)
        windows = sum(map(len, days.values()))
        self.on_event(Event(EventKind.PLANNED, of=windows, requests=requests, seconds=seconds))
        return days

    def fail_all_days(
        self, days: Mapping[Source, Sequence[DayCoverage]], error: HalfhourError
    ) -> Outcome:
        """Return the outcome where *error* came before any of *days* was read."""
        for source, held in days.items():
            self.outcome.failed |= {SourceWindow(source, day.day): error for day in held}
        return self.outcome

    async def verify_organization(self) -> None:
        """Make sure that the store is of the client's organisation, before anything is written.

        Raises ConfigError if it is another's, AuthError, or NotIdentified where no answer tells.
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
            owner = {"id": organization.id, "name": organization.name or ""}
            await retry_while_busy(lambda: self.store.claim_organization(owner))
        self.is_identified = True

    def correct_clock(self) -> bool:
        """Go by Genesys' clock if this machine's is ahead of it, and tell whether that is so."""
        theirs, ours = self.client.server_time, self.clock
        ahead = ours() - theirs if theirs else timedelta(0)
        if ahead <= CLOCK_TOLERANCE:
            return False
        self.on_event(
            Event(
                EventKind.CLOCK_AHEAD, reason=str(timedelta(seconds=round(ahead.total_seconds())))
            )
        )
        self.clock = lambda: ours() - ahead
        return True

    async def read_due_days(self, days: Mapping[Source, Sequence[DayCoverage]]) -> Outcome:
        self.window_count, named = sum(map(len, days.values())), True
        for source, held in planner.order_by_urgency(days):
            refused = self.outcome.left_out.get(source) or await self._read_source(source, held)
            if (
                refused and source is Source.DETAILS and self.sync_request.sources
            ):  # wished for by name
                self.outcome.failed |= {SourceWindow(source, each.day): refused for each in held}
            elif refused:
                self.window_count -= len(held)
            if source is Source.POSTED and self.outcome.settled:  # for who looks on meanwhile
                named = await self._refresh_names()
        if named:
            await self._refresh_names()
        self.outcome.failed = dict(sorted(self.outcome.failed.items()))
        return self.outcome

    async def _read_source(self, source: Source, held: Sequence[DayCoverage]) -> ApiError | None:
        """Read these days of *source*, newest first; why it is left out, if it may not be read."""
        self.queued_windows.extend(SourceWindow(source, each.day) for each in held)
        try:
            # The first day that is held says how far back the store reaches, so it goes before all.
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
        """Whether a sync without *source* is of use. Without posted figures it never is."""
        return source is Source.STATUS or (
            source is Source.DETAILS and Source.POSTED in (self.sync_request.sources or Source)
        )

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
            # Nor will the others be reached, or be allowed.
            if isinstance(error, Unreachable) or status == TOO_MANY:
                self.outcome.failed |= dict.fromkeys(self.queued_windows, error)
                self.queued_windows.clear()

    async def _settle_window(self, window: SourceWindow) -> None:
        read_at = self.clock()
        self._emit_window_event(EventKind.ASKED, window)
        with spool_directory(self.store) as folder:
            tables, oddities = await self._fetch_tables(window, folder)
            left_out = sum(oddity.is_left_out for oddity in oddities)
            self._emit_window_event(EventKind.ANSWERED, window)
            async with self.write_lock:
                settled = await retry_while_busy(
                    lambda: self.store.settle(*window, tables, read_at, left_out=left_out)
                )
        self.outcome.settled += 1
        self.outcome.data_issues += oddities
        if left_out:
            self.outcome.incomplete[window] = f"{left_out} left out"
        self.outcome.rows += settled.rows
        self.outcome.changed += settled.changed
        self._emit_window_event(
            EventKind.SETTLED, window, rows=settled.rows, changed=settled.changed
        )

    async def _fetch_tables(
        self, window: SourceWindow, folder: Path
    ) -> tuple[Mapping[str, pa.Table | Path], Sequence[DataIssue]]:
        """Return what is to be settled, as rows or as files in *folder*, and what is odd."""
        interval = window.interval
        match window.source:
            case Source.POSTED:
                query = PostedQuery(interval, self.granularity)
                return {"posted": await queries.fetch_posted(self.client, query)}, ()
            case Source.STATUS:
                agents = await retry_while_busy(lambda: self._agents_to_ask(interval))
                found = await queries.fetch_status(self.client, interval, self.granularity, agents)
                return {"status": found}, ()
            case Source.DETAILS:
                self.details_available_until = (
                    self.details_available_until
                    or await detail_download.fetch_availability(self.client)
                )
                with detail_download.DetailSpool(folder) as files:
                    await detail_download.download_details(
                        self.client, interval, self.details_available_until, files
                    )
                return files.parquet_paths, files.data_issues

    def _agents_to_ask(self, interval: Interval) -> list[str]:
        """Whom to ask about. Raises Incomplete where nothing is held that tells."""
        with self.store.open_snapshot() as held:
            known = [*held.settled_windows(Source.POSTED), *held.settled_windows(Source.DETAILS)]
            if interval.start not in {each.window.start for each in known}:
                raise Incomplete(
                    "whom to ask about is not known, as posted figures and details are missing"
                )
            return held.active_agent_ids(planner.activity_interval(interval))

    def _emit_window_event(self, kind: EventKind, window: SourceWindow, **more: Any) -> None:
        done = self.outcome.settled + len(self.outcome.failed)
        self.on_event(
            Event(
                kind,
                *window,
                done=done,
                of=self.window_count,
                left=self.client.requests_left,
                **more,
            )
        )

    async def _refresh_names(self) -> bool:
        """Hold the names of all who are held. Without them ids show, so a failure is only told."""
        store, now = self.store, self.clock()
        before = now - NAME_LIFETIME
        try:
            if agents := await retry_while_busy(lambda: store.unnamed_ids("agent", before)):
                await self.verify_organization()
                people = aggregates.directory_table(
                    agents, await queries.fetch_agents(self.client, agents)
                )
                await retry_while_busy(lambda: store.store_names("agent", people, now))
            if queues := await retry_while_busy(lambda: store.unnamed_ids("queue", before)):
                await self.verify_organization()
                known = [each async for each in self.client.list_entities(QUEUE_LIST)]
                found = aggregates.directory_table(queues, known)
                await retry_while_busy(lambda: store.store_names("queue", found, now))
        except (ApiError, NotIdentified, UnexpectedAnswer, Unreachable) as error:
            self.on_event(Event(EventKind.UNNAMED, reason=str(error)))
            return False
        return True
