"""Lock a store for its one writer, and wait while another process has its file open."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from filelock import FileLock, Timeout

from halfhour.errors import StoreBusy, StoreError
from halfhour.store.database import BUSY_TIMEOUT
from halfhour.store.store import Store

MAX_LOCK_WAIT = 600.0
"""Seconds to wait for another sync, so that syncs of a timer do not pile up behind a long one."""
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
    store: Store,
    on_wait: Callable[[str], None],
    *,
    wait: bool = True,
    max_wait: float = MAX_LOCK_WAIT,
) -> AsyncIterator[None]:
    """Hold the lock of the one writer of a store.

    While another process has it, call *on_wait* once with the reason and wait; raise StoreBusy
    after *max_wait* seconds, or at once if *wait* is false. Raises StoreError if the lock file
    cannot be created.
    """
    if not store.path.parent.is_dir():
        raise StoreError(f"{store.path}: there is no such folder")
    lock = FileLock(_sibling_path(store, "lock"), is_singleton=False)
    is_announced = False
    now = asyncio.get_running_loop().time
    deadline = now() + max_wait
    while not _try_acquire(lock):
        reason = f"another sync of {store.path} is running{_describe_holder(lock)}"
        if not wait:
            raise StoreBusy(reason)
        if now() >= deadline:
            raise StoreBusy(
                f"{reason}, and this one has waited {max_wait:g} s for it; run it again later, or "
                "end the other if it hangs"
            )
        if not is_announced:
            on_wait(reason)
        is_announced = True
        await asyncio.sleep(POLL_SECONDS)
    try:
        _record_holder(lock)
        shutil.rmtree(_sibling_path(store, "parts"), ignore_errors=True)  # of a killed sync
        yield
    finally:
        shutil.rmtree(_sibling_path(store, "parts"), ignore_errors=True)
        lock.release()


def find_running_sync(store: Store) -> str:
    """Return a sentence about the sync of *store* that runs at the moment; empty if none does."""
    path = _sibling_path(store, "lock")
    lock = FileLock(path, is_singleton=False)
    try:
        if not path.exists() or _try_acquire(lock):
            return ""
    except StoreError:  # no sync can run without a lock
        return ""
    finally:
        lock.release()
    return f"a sync is running{_describe_holder(lock)}"


def _record_holder(lock: FileLock) -> None:
    """Write the id of this process into the file of *lock*, for a waiting sync to name."""
    with suppress(OSError):
        Path(lock.lock_file).write_text(str(os.getpid()), encoding="ascii")


def _describe_holder(lock: FileLock) -> str:
    try:
        process_id = Path(lock.lock_file).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return f" (process {process_id})" if process_id.isdecimal() else ""


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
