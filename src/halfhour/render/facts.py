"""What a report is of, in words, for those who read it: from the metadata of its table."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

_FACTS = {
    "basis": "Basis",
    "interval": "Range",
    "zone": "Time zone",
    "source": "Source",
    "made_at": "As of",
    "missing": "Not held",
}


def facts_of(table: pa.Table) -> list[tuple[str, str]]:
    """Each fact that *table* knows of itself, and what it is called; times are of its zone."""
    known = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    zone = known.get("halfhour.zone", "UTC")
    found = ((name, known.get(f"halfhour.{name}", "")) for name in _FACTS)
    return [(_FACTS[name], _in_words(name, text, zone)) for name, text in found if text]


def _in_words(name: str, text: str, zone: str) -> str:
    match name:
        case "interval":
            return f"{_span(text, zone)}, {zone}"
        case "missing":
            return "; ".join(_span(each, zone) for each in text.split(", "))
        case "made_at":
            return f"{_moment(text, zone)}, {zone}"
        case _:
            return text


def _span(interval: str, zone: str) -> str:
    start, end = interval.split("/")
    return f"{_moment(start, zone)} to {_moment(end, zone)}"


def _moment(text: str, zone: str) -> str:
    moment = datetime.fromisoformat(text).astimezone(ZoneInfo(zone))
    return f"{moment.day} {moment:%B %Y, %H:%M}"
