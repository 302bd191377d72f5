"""Unusual conversation details, with the posted and worked figures and the warnings they give.

The figures are computed by hand from the segments; the inputs are invented.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.errors import ConfigError, Incomplete
from halfhour.ingest.detail_records import epoch_ms_column
from halfhour.model.coverage import DAY, DayState
from halfhour.model.intervals import HALF_HOUR, Interval
from halfhour.model.question import Question
from halfhour.model.vocabulary import Basis, Source
from halfhour.reports.from_store import open_report_data, reconcile_store
from halfhour.store.derived_details import UNKNOWN_CONVERSATION_ID
from halfhour.store.store import Store
from halfhour.syncing.import_files import import_files
from halfhour.syncing.progress import Event, Outcome
from tests.rebuilt_figures import posted_from_details
from tests.report_data import stored_report, worked_rows
from tests.sync_runs import query_file

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
RANGE = Interval(MONDAY, MONDAY + DAY)
LATER = MONDAY + 30 * DAY


def iso_time(text: str, day: datetime = MONDAY) -> str:
    """Return the time "hh:mm:ss" of *day*, as the API writes it."""
    return f"{day:%Y-%m-%d}T{text}.000Z"


def session(
    media: str, direction: str, *segments: tuple[str, str, str], posted: dict[str, tuple[int, str]]
) -> dict[str, Any]:
    """Return a session of segments (type, start, end) and *posted* metrics (seconds, time)."""
    return {
        "mediaType": media,
        "direction": direction,
        "segments": [
            {
                "segmentType": kind,
                "segmentStart": iso_time(start),
                "segmentEnd": iso_time(end),
                "queueId": "q",
            }
            for kind, start, end in segments
        ],
        "metrics": [
            {"name": name, "value": seconds * 1000, "emitDate": iso_time(at)}
            for name, (seconds, at) in posted.items()
        ],
    }


def conversation(*agents: list[dict[str, Any]], name: str = "c", **fields: Any) -> dict[str, Any]:
    """Return a conversation with a participant "ann" for each list of sessions."""
    return {
        "conversationId": name,
        "conversationStart": iso_time("08:00:00"),
        "participants": [
            {"purpose": "customer", "sessions": []},
            *({"purpose": "agent", "userId": "ann", "sessions": sessions} for sessions in agents),
        ],
        **fields,
    }


ANSWERED = session(
    "voice",
    "inbound",
    ("interact", "09:00:00", "09:05:00"),
    ("wrapup", "09:05:00", "09:06:00"),
    posted={"tHandle": (360, "09:06:00"), "tAcw": (60, "09:06:00")},
)
PLAIN = conversation([ANSWERED])


def imported_store(
    folder: Path, content: object, interval: Interval | None = None
) -> tuple[Store, Outcome, list[Event]]:
    """Import *content*, JSON or its text; return the store, the outcome and the events."""
    path, events = folder / "details.json", list[Event]()
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    store = Store(folder / "halfhour.duckdb")
    outcome = asyncio.run(import_files(store, [path], interval, lambda: LATER, events.append))
    return store, outcome, events


def report_figures(store: Store, basis: Basis) -> dict[str, dict[str, float]]:
    """Return the figures above zero by half-hour, in seconds or counts."""
    question = Question(RANGE, UTC, basis=basis)
    return {
        f"{row['interval_start']:%H:%M}": {
            name.removesuffix("_sec"): value
            for name, value in row.items()
            if name.endswith(("_sec", "_count")) and value
        }
        for row in stored_report(store, question, LATER).to_pylist()
    }


def with_posted_figures(store: Store) -> Store:
    """Settle the posted figures of the store's details, as Genesys would post them."""
    posted = posted_from_details(store, RANGE, HALF_HOUR)
    store.settle(Source.POSTED, RANGE, {"posted": posted}, LATER)
    return store


def worked_seconds(store: Store) -> list[tuple[str, int]]:
    table = worked_rows(store, RANGE, HALF_HOUR)
    return sorted(
        (f"{row['interval_start']:%H:%M}", row["handle_ms"] // 1000) for row in table.to_pylist()
    )


# A callback whose after-call work is on the session of its call alone.
CALLED_BACK = conversation(
    [
        session(
            "callback",
            "inbound",
            ("alert", "10:00:00", "10:00:05"),
            ("interact", "10:00:05", "10:20:05"),
            posted={"tTalkComplete": (1200, "10:20:05"), "tHandle": (1200, "10:20:05")},
        ),
        session(
            "voice",
            "outbound",
            ("contacting", "10:08:05", "10:08:10"),
            ("dialing", "10:08:10", "10:08:25"),
            ("interact", "10:08:25", "10:20:05"),
            ("wrapup", "10:20:05", "10:22:05"),
            posted={
                "tContacting": (5, "10:08:10"),
                "tDialing": (15, "10:08:25"),
                "tTalkComplete": (700, "10:20:05"),
                "tAcw": (120, "10:22:05"),
                "tHandle": (840, "10:22:05"),
            },
        ),
    ]
)


def test_a_callback_with_after_call_work_on_its_call_is_posted_as_genesys_posts_it(tmp_path):
    store = with_posted_figures(imported_store(tmp_path, {"conversations": [CALLED_BACK]})[0])
    posted = {
        "handle_time": 2040, "acw_time": 120, "talk_time": 1900, "contacting_time": 5,
        "dialing_time": 15, "callback_voice_time": 720, "handled_count": 2,
    }  # fmt: skip

    assert report_figures(store, Basis.POSTED) == {"10:00": posted}
    assert report_figures(store, Basis.BOTH)["10:00"] == posted | {
        "worked_time": 1320, "worked_talk_time": 1200, "worked_acw_time": 120, "busy_time": 1320,
    }  # fmt: skip
    (row,) = reconcile_store(store, None, LATER).to_pylist()
    assert (row["posted_ms"], row["rebuilt_ms"], row["worked_ms"]) == (2040e3, 2040e3, 1320e3)
    assert (row["callback_under_voice_ms"], row["unexplained_ms"]) == (720e3, 0)


# An inbound call, and then the agent's own callback in the same conversation, whose first five
# minutes lie in the after-call work of that call.
CALLED_AND_CALLED_BACK = conversation(
    [
        session(
            "voice",
            "inbound",
            ("alert", "12:59:50", "13:00:00"),
            ("interact", "13:00:00", "13:10:00"),
            ("wrapup", "13:10:00", "13:20:00"),
            posted={
                "tAlert": (10, "13:00:00"),
                "tAnswered": (120, "13:00:00"),
                "tTalkComplete": (600, "13:10:00"),
                "tAcw": (600, "13:20:00"),
                "tHandle": (1200, "13:20:00"),
            },
        )
    ],
    [
        session(
            "callback",
            "inbound",
            ("interact", "13:15:00", "13:40:00"),
            posted={"tTalkComplete": (1500, "13:40:00"), "tHandle": (1500, "13:40:00")},
        ),
        session(
            "voice",
            "outbound",
            ("dialing", "13:16:00", "13:16:20"),
            ("interact", "13:16:20", "13:39:00"),
            posted={"tTalkComplete": (1360, "13:39:00"), "tHandle": (1380, "13:39:00")},
        ),
    ],
)


def test_only_the_call_that_a_callback_led_to_gives_way_and_no_other_of_the_agent(tmp_path):
    store = with_posted_figures(
        imported_store(tmp_path, {"conversations": [CALLED_AND_CALLED_BACK]})[0]
    )

    assert report_figures(store, Basis.POSTED) == {
        "13:00": {
            "handle_time": 1200, "acw_time": 600, "talk_time": 600, "alert_time": 10,
            "handled_count": 1, "answered_count": 1, "callback_voice_time": 840,
        },
        "13:30": {
            "handle_time": 1500 + 1380, "talk_time": 2860, "handled_count": 2,
            "callback_voice_time": 540,
        },
    }  # fmt: skip
    both = report_figures(store, Basis.BOTH)
    assert (both["13:00"]["worked_time"], both["13:30"]["worked_time"]) == (2100, 600)
    assert (both["13:00"]["worked_talk_time"], both["13:00"]["worked_acw_time"]) == (1500, 600)
    assert (both["13:00"]["busy_time"], both["13:30"]["busy_time"]) == (1800, 600)
    (row,) = reconcile_store(store, None, LATER).to_pylist()
    assert (row["callback_under_voice_ms"], row["unexplained_ms"]) == (840e3 + 540e3, 0)


@given(st.integers(0, 999_999_999), st.integers(0, 9), st.sampled_from(["Z", "+00:00", "+0000"]))
def test_a_time_may_have_any_number_of_digits_and_counts_to_the_millisecond(nanos, digits, zone):
    fraction = f".{nanos:09}"[: digits + 1] if digits else ""
    (ms,) = epoch_ms_column([f"2026-03-02T09:00:00{fraction}{zone}"]).to_pylist()

    expected = datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp() * 1000
    assert ms == expected + int(f"{nanos:09}"[:digits].ljust(9, "0")[:3])


def test_a_time_with_another_offset_is_the_same_moment():
    times = ["2026-03-02T06:00:00.000000-03:00", "2026-03-02T14:30:00.000000000+0530"]

    assert {*epoch_ms_column(times).to_pylist()} == {
        *epoch_ms_column(["2026-03-02T09:00:00Z"]).to_pylist()
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2026-03-02T09:00:00", "'2026-03-02T09:00:00' is not a valid time"),
        ("/Date(1772442000000)/", "'/Date(1772442000000)/' is not a valid time"),
        ("9999-03-02T09:00:00Z", "'9999-03-02T09:00:00Z' is not a valid time"),
        ("0001-03-02T09:00:00Z", "'0001-03-02T09:00:00Z' is not a valid time"),
    ],
)
def test_a_time_that_cannot_be_read_is_named_with_its_field_whichever_way_it_is_read(
    tmp_path, text, problem
):
    record = json.loads(json.dumps(PLAIN).replace(iso_time("09:00:00"), text))
    where = "participants[1].sessions[0].segments[0].segmentStart: "
    with pytest.raises(ConfigError) as refused:
        imported_store(tmp_path, {"conversations": [record]})
    assert f"details.json: c, $.{where}{problem}. Nothing was changed" in str(refused.value)

    store, outcome, events = imported_store(tmp_path, {"conversations": [record]}, RANGE)
    assert where + problem in "".join(event.reason for event in events)
    with pytest.raises(Incomplete, match="1 of 1 day of details is incomplete"):
        outcome.raise_if_incomplete()
    (settled,) = store.settled_windows(Source.DETAILS)
    assert (settled.row_count, settled.left_out_count) == (0, 1)
    with open_report_data(store, Question(RANGE, UTC, basis=Basis.WORKED), LATER) as data:
        (day,) = data.days_by_source[Source.DETAILS]
    assert day.state is DayState.INCOMPLETE


def test_sessions_without_an_id_are_told_apart_by_their_places(tmp_path):
    later = json.loads(json.dumps(ANSWERED).replace("T09:", "T11:"))
    third = json.loads(json.dumps(ANSWERED).replace("T09:", "T13:"))
    record = conversation([ANSWERED, later], [third])
    store, outcome, _ = imported_store(tmp_path, {"conversations": [record]})

    assert worked_seconds(store) == [("09:00", 360), ("11:00", 360), ("13:00", 360)]
    rows = query_file(store, "select distinct session_id from segments")
    sessions = rows["session_id"].to_pylist()
    assert sorted(sessions) == [
        "participants[1].sessions[0]", "participants[1].sessions[1]", "participants[2].sessions[0]",
    ]  # fmt: skip
    assert outcome.incomplete == {}
    (row,) = reconcile_store(with_posted_figures(store), None, LATER).to_pylist()
    assert (row["posted_ms"], row["worked_ms"], row["unexplained_ms"]) == (1080e3, 1080e3, 0)


PAGE = json.dumps({"conversations": [PLAIN], "totalHits": 1})


@pytest.mark.parametrize(
    "content",
    [
        f'{PAGE}\n{{"totalHits": 1}}\n',
        f'{PAGE}\n{{"aggregations": [], "totalHits": 1}}\n',
        f"{PAGE}\n{{}}\n",
        f'{{"conversations": null}}\n{PAGE}',
        f"[{PAGE}]",
        f'[{PAGE}, {{"totalHits": 1}}]',
        f'[{{"totalHits": 1}}, {PAGE}]',
        json.dumps([PLAIN]),
        json.dumps([PLAIN], indent=1),
        json.dumps(PLAIN),
    ],
)
def test_lists_of_pages_or_conversations_and_pages_without_any_are_read(tmp_path, content):
    store, outcome, _ = imported_store(tmp_path, content)

    assert worked_seconds(store) == [("09:00", 360)]
    assert outcome.incomplete == {}


def test_a_conversation_whose_id_is_no_text_is_left_out(tmp_path):
    path = tmp_path / "details.ndjson"
    bad = json.dumps(PLAIN | {"conversationId": "bad"}).encode().replace(b"bad", b"\xff")
    path.write_bytes(json.dumps(PLAIN).encode() + b"\n" + bad)
    store = Store(tmp_path / "halfhour.duckdb")
    outcome = asyncio.run(import_files(store, [path], RANGE, lambda: LATER, lambda _: None))

    assert worked_seconds(store) == [("09:00", 360)]
    assert [issue.conversation_id for issue in outcome.data_issues] == [UNKNOWN_CONVERSATION_ID]


SNAKE = {"conversation_id": "c", "participants": [{"user_id": "ann", "sessions": []}]}


@pytest.mark.parametrize(
    "content",
    [SNAKE, [SNAKE], {"conversations": [SNAKE], "total_hits": 1}, [{"conversations": [SNAKE]}]],
)
def test_field_names_in_snake_case_are_refused_with_the_way_to_fix_them(tmp_path, content):
    with pytest.raises(ConfigError, match=r"snake_case.*sanitize_for_serialization"):
        imported_store(tmp_path, content)

    assert not (tmp_path / "halfhour.duckdb").exists()


@pytest.mark.parametrize("content", ['[{"conversations": []}, 7]', "[" * 100_000, '[{"a": 1}]'])
def test_a_file_of_neither_pages_nor_conversations_is_refused(tmp_path, content):
    with pytest.raises(ConfigError, match="nothing was changed"):
        imported_store(tmp_path, content)


def test_a_job_whose_last_page_is_missing_leaves_its_days_incomplete(tmp_path):
    store, outcome, _ = imported_store(tmp_path, {"conversations": [PLAIN], "cursor": "more"})

    assert worked_seconds(store) == [("09:00", 360)]
    with pytest.raises(
        Incomplete, match=r"incomplete, because pages are missing after .*details\.json; "
    ) as raised:
        outcome.raise_if_incomplete()
    assert "could not be read" not in str(raised.value)
    assert [day.left_out_count for day in store.settled_windows(Source.DETAILS)] == [1]


def test_a_conversation_without_activity_of_its_agents_is_left_out(tmp_path):
    silent = conversation([{"mediaType": "voice", "metrics": [{"name": "tTalk", "value": 9}]}])
    _, outcome, events = imported_store(tmp_path, {"conversations": [silent]})

    warning = "conversations left out, as they say nothing of what their agents did: 1 (c)"
    assert warning in [event.reason for event in events]
    with pytest.raises(Incomplete):
        outcome.raise_if_incomplete()


def test_an_unreadable_conversation_is_missing_only_on_the_days_it_may_belong_to(tmp_path):
    tuesday = MONDAY + DAY
    text = json.dumps(PLAIN).replace('"c"', '"tuesday"').replace("2026-03-02", "2026-03-03")
    broken = json.loads(text.replace(iso_time("09:05:00", tuesday), "soon"))
    whole = json.loads(text.replace('"tuesday"', '"whole"'))
    store, outcome, _ = imported_store(tmp_path, {"conversations": [PLAIN, broken, whole]})

    assert [day.left_out_count for day in store.settled_windows(Source.DETAILS)] == [0, 1]
    assert [window.interval.start for window in outcome.incomplete] == [tuesday]


def test_an_unreadable_conversation_of_no_known_day_is_missing_on_every_day(tmp_path):
    tuesday = json.loads(json.dumps(PLAIN).replace('"c"', '"d"').replace("03-02", "03-03"))
    nameless = {"participants": 7}
    store, _, _ = imported_store(tmp_path, {"conversations": [PLAIN, tuesday, nameless]})

    assert [day.left_out_count for day in store.settled_windows(Source.DETAILS)] == [1, 1]


def test_a_file_of_tomorrow_is_not_known_beyond_now(tmp_path):
    """Import a file copied from a machine whose clock is ahead."""
    path = tmp_path / "details.json"
    path.write_text(json.dumps({"conversations": [PLAIN]}))  # written when the test runs
    store, now = Store(tmp_path / "halfhour.duckdb"), MONDAY + timedelta(hours=12)
    asyncio.run(import_files(store, [path], None, lambda: now, lambda event: None))

    (settled,) = store.settled_windows(Source.DETAILS)
    assert (settled.window.end, settled.read_at) == (now, now)


def test_an_import_with_an_unreadable_record_exits_with_5_and_its_day_is_incomplete(
    halfhour, tmp_path
):
    wrong = {**PLAIN, "conversationId": "wrong", "conversationEnd": "2026-03-02T09:06:00"}
    (tmp_path / "details.json").write_text(json.dumps([PLAIN, wrong]))
    ran = halfhour("import", "details.json", "--from", "2026-03-02", "--to", "2026-03-03")

    assert ran.code == 5
    assert "$.conversationEnd: '2026-03-02T09:06:00' is not a valid time" in ran.err
    assert ran.err.splitlines()[-1] == (
        "  details 2026-03-02T00:00:00.000Z/2026-03-03T00:00:00.000Z: 1 left out"
    )
    days = [
        row
        for row in halfhour("coverage", "--format", "json").json
        if row["source"] == "details" and row["read_at"]
    ]
    assert [(day["state"], day["left_out_count"]) for day in days] == [("incomplete", 1)]
