"""`halfhour serve` and `halfhour password` as processes."""

import http.client
import os
import socket
import stat
import subprocess
import sys
import time
from contextlib import closing, suppress
from urllib.parse import urlsplit

import pytest

from tests.processes import Halfhour
from tests.web.conftest import serving

PASSWORD = "correct horse battery"


@pytest.fixture
def run(tmp_path):
    return Halfhour(tmp_path, {})


def get_answer(url: str, path: str, **headers: str) -> tuple[int, str]:
    address = urlsplit(url)
    with closing(
        http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
    ) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_the_server_answers_this_machine_and_ends_on_sigterm(store):
    with serving(store.path.parent) as dashboard:
        assert dashboard.url.startswith("http://127.0.0.1:")
        assert get_answer(dashboard.url, "/healthz") == (200, "halfhour\n")
        assert get_answer(dashboard.url, "/")[0] == 200
        assert get_answer(dashboard.url, "/", host="evil.example")[0] == 400
        start = time.monotonic()
        dashboard.process.terminate()
        dashboard.process.wait(timeout=20)
    assert time.monotonic() - start < 5
    assert dashboard.process.returncode == 143


def test_a_port_that_is_taken_is_refused_and_a_free_one_named(run):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ran = run("serve", "--port", str(port))
    assert ran.code == 2
    assert f"--port {port}: " in ran.err
    assert "another program listens there already" in ran.err
    free_port = int(ran.err.split("--port ")[-1].split(" ")[0])
    assert port < free_port < port + 20


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--host", "0.0.0.0"), 2, "everybody who can reach that address could read everything"),
        (("--host", "0.0.0.0", "--password-file", "nothing"), 2, "cannot be read"),
        (("--zone", "Europe/Londn"), 2, "did you mean 'Europe/London'"),
        (("--sync", "often"), 2, "--sync"),
        (("--name", "*"), 2, "write a host name"),
        (("--name", "https://half.example/"), 2, "write a host name"),
        (("--sync", "15m"), 3, "GENESYS_CLIENT_ID"),
        (("--port", "99999"), 2, "--port"),
        (("--host", "no.such.host.invalid", "--password-file", "p"), 2, "--host no.such.host"),
    ],
)
def test_bad_options_of_serve_get_a_sentence(run, words, code, sentence):
    run_password(run, PASSWORD, "p")
    ran = run("serve", *words)

    assert (ran.code, ran.out) == (code, "")
    assert sentence in ran.err


def run_password(run: Halfhour, password: str, name: str) -> tuple[int, str]:
    process = subprocess.run(
        [sys.executable, "-m", "halfhour", "password", name],
        cwd=run.folder,
        input=f"{password}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in process.stderr
    return process.returncode, process.stderr


def test_a_password_is_kept_as_a_hash_that_only_its_owner_reads(run):
    assert run_password(run, PASSWORD, "p")[0] == 0
    file = run.folder / "p"

    assert PASSWORD not in file.read_text()
    assert file.read_text().startswith("scrypt$")
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    first_hash = file.read_text()
    assert run_password(run, PASSWORD, "p")[0] == 0
    assert file.read_text() != first_hash  # the salt is another


def test_a_password_file_replaces_no_other_file(run):
    store = run.folder / "halfhour.duckdb"
    store.write_bytes(b"the figures of a year")

    code, message = run_password(run, PASSWORD, store.name)
    assert (code, store.read_bytes()) == (2, b"the figures of a year")
    assert "refusing to overwrite it, as this is not a halfhour password file" in message


@pytest.mark.skipif(os.name != "posix", reason="there is no pty")
def test_the_password_command_at_a_terminal_asks_twice_and_shows_nothing(run):
    import pty  # not on Windows

    def run_at_terminal(*answers: str) -> tuple[int, str]:
        pid, terminal = pty.fork()
        if pid == 0:  # pragma: no cover
            os.chdir(run.folder)
            os.execv(sys.executable, [sys.executable, "-m", "halfhour", "password", "p"])
        output = ""
        for answer in answers:
            while not output.endswith(": "):
                output += os.read(terminal, 99).decode()
            os.write(terminal, f"{answer}\n".encode())
            output += "\n"
        with suppress(OSError):  # Linux raises it when the other side has closed
            while chunk := os.read(terminal, 999):
                output += chunk.decode()
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output

    code, output = run_at_terminal(PASSWORD, f"{PASSWORD}?")
    assert code == 2
    assert "the two passwords differ; nothing was written" in output
    assert list(run.folder.iterdir()) == []
    code, output = run_at_terminal(PASSWORD, PASSWORD)
    assert code == 0
    assert PASSWORD not in output
    assert (run.folder / "p").read_text().startswith("scrypt$")


@pytest.mark.parametrize(
    ("password", "name", "sentence"),
    [
        ("short", "p", "shorter than 12 characters"),
        ("", "p", "shorter than 12 characters"),
        (PASSWORD, "no/such/folder", "cannot be written"),
    ],
)
def test_a_short_password_or_a_bad_path_gets_a_sentence_and_no_file(run, password, name, sentence):
    code, message = run_password(run, password, name)

    assert code == 2
    assert sentence in message
    assert list(run.folder.iterdir()) == []


def test_a_server_open_to_others_asks_for_the_password_and_warns_about_tls(run, store):
    run_password(run, PASSWORD, "p")
    file = str(run.folder / "p")
    with serving(
        store.path.parent, "--host", "0.0.0.0", "--password-file", file, "--name", "half.example"
    ) as dashboard:
        assert dashboard.url.startswith("http://127.0.0.1:")
        bearer = {"authorization": f"Bearer {PASSWORD}"}
        assert get_answer(dashboard.url, "/metrics")[0] == 401
        assert get_answer(dashboard.url, "/metrics", **bearer)[0] == 200
        assert get_answer(dashboard.url, "/metrics", **bearer, host="half.example")[0] == 200
        assert get_answer(dashboard.url, "/metrics", **bearer, host="other.example")[0] == 400
        assert dashboard.process.stderr
        assert "listens on all addresses" in dashboard.process.stderr.readline()
        assert "put TLS in front" in dashboard.process.stderr.readline()


def begin_log_in(url: str, *headers: str, body: bytes = b"") -> socket.socket:
    """Send the beginning of a log-in: *headers* and *body*, which may be only a part."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname or "", address.port or 0), timeout=10)
    head = ("POST /login HTTP/1.1", f"Host: {address.netloc}", *headers, "", "")
    connection.sendall("\r\n".join(head).encode() + body)
    return connection


FORM = "Content-Type: application/x-www-form-urlencoded"
MULTIPART = "Content-Type: multipart/form-data; boundary=x"
FILE = (
    b'--x\r\nContent-Disposition: form-data; name="password"; filename="f"\r\n\r\n' + b"y" * 9_999
)
REFUSED_LOG_INS = [
    (("Content-Length: 99000000000", FORM), b"password=", 413),
    (("Transfer-Encoding: chunked", FORM), b"2000\r\n" + b"p" * 0x2000 + b"\r\n", 413),
    (("Content-Length: 5000", FORM), b"password=" + b"p" * 4_991, 413),
    (("Content-Length: 99000000000", MULTIPART), FILE, 415),
    (("Transfer-Encoding: chunked", MULTIPART), b"%x\r\n" % len(FILE) + FILE, 415),
    (("Content-Length: 2", "Content-Type: application/json"), b"{}", 415),
    (("Content-Length: 9",), b"password=", 415),
]


def test_a_log_in_that_is_too_large_or_no_form_is_refused_before_its_end(run, store):
    run_password(run, PASSWORD, "p")
    with serving(store.path.parent, "--password-file", str(run.folder / "p")) as dashboard:
        for headers, body, status in REFUSED_LOG_INS:
            with begin_log_in(dashboard.url, *headers, body=body) as connection:
                answer = http.client.HTTPResponse(connection)
                answer.begin()
                assert (answer.status, answer.getheader("connection")) == (status, "close")
                assert b"Password" in answer.read()
        for _ in range(6):
            begin_log_in(dashboard.url, "Content-Length: 40", FORM, body=b"password=").close()

        with begin_log_in(
            dashboard.url, "Content-Length: 32", FORM, body=b"password=correct+horse%20battery"
        ) as connection:
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert answer.status == 303


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6")
def test_the_printed_address_can_be_followed_when_listening_on_all_addresses(run, tmp_path):
    run_password(run, PASSWORD, "p")
    with serving(tmp_path, "--host", "::", "--password-file", str(run.folder / "p")) as dashboard:
        assert dashboard.url.startswith("http://[::1]:")
        assert get_answer(dashboard.url, "/healthz")[0] == 200


def test_a_dashboard_without_a_store_says_how_to_make_one(tmp_path):
    with serving(tmp_path) as dashboard:
        assert get_answer(dashboard.url, "/healthz")[0] == 200
        dashboard.process.terminate()
        dashboard.process.wait(timeout=20)
        assert dashboard.process.stderr
        message = dashboard.process.stderr.readline()
    assert "halfhour.duckdb does not exist yet; run 'halfhour sync', or add --sync 15m" in message


@pytest.mark.skipif(os.name != "posix", reason="there are no modes")
@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o444, False), (0o620, True)])
def test_a_password_file_that_others_may_write_to_gets_a_warning(run, mode, warned):
    run_password(run, PASSWORD, "p")
    (run.folder / "p").chmod(mode)
    with serving(run.folder, "--password-file", "p") as dashboard:
        assert get_answer(dashboard.url, "/healthz")[0] == 200
        dashboard.process.terminate()
        dashboard.process.wait(timeout=20)
        assert dashboard.process.stderr
        message = dashboard.process.stderr.readline()
    assert ("chmod go-w p" in message) is warned
