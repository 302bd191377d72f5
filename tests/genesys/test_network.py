"""Certificates and proxies: what works, and who is named if it does not."""

import asyncio
import re
import socket
import subprocess
import sys
from contextlib import AsyncExitStack, closing
from dataclasses import replace

import pytest
import stamina.instrumentation
from stamina.instrumentation import RetryDetails

from halfhour.errors import ConfigError, NoConnection
from halfhour.genesys import regions
from halfhour.genesys.client import Client
from halfhour.genesys.endpoints import ORGANIZATION
from halfhour.genesys.network.certificates import issuer_of_certificate
from halfhour.genesys.network.proxies import find_proxy
from tests.network_servers import (
    Authority,
    address_of,
    http_proxy,
    relay,
    serving,
    socks_proxy,
    tls_in_front_of,
)

DAY = ("--from", "2026-03-02", "--to", "2026-03-03")
IRELAND = ("api.mypurecloud.ie", "login.mypurecloud.ie")
RETRIES = {"HALFHOUR_ATTEMPTS": "5"}


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def certificate(authority, tmp_path):
    return str(authority.write_certificate(tmp_path / "authority.pem"))


@pytest.fixture
def secure(authority, shared_cloud):
    """The host and port of an https server in front of the emulator, also for Ireland."""
    context = authority.server_context("127.0.0.1", *IRELAND)
    with tls_in_front_of(shared_cloud.url, context) as place:
        yield place


@pytest.fixture
def closed_port():
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    return f"127.0.0.1:{port}"


def report(halfhour, region, **environment):
    return halfhour(
        "report", *DAY, "--by", "agent", "--format", "csv", "--region", region,
        **(RETRIES | environment),
    )  # fmt: skip


def test_the_certificates_of_the_environment_are_trusted_on_this_machine_too(
    halfhour, secure, certificate
):
    plain = report(halfhour, halfhour.environment["GENESYS_REGION"])
    ran = report(halfhour, f"https://{secure}", SSL_CERT_FILE=certificate)

    assert (ran.code, ran.out) == (0, plain.out)
    assert plain.out.count("\n") > 5


def test_a_folder_of_certificates_is_trusted(halfhour, secure, certificate, tmp_path):
    folder = tmp_path / "certificates"
    folder.mkdir()
    hash_of_subject = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", certificate],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    (folder / f"{hash_of_subject}.0").symlink_to(certificate)

    ran = report(halfhour, f"https://{secure}", SSL_CERT_DIR=f"nope:{folder}")

    assert ran.code == 0, ran.err


def test_a_certificate_that_is_not_trusted_is_told_at_once_with_its_issuer(halfhour, secure):
    ran = report(halfhour, f"https://{secure}")

    assert (ran.code, ran.out) == (4, "")
    assert f"{secure}: its certificate is not trusted" in ran.err
    assert "issued by 'Example Works'" in ran.err
    assert "the system's store has no certificate of that issuer" in ran.err
    assert "set SSL_CERT_FILE" in ran.err
    assert ran.err.count("\n") == 1


def test_the_variable_that_replaces_the_systems_store_is_named(halfhour, secure, tmp_path):
    other = Authority("Somebody Else").write_certificate(tmp_path / "other.pem")

    ran = report(halfhour, f"https://{secure}", SSL_CERT_FILE=str(other))

    assert f"SSL_CERT_FILE ({other}) has no certificate of that issuer" in ran.err


@pytest.mark.parametrize(
    ("names", "expired", "sentence"),
    [
        (("127.0.0.1",), True, "expired), issued by 'Example Works'; check the clock"),
        (("example.com",), False, "IP address mismatch"),
    ],
    ids=["expired", "other-host"],
)
def test_a_certificate_of_another_time_or_host_is_told(
    halfhour, cloud, authority, certificate, names, expired, sentence
):
    with tls_in_front_of(cloud.url, authority.server_context(*names, expired=expired)) as place:
        ran = report(halfhour, f"https://{place}", SSL_CERT_FILE=certificate)

    assert (ran.code, ran.err.count("\n")) == (4, 1)
    assert sentence in ran.err


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"SSL_CERT_FILE": "nope.pem"}, "SSL_CERT_FILE nope.pem: cannot be read (No such file"),
        ({"SSL_CERT_FILE": "."}, "SSL_CERT_FILE .: cannot be read (Is a directory)"),
        ({"SSL_CERT_FILE": "no.pem"}, "SSL_CERT_FILE no.pem: cannot be read (no certificate is"),
        ({"SSL_CERT_DIR": "nope"}, "SSL_CERT_DIR nope: there is no such folder"),
        ({"SSL_CERT_DIR": "no.pem"}, "SSL_CERT_DIR no.pem: it cannot be read (Not a directory)"),
        ({"SSL_CERT_DIR": "."}, "SSL_CERT_DIR .: no certificate is in it"),
    ],
    ids=str,
)
def test_certificates_that_cannot_be_read_are_told_by_their_variable(
    halfhour, environment, sentence
):
    (halfhour.folder / "no.pem").write_text("no certificate")

    ran = report(halfhour, "https://127.0.0.1:9", **environment)

    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err


def test_no_certificate_is_read_for_plain_http(halfhour):
    region = halfhour.environment["GENESYS_REGION"]

    assert report(halfhour, region, SSL_CERT_FILE="nope.pem").code == 0


def test_http_to_a_port_for_https_is_told_and_the_reverse(halfhour, cloud, secure):
    http = report(halfhour, f"http://{secure}")
    https = report(halfhour, cloud.url.replace("http:", "https:"))

    assert (http.code, http.err.count("\n")) == (4, 1)
    assert f"this port speaks https; write https://{secure}" in http.err
    assert (https.code, https.err.count("\n")) == (4, 1)
    assert "this port does not speak https" in https.err


def test_a_page_that_asks_for_https_is_told(halfhour):
    page = b"<h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port"
    answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page)

    with serving(lambda connection: connection.sendall(connection.recv(4096) and answer)) as place:
        ran = report(halfhour, f"http://{place}")

    assert ran.code == 4
    assert "this port speaks https" in ran.err


def test_a_port_where_nobody_listens_is_tried_twice(halfhour, closed_port):
    ran = report(halfhour, f"http://{closed_port}")

    assert ran.code == 4
    assert ran.err.count(f"{closed_port}: no connection, because nothing listens there") == 2
    assert ran.err.count("\n") == 2


def test_a_connection_that_has_worked_is_tried_as_often_as_the_settings_allow(cloud):
    connections: list[socket.socket] = []
    retries: list[RetryDetails] = []

    def count_retry(details: RetryDetails) -> None:
        retries.append(details)

    def handle(connection: socket.socket) -> None:
        connections.append(connection)
        relay(connection, address_of(cloud.url.rpartition("/")[2]))

    async def call_twice() -> None:
        async with AsyncExitStack() as stack:
            with serving(handle) as place:
                settings = replace(cloud.settings, hosts=regions.hosts_of_region(f"http://{place}"))
                client = await stack.enter_async_context(Client(settings))
                await client.call(ORGANIZATION)
            for connection in connections:
                connection.shutdown(socket.SHUT_RDWR)
            await client.call(ORGANIZATION)

    stamina.instrumentation.set_on_retry_hooks([count_retry])
    try:
        with pytest.raises(NoConnection):
            asyncio.run(call_twice())
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)
    assert len(retries) == cloud.settings.retry_policy.attempts - 1 == 3


def test_a_host_that_does_not_exist_is_told_with_the_region_that_is_meant(halfhour):
    ran = report(halfhour, "https://api.mypurecloud.iee.invalid")

    assert ran.code == 4
    assert re.search(r"(no host of this name|cannot be looked up)", ran.err)
    if "no host" in ran.err:
        assert "did you mean 'mypurecloud.ie'?" in ran.err
        assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("variable", "scheme"),
    [("HTTPS_PROXY", "http://"), ("https_proxy", ""), ("ALL_PROXY", "")],
)
def test_a_proxy_leads_to_genesys(halfhour, secure, certificate, variable, scheme):
    asked: list[str] = []
    with http_proxy(secure, asked=asked) as proxy:
        ran = report(halfhour, "eu-west-1", SSL_CERT_FILE=certificate, **{variable: scheme + proxy})

    assert ran.code == 0, ran.err
    assert set(asked) == {f"{host}:443" for host in IRELAND}


def test_a_proxy_that_speaks_https_is_trusted_as_genesys_is(
    halfhour, authority, secure, certificate
):
    context = authority.server_context("127.0.0.1")
    with (
        http_proxy(secure, asked=[]) as plain,
        tls_in_front_of(f"http://{plain}", context) as place,
    ):
        proxy = f"https://{place}"
        trusted = report(halfhour, "eu-west-1", SSL_CERT_FILE=certificate, HTTPS_PROXY=proxy)
        ran = report(halfhour, "eu-west-1", HTTPS_PROXY=proxy)

    assert trusted.code == 0, trusted.err
    assert (ran.code, ran.err.count("\n")) == (4, 1)
    assert f"the proxy {proxy} (HTTPS_PROXY): its certificate is not trusted" in ran.err
    assert "issued by 'Example Works'" in ran.err


def test_a_proxy_that_reads_along_is_named_by_its_issuer(halfhour, secure):
    with http_proxy(secure, asked=[]) as proxy:
        ran = report(halfhour, "eu-west-1", HTTPS_PROXY=proxy)

    assert (ran.code, ran.err.count("\n")) == (4, 1)
    assert "login.mypurecloud.ie: its certificate is not trusted" in ran.err
    assert "issued by 'Example Works'" in ran.err


def test_a_socks_proxy_leads_to_genesys(halfhour, secure, certificate):
    asked: list[str] = []
    with socks_proxy(secure, asked) as proxy:
        ran = report(
            halfhour, "eu-west-1", SSL_CERT_FILE=certificate, ALL_PROXY=f"socks5://{proxy}"
        )

    assert ran.code == 0, ran.err
    assert set(asked) == set(IRELAND)


def test_a_host_on_this_machine_is_reached_without_a_proxy(halfhour, closed_port):
    region = halfhour.environment["GENESYS_REGION"]

    assert report(halfhour, region, HTTP_PROXY=closed_port, ALL_PROXY="socks4://x").code == 0


def test_a_proxy_that_does_not_answer_is_named_with_its_variable(halfhour, closed_port):
    proxy = f"http://somebody:open-sesame@{closed_port}"
    ran = report(halfhour, "eu-west-1", HTTPS_PROXY=proxy, ALL_PROXY="socks4://unused")

    assert ran.code == 4
    assert f"the proxy http://{closed_port} (HTTPS_PROXY) does not answer" in ran.err
    assert "it refuses connections" in ran.err
    assert "open-sesame" not in ran.err
    assert ran.err.count("\n") == 2


@pytest.mark.parametrize(
    ("status", "lines", "sentence"),
    [
        ("407 Proxy Authentication Required", 1, "(HTTPS_PROXY) asks for a login (HTTP 407)"),
        ("403 Forbidden", 2, "(HTTPS_PROXY) did not connect to this host (HTTP 403)"),
    ],
)
def test_a_proxy_that_refuses_is_named(halfhour, closed_port, status, lines, sentence):
    with http_proxy(closed_port, refuse=status, asked=[]) as proxy:
        ran = report(halfhour, "eu-west-1", HTTPS_PROXY=proxy)

    assert (ran.code, ran.err.count("\n")) == (4, lines)
    assert sentence in ran.err


def test_a_proxy_that_speaks_something_else_is_named(halfhour):
    with serving(lambda connection: connection.sendall(b"SSH-2.0\r\n")) as proxy:
        ran = report(halfhour, "eu-west-1", HTTPS_PROXY=proxy)

    assert (ran.code, ran.err.count("\n")) == (4, 2)
    assert f"the connection through the proxy http://{proxy} (HTTPS_PROXY) broke off" in ran.err


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("proxy:80x", "'http://proxy:80x' is not the address of a proxy"),
        ("http://", "is not the address of a proxy"),
        ("http://me:open-sesame@proxy:80/page", "'http://proxy:80/page' is not the address"),
        ("socks4://proxy:1080", "a proxy of the kind socks4:// cannot be used"),
    ],
)
def test_an_address_that_is_no_proxy_is_told_by_its_variable(monkeypatch, address, sentence):
    monkeypatch.setenv("HTTPS_PROXY", address)

    with pytest.raises(ConfigError, match=r"^HTTPS_PROXY: ") as caught:
        find_proxy("https://api.mypurecloud.ie", {"HTTPS_PROXY": address})
    assert sentence in str(caught.value)
    assert "open-sesame" not in str(caught.value)


def test_a_socks_proxy_without_its_package_says_which_extra_is_missing(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy:1080")
    monkeypatch.setitem(sys.modules, "socksio", None)

    with pytest.raises(ConfigError, match=r"ALL_PROXY: .*extra 'socks'"):
        find_proxy("https://api.mypurecloud.ie", {"ALL_PROXY": "socks5://proxy:1080"})


@pytest.mark.parametrize(
    ("url", "exceptions", "is_direct"),
    [
        ("https://api.mypurecloud.ie", "mypurecloud.ie", True),
        ("https://api.mypurecloud.ie", ".example.com, mypurecloud.de", False),
        ("https://api.mypurecloud.ie", "*", True),
        ("https://10.1.2.3", "10.0.0.0/8", True),
        ("https://11.1.2.3", "10.0.0.0/8", False),
        ("https://localhost", "", True),
    ],
)
def test_exceptions_from_the_proxy_are_kept(monkeypatch, url, exceptions, is_direct):
    environ = {"https_proxy": "proxy:8080", "no_proxy": exceptions}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert (find_proxy(url, environ) is None) is is_direct


@pytest.mark.parametrize("certificate_bytes", [b"", b"\x30", b"\x30\x82", b"\x30\x03\x30\x01\x00"])
def test_a_damaged_certificate_has_no_issuer(certificate_bytes):
    assert issuer_of_certificate(certificate_bytes) == ""
