"""The field's words as types."""

import re
import unicodedata
from enum import StrEnum


class By(StrEnum):
    """What one row of a report stands for."""

    INTERVAL = "interval"
    AGENT = "agent"
    QUEUE = "queue"
    MEDIA = "media"
    DAY = "day"
    QUEUE_INTERVAL = "queue-interval"


MEDIA_TYPES = ("voice", "callback", "chat", "email", "message", "cobrowse", "internalmessage",
         "screenmonitoring", "screenshare", "video", "unknown")  # fmt: skip
"""Media types of sessions, as the API's schema lists them; those of agents' work first."""


class Basis(StrEnum):
    """What the figures of a report stand on."""

    POSTED = "posted"
    WORKED = "worked"
    BOTH = "both"


class Source(StrEnum):
    """Where figures come from: conversation aggregates, user aggregates, conversation details."""

    POSTED = "posted"
    STATUS = "status"
    DETAILS = "details"

    @property
    def resource_name(self) -> str:
        """What is read of it."""
        return {
            Source.POSTED: "conversation aggregates",
            Source.STATUS: "user aggregates",
            Source.DETAILS: "conversation details",
        }[self]

    @property
    def required_permission(self) -> str:
        """What the role of the OAuth client must have for it."""
        return {
            Source.POSTED: "analytics:conversationAggregate:view",
            Source.STATUS: "analytics:userAggregate:view",
            Source.DETAILS: "analytics:conversationDetail:view",
        }[self]


class Format(StrEnum):
    """How a report is written down."""

    TABLE = "table"
    HEATMAP = "heatmap"
    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"
    PARQUET = "parquet"
    XLSX = "xlsx"
    HTML = "html"
    SVG = "svg"
    PNG = "png"
    WFM = "wfm"
    # What else they are called.
    EXCEL = "xlsx"
    TEXT = "table"
    JSONL = "ndjson"


class LogFormat(StrEnum):
    """How talk is written down."""

    TEXT = "text"
    JSON = "json"


def name_sort_key(name: str) -> str:
    """What to sort a *name* by as people do, and as `collate nocase.noaccent` does in SQL."""
    parts = unicodedata.normalize("NFD", name)
    return "".join(each for each in parts if unicodedata.category(each) != "Mn").lower()


def is_uuid(text: str) -> bool:
    """Whether *text* is an id, which Genesys Cloud writes as a UUID, and not a name."""
    return re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is not None
