"""A server between halfhour and the emulator that changes answers, or gives its own.

It is for faults that the emulator does not simulate.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2

from tests.processes import Cloud


@dataclass(frozen=True)
class Answer:
    """An answer. A body of bytes is sent with its length, any other one in chunks without it."""

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        assert isinstance(self.body, bytes)
        return json.loads(self.body)

    def changed(self, change: Callable[[Any], object]) -> "Answer":
        """Return the answer with changed JSON: *change* changes it in place or returns another."""
        content = self.json
        replacement = change(content)
        changed_content = content if replacement is None else replacement
        return replace(self, body=json.dumps(changed_content).encode())


@dataclass(frozen=True)
class Asked:
    """A request. It reaches the emulator when its *honest* answer is first used."""

    method: str
    path: str
    body: bytes
    ask: Callable[[], Answer]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @cached_property
    def honest(self) -> Answer:
        return self.ask()


Spoil = Callable[[Asked], Answer | None]
"""Returns the answer to give, or None for the honest one."""
FORWARDED_HEADERS = (
    "content-type",
    "inin-ratelimit-count",
    "inin-ratelimit-allowed",
    "inin-ratelimit-reset",
)


@contextmanager
def spoiled(cloud: Cloud, spoil: Spoil) -> Iterator[Cloud]:
    """Give *cloud* behind a server that passes each request to *spoil*."""
    with httpx2.Client(base_url=cloud.url) as emulator:

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or each answer takes 40 ms

            def handle_one_request(self) -> None:
                self.close_connection = True  # which ends an answer without a length
                with suppress(ConnectionError):  # the client may close early
                    super().handle_one_request()

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))

                def ask() -> Answer:
                    names = ("Authorization", "Content-Type")
                    headers = {name: self.headers[name] for name in names if name in self.headers}
                    response = emulator.request(
                        self.command, self.path, content=body, headers=headers
                    )
                    forwarded = {
                        name: value
                        for name, value in response.headers.items()
                        if name in FORWARDED_HEADERS
                    }
                    return Answer(response.content, response.status_code, forwarded)

                request = Asked(self.command, self.path.partition("?")[0], body, ask)
                answer = spoil(request) or request.honest
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if isinstance(answer.body, bytes):
                    self.send_header("Content-Length", str(len(answer.body)))
                    self.close_connection = False
                self.end_headers()
                for chunk in [answer.body] if isinstance(answer.body, bytes) else answer.body:
                    self.wfile.write(chunk)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Cloud(f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def at(ending: str, answer: Answer | Callable[[Answer], Answer], text: str = "") -> Spoil:
    """Return a `Spoil` for paths with this *ending*, if the request contains *text*."""

    def spoil(asked: Asked) -> Answer | None:
        if not asked.path.endswith(ending) or text.encode() not in asked.body:
            return None
        return answer if isinstance(answer, Answer) else answer(asked.honest)

    return spoil
