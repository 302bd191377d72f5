"""One HTTP exchange: a request goes out, and an answer or one of our errors comes back."""

import asyncio
import zlib
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeVar, cast
from urllib.parse import urlsplit

import httpx2
import msgspec
import pyarrow as pa

from halfhour._version import __version__
from halfhour.errors import ApiError, UnexpectedAnswer, Unreachable
from halfhour.genesys import payloads, retry_policy
from halfhour.genesys.retry_policy import RetryPolicy

T = TypeVar("T")

MAX_ANSWER_BYTES = 256 * 2**20
"""Bytes of an answer, both as it comes and unpacked. A page of 500 conversations has some 10 MB."""
MAX_SMALL_ANSWER_BYTES = 64 * 2**10
"""Bytes of a token's answer, and of a refusal, which is read no further: its status counts."""
_GZIP_WINDOW_BITS = zlib.MAX_WBITS | 16

# Names and numbers that nobody expected fail in these ways. Errors of msgspec and of text
# encodings are ValueErrors; a record that is nested too deeply is a RecursionError.
_UNUSABLE_DATA_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    pa.ArrowException,
)


def create_http_client(patience: RetryPolicy, *, local: bool) -> httpx2.AsyncClient:
    """Create an HTTP client; for a *local* host it ignores the proxies of the environment."""
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(
            patience.silence_timeout, connect=patience.connect_timeout, pool=None
        ),
        limits=httpx2.Limits(max_connections=retry_policy.MAX_CONCURRENT_REQUESTS),
        headers={"User-Agent": f"halfhour/{__version__}", "Accept-Encoding": "gzip"},
        # Genesys needs no cookies, and one that is not ASCII would make every request fail.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        trust_env=not local,
    )


async def send_request(
    http: httpx2.AsyncClient,
    request: httpx2.Request,
    patience: RetryPolicy,
    most: int = MAX_ANSWER_BYTES,
) -> httpx2.Response:
    """The whole answer to *request*, whatever its status; a refusal may lack its end.

    Raises Unreachable, or UnexpectedAnswer for more than *most* bytes.
    """
    try:
        async with asyncio.timeout(patience.answer_timeout):
            response = await http.send(request, stream=True)
            try:
                return await _read_body(response, most)
            finally:
                await response.aclose()
    except (httpx2.ConnectTimeout, httpx2.ConnectError) as error:
        raise Unreachable(
            f"{request.url.host}: no connection ({error or 'timed out'}); "
            "check the region, the network and the proxy"
        ) from error
    except httpx2.TimeoutException as error:
        raise Unreachable(
            f"{request.url.host}: silent for {patience.silence_timeout:g} s; "
            "try again, or allow more with ⟨timeout⟩"
        ) from error
    except TimeoutError as error:
        raise Unreachable(
            f"{request.url.host}: the answer was not whole after {patience.answer_timeout:g} s; "
            "try again, or allow more with ⟨timeout⟩"
        ) from error
    except zlib.error as error:
        raise UnexpectedAnswer(f"{request.url.host}: an answer that cannot be unpacked") from error
    except (httpx2.ProtocolError, httpx2.ProxyError) as error:
        # Its text may quote what was sent, the token too.
        raise Unreachable(
            f"{request.url.host}: the answer broke off, or it is not HTTP "
            f"({type(error).__name__}); try again, and check the network and the proxy"
        ) from None
    except httpx2.RequestError as error:
        raise Unreachable(
            f"{request.url.host}: the answer broke off ({error or type(error).__name__}); try again"
        ) from error


async def _read_body(response: httpx2.Response, most: int) -> httpx2.Response:
    """Read the body of *response*, and unpack it only up to the allowed length."""
    packings = response.headers.get_list("content-encoding", split_commas=True)
    unpacker = None
    if packings := [packing for packing in packings if packing.lower() not in ("", "identity")]:
        if [packing.lower() for packing in packings] != ["gzip"]:
            raise UnexpectedAnswer(
                f"{response.url.host}: an answer packed in another way than gzip, which was asked "
                "for; is a proxy changing it?"
            )
        unpacker = zlib.decompressobj(_GZIP_WINDOW_BITS)
    most = most if response.is_success else MAX_SMALL_ANSWER_BYTES
    came, body = 0, bytearray()
    async with aclosing(response.aiter_raw()) as chunks:
        async for chunk in chunks:
            came += len(chunk)
            if unpacker is None:
                body += chunk
            elif not unpacker.eof:
                body += unpacker.decompress(chunk, most + 1 - len(body))
            if max(came, len(body)) <= most:
                continue
            if not response.is_success:
                break
            raise UnexpectedAnswer(
                f"{response.url.host}: an answer of more than {most:,} bytes, which Genesys Cloud "
                "never gives; is that host Genesys Cloud, or is a proxy answering in its place?"
            )
    of_body = (b"content-encoding", b"content-length", b"transfer-encoding")
    return httpx2.Response(
        response.status_code,
        headers=[pair for pair in response.headers.raw if pair[0].lower() not in of_body],
        content=bytes(body),
        request=response.request,
        extensions={"reason_phrase": response.reason_phrase.encode()},
    )


def decode_answer(operation: str, response: httpx2.Response, answer: type[T]) -> T:
    """The JSON of a good answer; None if *answer* is, whatever has come.

    Raises ApiError, or UnexpectedAnswer for what is no JSON.
    """
    if not response.is_success:
        raise _refusal_error(operation, response)
    if answer is None:
        return cast(T, None)
    try:
        return msgspec.json.decode(response.content, type=answer)
    except msgspec.ValidationError as error:
        raise UnexpectedAnswer(f"{operation}: the answer does not fit: {error}") from error
    except RecursionError as error:
        raise UnexpectedAnswer(f"{operation}: the answer is nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        kind = response.headers.get("content-type", "no content type")
        raise UnexpectedAnswer(
            f"{operation}: {_host_and_port(response)} answered with something that is not whole "
            f"JSON ({kind}); is that host Genesys Cloud, or is a proxy answering in its place?"
        ) from error


def decode_refusal(response: httpx2.Response, body: type[T]) -> T | None:
    """Return the body of a refusal, or None if it cannot be read."""
    try:
        return msgspec.json.decode(response.content, type=body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


@contextmanager
def refuse_unusable_data(operation: str) -> Iterator[None]:
    """Raise UnexpectedAnswer where the answer of *operation* cannot be made into a table."""
    try:
        yield
    except _UNUSABLE_DATA_ERRORS as error:
        raise UnexpectedAnswer(
            f"{operation}: the answer has something that cannot be used ({type(error).__name__}: "
            f"{error!s:.200}); nothing of it was used - try again, and if it stays, please report "
            "this as a bug"
        ) from error


def _refusal_error(operation: str, response: httpx2.Response) -> ApiError | UnexpectedAnswer:
    if response.is_redirect:
        return UnexpectedAnswer(
            f"{operation}: {_host_and_port(response)} sends elsewhere, as Genesys Cloud never "
            "does; check the region or base URL"
        )
    body = decode_refusal(response, payloads.ErrorBody) or payloads.ErrorBody(
        message=response.reason_phrase
    )
    return ApiError(
        operation,
        response.status_code,
        code=body.code or "",
        message=body.message or "",
        correlation_id=response.headers.get("inin-correlation-id", body.context_id or ""),
        retry_after=retry_policy.retry_after_seconds(response.headers, datetime.now(UTC)),
    )


def _host_and_port(response: httpx2.Response) -> str:
    return urlsplit(str(response.request.url)).netloc
