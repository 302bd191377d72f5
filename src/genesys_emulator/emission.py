"""What a conversation's sessions post: each value whole, at the time it is complete."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from genesys_emulator.conversations import Conversation, Participant, Session


class Origin(NamedTuple):
    """What a value belongs to: per dimension no value, one, or several.

    In the order of `vocabulary.EMULATED`. A value that belongs to no agent
    has no user, one outside of queues no queue.
    """

    user_id: tuple[str, ...]
    queue_id: tuple[str, ...]
    media_type: tuple[str, ...]
    direction: tuple[str, ...]
    purpose: tuple[str, ...]
    division_id: tuple[str, ...]


Value = tuple[str, int, int]
"""Metric, time of emission, and value (both in ms; a counter's value is a count)."""

Book = Mapping[Origin, Mapping[str, Sequence[tuple[int, int]]]]
"""Values by origin and metric: when, and how much."""

PER_SEGMENT = {
    "alert": "tAlert",
    "contacting": "tContacting",
    "dialing": "tDialing",
    "interact": "tTalk",
    "hold": "tHeld",
    "wrapup": "tAcw",
}
HANDLED = ("tContacting", "tDialing", "tTalk", "tHeld", "tAcw")


def booked(postings: Iterable[tuple[Origin, Iterable[Value]]]) -> Book:
    book: dict[Origin, dict[str, list[tuple[int, int]]]] = {}
    for origin, values in postings:
        of_origin = book.setdefault(origin, {})
        for metric, at, value in values:
            of_origin.setdefault(metric, []).append((at, value))
    return book


def postings(conversation: Conversation) -> Iterator[tuple[Origin, list[Value]]]:
    """What each session posts, and what the values belong to."""
    waiting_since: int | None = None
    for participant in conversation.participants:
        for session in participant.sessions:
            if participant.purpose == "acd":
                waiting_since = session.segments[0].start
            values = _values(participant, session, waiting_since)
            yield _origin(conversation, participant, session), values


def _origin(conversation: Conversation, participant: Participant, session: Session) -> Origin:
    queue_ids = dict.fromkeys(segment.queue_id for segment in session.segments if segment.queue_id)
    return Origin(
        (participant.user_id,) if participant.user_id else (),
        tuple(queue_ids),
        (session.media,),
        (session.direction,),
        (participant.purpose,),
        conversation.division_ids,
    )


def _values(participant: Participant, session: Session, since: int | None) -> list[Value]:
    start, end = session.segments[0].start, session.segments[-1].end
    match participant.purpose:
        case "acd":
            waited = "tAcd" if session.ended == "transfer" else "tAbandon"
            return [("nOffered", start, 1), (waited, end, end - start)]
        case "customer":
            return [("nConnected", start, 1), ("tConnected", end, end - start)]
        case _:
            return [*_offer(session, since), *worked(session), *_counted(participant, session)]


def worked(session: Session) -> list[Value]:
    """What an agent's session posts: per segment at its end, in total when all is done.

    Talk in total is complete with the last talk, hold in total when the line
    is cut, handle time when after-call work ends.
    """
    values: list[Value] = []
    sums: dict[str, int] = {}
    ends: dict[str, int] = {}
    for kind, start, end, _ in session.segments:
        metric = PER_SEGMENT[kind]
        values.append((metric, end, end - start))
        sums[metric] = sums.get(metric, 0) + end - start
        ends[metric] = end
    if "tTalk" in sums:
        values.append(("tTalkComplete", ends["tTalk"], sums["tTalk"]))
    if "tHeld" in sums:
        cut = max(ends["tTalk"], ends["tHeld"])
        values.append(("tHeldComplete", cut, sums["tHeld"]))
    handled = sum(sums.get(metric, 0) for metric in HANDLED)
    if handled:
        values.append(("tHandle", session.segments[-1].end, handled))
    return values


def _offer(session: Session, since: int | None) -> list[Value]:
    """How an offer ended. The wait of who is answered counts from when the queue took them in."""
    first = session.segments[0]
    if first.kind != "alert":
        return []
    if any(segment.kind == "interact" for segment in session.segments):
        return [] if since is None else [("tAnswered", first.end, first.end - since)]
    return [("tNotResponding", first.end, first.end - first.start)]


def _counted(participant: Participant, session: Session) -> list[Value]:
    live = [segment for segment in session.segments if segment.kind != "wrapup"]
    if session.ended == "transfer":
        return [("nTransferred", live[-1].end, 1), ("nBlindTransferred", live[-1].end, 1)]
    if live[0].kind == "contacting" and live[0].queue_id and participant.purpose == "agent":
        return [("nOutbound", live[0].end, 1)]
    return []
