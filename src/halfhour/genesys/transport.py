"""Send one HTTP request and decode its answer; every failure becomes an error of halfhour."""

import asyncio
import os
import re
import ssl
import zlib
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec
import pyarrow as pa

from halfhour._version import __version__
from halfhour.errors import ApiError, NoConnection, UnexpectedAnswer, Unreachable
from halfhour.genesys import payloads, retry_policy
from halfhour.genesys.network.certificates import describe_trust, load_trusted_certificates
from halfhour.genesys.network.failures import (
    broken_proxy,
    connection_failure,
    http_at_https_port,
    is_untrusted,
    proxy_refusal,
    untrusted_proxy,
)
from halfhour.genesys.network.probes import read_issuer, speaks_tls
from halfhour.genesys.network.proxies import Proxy, find_proxy
from halfhour.genesys.retry_policy import RetryPolicy

T = TypeVar("T")

MAX_ANSWER_BYTES = 256 * 2**20
"""The most bytes of an answer, packed and unpacked. A page of 500 conversations has some 10 MB."""
MAX_SMALL_ANSWER_BYTES = 64 * 2**10
"""The most bytes of a login answer, and of a refusal, of which the status counts more."""
HTTP_PORT = 80
_HTTPS_WANTED = re.compile(rb"HTTP request (was sent )?to (an )?HTTPS|SSL-enabled server port")
"""The words with which nginx, Go and Apache refuse plain http at a port for https."""
_GZIP_WINDOW_BITS = zlib.MAX_WBITS | 16

# Unexpected names and numbers raise these errors. Errors of msgspec and of text encodings are
# ValueErrors; a record that is nested too deeply raises RecursionError.
_UNUSABLE_DATA_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    pa.ArrowException,
)


def create_http_client(policy: RetryPolicy, url: str) -> httpx2.AsyncClient:
    """Return a client for the host of *url*, which has the proxy and trust of the environment.

    For plain http it trusts no certificate, because to read the trusted ones takes longer than
    all requests of a small report. Raises ConfigError if the environment names a proxy or
    certificates that cannot be used.
    """
    proxy = find_proxy(url, os.environ)
    uses_tls = url.startswith("https:") or (proxy is not None and proxy.uses_tls)
    context = (
        load_trusted_certificates(os.environ)
        if uses_tls
        else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(policy.silence_timeout, connect=policy.connect_timeout, pool=None),
        limits=httpx2.Limits(max_connections=retry_policy.MAX_CONCURRENT_REQUESTS),
        headers={"User-Agent": f"halfhour/{__version__}", "Accept-Encoding": "gzip"},
        # Genesys needs no cookies, and a cookie that is not ASCII would make every request fail.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        proxy=proxy.for_client(context) if proxy else None,
        verify=context,
        trust_env=False,  # it would fail on a proxy that is not needed here
    )


async def send_request(
    http: httpx2.AsyncClient,
    request: httpx2.Request,
    policy: RetryPolicy,
    max_bytes: int = MAX_ANSWER_BYTES,
) -> httpx2.Response:
    """Return the whole answer to *request*, of any status; a long refusal is truncated.

    Raises Unreachable, or UnexpectedAnswer for more than *max_bytes*.
    """
    has_answered, place = False, host_and_port(request)
    try:
        async with asyncio.timeout(policy.answer_timeout):
            response = await http.send(request, stream=True)
            has_answered = True
            try:
                whole_response = await _read_body(response, max_bytes)
            finally:
                await response.aclose()
    except (httpx2.ConnectTimeout, httpx2.ConnectError, httpx2.ProxyError) as error:
        raise await _connection_failure(error, str(request.url)) from error
    except httpx2.TimeoutException as error:
        raise Unreachable(
            f"{place}: nothing came for {policy.silence_timeout:g} s; "
            "try again, or allow more time with ⟨timeout⟩"
        ) from error
    except TimeoutError as error:
        raise Unreachable(
            f"{place}: the answer was incomplete after {policy.answer_timeout:g} s; "
            "try again, or allow more time with ⟨timeout⟩"
        ) from error
    except zlib.error as error:
        raise UnexpectedAnswer(
            f"{place}: the answer is damaged and cannot be unpacked; try again, and "
            "check the network and the proxy"
        ) from error
    except httpx2.RequestError as error:
        if not has_answered and (proxy := find_proxy(str(request.url), os.environ)):
            raise broken_proxy(str(request.url), proxy) from None
        if not has_answered and await _is_https_port(request.url):
            raise http_at_https_port(str(request.url)) from None
        if isinstance(error, httpx2.ProtocolError):
            # The text of the error may quote the request with its token.
            raise Unreachable(
                f"{place}: the answer broke off, or it is not HTTP "
                f"({type(error).__name__}); try again, and check the network and the proxy"
            ) from None
        reason = f" ({error})" if str(error) else ""
        raise Unreachable(f"{place}: the answer broke off{reason}; try again") from error
    if whole_response.status_code == httpx2.codes.BAD_REQUEST and _HTTPS_WANTED.search(
        whole_response.content
    ):
        raise http_at_https_port(str(request.url))
    return whole_response


async def _connection_failure(error: httpx2.TransportError, url: str) -> NoConnection:
    proxy = find_proxy(url, os.environ)
    if proxy and isinstance(error, httpx2.ProxyError):
        return proxy_refusal(str(error), url, proxy)
    trust = describe_trust(os.environ)
    if not is_untrusted(error):
        return connection_failure(error, url, proxy)
    if proxy and proxy.uses_tls and not await _has_trusted_certificate(proxy.address):
        return untrusted_proxy(error, proxy, trust, await _issuer_at(proxy.address, None))
    issuer = await _issuer_at(url, proxy)
    return connection_failure(error, url, proxy, trust=trust, issuer=issuer)


async def _has_trusted_certificate(url: str) -> bool:
    try:
        await read_issuer(url, None, load_trusted_certificates(os.environ))
    except httpx2.HTTPError as error:
        return not is_untrusted(error)
    return True


async def _issuer_at(url: str, proxy: Proxy | None) -> str:
    with suppress(httpx2.HTTPError):
        return await read_issuer(url, proxy)
    return ""


async def _is_https_port(url: httpx2.URL) -> bool:
    return url.scheme == "http" and await speaks_tls(url.host, url.port or HTTP_PORT)


async def _read_body(response: httpx2.Response, max_bytes: int) -> httpx2.Response:
    """Return *response* with its body, and unpack no more than *max_bytes* of it."""
    place = host_and_port(response.request)
    encodings = [
        encoding.lower()
        for encoding in response.headers.get_list("content-encoding", split_commas=True)
        if encoding.lower() not in ("", "identity")
    ]
    if encodings not in ([], ["gzip"]):
        raise UnexpectedAnswer(
            f"{place}: the answer is packed in another way than gzip, which was "
            "requested; check that no proxy changes answers"
        )
    unpacker = zlib.decompressobj(_GZIP_WINDOW_BITS) if encodings else None
    max_bytes = max_bytes if response.is_success else MAX_SMALL_ANSWER_BYTES
    received_bytes, body = 0, bytearray()
    async with aclosing(response.aiter_raw()) as chunks:
        async for chunk in chunks:
            received_bytes += len(chunk)
            if unpacker is None:
                body += chunk
            elif not unpacker.eof:
                body += unpacker.decompress(chunk, max_bytes + 1 - len(body))
            if max(received_bytes, len(body)) <= max_bytes:
                continue
            if not response.is_success:
                break
            raise UnexpectedAnswer(
                f"{place}: the answer has more than {max_bytes:,} bytes, which Genesys "
                "Cloud never sends; check that GENESYS_REGION names Genesys Cloud, and that no "
                "proxy answers in its place"
            )
    body_headers = (b"content-encoding", b"content-length", b"transfer-encoding")
    return httpx2.Response(
        response.status_code,
        headers=[pair for pair in response.headers.raw if pair[0].lower() not in body_headers],
        content=bytes(body),
        request=response.request,
        extensions={"reason_phrase": response.reason_phrase.encode()},
    )


def decode_answer(operation: str, response: httpx2.Response, decode: Callable[[bytes], T]) -> T:
    """Return the body of a successful answer as *decode* reads it.

    Raises ApiError for a refusal, or UnexpectedAnswer if the JSON is malformed or does not fit.
    """
    if not response.is_success:
        raise _refusal_error(operation, response)
    try:
        return decode(response.content)
    except msgspec.ValidationError as error:
        raise UnexpectedAnswer(
            f"{operation}: the answer has another form than expected: {error}; try again, and if "
            "this stays, please report it as a bug"
        ) from error
    except RecursionError as error:
        raise UnexpectedAnswer(
            f"{operation}: the answer is nested too deeply; try again, and if this stays, please "
            "report it as a bug"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        content_type = response.headers.get("content-type", "no content type")
        raise UnexpectedAnswer(
            f"{operation}: the answer of {host_and_port(response.request)} is not complete JSON "
            f"({content_type}); check that GENESYS_REGION names Genesys Cloud, and that no proxy "
            "answers in its place"
        ) from error


def decode_refusal(response: httpx2.Response, body_type: type[T]) -> T | None:
    """Return the body of a refusal as *body_type*, or None if it cannot be decoded."""
    try:
        return msgspec.json.decode(response.content, type=body_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


@contextmanager
def refuse_unusable_data(operation: str) -> Iterator[None]:
    """Raise UnexpectedAnswer if the answer of *operation* cannot be made into a table."""
    try:
        yield
    except _UNUSABLE_DATA_ERRORS as error:
        raise UnexpectedAnswer(
            f"{operation}: the answer has data that cannot be used ({type(error).__name__}: "
            f"{error!s:.200}); nothing of the answer was used - try again, and if this stays, "
            "please report it as a bug"
        ) from error


def _refusal_error(operation: str, response: httpx2.Response) -> ApiError | UnexpectedAnswer:
    if response.is_redirect:
        return UnexpectedAnswer(
            f"{operation}: {host_and_port(response.request)} redirects to another address, "
            "which Genesys Cloud never does; check the region or base URL"
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


def host_and_port(request: httpx2.Request) -> str:
    """Return the host of *request*, with its port unless it is that of the scheme."""
    return urlsplit(str(request.url)).netloc
