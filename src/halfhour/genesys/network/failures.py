"""Tell why a connection failed: the culprit, its variable, and what to do."""

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from typing import TypeGuard
from urllib.parse import urlsplit

from halfhour.errors import NoConnection, suggest_name
from halfhour.genesys.network.proxies import Proxy
from halfhour.genesys.regions import DOMAINS_BY_REGION

# https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_WRONG_DATE = {9, 10}
_WRONG_NAME = {62, 64}
_WITHOUT_TLS = {
    "HTTP_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
    "WRONG_VERSION_NUMBER",
}
_STATUS = re.compile(r"[1-5]\d\d\b")
_PROXY_WANTS_LOGIN = "407"
_REFUSED = (errno.ECONNREFUSED, getattr(errno, "WSAECONNREFUSED", errno.ECONNREFUSED))
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)


def connection_failure(
    error: BaseException, url: str, proxy: Proxy | None, *, trust: str = "", issuer: str = ""
) -> NoConnection:
    """Return the failure to connect to *url*, through *proxy*, that *error* stands for.

    *trust* names the place of the trusted certificates, *issuer* the issuer of the refused one.
    """
    target = urlsplit(url)
    host, place = target.hostname or "", target.netloc
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _untrusted_certificate(cause, place, trust, issuer)
        if isinstance(cause, ssl.SSLError):
            return _failed_handshake(cause, place)
    if proxy:
        return _failed_proxy(error, place, proxy)
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return _unknown_host(cause, host, place)
        if isinstance(cause, OSError) and cause.errno in _REFUSED:
            return NoConnection(
                f"{place}: no connection, because nothing listens there or a firewall refuses it; "
                "check GENESYS_REGION and the network",
                may_pass=True,
            )
    reason = _reason(error)
    return NoConnection(
        f"{place}: no connection ({reason}); check GENESYS_REGION and the network, and whether "
        "your network needs a proxy (HTTPS_PROXY)",
        may_pass=True,
    )


def http_at_https_port(url: str) -> NoConnection:
    """Return the failure to speak http to a port that speaks https."""
    place = urlsplit(url).netloc
    return NoConnection(
        f"{place}: this port speaks https; write https://{place} as the region", may_pass=False
    )


def broken_proxy(url: str, proxy: Proxy) -> NoConnection:
    """Return the failure of a connection to *url* that broke off at *proxy*."""
    return NoConnection(
        f"{urlsplit(url).netloc}: the connection through the proxy {proxy.address} "
        f"({proxy.variable}) broke off, or this is no such proxy; check {proxy.variable}, also "
        "whether it begins with http:// or https://",
        may_pass=True,
    )


def proxy_refusal(text: str, url: str, proxy: Proxy) -> NoConnection:
    """Return the refusal of *proxy* to connect to *url*; *text* begins with an HTTP status."""
    host = urlsplit(url).netloc
    status = match[0] if (match := _STATUS.match(text)) else ""
    if status == _PROXY_WANTS_LOGIN:
        return NoConnection(
            f"{host}: the proxy {proxy.address} ({proxy.variable}) asks for a login (HTTP 407); "
            f"write http://user:password@host:port into {proxy.variable}",
            may_pass=False,
        )
    reason = f" (HTTP {status})" if status else ""
    return NoConnection(
        f"{host}: the proxy {proxy.address} ({proxy.variable}) did not connect to this host"
        f"{reason}; ask whoever runs the proxy to allow it, or correct {proxy.variable}",
        may_pass=True,
    )


def untrusted_proxy(error: BaseException, proxy: Proxy, trust: str, issuer: str) -> NoConnection:
    """Return the failure due to the certificate of *proxy* itself, which *issuer* has issued."""
    place = f"the proxy {proxy.address} ({proxy.variable})"
    (cause, *_) = filter(_is_of_certificate, _causes(error))
    return _untrusted_certificate(cause, place, trust, issuer)


def is_untrusted(error: BaseException) -> bool:
    """Return whether *error* is due to a certificate that is not trusted."""
    return any(map(_is_of_certificate, _causes(error)))


def _is_of_certificate(error: BaseException) -> TypeGuard[ssl.SSLCertVerificationError]:
    return isinstance(error, ssl.SSLCertVerificationError)


def _untrusted_certificate(
    error: ssl.SSLCertVerificationError, place: str, trust: str, issuer: str
) -> NoConnection:
    head = f"{place}: its certificate is not trusted ({error.verify_message.rstrip('.')})"
    by = f", issued by {issuer!r}" if issuer else ""
    if error.verify_code in _WRONG_DATE:
        advice = "check the clock of this machine; if it is right, the server needs a new one"
    elif error.verify_code in _WRONG_NAME:
        advice = "check GENESYS_REGION, and that no proxy answers in its place"
    else:
        advice = (
            f"{trust} has no certificate of that issuer; if it is a proxy or a server of your "
            "organisation, put the issuer's certificate (PEM) into a file and set SSL_CERT_FILE to "
            "it, or add it to the system's store"
        )
    return NoConnection(f"{head}{by}; {advice}", may_pass=False)


def _failed_handshake(error: ssl.SSLError, place: str) -> NoConnection:
    if error.reason in _WITHOUT_TLS:
        return NoConnection(
            f"{place}: this port does not speak https; check GENESYS_REGION, and HTTPS_PROXY if "
            "there is a proxy",
            may_pass=False,
        )
    reason = (error.reason or "no reason given").replace("_", " ").lower()
    return NoConnection(
        f"{place}: no secure connection ({reason}); check that no proxy or firewall stands between",
        may_pass=True,
    )


def _failed_proxy(error: BaseException, place: str, proxy: Proxy) -> NoConnection:
    return NoConnection(
        f"{place}: no connection, because the proxy {proxy.address} ({proxy.variable}) does not "
        f"answer: {_reason(error)}; correct {proxy.variable}, or unset it if no proxy is needed",
        may_pass=True,
    )


def _unknown_host(error: socket.gaierror, host: str, place: str) -> NoConnection:
    if error.errno == socket.EAI_AGAIN:
        return NoConnection(
            f"{place}: the address of this host cannot be looked up (DNS does not answer); check "
            "the network, and whether it needs a proxy (HTTPS_PROXY)",
            may_pass=True,
        )
    domain = re.sub(r"^(api|login|apps)\.", "", host)
    is_known = domain in DOMAINS_BY_REGION.values()
    advice = (
        "; check the network, and whether it needs a proxy (HTTPS_PROXY)"
        if is_known
        else suggest_name(domain, DOMAINS_BY_REGION.values(), "check GENESYS_REGION")
    )
    return NoConnection(f"{place}: there is no host of this name (DNS){advice}", may_pass=is_known)


def _reason(error: BaseException) -> str:
    """Return why the connection itself failed, in a few words."""
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return "its name is unknown"
        if isinstance(cause, OSError) and cause.errno in _REFUSED:
            return "it refuses connections"
        if isinstance(cause, OSError) and cause.errno in _UNREACHABLE:
            return "the network has no way to it"
        if isinstance(cause, TimeoutError):
            return "it timed out"
    return str(error) or "it timed out"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield *error* and the errors that it stands for."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for part in error.exceptions:
                yield from _causes(part)
        error = error.__cause__ or error.__context__
