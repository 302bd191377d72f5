"""Conversation details: the same truth as the aggregates, conversation by conversation."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from genesys_emulator.simulation.detail_records import Detail
from genesys_emulator.simulation.organization import make_organization
from genesys_emulator.simulation.source import SimulatedCentre
from tests.emulator.conftest import Cloud, cloud_of

DETAILS = "/api/v2/analytics/conversations/details/query"
JOBS = "/api/v2/analytics/conversations/details/jobs"
DAY = "2026-03-02T00:00:00.000Z/2026-03-03T00:00:00.000Z"
TWO_DAYS = "2026-03-01T00:00:00.000Z/2026-03-03T00:00:00.000Z"
METRICS = ["tHandle", "tTalk", "tTalkComplete", "tHeld", "tHeldComplete", "tAcw", "nOffered"]


def query(cloud: Cloud, number: int = 1, **changes: object) -> dict[str, Any]:
    paging = {"pageSize": 100, "pageNumber": number}
    answer = cloud.call("POST", DETAILS, json={"interval": DAY, "paging": paging, **changes})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def everything(cloud: Cloud, **changes: object) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = []
    for number in count(1):
        page = query(cloud, number, **changes).get("conversations")
        if not page:
            break
        result += page
    return result


def run_job(cloud: Cloud, size: int = 40, **changes: object) -> list[dict[str, Any]]:
    job = cloud.call("POST", JOBS, json={"interval": DAY, **changes}).json()["jobId"]
    while cloud.get(f"{JOBS}/{job}").json()["state"] != "FULFILLED":
        pass
    result: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = cloud.get(f"{JOBS}/{job}/results", params={"pageSize": size, **cursor}).json()
        result += page["conversations"]
        if "cursor" not in page:
            return result
        cursor = {"cursor": page["cursor"]}


def posted(conversations: list[dict[str, Any]]) -> Counter[tuple[str, str, str]]:
    """Sum the values of the records by the half-hour of their emit date, agent and metric."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for conversation in conversations:
        for participant in conversation["participants"]:
            for session in participant["sessions"]:
                for metric in session.get("metrics", ()):
                    at = datetime.fromisoformat(metric["emitDate"])
                    half_hour = at.replace(minute=at.minute // 30 * 30, second=0, microsecond=0)
                    if metric["name"] in METRICS and half_hour.date().isoformat() == "2026-03-02":
                        key = half_hour.isoformat(), participant.get("userId", ""), metric["name"]
                        sums[key] += metric["value"]
    return sums


def aggregated(cloud: Cloud) -> Counter[tuple[str, str, str]]:
    sums: Counter[tuple[str, str, str]] = Counter()
    for group in cloud.ask(groupBy=["userId"], metrics=METRICS).json()["results"]:
        for bucket in group["data"]:
            start = datetime.fromisoformat(bucket["interval"].partition("/")[0]).isoformat()
            for metric in bucket["metrics"]:
                value = metric["stats"].get("sum", metric["stats"]["count"])
                sums[start, group["group"].get("userId", ""), metric["metric"]] += value
    return sums


def test_bucketed_by_emit_date_the_details_are_the_aggregates(cloud):
    assert posted(everything(cloud, interval=TWO_DAYS)) == aggregated(cloud)


def test_a_job_finds_active_conversations_and_a_query_new_ones(cloud):
    cloud.call("POST", "/_emulator/clock", json={"now": "2026-03-04T00:00:00Z"})
    began = {conversation["conversationId"]: conversation for conversation in everything(cloud)}
    active = {conversation["conversationId"]: conversation for conversation in run_job(cloud)}

    assert posted(list(active.values())) == aggregated(cloud)
    assert began.keys() <= active.keys()
    for name in active.keys() - began.keys():
        assert active[name]["conversationStart"] < "2026-03-02" < active[name]["conversationEnd"]


def test_pages_of_details_are_in_order_and_share_no_conversation(cloud):
    result = everything(cloud)
    starts = [conversation["conversationStart"] for conversation in result]

    assert len({conversation["conversationId"] for conversation in result}) == len(result) > 100
    assert starts == sorted(starts)
    assert query(cloud)["totalHits"] == len(result)
    assert everything(cloud, order="desc")[0]["conversationStart"] == starts[-1]


def test_past_the_last_page_the_conversations_key_is_absent(cloud):
    assert set(query(cloud, number=900)) == {"totalHits"}


def test_a_conversation_under_way_has_no_end_yet(cloud):
    cloud.call("POST", "/_emulator/clock", json={"now": "2026-03-02T14:10:00Z"})
    result = everything(cloud)
    open_ones = [conversation for conversation in result if "conversationEnd" not in conversation]

    assert open_ones
    for conversation in result:
        for participant in conversation["participants"]:
            for session in participant["sessions"]:
                assert all(s["segmentStart"] < "2026-03-02T14:10" for s in session["segments"])
                assert all(
                    s.get("segmentEnd", "") <= "2026-03-02T14:10" for s in session["segments"]
                )
                assert all(m["emitDate"] < "2026-03-02T14:10" for m in session.get("metrics", ()))


def test_a_job_does_not_see_the_last_hours_and_does_not_say_so(cloud):
    available = cloud.get(f"{JOBS}/availability").json()["dataAvailabilityDate"]
    result = run_job(cloud)

    assert available == "2026-03-02T18:00:00.000Z"
    assert max(conversation["conversationStart"] for conversation in result) < available
    assert max(conversation["conversationStart"] for conversation in everything(cloud)) > available


@pytest.mark.parametrize(
    ("predicate", "holds"),
    [
        ({"dimension": "purpose", "value": "user"}, lambda p, s, g: p["purpose"] == "user"),
        ({"dimension": "mediaType", "value": "chat"}, lambda p, s, g: s["mediaType"] == "chat"),
        (
            {"dimension": "segmentType", "value": "hold"},
            lambda p, s, g: g["segmentType"] == "hold",
        ),
        ({"dimension": "queueId", "operator": "notExists"}, lambda p, s, g: "queueId" not in g),
    ],
)
def test_a_segment_filter_selects_conversations_with_such_a_segment(cloud, predicate, holds):
    def has_one(conversation: dict[str, Any]) -> bool:
        return any(
            holds(participant, session, segment)
            for participant in conversation["participants"]
            for session in participant["sessions"]
            for segment in session["segments"]
        )

    filtered = everything(cloud, segmentFilters=[{"type": "and", "predicates": [predicate]}])

    assert filtered == [conversation for conversation in everything(cloud) if has_one(conversation)]
    assert filtered


def test_a_conversation_filter_finds_a_conversation_by_its_id(cloud):
    wanted = everything(cloud)[7]
    predicate = {"dimension": "conversationId", "value": wanted["conversationId"]}
    filters = [{"type": "or", "predicates": [predicate]}]

    assert everything(cloud, conversationFilters=filters) == [wanted]


EIGHT_DAYS = "2026-02-23T00:00:00.000Z/2026-03-03T00:00:00.000Z"


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"interval": EIGHT_DAYS}, 400, "does not exceed 7 days"),
        ({"interval": "2026-01-01T00:00Z/2026-03-03T00:00Z"}, 400, "7 days"),
        ({"interval": None}, 400, "interval is required"),
        ({"interval": "yesterday"}, 400, "ISO-8601"),
        ({"paging": {"pageSize": 101, "pageNumber": 1}}, 400, "pageSize must be 1 to 100"),
        ({"paging": {"pageSize": 100, "pageNumber": 1001}}, 400, "may not exceed 100000"),
        ({"granularity": "PT30M"}, 400, "granularity"),
        ({"order": "random"}, 400, "random"),
        ({"orderBy": "segmentEnd"}, 501, "not emulated"),
        ({"surveyFilters": [{}]}, 501, "not emulated"),
        (
            {"segmentFilters": [{"type": "and", "predicates": [{"dimension": "x", "value": "y"}]}]},
            400,
            "Value [x] is not valid",
        ),
    ],
)
def test_an_invalid_details_query_is_refused(cloud, changes, status, says):
    body = {
        name: value for name, value in {"interval": DAY, **changes}.items() if value is not None
    }
    answer = cloud.call("POST", DETAILS, json=body)

    assert answer.status_code == status
    assert says in answer.json()["message"]


def test_a_details_query_with_a_filter_may_span_a_month(cloud):
    predicate = {"dimension": "purpose", "value": "agent"}
    filters = [{"type": "and", "predicates": [predicate]}]

    assert query(cloud, interval=EIGHT_DAYS, segmentFilters=filters)["totalHits"] > 100


def test_a_details_job_takes_three_looks_and_can_be_deleted(cloud):
    job = cloud.call("POST", JOBS, json={"interval": DAY})
    address = f"{JOBS}/{job.json()['jobId']}"

    assert job.status_code == 202
    assert cloud.get(f"{address}/results").status_code == 400
    assert [cloud.get(address).json()["state"] for _ in range(3)] == [
        "QUEUED",
        "PENDING",
        "FULFILLED",
    ]
    assert cloud.get(f"{address}/results").status_code == 200
    assert cloud.get(f"{address}/results", params={"cursor": "!"}).status_code == 400
    assert cloud.get(f"{address}/results", params={"pageSize": "0"}).status_code == 400
    assert cloud.call("DELETE", address).status_code == 204
    assert cloud.get(address).status_code == 404


def test_a_details_job_expires(cloud):
    job = cloud.call("POST", JOBS, json={"interval": DAY}).json()["jobId"]
    cloud.call("POST", "/_emulator/clock", json={"move": "P1D"})

    assert cloud.get(f"{JOBS}/{job}").status_code == 404


def test_details_need_their_permission(centre):
    withheld = ["analytics:conversationDetail:view", "analytics:agentConversationDetail:view"]
    cloud = cloud_of(centre, withheld=withheld)
    cloud.log_in()

    assert cloud.call("POST", DETAILS, json={"interval": DAY}).status_code == 403
    assert cloud.get(f"{JOBS}/availability").status_code == 403
    assert cloud.ask().status_code == 200


def test_a_segment_is_as_long_as_what_it_posts(cloud):
    """Talk, hold and after-call work add up to the handle time, session by session."""
    checked = 0
    for conversation in everything(cloud, interval=TWO_DAYS):
        for participant in conversation["participants"]:
            for session in participant["sessions"] if "userId" in participant else ():
                metrics = {m["name"]: m["value"] for m in session.get("metrics", ())}
                kinds = {s["segmentType"] for s in session["segments"]}
                spent = sum(
                    (moment(s["segmentEnd"]) - moment(s["segmentStart"]))
                    // timedelta(milliseconds=1)
                    for s in session["segments"]
                    if s["segmentType"] not in ("alert", "parked") and "segmentEnd" in s
                )
                if "tHandle" in metrics and kinds & {"interact", "dialing"}:
                    assert metrics["tHandle"] == spent
                    checked += 1
    assert checked > 100


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class Counting(SimulatedCentre):
    """A centre that notes for which days its conversations were looked through."""

    def __init__(self) -> None:
        super().__init__(make_organization(1, 12), date(2026, 2, 24))
        self.spans: list[tuple[int, int]] = []

    def conversations_begun(self, start: int, end: int) -> Iterator[Detail]:
        self.spans.append((start, end))
        return super().conversations_begun(start, end)


def test_a_later_page_of_details_goes_on_where_the_one_before_it_ended():
    centre = Counting()
    cloud = cloud_of(centre)
    cloud.log_in()
    query(cloud, interval=TWO_DAYS)
    begun = len(centre.spans)
    later = [query(cloud, number, interval=TWO_DAYS) for number in (2, 2, 3)]

    assert begun == 2  # to count them, and for the first day
    assert len(centre.spans) <= 3
    assert later[0] == later[1] != later[2]


def test_pages_within_a_minute_show_one_moment_and_the_first_page_is_always_new(cloud):
    cloud.call("POST", "/_emulator/clock", json={"now": "2026-03-02T14:00:00Z"})
    first = query(cloud)
    cloud.call("POST", "/_emulator/clock", json={"move": "PT59S"})
    second = query(cloud, 2)
    cloud.call("POST", "/_emulator/clock", json={"move": "PT1H"})
    late = query(cloud, 2)

    assert second["totalHits"] == first["totalHits"] < late["totalHits"]
    cloud.call("POST", "/_emulator/clock", json={"move": "PT59S"})
    assert query(cloud)["totalHits"] >= late["totalHits"]
    cloud.call("POST", "/_emulator/clock", json={"now": "2026-03-02T14:00:00Z"})
    assert query(cloud, 2) == second
    assert query(cloud) == first


def last_word(conversation: dict[str, Any]) -> str:
    """Return when every session but the customer's was over; that one may stay open for weeks."""
    return max(
        str(segment.get("segmentEnd", "9"))
        for participant in conversation["participants"]
        for session in participant["sessions"]
        for segment in session["segments"]
        if participant["purpose"] != "customer"
    )


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_job_over_days_is_in_order_and_has_conversations_that_began_before(cloud, order):
    result = run_job(cloud, interval="2026-02-27T09:10:00Z/2026-03-02T12:00:00Z", order=order)
    starts = [conversation["conversationStart"] for conversation in result]
    whole = run_job(cloud, interval="2026-02-24T00:00:00Z/2026-03-03T00:00:00Z")
    touching = [
        row
        for row in whole
        if row["conversationStart"] < "2026-03-02T12:00" and last_word(row) > "2026-02-27T09:10"
    ]

    assert starts == sorted(starts, reverse=order == "desc")
    assert min(starts) < "2026-02-27T09:10"
    assert sorted(conversation["conversationId"] for conversation in result) == sorted(
        conversation["conversationId"] for conversation in touching
    )
