"""A hostile server that sends secrets and terminal escape sequences back to the client."""

import json
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

SECRET = "s3cr3t/with+signs&of=the~client"
TOKEN = "t0ken-of/the+organisation"
DRAWN = "\x1b[2K\x1b]0;title\x07\nhalfhour: all went well\r\u202e"
LOGIN = "/oauth/token"

Answer = tuple[int, str, dict[str, str], object]
"""Status, reason, headers and body, which is JSON unless it is text."""


class Echo:
    """The secrets of a request, in every encoding in which a server may send them back."""

    def __init__(self, authorization: str) -> None:
        self.authorization = authorization
        kind, _, value = authorization.partition(" ")
        self.secret = b64decode(value).decode().partition(":")[2] if kind == "Basic" else SECRET
        value = f"{authorization} {self.secret}"
        self.text = f"{value} {quote(value, safe='')} {quote(value)} {DRAWN}"

    @property
    def line(self) -> str:
        """The part of the text that is valid in a header."""
        return self.text.partition("\x1b")[0]


@contextmanager
def echoing(answer: Callable[[str, Echo], Answer]) -> Iterator[str]:
    """Run a server that answers each path with *answer*, and give its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            echo = Echo(self.headers.get("Authorization", ""))
            status, reason, headers, content = answer(self.path, echo)
            body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status, reason)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):  # the client stops reading an answer that is too long
                self.wfile.write(body)

        do_GET = do_DELETE = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def let_in(path: str) -> Answer | None:
    """Return the answer with a token, if *path* asks for one."""
    if path == LOGIN:
        return 200, "OK", {}, {"access_token": TOKEN, "expires_in": 86400}
    return None


def assert_nothing_leaks(text: str) -> None:
    """Assert that *text* masks all secrets and has no control characters of a terminal."""
    authorization = ("Basic bXktY2xpZW50", "bXktY2xpZW50OnMzY3Iz")
    for part in (
        TOKEN,
        quote(TOKEN, safe=""),
        SECRET,
        SECRET[:8],
        quote(SECRET),
        quote(SECRET, safe=""),
        *authorization,
    ):
        assert part not in text
    assert "***" in text
    assert not {"\x1b", "\x07", "\r", "\u202e"} & {*text}
    assert "\nhalfhour: all went well" not in text
