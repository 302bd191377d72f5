"""On what a report stands, in words: for every format that has room to say it."""

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
_ISO_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def table_captions(table: pa.Table) -> dict[str, str]:
    """What is known of *table*, by what to call it; moments in its zone, and an interval as
    "20 November 2026 00:00 to 21 November 2026 00:00", whose end does not belong to it.
    """
    known = {key.decode(): fact.decode() for key, fact in (table.schema.metadata or {}).items()}
    zone = ZoneInfo(known.get("halfhour.zone", "UTC"))
    return {
        called: _ISO_TIMESTAMP.sub(
            lambda at: _readable_timestamp(at[0], zone), fact.replace("Z/", "Z to ")
        )
        for name, called in _CAPTION_TITLES.items()
        if (fact := known.get(f"halfhour.{name}"))
    }


def _readable_timestamp(iso: str, zone: ZoneInfo) -> str:
    moment = datetime.fromisoformat(iso).astimezone(zone)
    return f"{moment.day} {moment:%B %Y %H:%M}"
