"""Worked time in Parquet files: the same rows as a store's, whole at any moment, in any shards."""

import asyncio
import gzip
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genesys_emulator.simulation.organization import make_organization
from genesys_emulator.simulation.restatements import Snapshot
from genesys_emulator.simulation.source import SimulatedCentre
from halfhour.errors import ConfigError, Incomplete
from halfhour.ingest.detail_files import MAX_PAGE_CONVERSATIONS
from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, Interval, epoch_ms
from halfhour.model.tables import EMITTED_SCHEMA, SEGMENTS_SCHEMA
from halfhour.store.derived_details import ACTIVE_ON_OTHER_DAYS, REVERSED_SEGMENTS
from halfhour.store.store import Store
from halfhour.store.worked_tables import WORKED_TABLES
from halfhour.syncing.import_files import import_files
from halfhour.syncing.output_folder import DRAFT_PREFIX, OutputFolder
from halfhour.syncing.progress import Event, EventKind
from halfhour.syncing.worked_files import WorkedOutcome, WorkedRequest, write_worked_files
from tests.report_data import busy_rows, worked_rows
from tests.store.test_derived_details import GOOD, SEGMENT, changed_conversation
from tests.sync_runs import query_file

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
DAYS = Interval(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))
FIRST_DAY, SECOND_DAY = DAYS.split_into_windows(DAY)


@cache
def simulated_records(seed: int, known_at: datetime) -> tuple[dict[str, Any], ...]:
    """Return the conversations of `DAYS` and the day after, as they were known at *known_at*."""
    centre = SimulatedCentre(make_organization(seed, 9), date(2026, 2, 24))
    start, end = epoch_ms(DAYS.start), epoch_ms(DAYS.end + DAY)
    snapshot = Snapshot(epoch_ms(known_at))
    details = [
        detail
        for detail in centre.conversations_begun(start, end)
        if start <= detail.start < end and detail.is_known(snapshot)
    ]
    return tuple(
        detail.record(snapshot) for detail in sorted(details, key=lambda detail: detail.start)
    )


def as_page(records: Sequence[object]) -> bytes:
    return msgspec.json.encode({"conversations": records})


def as_lines(records: Iterable[object]) -> bytes:
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


def landed_files(folder: Path, seed: int = 1) -> list[Path]:
    """Write files of versions of conversations as a job has them every few hours."""
    known = [datetime(2026, 3, 2, 15, tzinfo=UTC), datetime(2026, 3, 3, 11, tzinfo=UTC), NOW]
    earliest, early, late = (simulated_records(seed, moment) for moment in known)
    contents = {
        "a.json": as_page(earliest),
        "b.ndjson.gz": gzip.compress(as_lines(early)),
        "c.ndjson": as_lines(late[::2]),
        "d/d.json": b"[" + as_page(late[1::4]) + b"," + as_page(late[3::4]) + b"]",
    }
    paths = []
    for at, (name, content) in enumerate(contents.items()):
        paths.append(folder / name)
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        paths[-1].write_bytes(content)
        os.utime(paths[-1], (known[min(at, 2)].timestamp(),) * 2)
    assert earliest[0] != late[0] or earliest[-1] not in late
    return paths


def request_of(
    folder: Path | str, interval: Interval | None = None, **changes: Any
) -> WorkedRequest:
    words = {"organization": "default", "width": HALF_HOUR, "max_bad": "0.1%", **changes}
    return WorkedRequest.parse(output=str(folder), interval=interval, **words)


def write_worked(
    inputs: Sequence[Path], folder: Path, interval: Interval | None = None, **changes: Any
) -> tuple[WorkedOutcome, list[Event]]:
    events: list[Event] = []
    request = request_of(folder, interval, **changes)
    return asyncio.run(write_worked_files(inputs, request, lambda: NOW, events.append)), events


def contents_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def written_rows(folder: Path, table: str, day: Interval) -> list[dict[str, Any]]:
    path = OutputFolder(folder, "default").day_path(table, day.start)
    rows = pq.ParquetFile(path).read()
    assert rows.schema.equals(WORKED_TABLES[table])
    return list(rows.to_pylist())


def in_order(rows: pa.Table | list[dict[str, Any]]) -> list[str]:
    return sorted(map(str, rows if isinstance(rows, list) else rows.to_pylist()))


def import_store(inputs: Sequence[Path], path: Path, interval: Interval | None) -> Store:
    store = Store(path)
    asyncio.run(import_files(store, inputs, interval, lambda: NOW, lambda _: None))
    return store


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("interval", [DAYS, None])
def test_the_rows_are_those_of_a_store_into_which_the_files_were_imported(tmp_path, seed, interval):
    landed_files(tmp_path / "landed", seed)
    store = import_store([tmp_path / "landed"], tmp_path / "halfhour.duckdb", interval)
    segments = query_file(store, "from segments").cast(SEGMENTS_SCHEMA).to_pylist()
    emitted = query_file(store, "from emitted").cast(EMITTED_SCHEMA).to_pylist()

    for width in (HALF_HOUR, QUARTER_HOUR):
        folder = tmp_path / str(width.seconds)
        outcome, _ = write_worked([tmp_path / "landed"], folder, interval, width=width)

        expected_days = [*DAYS.split_into_windows(DAY)]
        if not interval:
            expected_days.append(Interval(DAYS.end, DAYS.end + DAY))
        assert outcome.days == expected_days
        for day in outcome.days:
            expected = {
                "segments": [row for row in segments if row["window_start"] == day.start],
                "emitted": [row for row in emitted if day.start <= row["emitted_at"] < day.end],
                "worked": worked_rows(store, day, width),
                "busy": busy_rows(store, day, width),
            }
            for table, rows in expected.items():
                assert in_order(written_rows(folder, table, day)) == in_order(rows)
            assert len(written_rows(folder, "worked", day)) > 20


def test_the_last_version_of_a_conversation_counts_in_whichever_file_it_is(tmp_path):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_bytes(as_page(simulated_records(1, datetime(2026, 3, 3, 9, tzinfo=UTC))))
    new.write_bytes(as_page(simulated_records(1, NOW)))
    for path in (old, new):
        os.utime(path, (NOW.timestamp(),) * 2)

    for name, inputs in {"one": [new], "both": [old, new], "reversed": [new, old]}.items():
        write_worked(inputs, tmp_path / name, DAYS)

    assert contents_of(tmp_path / "both") == contents_of(tmp_path / "one")
    assert contents_of(tmp_path / "reversed") != contents_of(tmp_path / "one")


def test_days_and_organisations_apart_give_what_one_run_gives(tmp_path):
    acme, other = (landed_files(tmp_path / name, seed) for name, seed in (("a", 1), ("o", 2)))
    whole, shards = tmp_path / "whole", tmp_path / "shards"
    for organization, inputs in {"acme": acme, "other": other}.items():
        write_worked(inputs, whole, DAYS, organization=organization)
    for day in (SECOND_DAY, FIRST_DAY):
        write_worked(other, shards, day, organization="other")
        write_worked(acme, shards, day, organization="acme")

    contents = contents_of(whole)
    assert len(contents) == 2 * 2 * len(WORKED_TABLES)
    assert contents_of(shards) == contents
    write_worked(acme, shards, DAYS, organization="acme")
    assert contents_of(shards) == contents


def test_other_days_stay_as_they_are(tmp_path):
    landed_files(tmp_path / "landed")
    write_worked([tmp_path / "landed"], tmp_path / "out", DAYS)
    path = OutputFolder(tmp_path / "out", "default").day_path("worked", DAYS.start)
    path.write_text("old", encoding="utf-8")

    write_worked([tmp_path / "landed"], tmp_path / "out", SECOND_DAY)
    assert path.read_text(encoding="utf-8") == "old"
    write_worked([tmp_path / "landed"], tmp_path / "out", FIRST_DAY)
    assert path.read_bytes().startswith(b"PAR1")


def test_a_day_that_a_part_of_it_replaces_is_told_with_both_numbers(tmp_path):
    whole = landed_files(tmp_path / "landed")
    write_worked(whole, tmp_path / "out")
    old = len(written_rows(tmp_path / "out", "segments", FIRST_DAY))
    first = write_lines(tmp_path / "part", [as_lines(simulated_records(1, NOW)[:4]).strip()])

    outcome, events = write_worked([first], tmp_path / "out")

    new = len(written_rows(tmp_path / "out", "segments", FIRST_DAY))
    assert outcome.shrunk_days == {FIRST_DAY: (old, new)}
    reason = f"fewer segments than before: 2026-03-02 ({new} segments, {old:,} before); "
    assert [event.reason.startswith(reason) for event in events if "before" in event.reason] == [
        True
    ]
    for _ in range(2):
        assert write_worked(whole, tmp_path / "out")[0].shrunk_days == {}


def test_a_file_of_another_program_among_those_of_a_day_is_refused(tmp_path):
    landed_files(tmp_path / "landed")
    write_worked([tmp_path / "landed"], tmp_path / "out", DAYS)
    day_folder = OutputFolder(tmp_path / "out", "default").day_path("busy", DAYS.start).parent
    for name in ("_SUCCESS", ".part.parquet.crc", "more.parquet"):
        (day_folder / name).write_bytes(b"")
    before = contents_of(tmp_path / "out")

    with pytest.raises(ConfigError, match=r"more\.parquet: another program wrote this"):
        write_worked([tmp_path / "landed"], tmp_path / "out", DAYS)

    assert contents_of(tmp_path / "out") == before
    write_worked([tmp_path / "landed"], tmp_path / "out", SECOND_DAY)


MANY = 1_500
"""A number of records of which one may be bad."""


def good_records(count: int = MANY) -> list[dict[str, Any]]:
    return [GOOD | {"conversationId": f"c{number}"} for number in range(count)]


def write_lines(path: Path, lines: Iterable[bytes]) -> Path:
    path.write_bytes(b"\n".join(lines) + b"\n")
    os.utime(path, (NOW.timestamp(),) * 2)
    return path


def good_lines(count: int = MANY) -> list[bytes]:
    return [msgspec.json.encode(record) for record in good_records(count)]


def quarantined(folder: Path) -> list[dict[str, Any]]:
    return [
        row
        for path in sorted((folder / "quarantine").rglob("*.parquet"))
        for row in pq.ParquetFile(path).read().to_pylist()
    ]


BAD_TIME = changed_conversation(f"{SEGMENT}.segmentEnd", "yesterday")
WITHOUT_ID = {name: value for name, value in GOOD.items() if name != "conversationId"}
BAD_LINES: Mapping[bytes, tuple[str | None, str]] = {
    msgspec.json.encode(BAD_TIME): ("bad", "'yesterday' is not a valid time"),
    msgspec.json.encode(WITHOUT_ID): (None, "conversationId"),
    b'{"conversationId": "c", "partic': (None, "JSON is malformed"),
    b'{"conversationId": "\xff", "participants": []}': (None, "utf-8"),
}


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_record_that_cannot_be_read_goes_into_quarantine_and_the_others_count(tmp_path, line):
    conversation_id, reason = BAD_LINES[line]
    lines = good_lines()
    good = write_lines(tmp_path / "good.ndjson", lines)
    write_worked([good], tmp_path / "expected", FIRST_DAY)
    mixed = write_lines(tmp_path / "mixed.ndjson", [*lines[:700], line, *lines[700:]])

    outcome, _ = write_worked([good, mixed], tmp_path / "out", FIRST_DAY)

    assert (outcome.unreadable_count, outcome.record_count) == (1, 2 * MANY + 1)
    (row,) = quarantined(tmp_path / "out")
    assert reason in row.pop("reason")
    assert row == {
        "file": str(mixed),
        "record_number": 701,
        "conversation_id": conversation_id,
        "record": line.decode(errors="backslashreplace"),
    }
    for table in WORKED_TABLES:
        rows = written_rows(tmp_path / "out", table, FIRST_DAY)
        assert rows == written_rows(tmp_path / "expected", table, FIRST_DAY)
    write_lines(mixed, lines)
    write_worked([mixed], tmp_path / "out", FIRST_DAY)
    assert quarantined(tmp_path / "out") == []


def test_the_quarantine_of_other_files_stays(tmp_path):
    for name in ("a", "b"):
        write_lines(tmp_path / name, [*good_lines(), msgspec.json.encode(BAD_TIME)])
        write_worked([tmp_path / name], tmp_path / "apart", FIRST_DAY)
    write_worked([tmp_path / "a", tmp_path / "b"], tmp_path / "together", FIRST_DAY)

    assert [row["record_number"] for row in quarantined(tmp_path / "apart")] == [MANY + 1] * 2
    apart, together = (
        contents_of(tmp_path / name / "quarantine") for name in ("apart", "together")
    )
    assert apart == together


def test_more_bad_records_than_allowed_replace_no_day(tmp_path):
    path = write_lines(tmp_path / "details", good_lines())
    write_worked([path], tmp_path / "out", FIRST_DAY)
    before = contents_of(tmp_path / "out")
    bad = [msgspec.json.encode(BAD_TIME | {"conversationId": f"b{at}"}) for at in range(3)]
    write_lines(path, [*good_lines(1_000), *bad[:2]])

    with pytest.raises(ConfigError, match=r"2 of 1,002 records cannot be read.*max_bad 0.1%"):
        write_worked([path], tmp_path / "out", FIRST_DAY)

    after = contents_of(tmp_path / "out")
    assert {name: after[name] for name in before} == before
    assert [row["record_number"] for row in quarantined(tmp_path / "out")] == [1_001, 1_002]

    outcome, _ = write_worked([path], tmp_path / "out", FIRST_DAY, max_bad="0.2%")
    assert outcome.unreadable_count == 2
    assert contents_of(tmp_path / "out") != after


@pytest.mark.parametrize(("good", "is_allowed"), [(999, True), (998, False)])
def test_the_share_of_bad_records_may_be_reached_but_not_passed(tmp_path, good, is_allowed):
    path = write_lines(tmp_path / "d", [*good_lines(good), msgspec.json.encode(BAD_TIME)])
    try:
        write_worked([path], tmp_path / "out", FIRST_DAY)
    except ConfigError:
        assert not is_allowed
    else:
        assert is_allowed


@pytest.mark.parametrize(
    ("text", "share"),
    [("0%", 0), ("0.1%", Fraction(1, 1000)), ("5%", Fraction(1, 20)), ("100%", 1)],
)
def test_a_percentage_is_a_share(tmp_path, text, share):
    assert request_of(tmp_path, max_bad=text).max_bad == share


def test_what_is_wrong_with_the_data_is_counted_and_told(tmp_path):
    reversed_ends = [
        changed_conversation(f"{SEGMENT}.segmentEnd", "2026-03-02T08:00:00Z", f"r{number}")
        for number in range(7)
    ]
    path = write_lines(tmp_path / "d", [*good_lines(3), *map(msgspec.json.encode, reversed_ends)])

    outcome, events = write_worked([path], tmp_path / "out", FIRST_DAY)

    assert outcome.issue_counts == {REVERSED_SEGMENTS: 7}
    reasons = [event.reason for event in events if event.kind is EventKind.DATA_ISSUE]
    assert reasons[0].startswith(f"{REVERSED_SEGMENTS}: 7 (r0, session s1")
    assert reasons[0].endswith("; and 2 more)")
    assert reasons[1].startswith("2026-03-02: may lack a part")


def test_conversations_that_go_on_after_the_days_are_told(tmp_path):
    records = json.dumps(GOOD).replace("2026-03-02T09:01:00.000Z", "2026-03-03T00:05:00.000Z")
    path = write_lines(tmp_path / "d", [records.encode()])

    outcome, _ = write_worked([path], tmp_path / "out")

    assert outcome.days == [FIRST_DAY]
    assert outcome.issue_counts == {f"{ACTIVE_ON_OTHER_DAYS} (2026-03-03)": 1}


def test_missing_pages_leave_the_days_incomplete(tmp_path):
    path = write_lines(tmp_path / "d", [b'{"conversations": [], "cursor": "more"}'])

    outcome, _ = write_worked([path], tmp_path / "out", FIRST_DAY)

    with pytest.raises(Incomplete, match="2026-03-02: incomplete, because pages are missing"):
        outcome.raise_if_incomplete()
    assert [written_rows(tmp_path / "out", table, FIRST_DAY) for table in WORKED_TABLES] == [[]] * 4


@pytest.mark.parametrize(
    ("pages", "incomplete"),
    [
        pytest.param({"24/0": "c", "24/1": "", "25/0": "c", "26/0": ""}, ["25/0"], id="folders"),
        pytest.param({"24/0": "c", "24/1": "", "25/0": ""}, [], id="whole folders"),
        pytest.param({"24": "ab-", "25": "ab", "26": "a-"}, ["25"], id="one file each"),
        pytest.param({"24": "a-", "25/0": "c", "25/1": ""}, [], id="a file and a folder"),
        pytest.param(
            {"24-000.json": "c", "24-001.json": "", "25-000.json": "c", "26-000.json": ""},
            ["25-000.json"],
            id="numbered names",
        ),
        pytest.param({"p1": "a", "p10": "", "p2": "b", "p3": "c"}, [], id="another order"),
        pytest.param({"a7": "a", "b3": "b", "b9": "", "c2": "c"}, [], id="random names"),
        pytest.param({"24": "a", "25": "b", "26": ""}, [], id="names that are days"),
        pytest.param({"last": "", "more": "a"}, [], id="names without numbers"),
        pytest.param(
            {"24/0": "a", "24/1": "b", "25/0": "", "26/0": "c"}, ["24/1", "26/0"], id="two jobs"
        ),
    ],
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_each_job_that_lacks_pages_is_told(tmp_path, pages, incomplete, compress):
    """A letter of *pages* is the cursor of a page; a file without letters has the last page."""
    landed = tmp_path / "landed"
    for name, cursors in pages.items():
        path = landed / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [
            {"conversations": [GOOD]} | ({} if cursor == "-" else {"cursor": cursor})
            for cursor in cursors or "-"
        ]
        path.write_bytes(compress(as_lines(lines)))

    outcome, events = write_worked([landed], tmp_path / "out", FIRST_DAY)

    files = [str(landed / name) for name in incomplete]
    assert outcome.incomplete_files == files
    warnings = [event.reason for event in events if "cursor" in event.reason]
    assert len(warnings) == bool(files)
    if files:
        assert warnings[0].startswith(", ".join(files) + ": ")
        with pytest.raises(Incomplete, match="pages are missing after " + ", ".join(files)):
            outcome.raise_if_incomplete()


def test_a_page_that_is_divided_is_still_one_page(tmp_path):
    folder = tmp_path / "landed"
    folder.mkdir()
    records = [GOOD] * (MAX_PAGE_CONVERSATIONS + 1)
    write_lines(folder / "0.json", [msgspec.json.encode({"conversations": records, "cursor": "c"})])
    write_lines(folder / "1.json", [as_page(records)])

    outcome, _ = write_worked([folder], tmp_path / "out", FIRST_DAY)

    assert outcome.incomplete_files == []


def test_a_run_leaves_the_draft_of_a_running_one_and_removes_one_of_a_killed_one(tmp_path):
    output = OutputFolder(tmp_path / "out", "default")
    with output.draft_folder() as running:
        abandoned = output.path / f"{DRAFT_PREFIX}abandoned"
        abandoned.mkdir()
        (abandoned / "worked.parquet").write_text("half", encoding="utf-8")
        with output.draft_folder() as draft:
            assert sorted(output.path.iterdir()) == sorted([running, draft])
    assert not output.path.exists()
