"""A missing permission ends a command by one rule, which docs/errors.md states."""

import pytest

DAY = ("--from", "2026-03-02", "--to", "2026-03-03")
POSTED, STATUS, DETAILS = "aggregates", "user_aggregates", "jobs"
QUEUES, AGENTS = "queues", "users"
STORE = ("--store", "s.duckdb")

CASES = [
    # Nothing of what was asked for can be had.
    (POSTED, ("sync",), 3),
    (POSTED, ("report",), 3),
    (POSTED, ("report", *STORE), 3),
    (DETAILS, ("sync", "--source", "details"), 3),
    (DETAILS, ("report", "--basis", "worked"), 3),
    (DETAILS, ("report", "--basis", "worked", *STORE), 3),
    (QUEUES, ("report", "--queue", "Billing"), 3),
    (AGENTS, ("report", "--division", "Europe"), 3),
    (QUEUES, ("report", "--queue", "Billing", *STORE), 1),
    # A part of it lacks.
    (STATUS, ("sync", "--source", "posted", "--source", "status"), 5),
    (DETAILS, ("sync", "--source", "posted", "--source", "details"), 5),
    (DETAILS, ("report", "--basis", "both"), 5),
    (DETAILS, ("report", "--basis", "both", *STORE), 5),
    # Nobody named what lacks.
    (STATUS, ("sync",), 0),
    (DETAILS, ("sync",), 0),
    (QUEUES, ("sync",), 0),
    (AGENTS, ("sync",), 0),
    (STATUS, ("report", *STORE), 0),
    (STATUS, ("report", "--basis", "worked"), 0),
    (QUEUES, ("report", "--by", "queue"), 0),
    (QUEUES, ("report", "--by", "queue", *STORE), 0),
    (AGENTS, ("report",), 0),
    (AGENTS, ("report", *STORE), 0),
]


def forbid(cloud, endpoint):
    cloud.faults({"kind": "status", "status": 403, "share": 1, "endpoint": endpoint})


@pytest.mark.parametrize(("endpoint", "words", "code"), CASES)
def test_a_missing_permission_is_told_by_the_exit_code_or_a_warning(
    cloud, halfhour, endpoint, words, code
):
    forbid(cloud, endpoint)
    command, *options = words
    ran = halfhour(command, *DAY, *options)

    assert ran.code == code, ran.err
    assert "HTTP 403" in ran.err
    assert "running it again" not in ran.err
    assert bool(ran.out) == (command == "report" and code in (0, 5))


def test_status_that_is_asked_for_by_name_and_refused_is_a_failure(cloud, halfhour):
    assert halfhour("sync", *DAY, "--source", "posted").code == 0
    forbid(cloud, STATUS)
    assert halfhour("sync", *DAY, "--source", "status").code == 3


@pytest.mark.parametrize(("endpoint", "command"), [(QUEUES, "queues"), (AGENTS, "agents")])
def test_a_list_of_names_that_may_not_be_read_is_a_failure(cloud, halfhour, endpoint, command):
    forbid(cloud, endpoint)
    assert halfhour(command).code == 3
