"""The server process: a listening socket, signals, and the message on stderr."""

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
"""Seconds that requests under way have when the server is told to stop."""


class AnnouncingServer(uvicorn.Server):
    """A server that prints its base URL on stdout as soon as it listens."""

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
        """Stop at a signal, except at an interrupt if the process was started to ignore it."""
        if sig != signal.SIGINT or not self._ignores_interrupts:
            super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._base_url, flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._emulator.stopping.set()
        await super().shutdown(sockets)


def open_socket(host: str, port: int) -> socket.socket:
    """Listen on this address, on any free port if *port* is 0. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns off Nagle's algorithm, which delays short answers by 40 ms, only if the
    # protocol is given as TCP.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # on Windows it would let two servers share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def run_server(emulator: Emulator, sock: socket.socket) -> int:
    """Serve until a signal arrives; return the exit code."""
    host, port = sock.getsockname()[:2]
    server = AnnouncingServer(
        emulator, f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    )

    def request_stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn raises a signal again after it has stopped, and a signal may arrive before uvicorn
    # has a handler: this handler takes both.
    signal.signal(signal.SIGTERM, request_stop)
    # The cached days are many objects without cycles, and so is all that is imported: searching
    # them takes a third of the time.
    gc.freeze()
    gc.set_threshold(200_000, 50, 1_000)
    try:
        server.run(sockets=[sock])
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0 if server.started else 1


def print_message(message: str) -> None:
    print(f"genesys_emulator: {message}", file=sys.stderr, flush=True)
