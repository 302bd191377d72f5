"""What is odd about a conversation is named, and does not spoil the others."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from halfhour.intervals import Interval, epoch_ms
from halfhour.segments import OVERLAPPING, REVERSED, UNKNOWN, UNREADABLE, UNTIMED, Read, read

DAY = Interval(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
GOOD: dict[str, Any] = {
    "conversationId": "good",
    "participants": [
        {"purpose": "customer", "sessions": [{"sessionId": "s0", "segments": []}]},
        {
            "purpose": "agent",
            "userId": "ann",
            "sessions": [
                {
                    "sessionId": "s1",
                    "mediaType": "voice",
                    "metrics": [
                        {"name": "tHandle", "value": 60000, "emitDate": "2026-03-02T09:01:00.000Z"},
                        {"name": "nError", "value": 1, "emitDate": "2026-03-02T09:01:00.000Z"},
                    ],
                    "segments": [
                        {
                            "segmentType": "interact",
                            "segmentStart": "2026-03-02T09:00:00.000Z",
                            "segmentEnd": "2026-03-02T09:01:00.000Z",
                            "queueId": "q",
                        }
                    ],
                }
            ],
        },
    ],
}


def reading(*records: object, as_of: datetime = DAY.end) -> Read:
    return read([msgspec.Raw(msgspec.json.encode(each)) for each in records], DAY, as_of)


def changed(path: str, value: object, conversation: str = "bad") -> dict[str, Any]:
    """The good one with another value, or none, at *path*."""
    record = deepcopy(GOOD) | {"conversationId": conversation}
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    at: Any = record
    for step in steps:
        at = at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return record


SEGMENT = "participants.1.sessions.0.segments.0"
METRIC = "participants.1.sessions.0.metrics.0"


def kinds(found: Read) -> list[tuple[str, str]]:
    return [(each.kind, each.conversation_id) for each in found.oddities]


def test_only_agents_and_only_what_is_posted_of_our_columns():
    found = reading(GOOD)

    assert found.segments.select(["agent_id", "queue_id", "acd", "open"]).to_pylist() == [
        {"agent_id": "ann", "queue_id": "q", "acd": True, "open": False}
    ]
    assert found.emitted.select(["metric", "value"]).to_pylist() == [
        {"metric": "tHandle", "value": 60000}
    ]
    assert found.oddities == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (f"{SEGMENT}.segmentStart", "2026-03-2T09:00:00Z",
         "segments[0].segmentStart: '2026-03-2T09:00:00Z' is no time"),
        (f"{SEGMENT}.segmentEnd", "yesterday", "segments[0].segmentEnd: 'yesterday' is no time"),
        (f"{METRIC}.emitDate", "", "metrics[0].emitDate: '' is no time"),
        (f"{SEGMENT}.segmentStart", "2026-03-02T09:00:00", "'2026-03-02T09:00:00' is no time"),
        (f"{METRIC}.value", "much", "$.participants[1].sessions[0].metrics[0].value"),
        ("participants.1.sessions", 7, "$.participants[1].sessions"),
    ],
)  # fmt: skip
def test_a_malformed_conversation_is_left_out_and_named_with_its_field(path, value, said):
    bad = changed(path, value)
    found = reading(GOOD, bad, GOOD | {"conversationId": "other"})

    assert found.segments["conversation_id"].to_pylist() == ["good", "other"]
    assert kinds(found) == [(UNREADABLE, "bad")]
    assert said in found.oddities[0].detail


@pytest.mark.parametrize("record", [[], 1, {"participants": []}, {"conversationId": 7}])
def test_what_is_no_conversation_has_no_name(record):
    found = reading(GOOD, record)

    assert kinds(found) == [(UNREADABLE, "?")]
    assert found.segments.num_rows == 1


@pytest.mark.parametrize(
    ("path", "value", "kind", "left"),
    [
        (f"{SEGMENT}.segmentStart", None, UNTIMED, 0),
        (f"{SEGMENT}.segmentEnd", "2026-03-02T08:59:59.999Z", REVERSED, 0),
        (f"{SEGMENT}.segmentType", "telepathy", UNKNOWN, 1),
    ],
)
def test_segments_that_cannot_be_are_counted_and_named(path, value, kind, left):
    found = reading(changed(path, value))

    assert kinds(found) == [(kind, "bad")]
    assert found.segments.num_rows == left


def test_a_segment_over_another_of_its_session_is_told_and_kept():
    segments = GOOD["participants"][1]["sessions"][0]["segments"]
    again = segments[0] | {"segmentStart": "2026-03-02T09:00:59.999Z"}
    found = reading(changed("participants.1.sessions.0.segments", [*segments, again]))

    assert kinds(found) == [(OVERLAPPING, "bad")]
    assert found.segments.num_rows == 2


def test_what_goes_on_is_cut_where_the_reading_of_it_ended():
    as_of = DAY.start + timedelta(hours=10)
    (row,) = reading(changed(f"{SEGMENT}.segmentEnd", None), as_of=as_of).segments.to_pylist()

    assert (row["open"], row["end_ms"]) == (True, epoch_ms(as_of))


def test_a_conversation_that_comes_twice_counts_as_it_came_last():
    later = changed(f"{SEGMENT}.segmentEnd", "2026-03-02T09:05:00.000Z", "good")
    (row,) = reading(GOOD, later).segments.to_pylist()

    assert row["end_ms"] - row["start_ms"] == 300_000


def test_segments_of_other_days_are_not_of_this_one():
    before = changed(f"{SEGMENT}.segmentStart", "2026-03-01T00:00:00.000Z", "before")
    over = deepcopy(before) | {"conversationId": "over"}
    before["participants"][1]["sessions"][0]["segments"][0]["segmentEnd"] = (
        "2026-03-02T00:00:00.000Z"
    )
    found = reading(before, over)

    assert found.segments["conversation_id"].to_pylist() == ["over"]
    assert found.segments["window_start"].to_pylist() == [DAY.start]


def test_the_call_that_a_callback_led_to_is_known():
    record = deepcopy(GOOD)
    callback = deepcopy(record["participants"][1])
    callback["sessions"][0] |= {"sessionId": "s2", "mediaType": "callback"}
    other = deepcopy(record["participants"][1]) | {"userId": "bob"}
    other["sessions"][0] |= {"sessionId": "s3"}
    record["participants"] += [callback, other]
    found = reading(record)

    legs = zip(
        found.segments["session_id"].to_pylist(),
        found.segments["voice_of_callback"].to_pylist(),
        strict=True,
    )
    assert sorted(legs) == [("s1", True), ("s2", False), ("s3", False)]
