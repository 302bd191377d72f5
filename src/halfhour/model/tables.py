"""The Arrow schemas of halfhour's tables: columns, units, key and source."""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from halfhour.model.measures import STORED_FIGURES

TIMESTAMP = pa.timestamp("ms", tz="UTC")


@dataclass(frozen=True, slots=True)
class MetricColumn:
    """A column that holds *stat* of a Genesys *metric*: whole milliseconds or a count.

    It is null where the answer left the metric out.
    """

    name: str
    metric: str
    stat: Literal["sum", "count"]


POSTED_METRICS = tuple(
    MetricColumn(figure.sum_column, figure.metric, "count" if figure.stat == "count" else "sum")
    for figure in STORED_FIGURES
)
"""The columns of posted figures, in the order of the catalogue."""

POSTED_SCHEMA = pa.schema(
    [
        pa.field("interval_start", TIMESTAMP, nullable=False),
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("queue_id", pa.string()),
        pa.field("media_type", pa.string()),
        *(pa.field(column.name, pa.int64()) for column in POSTED_METRICS),
    ]
)
"""One row per interval, agent, queue and media type: posted basis, from conversation aggregates.

*queue_id* is null for work without a queue, and joins several with commas
where a session had several.
"""

SEGMENTS_SCHEMA = pa.schema(
    [
        pa.field("window_start", TIMESTAMP, nullable=False),
        pa.field("conversation_id", pa.string(), nullable=False),
        pa.field("session_id", pa.string(), nullable=False),
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("queue_id", pa.string()),
        pa.field("media_type", pa.string()),
        pa.field("acd", pa.bool_(), nullable=False),
        pa.field("voice_of_callback", pa.bool_(), nullable=False),
        pa.field("segment_type", pa.string(), nullable=False),
        pa.field("start_ms", pa.int64(), nullable=False),
        pa.field("end_ms", pa.int64(), nullable=False),
        pa.field("open", pa.bool_(), nullable=False),
    ]
)
"""One row per segment of an agent and window that it has a part in: from conversation details.

Times are milliseconds since 1970, whole: what lies in the window is to be cut
out. An *open* segment ends where the reading of it did. *voice_of_callback* marks the time
that a callback and the call it led to have in common: the work of an agent's outbound call
that began within the callback's session, while the agent works on the callback.
*acd* tells what came from a queue, being consulted on it included, from an agent's own
calls. No report reads it, as aggregates cannot tell that: it is for queries of one's own.
"""

EMITTED_SCHEMA = pa.schema(
    [
        pa.field("emitted_at", TIMESTAMP, nullable=False),
        pa.field("conversation_id", pa.string(), nullable=False),
        pa.field("session_id", pa.string(), nullable=False),
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("queue_id", pa.string()),
        pa.field("media_type", pa.string()),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("value", pa.int64(), nullable=False),
    ]
)
"""One row per value that an agent's session posted: from conversation details.

Only of metrics that `POSTED` has. By *emitted_at* they add up to what
conversation aggregates say.
"""

STATUS_SCHEMA = pa.schema(
    [
        pa.field("interval_start", TIMESTAMP, nullable=False),
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("status_ms", pa.int64(), nullable=False),
    ]
)
"""One row per interval, agent and status: from user aggregates. *kind* is presence or routing."""

STATUS_KINDS = {"tSystemPresence": "presence", "tAgentRoutingStatus": "routing"}

BUSY_SCHEMA = pa.schema(
    [
        pa.field("interval_start", TIMESTAMP, nullable=False),
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("busy_ms", pa.int64(), nullable=False),
        pa.field("open", pa.bool_(), nullable=False),
    ]
)
"""How long an agent worked on anything in an interval: what goes on at once counts once.

*open* tells whether any of it still went on when it was read.
"""

CAPACITY_SCHEMA = pa.schema(
    [
        pa.field("interval_start", TIMESTAMP, nullable=False),
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("used_percent", pa.float64(), nullable=False),
    ]
)
"""How much of an agent's capacity was used, as a preview of Genesys says without saying how."""

CAPACITY_METRIC = "oAgentUtilizationPercentage"

OFFERED_SCHEMA = pa.schema(
    [
        pa.field("interval_start", TIMESTAMP, nullable=False),
        pa.field("queue_id", pa.string(), nullable=False),
        pa.field("media_type", pa.string()),
        pa.field("offered_count", pa.int64(), nullable=False),
    ]
)
"""How many interactions a queue was offered: from conversation aggregates, without agents."""

OFFERED_METRIC = "nOffered"

RECONCILIATION_SCHEMA = pa.schema(
    [
        pa.field("day", pa.string(), nullable=False),
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("agent_name", pa.string(), nullable=False),
        pa.field("posted_ms", pa.int64(), nullable=False),
        pa.field("rebuilt_ms", pa.int64(), nullable=False),
        pa.field("worked_ms", pa.int64(), nullable=False),
        pa.field("differing_interval_count", pa.int64(), nullable=False),
        pa.field("late_data_ms", pa.int64(), nullable=False),
        pa.field("callback_under_voice_ms", pa.int64(), nullable=False),
        pa.field("crosses_midnight_ms", pa.int64(), nullable=False),
        pa.field("still_open_ms", pa.int64(), nullable=False),
        pa.field("unanswered_acw_ms", pa.int64(), nullable=False),
        pa.field("unexplained_ms", pa.int64(), nullable=False),
        pa.field("unexplained_conversations", pa.string(), nullable=False),
    ]
)
"""Handle time of one agent and day (UTC), three ways, and where the differences come from.

``posted_ms`` is what aggregates say, ``rebuilt_ms`` what conversation details have
posted, ``worked_ms`` the segments cut at midnight. ``posted_ms - worked_ms`` is the
sum of the columns from ``late_data_ms`` to ``unexplained_ms``, to the millisecond.
"""

REVISIONS_SCHEMA = pa.schema(
    [
        pa.field("read_at", TIMESTAMP, nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("interval_start", TIMESTAMP, nullable=False),
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("agent_name", pa.string()),
        pa.field("queue_id", pa.string()),
        pa.field("media_type", pa.string()),
        pa.field("column_name", pa.string(), nullable=False),
        pa.field("old_value", pa.int64()),
        pa.field("new_value", pa.int64()),
    ]
)
"""One row per figure that reading its window again has changed, at *read_at*.

By *source* that is a figure of `POSTED` (of details: on the worked basis), or the time in a status.
*old_value* is null where it was absent, *new_value* where it is so now.
"""

NAMES_SCHEMA = pa.schema(
    [pa.field("id", pa.string(), nullable=False), pa.field("name", pa.string(), nullable=False)]
)
"""Agents or queues; key *id*."""

DIRECTORY_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("division", pa.string()),
        pa.field("team", pa.string()),
    ]
)
"""Agents or queues, and where they belong; null where Genesys does not tell, or knows no such id.
"""

AGENT_PLACES_SCHEMA = pa.schema(
    [
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("division", pa.string()),
        pa.field("team", pa.string()),
    ]
)
"""Names of the division and the team of an agent; key *agent_id*."""
