"""The causes that lie in one session: segments with time in common, and contacting alone."""

import asyncio
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genesys_emulator.pytest_plugin import running
from halfhour.ingest.raw_details import read_records
from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, MILLISECOND, Interval
from halfhour.model.tables import EMITTED_SCHEMA, POSTED_SCHEMA, SEGMENTS_SCHEMA
from halfhour.model.vocabulary import Source
from halfhour.reports.from_store import reconcile_store
from halfhour.store.derived_details import derive_details
from halfhour.store.store import Store
from tests.processes import Cloud
from tests.rebuilt_figures import posted_from_details
from tests.reports.test_reconciliation import CAUSES
from tests.sync_runs import query_file, sync_store

EDGE = datetime(2026, 3, 3, tzinfo=UTC)  # where two days meet
MONDAY, TUESDAY = Interval(EDGE - DAY, EDGE), Interval(EDGE, EDGE + DAY)
LATER = EDGE + 9 * DAY
NINE = -15 * 3_600_000  # nine o'clock on Monday, in milliseconds since the edge
AGENTS = [f"agent-{number}" for number in range(8)]
SPAN = 40  # milliseconds before and after the edge


class Session(NamedTuple):
    """A session of *agent*: segments (type, start, end), and handle times (moment, value).

    Times are milliseconds since the edge.
    """

    segments: Sequence[tuple[str, int, int]]
    handles: Sequence[tuple[int, int]] = ()
    agent: str = "ann"


def iso_time(at: int) -> str:
    return (EDGE + at * MILLISECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def conversation_record(number: int, sessions: Sequence[Session]) -> msgspec.Raw:
    """Return a conversation in the form of the details API, a participant for each session."""
    participants = [
        {
            "purpose": "agent",
            "userId": session.agent,
            "sessions": [
                {
                    "sessionId": f"s{number}-{at}",
                    "mediaType": "voice",
                    "direction": "inbound",
                    "segments": [
                        {
                            "segmentType": kind,
                            "segmentStart": iso_time(start),
                            "segmentEnd": iso_time(end),
                        }
                        for kind, start, end in session.segments
                    ],
                    "metrics": [
                        {"name": "tHandle", "value": value, "emitDate": iso_time(at)}
                        for at, value in session.handles
                    ],
                }
            ],
        }
        for at, session in enumerate(sessions)
    ]
    starts = [start for session in sessions for _, start, _ in session.segments]
    record = {
        "conversationId": f"c{number}",
        "conversationStart": iso_time(min(starts, default=0)),
        "participants": participants,
    }
    return msgspec.Raw(msgspec.json.encode(record))


def settle_details(
    store: Store, day: Interval, records: Sequence[msgspec.Raw], read_at: datetime = LATER
) -> None:
    """Settle the details of *day*, read on their own, and what the values in them post."""
    with tempfile.TemporaryDirectory() as folder:
        raw = read_records(records, read_at)
        derived = asyncio.run(derive_details(raw._asdict(), day, Path(folder)))
        store.settle(Source.DETAILS, day, derived.paths, read_at)
    posted = posted_from_details(store, day, HALF_HOUR)
    store.settle(Source.POSTED, day, {"posted": posted}, read_at)


def new_store(folder: Path) -> Store:
    store = Store(folder / "store.duckdb")
    store.ensure_created({"granularity": "1800", "reread": "86400"})
    return store


def store_of(folder: Path, *sessions: Session, days: Sequence[Interval] = (MONDAY,)) -> Store:
    """Return a store of one conversation."""
    store = new_store(folder)
    for day in days:
        settle_details(store, day, [conversation_record(0, sessions)])
    return store


def differences(store: Store) -> list[dict[str, int]]:
    """Return by day the differences of posted and worked time that are not zero, and their sum."""
    return [
        {
            "difference": row["posted_ms"] - row["worked_ms"],
            **{cause: row[cause] for cause in CAUSES if row[cause]},
        }
        for row in reconcile_store(store, None, LATER).to_pylist()
    ]


def call_with_early_acw(handle_ms: int, start: int = NINE) -> Session:
    """Return a call whose after-call work begins 283 ms before its talk ends."""
    return Session(
        [
            ("alert", start, start + 5425),
            ("interact", start + 5425, start + 21_497),
            ("wrapup", start + 21_214, start + 26_214),
        ],
        [(start + 26_214, handle_ms)],
    )


def test_time_that_segments_of_a_session_have_in_common_is_a_cause(tmp_path):
    store = store_of(tmp_path, call_with_early_acw(21_072))
    (row,) = reconcile_store(store, None, LATER).to_pylist()

    assert (row["posted_ms"], row["rebuilt_ms"], row["worked_ms"]) == (21_072, 21_072, 20_789)
    assert (row["overlapping_segments_ms"], row["unexplained_ms"]) == (283, 0)
    assert row["unexplained_conversations"] == ""


@pytest.mark.parametrize(
    ("handle_ms", "causes"),
    [
        (20_789, {}),  # posted as it was worked
        (21_072 + 7, {"overlapping_segments_ms": 283, "unexplained_ms": 7}),
        (21_072 - 7, {"overlapping_segments_ms": 283, "unexplained_ms": -7}),
        (20_789 + 7, {"unexplained_ms": 7}),
        (20_789 - 7, {"unexplained_ms": -7}),
        (0, {"unexplained_ms": -20_789}),
    ],
)
def test_common_time_explains_only_what_is_posted_for_it(tmp_path, handle_ms, causes):
    difference = handle_ms - 20_789

    assert differences(store_of(tmp_path, call_with_early_acw(handle_ms))) == [
        {"difference": difference, **causes}
    ]


@pytest.mark.parametrize(
    ("segments", "common_ms"),
    [
        ([("interact", 0, 100), ("hold", 20, 50), ("wrapup", 90, 130)], 30 + 10),
        ([("interact", 0, 100), ("hold", 40, 120), ("wrapup", 60, 150)], 60 + 60),
        ([("contacting", 0, 30), ("dialing", 20, 50), ("interact", 50, 90)], 10),
        ([("alert", 0, 30), ("interact", 20, 50), ("monitoring", 30, 60)], 0),
        ([("interact", 0, 50), ("interact", 0, 50)], 50),
    ],
)
def test_the_work_of_any_number_of_segments_can_have_time_in_common(tmp_path, segments, common_ms):
    work = [(start, end) for kind, start, end in segments if kind not in ("alert", "monitoring")]
    session = Session(
        [(kind, NINE + start, NINE + end) for kind, start, end in segments],
        [(NINE + 150, sum(end - start for start, end in work))],
    )
    explained = {"overlapping_segments_ms": common_ms} if common_ms else {}

    assert differences(store_of(tmp_path, session)) == [{"difference": common_ms, **explained}]


def test_common_time_is_explained_on_the_day_on_which_it_was_posted(tmp_path):
    night = Session([("interact", -100, 20), ("wrapup", -30, 70)], [(70, 220)])

    assert differences(store_of(tmp_path, night, days=(MONDAY, TUESDAY))) == [
        {"difference": -100, "crosses_midnight_ms": -100},
        {"difference": 220 - 70, "overlapping_segments_ms": 50, "crosses_midnight_ms": 100},
    ]


def test_the_latest_reading_of_a_conversation_tells_what_its_segments_have_in_common(tmp_path):
    """Read the first day while the call goes on, and the second when it is over."""
    store = new_store(tmp_path)
    other_call = Session([("interact", NINE, NINE + 5)], [(NINE + 5, 5)])
    before = [conversation_record(1, [other_call]), conversation_record(0, [
        Session([("interact", -100, 0)])
    ])]  # fmt: skip
    settle_details(store, MONDAY, before, EDGE)
    night = Session([("interact", -100, 20), ("wrapup", 10, 70)], [(70, 180)])
    settle_details(store, TUESDAY, [conversation_record(0, [night])])

    assert differences(store) == [
        {"difference": -100, "crosses_midnight_ms": -100},
        {"difference": 180 - 70, "overlapping_segments_ms": 10, "crosses_midnight_ms": 100},
    ]


def test_common_time_is_unexplained_where_what_genesys_said_is_not_held(tmp_path):
    store = store_of(tmp_path, call_with_early_acw(21_072))
    store.delete_raw_before(EDGE)

    assert differences(store) == [{"difference": 283, "unexplained_ms": 283}]


def test_what_genesys_said_in_an_older_reading_of_the_day_explains_nothing(tmp_path):
    store = store_of(tmp_path, call_with_early_acw(21_072))
    derived = {
        name: query_file(store, f"from {name}").cast(schema)
        for name, schema in {"segments": SEGMENTS_SCHEMA, "emitted": EMITTED_SCHEMA}.items()
    }
    store.settle(Source.DETAILS, MONDAY, derived, LATER)

    assert differences(store) == [{"difference": 283, "unexplained_ms": 283}]


def test_common_time_of_what_is_posted_after_the_held_part_of_a_day_is_open(tmp_path):
    store = store_of(tmp_path, call_with_early_acw(21_072, start=NINE - 10_000))
    held = Interval(MONDAY.start, EDGE + NINE * MILLISECOND)
    store.settle(Source.POSTED, held, {"posted": POSTED_SCHEMA.empty_table()}, held.end)

    worked_ms = 10_000 - 5425
    assert differences(store) == [{"difference": -worked_ms, "still_open_ms": -worked_ms}]


MONITORED = [("contacting", NINE, NINE + 5000), ("monitoring", NINE + 5000, NINE + 90_000)]


@pytest.mark.parametrize("handles", [[], [(NINE + 90_000, 0)]])
def test_contacting_without_other_work_of_which_nothing_is_posted_is_a_cause(tmp_path, handles):
    assert differences(store_of(tmp_path, Session(MONITORED, handles))) == [
        {"difference": -5000, "contacting_only_ms": -5000}
    ]


@pytest.mark.parametrize(
    ("session", "causes"),
    [
        (Session(MONITORED, [(NINE + 5000, 5000)]), {}),  # an attempt that reached nobody
        (Session(MONITORED, [(NINE + 5000, 4999)]), {"unexplained_ms": -1}),
        (
            Session([*MONITORED, ("dialing", NINE + 90_000, NINE + 91_000)]),
            {"unexplained_ms": -6000},
        ),
        (Session([("interact", NINE, NINE + 5000)]), {"unexplained_ms": -5000}),
    ],
)
def test_contacting_alone_explains_nothing_else(tmp_path, session, causes):
    assert differences(store_of(tmp_path, session)) == [
        {"difference": sum(causes.values()), **causes}
    ]


def test_a_sync_of_both_cases_has_nothing_unexplained(tmp_path):
    records = [
        conversation_record(0, [call_with_early_acw(21_072)]),
        conversation_record(1, [Session(MONITORED, agent="bob")]),
    ]
    path = tmp_path / "conversations.json"
    path.write_bytes(b"[" + b", ".join(map(bytes, records)) + b"]")
    store = Store(tmp_path / "halfhour.duckdb")
    with running("--conversations", str(path), "--now", iso_time(9 * 86_400_000)) as cloud:
        sync_store(Cloud(cloud.url).settings, store, MONDAY, LATER, sources=None)

    assert differences(store) == [
        {"difference": 283, "overlapping_segments_ms": 283},
        {"difference": -5000, "contacting_only_ms": -5000},
    ]


class Work(NamedTuple):
    """A segment of work: its start, its length, and the milliseconds that count as worked on it."""

    kind: str
    start: int
    whole_ms: int
    worked: set[int]


def work_of_session(session: Session) -> list[Work]:
    """Return the work of *session* in order; the later segment gives way."""
    worked: set[int] = set()
    rows = []
    for kind, start, end in sorted(session.segments, key=lambda segment: segment[1]):
        if kind != "monitoring":
            rows.append(Work(kind, start, end - start, {*range(start, end)} - worked))
            worked |= {*range(start, end)}
    return rows


def posted_overlaps(session: Session) -> Counter[int]:
    """Return the time that segments have in common and Genesys has posted twice, by day."""
    overlaps: Counter[int] = Counter()
    for moment in {at for at, _ in session.handles}:
        posted_work = [
            work
            for work in work_of_session(session)
            if min((at for at, _ in session.handles if at > work.start), default=None) == moment
        ]
        value = sum(value for at, value in session.handles if at == moment)
        whole_ms = sum(work.whole_ms for work in posted_work)
        worked_ms = sum(len(work.worked) for work in posted_work)
        if abs(value - whole_ms) < abs(value - worked_ms):
            overlaps[day_of(moment)] += whole_ms - worked_ms
    return overlaps


def expected_causes(session: Session) -> dict[int, Counter[str]]:
    """Return the causes of the difference of posted and worked time, by day (-1 or 0)."""
    rows = work_of_session(session)
    differs = defaultdict[int, int](int)
    for at, value in session.handles:
        differs[day_of(at)] += value
    for at in [at for work in rows for at in work.worked]:
        differs[day_of(at)] -= 1
    overlaps = posted_overlaps(session) if sum(differs.values()) != 0 else Counter[int]()

    times = [at for at, _ in session.handles] + [at for work in rows for at in work.worked]
    times += [
        at
        for kind, start, end in session.segments
        if kind == "monitoring"
        for at in range(start, end)
    ]
    crosses = {day_of(at) for at in times} == {-1, 0}
    kinds = {work.kind for work in rows if work.worked}
    posted_ms = sum(value for _, value in session.handles)
    remaining = {day: differs[day] - overlaps[day] for day in differs}
    if crosses and sum(remaining.values()) == 0:
        cause = "crosses_midnight_ms"
    elif kinds == {"contacting"} and posted_ms == 0:
        cause = "contacting_only_ms"
    else:
        cause = "unexplained_ms"
    return {
        day: Counter({"overlapping_segments_ms": overlaps[day], cause: remaining[day]})
        for day in differs
    }


def day_of(at: int) -> int:
    return -1 if at < 0 else 0


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    kinds = draw(
        st.sampled_from(
            [["contacting", "monitoring"], ["interact", "hold", "wrapup", "monitoring"]]
        )
    )
    segments = [
        (kind, start, start + ms)
        for kind, start, ms in draw(
            st.lists(
                st.tuples(st.sampled_from(kinds), st.integers(-SPAN, SPAN), st.integers(0, SPAN)),
                max_size=4,
            )
        )
    ]
    times = draw(st.lists(st.integers(-SPAN, 2 * SPAN), max_size=2))
    draft = Session(segments)
    whole_ms = sum(work.whole_ms for work in work_of_session(draft))
    worked_ms = sum(len(work.worked) for work in work_of_session(draft))
    value = st.one_of(
        st.sampled_from([0, whole_ms, worked_ms, whole_ms + 1, (whole_ms + worked_ms) // 2]),
        st.integers(0, 2 * SPAN),
    )
    handles = [(at, draw(value)) for at in times]
    return Session(segments, handles, draw(st.sampled_from(AGENTS)))


# One store of many sessions takes a second, as does one of a single session.
@settings(max_examples=8)
@given(st.lists(st.lists(sessions(), max_size=4), max_size=8))
@example(
    [
        [Session([("interact", -30, 20), ("wrapup", 10, 30)], [(30, value)]) for value in (70, 65)],
        # Posted, and taken up again at once.
        [
            Session(
                [
                    ("interact", -40, -15),
                    ("wrapup", -20, -10),
                    ("interact", -10, 5),
                    ("wrapup", 0, 10),
                ],
                [(-10, 35), (10, 25)],
            )
        ],
    ]
)
def test_the_causes_of_any_sessions_are_right_and_add_up_to_the_difference(conversations):
    expected: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for session in [session for sessions in conversations for session in sessions]:
        for day, causes in expected_causes(session).items():
            for cause, ms in causes.items():
                expected[f"{EDGE + day * DAY:%Y-%m-%d}", session.agent][cause] += ms

    records = [conversation_record(*numbered) for numbered in enumerate(conversations)]
    with tempfile.TemporaryDirectory() as folder:
        store = new_store(Path(folder))
        settle_details(store, MONDAY, records, LATER - timedelta(minutes=1))
        settle_details(store, TUESDAY, records)
        rows = reconcile_store(store, None, LATER).to_pylist()

    assert {(row["day"], row["agent_id"]) for row in rows} >= {*expected}
    for row in rows:
        causes = expected[row["day"], row["agent_id"]]
        assert {cause: row[cause] for cause in CAUSES} == {cause: causes[cause] for cause in CAUSES}
        assert row["posted_ms"] - row["worked_ms"] == sum(row[cause] for cause in CAUSES)
