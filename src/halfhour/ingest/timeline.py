"""The segments of agents' sessions as slices of time: each has an end, none is over another."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from halfhour.model.measures import WORK_SEGMENT_TYPES

SEGMENT_TYPES = frozenset(
    "alert barging callback coaching contacting converting delay dialing hold interact ivr "
    "monitoring parked scheduled screenmonitoring sharing system transmitting unknown uploading "
    "voicemail wrapup".split()
)
"""The types of segments, as the API's schema lists them."""

SEGMENTS_WITHOUT_START = "segments left out, as they have no start"
REVERSED_SEGMENTS = "segments left out, as they end before they start"
SEGMENTS_WITHOUT_END = (
    "segments without an end, which end where the next begins or their session is over"
)
OVERLAPPING_SEGMENTS = (
    "segments that overlap another of their session, whose common time counts once"
)
UNKNOWN_SEGMENT_TYPES = "segments of a type that is not known, which count as no work"


class TimedSegment(NamedTuple):
    """A segment with its times in milliseconds since 1970; None if it has none."""

    kind: str
    start: int | None
    end: int | None


class SessionEndMarkers(NamedTuple):
    """Times that close a session's open segments.

    The session posted its handle time then, and its conversation ended; None if not yet.
    """

    handled_at: Sequence[int]
    conversation_end: int | None


class TimeSlice(NamedTuple):
    """The time [*start*, *end*) of the segment at *segment_index* of its session."""

    segment_index: int
    start: int
    end: int
    open: bool
    under_callback: bool = False


class SegmentIssue(NamedTuple):
    """A data issue of the segment at *segment_index*."""

    kind: str
    segment_index: int


def build_timeline(
    segments: Sequence[TimedSegment], over: SessionEndMarkers, as_of: int
) -> tuple[list[TimeSlice], list[SegmentIssue]]:
    """The time of each of a session's *segments*, oldest first, and what is odd about them.

    What has no end lasts until the next one begins or the session is *over*;
    it is open, and lasts until *as_of*, if neither was by then. Of work that
    overlaps, the later segment gives way: a session works on one thing at a time.
    """
    order, odd = _sort_by_start(segments)
    timeline, worked_until = [], 0
    for (begun, at), following in zip_longest(order, [start for start, _ in order[1:]]):
        kind, _, end = segments[at]
        start, is_open = begun, False
        if kind not in SEGMENT_TYPES:
            odd.append(SegmentIssue(UNKNOWN_SEGMENT_TYPES, at))
        if end is None:
            seen = _earliest_known_end(begun, following, over)
            is_open = seen is None or seen > as_of
            end = as_of if seen is None or is_open else seen
            if not is_open:
                odd.append(SegmentIssue(SEGMENTS_WITHOUT_END, at))
        if kind in WORK_SEGMENT_TYPES:
            if begun < min(worked_until, end):
                odd.append(SegmentIssue(OVERLAPPING_SEGMENTS, at))
            start, worked_until = max(begun, worked_until), max(worked_until, end)
        if start < end:
            timeline.append(TimeSlice(at, start, end, is_open))
    return timeline, odd


def _sort_by_start(
    segments: Sequence[TimedSegment],
) -> tuple[list[tuple[int, int]], list[SegmentIssue]]:
    """Return the start and index of each segment, oldest first, and the issues of invalid ones."""
    odd: list[SegmentIssue] = []
    order: list[tuple[int, int]] = []
    for at, (_, start, end) in enumerate(segments):
        if start is None:
            odd.append(SegmentIssue(SEGMENTS_WITHOUT_START, at))
        elif end is not None and end < start:
            odd.append(SegmentIssue(REVERSED_SEGMENTS, at))
        else:
            order.append((start, at))
    order.sort()
    return order, odd


def _earliest_known_end(start: int, following: int | None, over: SessionEndMarkers) -> int | None:
    """Return the earliest known end of the segment that began at *start*; None if it is open.

    After-call work may begin after the conversation has ended, and an agent may take up a message
    again after its handle time was posted, so a marker before *start* tells nothing.
    """
    seen = [at for at in (*over.handled_at, over.conversation_end) if at is not None and at > start]
    return min(seen + ([] if following is None else [following]), default=None)


def merge_spans(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge *spans* that touch or overlap; return them oldest first."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def split_at_callbacks(
    time_slice: TimeSlice, callback: Iterable[tuple[int, int]]
) -> Iterator[TimeSlice]:
    """The parts of *time_slice*, at the edges of the work on a *callback*, which is a `union`."""
    at = time_slice.start
    for start, end in callback:
        first, last = max(at, start), min(time_slice.end, end)
        if first < last:
            if at < first:
                yield time_slice._replace(start=at, end=first)
            yield time_slice._replace(start=first, end=last, under_callback=True)
            at = last
    if at < time_slice.end:
        yield time_slice._replace(start=at)
