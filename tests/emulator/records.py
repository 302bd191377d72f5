"""Conversation detail records with the oddities that captured ones have. All names are made up."""

from typing import Any

CARE, CLAIMS = "00000000-0000-4000-8000-00000000c0a1", "00000000-0000-4000-8000-00000000c0a2"
FIRST, SECOND, HOLDER, CALLER, ABSENT = (
    f"00000000-0000-4000-8000-0000000000{number:02}" for number in range(1, 6)
)
DAY = "2025-06-11"


def at(clock: str, day: str = DAY) -> str:
    return f"{day}T{clock}Z"


def metric(name: str, value: int, emitted: str) -> dict[str, Any]:
    return {"name": name, "value": value, "emitDate": at(emitted)}


def segment(kind: str, start: str, end: str | None, queue: str | None = CARE) -> dict[str, Any]:
    result = {"segmentType": kind, "segmentStart": at(start), "conference": False}
    if end:
        result["segmentEnd"] = at(end)
    return result | ({"queueId": queue} if queue else {})


def session(
    segments: list[dict[str, Any]], metrics: list[dict[str, Any]], **changes: str
) -> dict[str, Any]:
    result: dict[str, Any] = {"mediaType": "voice", "direction": "inbound", **changes}
    return {**result, "segments": segments, "metrics": metrics}


def conversation(number: int, *participants: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "conversationId": f"c0000000-0000-4000-8000-{number:012}",
        "conversationStart": at("09:00:00.000"),
        "divisionIds": ["d0000000-0000-4000-8000-000000000001"],
        "participants": list(participants),
        **changes,
    }


def agent(user: str, *sessions: dict[str, Any], purpose: str = "agent") -> dict[str, Any]:
    return {"purpose": purpose, "userId": user, "sessions": list(sessions)}


def acd(queue: str, name: str) -> dict[str, Any]:
    waited = [metric("nOffered", 1, "09:00:01.000"), metric("tAcd", 9000, "09:00:10.000")]
    line = session([segment("interact", "09:00:01.000", "09:00:10.000", queue)], waited)
    return {"purpose": "acd", "participantName": name, "sessions": [line]}


CONSULTED = conversation(
    1,
    acd(CARE, "Care"),
    agent(
        FIRST,
        session(
            [
                segment("alert", "09:00:05.000", "09:00:10.000"),
                segment("interact", "09:00:10.000", "09:20:10.000"),
                segment("wrapup", "09:20:10.000", "09:20:35.500"),
            ],
            [
                metric("tAlert", 5000, "09:00:10.000"),
                metric("tAnswered", 9000, "09:00:10.000"),
                metric("nConsult", 1, "09:15:00.000"),
                metric("nConsultTransferred", 1, "09:20:10.000"),
                metric("nTransferred", 1, "09:20:10.000"),
                metric("tTalk", 1_200_000, "09:20:10.000"),
                metric("tTalkComplete", 1_200_000, "09:20:10.000"),
                metric("tAcw", 25_500, "09:20:35.500"),
                metric("tHandle", 1_225_500, "09:20:35.500"),
            ],
        ),
    ),
    acd(CLAIMS, "Claims"),
    agent(
        SECOND,
        session(
            [segment("interact", "09:15:30.000", "10:41:30.001", CLAIMS)],
            [
                metric("tAnswered", 2000, "09:15:30.000"),
                metric("tTalk", 5_160_001, "10:41:30.001"),
                metric("tTalkComplete", 5_160_001, "10:41:30.001"),
                metric("tHandle", 5_160_001, "10:41:30.001"),
            ],
        ),
    ),
    # The other side's leg was never closed; this is when the platform gave up on it.
    conversationEnd=at("12:00:00.000", "2025-08-10"),
)
HELD = conversation(
    2,
    agent(
        HOLDER,
        session(
            [
                segment("interact", "09:31:00.000", "09:33:00.000"),
                segment("hold", "09:33:00.000", "09:34:00.250"),
                segment("interact", "09:34:00.250", "09:59:00.250"),
                segment("hold", "09:59:00.250", "10:01:00.250"),
                segment("interact", "10:01:00.250", "10:01:10.250"),
            ],
            [
                metric("tTalk", 120_000, "09:33:00.000"),
                metric("tHeld", 60_250, "09:34:00.250"),
                metric("tTalk", 1_500_000, "09:59:00.250"),
                metric("tHeld", 120_000, "10:01:00.250"),
                metric("tHeldComplete", 180_250, "10:01:10.250"),
                metric("tTalk", 10_000, "10:01:10.250"),
                metric("tTalkComplete", 1_630_000, "10:01:10.250"),
                metric("nError", 1, "10:01:10.250"),
                metric("tHandle", 1_810_250, "10:01:10.250"),
            ],
        ),
    ),
    {
        "purpose": "customer",
        "sessions": [session([segment("interact", "09:31:00.000", None)], [])],
    },
)
PRIVATE = conversation(
    3,
    agent(
        CALLER,
        session(
            [
                segment("contacting", "11:00:00.000", "11:00:01.193", None),
                segment("dialing", "11:00:01.193", "11:00:01.455", None),
                segment("interact", "11:00:01.455", "11:01:13.746", None),
            ],
            [
                metric("tContacting", 1193, "11:00:01.193"),
                metric("tDialing", 262, "11:00:01.455"),
                metric("tHandle", 73_746, "11:01:13.746"),
                metric("tTalk", 72_291, "11:01:13.746"),
                metric("tTalkComplete", 72_291, "11:01:13.746"),
            ],
            direction="outbound",
        ),
        purpose="user",
    ),
)
UNANSWERED = conversation(
    4,
    agent(
        ABSENT,
        session(
            [
                segment("alert", "12:00:00.000", "12:00:30.000"),
                segment("wrapup", "12:00:30.000", "12:01:31.000"),
            ],
            [
                metric("tAlert", 30_000, "12:00:30.000"),
                metric("tNotResponding", 30_000, "12:00:30.000"),
                metric("tAcw", 57_000, "12:01:27.000"),
                metric("tHandle", 57_000, "12:01:27.000"),
            ],
        ),
    ),
)
OPEN = conversation(5, {"purpose": "customer", "sessions": [{"mediaType": "email"}]})
RECORDS = [CONSULTED, HELD, PRIVATE, UNANSWERED, OPEN]
