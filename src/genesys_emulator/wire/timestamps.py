"""Timestamps as whole milliseconds since 1970 in UTC: parse, format, divide into buckets."""

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_DURATION = re.compile(
    r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?"
    r"(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?",
    re.ASCII,
)
_LONGEST = 1_000_000_000  # a larger number in a duration overflows a date


def ms_since_epoch(moment: datetime) -> int:
    return (moment - EPOCH) // MILLISECOND


def parse_timestamp(text: str, zone: tzinfo | None) -> int:
    """Parse *text* in ISO 8601, in *zone* if it has no offset of its own.

    Raises ValueError if it is no timestamp, or has no offset and there is no *zone*.
    """
    if not _INSTANT.fullmatch(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError(text)
        moment = moment.replace(tzinfo=zone)
    if not 1970 <= moment.year <= 9998:
        raise ValueError(text)
    return ms_since_epoch(moment)


@lru_cache(2**12)  # a record has most of its timestamps several times
def format_timestamp(at: int, zone: tzinfo = UTC) -> str:
    """Format *at* with milliseconds and the offset of *zone*; an offset of zero is ``Z``."""
    if zone is UTC:
        minute, ms = divmod(at, MINUTE)
        return f"{_format_minute(minute)}:{ms // SECOND:02}.{ms % SECOND:03}Z"
    moment = (EPOCH + at * MILLISECOND).astimezone(zone)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@lru_cache(2**12)  # a day has 1,440
def _format_minute(minute: int) -> str:
    """Format a number of minutes since 1970 in UTC, without seconds."""
    return (
        (EPOCH + minute * MINUTE * MILLISECOND).replace(tzinfo=None).isoformat(timespec="minutes")
    )


def utc_date(at: int) -> date:
    return (EPOCH + at * MILLISECOND).date()


def midnight_of(day: date) -> int:
    return (day - EPOCH.date()).days * DAY


@dataclass(frozen=True, slots=True)
class Granularity:
    """The width of a bucket: a calendar part, which follows a zone's clock, and an exact part."""

    months: int
    days: int
    ms: int


def parse_granularity(text: str) -> Granularity:
    """Parse *text* as an ISO 8601 duration. Raises ValueError if it is none, or is zero."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(text)
    years, months, weeks, days, hours, minutes, seconds = (int(n or 0) for n in match.groups())
    width = Granularity(
        years * 12 + months, weeks * 7 + days, hours * HOUR + minutes * MINUTE + seconds * SECOND
    )
    if not 0 < max(width.months, width.days, width.ms) < _LONGEST * SECOND:
        raise ValueError(text)
    return width


def bucket_starts(
    start: int, end: int, width: Granularity | None, *, zone: tzinfo, until: int
) -> Sequence[int]:
    """Return the starts of the buckets of [start, end), the first of which begins at *start*.

    Days and months follow the clock of *zone*. Of the calendar buckets that
    start after *until* only the first is included.
    """
    if width is None:
        return (start,)
    if not width.months and not width.days:
        return range(start, end, width.ms)
    starts = [start]
    while starts[-1] < until:
        try:
            next_start = _calendar_start(start, len(starts), width, zone)
        except (OverflowError, ValueError):  # after the year 9999
            break
        if next_start >= end:
            break
        starts.append(next_start)
    return starts


def _calendar_start(start: int, steps: int, width: Granularity, zone: tzinfo) -> int:
    local = (EPOCH + start * MILLISECOND).astimezone(zone).replace(tzinfo=None)
    month = local.year * 12 + local.month - 1 + steps * width.months
    year, month = month // 12, month % 12 + 1
    day = min(local.day, monthrange(year, month)[1])
    moved = local.replace(year=year, month=month, day=day) + timedelta(days=steps * width.days)
    return ms_since_epoch(moved.replace(tzinfo=zone)) + steps * width.ms
