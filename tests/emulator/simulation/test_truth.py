"""The right answers agree with all that the API says, and with a plain calculation."""

from collections import Counter, defaultdict
from datetime import date
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesys_emulator.pytest_plugin import GenesysCloud
from genesys_emulator.simulation.captured import CapturedCentre
from genesys_emulator.simulation.restatements import Snapshot
from genesys_emulator.simulation.truth import WORK, Window
from genesys_emulator.wire.timestamps import DAY, MINUTE, midnight_of, parse_timestamp
from tests.emulator.conftest import Cloud, cloud_of

MONDAY = "2026-03-02T00:00:00Z/2026-03-03T00:00:00Z"
START = midnight_of(date(2026, 3, 2))


def truth(cloud: Cloud, table: str, **asked: str) -> list[dict[str, Any]]:
    answer = cloud.get(f"/_emulator/truth/{table}.parquet", params={"interval": MONDAY, **asked})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = pq.read_table(BytesIO(answer.content)).to_pylist()
    return rows


def ms(moment: Any) -> int:
    return int(moment.timestamp() * 1000 + 0.5)


def key_of(row: dict[str, Any], last: str) -> tuple[Any, ...]:
    at = ms(row["interval_start"])
    return at, row["agent_id"], row["queue_id"], row["media_type"], row[last]


def test_posted_truth_equals_the_aggregates(cloud):
    metrics = [
        "tHandle",
        "tTalk",
        "tTalkComplete",
        "tHeldComplete",
        "tAcw",
        "tAnswered",
        "nConsult",
    ]
    body = {
        (
            parse_timestamp(bucket["interval"].split("/")[0], None),
            result["group"]["userId"],
            result["group"].get("queueId"),
            result["group"]["mediaType"],
            metric["metric"],
        ): (metric["stats"]["count"], metric["stats"].get("sum"))
        for result in cloud.ask(interval=MONDAY, metrics=metrics).json()["results"]
        if "userId" in result["group"]
        for bucket in result["data"]
        for metric in bucket["metrics"]
    }
    right = {
        key_of(row, "metric"): (row["count"], row["sum"])
        for row in truth(cloud, "posted")
        if row["metric"] in metrics
    }

    assert len(right) > 500
    assert body == right


def test_worked_truth_is_the_segments_cut_at_interval_edges(cloud):
    plain: Counter[tuple[Any, ...]] = Counter()
    for row in truth(cloud, "segments"):
        for at in range(START, START + DAY, 30 * MINUTE):
            lasted = min(ms(row["end"]), at + 30 * MINUTE) - max(ms(row["start"]), at)
            if lasted > 0:
                key = (row["agent_id"], row["queue_id"], row["media_type"], row["segment_type"])
                plain[at, *key] += lasted
    right = {key_of(row, "segment_type"): row["ms"] for row in truth(cloud, "worked")}

    assert len(right) > 500
    assert dict(plain) == right


def test_busy_truth_never_exceeds_an_interval_and_covers_all_work(cloud):
    worked: Counter[tuple[int, str]] = Counter()
    for row in truth(cloud, "worked"):
        if row["segment_type"] in WORK:
            worked[ms(row["interval_start"]), row["agent_id"]] += row["ms"]
    busy = {(ms(row["interval_start"]), row["agent_id"]): row["ms"] for row in truth(cloud, "busy")}

    assert busy.keys() == worked.keys()
    assert all(0 < busy[key] <= min(worked[key], 30 * MINUTE) for key in busy)
    assert any(busy[key] < worked[key] for key in busy)


def test_status_truth_equals_the_records_of_users(cloud):
    body = {
        (user["userId"], name, status["startTime"], status.get("endTime"))
        for user in cloud.call(
            "POST",
            "/api/v2/analytics/users/details/query",
            json={"interval": MONDAY, "paging": {"pageSize": 100, "pageNumber": 1}},
        ).json()["userDetails"]
        for name in ("primaryPresence", "routingStatus")
        for status in user[name]
    }
    right = truth(cloud, "statuses")

    assert Counter(row["kind"] for row in right).keys() == {"presence", "routing"}
    assert len(right) == len(body)


def test_a_segment_is_named_as_in_the_details(cloud):
    record = cloud.get(
        f"/api/v2/analytics/conversations/{truth(cloud, 'segments')[0]['conversation_id']}/details"
    ).json()
    named = {s["sessionId"] for p in record["participants"] for s in p["sessions"]}

    assert {
        row["session_id"]
        for row in truth(cloud, "segments")
        if row["conversation_id"] == record["conversationId"]
    } <= named


def test_the_truth_is_free_of_faults_and_of_the_clock(cloud):
    true = truth(cloud, "posted")
    cloud.fault(kind="late", share=0.5)
    assert truth(cloud, "posted") == true
    cloud.fault(kind="restatement", share=0.4)
    assert len(truth(cloud, "posted")) < len(true)


def test_truth_intervals_have_the_granularity_asked_for(cloud):
    quarters = truth(cloud, "worked", granularity="PT15M")
    minutes = {ms(row["interval_start"]) % (60 * MINUTE) // MINUTE for row in quarters}

    assert minutes == {0, 15, 30, 45}
    assert sum(row["ms"] for row in quarters) == sum(row["ms"] for row in truth(cloud, "worked"))


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("wurked.parquet?interval=x", 404, "worked.parquet"),
        ("worked.csv?interval=x", 404, "worked.arrow"),
        ("worked.parquet", 400, "?interval="),
        ("worked.parquet?interval=2026-03-02/2026-03-03", 400, "2026-03-02T00:00:00Z"),
        ("worked.parquet?interval=2026-03-03T00:00Z/2026-03-02T00:00Z", 400, "will not do"),
        (f"worked.parquet?interval={MONDAY}&granularity=30m", 400, "PT30M"),
    ],
)
def test_an_invalid_request_for_truth_is_refused_with_a_sentence(cloud, path, status, words):
    answer = cloud.get(f"/_emulator/truth/{path}")

    assert answer.status_code == status
    assert words in answer.json()["message"]


def test_captured_conversations_have_no_truth_beside_them():
    answer = cloud_of(CapturedCentre([])).get(f"/_emulator/truth/worked.parquet?interval={MONDAY}")

    assert answer.status_code == 404


spans = st.tuples(st.integers(-90, 200), st.integers(1, 150)).map(lambda s: (s[0], s[0] + s[1]))


@given(st.lists(spans, max_size=6))
@settings(max_examples=200)
def test_a_span_is_cut_as_counting_its_milliseconds_would(answers):
    window = Window(range(0, 90, 30), 90, Snapshot(0))
    for start, end in answers:
        counted: dict[int, int] = defaultdict(int)
        for at in range(max(start, 0), min(end, 90)):
            counted[at // 30 * 30] += 1
        assert dict(window.split_by_interval(start, end)) == dict(counted)


def test_the_pytest_fixture_gives_truth_tables(genesys_cloud: GenesysCloud):
    table = genesys_cloud.truth("busy", MONDAY)

    assert isinstance(table, pa.Table)
    assert table.schema.names == ["interval_start", "agent_id", "ms"]
    assert table.num_rows > 100
