"""What a conversation's sessions post: each value whole, at the time it is complete."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from genesys_emulator.simulation.conversations import Conversation, Participant, Session


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

CERTAIN = 0.5
"""The chance of a conversation that is never told of late, nor corrected."""

Posting = tuple[int, int, float]
"""When, how much, and the chance of the conversation that it is of."""

Book = Mapping[Origin, Mapping[str, Sequence[Posting]]]
"""Values by origin and metric."""

PER_SEGMENT = {
    "alert": "tAlert",
    "contacting": "tContacting",
    "dialing": "tDialing",
    "interact": "tTalk",
    "hold": "tHeld",
    "wrapup": "tAcw",
    "parked": "tPark",
}
IN_TOTAL = {"tTalk": "tTalkComplete", "tPark": "tParkComplete"}
HANDLED = ("tContacting", "tDialing", "tTalk", "tHeld", "tAcw")


def booked(
    postings: Iterable[tuple[Origin, Iterable[Value], float]],
) -> Book:
    """The values of each origin together; the third of a posting is its conversation's chance."""
    book: dict[Origin, dict[str, list[Posting]]] = {}
    for origin, values, chance in postings:
        of_origin = book.setdefault(origin, {})
        for metric, at, value in values:
            of_origin.setdefault(metric, []).append((at, value, chance))
    return book


def postings(conversation: Conversation) -> Iterator[tuple[Origin, list[Value]]]:
    """What each session posts, and what the values belong to."""
    for participant in conversation.participants:
        for session in participant.sessions:
            yield _origin(conversation, participant, session), _values(participant, session)


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


WAITED = {"transfer": "tAcd", "client": "tAbandon", "timeout": "tFlowOut"}
"""What the wait in a queue is posted as, by how it ended."""


def _values(participant: Participant, session: Session) -> list[Value]:
    start, end = session.segments[0].start, session.segments[-1].end
    match participant.purpose:
        case "acd":
            return [("nOffered", start, 1), (WAITED[session.ended], end, end - start)]
        case "customer":
            return [("nConnected", start, 1), ("tConnected", end, end - start)]
        case _:
            counted = [(metric, at, 1) for metric, at in session.marks]
            return [*_offer(session), *worked(session), *counted]


def worked(session: Session) -> list[Value]:
    """What an agent's session posts: per segment at its end, in total when all is done.

    Talk in total is complete with the last talk, hold in total when the line
    is cut, handle time when after-call work ends.
    """
    values: list[Value] = []
    sums: dict[str, int] = {}
    ends: dict[str, int] = {}
    for kind, start, end, *_ in session.segments:
        metric = PER_SEGMENT[kind]
        took = end - start - (session.unposted if kind == "wrapup" else 0)
        values.append((metric, end, took))
        sums[metric] = sums.get(metric, 0) + took
        ends[metric] = end
    for metric, total in IN_TOTAL.items():
        if metric in sums:
            values.append((total, ends[metric], sums[metric]))
    if "tHeld" in sums:
        cut = max(ends["tTalk"], ends["tHeld"])
        values.append(("tHeldComplete", cut, sums["tHeld"]))
    handled = sum(sums.get(metric, 0) for metric in HANDLED)
    if handled:
        values.append(("tHandle", session.segments[-1].end, handled))
    return values


def _offer(session: Session) -> list[Value]:
    """How an offer ended. The wait of who is answered counts from when the queue took them in."""
    first = session.segments[0]
    if first.kind != "alert":
        return []
    if any(segment.kind == "interact" for segment in session.segments):
        return (
            [] if session.since is None else [("tAnswered", first.end, first.end - session.since)]
        )
    return [("tNotResponding", first.end, first.end - first.start)]
