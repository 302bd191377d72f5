"""Segments split at the edges of intervals and days, compared with a count of milliseconds."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from halfhour.model.coverage import DAY
from halfhour.model.intervals import Interval
from halfhour.model.question import Question
from halfhour.model.vocabulary import Basis, Source
from halfhour.store.store import Store
from tests.detail_tables import DetailTables, tabulate_records
from tests.oracle import WORKED_COLUMNS
from tests.report_data import busy_rows, stored_report, worked_rows

MS = timedelta(milliseconds=1)
EDGE = datetime(2026, 3, 2, tzinfo=UTC)  # where two days meet
SPAN = 40  # milliseconds before and after it
NEAR = Interval(EDGE - SPAN * MS, EDGE + SPAN * MS)
WIDTH = 8 * MS  # of the intervals here: a day has a whole number of them

moment = st.integers(-SPAN - 10, SPAN + 10)
segment = st.tuples(
    st.sampled_from(list(WORKED_COLUMNS)),
    st.one_of(moment, moment, moment, st.none()),
    st.one_of(st.integers(0, 2 * SPAN), st.integers(-5, -1), st.none()),
    st.sampled_from(["p", "q", None]),
)
session = st.tuples(
    st.sampled_from(["ann", "bob"]),
    st.sampled_from(["voice", "voice", "callback", "chat", "message"]),
    st.lists(segment, max_size=5),
    st.one_of(st.none(), moment),  # when it has posted its handle time
    st.sampled_from(["outbound", "outbound", "inbound"]),
)
conversation = st.tuples(st.lists(session, max_size=4), st.one_of(st.none(), moment))


def conversation_record(number: int, sessions: list[Any], ended: int | None) -> msgspec.Raw:
    """Return a conversation in the form of the details API."""
    return msgspec.Raw(
        msgspec.json.encode(
            {
                "conversationId": f"c{number}",
                **({} if ended is None else {"conversationEnd": iso_time(ended)}),
                "participants": [
                    {
                        "purpose": "agent",
                        "userId": agent,
                        "sessions": [
                            {
                                "sessionId": f"s{number}-{at}",
                                "mediaType": media,
                                "direction": direction,
                                "metrics": [] if handled is None else [
                                    {"name": "tHandle", "value": 1, "emitDate": iso_time(handled)}
                                ],
                                "segments": [
                                    {
                                        "segmentType": kind,
                                        **({} if start is None else
                                           {"segmentStart": iso_time(start)}),
                                        **({} if ms is None else
                                           {"segmentEnd": iso_time((start or 0) + ms)}),
                                        **({"queueId": queue} if queue else {}),
                                    }
                                    for kind, start, ms, queue in segments
                                ],
                            }
                        ],
                    }
                    for at, (agent, media, segments, handled, direction) in enumerate(sessions)
                ],
            }
        )
    )  # fmt: skip


def counted_milliseconds(
    segments: list[Any], handled: int | None, ended: int | None
) -> Iterator[tuple[int, str, str | None]]:
    """Yield the milliseconds of a session that count, with their segment's type and queue."""
    valid_segments = [
        segment
        for segment in segments
        if segment[1] is not None and (segment[2] is None or segment[2] >= 0)
    ]
    valid_segments.sort(key=lambda segment: segment[1])
    worked: set[int] = set()
    for place, (kind, start, ms, queue) in enumerate(valid_segments):
        ends = [SPAN, *(next_start for _, next_start, *_ in valid_segments[place + 1 : place + 2])]
        ends += [] if handled is None or handled <= start else [handled]
        ends += [] if ended is None or ended <= start else [ended]
        for at in range(start, min(ends) if ms is None else start + ms):
            if kind == "alert" or at not in worked:
                yield at, kind, queue
            if kind != "alert":
                worked.add(at)


def work_on_callbacks_of(call: Any, sessions: list[Any], ended: int | None) -> set[int]:
    """Return the milliseconds of work on the agent's callbacks that led to this *call*."""
    agent, media, segments, handled, direction = call
    if (media, direction) != ("voice", "outbound"):
        return set()
    call_start = min(
        (at for at, *_ in counted_milliseconds(segments, handled, ended)), default=None
    )
    work: set[int] = set()
    for other, other_media, other_segments, other_handled, _ in sessions:
        if (other, other_media) == (agent, "callback") and call_start is not None:
            worked_ms = list(counted_milliseconds(other_segments, other_handled, ended))
            times = [at for at, *_ in worked_ms]
            if times and min(times) <= call_start <= max(times):
                work |= {at for at, kind, _ in worked_ms if kind != "alert"}
    return work


def iso_time(at: int) -> str:
    return (EDGE + at * MS).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def interval_of(at: int) -> datetime:
    """Return the start of the interval that contains the millisecond *at*."""
    return EDGE + at // (WIDTH // MS) * WIDTH


@given(
    st.lists(conversation, max_size=3),
    st.lists(conversation, max_size=3),
    st.sampled_from([None, ["p"], ["p", "q"]]),
    st.sampled_from([(), ("voice",), ("voice", "chat")]),
)
def test_every_worked_millisecond_counts_once_in_its_interval(
    conversations, earlier_versions, queues, types
):
    records = [
        conversation_record(number, *version)
        for versions in (earlier_versions, conversations)
        for number, version in enumerate(versions)
    ]
    worked_ms: Counter[tuple[Any, ...]] = Counter()
    busy: set[tuple[int, str]] = set()
    for sessions, ended in [*conversations, *earlier_versions[len(conversations) :]]:
        for agent_session in sessions:
            agent, media, segments, handled, _ = agent_session
            callbacks = work_on_callbacks_of(agent_session, sessions, ended)
            for at, kind, queue in counted_milliseconds(segments, handled, ended):
                away = kind != "alert" and at in callbacks
                if away or not -SPAN <= at < SPAN:
                    continue
                worked_ms[interval_of(at), agent, queue, media, WORKED_COLUMNS[kind]] += 1
                if kind != "alert":
                    worked_ms[interval_of(at), agent, queue, media, "handle_ms"] += 1
                    if queue in (queues or ["p", "q", None]) and media in (types or [media]):
                        busy.add((at, agent))

    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store.duckdb")
        store.ensure_created({"granularity": "1800", "reread": "86400"})
        for day in (Interval(EDGE - DAY, EDGE), Interval(EDGE, EDGE + SPAN * MS)):
            tables = tabulate_records(records, day, NEAR.end)
            store.settle(Source.DETAILS, day, detail_tables(tables), NEAR.end)
        worked = worked_rows(store, NEAR, WIDTH).to_pylist()
        union = busy_rows(store, NEAR, WIDTH, queues=queues, media=types).to_pylist()

    key = ("interval_start", "agent_id", "queue_id", "media_type")
    assert worked_ms == {
        (*(row[name] for name in key), column): row[column]
        for row in worked
        for column in (*WORKED_COLUMNS.values(), "handle_ms")
        if row[column]
    }
    assert Counter((interval_of(at), agent) for at, agent in busy) == {
        (row["interval_start"], row["agent_id"]): row["busy_ms"] for row in union
    }
    assert all(row["busy_ms"] <= WIDTH // MS for row in union)


def detail_tables(tables: DetailTables) -> dict[str, pa.Table]:
    return {"segments": tables.segments, "emitted": tables.emitted}


def test_work_still_open_when_read_is_provisional_however_old_its_day_is(tmp_path):
    hour = 3_600_000
    finished, open_segment = ("interact", -2 * hour, hour // 2, "p"), ("interact", -hour, None, "p")
    day, long_after = Interval(EDGE - DAY, EDGE), EDGE + 9 * DAY
    store = Store(tmp_path / "store.duckdb")
    store.ensure_created({"granularity": "1800", "reread": "86400"})
    tables = tabulate_records(
        [
            conversation_record(
                0, [("ann", "chat", [finished, open_segment], None, "inbound")], None
            )
        ],
        day,
        EDGE,
    )
    store.settle(Source.DETAILS, day, detail_tables(tables), long_after)
    question = Question(Interval(EDGE - DAY / 12, EDGE), UTC, basis=Basis.WORKED)
    rows = stored_report(store, question, long_after).to_pylist()

    assert [row["provisional"] for row in rows] == [False, True, True]
