"""Find the proxy of a host in the environment, and the variable that names it."""

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2

from halfhour.errors import ConfigError
from halfhour.genesys.regions import is_local_host
from halfhour.redaction import register_secret

SOCKS_SCHEMES = ("socks5", "socks5h")
SCHEMES = ("http", "https", *SOCKS_SCHEMES)
_SYSTEM = "the proxy settings of the system"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy: its *url*, which may have a password, and the *variable* that names it.

    *address* is its scheme, host and port, without a password.
    """

    variable: str
    url: str = field(repr=False)
    address: str

    @property
    def uses_tls(self) -> bool:
        return self.url.startswith("https:")

    def for_client(self, context: ssl.SSLContext) -> httpx2.Proxy:
        """Return the proxy for a client; *context* checks the certificate of an https proxy."""
        return httpx2.Proxy(self.url, ssl_context=context if self.uses_tls else None)


def find_proxy(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy through which *url* is reached; None for a direct connection.

    A host on this machine is always reached directly. Raises ConfigError if the address of the
    proxy is malformed, or of a kind that needs a package that is not installed.
    """
    target = urlsplit(url)
    host = target.hostname or ""
    addresses = getproxies()
    scheme = next((name for name in (target.scheme, "all") if addresses.get(name)), None)
    if scheme is None or is_local_host(host) or _is_bypassed(host, addresses.get("no", "")):
        return None
    variable = _variable_of_scheme(scheme, environ)
    address = addresses[scheme]
    return _parse_proxy(address if "://" in address else f"http://{address}", variable)


def _variable_of_scheme(scheme: str, environ: Mapping[str, str]) -> str:
    """Return the variable that Python takes the proxy of *scheme* from: lower case comes first."""
    name = f"{scheme}_proxy"
    spellings = [variable for variable in environ if variable.lower() == name and environ[variable]]
    return name if name in spellings else next(iter(spellings), _SYSTEM)


def _is_bypassed(host: str, exceptions: str) -> bool:
    return bool(proxy_bypass(host)) or any(
        _is_in_network(host, entry.strip()) for entry in exceptions.split(",")
    )


def _is_in_network(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _parse_proxy(url: str, variable: str) -> Proxy:
    shown = f"{url.partition('://')[0]}://{url.partition('://')[2].rpartition('@')[2]}"
    malformed = ConfigError(
        f"{variable}: {shown!r} is not the address of a proxy; write one such as "
        "http://proxy.example.com:8080, or unset the variable"
    )
    try:
        parts = urlsplit(url)
        _, host = parts.port, httpx2.URL(url).host
    except (ValueError, httpx2.InvalidURL) as error:
        raise malformed from error
    if not host or parts.path.strip("/") or parts.query:
        raise malformed
    if parts.scheme not in SCHEMES:
        raise ConfigError(
            f"{variable}: a proxy of the kind {parts.scheme}:// cannot be used; write "
            f"{', '.join(f'{scheme}://' for scheme in SCHEMES)}, or unset the variable"
        )
    if parts.scheme in SOCKS_SCHEMES:
        _require_socks(variable, shown)
    register_secret(unquote(parts.password or ""))
    return Proxy(variable, url, shown.rstrip("/"))


def _require_socks(variable: str, shown: str) -> None:
    try:
        import socksio  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{variable}: the proxy {shown} needs one more package; install halfhour with its "
            "extra 'socks', or the package socksio beside it, or unset the variable"
        ) from error
