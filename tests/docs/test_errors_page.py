"""The messages on the page of errors are those of the program."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.docs.blocks import ROOT
from tests.processes import emulator

PAGE = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
MESSAGES = dict(re.findall(r"^## (.*)\n\n```text\n(.*)\n```$", PAGE, re.MULTILINE))
RANGE = ("--from", "2026-03-02", "--to", "2026-03-03")
BEFORE_THE_FIRST_DAY = ("--from", "2025-12-01", "--to", "2025-12-02")
PERMISSION = "analytics:conversationAggregate:view"
REPORT = ("report", *RANGE, "--attempts", "1")


def status(number: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "status", "status": number, "endpoint": "aggregates", **fields}


FAULTS = {
    "400: the query was not accepted": (status(400), 1),
    "401: the token was refused": (status(401), 3),
    "413: the request is too large": (status(413), 1),
    "429: too many requests": (status(429, retry_after="600"), 1),
    "5xx: Genesys failed": (status(503), 1),
    "Nothing comes": ({"kind": "hang", "seconds": 20, "endpoint": "aggregates"}, 4),
}
COMMANDS: dict[str, tuple[Sequence[str], Mapping[str, str], int]] = {
    "Log-in: refused client": (REPORT, {"GENESYS_CLIENT_SECRET": "another"}, 3),
    "Nothing was posted": (("report", *BEFORE_THE_FIRST_DAY), {}, 0),
    "A name that nobody has": ((*REPORT, "--queue", "Billng"), {}, 2),
    "No store": (("coverage", "--store", "none.duckdb"), {}, 1),
}
EMULATORS = {
    "Log-in: another grant type": ("--grant-type", "code"),
    "403: a permission is missing": ("--without-permission", PERMISSION),
}


def assert_says(stderr: str, heading: str) -> None:
    """Assert that *stderr* has the message under *heading*, whatever stands for each ellipsis."""
    pattern = ".*".join(map(re.escape, MESSAGES[heading].split("…")))
    assert re.search(pattern, stderr.replace("\n", " ")), f"{MESSAGES[heading]}\n{stderr}"


def test_every_message_is_tried():
    assert set(MESSAGES) == {*FAULTS, *COMMANDS, *EMULATORS}


@pytest.mark.parametrize("heading", FAULTS)
def test_an_answer_of_genesys_gives_the_message_on_the_page(halfhour, cloud, heading):
    fault, code = FAULTS[heading]
    cloud.faults(fault)

    result = halfhour(*REPORT, "--timeout", "1")

    assert result.code == code
    assert_says(result.err, heading)


@pytest.mark.parametrize("heading", COMMANDS)
def test_a_mistake_of_a_person_gives_the_message_on_the_page(halfhour, cloud, heading):
    words, changes, code = COMMANDS[heading]

    result = halfhour(*words, **changes)

    assert result.code == code
    assert_says(result.err, heading)


@pytest.mark.parametrize("heading", EMULATORS)
def test_a_client_without_a_right_gives_the_message_on_the_page(halfhour, heading):
    for cloud in emulator("--now", "2026-03-03T00:00:00Z", "--agents", "2", *EMULATORS[heading]):
        result = halfhour(*REPORT, **cloud.environment)

    assert result.code == 3
    assert_says(result.err, heading)
