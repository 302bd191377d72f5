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
from typing import Any

from filelock import FileLock, Timeout

from halfhour import fetch
from halfhour.client import Client
from halfhour.endpoints import QUEUES
from halfhour.errors import (
    ApiError,
    ConfigError,
    HalfhourError,
    Incomplete,
    StoreError,
    UnexpectedAnswer,
    Unreachable,
)
from halfhour.intervals import HALF_HOUR, Interval
from halfhour.plan import PostedQuery
from halfhour.settings import Settings
from halfhour.store import Store
from halfhour.windows import REREAD, Calendar, Held

AT_ONCE = 4
"""Windows that are fetched at the same time, of which each may be many requests."""
NAMES_FOR = timedelta(days=1)
"""How long a name is good."""
FIRST = timedelta(days=31)
"""How far an empty store reaches back."""
POLL = 0.2
"""Seconds between looks at whether another sync is done."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a sync is to bring: days of *interval*, or since the first that is held.

    *granularity* and *reread* are None to be as the store has them.
    """

    interval: Interval | None = None
    granularity: timedelta | None = None
    reread: Sequence[timedelta] | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened: *kind* is waiting, planned, asked, answered, settled, failed, unnamed.

    *left* is how many requests the minute still allows, as far as is known.
    """

    kind: str
    window: Interval | None = None
    rows: int = 0
    changed: int = 0
    done: int = 0
    of: int = 0
    left: int | None = None
    reason: str = ""

    def as_json(self) -> dict[str, object]:
        """Without what says nothing."""
        told = {
            "event": self.kind,
            "window": str(self.window) if self.window else "",
            "rows": self.rows,
            "changed": self.changed,
            "done": self.done,
            "of": self.of,
            "requests_left": self.left,
            "reason": self.reason,
        }
        return {name: value for name, value in told.items() if value not in (None, "")}


Tell = Callable[[Event], None]


@dataclass(slots=True)
class Outcome:
    """What a sync did. *failed* are the windows that it could not get, and why."""

    settled: int = 0
    rows: int = 0
    changed: int = 0
    failed: dict[Interval, HalfhourError] = field(default_factory=dict)

    def check(self) -> None:
        """Raises Incomplete, or the one failure there was where nothing could be had."""
        if not self.failed:
            return
        errors = list(self.failed.values())
        if not self.settled and isinstance(errors[0], Unreachable):
            raise errors[0]
        listed = "".join(f"\n  {window}: {error}" for window, error in self.failed.items())
        raise Incomplete(
            f"{len(self.failed)} of {len(self.failed) + self.settled} windows are missing, the "
            f"others are kept; run it again to fetch them:{listed}"
        )


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


def due(store: Store, wish: Wish, calendar: Calendar) -> list[Held]:
    """The days that are to be read, oldest first."""
    settled = store.settled() if store.exists else []
    interval = wish.interval or Interval(
        settled[0].window.start if settled else calendar.now - FIRST, calendar.now
    )
    return [each for each in calendar.held(interval, settled) if each.due]


async def sync(settings: Settings, store: Store, wish: Wish, clock: Clock, tell: Tell) -> Outcome:
    """Read what is due, and settle each window as soon as it is there; one sync at a time.

    Raises ConfigError, StoreError, and what `Client.call` raises where there
    is no hope for any window, such as AuthError.
    """
    async with _alone(store, tell):
        when = calendar(store, wish, clock())
        store.create(_settings_of(when))
        days = due(store, wish, when)
        tell(Event("planned", of=len(days)))
        async with Client(settings) as client:
            outcome = await _Round(client, store, when.granularity, clock, tell).run(days)
            await _names(client, store, when.now, tell)
    return outcome


def _settings_of(when: Calendar) -> Mapping[str, str]:
    return {
        "granularity": str(when.granularity.seconds),
        "reread": " ".join(str(int(age.total_seconds())) for age in when.reread),
    }


@dataclass(slots=True)
class _Round:
    """The windows of one sync, several at a time, written one after the other."""

    client: Client
    store: Store
    granularity: timedelta
    clock: Clock
    tell: Tell
    outcome: Outcome = field(default_factory=Outcome)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    days: deque[Interval] = field(default_factory=deque)
    of: int = 0

    async def run(self, days: Sequence[Held]) -> Outcome:
        self.days.extend(each.day for each in days)
        self.of = len(days)
        await fetch.together(self._work() for _ in range(AT_ONCE))
        self.outcome.failed = dict(sorted(self.outcome.failed.items()))
        return self.outcome

    async def _work(self) -> None:
        while self.days:
            window = self.days.popleft()
            try:
                await self._settle(window)
            except (ApiError, UnexpectedAnswer, Unreachable) as error:
                if isinstance(error, ApiError) and error.status in (401, 403):
                    raise
                self.outcome.failed[window] = error
                self._say("failed", window, reason=str(error))
                if isinstance(error, Unreachable):  # nor will the others be reached
                    self.outcome.failed |= dict.fromkeys(self.days, error)
                    self.days.clear()

    async def _settle(self, window: Interval) -> None:
        read_at = self.clock()
        self._say("asked", window)
        posted = await fetch.posted(self.client, PostedQuery(window, self.granularity))
        self._say("answered", window, rows=posted.num_rows)
        async with self.writing:
            changed = await asyncio.to_thread(self.store.settle, window, posted, read_at)
        self.outcome.settled += 1
        self.outcome.rows += posted.num_rows
        self.outcome.changed += changed
        self._say("settled", window, rows=posted.num_rows, changed=changed)

    def _say(self, kind: str, window: Interval, **more: Any) -> None:
        done = self.outcome.settled + len(self.outcome.failed)
        self.tell(Event(kind, window, done=done, of=self.of, left=self.client.left, **more))


async def _names(client: Client, store: Store, now: datetime, tell: Tell) -> None:
    """Hold the names of all who are held. Without them ids show, so a failure is only told."""
    before = now - NAMES_FOR
    try:
        if agents := store.unnamed("agent", before):
            known = {each.id: each.name for each in await fetch.named(client, agents)}
            store.name("agent", dict.fromkeys(agents) | known, now)
        if queues := store.unnamed("queue", before):
            known = {each.id: each.name async for each in client.pages(QUEUES)}
            store.name("queue", dict.fromkeys(queues) | known, now)
    except (ApiError, UnexpectedAnswer, Unreachable) as error:
        tell(Event("unnamed", reason=str(error)))


@asynccontextmanager
async def _alone(store: Store, tell: Tell) -> AsyncIterator[None]:
    """Hold the lock that one sync of a store has; wait while another one has it."""
    if not store.path.parent.is_dir():
        raise StoreError(f"{store.path}: there is no such folder")
    lock = FileLock(f"{store.path}.lock", is_singleton=False)
    told = False
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            if not told:
                tell(Event("waiting", reason=f"another sync of {store.path} is under way"))
            told = True
            await asyncio.sleep(POLL)
        except OSError as error:
            raise StoreError(f"{store.path}: cannot be written ({error.strerror})") from error
    try:
        yield
    finally:
        lock.release()
