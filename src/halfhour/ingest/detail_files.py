"""Read files of conversation details, page by page.

A file has the answers of a details job or query (``{"conversations": [...]}``), a list of
conversations or of such pages, or one conversation or page per line; it may be gzipped. A page
without conversations is the end of a query. A file is read line by line, except for an object
that spans several lines.
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
"""The most conversations of a page; larger pages of a file are divided."""
_GZIP_MAGIC = b"\x1f\x8b"
_UTF8_BOM = b"\xef\xbb\xbf"
_ABSENT_FIELD = msgspec.Raw()

RawRecords = list[msgspec.Raw]
AwareDatetime = Annotated[datetime, msgspec.Meta(tz=True)]
PAGE_KEYS = {"conversations", "totalHits", "aggregations", "cursor", "dataAvailabilityDate"}


class DetailFilePage(payloads.Payload):
    """A page of conversations.

    A job has more pages after one with a *cursor*, and no data after *data_availability_date*.
    """

    conversations: RawRecords | None = None
    cursor: str | None = None
    data_availability_date: AwareDatetime | None = None
    conversation_id: msgspec.Raw = _ABSENT_FIELD
    results: msgspec.Raw = _ABSENT_FIELD

    @property
    def is_conversation(self) -> bool:
        """Tell whether this is one conversation and not a page of them."""
        return self.conversations is None and bool(bytes(self.conversation_id))


def read_detail_pages(path: Path) -> Iterator[DetailFilePage]:
    """Yield the pages of the file at *path*; divide large pages. Raises ConfigError."""
    with _explain_read_errors(path), _open_unpacked(path) as file:
        first_line = file.readline().removeprefix(_UTF8_BOM)
        if not _is_complete_json(first_line):  # an object that spans several lines
            first_line += file.read()
        for page in _parse_line(path, 1, first_line):
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
    """Raise ConfigError if *path* cannot be read."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be read ({reason}); nothing was imported") from error


@contextmanager
def _open_unpacked(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        is_gzipped = file.read(2) == _GZIP_MAGIC
        file.seek(0)
        if not is_gzipped:
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
    for start in range(0, len(records) or 1, MAX_PAGE_CONVERSATIONS):
        chunk = records[start : start + MAX_PAGE_CONVERSATIONS]
        yield msgspec.structs.replace(page, conversations=chunk)


def _parse_line(path: Path, line: int, text: bytes) -> Iterator[DetailFilePage]:
    """Yield the pages in *text*: a page, a conversation or a list of them. Raises ConfigError."""
    location = f"{path}, line {line}"
    try:
        content = msgspec.json.decode(text, type=DetailFilePage | RawRecords)
        members = content if isinstance(content, list) else [msgspec.Raw(text)]
        first = _decode_object(members[0]) if members else None
    except (msgspec.DecodeError, RecursionError) as error:
        raise ConfigError(
            f"{location}: cut off, or not JSON ({error}); nothing was imported - export the "
            "file again"
        ) from error
    if isinstance(content, list) and (
        first is None or first.is_conversation or is_snake_case(members[0])
    ):
        yield DetailFilePage(content)
        return
    for member in members:
        yield _parse_page(location, member)


def _decode_object(member: msgspec.Raw) -> DetailFilePage | None:
    """Return *member* as a page or a conversation; None if it is not a JSON object."""
    try:
        return msgspec.json.decode(member, type=DetailFilePage)
    except msgspec.ValidationError:
        return None


def is_snake_case(member: msgspec.Raw) -> bool:
    """Tell whether *member* is a conversation with Python's names of fields, as the SDK writes."""
    fields = decode_leniently(member)
    return isinstance(fields, dict) and "conversation_id" in fields


def _parse_page(location: str, member: msgspec.Raw) -> DetailFilePage:
    """Return *member* as a page, which may have one conversation. Raises ConfigError."""
    page = _decode_object(member)
    if page and page.conversations is not None:
        return page
    if page and (page.is_conversation or is_snake_case(member)):
        return DetailFilePage([member])
    if page and PAGE_KEYS.issuperset(msgspec.json.decode(member, type=dict[str, msgspec.Raw])):
        return page
    if page and bytes(page.results):
        raise ConfigError(
            f"{location}: these are aggregates, not conversation details; nothing was imported - "
            "export the answers of a conversation details job or query"
        )
    raise ConfigError(
        f"{location}: this is neither a page of conversation details, which has 'conversations', "
        "nor a conversation, which has 'conversationId'; nothing was imported - export the answers "
        "of a conversation details job or query"
    )
