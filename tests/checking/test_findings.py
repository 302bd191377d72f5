from datetime import timedelta

import pytest

from genesys_emulator.wire import endpoints
from halfhour.checking.findings import (
    State,
    fails,
    lacks,
    main_failure,
    next_step,
    note,
    skipped,
    works,
)
from halfhour.checking.judgements import judge_clock, judge_divisions, judge_refusal
from halfhour.checking.permissions import CAPACITY, PERMISSIONS, POSTED, STATUS, role_definition
from halfhour.errors import ApiError, AuthError, ConfigError
from halfhour.genesys.payloads import DirectoryEntity, DivisionOrTeam
from halfhour.model.vocabulary import Source

LACKING = lacks("status", "missing", "ask an admin")
REFUSED = fails("token", AuthError("the client is refused; check the secret"))
FORBIDDEN = ApiError("queues", 403, code="missing.any.permissions", message="no")


def agent(name, division=None):
    return DirectoryEntity(name, name, division and DivisionOrTeam(division))


def test_an_error_is_divided_into_what_happened_and_what_to_do():
    assert (REFUSED.message, REFUSED.fix) == ("the client is refused", "check the secret")


def test_a_near_miss_stays_with_what_happened():
    finding = fails("settings", ConfigError("unknown 'x'; did you mean 'y'? Write a region"))
    alone = fails("settings", ConfigError("unknown 'x'; did you mean 'y'?"))

    assert (finding.message, finding.fix) == ("unknown 'x'; did you mean 'y'?", "write a region")
    assert (alone.message, alone.fix) == ("unknown 'x'; did you mean 'y'?", "correct this")


@pytest.mark.parametrize(
    ("findings", "failure"),
    [
        ([], None),
        ([works("a", ""), note("b", ""), skipped("c", "a")], None),
        ([LACKING], LACKING),
        ([LACKING, REFUSED], REFUSED),
        ([REFUSED, fails("store", ConfigError("x"))], REFUSED),
    ],
)
def test_the_first_failure_that_stops_everything_is_mended_first(findings, failure):
    assert main_failure(findings) is failure


@pytest.mark.parametrize(
    ("findings", "is_stored", "due_count", "step"),
    [
        ([LACKING, REFUSED], True, 3, "check the secret, then run 'halfhour check' again"),
        ([works("a", "")], False, 0, "run 'halfhour sync' to make a store"),
        ([works("a", "")], True, 3, "run 'halfhour sync' to bring the store up to date"),
        ([works("a", "")], True, 0, "run 'halfhour report'"),
    ],
)
def test_there_is_one_next_step(findings, is_stored, due_count, step):
    assert next_step(findings, is_stored=is_stored, due_count=due_count).startswith(step)


@pytest.mark.parametrize(
    ("seconds", "state", "words"),
    [
        (0, State.OK, "agrees"),
        (60, State.OK, "agrees"),
        (-61, State.FAILED, "0:01:01 behind"),
        (7200, State.FAILED, "2:00:00 ahead of"),
    ],
)
def test_a_clock_may_be_a_minute_off(seconds, state, words):
    finding = judge_clock(timedelta(seconds=seconds), timedelta(minutes=1))

    assert finding.state is state
    assert words in finding.message


def test_a_division_without_figures_is_named_with_its_size():
    agents = [agent("a", "North"), agent("b", "South"), agent("c", "South"), agent("d")]
    finding = judge_divisions(agents, {"a", "gone"})

    assert finding.state is State.NOTE
    assert finding.message == (
        "1 of 4 active agents have figures in the last 24 hours, in 1 of 3 divisions; nothing in "
        "South (2), without a division (1)"
    )
    assert judge_divisions(agents, {"a", "b", "d"}).state is State.OK
    assert judge_divisions(agents, (), is_complete=False).message.startswith(
        "none of the first 4 active agents has figures"
    )


def test_a_refusal_weighs_as_much_as_what_is_lost():
    needed, useful, preview = (
        judge_refusal(permission, FORBIDDEN) for permission in (POSTED, STATUS, CAPACITY)
    )

    assert needed.error is FORBIDDEN
    assert main_failure([useful, needed, preview]) is needed
    assert (useful.state, preview.state) == (State.FAILED, State.NOTE)


def test_another_refusal_of_a_preview_does_not_matter_and_one_of_the_rest_does():
    for refusal in (ApiError("x", 500), ApiError("x", 403, code="ip.not.authorized")):
        assert judge_refusal(CAPACITY, refusal).state is State.NOTE
        with pytest.raises(ApiError):
            judge_refusal(STATUS, refusal)


def test_the_role_has_every_permission_of_a_source_and_each_is_one_of_genesys():
    names = {
        f"{policy['domain']}:{policy['entityName']}:{policy['actionSet'][0]}"
        for policy in role_definition()["permissionPolicies"]
    }

    assert names == {permission.name for permission in PERMISSIONS}
    assert names >= {source.required_permission for source in Source}
    assert names <= set(endpoints.PERMISSIONS)
