import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.errors import UnexpectedAnswer
from halfhour.genesys import payloads
from halfhour.ingest import aggregates
from halfhour.ingest.raw_aggregates import RawAggregates, read_aggregates
from halfhour.model.coverage import Calendar
from halfhour.model.intervals import HALF_HOUR, Interval, to_utc
from halfhour.model.tables import POSTED_SCHEMA
from halfhour.store.store import Store

DAY = Interval(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))


EIGHT = "2026-03-02T08:00:00.000Z/2026-03-02T08:30:00.000Z"


def decoded_aggregates(answer: object) -> RawAggregates:
    return read_aggregates(json.dumps(answer).encode())


def posted_table(
    answer: object, window: Interval = DAY, granularity: timedelta = HALF_HOUR
) -> pa.Table:
    return aggregates.posted_table(decoded_aggregates(answer), window, granularity)


def result_group(group: dict[str, str], interval: str, *metrics: object) -> dict[str, object]:
    return {"group": group, "data": [{"interval": interval, "metrics": metrics}]}


def handle_metric(**stats: float) -> dict[str, object]:
    return {"metric": "tHandle", "stats": stats}


def test_an_answer_becomes_rows_with_null_for_what_it_left_out():
    answer = {
        "results": [
            result_group(
                {"mediaType": "voice", "userId": "ada", "queueId": "q"},
                "2026-03-02T08:00:00.000Z/2026-03-02T08:30:00.000Z",
                {"metric": "tAcw", "stats": {"max": 45210, "min": 12033, "count": 3, "sum": 88124}},
                handle_metric(count=3, sum=1093450.0),
            )
        ]
    }

    (row,) = posted_table(answer).to_pylist()

    assert {name: value for name, value in row.items() if value is not None} == {
        "interval_start": datetime(2026, 3, 2, 8, tzinfo=UTC),
        "agent_id": "ada",
        "queue_id": "q",
        "media_type": "voice",
        "handle_ms": 1093450,
        "handle_count": 3,
        "acw_ms": 88124,
        "acw_count": 3,
    }


def test_an_interval_in_a_zones_offset_is_put_into_utc():
    row = result_group(
        {"mediaType": "voice", "userId": "ada"},
        "2026-03-02T19:00:00.000+11:00/2026-03-02T19:30:00.000+11:00",
        handle_metric(sum=5, count=1),
    )

    (shaped,) = posted_table({"results": [row]}).to_pylist()

    assert shaped["interval_start"] == datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_groups_without_an_agent_are_left_out():
    rows = [
        result_group(group, EIGHT, handle_metric(sum=5, count=1))
        for group in ({"mediaType": "voice"}, {"mediaType": "voice", "queueId": "q"}, {})
    ]

    assert posted_table({"results": rows}).num_rows == 0


@pytest.mark.parametrize("nothing", [{}, {"results": None}, {"results": []}])
def test_every_form_of_an_empty_answer_becomes_an_empty_table(nothing):
    assert posted_table(nothing).equals(POSTED_SCHEMA.empty_table())


def test_unknown_metrics_keys_and_words_are_ignored():
    row = result_group(
        {"mediaType": "telepathy", "userId": "ada", "aura": "blue"},
        EIGHT,
        {"metric": "nFuture", "stats": {"count": 1, "p99": 3}, "qualifier": "X"},
        {"metric": "oServiceLevel", "stats": {"ratio": 0.5, "target": 0.8}},
        {"metric": "tHandle"},
        handle_metric(count=2, sum=5, calculatedMetricValue=7),
    )
    answer = {"results": [{**row, "new": []}], "systemToOrganizationMappings": {}}

    (shaped,) = posted_table(answer).to_pylist()

    assert (shaped["media_type"], shaped["handle_ms"]) == ("telepathy", 5)


def test_an_answer_of_2016_without_min_over_an_unaligned_week_is_read():
    window = Interval(
        datetime(2016, 3, 28, 15, 7, tzinfo=UTC), datetime(2016, 4, 4, 15, 7, tzinfo=UTC)
    )
    metrics = [
        {"metric": "tTalkComplete", "stats": {"max": 1164481, "count": 5, "sum": 3125952}},
        {"metric": "tAnswered", "stats": {"max": 9806, "count": 5, "sum": 32296}},
        {"metric": "nOffered", "stats": {"count": 5}},
    ]
    userless = result_group({"mediaType": "chat", "queueId": "q"}, str(window), *metrics)
    of_agent = result_group({"mediaType": "chat", "userId": "ada"}, str(window), *metrics)

    (row,) = posted_table({"results": [userless, of_agent]}, window, window.width).to_pylist()

    assert (row["talk_ms"], row["answered_count"], row["handle_ms"]) == (3125952, 5, None)


@pytest.mark.parametrize(
    ("interval", "message"),
    [
        ("2026-03-03T00:00:00.000Z/2026-03-03T00:30:00.000Z", "lies outside"),
        ("2026-03-01T23:30:00.000Z/2026-03-02T00:00:00.000Z", "lies outside"),
        ("2026-03-02T08:00/2026-03-02T08:30", "cannot be read"),
        ("last Monday", "cannot be read"),
    ],
)
def test_an_interval_that_was_not_asked_for_is_not_taken(interval, message):
    row = result_group(
        {"mediaType": "voice", "userId": "ada"}, interval, handle_metric(sum=5, count=1)
    )

    with pytest.raises(UnexpectedAnswer, match=message):
        posted_table({"results": [row]})


@pytest.mark.parametrize(
    "interval",
    [
        "2026-03-02T08:00:00.000Z/2026-03-02T09:00:00.000Z",
        "2026-03-02T00:00:00.000Z/2026-03-03T00:00:00.000Z",
        "2026-03-02T09:07:00.000Z/2026-03-02T09:37:00.000Z",
        "2026-03-02T09:07:00.000Z/2026-03-02T09:22:00.000Z",
        "2026-03-02T09:00:00.000Z/2026-03-02T09:20:00.000Z",
    ],
)
def test_an_interval_of_another_length_than_was_asked_for_is_not_taken(interval):
    row = result_group(
        {"mediaType": "voice", "userId": "ada"}, interval, handle_metric(sum=5, count=1)
    )

    row["group"] = {"userId": "ada", "queueId": "q"}
    for shape in (
        aggregates.posted_table,
        aggregates.status_table,
        aggregates.capacity_table,
        aggregates.offered_table,
    ):
        with pytest.raises(UnexpectedAnswer, match="which was not requested"):
            shape(decoded_aggregates({"results": [row]}), DAY, HALF_HOUR)


def test_quarter_hours_and_intervals_that_end_a_millisecond_early_are_understood():
    spans = ("T08:00:00.000Z/2026-03-02T08:15:00.000Z", "T08:15:00.000Z/2026-03-02T08:29:59.999Z")
    rows = [
        result_group(
            {"mediaType": "voice", "userId": "ada"},
            f"2026-03-02{span}",
            handle_metric(sum=5, count=1),
        )
        for span in spans
    ]

    assert posted_table({"results": rows})["handle_ms"].to_pylist() == [5, 5]


def test_a_half_hour_and_a_quarter_of_the_same_half_hour_are_refused():
    group = {"mediaType": "voice", "userId": "ada"}
    quarter = "2026-03-02T08:15:00.000Z/2026-03-02T08:30:00.000Z"
    rows = [
        result_group(group, interval, handle_metric(sum=5, count=1))
        for interval in (EIGHT, quarter)
    ]

    with pytest.raises(UnexpectedAnswer, match="comes twice"):
        posted_table({"results": rows})


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ([handle_metric(sum=-60_000, count=1)], "impossible figure"),
        ([handle_metric(sum=5, count=-3)], "impossible figure"),
        ([handle_metric(sum=9e18, count=1)], "impossible figure"),
        ([handle_metric(sum=1e300, count=1)], "impossible figure"),
        ([handle_metric(sum=-(2**63), count=1)], "impossible figure"),
        ([handle_metric(sum=5, count=1), handle_metric(sum=7, count=1)], "has a metric twice"),
    ],
)
def test_an_impossible_posted_figure_is_refused(metrics, message):
    row = result_group({"mediaType": "voice", "userId": "ada"}, EIGHT, *metrics)

    with pytest.raises(UnexpectedAnswer, match=message):
        posted_table({"results": [row]})


def presence_metric(ms: float, qualifier: str = "ON_QUEUE") -> dict[str, object]:
    return {"metric": "tSystemPresence", "qualifier": qualifier, "stats": {"sum": ms}}


def test_each_status_of_an_agent_becomes_a_row():
    row = result_group(
        {"userId": "ada"},
        EIGHT,
        presence_metric(1_799_999),
        presence_metric(1, "BREAK"),
        presence_metric(0, "x"),
    )
    table = aggregates.status_table(decoded_aggregates({"results": [row]}), DAY, HALF_HOUR)

    assert [(entry["status"], entry["status_ms"]) for entry in table.to_pylist()] == [
        ("ON_QUEUE", 1_799_999), ("BREAK", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([result_group({"userId": "ada"}, EIGHT, presence_metric(-1))], "impossible figure"),
        ([result_group({"userId": "ada"}, EIGHT, presence_metric(1_800_001))], "impossible figure"),
        (
            [result_group({"userId": "ada"}, EIGHT, presence_metric(1), presence_metric(1))],
            "has a metric twice",
        ),
        ([result_group({"userId": "ada"}, EIGHT, presence_metric(1))] * 2, "comes twice"),
        (
            [result_group({"userId": "ada"}, str(DAY)[:24] + "/2026-03-01T23:30:00Z")],
            "lies outside",
        ),
        ([result_group({"mediaType": "voice"}, EIGHT, presence_metric(1))], "names no agent"),
    ],
)
def test_impossible_status_rows_are_refused(rows, message):
    with pytest.raises(UnexpectedAnswer, match=message):
        aggregates.status_table(decoded_aggregates({"results": rows}), DAY, HALF_HOUR)


def test_capacity_and_offered_interactions_that_come_twice_are_not_added_up():
    answer = decoded_aggregates(
        {"results": [result_group({"userId": "ada", "queueId": "q"}, EIGHT)] * 2}
    )
    for shape in (aggregates.capacity_table, aggregates.offered_table):
        with pytest.raises(UnexpectedAnswer, match="comes twice"):
            shape(answer, DAY, HALF_HOUR)


def test_a_key_that_comes_twice_is_not_counted_twice():
    row = result_group(
        {"mediaType": "voice", "userId": "ada"}, EIGHT, handle_metric(sum=5, count=1)
    )

    with pytest.raises(UnexpectedAnswer, match="comes twice"):
        posted_table({"results": [row, row]})


half_hours = st.integers(0, 47)
facts = st.dictionaries(
    st.tuples(half_hours, st.sampled_from("abc"), st.sampled_from(["p", "q", None])),
    st.integers(0, 10**9),
)


@given(facts, st.randoms(use_true_random=False))
def test_the_order_of_groups_in_an_answer_makes_no_difference(facts, random):
    rows = []
    for (half_hour, agent, queue), value in facts.items():
        start = DAY.start + half_hour * timedelta(minutes=30)
        interval = str(Interval(start, start + timedelta(minutes=30)))
        group = {"mediaType": "voice", "userId": agent} | ({"queueId": queue} if queue else {})
        rows.append(result_group(group, interval, handle_metric(sum=value, count=1)))
    random.shuffle(rows)

    shaped = {
        ((row["interval_start"] - DAY.start) // timedelta(minutes=30), *row_key(row)): row
        for row in posted_table({"results": rows}).to_pylist()
    }

    assert {key: row["handle_ms"] for key, row in shaped.items()} == facts


def row_key(row: dict[str, object]) -> tuple[object, object]:
    return row["agent_id"], row["queue_id"]


stats_or_none = st.none() | st.fixed_dictionaries(
    {}, optional={"sum": st.none() | st.integers(0, 9**9), "count": st.none() | st.integers(0, 9)}
)
metrics_by_name = st.dictionaries(
    st.sampled_from(["tHandle", "tTalkComplete", "nTransferred", "tFuture"]), stats_or_none
)
answer_groups = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bob", "", None]),
        st.sampled_from(["p", None]),
        st.dictionaries(half_hours, metrics_by_name, max_size=3),
    ),
    unique_by=lambda group: group[:2],
    max_size=6,
)


def value_of(metrics: dict[str, dict[str, int | None] | None], metric: str, stat: str) -> Any:
    return (metrics.get(metric) or {}).get(stat)


@given(answer_groups)
def test_columns_of_an_answer_have_what_loops_over_its_objects_find(groups):
    results = []
    expected = []
    for agent, queue, metrics_by_half_hour in groups:
        data = []
        for half_hour, metrics in metrics_by_half_hour.items():
            start = DAY.start + half_hour * HALF_HOUR
            listed = [{"metric": metric, "stats": stats} for metric, stats in metrics.items()]
            data.append({"interval": str(Interval(start, start + HALF_HOUR)), "metrics": listed})
            if agent:
                handle = (value_of(metrics, "tHandle", stat) for stat in ("sum", "count"))
                talk = value_of(metrics, "tTalkComplete", "sum")
                transfers = value_of(metrics, "nTransferred", "count")
                expected.append((start, agent, queue, *handle, talk, transfers))
        results.append({"group": {"userId": agent, "queueId": queue}, "data": data})

    rows = posted_table({"results": results}).to_pylist()

    columns = ("interval_start", "agent_id", "queue_id", "handle_ms", "handle_count", "talk_ms")
    read = [tuple(row[name] for name in (*columns, "transferred_count")) for row in rows]
    assert read == expected


@pytest.mark.parametrize(
    "body",
    [
        b'{"results": [{"group": {"userId": "ada"}, "data": [%s]}], "new": 1e999}',
        b'{"results": [{"group": {"userId": "x", "userId": "ada"}, "data": [%s]}]}',
    ],
)
def test_an_answer_that_arrow_refuses_and_msgspec_reads_is_used(body):
    bucket = {"interval": EIGHT, "metrics": [handle_metric(sum=5, count=1)]}
    answer = read_aggregates(body % json.dumps(bucket).encode())

    (row,) = aggregates.posted_table(answer, DAY, HALF_HOUR).to_pylist()

    assert (row["agent_id"], row["handle_ms"], row["handle_count"]) == ("ada", 5, 1)


@pytest.mark.parametrize(
    "body", [b"", b"null", b" null", b"3", b"[]", b"{} null", b"{}{}", b'{"results": [null]}']
)
def test_a_body_of_another_form_than_an_answer_is_refused(body):
    with pytest.raises(msgspec.DecodeError):
        read_aggregates(body)


def test_an_agent_without_a_name_has_none():
    people = [
        payloads.DirectoryEntity("1", "Ada"),
        payloads.DirectoryEntity("2"),
        payloads.DirectoryEntity("1", "Ada"),
    ]

    directory = aggregates.directory_table([], people)
    assert directory["name"].to_pylist() == ["Ada", None]
    with Store.create_in_memory(Calendar(DAY.end, HALF_HOUR).stored_settings) as store:
        store.store_names("agent", directory, DAY.end)
        assert store.names_by_kind("agent").to_pylist() == [{"id": "1", "name": "Ada"}]


rows = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bob"]),
        st.sampled_from(["voice", "email"]),
        st.integers(0, 1799),
        st.integers(1, 10**6),
    ),
    max_size=30,
)


@given(rows, st.integers(1, 1799))
def test_answers_for_parts_of_an_interval_add_up_to_that_for_the_whole(result, cut):
    """The values of a half-hour are requested at once, and before and after a second of it."""
    start = to_utc(datetime(2026, 3, 2, 8, tzinfo=UTC))

    def posted_parts(since: int, until: int) -> pa.Table:
        window = Interval(start + timedelta(seconds=since), start + timedelta(seconds=until))
        within = [entry for entry in result if since <= entry[2] < until]
        results = [
            result_group(
                {"userId": agent, "mediaType": media},
                str(window),
                handle_metric(sum=sum(own), count=len(own)),
            )
            for agent, media in sorted({entry[:2] for entry in within})
            for own in [[entry[3] for entry in within if entry[:2] == (agent, media)]]
        ]
        return posted_table({"results": results}, window)

    parts = aggregates.sum_partial_tables([posted_parts(0, cut), posted_parts(cut, 1800)])

    order = [("agent_id", "ascending"), ("media_type", "ascending")]
    assert parts.sort_by(order).equals(posted_parts(0, 1800).sort_by(order))
