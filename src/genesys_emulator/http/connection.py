"""The connection to a client, down to where a fault can break it."""

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.types import Receive, Send

BREAKS_OFF = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
"""SO_LINGER with no time to linger, so that closing the connection resets it."""

LONGEST_FLUSH = 5.0
LARGEST_PART = 2**20
"""Most bytes of a body that are handed to the server at a time."""


@dataclass(slots=True)
class Answer:
    """An answer before a fault changes it: status, headers and body."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Connection:
    """The connection to a client.

    *on_status* is called with the status as soon as it is sent; *stopping* is
    set when the server stops.
    """

    receive: Receive
    send: Send
    stopping: asyncio.Event
    on_status: Callable[[int], None]

    async def send_answer(self, answer: Answer) -> None:
        """Send *answer* in parts, as the server copies what waits to be sent."""
        await self.send_start(answer)
        size = len(answer.body)
        for at in range(0, max(size, 1), LARGEST_PART):
            end = at + LARGEST_PART
            await self.send_part(answer.body[at:end], more=end < size)

    async def send_start(self, answer: Answer) -> None:
        """Send status and headers of *answer*, with the length of its body, and no body."""
        headers: Mapping[str, str] = {**answer.headers, "content-length": str(len(answer.body))}
        encoded = [(name.lower().encode(), text.encode()) for name, text in headers.items()]
        self.on_status(answer.status)
        await self.send(
            {"type": "http.response.start", "status": answer.status, "headers": encoded}
        )

    async def send_part(self, body: bytes, *, more: bool) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def wait_idle(self, seconds: float) -> bool:
        """Wait for *seconds*; return False at once if the client leaves or the server stops."""
        ends = {
            asyncio.ensure_future(self._client_left()),
            asyncio.ensure_future(self.stopping.wait()),
        }
        done, pending = await asyncio.wait(
            ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for task in pending:
            task.cancel()
        return not done

    async def reset_connection(self) -> None:
        """Break the connection off, by a reset where the system has one."""
        transport = self._uvicorn_transport()
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, BREAKS_OFF)
        transport.abort()
        await self._client_left()

    async def close_early(self) -> None:
        """Send what is buffered and close, even if more was announced."""
        self._uvicorn_transport().close()
        await self.wait_idle(LONGEST_FLUSH)

    async def _client_left(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def _uvicorn_transport(self) -> asyncio.Transport:
        """Return the transport behind *send*: ASGI itself cannot break a connection."""
        transport = getattr(getattr(self.send, "__self__", None), "transport", None)
        if not isinstance(transport, asyncio.Transport):
            raise ConnectionAbortedError("the emulator breaks this connection off")
        return transport
