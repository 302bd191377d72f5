"""Lock a store for its one writer, and wait while another process has its file open."""

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
"""Seconds between two attempts to lock or to open a store."""

T = TypeVar("T")


async def retry_while_busy(work: Callable[[], T]) -> T:
    """Call *work* in a thread, again while its store is busy, and return its result.

    The store of *work* must not wait itself (`busy_timeout=0`), so that a caller can cancel the
    wait. Raises StoreBusy after `database.BUSY_TIMEOUT` seconds.
    """
    now = asyncio.get_running_loop().time
    deadline = now() + BUSY_TIMEOUT
    while True:
        try:
            return await asyncio.to_thread(work)
        except StoreBusy:
            if now() >= deadline:
                raise
        await asyncio.sleep(POLL_SECONDS)


@contextmanager
def spool_directory(store: Store) -> Iterator[Path]:
    """Give a temporary folder beside *store* for data that is not settled yet.

    Raises StoreError if it cannot be written, such as on a full disk.
    """
    parent = _sibling_path(store, "parts")
    try:
        parent.mkdir(exist_ok=True)
        with TemporaryDirectory(dir=parent) as folder:
            yield Path(folder)
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(
            f"{parent}: cannot be written ({reason}); the stored data is unchanged"
        ) from error


def _sibling_path(store: Store, ending: str) -> Path:
    """Return the path beside the real file, so that links to a store share its lock."""
    return Path(f"{store.path.resolve()}.{ending}")


@asynccontextmanager
async def writer_lock(
    store: Store, on_wait: Callable[[str], None], *, wait: bool = True
) -> AsyncIterator[None]:
    """Hold the lock of the one writer of a store.

    While another process has it, call *on_wait* once with the reason and wait; raise StoreBusy
    instead if *wait* is false. Raises StoreError if the lock file cannot be created.
    """
    if not store.path.parent.is_dir():
        raise StoreError(f"{store.path}: there is no such folder")
    lock = FileLock(_sibling_path(store, "lock"), is_singleton=False)
    is_announced = False
    while not _try_acquire(lock):
        reason = f"another sync of {store.path} is running"
        if not wait:
            raise StoreBusy(reason)
        if not is_announced:
            on_wait(reason)
        is_announced = True
        await asyncio.sleep(POLL_SECONDS)
    try:
        shutil.rmtree(_sibling_path(store, "parts"), ignore_errors=True)  # of a killed sync
        yield
    finally:
        shutil.rmtree(_sibling_path(store, "parts"), ignore_errors=True)
        lock.release()


def _try_acquire(lock: FileLock) -> bool:
    """Return whether *lock* could be acquired.

    Raises StoreError if its file cannot be created.
    """
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            # A file that cannot be created looks like a timeout, too.
            Path(lock.lock_file).open("ab").close()
            return False
    except OSError as error:
        raise StoreError(
            f"{lock.lock_file}: cannot be locked ({error.strerror}), so nothing can be written to "
            "the store; name another with ⟨store⟩"
        ) from error
    return True
