"""The tables of a warehouse: their columns, types, meanings and the place of a row in a window."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from halfhour.loading.planning import DIRECTORIES, PartKey
from halfhour.model.coverage import DAY
from halfhour.model.data_dictionary import COLUMN_MEANINGS, column_unit
from halfhour.model.measures import CATALOGUE, STORED_FIGURES
from halfhour.model.tables import (
    BUSY_SCHEMA,
    EMITTED_SCHEMA,
    POSTED_SCHEMA,
    REVISIONS_SCHEMA,
    SEGMENTS_SCHEMA,
    STATUS_SCHEMA,
    TIMESTAMP,
)
from halfhour.model.vocabulary import Source

ORGANIZATION = pa.field("organization_id", pa.string(), nullable=False)
"""The first column of every table: the organisation whose store the row comes from."""

WORKED_SCHEMA = pa.schema(
    [
        *(POSTED_SCHEMA.field(index) for index in range(4)),
        *(
            pa.field(figure.sum_column, pa.int64())
            for figure in STORED_FIGURES
            if figure.segment_types and figure.stat == "sum"
        ),
    ]
)
"""One row per interval, agent, queue and media type: worked basis, cut at the interval's edges."""

SESSION_METRICS_SCHEMA = pa.schema(
    [
        pa.field("window_start", TIMESTAMP, nullable=False),
        pa.field("conversation_id", pa.string()),
        pa.field("session_id", pa.string(), nullable=False),
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("media_type", pa.string()),
        pa.field("direction", pa.string()),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("metric", pa.string()),
        pa.field("value", pa.int64()),
        pa.field("emitted_at", TIMESTAMP),
    ]
)
"""One row per value of a session, as Genesys gave it; *position* counts from 0 in the session."""

AGENTS_SCHEMA = pa.schema(
    [
        pa.field("agent_id", pa.string(), nullable=False),
        pa.field("agent_name", pa.string()),
        pa.field("division", pa.string()),
        pa.field("team", pa.string()),
        pa.field("state", pa.string()),
    ]
)
"""Agents; key *agent_id*, with nulls for what Genesys does not tell."""

QUEUES_SCHEMA = pa.schema(
    [
        pa.field("queue_id", pa.string(), nullable=False),
        pa.field("queue_name", pa.string()),
        pa.field("division", pa.string()),
    ]
)
"""Queues; key *queue_id*, with nulls for what Genesys does not tell."""

LEDGER_SCHEMA = pa.schema(
    [
        pa.field("organization_name", pa.string()),
        pa.field("source", pa.string(), nullable=False),
        pa.field("window_start", TIMESTAMP),
        pa.field("window_end", TIMESTAMP),
        pa.field("read_at", TIMESTAMP, nullable=False),
        pa.field("has_raw", pa.bool_(), nullable=False),
        pa.field("rules", pa.string(), nullable=False),
        pa.field("row_count", pa.int64(), nullable=False),
        pa.field("loaded_at", TIMESTAMP, nullable=False),
    ]
)
"""One row per loaded window of a source; a directory has a row without a window."""


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A table of the warehouse, with the *schema* of its columns after the organisation's id.

    *placed_by* is the column that places a row in a window; empty for a directory. A table of
    several sources *has_sources*.
    """

    name: str
    meaning: str
    schema: pa.Schema
    placed_by: str = ""
    has_sources: bool = False

    @property
    def full_schema(self) -> pa.Schema:
        """The columns of the table in order, the organisation's id first."""
        return pa.schema([ORGANIZATION, *self.schema])

    @property
    def column_meanings(self) -> dict[str, str]:
        """The meaning of each column in plain words, with its unit where it has one."""
        return {name: describe_column(self.name, name) for name in self.full_schema.names}

    def build_rows(self, rows: pa.Table, organization_id: str) -> pa.Table:
        """Return *rows*, which have the columns by name, as rows of the organisation."""
        ids = pa.array([organization_id]).take(pa.array([0] * rows.num_rows, pa.int32()))
        rows = rows.select(self.schema.names).cast(self.schema)
        return pa.Table.from_arrays([ids, *rows.columns], schema=self.full_schema)


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of a table that belong to one part of an organisation.

    *equal* has the values of columns. *start* and *end* bound the column *placed_by*, the end
    not included; without it there are no bounds.
    """

    equal: Mapping[str, str]
    placed_by: str = ""
    start: datetime | None = None
    end: datetime | None = None


WINDOW_TABLES = (
    LoadedTable(
        "posted",
        "Posted figures by interval, agent, queue and media type, as conversation aggregates have "
        "them: whole, where they were completed",
        POSTED_SCHEMA,
        "interval_start",
    ),
    LoadedTable(
        "status",
        "Time in each presence and routing status, by interval and agent",
        STATUS_SCHEMA,
        "interval_start",
    ),
    LoadedTable(
        "segments",
        "Segments of agents in conversation details, once per day that they have a part in",
        SEGMENTS_SCHEMA,
        "window_start",
    ),
    LoadedTable(
        "session_metrics",
        "Values of the sessions of agents, as conversation details have them, as long as the store "
        "keeps what Genesys said",
        SESSION_METRICS_SCHEMA,
        "window_start",
    ),
    LoadedTable(
        "emitted",
        "Values of sessions that add up to posted figures, by the moment they were posted",
        EMITTED_SCHEMA,
        "emitted_at",
    ),
    LoadedTable(
        "worked",
        "Worked time by interval, agent, queue and media type: segments cut at the edges of "
        "intervals",
        WORKED_SCHEMA,
        "interval_start",
    ),
    LoadedTable(
        "busy",
        "Time at work by interval and agent: what goes on at the same time counts once",
        BUSY_SCHEMA,
        "interval_start",
    ),
    LoadedTable(
        "revisions",
        "Figures that reading a day again has changed",
        pa.schema([field for field in REVISIONS_SCHEMA if field.name != "agent_name"]),
        "interval_start",
        has_sources=True,
    ),
)
"""The tables of windows."""

DIRECTORY_TABLES = (
    LoadedTable("agents", "Agents that the figures are of", AGENTS_SCHEMA),
    LoadedTable("queues", "Queues that the figures are of", QUEUES_SCHEMA),
)
"""The tables of directories, each named as its part."""

LEDGER = LoadedTable(
    "ledger",
    "Windows that are loaded, each written with its rows in one transaction",
    LEDGER_SCHEMA,
)

ALL_TABLES = (*WINDOW_TABLES, *DIRECTORY_TABLES, LEDGER)
"""Every table of the warehouse, the ledger last."""

TABLES_BY_PART: Mapping[str, tuple[LoadedTable, ...]] = {
    source: tuple(table for table in ALL_TABLES if table.name in names.split())
    for source, names in {
        Source.POSTED: "posted revisions",
        Source.STATUS: "status revisions",
        Source.DETAILS: "segments session_metrics emitted worked busy revisions",
        **{directory: directory for directory in DIRECTORIES},
    }.items()
}
"""The tables that hold rows of a window of a source, or of a directory."""

_MEANINGS = {
    **{figure.sum_column: figure.meaning for figure in CATALOGUE},
    **COLUMN_MEANINGS,
    "organization_id": "the id of the organisation in Genesys Cloud",
    "organization_name": "the organisation's name",
    "agent_name": "the agent's name; empty where Genesys has no such agent",
    "queue_name": "the queue's name; empty where Genesys has no such queue",
    "division": "the name of the division; empty where Genesys does not tell",
    "team": "the name of the agent's team; empty where there is none",
    "state": "active, inactive or deleted; empty where Genesys does not tell",
    "kind": "presence or routing",
    "status": "the presence or the routing status, as Genesys calls it",
    "status_ms": "the time in that status",
    "conversation_id": "the conversation's id in Genesys Cloud",
    "session_id": "the session's id in Genesys Cloud, or its place where it has none",
    "direction": "inbound or outbound",
    "acd": "whether the work came from a queue, consultations included",
    "voice_of_callback": "whether it is the time that a callback and the call it led to have in "
    "common",
    "segment_type": "the type of the segment: contacting, dialing, interact, hold, wrapup, alert",
    "start_ms": "start of the whole segment, in milliseconds since 1970 (UTC)",
    "end_ms": "end of the whole segment, in milliseconds since 1970 (UTC)",
    "open": "whether it went on when it was read",
    "position": "the place of the value in its session, from 0",
    "metric": "the metric, as Genesys calls it",
    "value": "milliseconds, or a count if the metric's name begins with n",
    "emitted_at": "the moment at which the value was posted",
    "window_start": "start of the day, which belongs to it",
    "window_end": "up to when the day was read, not included",
    "has_raw": "whether the store holds what Genesys said of it in details",
    "rules": "the rules by which it was derived; it is loaded again when they change",
    "row_count": "rows of it in all tables",
    "loaded_at": "when it was loaded",
    "source": "what was read: posted, status or details; in the ledger also agents or queues",
    "busy_ms": "time at work: what goes on at the same time counts once",
}


def describe_column(table: str, column: str) -> str:
    """Return the meaning of a *column* of a *table*, and the unit of a length of time."""
    if column == "queue_id" and table in ("posted", "emitted", "revisions"):
        return f"{_MEANINGS[column]}; ids with commas where one session had several queues"
    is_length = column.endswith("_ms") and column not in ("start_ms", "end_ms")
    return f"{_MEANINGS[column]} ({column_unit(column)})" if is_length else _MEANINGS[column]


def slice_of_part(table: LoadedTable, organization_id: str, key: PartKey) -> Slice:
    """Return the rows of *table* that the part with *key* consists of."""
    equal = {"organization_id": organization_id}
    if table.has_sources:
        equal["source"] = key.source
    if key.window_start is None:
        return Slice(equal)
    return Slice(equal, table.placed_by, key.window_start, key.window_start + DAY)


def slice_of_ledger(organization_id: str, key: PartKey) -> Slice:
    """Return the row of the ledger that the part with *key* has."""
    equal = {"organization_id": organization_id, "source": key.source}
    if key.window_start is None:
        return Slice(equal)
    return Slice(equal, "window_start", key.window_start, key.window_start + DAY)


def slice_of_organization(organization_id: str) -> Slice:
    """Return all rows of the organisation in a table."""
    return Slice({"organization_id": organization_id})


def to_microseconds(schema: pa.Schema) -> pa.Schema:
    """Return *schema* with times as formats have them that know no milliseconds."""
    micro = pa.timestamp("us", tz="UTC")
    return pa.schema(
        [field.with_type(micro) if field.type == TIMESTAMP else field for field in schema]
    )


def without_nul(rows: pa.Table) -> pa.Table:
    """Return *rows* with another character in place of U+0000, which PostgreSQL cannot hold."""
    for index, field in enumerate(rows.schema):
        if pa.types.is_string(field.type):
            column = rows.column(index)
            if pc.any(pc.match_substring(column, "\0")).as_py():
                cleaned = pc.replace_substring(column, "\0", "\N{REPLACEMENT CHARACTER}")
                rows = rows.set_column(index, field, cleaned)
    return rows
