"""What was asked, for tests to look at: never a header, never a secret."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from genesys_emulator.wire import endpoints

KEPT = 10_000


@dataclass(slots=True)
class Entry:
    """*status* is None until an answer begins, and stays so where none does."""

    time: datetime
    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    status: int | None = None


@dataclass(slots=True)
class Journal:
    """The last requests, oldest first."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))

    def enter(self, time: datetime, method: str, path: str, *, query: bytes, body: bytes) -> Entry:
        """Note a request; of its *body* only what is JSON, of a login only the grant type."""
        words = parse_qs(query.decode("latin-1"), keep_blank_values=True)
        told = parsed(body)
        if path == endpoints.TOKEN.path:
            words, told = {name: words[name] for name in words.keys() & {"grant_type"}}, None
        self.entries.append(Entry(time, method, path, words, told))
        return self.entries[-1]

    def clear(self) -> None:
        self.entries.clear()


def parsed(body: bytes) -> Any:
    """*body* as JSON; None where it is none."""
    try:
        return msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
