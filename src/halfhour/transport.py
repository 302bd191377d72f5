"""One HTTP exchange: a request goes out, and an answer or one of our errors comes back."""

import asyncio
from datetime import UTC, datetime
from typing import TypeVar, cast
from urllib.parse import urlsplit

import httpx2
import msgspec

from halfhour import __version__, pacing, wire
from halfhour.errors import ApiError, UnexpectedAnswer, Unreachable
from halfhour.pacing import Patience

T = TypeVar("T")


def connect(patience: Patience, *, local: bool) -> httpx2.AsyncClient:
    """An HTTP client; to a *local* host it goes past any proxy of the environment."""
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(patience.silence, connect=patience.connect, pool=None),
        limits=httpx2.Limits(max_connections=pacing.IN_FLIGHT),
        headers={"User-Agent": f"halfhour/{__version__}"},
        trust_env=not local,
    )


async def exchange(
    http: httpx2.AsyncClient, request: httpx2.Request, patience: Patience
) -> httpx2.Response:
    """The whole answer to *request*, whatever its status. Raises Unreachable."""
    try:
        async with asyncio.timeout(patience.whole):
            return await http.send(request)
    except (httpx2.ConnectTimeout, httpx2.ConnectError) as error:
        raise Unreachable(
            f"{request.url.host}: no connection ({error or 'timed out'}); "
            "check the region, the network and the proxy"
        ) from error
    except httpx2.TimeoutException as error:
        raise Unreachable(
            f"{request.url.host}: silent for {patience.silence:g} s; "
            "try again, or allow more with --timeout"
        ) from error
    except TimeoutError as error:
        raise Unreachable(
            f"{request.url.host}: the answer was not whole after {patience.whole:g} s; "
            "try again, or allow more with --timeout"
        ) from error
    except httpx2.DecodingError as error:
        raise UnexpectedAnswer(f"{request.url.host}: an answer that cannot be unpacked") from error
    except httpx2.RequestError as error:
        raise Unreachable(
            f"{request.url.host}: the answer broke off ({error or type(error).__name__}); try again"
        ) from error


def read(operation: str, response: httpx2.Response, answer: type[T]) -> T:
    """The JSON of a good answer; None if it is to have no content.

    Raises ApiError, or UnexpectedAnswer for what is no JSON.
    """
    if not response.is_success:
        raise _refusal(operation, response)
    if response.status_code == httpx2.codes.NO_CONTENT:
        return cast(T, None)
    try:
        return msgspec.json.decode(response.content, type=answer)
    except msgspec.ValidationError as error:
        raise UnexpectedAnswer(f"{operation}: the answer does not fit: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        kind = response.headers.get("content-type", "no content type")
        raise UnexpectedAnswer(
            f"{operation}: {_host(response)} answered with something that is not whole JSON "
            f"({kind}); is that host Genesys Cloud, or is a proxy answering in its place?"
        ) from error


def _refusal(operation: str, response: httpx2.Response) -> ApiError | UnexpectedAnswer:
    if response.is_redirect:
        return UnexpectedAnswer(
            f"{operation}: {_host(response)} sends elsewhere, as Genesys Cloud never does; "
            "check the region or base URL"
        )
    try:
        body = msgspec.json.decode(response.content, type=wire.ErrorBody)
    except msgspec.DecodeError:
        body = wire.ErrorBody(message=response.reason_phrase)
    return ApiError(
        operation,
        response.status_code,
        code=body.code,
        message=body.message,
        correlation_id=response.headers.get("inin-correlation-id", body.context_id),
        retry_after=pacing.retry_after(response.headers, datetime.now(UTC)),
    )


def _host(response: httpx2.Response) -> str:
    return urlsplit(str(response.request.url)).netloc
