"""Turns at a store: one sync at a time, and steps that wait until nobody else has it open."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from filelock import FileLock, Timeout

from halfhour.errors import StoreBusy, StoreError
from halfhour.store.database import BUSY_TIMEOUT
from halfhour.store.store import Store

POLL_SECONDS = 0.1
"""Seconds between looks at whether somebody else is done."""

T = TypeVar("T")


async def retry_while_busy(work: Callable[[], T]) -> T:
    """What *work* on a store that does not wait returns, as soon as nobody else has it open.

    Raises StoreBusy if that takes longer than `database.WAIT`. It may be ended at any moment.
    """
    now = asyncio.get_running_loop().time
    until = now() + BUSY_TIMEOUT
    while True:
        try:
            return await asyncio.to_thread(work)
        except StoreBusy:
            if now() >= until:
                raise
        await asyncio.sleep(POLL_SECONDS)


@contextmanager
def spool_directory(store: Store) -> Iterator[Path]:
    """A folder beside *store* for what is not settled yet. Raises StoreError where it is full."""
    around = _sibling_path(store, "parts")
    try:
        around.mkdir(exist_ok=True)
        with TemporaryDirectory(dir=around) as folder:
            yield Path(folder)
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(
            f"{around}: cannot be written ({reason}); what was settled before is as it was"
        ) from error


def _sibling_path(store: Store, ending: str) -> Path:
    """So that a store has one by whatever name it is opened."""
    return Path(f"{store.path.resolve()}.{ending}")


@asynccontextmanager
async def writer_lock(
    store: Store, on_wait: Callable[[str], None], *, wait: bool = True
) -> AsyncIterator[None]:
    """Hold the lock that the one writer of a store has.

    While another process has it, call *on_wait* once with the reason and wait; raise StoreBusy
    instead if *wait* is false. Raises StoreError where no lock can be made.
    """
    if not store.path.parent.is_dir():
        raise StoreError(f"{store.path}: there is no such folder")
    lock = FileLock(_sibling_path(store, "lock"), is_singleton=False)
    is_announced = False
    while not _try_acquire(lock):
        busy = f"another sync of {store.path} is under way"
        if not wait:
            raise StoreBusy(busy)
        if not is_announced:
            on_wait(busy)
        is_announced = True
        await asyncio.sleep(POLL_SECONDS)
    try:
        shutil.rmtree(_sibling_path(store, "parts"), ignore_errors=True)  # of one that was killed
        yield
    finally:
        shutil.rmtree(_sibling_path(store, "parts"), ignore_errors=True)
        lock.release()


def _try_acquire(lock: FileLock) -> bool:
    """Take *lock* unless another one has it. Raises StoreError where there can be no lock."""
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            Path(lock.lock_file).open("ab").close()  # it times out, too, where no file can be made
            return False
    except OSError as error:
        raise StoreError(
            f"{lock.lock_file}: cannot be locked ({error.strerror}), so nothing can be written to "
            "the store; name another with ⟨store⟩"
        ) from error
    return True
