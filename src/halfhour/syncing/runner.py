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
from halfhour.genesys.endpoints import ORGANIZATION, QUEUES
from halfhour.genesys.requests import PostedQuery
from halfhour.ingest import aggregates, detail_download, queries
from halfhour.ingest.detail_records import Oddity
from halfhour.model.coverage import Held
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.store.locking import alone, parts, patiently
from halfhour.store.store import Store
from halfhour.syncing import planner
from halfhour.syncing.planner import Wish
from halfhour.syncing.progress import Event, EventKind, Outcome, Tell, Window

AT_ONCE = 4
"""Windows that are fetched at the same time, of which each may be many requests."""
NAMES_FOR = timedelta(days=1)
"""How long a name is good."""
UNAUTHORIZED, FORBIDDEN, TOO_MANY = 401, 403, 429
UNTOLD = (403, 404, 501)
"""Refusals after which a client's organisation stays unknown."""
CLOCKS_DIFFER = timedelta(minutes=1)
"""How far a clock may be ahead of Genesys' without harm: today is read again all the time."""

Clock = Callable[[], datetime]


async def sync(
    settings: Settings, store: Store, wish: Wish, clock: Clock, tell: Tell, *, wait: bool = True
) -> Outcome:
    """Read what is due, and settle each window as soon as it is there; one sync at a time.

    `wishes.steps` says in which order. What Genesys' clock says has not been yet is not
    due, whatever *clock* says. Raises StoreBusy where another sync
    is under way and this one is not to *wait*; ConfigError, also where the store is of
    another organisation; StoreError, and what `Client.call` raises where there is no hope
    for any window, such as AuthError.
    """
    store = replace(store, wait=0)  # `patiently` waits in its place
    async with (
        alone(store, lambda reason: tell(Event(EventKind.WAITING, reason=reason)), wait=wait),
        Client(settings, lambda wait: tell(Event(EventKind.PAUSED, seconds=wait))) as client,
    ):
        when = await patiently(lambda: planner.ready(store, wish, clock()))
        work = _Round(client, store, wish, when.granularity, clock, tell)
        allowed = settings.max_requests_per_minute
        days = await work.plan(when.now, allowed)
        try:
            if any(days.values()):
                await work.identify()
                if work.correct_clock():
                    days = await work.plan(work.clock(), allowed)
            outcome = await work.run(days)
        except NotIdentified as failure:
            outcome = work.all_failed(days, failure.error)
        outcome.tell_oddities(tell)
    return outcome


class NotIdentified(Exception):  # noqa: N818
    """The client's organisation could not be asked for, because of *error*."""

    def __init__(self, error: HalfhourError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(slots=True)
class _Round:
    """The windows of one sync, several at a time, written one after the other."""

    client: Client
    store: Store
    wish: Wish
    granularity: timedelta
    clock: Clock
    tell: Tell
    outcome: Outcome = field(default_factory=Outcome)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    windows: deque[Window] = field(default_factory=deque)
    of: int = 0
    lake: datetime | None = None
    is_identified: bool = False

    async def plan(self, now: datetime, allowed: int | None) -> Mapping[Source, Sequence[Held]]:
        """Return the days that are due at *now*, and tell what they take."""
        days, requests = await patiently(lambda: planner.planned(self.store, self.wish, now))
        seconds = cost.seconds(requests, allowed)
        windows = sum(map(len, days.values()))
        self.tell(Event(EventKind.PLANNED, of=windows, requests=requests, seconds=seconds))
        return days

    def all_failed(self, days: Mapping[Source, Sequence[Held]], error: HalfhourError) -> Outcome:
        """Return the outcome where *error* came before any of *days* was read."""
        for source, held in days.items():
            self.outcome.failed |= {Window(source, day.day): error for day in held}
        return self.outcome

    async def identify(self) -> None:
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
            if error.status not in UNTOLD:
                raise NotIdentified(error) from error
            self.tell(Event(EventKind.UNIDENTIFIED, reason=str(error)))
        except (UnexpectedAnswer, Unreachable) as error:
            raise NotIdentified(error) from error
        else:
            owner = {"id": organization.id, "name": organization.name or ""}
            await patiently(lambda: self.store.belong_to(owner))
        self.is_identified = True

    def correct_clock(self) -> bool:
        """Go by Genesys' clock if this machine's is ahead of it, and tell whether that is so."""
        theirs, ours = self.client.server_time, self.clock
        ahead = ours() - theirs if theirs else timedelta(0)
        if ahead <= CLOCKS_DIFFER:
            return False
        self.tell(
            Event(
                EventKind.CLOCK_AHEAD, reason=str(timedelta(seconds=round(ahead.total_seconds())))
            )
        )
        self.clock = lambda: ours() - ahead
        return True

    async def run(self, days: Mapping[Source, Sequence[Held]]) -> Outcome:
        self.of, named = sum(map(len, days.values())), True
        for source, held in planner.steps(days):
            refused = self.outcome.left_out.get(source) or await self._read(source, held)
            if refused and source is Source.DETAILS and self.wish.sources:  # wished for by name
                self.outcome.failed |= {Window(source, each.day): refused for each in held}
            elif refused:
                self.of -= len(held)
            if source is Source.POSTED and self.outcome.settled:  # for who looks on meanwhile
                named = await self._name()
        if named:
            await self._name()
        self.outcome.failed = dict(sorted(self.outcome.failed.items()))
        return self.outcome

    async def _read(self, source: Source, held: Sequence[Held]) -> ApiError | None:
        """Read these days of *source*, newest first; why it is left out, if it may not be read."""
        self.windows.extend(Window(source, each.day) for each in held)
        try:
            # The first day that is held says how far back the store reaches, so it goes before all.
            while self.windows and not self.outcome.settled:
                await self._try(self.windows.popleft())
            await queries.together(self._work() for _ in range(AT_ONCE))
        except ApiError as error:
            if error.status != FORBIDDEN or not self._may_lack(source):
                raise
            self.windows.clear()
            self.outcome.left_out[source] = error
            self.tell(Event(EventKind.SOURCE_LEFT_OUT, source, reason=str(error)))
            return error
        return None

    def _may_lack(self, source: Source) -> bool:
        """Whether a sync without *source* is of use. Without posted figures it never is."""
        return source is Source.STATUS or (
            source is Source.DETAILS and Source.POSTED in (self.wish.sources or Source)
        )

    async def _work(self) -> None:
        while self.windows:
            await self._try(self.windows.pop())

    async def _try(self, window: Window) -> None:
        try:
            await self._settle(window)
        except (ApiError, Incomplete, UnexpectedAnswer, Unreachable) as error:
            status = error.status if isinstance(error, ApiError) else None
            if status in (UNAUTHORIZED, FORBIDDEN):
                raise
            self.outcome.failed[window] = error
            self._say(EventKind.FAILED, window, reason=str(error))
            # Nor will the others be reached, or be allowed.
            if isinstance(error, Unreachable) or status == TOO_MANY:
                self.outcome.failed |= dict.fromkeys(self.windows, error)
                self.windows.clear()

    async def _settle(self, window: Window) -> None:
        read_at = self.clock()
        self._say(EventKind.ASKED, window)
        with parts(self.store) as folder:
            tables, oddities = await self._tables(window, folder)
            left_out = sum(oddity.is_left_out for oddity in oddities)
            self._say(EventKind.ANSWERED, window)
            async with self.writing:
                settled = await patiently(
                    lambda: self.store.settle(*window, tables, read_at, left_out=left_out)
                )
        self.outcome.settled += 1
        self.outcome.oddities += oddities
        if left_out:
            self.outcome.incomplete[window] = f"{left_out} left out"
        self.outcome.rows += settled.rows
        self.outcome.changed += settled.changed
        self._say(EventKind.SETTLED, window, rows=settled.rows, changed=settled.changed)

    async def _tables(
        self, window: Window, folder: Path
    ) -> tuple[Mapping[str, pa.Table | Path], Sequence[Oddity]]:
        """Return what is to be settled, as rows or as files in *folder*, and what is odd."""
        interval = window.interval
        match window.source:
            case Source.POSTED:
                query = PostedQuery(interval, self.granularity)
                return {"posted": await queries.posted(self.client, query)}, ()
            case Source.STATUS:
                agents = await patiently(lambda: self._around(interval))
                found = await queries.status(self.client, interval, self.granularity, agents)
                return {"status": found}, ()
            case Source.DETAILS:
                self.lake = self.lake or await detail_download.available(self.client)
                with detail_download.Files(folder) as files:
                    await detail_download.gather(self.client, interval, self.lake, files)
                return files.tables, files.oddities

    def _around(self, interval: Interval) -> list[str]:
        """Whom to ask about. Raises Incomplete where nothing is held that tells."""
        with self.store.snapshot() as held:
            known = [*held.settled(Source.POSTED), *held.settled(Source.DETAILS)]
            if interval.start not in {each.window.start for each in known}:
                raise Incomplete(
                    "whom to ask about is not known, as posted figures and details are missing"
                )
            return held.agents(planner.around(interval))

    def _say(self, kind: EventKind, window: Window, **more: Any) -> None:
        done = self.outcome.settled + len(self.outcome.failed)
        self.tell(Event(kind, *window, done=done, of=self.of, left=self.client.left, **more))

    async def _name(self) -> bool:
        """Hold the names of all who are held. Without them ids show, so a failure is only told."""
        store, now = self.store, self.clock()
        before = now - NAMES_FOR
        try:
            if agents := await patiently(lambda: store.unnamed("agent", before)):
                await self.identify()
                people = aggregates.named(agents, await queries.named(self.client, agents))
                await patiently(lambda: store.name("agent", people, now))
            if queues := await patiently(lambda: store.unnamed("queue", before)):
                await self.identify()
                known = [each async for each in self.client.pages(QUEUES)]
                found = aggregates.named(queues, known)
                await patiently(lambda: store.name("queue", found, now))
        except (ApiError, NotIdentified, UnexpectedAnswer, Unreachable) as error:
            self.tell(Event(EventKind.UNNAMED, reason=str(error)))
            return False
        return True
