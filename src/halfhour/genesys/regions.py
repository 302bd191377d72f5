"""Find the hosts of a region of Genesys Cloud, written as an AWS region, a domain or a URL."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from halfhour.errors import ConfigError, suggest_name

DEFAULT_DOMAIN = "mypurecloud.com"

# https://github.com/MyPureCloud/platform-client-sdk-python, purecloud_region_hosts.py
DOMAINS_BY_REGION = {
    "us-east-1": "mypurecloud.com",
    "us-east-2": "use2.us-gov-pure.cloud",
    "us-west-2": "usw2.pure.cloud",
    "ca-central-1": "cac1.pure.cloud",
    "sa-east-1": "sae1.pure.cloud",
    "mx-central-1": "mxc1.pure.cloud",
    "eu-west-1": "mypurecloud.ie",
    "eu-west-2": "euw2.pure.cloud",
    "eu-central-1": "mypurecloud.de",
    "eu-central-2": "euc2.pure.cloud",
    "eusc-de-east-1": "edee1.eusc-pure.cloud",
    "me-central-1": "mec1.pure.cloud",
    "ap-south-1": "aps1.pure.cloud",
    "ap-northeast-1": "mypurecloud.jp",
    "ap-northeast-2": "apne2.pure.cloud",
    "ap-northeast-3": "apne3.pure.cloud",
    "ap-southeast-1": "apse1.pure.cloud",
    "ap-southeast-2": "mypurecloud.com.au",
}


@dataclass(frozen=True, slots=True)
class Hosts:
    """The base URLs of the login and of the API, without a slash at the end."""

    login: str
    api: str

    @property
    def on_this_machine(self) -> bool:
        return is_local_host(urlsplit(self.api).hostname or "")


def hosts_of_region(region: str) -> Hosts:
    """Return the hosts of an AWS region, a domain or a base URL.

    If the host of a base URL begins with ``api.``, the login is at ``login.``; otherwise one host
    serves both. Plain http is allowed only for this machine and for names without a dot, which
    containers use. Raises ConfigError.
    """
    text = region.strip().rstrip("/")
    if "://" in text:
        return _hosts_from_url(text)
    domain = text.lower()
    for prefix in ("api.", "login.", "apps."):
        domain = domain.removeprefix(prefix)
    domain = DOMAINS_BY_REGION.get(domain.replace("_", "-"), domain)
    if domain not in DOMAINS_BY_REGION.values():
        advice = (
            "write an AWS region such as eu-west-1, a domain such as mypurecloud.ie or a base URL "
            "such as https://api.mypurecloud.ie"
        )
        hint = suggest_name(domain, [*DOMAINS_BY_REGION, *DOMAINS_BY_REGION.values()], advice)
        raise ConfigError(f"unknown region {region!r}{hint}")
    return Hosts(f"https://login.{domain}", f"https://api.{domain}")


def _hosts_from_url(text: str) -> Hosts:
    shown_url = text.rpartition("@")[2]  # The part before @ may have a password.
    invalid_url = ConfigError(
        f"region {shown_url!r} is not a base URL; write one such as https://api.mypurecloud.ie"
    )
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
        host.encode("idna")  # raises if a part of the name is empty or too long
    except ValueError as error:
        raise invalid_url from error
    if url.scheme not in {"http", "https"} or not host or url.path or url.query or url.username:
        raise invalid_url
    if url.scheme == "http" and "." in host and not is_local_host(host):
        raise ConfigError(
            f"region {shown_url!r}: http would send the client secret unencrypted; write https://"
        )
    address = f"[{host}]" if ":" in host else host
    if port:
        address = f"{address}:{port}"
    for prefix in ("api.", "login.", "apps."):
        if address.startswith(prefix):
            domain = address.removeprefix(prefix)
            return Hosts(f"{url.scheme}://login.{domain}", f"{url.scheme}://api.{domain}")
    return Hosts(f"{url.scheme}://{address}", f"{url.scheme}://{address}")


def is_local_host(host: str) -> bool:
    """Return whether *host* is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
