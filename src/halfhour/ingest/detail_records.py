"""Decode detail records: each becomes a conversation or a data issue."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from halfhour.genesys import payloads
from halfhour.model.tables import TIMESTAMP

_DECODER = msgspec.json.Decoder(payloads.Conversation)
_TIME_FIELDS = (
    ".conversationStart",
    ".conversationEnd",
    ".segmentStart",
    ".segmentEnd",
    ".emitDate",
)
_FINE_FRACTION = r"(\.\d{3})\d{1,6}(Z|[+-]\d\d(?::?\d\d)?)$"
_EARLIEST_MS, _LATEST_MS = 946_684_800_000, 4_102_444_800_000
"""The years 2000 to 2099, in ms since 1970: a time outside them is a mistake."""


class DataIssue(NamedTuple):
    """A problem in the data of a conversation; *kind* tells which.

    If *is_left_out*, the figures lack the conversation or a part of it, and *time_span* is the
    first and the last time in its record, in ms since 1970; None if no time can be read.
    """

    kind: str
    conversation_id: str
    detail: str = ""
    is_left_out: bool = False
    time_span: tuple[int, int] | None = None


UNREADABLE_CONVERSATIONS = "conversations left out, as they cannot be read"
"""The kind of issue of a malformed conversation."""
UNKNOWN_CONVERSATION_ID = "?"
"""The id of a conversation whose own id cannot be read."""


def decode_record(record: msgspec.Raw) -> payloads.Conversation | DataIssue:
    """Return the conversation of *record*, or a data issue with its id if the id can be read."""
    try:
        return _DECODER.decode(record)
    except (msgspec.DecodeError, RecursionError) as error:
        fields = decode_leniently(record)
        value = fields.get("conversationId") if isinstance(fields, dict) else None
        conversation_id = value if isinstance(value, str) else UNKNOWN_CONVERSATION_ID
        return DataIssue(UNREADABLE_CONVERSATIONS, conversation_id, str(error), is_left_out=True)


def decode_leniently(record: msgspec.Raw) -> Any:
    """Return *record* as plain Python values; None if it is not JSON."""
    try:
        return msgspec.json.decode(record)
    except (msgspec.DecodeError, RecursionError):
        return None


def epoch_ms_column(texts: Iterable[str | None]) -> pa.Array:
    """Return ISO 8601 times as milliseconds since 1970.

    A time has ``Z`` or an offset and up to nine digits of a second; digits after the millisecond
    are dropped. Raises ArrowInvalid for any other text and for a time outside the years 2000 to
    2099.
    """
    column = pa.array(texts, pa.string())
    try:
        times = column.cast(TIMESTAMP)
    except pa.ArrowInvalid:
        times = pc.replace_substring_regex(column, _FINE_FRACTION, r"\1\2").cast(TIMESTAMP)
    times_ms = times.cast(pa.int64())
    extent = pc.min_max(times_ms).as_py()
    if (
        extent["min"] is not None
        and not _EARLIEST_MS <= extent["min"] <= extent["max"] < _LATEST_MS
    ):
        raise pa.ArrowInvalid("a time outside of the years 2000 to 2099")
    return times_ms


def find_invalid_time(value: object, path: str) -> str | None:
    """Return the path and the text of the first invalid time in *value*; None if all are valid.

    *path* is the path of *value* itself.
    """
    for text_path, text in _time_texts(value, path):
        try:
            epoch_ms_column([text])
        except pa.ArrowInvalid:
            return f"{text_path}: {text!r} is not a valid time"
    return None


def record_time_span(record: msgspec.Raw) -> tuple[int, int] | None:
    """Return the first and the last valid time in *record*, in ms since 1970; None without any."""
    times_ms = []
    for _, text in _time_texts(decode_leniently(record), "$"):
        try:
            times_ms += epoch_ms_column([text]).to_pylist()
        except pa.ArrowInvalid:
            continue
    return (min(times_ms), max(times_ms)) if times_ms else None


def _time_texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each time field in *value*, whose own path is *path*."""
    members: Iterable[tuple[str, object]] = (
        [(f"{path}.{name}", member) for name, member in value.items()]
        if isinstance(value, dict)
        else [(f"{path}[{index}]", member) for index, member in enumerate(value)]
        if isinstance(value, list | tuple)
        else []
    )
    for member_path, member in members:
        if member_path.endswith(_TIME_FIELDS) and isinstance(member, str):
            yield member_path, member
        else:
            yield from _time_texts(member, member_path)
