"""Parse the words that people write about time into an `Interval`."""

import re
from calendar import month_name, monthrange
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from halfhour.errors import ConfigError, suggest_name
from halfhour.model.intervals import HALF_HOUR, QUARTER_HOUR, Interval, is_interval_edge

_DURATION_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DATE_PATTERN = re.compile(r"\d{4}-?\d\d-?\d\d")
_YEAR_FIRST_PATTERN = re.compile(r"(\d{4})([-./]?)(\d\d?)\2(\d\d?)(?!\d)")
_YEAR_LAST_PATTERN = re.compile(r"(\d\d?)([-./])(\d\d?)\2(\d{4})(?!\d)")


def parse_zone(name: str) -> ZoneInfo:
    """Return the IANA time zone *name*. Raises ConfigError with the nearest place."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        # The nearest abbreviation to BST is MST, which is far from it on the globe.
        hint = suggest_name(
            name,
            [
                zone
                for zone in available_timezones()
                if ("/" in zone and not zone.startswith("Etc/"))
                or zone.casefold() == name.casefold()
            ],
        )
        raise ConfigError(
            f"⟨zone⟩ {name!r} is not an IANA time zone; write a place such as Europe/London{hint}"
        ) from error


def parse_interval(
    *,
    start: str | datetime | None = None,
    end: str | datetime | None = None,
    last: str | None = None,
    zone: str = "UTC",
    now: datetime,
) -> Interval:
    """Return the interval from *start* to *end*, or of the length *last*, on half-hours.

    A time without an offset and the midnight of a date are in the IANA time zone *zone*. Without
    *end* the interval ends with the last half-hour of *zone* that is over at *now*. Without
    *start* its length is *last*, or 24 hours. With *start* and *last* it begins at *start*. Raises
    ConfigError, which names the parameter that cannot be understood.
    """
    local = parse_zone(zone)
    start = start.isoformat() if isinstance(start, datetime) else start
    end = end.isoformat() if isinstance(end, datetime) else end
    if start and end and last:
        raise ConfigError("⟨start⟩, ⟨end⟩ and ⟨last⟩ are one too many; give two of them")
    length = _parse_half_hours(last or "24h")
    end_time = _parse_time("end", end, local, now) if end else _last_half_hour_end(now, local)
    start_time = _parse_time("start", start, local, now) if start else end_time - length
    if start and last:
        end_time = start_time + length
    if start and not end and start_time > now:
        raise ConfigError(f"⟨start⟩ {start} is in the future; give an earlier start")
    if start_time >= end_time:
        end_text = f"⟨end⟩ {end}" if end else f"the last full half-hour, {end_time.isoformat()}"
        raise ConfigError(
            f"⟨start⟩ {start or start_time.isoformat()} is not before {end_text}; "
            "give an earlier start"
        )
    return Interval(start_time, end_time)


def format_range(interval: Interval, zone: tzinfo) -> str:
    """Return *interval* as people write it, in *zone*: two times to the minute, and its name.

    The times have their offsets if the clocks change between them.
    """
    start, end = (moment.astimezone(zone) for moment in (interval.start, interval.end))
    if start.utcoffset() != end.utcoffset():
        return f"{start.isoformat(' ', 'minutes')} to {end.isoformat(' ', 'minutes')} {zone}"
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} {zone}"


def required_granularity(interval: Interval) -> timedelta:
    """Return the granularity to request for *interval*.

    It is half an hour, or a quarter if the half-hours of the zone start at :15 or :45 UTC.
    """
    return HALF_HOUR if is_interval_edge(interval.start, HALF_HOUR) else QUARTER_HOUR


def _parse_time(parameter: str, text: str, local: tzinfo, now: datetime) -> datetime:
    today = now.astimezone(local).date()
    days_by_word = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        if text in days_by_word or _DATE_PATTERN.fullmatch(text):
            day = days_by_word.get(text) or date.fromisoformat(text)
            moment = datetime(day.year, day.month, day.day)  # noqa: DTZ001  (made aware below)
        else:
            moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"⟨{parameter}⟩ {text!r} {_explain_unreadable_time(text)}") from error
    if moment.tzinfo is None:
        moment = _apply_zone(parameter, text, moment, local)
    return _require_half_hour(parameter, text, moment, local)


def _explain_unreadable_time(text: str) -> str:
    """Return why *text* is no time, and what to write instead."""
    dates = []
    if match := _YEAR_FIRST_PATTERN.match(text):
        dates = [(int(match[1]), int(match[3]), int(match[4]))]
    elif match := _YEAR_LAST_PATTERN.match(text):
        year, one, other = int(match[4]), int(match[1]), int(match[3])
        dates = [*dict.fromkeys([(year, other, one), (year, one, other)])]
    for year, month, day in dates[:1]:
        if year and 1 <= month <= 12 and day > (length := monthrange(year, month)[1]) and day < 32:
            return (
                f"cannot be read: {month_name[month]} {year} has {length} days; write "
                f"{year:04}-{month:02}-{length} or a day before it"
            )
    written = [
        f"{year:04}-{month:02}-{day:02}" for year, month, day in dates if _is_date(year, month, day)
    ]
    if written and not text.startswith(written[0]):
        return f"cannot be read: a date is year, month and day; write {' or '.join(written)}"
    return (
        "cannot be read; write 2026-03-02, 2026-03-02T09:30, 2026-03-02T09:30Z, today or yesterday"
    )


def _is_date(year: int, month: int, day: int) -> bool:
    return year > 0 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


def _apply_zone(parameter: str, text: str, naive: datetime, local: tzinfo) -> datetime:
    first, second = (naive.replace(tzinfo=local, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset() or _DATE_PATTERN.fullmatch(text):
        # The day begins at the first of two midnights, or right after a midnight that is skipped.
        return first
    if first.astimezone(UTC).astimezone(local).replace(tzinfo=None) != naive:
        raise ConfigError(
            f"⟨{parameter}⟩ {text} does not exist in {local}, because the clocks go forward then; "
            "write a time after the change"
        )
    raise ConfigError(
        f"⟨{parameter}⟩ {text} comes twice in {local}, because the clocks go back then; "
        f"write {first.isoformat()} or {second.isoformat()}"
    )


def _require_half_hour(parameter: str, text: str, moment: datetime, local: tzinfo) -> datetime:
    wall_time = moment.astimezone(local).replace(tzinfo=UTC)
    if is_interval_edge(wall_time, HALF_HOUR) and is_interval_edge(moment, QUARTER_HOUR):
        return moment.astimezone(UTC)
    before = wall_time - (wall_time - datetime.min.replace(tzinfo=UTC)) % HALF_HOUR
    raise ConfigError(
        f"⟨{parameter}⟩ {text} is not on a half-hour of {local}; "
        f"write {before:%Y-%m-%dT%H:%M} or {before + HALF_HOUR:%Y-%m-%dT%H:%M}"
    )


def _last_half_hour_end(now: datetime, local: tzinfo) -> datetime:
    offset = now.astimezone(local).utcoffset() or timedelta(0)
    wall_time = now.astimezone(timezone(offset))
    since_midnight = timedelta(
        hours=wall_time.hour,
        minutes=wall_time.minute,
        seconds=wall_time.second,
        microseconds=wall_time.microsecond,
    )
    return (wall_time - since_midnight % HALF_HOUR).astimezone(UTC)


def parse_duration(parameter: str, text: str) -> timedelta:
    """Return the duration *text*, such as 15m, 24h, 7d or 2w.

    Raises ConfigError, which names *parameter*.
    """
    if is_negative_duration(text):
        raise ConfigError(describe_negative_duration(f"⟨{parameter}⟩", text))
    duration = _match_duration(text)
    if not duration:
        raise ConfigError(
            f"⟨{parameter}⟩ {text!r} is not a duration; write 15m, 24h, 1d12h, 7d or 2w"
        )
    return duration


def is_negative_duration(text: str) -> bool:
    """Return whether *text* is a duration after a minus sign."""
    return text.startswith("-") and bool(_match_duration(text[1:]))


def describe_negative_duration(label: str, text: str) -> str:
    """Return that *text* of *label*, an `is_negative_duration`, needs no sign."""
    return f"{label} {text!r} is a negative duration; write {text[1:]}"


def format_duration(duration: timedelta) -> str:
    """Return *duration*, whole minutes, as `parse_duration` reads it, such as 90d."""
    for unit in ("d", "h"):
        width = timedelta(**{_DURATION_UNITS[unit]: 1})
        if not duration % width:
            return f"{duration // width}{unit}"
    return f"{duration // timedelta(minutes=1)}m"


def _parse_half_hours(text: str) -> timedelta:
    duration = parse_duration("last", text)
    if duration % HALF_HOUR:
        raise ConfigError(
            f"⟨last⟩ {text!r} is not a multiple of 30 minutes; write 24h, 90m, 1d12h, 7d or 2w"
        )
    return duration


def _match_duration(text: str) -> timedelta:
    """Return the sum of the numbers with units in *text*, zero if it is anything else."""
    if not re.fullmatch(r"(\d{1,6}[mhdw])+", text):
        return timedelta(0)
    parts = re.findall(r"(\d+)([mhdw])", text)
    return sum(
        (timedelta(**{_DURATION_UNITS[unit]: int(number)}) for number, unit in parts), timedelta(0)
    )
