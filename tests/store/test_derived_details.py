"""Tests of details: a malformed conversation is named and does not affect the others."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.model.intervals import Interval, epoch_ms
from halfhour.store.derived_details import (
    OVERLAPPING_SEGMENTS,
    REVERSED_SEGMENTS,
    SEGMENTS_WITHOUT_END,
    SEGMENTS_WITHOUT_START,
    UNKNOWN_SEGMENT_TYPES,
    UNREADABLE_CONVERSATIONS,
    UNREADABLE_VALUES,
)
from tests.detail_tables import DetailTables, tabulate_records

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


def read_records(*records: object, as_of: datetime = DAY.end) -> DetailTables:
    return tabulate_records(
        [msgspec.Raw(msgspec.json.encode(record)) for record in records], DAY, as_of
    )


def changed_conversation(path: str, value: object, conversation: str = "bad") -> dict[str, Any]:
    """Return a valid conversation with another value, or none, at *path*."""
    record = deepcopy(GOOD) | {"conversationId": conversation}
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    at: Any = record
    for step in steps:
        at = at[step]
    if value is None:
        del at[last]
    else:
        at[last] = None if value is NULL else value
    return record


NULL = object()
SEGMENT = "participants.1.sessions.0.segments.0"
METRIC = "participants.1.sessions.0.metrics.0"


def issue_kinds(result: DetailTables) -> list[tuple[str, str]]:
    return [(data_issue.kind, data_issue.conversation_id) for data_issue in result.data_issues]


def test_only_sessions_of_agents_and_posted_metrics_are_read():
    result = read_records(GOOD)

    assert result.segments.select(["agent_id", "queue_id", "acd", "open"]).to_pylist() == [
        {"agent_id": "ann", "queue_id": "q", "acd": True, "open": False}
    ]
    assert result.emitted.select(["metric", "value"]).to_pylist() == [
        {"metric": "tHandle", "value": 60000}
    ]
    assert result.data_issues == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{SEGMENT}.segmentStart", "2026-03-2T09:00:00Z",
         "segments[0].segmentStart: '2026-03-2T09:00:00Z' is not a valid time"),
        (f"{SEGMENT}.segmentEnd", "yesterday",
         "segments[0].segmentEnd: 'yesterday' is not a valid time"),
        (f"{METRIC}.emitDate", "", "metrics[0].emitDate: '' is not a valid time"),
        (f"{SEGMENT}.segmentStart", "2026-03-02T09:00:00",
         "'2026-03-02T09:00:00' is not a valid time"),
        ("conversationEnd", "never", "$.conversationEnd: 'never' is not a valid time"),
        (f"{METRIC}.emitDate", 7, "$.participants[1].sessions[0].metrics[0].emitDate"),
        ("participants.1.sessions", 7, "$.participants[1].sessions"),
    ],
)  # fmt: skip
def test_a_malformed_conversation_is_left_out_and_named_with_its_field(path, value, message):
    bad = changed_conversation(path, value)
    result = read_records(GOOD, bad, GOOD | {"conversationId": "other"})

    assert result.segments["conversation_id"].to_pylist() == ["good", "other"]
    assert issue_kinds(result) == [(UNREADABLE_CONVERSATIONS, "bad")]
    assert message in result.data_issues[0].detail


@pytest.mark.parametrize("record", [None, [], 1, {"participants": []}, {"conversationId": 7}])
def test_a_record_that_is_no_conversation_is_unreadable_and_has_no_id(record):
    result = read_records(GOOD, record)

    assert issue_kinds(result) == [(UNREADABLE_CONVERSATIONS, "?")]
    assert result.segments.num_rows == 1


@pytest.mark.parametrize(
    ("path", "value", "kind", "left"),
    [
        (f"{SEGMENT}.segmentStart", None, SEGMENTS_WITHOUT_START, 0),
        (f"{SEGMENT}.segmentEnd", "2026-03-02T08:59:59.999Z", REVERSED_SEGMENTS, 0),
        (f"{SEGMENT}.segmentType", "telepathy", UNKNOWN_SEGMENT_TYPES, 1),
    ],
)
def test_impossible_segments_are_counted_and_named(path, value, kind, left):
    result = read_records(changed_conversation(path, value))

    assert issue_kinds(result) == [(kind, "bad")]
    assert result.segments.num_rows == left


@pytest.mark.parametrize("value", ["much", None, True, 60000.5, 1e300, {"ms": 60000}])
def test_a_value_that_cannot_be_read_is_left_out_alone_and_named(value):
    result = read_records(changed_conversation(f"{METRIC}.value", value))

    assert issue_kinds(result) == [(UNREADABLE_VALUES, "bad")]
    assert result.data_issues[0].detail == "session s1, metrics[0]: tHandle"
    assert (result.segments.num_rows, result.emitted.num_rows) == (1, 0)


def test_a_whole_number_may_be_written_with_a_point():
    assert read_records(changed_conversation(f"{METRIC}.value", 60000.0)).emitted[
        "value"
    ].to_pylist() == [60000]


OPTIONAL_FIELDS = {
    (): ("conversationStart", "conversationEnd", "participants"),
    ("participants", 1): ("purpose", "userId", "sessions"),
    ("participants", 1, "sessions", 0): (
        "sessionId", "mediaType", "direction", "segments", "metrics",
    ),
    ("participants", 1, "sessions", 0, "segments", 0): ("segmentStart", "segmentEnd", "queueId"),
    ("participants", 1, "sessions", 0, "metrics", 0): ("name", "value", "emitDate"),
}  # fmt: skip
"""The fields that a conversation may lack, by the path of their object."""


@given(
    st.sets(
        st.sampled_from([(path, name) for path, names in OPTIONAL_FIELDS.items() for name in names])
    )
)
def test_an_explicit_null_is_absence_in_every_field(fields):
    """The others are filled, and every one of them could be null at once."""
    whole = GOOD | {
        "conversationStart": "2026-03-02T09:00:00.000Z",
        "conversationEnd": "2026-03-02T09:02:00.000Z",
    }
    with_nulls, without = deepcopy(whole), deepcopy(whole)
    # The innermost come first, because a null has no fields.
    for path, name in sorted(fields, key=lambda field: -len(field[0])):
        for record in (with_nulls, without):
            at: Any = record
            for step in path:
                at = at[step]
            at.pop(name, None)
            if record is with_nulls:
                at[name] = None

    nulls, absences = read_records(with_nulls), read_records(without)

    assert nulls.segments.equals(absences.segments)
    assert nulls.emitted.equals(absences.emitted)
    assert nulls.data_issues == absences.data_issues


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
def test_a_number_that_cannot_be_is_an_issue_and_no_crash(number):
    text = msgspec.json.encode(changed_conversation(f"{METRIC}.value", 12345))
    result = tabulate_records([msgspec.Raw(text.replace(b"12345", number.encode()))], DAY, DAY.end)

    assert result.emitted.num_rows == 0
    assert issue_kinds(result) in (
        [(UNREADABLE_VALUES, "bad")],
        [(UNREADABLE_CONVERSATIONS, "bad")],
        [(UNREADABLE_CONVERSATIONS, "?")],  # NaN is no JSON
    )


@pytest.mark.parametrize("name", ["sessions", "sessions.0.segments", "sessions.0.metrics"])
def test_a_null_in_a_conversation_reads_as_a_missing_value(name):
    result = read_records(changed_conversation(f"participants.1.{name}", NULL))

    assert result.data_issues == []
    assert result.conversation_ids == ["bad"]


def one_session_conversation(
    *segments: tuple[str, str, str | None], end: str | None = None
) -> dict[str, Any]:
    """Return a conversation of one session without posted values; times are minutes past nine."""
    record = changed_conversation("participants.1.sessions.0.metrics", [])
    record["participants"][1]["sessions"][0]["segments"] = [
        {"segmentType": kind, "segmentStart": minute_past_nine(start)}
        | ({"segmentEnd": minute_past_nine(stop)} if stop else {})
        for kind, start, stop in segments
    ]
    return record | ({"conversationEnd": minute_past_nine(end)} if end else {})


def minute_past_nine(minute: str) -> str:
    return f"2026-03-02T09:{minute}:00.000Z"


def segment_minutes(result: DetailTables) -> list[tuple[str, int, int]]:
    """Return the type of each segment and its minutes past nine."""
    nine = epoch_ms(DAY.start + timedelta(hours=9))
    return [
        (row["segment_type"], *((row[at] - nine) // 60_000 for at in ("start_ms", "end_ms")))
        for row in result.segments.to_pylist()
    ]


def test_overlapping_work_of_a_session_is_cut_from_the_later_segment_and_named():
    result = read_records(
        one_session_conversation(("interact", "00", "30"), ("hold", "05", "10"),
                                 ("hold", "20", "40"),
             ("alert", "00", "50"), ("wrapup", "40", "45"))
    )  # fmt: skip

    assert segment_minutes(result) == [
        ("interact", 0, 30), ("alert", 0, 50), ("hold", 30, 40), ("wrapup", 40, 45),
    ]  # fmt: skip
    assert [(data_issue.kind, data_issue.detail) for data_issue in result.data_issues] == [
        (OVERLAPPING_SEGMENTS, "session s1, segments[1]: hold at 2026-03-02T09:05:00.000Z"),
        (OVERLAPPING_SEGMENTS, "session s1, segments[2]: hold at 2026-03-02T09:20:00.000Z"),
    ]


@pytest.mark.parametrize(
    ("segments", "end", "expected"),
    [
        ([("hold", "00", None), ("wrapup", "10", "12")], None,
         [("hold", 0, 10), ("wrapup", 10, 12)]),
        ([("interact", "00", None)], "07", [("interact", 0, 7)]),
        ([("interact", "00", None), ("wrapup", "05", "06")], "03",
         [("interact", 0, 3), ("wrapup", 5, 6)]),
    ],
)  # fmt: skip
def test_a_segment_without_an_end_ends_where_the_next_begins_or_all_is_over(
    segments, end, expected
):
    result = read_records(one_session_conversation(*segments, end=end))

    assert segment_minutes(result) == expected
    assert issue_kinds(result) == [(SEGMENTS_WITHOUT_END, "bad")]
    assert result.segments["open"].to_pylist() == [False] * len(expected)


def test_a_session_that_has_posted_its_handle_time_is_over():
    record = changed_conversation(f"{SEGMENT}.segmentEnd", None)
    (row,) = read_records(record).segments.to_pylist()
    assert (row["open"], row["end_ms"] - row["start_ms"]) == (False, 60_000)

    (session,) = record["participants"][1]["sessions"]
    session["segments"].append({"segmentType": "interact", "segmentStart": minute_past_nine("10")})
    ended, again = read_records(record).segments.to_pylist()  # a message that is taken up again
    assert (ended["open"], again["open"], again["end_ms"]) == (False, True, epoch_ms(DAY.end))


@pytest.mark.parametrize(
    "record",
    [
        one_session_conversation(("interact", "00", None)),
        one_session_conversation(
            ("interact", "00", None), ("wrapup", "45", "50")
        ),  # more than is known by then
        one_session_conversation(
            ("wrapup", "00", None), end="00"
        ),  # after-call work comes when a call has ended
    ],
)
def test_an_open_segment_ends_where_the_reading_of_the_day_ended(record):
    as_of = DAY.start + timedelta(hours=9, minutes=30)
    result = read_records(record, as_of=as_of)
    row = result.segments.to_pylist()[0]

    assert (row["open"], row["end_ms"]) == (True, epoch_ms(as_of))
    assert result.data_issues == []


@pytest.mark.parametrize("between", [[], [changed_conversation("participants", 7)], [{}, 7]])
def test_a_conversation_that_comes_twice_counts_as_it_came_last(between):
    later = changed_conversation(f"{SEGMENT}.segmentEnd", "2026-03-02T09:05:00.000Z", "good")
    result = read_records(GOOD, *between, later)
    (row,) = result.segments.to_pylist()

    assert row["end_ms"] - row["start_ms"] == 300_000
    assert len(result.data_issues) == len(between)


def test_a_conversation_whose_last_version_is_unreadable_does_not_count():
    result = read_records(GOOD, changed_conversation(f"{SEGMENT}.segmentEnd", "late", "good"))

    assert issue_kinds(result) == [(UNREADABLE_CONVERSATIONS, "good")]
    assert (result.segments.num_rows, result.conversation_ids) == (0, ["good"])


def test_segments_of_other_days_are_left_out():
    before = changed_conversation(f"{SEGMENT}.segmentStart", "2026-03-01T00:00:00.000Z", "before")
    over = deepcopy(before) | {"conversationId": "over"}
    before["participants"][1]["sessions"][0]["segments"][0]["segmentEnd"] = (
        "2026-03-02T00:00:00.000Z"
    )
    result = read_records(before, over)

    assert result.segments["conversation_id"].to_pylist() == ["over"]
    assert result.segments["window_start"].to_pylist() == [DAY.start]


def called_back(
    callback: list[tuple[str, str, str]],
    call: list[tuple[str, str, str]],
    direction: str | None = "outbound",
) -> DetailTables:
    """Return an agent's callback and call, and a call of another agent."""
    agents = [
        {
            "purpose": "agent",
            "userId": user,
            "sessions": [
                session | {"sessionId": media, "mediaType": media, "direction": direction}
            ],
        }
        for user, media, session in (
            (
                "ann",
                "callback",
                one_session_conversation(*callback)["participants"][1]["sessions"][0],
            ),
            ("ann", "voice", one_session_conversation(*call)["participants"][1]["sessions"][0]),
            ("bob", "voice", one_session_conversation(*call)["participants"][1]["sessions"][0]),
        )
    ]
    return read_records(GOOD | {"participants": agents})


ANSWERED = [("alert", "03", "05"), ("interact", "05", "15"), ("wrapup", "15", "18")]


@pytest.mark.parametrize(
    ("callback", "common"),
    [
        # As it is: the callback is worked on for as long as its call, and after it.
        ([("alert", "00", "02"), ("interact", "02", "15"), ("wrapup", "15", "20")],
         [(5, 15), (15, 18)]),
        # The callback's session says nothing of the call.
        ([("alert", "00", "02"), ("wrapup", "18", "20")], []),
        # It was declined, and the call is another one.
        ([("alert", "00", "02")], []),
        # It spans a part of it.
        ([("interact", "02", "08"), ("wrapup", "08", "10")], [(5, 10)]),
        # It was over when the customer called in again.
        ([("interact", "00", "03"), ("wrapup", "03", "05")], []),
        # It began when the call had begun already, so it did not lead to that.
        ([("alert", "04", "06"), ("interact", "06", "20")], []),
        # The call began in the very moment that the callback was offered.
        ([("alert", "03", "04"), ("interact", "04", "20")], [(5, 15), (15, 18)]),
        # The call began in the very moment that the callback was over.
        ([("interact", "00", "03")], []),
    ],
)  # fmt: skip
def test_a_callback_and_the_call_it_led_to_have_their_common_work_marked(callback, common):
    result = called_back(callback, ANSWERED)
    rows = list(zip(segment_minutes(result), result.segments.to_pylist(), strict=True))

    assert [span[1:] for span, row in rows if row["voice_of_callback"]] == common
    assert {row["agent_id"] for _, row in rows if row["voice_of_callback"]} <= {"ann"}
    assert sum(
        end - start
        for (_, start, end), row in rows
        if (row["agent_id"], row["media_type"]) == ("ann", "voice")
    ) == 15  # fmt: skip


@pytest.mark.parametrize("direction", ["inbound", None])
def test_a_call_that_the_agent_did_not_make_is_no_call_of_a_callback(direction):
    result = called_back([("interact", "00", "30")], ANSWERED, direction)

    assert not any(result.segments["voice_of_callback"].to_pylist())
