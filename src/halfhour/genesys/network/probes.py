"""Ask a server for its certificate, without a credential and whoever has issued it."""

import asyncio
import ssl

import httpx2

from halfhour.genesys.network.certificates import issuer_of_certificate
from halfhour.genesys.network.proxies import Proxy

PROBE_SECONDS = 3.0


async def read_issuer(url: str, proxy: Proxy | None, context: ssl.SSLContext | None = None) -> str:
    """Return the issuer of the certificate at *url*; empty if it cannot be had.

    Any certificate will do unless *context* says which are trusted. Raises the errors of httpx2.
    """
    origin = httpx2.URL(url).join("/")
    context = context or _accept_any_certificate()
    async with (
        httpx2.AsyncClient(
            verify=context,
            proxy=proxy.for_client(context) if proxy else None,
            timeout=PROBE_SECONDS,
            trust_env=False,
        ) as http,
        http.stream("HEAD", origin) as response,
    ):
        stream = response.extensions.get("network_stream")
        tls = stream.get_extra_info("ssl_object") if stream else None
        return issuer_of_certificate(tls.getpeercert(binary_form=True)) if tls else ""


async def speaks_tls(host: str, port: int) -> bool:
    """Return whether the port answers a TLS handshake."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=_accept_any_certificate())
            writer.close()
    except (OSError, TimeoutError):
        return False
    return True


def _accept_any_certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
