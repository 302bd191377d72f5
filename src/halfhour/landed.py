"""Conversation details that have landed as files, read into a store as if they had been fetched.

A file is what a details job or query answers, page by page (``{"conversations":
[...]}``), a list of conversations, or one conversation or page a line; gzipped or not.
"""

import asyncio
import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import msgspec

from halfhour import wire
from halfhour.details import Files
from halfhour.errors import ConfigError
from halfhour.intervals import Interval, floored, utc
from halfhour.outcomes import Event, Outcome, Tell
from halfhour.segments import read
from halfhour.store import Store
from halfhour.turns import alone
from halfhour.vocabulary import Source
from halfhour.windows import DAY
from halfhour.wishes import Wish, ready

AT_ONCE = 1000
"""Lines that are read in one step."""
_GZIP = b"\x1f\x8b"

Records = list[msgspec.Raw]


async def land(
    store: Store,
    paths: Sequence[Path],
    interval: Interval | None,
    clock: Callable[[], datetime],
    tell: Tell,
) -> Outcome:
    """Hold what the files at *paths* say of the days (UTC) of *interval*, and nothing else of them.

    Without *interval* those are the days in which their conversations began.
    What was still going on lasts until the file was written, and a day that
    was not over then is held as far as it was. Raises ConfigError for what is
    no file of conversation details, before anything is changed; StoreError.
    """
    if interval and any(floored(each, DAY) != each for each in (interval.start, interval.end)):
        raise ConfigError("--from, --to: files settle whole days (UTC); write dates")
    days = interval or _begun(paths)
    written = min(map(_written, paths))
    outcome = Outcome()
    with TemporaryDirectory(prefix="halfhour-") as folder:
        with Files(Path(folder)) as files:
            for path in paths:
                for records in _batches(path):
                    files.add(read(records, days, min(days.end, written)))
                    await asyncio.sleep(0)  # where an interrupt comes through
        outcome.oddities += files.oddities
        async with alone(store, tell):
            when = ready(store, Wish(), clock())
            over = floored(written, when.granularity)
            held = [
                Interval(day.start, min(day.end, over))
                for day in days.windows(DAY)
                if day.start < over
            ]
            tell(Event("planned", of=len(held)))
            for done, window in enumerate(held, 1):
                settled = store.settle(Source.DETAILS, window, files.tables, written)
                outcome.settled += 1
                outcome.rows += settled.rows
                tell(
                    Event("settled", Source.DETAILS, window, settled.rows, done=done, of=len(held))
                )
                await asyncio.sleep(0)
    outcome.tell_oddities(tell)
    return outcome


def _written(path: Path) -> datetime:
    with _reading(path):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Raises ConfigError where *path* cannot be read."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be read ({reason}); nothing was imported") from error


class _Began(wire.Wire):
    conversation_start: str


def _begun(paths: Sequence[Path]) -> Interval:
    """The days in which conversations began. Raises ConfigError."""
    starts = set()
    for path in paths:
        for records in _batches(path):
            for record in records:
                try:
                    began = msgspec.json.decode(record, type=_Began).conversation_start
                    starts.add(floored(utc(datetime.fromisoformat(began)), DAY))
                except (msgspec.DecodeError, ValueError):
                    continue  # reading it will say what is wrong with it
    if not starts:
        raise ConfigError(
            f"{', '.join(map(str, paths))}: no conversation in it; say with --from and --to of "
            "which days this is all there was"
        )
    return Interval(min(starts), max(starts) + DAY)


ABSENT = msgspec.Raw()


class _Landed(wire.Wire):
    """A JSON object of a file: a page of conversations, or one."""

    conversations: Records | None = None
    conversation_id: msgspec.Raw = ABSENT
    results: msgspec.Raw = ABSENT


def _batches(path: Path) -> Iterator[Records]:
    """The conversations of a file, some at a time. Raises ConfigError."""
    with _reading(path), _opened(path) as file:
        first = file.readline()
        if not _complete(first):  # one object over many lines
            yield _conversations(path, 1, first + file.read())
            return
        yield _conversations(path, 1, first)
        done = 1
        while lines := list(islice(file, AT_ONCE)):
            yield [
                record
                for number, line in enumerate(lines, done + 1)
                if not line.isspace()
                for record in _conversations(path, number, line)
            ]
            done += len(lines)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        if not packed:
            yield file
            return
        with gzip.open(file) as unpacked:
            yield unpacked  # type: ignore[misc]


def _complete(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True


def _conversations(path: Path, line: int, text: bytes) -> Records:
    """Those of a page, of a list, or the one. Raises ConfigError."""
    try:
        found = msgspec.json.decode(text, type=_Landed | Records)
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{path}, line {line}: cut off, or no JSON ({error}); nothing was imported"
        ) from error
    if isinstance(found, list):
        return found
    if found.conversations is not None:
        return found.conversations
    if bytes(found.conversation_id):
        return [msgspec.Raw(text)]
    if bytes(found.results):
        raise ConfigError(
            f"{path}, line {line}: these are aggregates; conversation details are wanted, as a "
            "details job or query answers them. Nothing was imported"
        )
    raise ConfigError(
        f"{path}, line {line}: neither a page of conversation details, which has 'conversations', "
        "nor one, which has 'conversationId'; nothing was imported"
    )
