"""Metrics that sessions post: each value whole, at the time it is complete."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from genesys_emulator.simulation.conversations import Conversation, Participant, Session


class Origin(NamedTuple):
    """The dimensions of a value, each with no value, one, or several.

    They are in the order of `vocabulary.EMULATED`. A value that belongs to no agent
    has no user, one outside of queues no queue.
    """

    user_id: tuple[str, ...]
    queue_id: tuple[str, ...]
    media_type: tuple[str, ...]
    direction: tuple[str, ...]
    purpose: tuple[str, ...]
    division_id: tuple[str, ...]


MetricEvent = tuple[str, int, int]
"""Metric, time of emission, and value (both in ms; a counter's value is a count)."""

CERTAIN = 0.5
"""The chance of a conversation that is never late nor restated."""

PostedValue = tuple[int, int, float]
"""Time, value, and the chance of its conversation."""

PostedValues = Mapping[Origin, Mapping[str, Sequence[PostedValue]]]
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


def group_by_origin(
    events_by_origin: Iterable[tuple[Origin, Iterable[MetricEvent], float]],
) -> PostedValues:
    """Group events by origin and metric; each item has the chance of its conversation last."""
    grouped: dict[Origin, dict[str, list[PostedValue]]] = {}
    for origin, values, chance in events_by_origin:
        of_origin = grouped.setdefault(origin, {})
        for metric, at, value in values:
            of_origin.setdefault(metric, []).append((at, value, chance))
    return grouped


def conversation_events(conversation: Conversation) -> Iterator[tuple[Origin, list[MetricEvent]]]:
    """Yield the origin and the events of each session."""
    for participant in conversation.participants:
        for session in participant.sessions:
            yield (
                _session_origin(conversation, participant, session),
                _session_events(participant, session),
            )


def _session_origin(
    conversation: Conversation, participant: Participant, session: Session
) -> Origin:
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
"""The metric of the wait in a queue, by how the wait ended."""


def _session_events(participant: Participant, session: Session) -> list[MetricEvent]:
    start, end = session.segments[0].start, session.segments[-1].end
    match participant.purpose:
        case "acd":
            return [("nOffered", start, 1), (WAITED[session.ended], end, end - start)]
        case "customer":
            return [("nConnected", start, 1), ("tConnected", end, end - start)]
        case _:
            counted = [(metric, at, 1) for metric, at in session.marks]
            return [*_offer_events(session), *agent_session_events(session), *counted]


def agent_session_events(session: Session) -> list[MetricEvent]:
    """Return the events of an agent's session: per segment at its end, and totals.

    Total talk is posted at the end of the last talk, total hold at the
    disconnect, handle time at the end of after-call work.
    """
    values: list[MetricEvent] = []
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
        disconnect = max(ends["tTalk"], ends["tHeld"])
        values.append(("tHeldComplete", disconnect, sums["tHeld"]))
    handled = sum(sums.get(metric, 0) for metric in HANDLED)
    if handled:
        values.append(("tHandle", session.segments[-1].end, handled))
    return values


def _offer_events(session: Session) -> list[MetricEvent]:
    """Return the event of how an offer ended; an answered wait counts from entering the queue."""
    first = session.segments[0]
    if first.kind != "alert":
        return []
    if any(segment.kind == "interact" for segment in session.segments):
        return (
            [] if session.since is None else [("tAnswered", first.end, first.end - session.since)]
        )
    return [("tNotResponding", first.end, first.end - first.start)]
