"""Turn the segments of a session into time slices that have an end and do not overlap."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from halfhour.model.measures import WORK_SEGMENT_TYPES

SEGMENT_TYPES = frozenset(
    "alert barging callback coaching contacting converting delay dialing hold interact ivr "
    "monitoring parked scheduled screenmonitoring sharing system transmitting unknown uploading "
    "voicemail wrapup".split()
)
"""The types of segments that the API's schema lists."""

SEGMENTS_WITHOUT_START = "segments left out, as they have no start"
REVERSED_SEGMENTS = "segments left out, as they end before they start"
SEGMENTS_WITHOUT_END = (
    "segments without an end, which end where the next begins or their session is over"
)
OVERLAPPING_SEGMENTS = (
    "segments that overlap another of their session, whose common time counts once"
)
UNKNOWN_SEGMENT_TYPES = "segments of a type that is not known, which count as no work"
"""The kinds of issues of segments, as people read them."""


class TimedSegment(NamedTuple):
    """A segment with its start and end in milliseconds since 1970; None if it has none."""

    segment_type: str
    start: int | None
    end: int | None


class SessionEndMarkers(NamedTuple):
    """The times that close a session's open segments, in milliseconds since 1970.

    These are the times at which the session posted handle time, and the end of its conversation,
    which is None while the conversation goes on.
    """

    handled_at: Sequence[int]
    conversation_end: int | None


class TimeSlice(NamedTuple):
    """The time [*start*, *end*), in ms since 1970, of the segment at *segment_index*."""

    segment_index: int
    start: int
    end: int
    open: bool
    under_callback: bool = False


class SegmentIssue(NamedTuple):
    """A data issue of the segment at *segment_index* of its session."""

    kind: str
    segment_index: int


def build_timeline(
    segments: Sequence[TimedSegment], end_markers: SessionEndMarkers, as_of: int
) -> tuple[list[TimeSlice], list[SegmentIssue]]:
    """Return the time slices of a session's *segments*, oldest first, and their data issues.

    A segment without an end lasts until the next segment begins or one of *end_markers*; it is
    open and lasts until *as_of* if neither has come by then. If work overlaps, the later segment
    is cut, because a session works on one thing at a time.
    """
    order, issues = _sort_by_start(segments)
    timeline, worked_until = [], 0
    for (segment_start, index), next_start in zip_longest(order, [start for start, _ in order[1:]]):
        segment_type, _, end = segments[index]
        start, is_open = segment_start, False
        if segment_type not in SEGMENT_TYPES:
            issues.append(SegmentIssue(UNKNOWN_SEGMENT_TYPES, index))
        if end is None:
            known_end = _earliest_known_end(segment_start, next_start, end_markers)
            is_open = known_end is None or known_end > as_of
            end = as_of if known_end is None or is_open else known_end
            if not is_open:
                issues.append(SegmentIssue(SEGMENTS_WITHOUT_END, index))
        if segment_type in WORK_SEGMENT_TYPES:
            if segment_start < min(worked_until, end):
                issues.append(SegmentIssue(OVERLAPPING_SEGMENTS, index))
            start, worked_until = max(segment_start, worked_until), max(worked_until, end)
        if start < end:
            timeline.append(TimeSlice(index, start, end, is_open))
    return timeline, issues


def _sort_by_start(
    segments: Sequence[TimedSegment],
) -> tuple[list[tuple[int, int]], list[SegmentIssue]]:
    """Return the start and index of each segment, oldest first, and the issues of invalid ones."""
    issues: list[SegmentIssue] = []
    order: list[tuple[int, int]] = []
    for index, (_, start, end) in enumerate(segments):
        if start is None:
            issues.append(SegmentIssue(SEGMENTS_WITHOUT_START, index))
        elif end is not None and end < start:
            issues.append(SegmentIssue(REVERSED_SEGMENTS, index))
        else:
            order.append((start, index))
    order.sort()
    return order, issues


def _earliest_known_end(
    start: int, next_start: int | None, end_markers: SessionEndMarkers
) -> int | None:
    """Return the earliest known end of the segment that began at *start*; None if it is open.

    Markers before *start* do not count: after-call work may begin after the conversation has
    ended, and an agent may take up a message again after its handle time was posted.
    """
    markers = (*end_markers.handled_at, end_markers.conversation_end)
    ends = [marker for marker in markers if marker is not None and marker > start]
    return min(ends + ([] if next_start is None else [next_start]), default=None)


def merge_spans(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return *spans* oldest first, with spans that touch or overlap merged."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def split_at_callbacks(
    time_slice: TimeSlice, callback_spans: Iterable[tuple[int, int]]
) -> Iterator[TimeSlice]:
    """Split *time_slice* where work on a callback begins and ends.

    *callback_spans* are the spans of that work, as `merge_spans` returns them.
    """
    part_start = time_slice.start
    for span_start, span_end in callback_spans:
        start, end = max(part_start, span_start), min(time_slice.end, span_end)
        if start < end:
            if part_start < start:
                yield time_slice._replace(start=part_start, end=start)
            yield time_slice._replace(start=start, end=end, under_callback=True)
            part_start = end
    if part_start < time_slice.end:
        yield time_slice._replace(start=part_start)
