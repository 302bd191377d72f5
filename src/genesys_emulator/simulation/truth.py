"""The right answers, as tables: what happened, what is posted of it, and when it was worked.

They are made from the same conversations and statuses as the API's answers, by
the plainest way there is. They do not look at the clock, and tell what is known
in the end: when nothing is late any more, and all is put right.
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
from genesys_emulator.simulation.metric_events import postings
from genesys_emulator.simulation.restatements import ENDLESS, AsOf, Told
from genesys_emulator.simulation.source import Simulated
from genesys_emulator.simulation.status import statuses
from genesys_emulator.wire.timestamps import bucket_starts, parse_granularity, parse_timestamp

WORK = ("contacting", "dialing", "interact", "hold", "wrapup")
"""The segments that are handle time."""

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
    """The intervals that begin at *starts*, up to *end*, in ms; and what is *known* in the end."""

    starts: Sequence[int]
    end: int
    known: AsOf

    @property
    def start(self) -> int:
        return self.starts[0]

    def of(self, at: int) -> int:
        """The start of the interval that *at* lies in."""
        return self.starts[bisect_right(self.starts, at) - 1]

    def cut(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """By start of interval: how many ms of [start, end) lie in it."""
        at = max(start, self.start)
        while at < min(end, self.end):
            following = bisect_right(self.starts, at)
            edge = self.starts[following] if following < len(self.starts) else self.end
            yield self.of(at), min(end, edge) - at
            at = edge


def segments(centre: Simulated, window: Window) -> pa.Table:
    """Those of agents with any part in the window, whole."""
    return _table(
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
            for ids, participant, session, segment in _segments(centre, window)
        ),
    )


def status(centre: Simulated, window: Window) -> pa.Table:
    """Those with any part in the window, whole; ``end`` is null after the last that is known."""
    return _table(
        STATUSES,
        (
            (agent.id, kind, each.word, each.start, each.end)
            for agent in centre.organization.agents
            for shown in [centre.shown(agent, window.start, window.end)]
            for kind, changes in (("presence", shown.presences), ("routing", shown.routings))
            for each in statuses(changes, window.start, window.end, ENDLESS)
        ),
    )


def posted(centre: Simulated, window: Window) -> pa.Table:
    """What agents' sessions post in each interval: how often, and how many ms if it is a time.

    Queues that one session had are joined, as by ``flattenMultivaluedDimensions``.
    """
    counts: Counter[tuple[Any, ...]] = Counter()
    sums: Counter[tuple[Any, ...]] = Counter()
    for conversation in _conversations(centre, window):
        for origin, values in postings(conversation):
            for metric, at, value in values:
                if origin.user_id and window.start <= at < window.end:
                    queues, media = ",".join(origin.queue_id) or None, origin.media_type[0]
                    key = (window.of(at), *origin.user_id, queues, media, metric)
                    counts[key] += 1
                    sums[key] += value
    return _table(
        POSTED,
        ((*key, n, sums[key] if key[-1].startswith("t") else None) for key, n in counts.items()),
    )


def worked(centre: Simulated, window: Window) -> pa.Table:
    """How many ms of agents' segments lie in each interval."""
    lasted: Counter[tuple[Any, ...]] = Counter()
    for _, participant, session, segment in _segments(centre, window):
        key = (participant.user_id, segment.queue_id or None, session.media, segment.kind)
        for at, ms in window.cut(segment.start, segment.end):
            lasted[at, *key] += ms
    return _table(WORKED, ((*key, ms) for key, ms in lasted.items()))


def busy(centre: Simulated, window: Window) -> pa.Table:
    """How many ms of each interval an agent worked on anything: never more than it has."""
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for _, participant, _, segment in _segments(centre, window):
        if segment.kind in WORK:
            spans[participant.user_id].append((segment.start, segment.end))
    lasted: Counter[tuple[int, str]] = Counter()
    for agent_id, own in spans.items():
        done = 0
        for start, end in sorted(own):
            for at, ms in window.cut(max(start, done), end):
                lasted[at, agent_id] += ms
            done = max(done, end)
    return _table(BUSY, ((*key, ms) for key, ms in lasted.items()))


TABLES: Mapping[str, Callable[[Simulated, Window], pa.Table]] = {
    "segments": segments,
    "statuses": status,
    "posted": posted,
    "worked": worked,
    "busy": busy,
}


def _as_parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


def _as_stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


WRITTEN: Mapping[str, Callable[[pa.Table], bytes]] = {
    "parquet": _as_parquet,
    "arrow": _as_stream,
}


def window(interval: str, width: str, told: Told) -> Window:
    """The intervals of *interval*, each as wide as *width* says. Raises ValueError."""
    start, _, end = (
        parse_timestamp(text, None) if text != "/" else 0 for text in interval.partition("/")
    )
    if start >= end:
        raise ValueError(interval)
    starts = bucket_starts(start, end, parse_granularity(width), zone=UTC, until=end)
    return Window(starts, end, told(ENDLESS))


def _conversations(centre: Simulated, window: Window) -> Iterator[Conversation]:
    for each in centre.conversations(window.start, window.end):
        if window.known.knows(window.start, each.chance):
            yield each


def _segments(
    centre: Simulated, window: Window
) -> Iterator[tuple[tuple[str, str], Participant, Session, Segment]]:
    """With the ids of conversation and session."""
    for conversation in _conversations(centre, window):
        for number, participant in enumerate(conversation.participants):
            for at, session in enumerate(participant.sessions if participant.user_id else ()):
                ids = conversation.id, session_id(participant_id(conversation.id, number), at)
                for segment in session.segments:
                    if segment.start < window.end and segment.end > window.start:
                        yield ids, participant, session, segment


def _table(schema: pa.Schema, rows: Iterable[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(of, each.type) for of, each in zip(columns, schema, strict=True)]
    table = pa.Table.from_arrays(arrays, schema=schema)
    return table.sort_by([(name, "ascending") for name in schema.names])
