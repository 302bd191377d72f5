"""The JSON of a request, and of a response."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.wire import errors

Handler = Callable[[Request], Awaitable[Response]]


async def json_of(request: Request) -> Any:
    """What the body says. Raises RefusalError if that is no JSON, or not announced as such."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise errors.standard(415)
    try:
        return msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise errors.malformed() from None


def said(content: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
