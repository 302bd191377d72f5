"""JSON bodies of requests and responses."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from genesys_emulator.wire import errors

Handler = Callable[[Request], Awaitable[Response]]


async def read_json(request: Request) -> Any:
    """Parse the body of *request*.

    Raises ApiError if it is not JSON, or has another content type.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise errors.standard_error(415)
    try:
        return msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise errors.bad_request() from None


def json_response(content: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
