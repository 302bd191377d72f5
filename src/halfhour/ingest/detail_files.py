"""Read files of conversation details, page by page.

A file has the answers of a details job or query (``{"conversations": [...]}``), a list of
conversations or of such pages, or one conversation or page per line; it may be gzipped. A page
without conversations is the end of a query. A file is read line by line, except for an object
that spans several lines. Folders stand for the files in them.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO, Annotated

import msgspec

from halfhour.errors import ConfigError, suggest_name
from halfhour.genesys import payloads
from halfhour.ingest.detail_records import UNDECODABLE, decode_leniently

MAX_PAGE_CONVERSATIONS = 500
"""The most conversations of a page; larger pages of a file are divided."""
_GZIP_MAGIC = b"\x1f\x8b"
_UTF8_BOM = b"\xef\xbb\xbf"
_OPEN_ENDINGS = (b"{", b"[", b",", b":")
_ABSENT_FIELD = msgspec.Raw()

RawRecords = list[msgspec.Raw]
FileName = Path | str
"""The path of a file, or the address of one that is not on this machine."""
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


def find_detail_files(inputs: Iterable[Path]) -> list[Path]:
    """Return the files of *inputs*, in their order; a folder has those in it and in its folders.

    The files of a folder are in the order of their paths. Files and folders whose names begin
    with a dot or an underscore, such as ``_SUCCESS``, are left out. A file counts once, where it
    comes first. Raises ConfigError for a folder without files.
    """
    files: dict[Path, None] = {}
    for path in inputs:
        if not path.is_dir():
            files[path] = None
            continue
        with _explain_read_errors(path):
            inner_files = sorted(
                file
                for file in path.rglob("*")
                if file.is_file()
                and not any(part.startswith((".", "_")) for part in file.relative_to(path).parts)
            )
        if not inner_files:
            raise ConfigError(f"{path}: there is no file in this folder; nothing was changed")
        files |= dict.fromkeys(inner_files)
    return list(files)


def read_detail_pages(path: Path, *, keep_broken_lines: bool = False) -> Iterator[DetailFilePage]:
    """Yield the pages of the file at *path*; divide large pages.

    With *keep_broken_lines*, a line that cannot be read becomes a page of one malformed record,
    unless it may have been a page. Otherwise, raises ConfigError.
    """
    with _explain_read_errors(path), path.open("rb") as file:
        yield from read_pages_of_stream(path, file, keep_broken_lines=keep_broken_lines)


def read_pages_of_stream(
    name: FileName, stream: IO[bytes], *, keep_broken_lines: bool = False
) -> Iterator[DetailFilePage]:
    """Yield the pages in *stream*, the content of the file *name*, as `read_detail_pages` does."""
    with _explain_read_errors(name), _unpack_stream(stream) as unpacked:
        for number, line in _read_lines(unpacked, may_be_broken=keep_broken_lines):
            for page in _parse_line(name, number, line, keep_broken=keep_broken_lines):
                yield from _chunk_page(page)


def _read_lines(file: IO[bytes], *, may_be_broken: bool) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, with their numbers; all are one if an object spans them.

    If a first line *may_be_broken*, it is a line of its own if a whole object follows it.
    """
    first_line, second_line = file.readline().removeprefix(_UTF8_BOM), b""
    if not _is_complete_json(first_line):
        second_line = file.readline()
        has_opened = first_line.isspace() or first_line.rstrip().endswith(_OPEN_ENDINGS)
        if has_opened or not (may_be_broken and _is_complete_json(second_line)):
            yield 1, first_line + second_line + file.read()
            return
    yield 1, first_line
    for number, line in enumerate(chain([second_line] if second_line else [], file), 2):
        if not line.isspace():
            yield number, line


def modification_time(path: Path) -> datetime:
    """Return the time at which the file at *path* was last changed. Raises ConfigError."""
    with _explain_read_errors(path):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)


@contextmanager
def _explain_read_errors(path: FileName) -> Iterator[None]:
    """Raise ConfigError if *path* cannot be read."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        is_missing = isinstance(error, FileNotFoundError) and isinstance(path, Path)
        siblings = _sibling_names(path) if is_missing else []
        hint = suggest_name(Path(path).name, siblings, "nothing was changed")
        raise ConfigError(f"{path}: cannot be read ({reason}){hint}") from error


def _sibling_names(path: FileName) -> list[str]:
    """Return the names of the files and folders beside *path*, as far as they can be listed."""
    try:
        return sorted(sibling.name for sibling in Path(path).parent.iterdir())
    except OSError:
        return []


@contextmanager
def _unpack_stream(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    is_gzipped = stream.read(2) == _GZIP_MAGIC
    stream.seek(0)
    if not is_gzipped:
        yield stream
        return
    with gzip.open(stream) as unpacked:
        yield unpacked  # type: ignore[misc]


def _is_complete_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except UNDECODABLE:
        return False
    return True


def _chunk_page(page: DetailFilePage) -> Iterator[DetailFilePage]:
    records = page.conversations or []
    for start in range(0, len(records) or 1, MAX_PAGE_CONVERSATIONS):
        chunk = records[start : start + MAX_PAGE_CONVERSATIONS]
        yield msgspec.structs.replace(page, conversations=chunk)


def _parse_line(
    path: FileName, line: int, text: bytes, *, keep_broken: bool
) -> Iterator[DetailFilePage]:
    """Yield the pages in *text*: a page, a conversation or a list of them.

    Raises ConfigError, unless *text* is to be kept although it is broken.
    """
    location = f"{path}, line {line}"
    try:
        pages = _decode_pages(location, text)
    except ConfigError:
        # The first line tells what is in a file, and a page may have had any number of records.
        line_text = text.strip()
        is_first = line == 1 and (b"\n" in line_text or _is_complete_json(text))
        may_be_page = b'"conversations"' in text or line_text[:1] in (b"[", b"")
        if not keep_broken or is_first or may_be_page:
            raise
        pages = [DetailFilePage([msgspec.Raw(text)])]
    yield from pages


def _decode_pages(location: str, text: bytes) -> list[DetailFilePage]:
    """Return the pages in *text*. Raises ConfigError."""
    try:
        content = msgspec.json.decode(text, type=DetailFilePage | RawRecords)
        members = content if isinstance(content, list) else [msgspec.Raw(text)]
        first = _decode_object(members[0]) if members else None
    except UNDECODABLE as error:
        raise ConfigError(
            f"{location}: cut off, or not JSON ({error}); nothing was changed - export the "
            "file again"
        ) from error
    if isinstance(content, list) and (
        first is None or first.is_conversation or is_snake_case(members[0])
    ):
        return [DetailFilePage(content)]
    return [_parse_page(location, member) for member in members]


def _decode_object(member: msgspec.Raw) -> DetailFilePage | None:
    """Return *member* as a page or a conversation; None if it is not a JSON object."""
    try:
        return msgspec.json.decode(member, type=DetailFilePage)
    except (msgspec.ValidationError, UnicodeDecodeError):
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
            f"{location}: these are aggregates, not conversation details; nothing was changed - "
            "export the answers of a conversation details job or query"
        )
    raise ConfigError(
        f"{location}: this is neither a page of conversation details, which has 'conversations', "
        "nor a conversation, which has 'conversationId'; nothing was changed - export the answers "
        "of a conversation details job or query"
    )
