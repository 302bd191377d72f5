"""Which metrics a session's segments emit, with which value, and when.

The rules were read off captured sessions: talk and hold are emitted per
segment as each ends, their totals at the disconnect, ACW and handle time when
the wrap-up ends. Nothing is emitted for what is still open.
"""

from collections.abc import Iterable, Iterator

from genesys_emulator.model import Metric, Segment

_PER_SEGMENT = {
    "alert": "tAlert",
    "contacting": "tContacting",
    "dialing": "tDialing",
    "interact": "tTalk",
    "hold": "tHeld",
    "wrapup": "tAcw",
}
_IN_HANDLE = ("tContacting", "tDialing", "tTalk", "tHeld", "tAcw")


def metrics(segments: Iterable[Segment], *, queued_at: int | None = None) -> tuple[Metric, ...]:
    """The metrics of one agent's session; *queued_at* is since when the contact had waited."""
    ended = [(segment, segment.end) for segment in segments if segment.end is not None]
    each = [Metric(_PER_SEGMENT[segment.kind], end - segment.start, end) for segment, end in ended]
    return (*each, *_totals(each), *_offer(ended, queued_at))


def queued(queued_at: int, offered_at: int) -> tuple[Metric, ...]:
    """The metrics of a queue's session, which no agent has."""
    return Metric("nOffered", 1, queued_at), Metric("tAcd", offered_at - queued_at, offered_at)


def _totals(each: list[Metric]) -> Iterator[Metric]:
    of = {name: [metric for metric in each if metric.name == name] for name in _IN_HANDLE}
    if of["tTalk"]:
        yield Metric("tTalkComplete", _sum(of["tTalk"]), _last(of["tTalk"]))
    if of["tHeld"]:
        yield Metric("tHeldComplete", _sum(of["tHeld"]), _last(of["tTalk"] + of["tHeld"]))
    handled = [metric for name in _IN_HANDLE for metric in of[name]]
    if handled:
        yield Metric("tHandle", _sum(handled), _last(handled))


def _offer(ended: list[tuple[Segment, int]], queued_at: int | None) -> Iterator[Metric]:
    answered = any(segment.kind == "interact" for segment, _ in ended)
    for segment, end in ended:
        if segment.kind == "alert" and answered and queued_at is not None:
            yield Metric("tAnswered", end - queued_at, end)
        elif segment.kind == "alert" and not answered:
            yield Metric("tNotResponding", end - segment.start, end)


def _sum(some: list[Metric]) -> int:
    return sum(metric.value for metric in some)


def _last(some: list[Metric]) -> int:
    return max(metric.at for metric in some)
