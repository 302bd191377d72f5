"""Detail records as they come: the conversation, or what is wrong with it."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from halfhour.genesys import payloads
from halfhour.model.arrow_columns import string_column
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
"""The years 2000 to 2099, in ms since 1970: a time outside them was never meant."""


class DataIssue(NamedTuple):
    """A problem with a conversation; *kind* names it.

    If it *is_left_out*, figures lack it. *time_span* is then the first and the last time in its
    record, in ms since 1970; None if no time can be read.
    """

    kind: str
    conversation_id: str
    detail: str = ""
    is_left_out: bool = False
    time_span: tuple[int, int] | None = None


UNREADABLE_CONVERSATIONS = "conversations left out, as they cannot be read"
UNKNOWN_CONVERSATION_ID = "?"
"""The id of a conversation whose own id cannot be read."""


def decode_record(record: msgspec.Raw) -> payloads.Conversation | DataIssue:
    """Return the conversation, or what is wrong with it, by its id as far as that can be told."""
    try:
        return _DECODER.decode(record)
    except (msgspec.DecodeError, RecursionError) as error:
        fields = decode_leniently(record)
        name = fields.get("conversationId") if isinstance(fields, dict) else None
        shown_id = name if isinstance(name, str) else UNKNOWN_CONVERSATION_ID
        return DataIssue(UNREADABLE_CONVERSATIONS, shown_id, str(error), is_left_out=True)


def decode_leniently(record: msgspec.Raw) -> Any:
    """Return the plain values of *record*, whatever it is; None for what is no JSON."""
    try:
        return msgspec.json.decode(record)
    except (msgspec.DecodeError, RecursionError):
        return None


def epoch_ms_column(moments: Iterable[str | None]) -> pa.Array:
    """Return milliseconds since 1970 for ISO 8601 with ``Z`` or an offset and up to nine digits of
    a second, of which those past the millisecond are dropped.

    Raises ArrowInvalid for what is no such time, or not one of this century.
    """
    column = string_column(list(moments))
    try:
        times = column.cast(TIMESTAMP)
    except pa.ArrowInvalid:
        times = pc.replace_substring_regex(column, _FINE_FRACTION, r"\1\2").cast(TIMESTAMP)
    values = times.cast(pa.int64())
    extent = pc.min_max(values).as_py()
    if (
        extent["min"] is not None
        and not _EARLIEST_MS <= extent["min"] <= extent["max"] < _LATEST_MS
    ):
        raise pa.ArrowInvalid("a time outside of the years 2000 to 2099")
    return values


def find_invalid_time(value: object, path: str) -> str | None:
    """Return where the first time that cannot be read is, under *path*."""
    for where, text in _time_texts(value, path):
        try:
            epoch_ms_column([text])
        except pa.ArrowInvalid:
            return f"{where}: {text!r} is not a valid time"
    return None


def record_time_span(record: msgspec.Raw) -> tuple[int, int] | None:
    """Return the first and the last time that *record* names, in ms since 1970, of those that can
    be read; None if none can.
    """
    times = []
    for _, text in _time_texts(decode_leniently(record), "$"):
        try:
            times += epoch_ms_column([text]).to_pylist()
        except pa.ArrowInvalid:
            continue
    return (min(times), max(times)) if times else None


def _time_texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield the texts under *path* that should be times, and where they are."""
    steps: Iterable[tuple[str, object]] = (
        [(f"{path}.{name}", member) for name, member in value.items()]
        if isinstance(value, dict)
        else [(f"{path}[{at}]", member) for at, member in enumerate(value)]
        if isinstance(value, list | tuple)
        else []
    )
    for where, member in steps:
        if where.endswith(_TIME_FIELDS) and isinstance(member, str):
            yield where, member
        else:
            yield from _time_texts(member, where)
