"""An answer on its way out, whole or as a fault has it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.types import Receive, Send

from genesys_emulator.faults import Fault

_PROXY_PAGE = b"<!doctype html><title>Sign in</title><h1>Please sign in to use the internet</h1>"
_JSON = "application/json"


@dataclass(slots=True)
class Answer:
    """*content* is what becomes JSON."""

    status: int
    content: Any
    headers: dict[str, str] = field(default_factory=dict)


async def send(answer: Answer, fault: Fault | None, receive: Receive, send: Send) -> None:
    """Send *answer*, or what *fault* makes of it."""
    body = msgspec.json.encode(answer.content)
    match fault.kind if fault else "":
        case "reset":
            _break(send, abruptly=True)
        case "hang":
            assert fault
            if not await _left(receive, fault.seconds):
                _break(send, abruptly=True)
        case "slow":
            assert fault
            await _drip(answer, body, fault.seconds, receive, send)
        case "truncate":
            await _start(answer, len(body), _JSON, send)
            await send(_part(body[: len(body) // 2], more=True))
            _break(send, abruptly=False)
        case "cut":
            await _whole(answer, body[: len(body) // 2], _JSON, send)
        case "html":
            await _whole(Answer(200, None), _PROXY_PAGE, "text/html", send)
        case "wrong_type":
            await _whole(answer, body, "text/plain", send)
        case _:
            await _whole(answer, body, _JSON, send)


async def _whole(answer: Answer, body: bytes, kind: str, send: Send) -> None:
    await _start(answer, len(body), kind, send)
    await send(_part(body, more=False))


async def _drip(
    answer: Answer, body: bytes, seconds: float, receive: Receive, send: Send, drops: int = 50
) -> None:
    await _start(answer, len(body), _JSON, send)
    size = -(-len(body) // drops)
    for at in range(0, len(body), size):
        await send(_part(body[at : at + size], more=True))
        if await _left(receive, seconds / drops):
            return
    await send(_part(b"", more=False))


async def _start(answer: Answer, length: int, kind: str, send: Send) -> None:
    headers = {**answer.headers, "Content-Type": kind, "Content-Length": str(length)}
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
    )


def _part(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def _left(receive: Receive, seconds: float) -> bool:
    """Wait, but no longer than the client does; whether it has left."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


def _break(send: Send, *, abruptly: bool) -> None:
    """End the connection below HTTP, for which ASGI has no word: by way of uvicorn's transport."""
    transport = send.__self__.transport  # type: ignore[attr-defined]
    if abruptly:
        transport.abort()
    else:
        transport.close()
