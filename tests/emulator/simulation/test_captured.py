"""Detail records from a file: served to the millisecond, or refused by name."""

import copy
from typing import Any

import msgspec
import pytest

from genesys_emulator.simulation.captured import ENDLESS, CapturedError, load_captured
from genesys_emulator.simulation.restatements import Snapshot
from tests.emulator import records
from tests.emulator.conftest import Cloud, cloud_of
from tests.emulator.records import RECORDS

encode = msgspec.json.encode
FORMS = {
    "a page": encode({"conversations": RECORDS}),
    "a job's page": encode(
        {"conversations": RECORDS, "cursor": "x", "dataAvailabilityDate": "2025-06-12T00:00:00Z"}
    ),
    "a list": encode(RECORDS),
    "a line each": b"\n".join(map(encode, RECORDS)),
    "pages by the line": b"\n\n".join(encode({"conversations": [record]}) for record in RECORDS),
    "a line each, from Windows": b"\xef\xbb\xbf" + b"\r\n".join(map(encode, RECORDS)),
    "pages that overlap": encode([*RECORDS, RECORDS[0]]),
    "a list of pages": encode(
        [{"conversations": RECORDS[:1]}, {"conversations": RECORDS[1:]}, {"totalHits": 9}]
    ),
    "pages by the line, to the end": encode({"conversations": RECORDS})
    + b'\n{"aggregations": [], "totalHits": 9}\n{}\n{"conversations": null}',
    "with nulls, and decimals in numbers": encode({"conversations": RECORDS})
    .replace(b'"purpose":"acd"', b'"userId":null,"purpose":"acd"')
    .replace(b'"purpose":"customer"', b'"externalContactId":null,"purpose":"customer"')
    .replace(b'"participants":[', b'"participants":[{"purpose":"workflow","sessions":null},')
    .replace(b'"value":5000,', b'"value":5000.0,'),
}
POSTED = {
    # A consult: both agents handle it, the second for longer than an hour.
    (records.FIRST, records.CARE, "09:00"): {
        "tAlert": 5000, "tAnswered": 9000, "tTalk": 1_200_000, "tTalkComplete": 1_200_000,
        "tAcw": 25_500, "tHandle": 1_225_500, "nTransferred": 1, "nConsult": 1,
    },
    (records.SECOND, records.CLAIMS, "09:00"): {"tAnswered": 2000},
    (records.SECOND, records.CLAIMS, "10:30"): {
        "tTalk": 5_160_001, "tTalkComplete": 5_160_001, "tHandle": 5_160_001,
    },
    # Each hold counts where it ends, all of them where the line is cut.
    (records.HOLDER, records.CARE, "09:30"): {"tTalk": 1_620_000, "tHeld": 60_250},
    (records.HOLDER, records.CARE, "10:00"): {
        "tTalk": 10_000, "tHeld": 120_000, "tHeldComplete": 180_250, "tTalkComplete": 1_630_000,
        "tHandle": 1_810_250, "nError": 1,
    },
    (records.CALLER, None, "11:00"): {
        "tContacting": 1193, "tDialing": 262, "tTalk": 72_291, "tTalkComplete": 72_291,
        "tHandle": 73_746,
    },
    # The metric is 57 s, though the segment has 61: what was posted is what counts.
    (records.ABSENT, records.CARE, "12:00"): {
        "tAlert": 30_000, "tNotResponding": 30_000, "tAcw": 57_000, "tHandle": 57_000,
    },
}  # fmt: skip
METRICS = sorted({metric for of in POSTED.values() for metric in of})


def serving(content: bytes) -> Cloud:
    cloud = cloud_of(load_captured(content))
    cloud.log_in()
    return cloud


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_file_is_served_to_the_millisecond(form):
    answer = serving(FORMS[form]).ask(
        interval=f"{records.DAY}T00:00:00Z/2025-09-01T00:00:00Z", metrics=METRICS
    )

    result = {
        (group["group"]["userId"], group["group"].get("queueId"), bucket["interval"][11:16]): {
            metric["metric"]: metric["stats"].get("sum", metric["stats"]["count"])
            for metric in bucket["metrics"]
        }
        for group in answer.json()["results"]
        for bucket in group["data"]
    }
    assert result == POSTED


def test_only_named_agents_and_queues_are_in_the_directory():
    cloud = serving(FORMS["a page"])

    assert cloud.get("/api/v2/users?state=any").json()["total"] == 0
    assert {entity["id"]: entity["name"] for entity in cloud.get("/api/v2/routing/queues").json()[
        "entities"
    ]} == {records.CARE: "Care", records.CLAIMS: "Claims"}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_organization_is_that_of_the_conversations_whatever_the_form(form):
    def id_of(content: bytes) -> str:
        return load_captured(content).organization.id

    assert id_of(FORMS[form]) == id_of(FORMS["a list"])
    assert id_of(encode(RECORDS[:1])) != id_of(FORMS["a list"])


def test_the_organization_has_the_id_that_records_name():
    named = [RECORDS[0], {**RECORDS[1], "organizationId": "o-1"}]
    named.append({**RECORDS[2], "organizationId": None})

    assert serving(encode(named)).get("/api/v2/organizations/me").json()["id"] == "o-1"


def test_records_of_two_organizations_are_not_served_as_one():
    named = [{**record, "organizationId": f"o-{at}"} for at, record in enumerate(RECORDS[:2])]

    with pytest.raises(CapturedError, match="of 2 organizations; serve one"):
        load_captured(encode(named))


def test_an_agent_with_a_name_is_listed():
    named = copy.deepcopy(records.PRIVATE)
    named["participants"][0]["participantName"] = "Inés Prado"

    (user,) = serving(encode(named)).get("/api/v2/users").json()["entities"]

    assert (user["id"], user["name"]) == (records.CALLER, "Inés Prado")


def spoiled(change: Any, *path: str | int) -> bytes:
    """The records, with *change* at *path* of the second; None takes it away."""
    result = copy.deepcopy(RECORDS)
    at: Any = result[1]
    for step in path[:-1]:
        at = at[step]
    if change is None:
        del at[path[-1]]
    else:
        at[path[-1]] = change
    return encode({"conversations": result})


FIRST_SESSION = ("participants", 0, "sessions", 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            spoiled("2021-04-2T15:30:51.418Z", *FIRST_SESSION, "segments", 2, "segmentStart"),
            f"conversation {records.HELD['conversationId']}: "
            "participants[0].sessions[0].segments[2].segmentStart: '2021-04-2T15:30:51.418Z': ",
        ),
        (
            spoiled("2025-06-11T09:00:00", *FIRST_SESSION, "metrics", 0, "emitDate"),
            "participants[0].sessions[0].metrics[0].emitDate: '2025-06-11T09:00:00': ",
        ),
        (spoiled("7", *FIRST_SESSION, "metrics", 1, "value"), "metrics[1].value: '7': "),
        (spoiled(None, *FIRST_SESSION, "mediaType"), "sessions[0]: Object missing required"),
        (spoiled(None, "conversationId"), "record 2: Object missing required"),
        (b'{"conversations": [7]}', "record 1: 7: Expected `object`"),
        (b'{"conversations": []}', "there is no conversation in it"),
        (b'{"results": []}', "it is no conversation detail record"),
        (b"", "there is no conversation in it"),
        (b"conversationId,start\n1,2\n", "neither JSON"),
        (b"\xff\xfe", "neither JSON"),
    ],
)
def test_a_record_that_cannot_be_served_is_named_in_the_error(content, message):
    with pytest.raises(CapturedError) as caught:
        load_captured(content)

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_optional_fields_of_a_record_may_be_missing():
    conversation = {"conversationId": "c", "conversationStart": "2025-06-11T09:00:00Z"}

    assert load_captured(encode(conversation)).organization.agents == ()


def test_details_of_a_file_are_its_records_unchanged():
    details = list(
        load_captured(encode({"conversations": RECORDS})).conversations_begun(0, ENDLESS)
    )

    assert [detail.record(Snapshot(0)) for detail in details] == RECORDS
    assert all(detail.start < detail.end for detail in details)


def test_details_of_a_file_are_found_by_query():
    cloud = cloud_of(load_captured(encode(RECORDS)))
    cloud.log_in()
    started = RECORDS[0]["conversationStart"][:10]
    answer = cloud.call(
        "POST",
        "/api/v2/analytics/conversations/details/query",
        json={"interval": f"{started}T00:00:00Z/{started}T01:00:00Z"},
    ).json()

    wanted = [record for record in RECORDS if record["conversationStart"].startswith(started)]
    assert sorted(answer["conversations"], key=str) == sorted(wanted, key=str)
    assert wanted
