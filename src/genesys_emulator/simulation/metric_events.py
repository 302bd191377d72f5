"""Metrics that sessions post: each value whole, at the time it is complete."""

from array import array
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from genesys_emulator.simulation.conversations import Conversation, Participant, Session, Value


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


class PostedValues(Value, frozen=True):
    """Values of sessions, a row each, in columns: a day of a large centre has a million.

    *rows_by_metric* has how many rows each metric has; they lie side by side,
    in this order. The columns are arrays: *sessions*, numbers of 32 bits, and
    *times* and *values*, of 64 bits. *session_origins*, the positions of the
    sessions in *origins*, and *chances*, those of the conversations, are
    arrays of 32 bits and of floats of 64 bits, by the number of the session.
    """

    origins: list[Origin]
    session_origins: bytes
    chances: bytes
    rows_by_metric: dict[str, int]
    sessions: bytes
    times: bytes
    values: bytes

    def rows(self, metric: str) -> Iterator[tuple[int, int, int]]:
        """Yield the number of the session, the time and the value of each row."""
        first = 0
        for name, count in self.rows_by_metric.items():
            if name == metric:
                rows = slice(first, first + count)
                return zip(
                    memoryview(self.sessions).cast("I")[rows],
                    memoryview(self.times).cast("q")[rows],
                    memoryview(self.values).cast("q")[rows],
                    strict=True,
                )
            first += count
        return iter(())


PER_SEGMENT = {
    "alert": "tAlert",
    "contacting": "tContacting",
    "dialing": "tDialing",
    "interact": "tTalk",
    "hold": "tHeld",
    "wrapup": "tAcw",
    "parked": "tPark",
}
HANDLED = {"tContacting", "tDialing", "tTalk", "tHeld", "tAcw"}


def make_columns(
    events_by_session: Iterable[tuple[Origin, Iterable[MetricEvent], float]],
) -> PostedValues:
    """Make columns of events by session; each session has the chance of its conversation last."""
    numbers: dict[Origin, int] = {}
    session_origins, chances = array("I"), array("d")
    by_metric: dict[str, list[int]] = {}
    for session, (origin, events, chance) in enumerate(events_by_session):
        session_origins.append(numbers.setdefault(origin, len(numbers)))
        chances.append(chance)
        for metric, at, value in events:
            flat = by_metric.get(metric)
            if flat is None:
                flat = by_metric[metric] = []
            flat += (session, at, value)
    sessions, times, values = array("I"), array("q"), array("q")
    for flat in by_metric.values():
        columns = array("q", flat)
        sessions.extend(flat[0::3])
        times += columns[1::3]
        values += columns[2::3]
    return PostedValues(
        list(numbers),
        session_origins.tobytes(),
        chances.tobytes(),
        {metric: len(flat) // 3 for metric, flat in by_metric.items()},
        sessions.tobytes(),
        times.tobytes(),
        values.tobytes(),
    )


def conversation_events(conversation: Conversation) -> Iterator[tuple[Origin, list[MetricEvent]]]:
    """Yield the origin and the events of each session."""
    for participant in conversation.participants:
        for session in participant.sessions:
            segments = session.segments
            queue_ids = (
                (segments[0].queue_id,)
                if len(segments) == 1
                else tuple(dict.fromkeys([segment.queue_id for segment in segments]))
            )
            origin = _make_origin(
                participant.user_id,
                queue_ids,
                session.media,
                session.direction,
                participant.purpose,
                conversation.division_ids,
            )
            yield origin, session_events(participant, session)


@lru_cache(2**14)  # an agent has few, and most sessions have no agent
def _make_origin(
    user_id: str,
    queue_ids: tuple[str, ...],
    media: str,
    direction: str,
    purpose: str,
    division_ids: tuple[str, ...],
) -> Origin:
    return Origin(
        (user_id,) if user_id else (),
        tuple(filter(None, queue_ids)),
        (media,),
        (direction,),
        (purpose,),
        division_ids,
    )


WAITED = {"transfer": "tAcd", "client": "tAbandon", "timeout": "tFlowOut"}
"""The metric of the wait in a queue, by how the wait ended."""


def session_events(participant: Participant, session: Session) -> list[MetricEvent]:
    """Return the events of a session, in the order in which they are made."""
    start, end = session.segments[0].start, session.segments[-1].end
    match participant.purpose:
        case "acd":
            return [("nOffered", start, 1), (WAITED[session.ended], end, end - start)]
        case "customer":
            return [("nConnected", start, 1), ("tConnected", end, end - start)]
        case _:
            events = _offer_events(session) + agent_session_events(session)
            for metric, at in session.marks:
                events.append((metric, at, 1))
            return events


def agent_session_events(session: Session) -> list[MetricEvent]:
    """Return the events of an agent's session: per segment at its end, and totals.

    Total talk is posted at the end of the last talk, total hold at the
    disconnect, handle time at the end of after-call work.
    """
    values: list[MetricEvent] = []
    handled = 0
    sums: dict[str, int] = {}
    ends: dict[str, int] = {}
    for segment in session.segments:
        metric, end = PER_SEGMENT[segment.kind], segment.end
        took = end - segment.start
        if metric == "tAcw":
            took -= session.unposted
        values.append((metric, end, took))
        sums[metric] = sums[metric] + took if metric in sums else took
        ends[metric] = end
        if metric in HANDLED:
            handled += took
    if "tTalk" in sums:
        values.append(("tTalkComplete", ends["tTalk"], sums["tTalk"]))
    if "tPark" in sums:
        values.append(("tParkComplete", ends["tPark"], sums["tPark"]))
    if "tHeld" in sums:
        disconnect = max(ends["tTalk"], ends["tHeld"])
        values.append(("tHeldComplete", disconnect, sums["tHeld"]))
    if handled:
        values.append(("tHandle", session.segments[-1].end, handled))
    return values


def _offer_events(session: Session) -> list[MetricEvent]:
    """Return the event of how an offer ended; an answered wait counts from entering the queue."""
    first = session.segments[0]
    if first.kind != "alert":
        return []
    if "interact" in [segment.kind for segment in session.segments]:
        return (
            [] if session.since is None else [("tAnswered", first.end, first.end - session.since)]
        )
    return [("tNotResponding", first.end, first.end - first.start)]
