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
    """The base URL that gives tokens and the one that answers, neither with a slash at its end."""

    login: str
    api: str

    @property
    def on_this_machine(self) -> bool:
        return _is_local_host(urlsplit(self.api).hostname or "")


def hosts_of_region(region: str) -> Hosts:
    """The hosts of an AWS region, a domain or a base URL.

    A base URL whose host begins with ``api.`` has its tokens from ``login.``;
    any other serves both. Plain http is for this machine and for names
    without a dot, as containers give each other. Raises ConfigError.
    """
    text = region.strip().rstrip("/")
    if "://" in text:
        return _hosts_from_url(text)
    domain = text.lower()
    for prefix in ("api.", "login.", "apps."):
        domain = domain.removeprefix(prefix)
    domain = DOMAINS_BY_REGION.get(domain.replace("_", "-"), domain)
    if domain not in DOMAINS_BY_REGION.values():
        hint = suggest_name(domain, [*DOMAINS_BY_REGION, *DOMAINS_BY_REGION.values()])
        raise ConfigError(
            f"unknown region {region!r}{hint}; an AWS region, a domain such as mypurecloud.ie "
            "or a base URL such as https://api.mypurecloud.ie is wanted"
        )
    return Hosts(f"https://login.{domain}", f"https://api.{domain}")


def _hosts_from_url(text: str) -> Hosts:
    shown = text.rpartition("@")[2]  # what stands before it may be a password
    wrong = ConfigError(f"region {shown!r} is no base URL such as https://api.mypurecloud.ie")
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError as error:
        raise wrong from error
    if url.scheme not in {"http", "https"} or not host or url.path or url.query or url.username:
        raise wrong
    if url.scheme == "http" and "." in host and not _is_local_host(host):
        raise ConfigError(f"region {shown!r}: a secret does not travel over http; write https://")
    name = f"[{host}]" if ":" in host else host
    at = f"{name}:{port}" if port else name
    for prefix in ("api.", "login.", "apps."):
        if at.startswith(prefix):
            domain = at.removeprefix(prefix)
            return Hosts(f"{url.scheme}://login.{domain}", f"{url.scheme}://api.{domain}")
    return Hosts(f"{url.scheme}://{at}", f"{url.scheme}://{at}")


def _is_local_host(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
