"""A socket, and the server that listens on it until it is told to stop."""

import gc
import os
import signal
import socket
import sys
from types import FrameType

import uvicorn

from genesys_emulator.http.app import Emulator

INTERRUPTED = 130
BACKLOG = 2048
GRACE = 1
"""Seconds for what is under way when the server is told to stop."""


class Announcing(uvicorn.Server):
    """Prints its base URL on stdout as soon as it can be asked."""

    def __init__(self, emulator: Emulator, base_url: str) -> None:
        super().__init__(
            uvicorn.Config(
                emulator,
                http="h11",
                ws="none",
                lifespan="off",
                log_level="error",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self._emulator = emulator
        self._base_url = base_url
        self._ignores_interrupts = signal.getsignal(signal.SIGINT) == signal.SIG_IGN

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at a signal, but for an interrupt that the process was started to ignore."""
        if sig != signal.SIGINT or not self._ignores_interrupts:
            super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._base_url, flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._emulator.stopping.set()
        await super().shutdown(sockets)


def listening(host: str, port: int) -> socket.socket:
    """A socket on this address, any free *port* for 0. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where TCP is named does asyncio turn off what makes a short answer take 40 ms.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers have one port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def run(emulator: Emulator, sock: socket.socket) -> int:
    """Serve until a signal comes; the exit code."""
    host, port = sock.getsockname()[:2]
    server = Announcing(
        emulator, f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    )

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn stops at a signal and then raises it again, which this is there for; and for
    # one that comes before uvicorn looks out for any.
    signal.signal(signal.SIGTERM, stop)
    # The days that are kept are millions of tuples: looking for cycles in them takes a third.
    gc.set_threshold(200_000, 50, 100)
    try:
        server.run(sockets=[sock])
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0 if server.started else 1


def say(message: str) -> None:
    print(f"genesys_emulator: {message}", file=sys.stderr, flush=True)
