"""Check one detail record at a time, to find what is wrong with it."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from halfhour.genesys import payloads
from halfhour.model.tables import TIMESTAMP

_DECODER = msgspec.json.Decoder(payloads.Conversation)
UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The errors of msgspec about a text that is not JSON, or is not of the type that is asked for."""
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


class MalformedRecord(NamedTuple):
    """A record that is no conversation; *conversation_id* is None if that cannot be read either."""

    conversation_id: str | None
    reason: str


def check_record(record: msgspec.Raw) -> bytes | MalformedRecord:
    """Return the conversation of *record* as JSON, or what is wrong with it.

    Its times are not checked. A value that is no number becomes null, as it does not make the
    whole conversation unreadable.
    """
    try:
        conversation = _DECODER.decode(record)
    except UNDECODABLE as error:
        return MalformedRecord(conversation_id(record), str(error))
    if not isinstance(conversation.conversation_start, str):
        conversation.conversation_start = None
    for participant in conversation.participants:
        for session in participant.sessions or ():
            for metric in session.metrics or ():
                metric.value = _number_or_none(metric.value)
    return msgspec.json.encode(conversation)


class _Identified(payloads.Payload):
    conversation_id: str


_ID_DECODER = msgspec.json.Decoder(_Identified)


def conversation_id(record: msgspec.Raw) -> str | None:
    """Return the id of the conversation in *record*; None if it cannot be read."""
    try:
        return _ID_DECODER.decode(record).conversation_id
    except UNDECODABLE:
        return None


def _number_or_none(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) and value is not True else None
    except OverflowError:
        return None


def decode_leniently(record: bytes | msgspec.Raw) -> Any:
    """Return *record* as plain Python values; None if it is not JSON."""
    try:
        return msgspec.json.decode(record)
    except UNDECODABLE:
        return None


def epoch_ms_column(texts: pa.Array | Iterable[str | None]) -> pa.Array:
    """Return ISO 8601 times as milliseconds since 1970.

    A time has ``Z`` or an offset and up to nine digits of a second; digits after the millisecond
    are dropped. Raises ArrowInvalid for any other text and for a time outside the years 2000 to
    2099.
    """
    column = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
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


def epoch_ms_or_none(text: str | None) -> int | None:
    """Return the time of *text* in milliseconds since 1970; None if it cannot be read."""
    try:
        (time_ms,) = epoch_ms_column([text]).to_pylist()
    except pa.ArrowInvalid:
        return None
    return None if time_ms is None else int(time_ms)


def find_invalid_time(record: bytes | msgspec.Raw) -> str | None:
    """Return the path and the text of the first invalid time in *record*; None if all are valid."""
    for path, text in _time_texts(decode_leniently(record), "$"):
        if epoch_ms_or_none(text) is None:
            return f"{path}: {text!r} is not a valid time"
    return None


def record_time_span(record: msgspec.Raw) -> dict[str, int]:
    """Return the first and the last valid time in *record* in ms since 1970; empty without any."""
    times = [epoch_ms_or_none(text) for _, text in _time_texts(decode_leniently(record), "$")]
    valid_times = [time_ms for time_ms in times if time_ms is not None]
    return {"started_ms": min(valid_times), "ended_ms": max(valid_times)} if valid_times else {}


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
