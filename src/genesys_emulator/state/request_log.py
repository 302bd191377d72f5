"""The log of requests, for tests to look at: no header, no secret."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from genesys_emulator.wire import endpoints

KEPT = 10_000


@dataclass(slots=True)
class LogEntry:
    """A request; *status* is None until an answer begins."""

    time: datetime
    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    status: int | None = None


@dataclass(slots=True)
class RequestLog:
    """The latest requests, oldest first."""

    entries: deque[LogEntry] = field(default_factory=lambda: deque(maxlen=KEPT))

    def add_entry(
        self, time: datetime, method: str, path: str, *, query: bytes, body: bytes
    ) -> LogEntry:
        """Add a request, with a JSON *body* only, and of a login only the grant type."""
        parameters = parse_qs(query.decode("latin-1"), keep_blank_values=True)
        content = parse_json(body)
        if path == endpoints.TOKEN.path:
            kept = parameters.keys() & {"grant_type"}
            parameters, content = {name: parameters[name] for name in kept}, None
        self.entries.append(LogEntry(time, method, path, parameters, content))
        return self.entries[-1]

    def clear(self) -> None:
        self.entries.clear()


def parse_json(body: bytes) -> Any:
    """Parse *body*; return None if it is not JSON."""
    try:
        return msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
