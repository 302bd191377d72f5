"""Files of conversation details, as pages of them; a line is read at a time.

A file is what a details job or query answers, page by page (``{"conversations":
[...]}``), a list of conversations or of pages, or one conversation or page a line; gzipped
or not. A page without conversations is the end of what a query answers. One object over
many lines is read whole.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import msgspec

from halfhour.errors import ConfigError
from halfhour.genesys import payloads
from halfhour.ingest.detail_records import decode_leniently

MAX_PAGE_CONVERSATIONS = 500
"""Conversations that a page has at most here; a job has as many on each."""
_GZIP_MAGIC = b"\x1f\x8b"
_UTF8_BOM = b"\xef\xbb\xbf"
_ABSENT_FIELD = msgspec.Raw()

RawRecords = list[msgspec.Raw]
AwareDatetime = Annotated[datetime, msgspec.Meta(tz=True)]
PAGE_KEYS = {"conversations", "totalHits", "aggregations", "cursor", "dataAvailabilityDate"}


class DetailFilePage(payloads.Payload):
    """Some conversations of a file.

    A job has more pages after one with a *cursor*, and no data after its *data_availability_date*.
    """

    conversations: RawRecords | None = None
    cursor: str | None = None
    data_availability_date: AwareDatetime | None = None
    conversation_id: msgspec.Raw = _ABSENT_FIELD
    results: msgspec.Raw = _ABSENT_FIELD

    @property
    def is_conversation(self) -> bool:
        """Tell whether this is one conversation and no page of them."""
        return self.conversations is None and bool(bytes(self.conversation_id))


def read_detail_pages(path: Path) -> Iterator[DetailFilePage]:
    """Yield the pages of the file at *path*, a large one in several. Raises ConfigError."""
    with _explain_read_errors(path), _open_unpacked(path) as file:
        first = file.readline().removeprefix(_UTF8_BOM)
        if not _is_complete_json(first):  # one object over many lines
            first += file.read()
        for page in _parse_line(path, 1, first):
            yield from _chunk_page(page)
        for number, line in enumerate(file, 2):
            if not line.isspace():
                for page in _parse_line(path, number, line):
                    yield from _chunk_page(page)


def modification_time(path: Path) -> datetime:
    """Return the time at which the file at *path* was last changed. Raises ConfigError."""
    with _explain_read_errors(path):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)


@contextmanager
def _explain_read_errors(path: Path) -> Iterator[None]:
    """Raises ConfigError where *path* cannot be read."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be read ({reason}); nothing was imported") from error


@contextmanager
def _open_unpacked(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP_MAGIC
        file.seek(0)
        if not packed:
            yield file
            return
        with gzip.open(file) as unpacked:
            yield unpacked  # type: ignore[misc]


def _is_complete_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _chunk_page(page: DetailFilePage) -> Iterator[DetailFilePage]:
    records = page.conversations or []
    for at in range(0, len(records) or 1, MAX_PAGE_CONVERSATIONS):
        yield msgspec.structs.replace(page, conversations=records[at : at + MAX_PAGE_CONVERSATIONS])


def _parse_line(path: Path, line: int, text: bytes) -> Iterator[DetailFilePage]:
    """Yield the pages of a page, a list of pages or of conversations, or a conversation.

    Raises ConfigError.
    """
    place = f"{path}, line {line}"
    try:
        content = msgspec.json.decode(text, type=DetailFilePage | RawRecords)
        members = content if isinstance(content, list) else [msgspec.Raw(text)]
        first = _decode_object(members[0]) if members else None
    except (msgspec.DecodeError, RecursionError) as error:
        raise ConfigError(
            f"{place}: cut off, or no JSON ({error}); nothing was imported"
        ) from error
    if isinstance(content, list) and (
        first is None or first.is_conversation or _is_snake_case(members[0])
    ):
        yield DetailFilePage(content)
        return
    for member in members:
        yield _parse_page(place, member)


def _decode_object(member: msgspec.Raw) -> DetailFilePage | None:
    """Return the page or conversation that *member* is; None if it is no object."""
    try:
        return msgspec.json.decode(member, type=DetailFilePage)
    except msgspec.ValidationError:
        return None


def _is_snake_case(member: msgspec.Raw) -> bool:
    """Tell whether *member* is a conversation whose names are not those of the API."""
    fields = decode_leniently(member)
    return isinstance(fields, dict) and "conversation_id" in fields


def _parse_page(place: str, member: msgspec.Raw) -> DetailFilePage:
    """Return the page that *member* is, or a page of the one conversation. Raises ConfigError."""
    page = _decode_object(member)
    if page and page.conversations is not None:
        return page
    if page and (page.is_conversation or _is_snake_case(member)):
        return DetailFilePage([member])
    if page and PAGE_KEYS.issuperset(msgspec.json.decode(member, type=dict[str, msgspec.Raw])):
        return page
    if page and bytes(page.results):
        raise ConfigError(
            f"{place}: these are aggregates; conversation details are wanted, as a "
            "details job or query answers them. Nothing was imported"
        )
    raise ConfigError(
        f"{place}: neither a page of conversation details, which has 'conversations', "
        "nor one, which has 'conversationId'; nothing was imported"
    )
