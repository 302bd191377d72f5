"""A clock that a test sets and moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_emulator.state.clock import Clock, ClockError
from genesys_emulator.wire.timestamps import DAY, HOUR, MINUTE
from tests.emulator.conftest import NOW

moves = st.lists(st.integers(1, 10_000))


@given(moves)
def test_moves_of_the_clock_add_up_whether_it_runs_or_stands(minutes):
    real = [NOW]
    running, standing = Clock(lambda: real[0]), Clock(lambda: real[0], stopped=NOW)
    for minute in minutes:
        real[0] += 1
        running.apply_document({"move": f"PT{minute}M"})
        standing.apply_document({"move": f"PT{minute}M"})

    assert standing() == NOW + sum(minutes) * MINUTE
    assert running() == standing() + len(minutes)


def test_the_clock_can_be_stopped_started_and_put_back():
    clock = Clock(lambda: NOW)

    clock.apply_document({"now": "2026-03-02T00:00:00Z", "move": "P1DT1H"})
    assert clock() == NOW + HOUR
    clock.apply_document({"now": None})
    assert clock() == NOW
    clock.apply_document({"now": "2026-03-02T00:00:00+01:00"})
    assert clock() == NOW - DAY - HOUR
    clock.clear()
    assert clock() == NOW
    assert clock.stopped is None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "write {"),
        ({}, "write {"),
        ({"nwo": 1}, "write {"),
        ({"now": "2026-03-02"}, "no time with its zone"),
        ({"now": 3}, "no time with its zone"),
        ({"move": "soon"}, "no duration"),
        ({"move": 30}, "no duration"),
        ({"move": "P1M"}, "in days"),
    ],
)
def test_an_invalid_time_is_refused_with_a_sentence_and_changes_nothing(document, message):
    clock = Clock(lambda: NOW)

    with pytest.raises(ClockError, match=message):
        clock.apply_document(document)

    assert clock() == NOW


def test_values_posted_later_appear_when_the_clock_gets_there(cloud):
    def handled() -> int:
        results = cloud.ask(groupBy=[], metrics=["tHandle"]).json()["results"]
        return sum(
            metric["stats"]["count"]
            for group in results
            for bucket in group["data"]
            for metric in bucket["metrics"]
        )

    whole = handled()
    set_to = cloud.call("POST", "/_emulator/clock", json={"now": "2026-03-02T12:00:00Z"})
    morning = handled()
    cloud.call("POST", "/_emulator/clock", json={"move": "PT6H"})
    evening = handled()

    assert set_to.json() == {"now": "2026-03-02T12:00:00.000Z", "stopped": True}
    assert 0 < morning < evening < whole
    assert cloud.call("POST", "/_emulator/clock", json={"move": 1}).status_code == 400
    assert cloud.call("POST", "/_emulator/clock", content=b"{").status_code == 400
    cloud.call("POST", "/_emulator/reset")
    assert cloud.get("/_emulator/clock").json()["now"] == "2026-03-03T00:00:00.000Z"
