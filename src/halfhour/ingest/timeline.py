"""The segments of agents' sessions as pieces of time: each has an end, none is over another."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

KNOWN_TYPES = frozenset(
    "alert barging callback coaching contacting converting delay dialing hold interact ivr "
    "monitoring parked scheduled screenmonitoring sharing system transmitting unknown uploading "
    "voicemail wrapup".split()
)
"""Of segments, as the API's schema lists them."""
WORK = frozenset("contacting dialing hold interact wrapup".split())
"""The types whose segments are handle time."""

UNTIMED = "segments left out, as they have no start"
REVERSED = "segments left out, as they end before they start"
ENDLESS = "segments without an end, which end where the next begins or their session is over"
OVERLAPPING = "segments that overlap another of their session, whose common time counts once"
UNKNOWN = "segments of a type that is not known, which count as no work"


class Timed(NamedTuple):
    """A segment; times are milliseconds since 1970, None where it has none."""

    kind: str
    start: int | None
    end: int | None


class Over(NamedTuple):
    """When a session has posted handle time, and its conversation has ended, if so."""

    handled: Sequence[int]
    ended: int | None


class Piece(NamedTuple):
    """[*start*, *end*) of the segment that stands at *at* in its session."""

    at: int
    start: int
    end: int
    open: bool
    under_callback: bool = False


class Odd(NamedTuple):
    """What is odd about the segment that stands at *at*."""

    kind: str
    at: int


def pieces(segments: Sequence[Timed], over: Over, as_of: int) -> tuple[list[Piece], list[Odd]]:
    """The time of each of a session's *segments*, oldest first, and what is odd about them.

    What has no end lasts until the next one begins or the session is *over*;
    it is open, and lasts until *as_of*, if neither was by then. Of work that
    overlaps, the later segment gives way: a session works on one thing at a time.
    """
    order, odd = _ordered(segments)
    found, worked_until = [], 0
    for (begun, at), following in zip_longest(order, [start for start, _ in order[1:]]):
        kind, _, end = segments[at]
        start, is_open = begun, False
        if kind not in KNOWN_TYPES:
            odd.append(Odd(UNKNOWN, at))
        if end is None:
            seen = _seen_over(begun, following, over)
            is_open = seen is None or seen > as_of
            end = as_of if seen is None or is_open else seen
            if not is_open:
                odd.append(Odd(ENDLESS, at))
        if kind in WORK:
            if begun < min(worked_until, end):
                odd.append(Odd(OVERLAPPING, at))
            start, worked_until = max(begun, worked_until), max(worked_until, end)
        if start < end:
            found.append(Piece(at, start, end, is_open))
    return found, odd


def _ordered(segments: Sequence[Timed]) -> tuple[list[tuple[int, int]], list[Odd]]:
    """When each began and where it stands, oldest first; and those that cannot be."""
    odd: list[Odd] = []
    order: list[tuple[int, int]] = []
    for at, (_, start, end) in enumerate(segments):
        if start is None:
            odd.append(Odd(UNTIMED, at))
        elif end is not None and end < start:
            odd.append(Odd(REVERSED, at))
        else:
            order.append((start, at))
    order.sort()
    return order, odd


def _seen_over(start: int, following: int | None, over: Over) -> int | None:
    """When the segment that began at *start* is known to have been over.

    After-call work may begin when the conversation has ended, and a message be
    taken up again when its handle time was posted: neither says anything of it.
    """
    seen = [at for at in (*over.handled, over.ended) if at is not None and at > start]
    return min(seen + ([] if following is None else [following]), default=None)


def union(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """What *spans* cover, oldest first, without one that touches another."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def cut(piece: Piece, callback: Iterable[tuple[int, int]]) -> Iterator[Piece]:
    """The parts of *piece*, at the edges of the work on a *callback*, which is a `union`."""
    at = piece.start
    for start, end in callback:
        first, last = max(at, start), min(piece.end, end)
        if first < last:
            if at < first:
                yield piece._replace(start=at, end=first)
            yield piece._replace(start=first, end=last, under_callback=True)
            at = last
    if at < piece.end:
        yield piece._replace(start=at)
