"""The command ``halfhour init``: on a terminal, without one, and run again."""

import os
import pty
import re
import select
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.processes import Cloud, Halfhour

SECRET = "emulator-secret"
KEYRING = {"PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring"}
ON_A_TERMINAL = """
import fcntl, runpy, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
sys.argv[0] = "halfhour"
runpy.run_module("halfhour", run_name="__main__", alter_sys=True)
"""


class Terminal:
    """A command that a person watches: its output so far, and what is typed."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int) -> None:
        self.process, self.output, self._master, self._seen = process, "", master, 0

    def expect(self, pattern: str) -> None:
        """Wait for *pattern* in what has not been looked at yet."""
        deadline = time.monotonic() + 30
        while not (match := re.search(pattern, self.output[self._seen :])):
            ready, _, _ = select.select([self._master], [], [], deadline - time.monotonic())
            assert ready, f"{pattern!r} did not come: {self.output}"
            assert self._read(), f"{pattern!r} did not come before the end: {self.output}"
        self._seen += match.end()

    def answer(self, pattern: str, text: str) -> None:
        self.expect(pattern)
        time.sleep(0.05)  # getpass drops what was typed before it has turned off the echo
        os.write(self._master, text.encode())

    def end(self) -> int:
        while self._read():
            pass
        return self.process.wait(30)

    def _read(self) -> bool:
        try:
            text = os.read(self._master, 4096)
        except OSError:  # Linux says so when the other side has closed the terminal
            return False
        self.output += text.decode().replace("\r\n", "\n")
        return bool(text)


@contextmanager
def terminal(folder: Path, *words: str, **environment: str) -> Iterator[Terminal]:
    """Run ``halfhour`` on a terminal of its own in *folder*, with only *environment* set."""
    master, slave = pty.openpty()
    inherited = {"PATH": os.environ["PATH"], "HOME": str(folder), "TZ": "Europe/Lisbon"}
    with subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL, *words], cwd=folder,
        env={**inherited, **environment}, stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True,
    ) as process:  # fmt: skip
        os.close(slave)
        try:
            yield Terminal(process, master)
        finally:
            process.kill()
            os.close(master)


def usual_file(folder: Path) -> Path:
    return folder / ".config" / "halfhour" / "halfhour.toml"


def values_of(path: Path) -> Mapping[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def init(tmp_path: Path, cloud: Cloud) -> Halfhour:
    """`Halfhour` with no more than a secret in its environment."""
    return Halfhour(tmp_path, {"GENESYS_CLIENT_SECRET": SECRET, "TZ": "Europe/Lisbon"})


def options(cloud: Cloud, *more: str) -> tuple[str, ...]:
    return ("init", "--region", cloud.url, "--client-id", cloud.client_id, *more)


def test_a_person_is_asked_corrected_and_led_to_the_first_report(tmp_path, cloud):
    with terminal(tmp_path, "init") as asked:
        asked.expect(r"Settings are written to .*halfhour\.toml\. Ctrl-C writes nothing\.")
        asked.answer(r"Region of Genesys Cloud.*: $", "eu-west-99\n")
        asked.answer(r"unknown region 'eu-west-99'.*\nRegion.*: $", f"{cloud.url}\n")
        asked.answer(r"Id of the OAuth client.*: $", f"{cloud.client_id}\n")
        asked.answer(r"Client secret \(not shown\): $", "the-wrong-secret\n")
        asked.expect(r"refused client id .*authentication failed")
        asked.answer(rf"Region.* \[{cloud.url}\]: $", "\n")
        asked.answer(rf"Id of the OAuth client.* \[{cloud.client_id}\]: $", "\n")
        present = r"Client secret \(not shown; Enter keeps the present one\): $"
        asked.answer(present, "\n")
        asked.answer(r"authentication failed(.|\n)*Region.*: $", "\n")
        asked.answer(r"Id of the OAuth client.*: $", "\n")
        asked.answer(present, f"{SECRET}\n")
        asked.expect(r"Connected to .+\.\n")
        asked.answer(r"Time zone.* \[Europe/Lisbon\]: $", "Europe/Lundon\n")
        asked.answer(r"not an IANA time zone.*\nTime zone.*: $", "Europe/London\n")
        asked.answer(r"File of the store \[.*/halfhour\.duckdb\]: $", "/nowhere/x.duckdb\n")
        asked.answer(r"there is no folder /nowhere.*\nFile of the store.*: $", "mine.duckdb\n")
        asked.answer(r"Length of time.* \[31d\]: $", "1d\n")
        asked.expect(r"halfhour\.toml: written\. The client secret is in it, and only you can")
        asked.answer(r"Fetch the last 1d now\? \[Y/n\]: $", "\n")
        assert asked.end() == 0
    assert not [secret for secret in (SECRET, "the-wrong-secret") if secret in asked.output]

    file = usual_file(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    assert values_of(file) == {
        "client_id": cloud.client_id,
        "client_secret": SECRET,
        "region": cloud.url,
        "zone": "Europe/London",
        "store": str(tmp_path / "mine.duckdb"),
        "history": "1d",
    }
    assert file.read_text().count("\n# ") >= len(values_of(file))
    report = Halfhour(tmp_path, {})("report", "--last", "1h", "--offline")
    assert report.code == 0, report.err


CTRL_C, CTRL_D = "\x03", "\x04"
GIVEN_UP = [
    (CTRL_C, "Region"),
    (CTRL_C, "Client secret"),
    (CTRL_C, "File of the store"),
    (CTRL_D, "Region"),
    (CTRL_D, "Client secret"),
]


@pytest.mark.parametrize(("key", "question"), GIVEN_UP)
def test_giving_up_at_a_question_writes_nothing(tmp_path, cloud, key, question):
    answers = {
        "Region": cloud.url, "Id of": cloud.client_id, "Client secret": SECRET, "Time zone": "UTC",
        "File of the store": "",
    }  # fmt: skip
    with terminal(tmp_path, "init") as asked:
        for name, answer in answers.items():
            if name == question:
                break
            asked.answer(rf"{name}.*: $", f"{answer}\n")
        asked.answer(rf"{question}.*: $", key)
        code = asked.end()

    assert code == (130 if key == CTRL_C else 2)
    assert asked.output.rstrip().endswith(
        "halfhour: interrupted" if code == 130 else "there was no answer; nothing was written"
    )
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_options_and_the_environment_answer(init, cloud):
    ran = init(*options(cloud, "--history", "1d", "--sync"))
    file = usual_file(init.folder)

    assert (ran.code, ran.out) == (0, ""), ran.err
    assert values_of(file)["zone"] == "Europe/Lisbon"
    assert values_of(file)["store"] == str(init.folder / "halfhour.duckdb")
    assert (init.folder / "halfhour.duckdb").exists()

    before = file.read_bytes()
    again = Halfhour(init.folder, {})("init")
    assert again.code == 0, again.err
    assert f"{file}: unchanged." in again.err
    assert file.read_bytes() == before


MISSING = [
    ((), {}, "--region is missing, and there is no terminal to ask on; give --region, or set"),
    (("--region", "eu-west-1"), {}, "--client-id is missing"),
    (("--region", "eu-west-1", "--client-id", "x"), {}, "the client secret is missing; set GENES"),
    (("--region", "eu-west-9"), {}, "unknown region 'eu-west-9'"),
    (("--org", "all"), {}, "--org: 'all' cannot be the name of an organisation"),
    (("--zone", "Mars"), "connection", "--zone 'Mars' is not an IANA time zone"),
    (("--store", "/nowhere/x"), "connection", "--store /nowhere/x: there is no folder /nowhere"),
    (("--secret-in", "keyring"), "connection", "--secret-in keyring: this machine has no system"),
    (("--settings", "/proc/x.toml"), "connection", "/proc/x.toml: cannot be written"),
]


@pytest.mark.parametrize(("words", "environment", "sentence"), MISSING)
def test_without_a_terminal_an_answer_that_is_missing_or_wrong_ends_it(
    tmp_path, cloud, words, environment, sentence
):
    environment = cloud.environment if environment == "connection" else environment
    ran = Halfhour(tmp_path, environment)("init", *words)

    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (("--zone", "Mars"), {}),
        (("--store", "/nowhere/x"), {}),
        (("--history", "some"), {}),
        ((), {"HALFHOUR_ZONE": "Mars"}),
        ((), {"HALFHOUR_HISTORY": "some"}),
    ],
)
def test_init_checks_zone_store_and_history_before_it_sends_a_request(
    tmp_path, cloud, words, environment
):
    ran = Halfhour(tmp_path, {**cloud.environment, **environment})("init", *words)

    assert (ran.code, ran.out) == (2, "")
    assert "Connected" not in ran.err
    assert cloud.requests() == []


def test_a_wrong_option_is_refused_before_a_person_is_asked(tmp_path, cloud):
    with terminal(tmp_path, *options(cloud, "--zone", "Mars")) as person:
        assert person.end() == 2
    assert "Client secret" not in person.output


def test_a_refusal_speaks_of_what_was_piped_and_not_of_variables(tmp_path, cloud):
    done = subprocess.run(
        [sys.executable, "-m", "halfhour", *options(cloud)], cwd=tmp_path, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, input="the-wrong-secret\n",
        capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 3
    assert "; check the client id and the client secret, and the region: in the" in done.stderr
    assert "GENESYS_" not in done.stderr


def test_a_refusal_names_the_variables_that_gave_the_answers(tmp_path, cloud):
    ran = Halfhour(tmp_path, {**cloud.environment, "GENESYS_CLIENT_SECRET": "x" * 8})(
        "init", "--region", cloud.url + "/", "--client-id", cloud.client_id
    )
    assert ran.code == 3
    assert "check GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET, and the region: in the" in ran.err


REFUSED = [
    ({"GENESYS_CLIENT_SECRET": "the-wrong-secret"}, 3, "authentication failed"),
    ({"GENESYS_CLIENT_ID": "nobody"}, 3, "client not found"),
    ({"GENESYS_REGION": "https://api.no-such-host.invalid"}, 4, "no-such-host.invalid"),
    ({"GENESYS_REGION": "http://localhost:9"}, 4, "localhost"),
]


@pytest.mark.parametrize(("changes", "code", "sentence"), REFUSED)
def test_a_connection_that_does_not_work_is_not_written(tmp_path, cloud, changes, code, sentence):
    ran = Halfhour(tmp_path, {**cloud.environment, **changes})("init")

    assert (ran.code, ran.out) == (code, "")
    assert sentence in ran.err
    assert "the-wrong-secret" not in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_secret_on_stdin_is_kept_and_not_shown(tmp_path, cloud):
    done = subprocess.run(
        [sys.executable, "-m", "halfhour", *options(cloud)], cwd=tmp_path, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, input=f"{SECRET}\n",
        capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert values_of(usual_file(tmp_path))["client_secret"] == SECRET


HAND_WRITTEN = """\
# mine, by hand
attempts = 2   # few
zone = "Asia/Tokyo" # here
history = "2w"

[org.globex]
client_id = "other"
client_secret = "the-secret-of-globex"
"""


def test_a_second_run_changes_what_is_answered_and_nothing_else(init, cloud):
    file = init.folder / "halfhour.toml"
    file.write_text(HAND_WRITTEN)
    file.chmod(0o640)
    first = init(*options(cloud, "--zone", "Europe/London", "--org", "acme"))
    assert first.code == 0, first.err

    assert file.read_text().startswith(HAND_WRITTEN)
    assert file.stat().st_mode & 0o777 == 0o600
    assert values_of(file)["org"]["acme"] == {
        "client_id": cloud.client_id,
        "client_secret": SECRET,
        "region": cloud.url,
        "zone": "Europe/London",
        "store": str(init.folder / "acme.duckdb"),
        "history": "2w",
    }

    before = file.read_text()
    again = init("init", "--org", "acme", "--history", "90d")
    assert again.code == 0, again.err
    unchanged, _, rest = before.rpartition('"2w"')
    assert file.read_text() == f'{unchanged}"90d"{rest}'


def test_a_keyring_keeps_the_secret_and_gives_it_to_its_host_only(tmp_path, cloud):
    secret = {"GENESYS_CLIENT_SECRET": SECRET}
    ran = Halfhour(tmp_path, KEYRING)(*options(cloud), **secret)
    assert ran.code == 0, ran.err
    assert ran.err.splitlines()[-2].endswith("written. The client secret is in the system keyring.")

    file = usual_file(tmp_path)
    assert SECRET not in file.read_text()
    halfhour = Halfhour(tmp_path, {**KEYRING, "HALFHOUR_ATTEMPTS": "1"})
    shown = halfhour("settings", "--json").json["settings"]["client_secret"]
    assert shown == {"present": True, "from": "keyring"}
    assert halfhour("report", "--last", "1h").code == 0
    assert halfhour("init", "--zone", "Asia/Tokyo").code == 0

    elsewhere = halfhour("report", "--last", "1h", GENESYS_REGION="http://127.0.0.1:9")
    assert elsewhere.code == 3
    assert "no client secret, without which only 'halfhour demo' works" in elsewhere.err
    assert "run 'halfhour init'" in elsewhere.err
    without = Halfhour(tmp_path, {})("report", "--last", "1h")
    assert without.code == 3

    moved = halfhour("init", "--secret-in", "file")
    assert moved.code == 0, moved.err
    assert values_of(file)["client_secret"] == SECRET
    assert halfhour("init", "--secret-in", "keyring").code == 0
    assert "client_secret" not in values_of(file)


def test_a_keyring_that_cannot_be_loaded_is_named(tmp_path):
    ran = Halfhour(tmp_path, {"PYTHON_KEYRING_BACKEND": "no.such.Keyring"})(
        "report", GENESYS_CLIENT_ID="mine"
    )

    assert ran.code == 2
    assert "the keyring that you have chosen cannot be loaded" in ran.err
