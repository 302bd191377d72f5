"""The right answers as tables: segments, statuses, posted values, worked and busy time.

They are made from the same conversations and statuses as the API's answers, in
the plainest way. They ignore the clock, and show what is known in the end, when
nothing is late any more and every correction is made.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from genesys_emulator.simulation.conversations import Conversation, Participant, Segment, Session
from genesys_emulator.simulation.detail_records import participant_id, session_id
from genesys_emulator.simulation.metric_events import conversation_events
from genesys_emulator.simulation.restatements import ENDLESS, Snapshot, SnapshotAt
from genesys_emulator.simulation.source import SimulatedCentre
from genesys_emulator.simulation.status import statuses_between
from genesys_emulator.wire.timestamps import bucket_starts, parse_granularity, parse_timestamp

WORK = ("contacting", "dialing", "interact", "hold", "wrapup")
"""The types of segments that are handle time."""

MOMENT = pa.timestamp("ms", "UTC")
SEGMENTS = pa.schema(
    {
        "conversation_id": pa.string(),
        "session_id": pa.string(),
        "agent_id": pa.string(),
        "purpose": pa.string(),
        "queue_id": pa.string(),
        "media_type": pa.string(),
        "direction": pa.string(),
        "segment_type": pa.string(),
        "start": MOMENT,
        "end": MOMENT,
    }
)
STATUSES = pa.schema(
    {
        "agent_id": pa.string(),
        "kind": pa.string(),
        "status": pa.string(),
        "start": MOMENT,
        "end": MOMENT,
    }
)
KEY = {
    "interval_start": MOMENT,
    "agent_id": pa.string(),
    "queue_id": pa.string(),
    "media_type": pa.string(),
}
POSTED = pa.schema({**KEY, "metric": pa.string(), "count": pa.int64(), "sum": pa.int64()})
WORKED = pa.schema({**KEY, "segment_type": pa.string(), "ms": pa.int64()})
BUSY = pa.schema({"interval_start": MOMENT, "agent_id": pa.string(), "ms": pa.int64()})


class Window(NamedTuple):
    """Intervals that begin at *starts*, up to *end*, in ms; *snapshot* is the final one."""

    starts: Sequence[int]
    end: int
    snapshot: Snapshot

    @property
    def start(self) -> int:
        return self.starts[0]

    def interval_start(self, at: int) -> int:
        """Return the start of the interval that *at* lies in."""
        return self.starts[bisect_right(self.starts, at) - 1]

    def split_by_interval(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the start of each interval and how many ms of [start, end) lie in it."""
        at = max(start, self.start)
        while at < min(end, self.end):
            next_number = bisect_right(self.starts, at)
            edge = self.starts[next_number] if next_number < len(self.starts) else self.end
            yield self.interval_start(at), min(end, edge) - at
            at = edge


def segment_table(centre: SimulatedCentre, window: Window) -> pa.Table:
    """Return the agents' segments with any part in the window, whole."""
    return _make_table(
        SEGMENTS,
        (
            (
                *ids,
                participant.user_id,
                participant.purpose,
                segment.queue_id or None,
                session.media,
                session.direction,
                segment.kind,
                segment.start,
                segment.end,
            )
            for ids, participant, session, segment in _agent_segments(centre, window)
        ),
    )


def status_table(centre: SimulatedCentre, window: Window) -> pa.Table:
    """Return the statuses with any part in the window, whole; the last known has no ``end``."""
    return _make_table(
        STATUSES,
        (
            (agent.id, kind, status.word, status.start, status.end)
            for agent in centre.organization.agents
            for shown in [centre.status_changes(agent, window.start, window.end)]
            for kind, changes in (("presence", shown.presences), ("routing", shown.routings))
            for status in statuses_between(changes, window.start, window.end, ENDLESS)
        ),
    )


def posted_table(centre: SimulatedCentre, window: Window) -> pa.Table:
    """Return the values that agents' sessions post in each interval: count, and sum in ms.

    Counters have no sum. Several queues of one session are joined, as by
    ``flattenMultivaluedDimensions``.
    """
    counts: Counter[tuple[Any, ...]] = Counter()
    sums: Counter[tuple[Any, ...]] = Counter()
    for conversation in _final_conversations(centre, window):
        for origin, values in conversation_events(conversation):
            for metric, at, value in values:
                if origin.user_id and window.start <= at < window.end:
                    queues, media = ",".join(origin.queue_id) or None, origin.media_type[0]
                    key = (window.interval_start(at), *origin.user_id, queues, media, metric)
                    counts[key] += 1
                    sums[key] += value
    return _make_table(
        POSTED,
        ((*key, n, sums[key] if key[-1].startswith("t") else None) for key, n in counts.items()),
    )


def worked_table(centre: SimulatedCentre, window: Window) -> pa.Table:
    """Return how many ms of agents' segments lie in each interval."""
    lasted: Counter[tuple[Any, ...]] = Counter()
    for _, participant, session, segment in _agent_segments(centre, window):
        key = (participant.user_id, segment.queue_id or None, session.media, segment.kind)
        for at, ms in window.split_by_interval(segment.start, segment.end):
            lasted[at, *key] += ms
    return _make_table(WORKED, ((*key, ms) for key, ms in lasted.items()))


def busy_table(centre: SimulatedCentre, window: Window) -> pa.Table:
    """Return how many ms of each interval an agent worked on anything, each ms once."""
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for _, participant, _, segment in _agent_segments(centre, window):
        if segment.kind in WORK:
            spans[participant.user_id].append((segment.start, segment.end))
    lasted: Counter[tuple[int, str]] = Counter()
    for agent_id, own in spans.items():
        done = 0
        for start, end in sorted(own):
            for at, ms in window.split_by_interval(max(start, done), end):
                lasted[at, agent_id] += ms
            done = max(done, end)
    return _make_table(BUSY, ((*key, ms) for key, ms in lasted.items()))


TABLES: Mapping[str, Callable[[SimulatedCentre, Window], pa.Table]] = {
    "segments": segment_table,
    "statuses": status_table,
    "posted": posted_table,
    "worked": worked_table,
    "busy": busy_table,
}


def _as_parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


def _as_arrow_stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


WRITTEN: Mapping[str, Callable[[pa.Table], bytes]] = {
    "parquet": _as_parquet,
    "arrow": _as_arrow_stream,
}


def parse_window(interval: str, width: str, snapshot_at: SnapshotAt) -> Window:
    """Divide *interval* into intervals of *width*. Raises ValueError."""
    start, _, end = (
        parse_timestamp(text, None) if text != "/" else 0 for text in interval.partition("/")
    )
    if start >= end:
        raise ValueError(interval)
    starts = bucket_starts(start, end, parse_granularity(width), zone=UTC, until=end)
    return Window(starts, end, snapshot_at(ENDLESS))


def _final_conversations(centre: SimulatedCentre, window: Window) -> Iterator[Conversation]:
    for conversation in centre.conversations_between(window.start, window.end):
        if window.snapshot.includes_value(window.start, conversation.chance):
            yield conversation


def _agent_segments(
    centre: SimulatedCentre, window: Window
) -> Iterator[tuple[tuple[str, str], Participant, Session, Segment]]:
    """Yield the ids of conversation and session, the participant, the session, the segment."""
    for conversation in _final_conversations(centre, window):
        for number, participant in enumerate(conversation.participants):
            for at, session in enumerate(participant.sessions if participant.user_id else ()):
                ids = conversation.id, session_id(participant_id(conversation.id, number), at)
                for segment in session.segments:
                    if segment.start < window.end and segment.end > window.start:
                        yield ids, participant, session, segment


def _make_table(schema: pa.Schema, rows: Iterable[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    table = pa.Table.from_arrays(arrays, schema=schema)
    return table.sort_by([(name, "ascending") for name in schema.names])
