"""The time of day. Modules that decide are handed it; those that do ask here."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present moment, in UTC."""
    return datetime.now(UTC)
