"""The field's words as types."""

import re
from enum import StrEnum


class By(StrEnum):
    """The unit that one row of a report stands for."""

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
    """The basis on which the figures of a report count time."""

    POSTED = "posted"
    WORKED = "worked"
    BOTH = "both"


class Source(StrEnum):
    """The source of figures: conversation aggregates, user aggregates or conversation details."""

    POSTED = "posted"
    STATUS = "status"
    DETAILS = "details"

    @property
    def resource_name(self) -> str:
        """The name of the API's resource."""
        return {
            Source.POSTED: "conversation aggregates",
            Source.STATUS: "user aggregates",
            Source.DETAILS: "conversation details",
        }[self]

    @property
    def required_permission(self) -> str:
        """The permission that the role of the OAuth client needs."""
        return {
            Source.POSTED: "analytics:conversationAggregate:view",
            Source.STATUS: "analytics:userAggregate:view",
            Source.DETAILS: "analytics:conversationDetail:view",
        }[self]


WORDS_BY_GENESYS_NAME = {
    "userid": By.AGENT,
    "agentid": By.AGENT,
    "queueid": By.QUEUE,
    "mediatype": By.MEDIA,
    "pt15m": "15m",
    "pt30m": "30m",
    "thandle": "handle_time",
    "tacw": "acw_time",
    "thold": "hold_time",
    "theld": "hold_time",
    "theldcomplete": "hold_time",
    "ttalk": "talk_time",
    "ttalkcomplete": "talk_time",
    "talert": "alert_time",
    "tanswered": "answered_count",
    "ntransferred": "transferred_count",
}
"""Our words for the values that scripts for Genesys' API write, in lower case."""


class Format(StrEnum):
    """The output format of a report."""

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
    """The format of log messages."""

    TEXT = "text"
    JSON = "json"


def is_uuid(text: str) -> bool:
    """Tell whether *text* is an id, which Genesys Cloud writes as a UUID, and not a name."""
    return re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is not None
