"""Servers on this machine that speak TLS in front of another one, or are its proxies."""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import trustme

Address: TypeAlias = tuple[str, int]
Handler: TypeAlias = Callable[[socket.socket], None]

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


class Authority:
    """An issuer of certificates that no system trusts."""

    def __init__(self, name: str = "Example Works") -> None:
        self._authority = trustme.CA(organization_name=name)

    def write_certificate(self, path: Path) -> Path:
        self._authority.cert_pem.write_to_path(path)
        return path

    def server_context(self, *names: str, expired: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        start, end = (LONG_AGO, LONG_AGO + timedelta(days=90)) if expired else (None, None)
        certificate = self._authority.issue_cert(*names, not_before=start, not_after=end)
        certificate.configure_cert(context)
        return context


@contextmanager
def serving(handle: Handler) -> Iterator[str]:
    """Serve each connection by *handle* in a thread; give the server's host and port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=_accept, args=(server, handle), daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        with suppress(OSError):  # a thread that waits for a connection would accept one more
            server.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket, handle: Handler) -> None:
    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError, ValueError):
            handle(connection)

    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()


@contextmanager
def tls_in_front_of(url: str, context: ssl.SSLContext) -> Iterator[str]:
    """Serve https with *context* in front of the plain http server at *url*."""
    target = (urlsplit(url).hostname or "", urlsplit(url).port or 0)

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            relay(secure, target)

    with serving(handle) as place:
        yield place


@contextmanager
def other_clock_in_front_of(url: str, date: str) -> Iterator[str]:
    """Serve the answers of the plain http server at *url* with *date* as their Date."""
    target = address_of(url.rpartition("/")[2])

    def change_date(data: bytes) -> bytes:
        return re.sub(rb"(?im)^(date: )[^\r]+", rb"\g<1>" + date.encode(), data)

    with serving(lambda connection: relay(connection, target, change_date)) as place:
        yield f"http://{place}"


@contextmanager
def http_proxy(
    target: str, *, refuse: str = "", asked: list[str], other_targets: Mapping[str, str] = {}
) -> Iterator[str]:
    """Serve a proxy that leads every CONNECT to *target*, or answers *refuse*, as 407.

    *other_targets* has the target of each host that is led elsewhere.
    """

    def handle(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096) or b"\r\n\r\n"
        place = head.split(b" ")[1].decode()
        asked.append(place)
        connection.sendall(f"HTTP/1.1 {refuse or '200 OK'}\r\n\r\n".encode())
        if not refuse:
            relay(connection, address_of(other_targets.get(place.partition(":")[0], target)))

    with serving(handle) as place:
        yield place


@contextmanager
def socks_proxy(target: str, asked: list[str]) -> Iterator[str]:
    """Serve a SOCKS5 proxy without a login that leads every connection to *target*."""

    def handle(connection: socket.socket) -> None:
        connection.recv(262)  # the offered ways to log in
        connection.sendall(b"\x05\x00")
        request = connection.recv(262)
        asked.append(request[5 : 5 + request[4]].decode())
        connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
        relay(connection, address_of(target))

    with serving(handle) as place:
        yield place


def address_of(place: str) -> Address:
    host, _, port = place.partition(":")
    return host, int(port)


def relay(client: socket.socket, target: Address, change: Callable[[bytes], bytes] = bytes) -> None:
    """Lead *client* to *target* until both have ended, with its answers as *change* makes them."""
    with socket.create_connection(target) as server:
        answers = threading.Thread(target=_pump, args=(server, client, change), daemon=True)
        answers.start()
        _pump(client, server)
        answers.join(10)


def _pump(
    source: socket.socket, sink: socket.socket, change: Callable[[bytes], bytes] = bytes
) -> None:
    with suppress(OSError, ValueError):
        while data := source.recv(65536):
            sink.sendall(change(data))
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
