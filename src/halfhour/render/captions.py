"""Captions of a report: its basis, range, zone and sources, for formats with room for them."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

_CAPTION_TITLES = {
    "basis": "Basis",
    "interval": "Range",
    "zone": "Time zone",
    "source": "Source",
    "made_at": "As of",
    "missing": "Not held",
}
EXCEEDING_LABEL = ("longer than the interval", "begun earlier or several at once")
PROVISIONAL_LABEL = ("provisional", "Genesys may still correct it")
"""The names of what marked figures are, each with an explanation."""
ALL_PROVISIONAL_NOTE = "all rows are provisional: Genesys may still correct them"
"""The note in place of marks on all figures."""
_ISO_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def table_captions(table: pa.Table) -> dict[str, str]:
    """Return the captions of *table* by title, with timestamps in its zone.

    An interval reads "20 November 2026 00:00 to 21 November 2026 00:00", end not included.
    """
    metadata = {key.decode(): text.decode() for key, text in (table.schema.metadata or {}).items()}
    zone = ZoneInfo(metadata.get("halfhour.zone", "UTC"))
    return {
        title: _ISO_TIMESTAMP.sub(
            lambda match: _readable_timestamp(match[0], zone), text.replace("Z/", "Z to ")
        )
        for name, title in _CAPTION_TITLES.items()
        if (text := metadata.get(f"halfhour.{name}"))
    }


def _readable_timestamp(iso_text: str, zone: ZoneInfo) -> str:
    timestamp = datetime.fromisoformat(iso_text).astimezone(zone)
    return f"{timestamp.day} {timestamp:%B %Y %H:%M}"
