"""Servers that echo secrets or send control characters, against the command line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from halfhour import report
from halfhour.errors import ApiError
from halfhour.settings import load_settings
from tests.echoing import SECRET, Answer, Echo, assert_nothing_leaks, echoing, let_in
from tests.processes import Halfhour, Ran

DAY = ("--from", "2026-03-02", "--to", "2026-03-03")


def login_refused(_: str, echo: Echo) -> Answer:
    return 401, "No", {}, {"error": f"no {echo.text}", "description": echo.text}


def login_broken(_: str, echo: Echo) -> Answer:
    return 500, echo.line, {"inin-correlation-id": echo.line}, f"<html>{echo.text}"


def refused_with(status: int) -> Callable[[str, Echo], Answer]:
    def answer(path: str, echo: Echo) -> Answer:
        content = {"code": echo.text, "message": echo.text, "contextId": echo.text}
        return let_in(path) or (status, echo.line, {}, content)

    return answer


def echo_in_reason(path: str, echo: Echo) -> Answer:
    headers = {"ININ-Correlation-Id": echo.line, "Retry-After": "0"}
    return let_in(path) or (503, echo.line, headers, echo.text)


def echo_in_content_type(path: str, echo: Echo) -> Answer:
    return let_in(path) or (200, "OK", {"Content-Type": echo.line}, echo.text)


def echo_in_job_state(path: str, echo: Echo) -> Answer:
    if path.endswith("/availability"):
        content: object = {"dataAvailabilityDate": "2026-03-04T00:00:00Z"}
    elif path.endswith("/organizations/me"):
        content = {"id": "1"}
    elif path.endswith("/jobs"):
        content = {"jobId": "1"}
    else:
        content = {"state": "FAILED", "errorMessage": echo.text}
    return let_in(path) or (200, "OK", {}, content)


def run_with_secret(halfhour: Halfhour, url: str, *words: str, **environment: str) -> Ran:
    mine = {"GENESYS_CLIENT_ID": "my-client", "GENESYS_CLIENT_SECRET": SECRET}
    return halfhour(*words, GENESYS_REGION=url, **mine, **environment)


ANSWERS = [
    (login_refused, ("report", *DAY), 3),
    (login_broken, ("report", *DAY), 1),
    (refused_with(400), ("report", *DAY), 1),
    (refused_with(401), ("report", *DAY), 3),
    (refused_with(403), ("report", *DAY), 3),
    (refused_with(500), ("sync", *DAY), 5),
    (echo_in_reason, ("report", *DAY, "--attempts", "2"), 1),
    (echo_in_content_type, ("sync", *DAY), 5),
    (echo_in_job_state, ("report", *DAY, "--basis", "worked"), 5),
]
NAMES = "login-401 login-500 400 401 403 500-of-days reason content-type job".split()


@pytest.mark.parametrize(("answer", "words", "code"), ANSWERS, ids=NAMES)
def test_an_echoed_secret_is_masked_on_stderr_and_control_characters_escaped(
    halfhour, answer, words, code
):
    with echoing(answer) as url:
        ran = run_with_secret(halfhour, url, *words)

    assert ran.code == code
    assert_nothing_leaks(ran.err)
    assert all(line.startswith(("halfhour: ", "  ")) for line in ran.err.splitlines())
    assert max(map(len, ran.err.splitlines())) < 2_000


@pytest.mark.parametrize(
    "answer", [login_refused, refused_with(500), echo_in_reason], ids=NAMES[:3]
)
def test_an_echoed_secret_is_not_in_the_json_log(halfhour, answer):
    with echoing(answer) as url:
        ran = run_with_secret(halfhour, url, "sync", *DAY, "--log-format", "json")

    events = [json.loads(line) for line in ran.err.splitlines()]
    assert_nothing_leaks("\n".join(str(value) for event in events for value in event.values()))


@pytest.mark.parametrize("length", [60_000, 5_000_000])
def test_an_error_of_five_megabytes_is_shortened_and_keeps_what_to_do(halfhour, length):
    def answer(path: str, _: Echo) -> Answer:
        return let_in(path) or (403, "No", {}, {"message": "x" * length})

    with echoing(answer) as url:
        ran = run_with_secret(halfhour, url, "report", *DAY)

    assert len(ran.err) < 1_000
    assert ("…" if length < 64_000 else "HTTP 403: No") in ran.err  # it is read no further
    assert "ask an admin" in ran.err


def test_an_echoed_secret_is_not_in_exceptions_of_the_python_api(tmp_path):
    environ = {"GENESYS_CLIENT_ID": "my-client", "GENESYS_CLIENT_SECRET": SECRET}
    with echoing(refused_with(400)) as url:
        settings = load_settings(
            environ={**environ, "GENESYS_REGION": url, "HALFHOUR_ATTEMPTS": "1"}
        )
        with pytest.raises(ApiError) as caught:
            report(start="2026-03-02", end="2026-03-03", settings=settings)

    error = caught.value
    for text in (str(error), repr(error), error.message, error.code, error.correlation_id):
        assert_nothing_leaks(f"*** {text}")


def test_a_secret_is_masked_in_a_traceback_of_debugging():
    script = (
        "from halfhour.cli.exit_codes import run_and_exit\n"
        "from halfhour.settings import load_settings\n"
        "def command():\n"
        "    raise ValueError(f'of \\x1b {load_settings().client_secret}')\n"
        "run_and_exit(command)"
    )
    mine = {"GENESYS_CLIENT_ID": "my-client", "GENESYS_CLIENT_SECRET": SECRET}
    for debugging in ({"HALFHOUR_DEBUG": "1"}, {}):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, **mine, **debugging}, capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert done.returncode == 1
        assert "ValueError: of \\x1b ***" in done.stderr
        assert ("Traceback" in done.stderr) == bool(debugging)
        assert SECRET not in done.stderr
