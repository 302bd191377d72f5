"""The connection to a client, down to where a fault can break it."""

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.types import Receive, Send

BREAKS_OFF = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
"""SO_LINGER of no time: what closes the connection is a reset."""

LONGEST_FLUSH = 5.0


@dataclass(slots=True)
class Answer:
    """What is to be sent, before anything befalls it."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Line:
    """*announced* is told the status as soon as one is sent; *stopping* is set when all ends."""

    receive: Receive
    send: Send
    stopping: asyncio.Event
    announced: Callable[[int], None]

    async def whole(self, answer: Answer) -> None:
        await self.start(answer)
        await self.part(answer.body, more=False)

    async def start(self, answer: Answer) -> None:
        """Announce the whole of *answer*, its length too, and send none of its body."""
        headers: Mapping[str, str] = {**answer.headers, "content-length": str(len(answer.body))}
        encoded = [(name.lower().encode(), text.encode()) for name, text in headers.items()]
        self.announced(answer.status)
        await self.send(
            {"type": "http.response.start", "status": answer.status, "headers": encoded}
        )

    async def part(self, body: bytes, *, more: bool) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def idle(self, seconds: float) -> bool:
        """Do nothing for so long; False, and at once, if the client leaves or the server stops."""
        ends = {asyncio.ensure_future(self._gone()), asyncio.ensure_future(self.stopping.wait())}
        done, pending = await asyncio.wait(
            ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for task in pending:
            task.cancel()
        return not done

    async def reset(self) -> None:
        """Break the connection off, as a reset where the system has one."""
        transport = self._transport()
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, BREAKS_OFF)
        transport.abort()
        await self._gone()

    async def close(self) -> None:
        """Send what was given so far, and close, whatever was announced."""
        self._transport().close()
        await self.idle(LONGEST_FLUSH)

    async def _gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def _transport(self) -> asyncio.Transport:
        """uvicorn's, by way of who sends: ASGI itself has no word for a broken connection."""
        transport = getattr(getattr(self.send, "__self__", None), "transport", None)
        if not isinstance(transport, asyncio.Transport):
            raise ConnectionAbortedError("the emulator breaks this connection off")
        return transport
