"""Brings a store up to date: windows -> client -> shaping -> store, a window at a time.

There is no other state than what is settled, so that it may be ended anywhere
and begun again.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from filelock import FileLock, Timeout

from halfhour import details, fetch, shaping
from halfhour.client import Client
from halfhour.endpoints import QUEUES
from halfhour.errors import (
    ApiError,
    ConfigError,
    StoreBusy,
    StoreError,
    UnexpectedAnswer,
    Unreachable,
)
from halfhour.intervals import HALF_HOUR, Interval
from halfhour.outcomes import Event, Outcome, Tell, Window
from halfhour.plan import PostedQuery
from halfhour.settings import Settings
from halfhour.store import Store
from halfhour.vocabulary import Source
from halfhour.windows import REREAD, Calendar, Held

AROUND = timedelta(days=14)
"""How near to a window an agent must have done something to be asked the status of in it.

So a large directory costs no requests: who is in it and works on other things is never asked for.
"""
AT_ONCE = 4
"""Windows that are fetched at the same time, of which each may be many requests."""
NAMES_FOR = timedelta(days=1)
"""How long a name is good."""
FIRST = timedelta(days=31)
"""How far an empty store reaches back."""
UNAUTHORIZED, FORBIDDEN = 401, 403
POLL = 0.2
"""Seconds between looks at whether another sync is done."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a sync is to bring: days of *interval*, or since the first that is held.

    *sources* are None for all that the client is allowed to read.
    *granularity* and *reread* are None to be as the store has them.
    """

    interval: Interval | None = None
    sources: Sequence[Source] | None = None
    granularity: timedelta | None = None
    reread: Sequence[timedelta] | None = None


def calendar(store: Store, wish: Wish, now: datetime) -> Calendar:
    """When the days of *store* are read, which *wish* says of a new one. Raises ConfigError."""
    if not store.exists:
        return Calendar(now, wish.granularity or HALF_HOUR, wish.reread or REREAD)
    known = store.settings()
    granularity = timedelta(seconds=int(known["granularity"]))
    if wish.granularity not in (None, granularity):
        raise ConfigError(
            f"--granularity: {store.path} holds intervals of {granularity.seconds // 60} minutes; "
            "name another --store for others"
        )
    ages = tuple(timedelta(seconds=int(text)) for text in known["reread"].split())
    return Calendar(now, granularity, wish.reread or ages)


def held(store: Store, wish: Wish, now: datetime) -> dict[Source, list[Held]]:
    """What there is of each day, oldest first, of every source that *wish* names."""
    when = calendar(store, wish, now)
    exists = store.exists
    settled = {each: store.settled(each) if exists else [] for each in Source}
    firsts = [windows[0].window.start for windows in settled.values() if windows]
    interval = wish.interval or Interval(min(firsts, default=now - FIRST), now)
    return {each: when.held(interval, settled[each]) for each in wish.sources or Source}


def due(store: Store, wish: Wish, now: datetime) -> dict[Source, list[Held]]:
    """The days that are to be read, oldest first, of every source that *wish* names."""
    days = held(store, wish, now)
    return {source: [each for each in days[source] if each.due] for source in days}


async def sync(
    settings: Settings, store: Store, wish: Wish, clock: Clock, tell: Tell, *, wait: bool = True
) -> Outcome:
    """Read what is due, and settle each window as soon as it is there; one sync at a time.

    Posted figures come first, as they are the fewest requests and name the
    agents whose status is to be asked for. Raises StoreBusy where another sync
    is under way and this one is not to *wait*; ConfigError, StoreError, and
    what `Client.call` raises where there is no hope for any window, such as
    AuthError.
    """
    async with alone(store, tell, wait=wait):
        when = ready(store, wish, clock())
        days = due(store, wish, when.now)
        tell(Event("planned", of=sum(map(len, days.values()))))
        async with Client(settings) as client:
            outcome = await _Round(client, store, wish, when.granularity, clock, tell).run(days)
            await _names(client, store, when.now, tell)
        outcome.tell_oddities(tell)
    return outcome


def ready(store: Store, wish: Wish, now: datetime) -> Calendar:
    """Make sure that *store* is there and up to date; when its days are read."""
    store.upgrade()
    when = calendar(store, wish, now)
    store.create(
        {
            "granularity": str(when.granularity.seconds),
            "reread": " ".join(str(int(age.total_seconds())) for age in when.reread),
        }
    )
    return when


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

    async def run(self, days: Mapping[Source, Sequence[Held]]) -> Outcome:
        self.of = sum(map(len, days.values()))
        for source, held in days.items():
            self.windows.extend(Window(source, each.day) for each in held)
            try:
                await fetch.together(self._work() for _ in range(AT_ONCE))
            except ApiError as error:
                if error.status != FORBIDDEN or not self._may_lack(source):
                    raise
                self.of -= len(held)
                self.windows.clear()
                self.outcome.left_out[source] = error
                self.tell(Event("left_out", source, reason=str(error)))
        self.outcome.failed = dict(sorted(self.outcome.failed.items()))
        return self.outcome

    def _may_lack(self, source: Source) -> bool:
        """Whether a sync without *source* is of use. Without posted figures it never is."""
        return source is Source.STATUS or (source is Source.DETAILS and self.wish.sources is None)

    async def _work(self) -> None:
        while self.windows:
            window = self.windows.popleft()
            try:
                await self._settle(window)
            except (ApiError, UnexpectedAnswer, Unreachable) as error:
                if isinstance(error, ApiError) and error.status in (UNAUTHORIZED, FORBIDDEN):
                    raise
                self.outcome.failed[window] = error
                self._say("failed", window, reason=str(error))
                if isinstance(error, Unreachable):  # nor will the others be reached
                    self.outcome.failed |= dict.fromkeys(self.windows, error)
                    self.windows.clear()

    async def _settle(self, window: Window) -> None:
        read_at = self.clock()
        self._say("asked", window)
        with TemporaryDirectory(prefix="halfhour-") as folder:
            tables = await self._tables(window, Path(folder))
            self._say("answered", window)
            async with self.writing:
                settled = await asyncio.to_thread(self.store.settle, *window, tables, read_at)
        self.outcome.settled += 1
        self.outcome.rows += settled.rows
        self.outcome.changed += settled.changed
        self._say("settled", window, rows=settled.rows, changed=settled.changed)

    async def _tables(self, window: Window, folder: Path) -> Mapping[str, pa.Table | Path]:
        """What is to be settled, as rows or as files in *folder*."""
        interval = window.interval
        match window.source:
            case Source.POSTED:
                query = PostedQuery(interval, self.granularity)
                return {"posted": await fetch.posted(self.client, query)}
            case Source.STATUS:
                around = Interval(interval.start - AROUND, interval.end + AROUND)
                agents = self.store.agents(around)
                found = await fetch.status(self.client, interval, self.granularity, agents)
                return {"status": found}
            case Source.DETAILS:
                self.lake = self.lake or await details.available(self.client)
                with details.Files(folder) as files:
                    await details.gather(self.client, interval, self.lake, files)
                self.outcome.oddities += files.oddities
                return files.tables

    def _say(self, kind: str, window: Window, **more: Any) -> None:
        done = self.outcome.settled + len(self.outcome.failed)
        self.tell(Event(kind, *window, done=done, of=self.of, left=self.client.left, **more))


async def _names(client: Client, store: Store, now: datetime, tell: Tell) -> None:
    """Hold the names of all who are held. Without them ids show, so a failure is only told."""
    before = now - NAMES_FOR
    try:
        if agents := store.unnamed("agent", before):
            store.name("agent", shaping.named(agents, await fetch.named(client, agents)), now)
        if queues := store.unnamed("queue", before):
            known = [each async for each in client.pages(QUEUES)]
            store.name("queue", shaping.named(queues, known), now)
    except (ApiError, UnexpectedAnswer, Unreachable) as error:
        tell(Event("unnamed", reason=str(error)))


@asynccontextmanager
async def alone(store: Store, tell: Tell, *, wait: bool = True) -> AsyncIterator[None]:
    """Hold the lock that one writer of a store has.

    While another one has it this waits, or raises StoreBusy if it is not to.
    """
    if not store.path.parent.is_dir():
        raise StoreError(f"{store.path}: there is no such folder")
    lock = FileLock(f"{store.path}.lock", is_singleton=False)
    told = False
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            busy = f"another sync of {store.path} is under way"
            if not wait:
                raise StoreBusy(busy) from None
            if not told:
                tell(Event("waiting", reason=busy))
            told = True
            await asyncio.sleep(POLL)
        except OSError as error:
            raise StoreError(f"{store.path}: cannot be written ({error.strerror})") from error
    try:
        yield
    finally:
        lock.release()
