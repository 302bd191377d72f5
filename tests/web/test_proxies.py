"""The dashboard behind proxies, which are set up word for word as in docs/dashboard.md."""

import re
import secrets
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from halfhour.store.store import Store
from halfhour.web.auth import MAX_FAILURES_PER_HOST, hash_password
from tests.conftest import program
from tests.processes import free_port
from tests.web.conftest import serving

DOCS = (Path(__file__).parents[2] / "docs/dashboard.md").read_text(encoding="utf-8")
NAME, LISTENS = "halfhour.example.com", "127.0.0.1:8030"
PASSWORD = "correct horse battery"
VIEW = "?day=2026-03-02&measure=hold"

NGINX = """
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxied;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        {block}
    }
}
"""
CADDY = """
{
    admin off
    https_port {port}
    http_port {other}
    default_bind 127.0.0.1
    auto_https disable_redirects
    local_certs
    skip_install_trust
    storage file_system {folder}
}
{block}
"""


def block_of_docs(language: str) -> str:
    (block,) = re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
    return str(block)


def nginx(folder: Path) -> list[str]:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={NAME}",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        capture_output=True, check=True,
    )  # fmt: skip
    return [program("nginx"), "-p", f"{folder}/", "-e", "stderr", "-c", f"{folder}/settings"]


def caddy(folder: Path) -> list[str]:
    return [program("Caddy"), "run", "--adapter", "caddyfile", "--config", f"{folder}/settings"]


@contextmanager
def running_proxy(
    command: Callable[[Path], list[str]], settings: str, folder: Path, upstream: str
) -> Iterator[int]:
    """Start a proxy with the block of the docs inside *settings*, and yield its port."""
    port = free_port()
    block = block_of_docs(command.__name__)
    assert LISTENS in block
    values = {"port": port, "other": free_port(), "folder": folder}
    for name, value in {**values, "block": block.replace(LISTENS, upstream)}.items():
        settings = settings.replace(f"{{{name}}}", str(value))
    (folder / "settings").write_text(settings, encoding="utf-8")
    log = folder / "log"
    with log.open("w") as output, subprocess.Popen(
        command(folder), cwd=folder, env={"HOME": str(folder)}, stdout=output, stderr=output
    ) as process:  # fmt: skip
        try:
            _wait_for_tls(process, port, log)
            yield port
        finally:
            process.terminate()


def _wait_for_tls(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    context = ssl._create_unverified_context()
    while process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as plain:
                context.wrap_socket(plain, server_hostname=NAME).close()
            return
        except OSError:
            time.sleep(0.02)
    pytest.fail(log.read_text())


@pytest.fixture(scope="module", params=[(nginx, NGINX), (caddy, CADDY)], ids=["nginx", "Caddy"])
def proxied_client(
    request: Any, store: Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., httpx2.Client]]:
    """Return a function that makes a client of a dashboard behind a proxy.

    It takes the address of this machine that the client connects from.
    """
    folder = tmp_path_factory.mktemp("proxy")
    (folder / "password").write_text(hash_password(PASSWORD, secrets.token_bytes(16)))
    command, settings = request.param
    (options,) = re.findall(r"halfhour serve (.* --proxy .*)", DOCS)
    arguments = options.replace("/etc/halfhour.password", str(folder / "password")).split()
    with (
        serving(store.path.parent, *arguments) as dashboard,
        running_proxy(command, settings, folder, urlsplit(dashboard.url).netloc) as port,
    ):

        def make_client(address: str = "127.0.0.1") -> httpx2.Client:
            return httpx2.Client(
                base_url=f"https://{NAME}:{port}/halfhour",
                transport=LocalTransport(local_address=address, verify=False),
                follow_redirects=True,
                timeout=20,
            )

        yield make_client


class LocalTransport(httpx2.HTTPTransport):
    """A transport that sends the requests for every host to this machine."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return super().handle_request(
            httpx2.Request(
                request.method,
                request.url.copy_with(host="127.0.0.1"),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": request.url.host},
            )
        )


def log_in(client: httpx2.Client, path: str = "/login", password: str = PASSWORD) -> Any:
    return client.post(path, data={"password": password}, headers={"Origin": origin_of(client)})


def origin_of(client: httpx2.Client) -> str:
    return str(client.base_url).removesuffix("/halfhour/")


def test_a_shared_view_leads_through_the_log_in_and_back_to_the_view(proxied_client):
    with proxied_client() as client:
        form = client.get(f"/{VIEW}")
        assert form.url == f"{client.base_url}login{VIEW}"
        page = log_in(client, f"/login{VIEW}")
        assert page.url == f"{client.base_url}{VIEW}"
        assert 'src="static/main.js"' in page.text
        for path in ("/static/main.js", "/api/state", f"/api/day{VIEW}", f"/csv{VIEW}", "/metrics"):
            assert client.get(path).status_code == 200, path
        assert client.get(f"/api/day{VIEW}").json()["measure"] == "hold"

        assert client.post("/logout").url == f"{client.base_url}login"
        assert client.get("/api/day").status_code == 401


def test_an_address_without_its_slash_keeps_its_view(proxied_client):
    with proxied_client() as client:
        for asked in ("", VIEW):
            answer = client.get(f"{origin_of(client)}/halfhour{asked}")
            assert str(answer.url).rstrip("?") == f"{client.base_url}login{asked}"


def test_the_session_cookie_is_sent_over_tls_only_and_to_its_folder_only(proxied_client):
    with proxied_client() as client:
        log_in(client)
        (cookie,) = client.cookies.jar
    assert (cookie.secure, cookie.path, cookie.domain) == (True, "/halfhour", NAME)
    assert cookie.has_nonstandard_attr("HttpOnly")


def test_a_visitor_who_guesses_passwords_does_not_lock_out_others(proxied_client):
    with proxied_client("127.0.0.2") as guesser, proxied_client("127.0.0.3") as other:
        forged = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "http"}
        guesser.headers.update(forged)
        codes = [
            log_in(guesser, password="a guess of many").status_code
            for _ in range(MAX_FAILURES_PER_HOST + 1)
        ]
        assert codes == [403] * MAX_FAILURES_PER_HOST + [429]
        assert log_in(other).status_code == 200
