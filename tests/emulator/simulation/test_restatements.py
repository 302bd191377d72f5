"""Late and restated data, in aggregates and details alike."""

from collections import Counter
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_emulator.simulation.restatements import ENDLESS, Corrections, Snapshot, restated_at
from genesys_emulator.wire.timestamps import DAY, HOUR, midnight_of, parse_timestamp
from tests.emulator.answers.test_details import run_job
from tests.emulator.conftest import Cloud

MONDAY = midnight_of(date(2026, 3, 2))
moments = st.integers(MONDAY, MONDAY + 10 * DAY)
chances = st.floats(0, 1, exclude_max=True)


@given(moments)
def test_a_night_corrects_the_day_that_ended_two_days_before(at):
    night = restated_at(at)

    assert night % DAY == 2 * HOUR
    assert 2 * DAY < night - at <= 3 * DAY + 2 * HOUR
    assert night == restated_at(at // DAY * DAY)


@given(moments, chances, moments)
def test_without_faults_of_the_data_everything_past_is_known(at, chance, now):
    assert Snapshot(now).includes_value(at, chance) == (at < now)


@given(moments, chances, moments)
def test_late_values_are_known_after_the_delay(at, chance, now):
    late = Corrections(late=0.3, delay=HOUR)

    assert Snapshot(now, late).includes_value(at, chance) == (
        at + (HOUR if chance < 0.3 else 0) < now
    )


@given(moments, chances)
def test_every_other_restated_conversation_appears_and_the_others_disappear(at, chance):
    restated = Corrections(restated=0.4)
    before = Snapshot(restated_at(at) - 1, restated).includes_value(at, chance)
    after = Snapshot(restated_at(at), restated).includes_value(at, chance)

    assert (before, after) == (
        (True, True) if chance < 0.6 else (True, False) if chance < 0.8 else (False, True)
    )
    assert Snapshot(ENDLESS, restated).includes_value(at, chance) == after


SUNDAY = "2026-03-01T00:00:00Z/2026-03-02T00:00:00Z"
HANDLED = ["tHandle", "tAcw", "tTalk", "nOffered", "tAbandon"]


def handled(cloud: Cloud) -> Counter[tuple[Any, ...]]:
    """Values that were posted on Sunday, by interval, user and metric: how many, and their sum."""
    answer = cloud.ask(interval=SUNDAY, groupBy=["userId"], metrics=HANDLED)
    answers: Counter[tuple[Any, ...]] = Counter()
    for result in answer.json()["results"]:
        for bucket in result["data"]:
            for metric in bucket["metrics"]:
                at, user = bucket["interval"].split("/")[0], result["group"].get("userId", "")
                for stat in {"count", "sum"} & metric["stats"].keys():
                    answers[at, user, metric["metric"], stat] += metric["stats"][stat]
    return answers


def rebuilt(cloud: Cloud) -> Counter[tuple[Any, ...]]:
    """The same from the details, by emit date."""
    first, last = (parse_timestamp(text, None) for text in SUNDAY.split("/"))
    answers: Counter[tuple[Any, ...]] = Counter()
    for conversation in run_job(cloud, interval="2026-02-24T00:00:00Z/2026-03-03T00:00:00Z"):
        for participant in conversation["participants"]:
            for session in participant["sessions"]:
                for metric in session.get("metrics", ()):
                    at = parse_timestamp(metric["emitDate"], None)
                    if metric["name"] not in HANDLED or not first <= at < last:
                        continue
                    start = at // (HOUR // 2) * (HOUR // 2)
                    key = (written_utc(start), participant.get("userId", ""), metric["name"])
                    answers[*key, "count"] += 1
                    if metric["name"].startswith("t"):
                        answers[*key, "sum"] += metric["value"]
    return answers


def written_utc(at: int) -> str:
    hours, minutes = at % DAY // HOUR, at % HOUR // 60_000
    return f"2026-03-01T{hours:02}:{minutes:02}:00.000Z"


def at(cloud: Cloud, now: str) -> Counter[tuple[Any, ...]]:
    cloud.call("POST", "/_emulator/clock", json={"now": now})
    return handled(cloud)


def test_a_restatement_changes_a_day_in_a_night_and_not_before_or_after(cloud):
    true = at(cloud, "2026-03-10T00:00:00Z")
    cloud.fault(kind="restatement", share=0.3)
    fresh = at(cloud, "2026-03-02T03:00:00Z")
    late = at(cloud, "2026-03-04T01:59:59Z")
    after = at(cloud, "2026-03-04T02:00:00Z")

    assert fresh == late != true
    assert any(fresh[key] > after[key] for key in fresh)
    assert any(fresh[key] < after[key] for key in after)
    assert after == at(cloud, "2026-03-20T00:00:00Z")


def test_late_values_appear_hours_later(cloud):
    true = at(cloud, "2026-03-10T00:00:00Z")
    cloud.fault(kind="late", share=0.3, hours=5)

    assert sum(at(cloud, "2026-03-02T00:00:00Z").values()) < sum(true.values())
    assert at(cloud, "2026-03-02T05:00:00Z") == true


@pytest.mark.parametrize(
    "fault", [{"kind": "late", "share": 0.4, "hours": 30}, {"kind": "restatement", "share": 0.4}]
)
@pytest.mark.parametrize("now", ["2026-03-03T12:00:00Z", "2026-03-05T12:00:00Z"])
def test_details_agree_with_aggregates_all_the_time(cloud, fault, now):
    cloud.fault(**fault)
    details_are_behind = "2026-03-03T18:00:00Z" if now < "2026-03-04" else "2026-03-05T18:00:00Z"
    posted = at(cloud, now)
    cloud.call("POST", "/_emulator/clock", json={"now": details_are_behind})

    assert rebuilt(cloud) == posted


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "late", "endpoint": "users"}, "endpoint"),
        ({"kind": "restatement", "calls": [1]}, "calls"),
        ({"kind": "late", "hours": "6"}, "number of hours"),
        ({"kind": "restatment"}, "did you mean 'restatement'"),
    ],
)
def test_a_fault_of_the_data_has_no_endpoint_and_no_calls(cloud, fault, words):
    answer = cloud.call("POST", "/_emulator/faults", json={"faults": [fault]})

    assert answer.status_code == 400
    assert words in answer.json()["message"]
