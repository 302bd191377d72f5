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

*queue_id* is null for work without a queue, and joins the ids with commas if a session had several
queues.
"""

CONVERSATIONS_SCHEMA = pa.schema(
    [
        pa.field("record", pa.int64(), nullable=False),
        pa.field("conversation_id", pa.string()),
        pa.field("started_ms", pa.int64()),
        pa.field("ended_ms", pa.int64()),
        pa.field("as_of_ms", pa.int64(), nullable=False),
        pa.field("is_readable", pa.bool_(), nullable=False),
        pa.field("reason", pa.string()),
    ]
)
"""One row per record of conversation details, as Genesys gave it: key *record*, in reading order.

Times are milliseconds since 1970; *as_of_ms* is the time at which the record was right. A record
that cannot be read has a *reason*, the first and the last time in it, and no id if that cannot be
read either. Of several records of a conversation, the last counts.
"""

SESSIONS_SCHEMA = pa.schema(
    [
        pa.field("session_key", pa.int64(), nullable=False),
        pa.field("record", pa.int64(), nullable=False),
        pa.field("session_id", pa.string(), nullable=False),
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("acd", pa.bool_(), nullable=False),
        pa.field("media_type", pa.string()),
        pa.field("direction", pa.string()),
    ]
)
"""One row per session of a participant with a user id; key *session_key*, in reading order.

A session without an id has its path in the record. *acd* is true if the purpose is agent.
"""

RAW_SEGMENTS_SCHEMA = pa.schema(
    [
        pa.field("session_key", pa.int64(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("segment_type", pa.string(), nullable=False),
        pa.field("queue_id", pa.string()),
        pa.field("start_ms", pa.int64()),
        pa.field("end_ms", pa.int64()),
    ]
)
"""One row per segment of a session, as Genesys gave it; *position* counts from 0."""

SESSION_METRICS_SCHEMA = pa.schema(
    [
        pa.field("session_key", pa.int64(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("metric", pa.string()),
        pa.field("value", pa.int64()),
        pa.field("emit_ms", pa.int64()),
    ]
)
"""One row per value of a session, as Genesys gave it: milliseconds or a count.

*value* is null if it is no whole number below 2 to the power of 53.
"""

RAW_SCHEMAS = {
    "conversations": CONVERSATIONS_SCHEMA,
    "sessions": SESSIONS_SCHEMA,
    "raw_segments": RAW_SEGMENTS_SCHEMA,
    "session_metrics": SESSION_METRICS_SCHEMA,
}
"""The tables of conversation details as Genesys gave them, by name."""

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

Times are milliseconds since 1970, of the whole segment: readers cut it at the window's edges. An
*open* segment ends at the moment it was read. *voice_of_callback* marks the time that a callback
and the call it led to have in common: the work of an agent's outbound call that began within the
callback's session, while the agent works on the callback.
*acd* is true for work from a queue, consultations included, and false for an agent's own calls. No
report uses it, as aggregates do not know it; users' own queries can.
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

Only metrics of `POSTED_METRICS` count. By *emitted_at* the values add up to conversation
aggregates.
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

BUSY_SCHEMA = pa.schema(
    [
        pa.field("interval_start", TIMESTAMP, nullable=False),
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("busy_ms", pa.int64(), nullable=False),
        pa.field("open", pa.bool_(), nullable=False),
    ]
)
"""The time that an agent worked on anything in an interval: simultaneous work counts once.

*open* is true if any of the work went on when it was read.
"""

CAPACITY_SCHEMA = pa.schema(
    [
        pa.field("interval_start", TIMESTAMP, nullable=False),
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("used_percent", pa.float64(), nullable=False),
    ]
)
"""The used part of an agent's capacity, from a preview metric that Genesys does not explain."""

OFFERED_SCHEMA = pa.schema(
    [
        pa.field("interval_start", TIMESTAMP, nullable=False),
        pa.field("queue_id", pa.string(), nullable=False),
        pa.field("media_type", pa.string()),
        pa.field("offered_count", pa.int64(), nullable=False),
    ]
)
"""The number of interactions that a queue was offered: from aggregates without agents."""

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
        pa.field("overlapping_segments_ms", pa.int64(), nullable=False),
        pa.field("crosses_midnight_ms", pa.int64(), nullable=False),
        pa.field("still_open_ms", pa.int64(), nullable=False),
        pa.field("unanswered_acw_ms", pa.int64(), nullable=False),
        pa.field("contacting_only_ms", pa.int64(), nullable=False),
        pa.field("unexplained_ms", pa.int64(), nullable=False),
        pa.field("unexplained_conversations", pa.string(), nullable=False),
    ]
)
"""Handle time of one agent and day (UTC), three ways, and the causes of the differences.

``posted_ms`` comes from aggregates, ``rebuilt_ms`` from the values in conversation details,
``worked_ms`` from segments cut at midnight. ``posted_ms - worked_ms`` is the
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

The figure is a column of `POSTED_SCHEMA` (on the worked basis if *source* is details) or the time
in a status. *old_value* is null if the figure was absent before, *new_value* if it is absent now.
"""

NAMES_SCHEMA = pa.schema(
    [pa.field("id", pa.string(), nullable=False), pa.field("name", pa.string(), nullable=False)]
)
"""Agents or queues; key *id*."""

AGENT_NAMES_SCHEMA = NAMES_SCHEMA.append(pa.field("state", pa.string()))
"""Agents; key *id*. *state* is active, inactive or deleted; null if unknown."""

DIRECTORY_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("division", pa.string()),
        pa.field("team", pa.string()),
        pa.field("state", pa.string()),
    ]
)
"""Agents or queues, their division, team and state; null if Genesys does not tell or lacks the id.

The state of an agent is active, inactive or deleted; queues have none.
"""

AGENT_PLACES_SCHEMA = pa.schema(
    [
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("division", pa.string()),
        pa.field("team", pa.string()),
    ]
)
"""The names of an agent's division and team; key *agent_id*."""

SPOOL_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")
"""The options of an Arrow file whose rows another step reads soon."""
