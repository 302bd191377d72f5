"""The changes of stored figures by reading a day again; the SQL is in sql/."""

from dataclasses import replace
from datetime import datetime, timedelta

from halfhour.model.intervals import Interval, from_epoch_ms
from halfhour.model.vocabulary import Source
from halfhour.store.database import (
    Connection,
    load_store_sql,
    segment_parameters,
    segment_rule,
)


def capture_figures(connection: Connection, source: Source, window: Interval) -> Interval | None:
    """Keep the stored figures of *window* for `record_revisions`; return the part that is held."""
    held = connection.execute(
        "select epoch_ms(window_end) from settled where source = ? and window_start = ?",
        [source, window.start],
    ).fetchone()
    if not held:
        return None
    stored = replace(window, end=min(from_epoch_ms(held[0]), window.end))
    _create_figures_table(connection, source, stored, "before")
    return stored


def record_revisions(
    connection: Connection, source: Source, stored: Interval, read_at: datetime
) -> int:
    """Record the figures of *stored* that have changed; return their number."""
    _create_figures_table(connection, source, stored, "after")
    values = {"source": source, "start": stored.start, "read_at": read_at}
    ((changed,),) = connection.execute(load_store_sql("sql/revise"), values).fetchall()
    return int(changed)


def _create_figures_table(
    connection: Connection, source: Source, interval: Interval, name: str
) -> None:
    """Create the table *name* of figures; details have worked time in the store's intervals."""
    text = load_store_sql(f"sql/{source}_figures")
    values: dict[str, object] = {"start": interval.start, "end": interval.end}
    if source is Source.DETAILS:
        ((seconds,),) = connection.execute(
            "select value::int from settings where name = 'granularity'"
        ).fetchall()
        text = text.replace("{worked}", segment_rule("worked"))
        width = timedelta(seconds=seconds)
        values = segment_parameters(interval, width)
    connection.execute(f"create temp table {name} as {text}", values)
