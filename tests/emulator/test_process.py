"""The emulator as it is started: its one line, its exit codes, its sentences."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx2
import msgspec
import pytest

from .conftest import AGGREGATES, CLIENT, GRANT, Served, a_query, command, served
from .records import RECORDS


def refused(*options: str) -> tuple[int, str]:
    done = subprocess.run(
        command(*options), capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    return done.returncode, done.stderr


def test_the_emulator_prints_its_url_and_answers_at_once():
    with served("--client-secret", "-kept-to-itself") as emulator:
        assert httpx2.get(f"{emulator.url}/_emulator/org").status_code == 200
        out, err = emulator.stop()

    assert emulator.url.startswith("http://127.0.0.1:")
    assert out == ""
    assert err == "genesys_emulator: 12 agents since 2026-02-24, for client id 'emulator'\n"


def test_options_do_what_they_say():
    with served("--agents", "3", "--seed", "2", "--without-permission", "routing:queue:view",
                "--requests-per-minute", "7", "--days", "1") as emulator:  # fmt: skip
        with httpx2.Client(base_url=emulator.url, headers=emulator.token()) as client:
            users = client.get("/api/v2/users")
            assert users.json()["total"] == 3
            assert users.headers["inin-ratelimit-allowed"] == "7"
            assert client.get("/api/v2/routing/queues").status_code == 403
        _, err = emulator.stop()

    assert "3 agents since 2026-03-02" in err


def ask_for_values(emulator: Served) -> bytes:
    answer = httpx2.post(
        f"{emulator.url}{AGGREGATES}", json=a_query(), headers=emulator.token(), timeout=60
    )
    assert answer.status_code == 200
    return answer.content


def test_days_are_kept_on_disk_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.setenv("GENESYS_EMULATOR_CACHE", str(tmp_path / "cache"))

    with served("--no-cache") as emulator:
        without = ask_for_values(emulator)
    assert list(tmp_path.iterdir()) == []

    with served() as emulator:
        made = ask_for_values(emulator)
    assert list((tmp_path / "cache").iterdir())

    with served() as emulator:
        assert without == made == ask_for_values(emulator)


def test_a_cache_folder_that_cannot_be_written_is_told_in_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GENESYS_EMULATOR_CACHE", str(tmp_path / "file"))

    with served() as emulator:
        ask_for_values(emulator)
        _, err = emulator.stop()

    started, warning = err.splitlines()
    assert started.startswith("genesys_emulator: 12 agents")
    assert warning.startswith("genesys_emulator: days are not cached")


def test_a_file_of_conversations_is_served(tmp_path):
    path = tmp_path / "records.ndjson"
    path.write_bytes(b"\n".join(map(msgspec.json.encode, RECORDS)))

    with served("--conversations", str(path)) as emulator:
        queues = httpx2.get(f"{emulator.url}/api/v2/routing/queues", headers=emulator.token())

    assert {queue["name"] for queue in queues.json()["entities"]} == {"Care", "Claims"}


@pytest.mark.parametrize("of", ["a seed", "a file"])
def test_the_id_of_the_organization_may_be_chosen(tmp_path, of):
    chosen = "0DDBA115-0000-4000-8000-000000000001"
    path = tmp_path / "records.json"
    path.write_bytes(msgspec.json.encode(RECORDS))
    options = {"a seed": ("--seed", "7"), "a file": ("--conversations", str(path))}[of]

    with (
        served("--organization-id", chosen, *options) as emulator,
        httpx2.Client(base_url=emulator.url, headers=emulator.token()) as client,
    ):
        organization = client.get("/api/v2/organizations/me").json()
        token = client.get("/api/v2/tokens/me").json()

    assert organization["id"] == token["organization"]["id"] == chosen.lower()


def test_faults_by_options_are_there_from_the_start_and_again_after_a_reset():
    refuse = ("--fault", "kind=status,status=502,endpoint=users,calls=1+3")
    late = ("--fault", '{"kind": "hang", "seconds": 0.01, "endpoint": "users"}')
    with served(*refuse, *late) as emulator, httpx2.Client(base_url=emulator.url) as client:

        def statuses() -> list[int]:
            headers = emulator.token()
            return [client.get("/api/v2/users", headers=headers).status_code for _ in range(3)]

        first = statuses()
        client.post("/_emulator/reset")
        again = statuses()
        client.post("/_emulator/reset")
        ended = client.delete("/_emulator/faults").json()

        assert first == again == [502, 200, 502]
        assert ended == {"active": 0}
        assert statuses() == [200, 200, 200]


def test_a_429_may_leave_out_retry_after():
    with served("--requests-per-minute", "1", "--retry-after", "never") as emulator:
        headers = emulator.token()
        answers = [httpx2.get(f"{emulator.url}/api/v2/users", headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["inin-ratelimit-count"] == "2"
    assert "Retry-After" not in answers[1].headers


def test_the_date_of_an_answer_is_the_moment_at_which_it_was_sent():
    """Whatever the clock of the data shows: clients hold their own clock against it."""
    before = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=2)
    with served() as emulator, httpx2.Client(base_url=emulator.url) as client:
        answers = [client.post("/oauth/token"), client.get("/api/v2/users")]

    (dates,) = {tuple(answer.headers.get_list("Date")[1:]) for answer in answers}
    assert dates == ()
    for answer in answers:
        assert before <= parsedate_to_datetime(answer.headers["Date"]) <= datetime.now(UTC)


def test_a_client_that_is_made_for_another_grant_type_is_told_so():
    with served("--grant-type", "code") as emulator:
        answer = httpx2.post(f"{emulator.url}/oauth/token", auth=CLIENT, data=GRANT)
        guess = httpx2.post(f"{emulator.url}/oauth/token", auth=(CLIENT[0], "guess"), data=GRANT)

    words = "client is not authorized to use the client_credential grant type"
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "unauthorized_client",
        "description": words,
        "error_description": words,
    }
    assert (guess.status_code, guess.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("name", "code"), [("SIGTERM", 0), ("SIGINT", 130)]
)  # fmt: skip
def test_a_signal_ends_the_emulator_at_once_whatever_hangs(name, code):
    with served() as emulator:
        headers = emulator.token()
        emulator.fault(kind="hang", endpoint="users", seconds=60)
        waiting = threading.Thread(
            target=disconnected, args=(f"{emulator.url}/api/v2/users", headers)
        )
        waiting.start()
        while not httpx2.get(f"{emulator.url}/_emulator/requests").json()["requests"][1:]:
            time.sleep(0.01)
        before = time.monotonic()
        emulator.process.send_signal(getattr(signal, name))
        _, err = emulator.process.communicate(timeout=20)
        took = time.monotonic() - before
        waiting.join()

    assert emulator.process.returncode == code
    assert took < 2  # a second, on a machine that has nothing else to do
    assert "Traceback" not in err


IN_THE_BACKGROUND = ("sh", "-c", "trap '' INT; exec \"$@\"", "sh")
"""A shell script starts with interrupts ignored what it starts with ``&``."""


@pytest.mark.skipif(os.name != "posix", reason="there is no sh")
def test_an_ignored_interrupt_does_not_end_the_emulator_and_sigterm_does():
    with served(before=IN_THE_BACKGROUND) as emulator:
        emulator.process.send_signal(signal.SIGINT)
        time.sleep(0.5)  # uvicorn looks for a reason to stop every tenth of a second
        assert httpx2.get(f"{emulator.url}/_emulator/clock").status_code == 200
        before = time.monotonic()
        _, err = emulator.stop()
        took = time.monotonic() - before

    assert emulator.process.returncode == 0
    assert took < 2
    assert err.count("\n") == 1


EARLY = """
import signal
from genesys_emulator import __main__
from genesys_emulator.http import server

class StoppedEarly(server.AnnouncingServer):
    async def serve(self, sockets=None):
        signal.raise_signal(signal.SIGTERM)
        await super().serve(sockets)

server.AnnouncingServer = StoppedEarly
__main__.main()
"""


def test_a_signal_during_startup_is_not_lost():
    done = subprocess.run(
        [sys.executable, "-c", EARLY], capture_output=True, text=True, timeout=30, check=False
    )

    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def disconnected(url: str, headers: dict[str, str]) -> None:
    with pytest.raises(httpx2.TransportError):
        httpx2.get(url, headers=headers, timeout=30)


def test_a_port_that_is_taken_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, message = refused("--port", str(port))

    assert code == 1
    assert str(port) in message
    assert "--port 0" in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--agnts", "3"], "--agents"),
        (["--agents", "many"], "many"),
        (["--agents", "0"], "--agents 0: write a number from 1"),
        (["--days", "-1"], "--days"),
        (["--port", "65536"], "--port 65536: write a number from 0 to 65535"),
        (["--token-lifetime", "0"], "--token-lifetime 0"),
        (["--now", "2026-03-03T00:00:00"], "a time with its zone"),
        (["--now", "yesterday"], "--now 'yesterday'"),
        (["--without-permission", "routing:queue:vew"], "did you mean 'routing:queue:view'?"),
        (["--without-permission", "everything"], "known are analytics:"),
        (["--conversations", "no/such.json"], "no/such.json: cannot be read"),
        (["--organization-id", "acme"], "--organization-id 'acme': write a UUID, such as "),
        (["--grant-type", "cod"], 'Did you mean "code"?'),
        (["--retry-after", "nver"], 'Did you mean "never"?'),
        (["--fault", "kind=stauts"], "--fault 'kind=stauts': kind: unknown 'stauts'; did you mean"),
        (["--fault", "kind=reset", "--fault", '{"kind": "hnag"}'], "did you mean 'hang'?"),
    ],
)
def test_an_impossible_option_is_refused_in_one_sentence(options, message):
    code, sentence = refused(*options)

    assert code == 2
    assert message in sentence


def test_a_malformed_file_is_not_served(tmp_path):
    path = tmp_path / "records.json"
    path.write_text('{"conversationId": "c-1", "conversationStart": "2021-04-2T15:30:51.418Z"}')
    code, sentence = refused("--conversations", str(path))

    assert code == 2
    assert "conversation c-1: conversationStart: '2021-04-2T15:30:51.418Z'" in sentence


def test_the_help_has_one_line_for_each_option():
    done = subprocess.run(command("--help"), capture_output=True, text=True, check=True)

    lines = [line for line in done.stdout.splitlines() if line.startswith("│ ")]
    assert len(lines) == 18
    assert all(line.startswith("│ --") for line in lines)
