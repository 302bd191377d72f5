"""Files of conversation details, as pages of them; a line is read at a time.

A file is what a details job or query answers, page by page (``{"conversations":
[...]}``), a list of conversations, or one conversation or page a line; gzipped or not.
One object over many lines is read whole.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import msgspec

from halfhour import wire
from halfhour.errors import ConfigError

AT_ONCE = 500
"""Conversations that a page has at most here; a job has as many on each."""
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_ABSENT = msgspec.Raw()

Records = list[msgspec.Raw]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Page(wire.Wire):
    """Some conversations. A job has more pages after one with a *cursor*, and knows of nothing
    after its *data_availability_date*.
    """

    conversations: Records | None = None
    cursor: str | None = None
    data_availability_date: Moment | None = None
    conversation_id: msgspec.Raw = _ABSENT
    results: msgspec.Raw = _ABSENT


def pages(path: Path) -> Iterator[Page]:
    """What the file at *path* has; large pages come in several. Raises ConfigError."""
    with _reading(path), _opened(path) as file:
        first = file.readline().removeprefix(_BOM)
        if not _complete(first):  # one object over many lines
            first += file.read()
        yield from _cut(_page(path, 1, first))
        for number, line in enumerate(file, 2):
            if not line.isspace():
                yield from _cut(_page(path, number, line))


def written(path: Path) -> datetime:
    """When the file at *path* was last changed. Raises ConfigError."""
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


def _cut(page: Page) -> Iterator[Page]:
    records = page.conversations or []
    for at in range(0, len(records) or 1, AT_ONCE):
        yield msgspec.structs.replace(page, conversations=records[at : at + AT_ONCE])


def _page(path: Path, line: int, text: bytes) -> Page:
    """A page, a list, or one conversation. Raises ConfigError."""
    try:
        found = msgspec.json.decode(text, type=Page | Records)
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{path}, line {line}: cut off, or no JSON ({error}); nothing was imported"
        ) from error
    if isinstance(found, list):
        return Page(found)
    if found.conversations is not None or found.data_availability_date:
        return found
    if bytes(found.conversation_id):
        return Page([msgspec.Raw(text)])
    if bytes(found.results):
        raise ConfigError(
            f"{path}, line {line}: these are aggregates; conversation details are wanted, as a "
            "details job or query answers them. Nothing was imported"
        )
    raise ConfigError(
        f"{path}, line {line}: neither a page of conversation details, which has 'conversations', "
        "nor one, which has 'conversationId'; nothing was imported"
    )
