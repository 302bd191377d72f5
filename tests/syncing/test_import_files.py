"""Imports of details: every file format gives the same figures, and both bases are right."""

import asyncio
import gzip
import json
import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from halfhour.errors import ConfigError
from halfhour.ingest.detail_files import MAX_PAGE_CONVERSATIONS
from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, Interval
from halfhour.model.tables import EMITTED_SCHEMA, POSTED_METRICS, SEGMENTS_SCHEMA
from halfhour.model.vocabulary import Source
from halfhour.store.coverage import INITIAL_REACH, day_coverage, store_calendar
from halfhour.store.derived_details import ACTIVE_ON_OTHER_DAYS, SEGMENTS_WITHOUT_END
from halfhour.store.store import Store
from halfhour.syncing import planner
from halfhour.syncing.import_files import import_files
from halfhour.syncing.planner import SyncRequest
from halfhour.syncing.progress import Event, Outcome
from tests.oracle import WORKED_COLUMNS, figure_key
from tests.rebuilt_figures import posted_from_details
from tests.report_data import callback_voice_rows, worked_rows

CAPTURED = Path(__file__).parents[1] / "captured.json"
CONVERSATIONS = json.loads(CAPTURED.read_text(encoding="utf-8"))["conversations"]
NOW = datetime(2026, 3, 3, tzinfo=UTC)
MS = timedelta(milliseconds=1)


def parsed_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


STARTS = [parsed_time(record["conversationStart"]) for record in CONVERSATIONS]
DAYS = Interval(
    min(STARTS).replace(hour=0, minute=0, second=0, microsecond=0),
    max(STARTS).replace(hour=0, minute=0, second=0, microsecond=0) + DAY,
)


def page(conversations: list[Any]) -> bytes:
    return json.dumps({"conversations": conversations}).encode()


def json_lines(conversations: list[Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in conversations)


FORMS: dict[str, Callable[[list[Any]], bytes]] = {
    "page": page,
    "pretty": lambda records: json.dumps({"conversations": records}, indent=1).encode(),
    "list": lambda records: json.dumps(records).encode(),
    "ndjson": json_lines,
    "pages by the line": lambda records: page(records[:2]) + b"\n\n" + page(records[2:]) + b"\n",
    "twice": lambda records: json_lines(records) + json_lines(records),
    "with a byte order mark": lambda records: b"\xef\xbb\xbf" + json_lines(records),
    "with an empty last page": lambda records: (
        json_lines(records) + b'{"dataAvailabilityDate": "%s"}' % NOW.isoformat().encode()
    ),
    "gzipped": lambda records: gzip.compress(page(records)),
    "gzipped ndjson": lambda records: gzip.compress(json_lines(records)),
}


def import_content(
    folder: Path, content: bytes, interval: Interval | None = None, written: datetime = NOW
) -> tuple[Store, Outcome, list[Event]]:
    path = folder / "details"
    path.write_bytes(content)
    os.utime(path, (written.timestamp(),) * 2)
    store = Store(folder / "halfhour.duckdb")
    events: list[Event] = []
    clock = max(NOW, written)
    return (
        store,
        asyncio.run(import_files(store, [path], interval, lambda: clock, events.append)),
        events,
    )


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_an_export_is_imported_alike(tmp_path, form):
    whole = tmp_path / "whole"
    whole.mkdir()
    expected, _, _ = import_content(whole, page(CONVERSATIONS))
    store, outcome, _ = import_content(tmp_path, FORMS[form](CONVERSATIONS))

    assert outcome.rows > 50
    assert store.settled_windows(Source.DETAILS) == expected.settled_windows(Source.DETAILS)
    for read in (
        worked_rows,
        posted_from_details,
        callback_voice_rows,
    ):
        rows, expected_rows = (
            read(source, DAYS, HALF_HOUR).to_pylist() for source in (store, expected)
        )
        assert sorted(map(str, rows)) == sorted(map(str, expected_rows))


def agent_sessions() -> list[tuple[str, dict[str, Any], bool]]:
    """Return the sessions of agents: agent, session, and whether their own callback led to it."""
    sessions = []
    for conversation in CONVERSATIONS:
        agents = [part for part in conversation["participants"] if "userId" in part]
        for agent in agents:
            called_back = any(
                session["mediaType"] == "callback"
                for other in agents
                if other["userId"] == agent["userId"]
                for session in other["sessions"]
            )
            sessions += [
                (agent["userId"], session, called_back and session["mediaType"] == "voice")
                for session in agent["sessions"]
            ]
    return sessions


@pytest.mark.parametrize("width", [HALF_HOUR, QUARTER_HOUR])
def test_imported_details_are_right_on_both_bases_to_the_millisecond(tmp_path, width):
    store, _, _ = import_content(tmp_path, CAPTURED.read_bytes())
    worked: Counter[tuple[Any, ...]] = Counter()
    posted: Counter[tuple[Any, ...]] = Counter()
    columns: dict[str, list[Any]] = {}
    for column in POSTED_METRICS:
        columns.setdefault(column.metric, []).append(column)
    for agent, session, is_led_to_by_callback in agent_sessions():
        queues = dict.fromkeys(
            segment["queueId"] for segment in session["segments"] if "queueId" in segment
        )
        for metric in session.get("metrics", ()):
            at = parsed_time(metric["emitDate"])
            row = {
                "interval_start": at - (at - DAYS.start) % width,
                "agent_id": agent,
                "queue_id": ",".join(queues) or None,
                "media_type": session["mediaType"],
            }
            for column in columns.get(metric["name"], ()):
                if DAYS.start <= at < DAYS.end:
                    posted[figure_key(row, column.name)] += (
                        metric["value"] if column.stat == "sum" else 1
                    )
        for segment, following in zip_longest(session["segments"], session["segments"][1:]):
            if segment["segmentType"] not in WORKED_COLUMNS or is_led_to_by_callback:
                continue
            at = parsed_time(segment["segmentStart"])
            end = parsed_time(segment.get("segmentEnd") or following["segmentStart"])
            while at < end:
                start = at - (at - DAYS.start) % width
                until = min(end, start + width)
                row = {
                    "interval_start": start,
                    "agent_id": agent,
                    "queue_id": segment.get("queueId"),
                    "media_type": session["mediaType"],
                }
                worked[figure_key(row, WORKED_COLUMNS[segment["segmentType"]])] += (
                    until - at
                ) // MS
                at = until

    assert sum(worked.values()) > 10**6
    assert worked == {
        figure_key(row, name): row[name]
        for row in worked_rows(store, DAYS, width).to_pylist()
        for name in WORKED_COLUMNS.values()
        if row[name]
    }
    assert +posted == {
        figure_key(row, column.name): row[column.name]
        for row in posted_from_details(store, DAYS, width).to_pylist()
        for column in POSTED_METRICS
        if row[column.name]
    }


def test_a_file_settles_the_days_that_it_is_said_to_cover(tmp_path):
    week = Interval(DAYS.start - DAY, DAYS.start + 2 * DAY)
    store, outcome, events = import_content(tmp_path, page(CONVERSATIONS), week)

    assert [settled.window for settled in store.settled_windows(Source.DETAILS)] == list(
        week.split_into_windows(DAY)
    )
    assert outcome.settled == 3
    assert [event.kind for event in events] == ["read", "planned", *["settled"] * 3, "odd"]
    assert events[-1].reason == (
        f"{SEGMENTS_WITHOUT_END}: 1 ({CONVERSATIONS[-2]['conversationId']}, session "
        "00000000-0000-4000-8000-0000000dd07, segments[2]: hold at 2023-02-17T20:06:05.250Z)"
    )


def moved_to_day(conversation: dict[str, Any], day: str) -> Any:
    """Return a copy of *conversation* on another day, with other ids."""
    text = json.dumps(conversation).replace("2023-02-17", day)
    return json.loads(text.replace("00000000-0000", f"{day[-5:-3]}{day[-2:]}0000-0000"))


def days_of(store: Store) -> list[str]:
    return [f"{settled.window.start:%Y-%m-%d}" for settled in store.settled_windows(Source.DETAILS)]


def warning_texts(events: list[Event]) -> str:
    return "\n".join(event.reason for event in events if event.kind == "odd")


def test_a_file_settles_the_days_in_which_conversations_of_agents_began_and_no_others(tmp_path):
    ivr = {**moved_to_day(CONVERSATIONS[0], "2023-02-20"), "participants": [{"purpose": "ivr"}]}
    later = moved_to_day(CONVERSATIONS[0], "2023-02-25")
    store, outcome, events = import_content(tmp_path, json_lines([*CONVERSATIONS, ivr, later]))

    assert days_of(store) == ["2023-02-17", "2023-02-25"]
    assert outcome.imported_days == [DAYS.start, DAYS.start + 8 * DAY]
    assert ACTIVE_ON_OTHER_DAYS not in warning_texts(events)


def test_an_import_replaces_stored_days_only_if_told_that_they_are_complete(
    tmp_path,
):
    import_content(tmp_path, page([*CONVERSATIONS, moved_to_day(CONVERSATIONS[1], "2023-02-19")]))
    store = Store(tmp_path / "halfhour.duckdb")
    before = store.settled_windows(Source.DETAILS)
    less = page([*CONVERSATIONS[1:], moved_to_day(CONVERSATIONS[1], "2023-02-18")])
    message = r"2023-02-17: stored already, .* start 2023-02-17 end 2023-02-18"
    with pytest.raises(ConfigError, match=message):
        import_content(tmp_path, less)
    assert store.settled_windows(Source.DETAILS) == before

    written = NOW + timedelta(microseconds=123_456)
    _, outcome, _ = import_content(tmp_path, less, DAYS, written)
    assert days_of(store) == ["2023-02-17", "2023-02-19"]
    assert outcome.changed > 0
    assert store.revision_rows().num_rows == outcome.changed
    assert {*store.revision_rows()["read_at"].to_pylist()} == {NOW + timedelta(milliseconds=123)}


def test_revisions_of_a_store_that_kept_microseconds_can_be_read(tmp_path):
    store, _, _ = import_content(tmp_path, page(CONVERSATIONS))
    nothing = {"segments": SEGMENTS_SCHEMA.empty_table(), "emitted": EMITTED_SCHEMA.empty_table()}
    store.settle(Source.DETAILS, DAYS, nothing, NOW + timedelta(microseconds=1))

    assert {*store.revision_rows()["read_at"].to_pylist()} == {NOW}


def test_a_call_over_midnight_is_a_warning_if_its_other_day_is_not_imported(tmp_path):
    late = json.loads(json.dumps(CONVERSATIONS[0]).replace("T18:", "T23:").replace("-17T23:15",
                      "-18T00:15"))  # fmt: skip
    store, _, events = import_content(tmp_path, page([late, *CONVERSATIONS[1:]]))

    assert days_of(store) == ["2023-02-17"]
    identity = late["conversationId"]
    assert f"days that are left out (2023-02-18): 1 ({identity})" in warning_texts(events)


def test_a_job_without_its_last_page_is_a_warning(tmp_path):
    first, last = ({"conversations": CONVERSATIONS[:2], "cursor": "more"},
                   {"conversations": CONVERSATIONS[2:]})  # fmt: skip
    _, _, events = import_content(tmp_path, json.dumps(first).encode())
    assert "details: its last page has a cursor" in warning_texts(events)
    paths = [tmp_path / "1.json", tmp_path / "2.json"]
    for path, content in zip(paths, (last, first), strict=True):
        path.write_text(json.dumps(content))
    events_of_whole: list[Event] = []
    asyncio.run(
        import_files(
            Store(tmp_path / "whole.duckdb"), paths, DAYS, lambda: NOW, events_of_whole.append
        )
    )

    assert "has a cursor" not in warning_texts(events_of_whole)


def test_an_import_settles_until_the_data_availability_date_of_its_file(tmp_path):
    ended = DAYS.start + timedelta(hours=20, minutes=40)
    page_with_date = {"conversations": CONVERSATIONS, "dataAvailabilityDate": ended.isoformat()}
    store, _, _ = import_content(tmp_path, json.dumps(page_with_date).encode())

    (only,) = store.settled_windows(Source.DETAILS)
    assert only.window == Interval(DAYS.start, DAYS.start + timedelta(hours=20, minutes=30))
    assert only.read_at == ended


def test_each_day_is_known_until_its_own_file_was_written(tmp_path):
    """Import the exports of several nights together."""
    days = ("2023-03-01", "2023-03-02", "2023-03-05")
    paths = []
    for day in days:
        paths.append(tmp_path / f"{day}.json")
        paths[-1].write_bytes(page([moved_to_day(CONVERSATIONS[0], day)]))
        os.utime(paths[-1], (parsed_time(f"{day}T00:00:00Z").timestamp() + 30 * 3600,) * 2)
    store = Store(tmp_path / "halfhour.duckdb")
    asyncio.run(import_files(store, paths, None, lambda: NOW, lambda event: None))

    settled = store.settled_windows(Source.DETAILS)
    assert [f"{day.window.start:%Y-%m-%d}" for day in settled] == [*days]
    assert {day.window.width for day in settled} == {DAY}
    assert {day.read_at - day.window.end for day in settled} == {timedelta(hours=6)}


def test_an_agent_without_sessions_or_segments_makes_a_day_as_well(tmp_path):
    text = json.dumps(without_key("segments", CONVERSATIONS[:1])).replace(
        '"segments": []', '"segments": null'
    )
    agents = [*json.loads(text), *without_key("sessions", CONVERSATIONS[:1])]
    agents[1]["participants"].append({"purpose": "agent", "userId": "ann", "sessions": None})
    store, _, _ = import_content(tmp_path, page(agents))

    assert [settled.window for settled in store.settled_windows(Source.DETAILS)] == [DAYS]


def test_days_that_had_not_begun_when_the_file_was_written_cannot_be_settled(tmp_path):
    with pytest.raises(ConfigError, match=r"2023-02-17: not begun at 2023-02-16T00"):
        import_content(tmp_path, page(CONVERSATIONS), written=DAYS.start - DAY)

    assert not (tmp_path / "halfhour.duckdb").exists()


def test_a_sync_without_a_range_does_not_reach_back_to_imported_days(tmp_path):
    store, _, _ = import_content(tmp_path, page(CONVERSATIONS))
    days = planner.due_days(store, SyncRequest(), NOW)

    assert {source_days[0].day.start for source_days in days.values()} == {NOW - INITIAL_REACH}
    assert day_coverage(store, store_calendar(store, NOW))[Source.DETAILS][0].day == DAYS


def test_a_day_not_over_when_the_file_was_written_is_settled_up_to_then(tmp_path):
    written = DAYS.start + timedelta(hours=9, minutes=40)
    begun = {**CONVERSATIONS[0], "participants": []}
    two_days = Interval(DAYS.start, DAYS.start + 2 * DAY)
    store, _, _ = import_content(tmp_path, page([begun]), two_days,
                         written)  # fmt: skip

    (only,) = store.settled_windows(Source.DETAILS)
    assert only.window == Interval(DAYS.start, DAYS.start + timedelta(hours=9, minutes=30))
    assert only.read_at == written


@pytest.mark.parametrize("emptied", ["metrics", "segments", "sessions", "userId"])
def test_the_last_version_of_a_conversation_counts_even_if_it_has_less(tmp_path, emptied):
    """Put the versions into different parts, with many conversations between them."""
    later = without_key(emptied, CONVERSATIONS)
    between = json_lines([{"conversationId": "another"}] * MAX_PAGE_CONVERSATIONS)
    for name, content in (("both", json_lines(CONVERSATIONS) + between + json_lines(later)),
                          ("last", json_lines(later))):  # fmt: skip
        (tmp_path / name).mkdir()
        store, _, _ = import_content(tmp_path / name, content, DAYS)
        rows = [
            sorted(map(str, read(store, DAYS, HALF_HOUR).to_pylist()))
            for read in (worked_rows, posted_from_details)
        ]
        if name == "both":
            rows_of_both = rows

    assert rows_of_both == rows


def without_key(name: str, value: Any) -> Any:
    """Return the JSON *value* without any key *name*."""
    if isinstance(value, dict):
        return {key: without_key(name, item) for key, item in value.items() if key != name}
    return [without_key(name, item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cut off, or not JSON"),
        (b'{"results": []}', "these are aggregates"),
        (b'{"entities": []}', "neither a page of conversation details"),
        (
            b'{"conversations": []}',
            "the files have no conversation of an agent; name the days that they cover with start "
            "and end",
        ),
        (json_lines(CONVERSATIONS[:2])[:-9], "line 2: cut off"),
        (gzip.compress(json_lines(CONVERSATIONS))[:-30], "cannot be read"),
        (b"\x1f\x8bnothing of the kind", "cannot be read"),
        (b"PK\x03\x04", "not JSON"),
    ],
)
def test_a_file_that_holds_no_details_is_refused_and_no_store_is_made(tmp_path, content, message):
    with pytest.raises(ConfigError, match=message):
        import_content(tmp_path, content)

    assert not (tmp_path / "halfhour.duckdb").exists()


def test_an_import_for_part_of_a_day_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="whole days"):
        import_content(tmp_path, page(CONVERSATIONS), Interval(DAYS.start + HALF_HOUR, DAYS.end))


def test_the_command_reads_files_and_the_report_shows_them(halfhour, tmp_path):
    broken = {**CONVERSATIONS[1], "conversationId": "odd", "participants": [{"purpose": 1}]}
    (tmp_path / "page.json").write_bytes(page([*CONVERSATIONS, broken]))
    ran = halfhour("import", "page.json")

    assert ran.code == 5
    warning = "conversations left out, as they cannot be read: 1 (odd, Expected `str | null`"
    assert warning in ran.err
    day = DAYS.start.date().isoformat()
    report = halfhour("report", "--offline", "--basis", "worked", "--from", day,
                     "--to", str((DAYS.start + DAY).date()), "--format", "csv")  # fmt: skip
    assert report.code == 5
    assert "1 left out" in report.err
    assert report.out.count("\n") > 2
    assert halfhour("import", "none.json").err.count("\n") == 1
