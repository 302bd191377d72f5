"""Detail records as they come: the conversation, or what is wrong with it."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import pyarrow as pa

from halfhour import wire
from halfhour.columns import texts
from halfhour.tables import MOMENT

_DECODER = msgspec.json.Decoder(wire.Conversation)
_TIMES = (".conversationEnd", ".segmentStart", ".segmentEnd", ".emitDate")


class Oddity(NamedTuple):
    """Something about a conversation that is not as it should be; *kind* says what."""

    kind: str
    conversation_id: str
    detail: str = ""


UNREADABLE = "conversations left out, as they cannot be read"
NAMELESS = "?"
"""Instead of the id of a conversation that cannot be told."""


def decoded(record: msgspec.Raw) -> wire.Conversation | Oddity:
    """The conversation, or what is wrong with it, by its id as far as that can be told."""
    try:
        return _DECODER.decode(record)
    except msgspec.DecodeError as error:
        try:
            found = msgspec.json.decode(record)
        except msgspec.DecodeError:
            found = None
        name = found.get("conversationId") if isinstance(found, dict) else None
        return Oddity(UNREADABLE, name if isinstance(name, str) else NAMELESS, str(error))


def milliseconds(moments: Iterable[str | None]) -> pa.Array:
    """Milliseconds since 1970. Raises ArrowInvalid for what is no moment."""
    return texts(list(moments)).cast(MOMENT).cast(pa.int64())


def untimely(value: object, path: str) -> str | None:
    """Where the first time that cannot be read is, under *path*."""
    steps: Iterable[tuple[str, object]] = (
        [(f"{path}.{name}", each) for name, each in value.items()]
        if isinstance(value, dict)
        else [(f"{path}[{at}]", each) for at, each in enumerate(value)]
        if isinstance(value, list | tuple)
        else []
    )
    for where, each in steps:
        if where.endswith(_TIMES) and isinstance(each, str):
            try:
                milliseconds([each])
            except pa.ArrowInvalid:
                return f"{where}: {each!r} is not a valid time"
        elif found := untimely(each, where):
            return found
    return None
