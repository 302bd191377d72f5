"""What reading a day again changes of the figures that are held; the SQL is in sql/."""

from dataclasses import replace
from datetime import datetime, timedelta

from halfhour.model.intervals import Interval, from_epoch_ms
from halfhour.model.rules import rule_text
from halfhour.model.vocabulary import Source
from halfhour.store.database import Connection, load_store_sql, slice_parameters


def capture_figures(connection: Connection, source: Source, window: Interval) -> Interval | None:
    """Keep the figures of *window* as they are now, for `revise`; as much of it as is held."""
    held = connection.execute(
        "select epoch_ms(window_end) from settled where source = ? and window_start = ?",
        [source, window.start],
    ).fetchone()
    if not held:
        return None
    known = replace(window, end=min(from_epoch_ms(held[0]), window.end))
    _create_figures_table(connection, source, known, "before")
    return known


def record_revisions(
    connection: Connection, source: Source, known: Interval, read_at: datetime
) -> int:
    """Note the figures of *known* that are not as they were; how many they are."""
    _create_figures_table(connection, source, known, "after")
    values = {"source": source, "start": known.start, "read_at": read_at}
    ((changed,),) = connection.execute(load_store_sql("sql/revise"), values).fetchall()
    return int(changed)


def _create_figures_table(
    connection: Connection, source: Source, interval: Interval, name: str
) -> None:
    """Those of details are worked time, in intervals of the store's granularity."""
    text = load_store_sql(f"sql/{source}_figures")
    values: dict[str, object] = {"start": interval.start, "end": interval.end}
    if source is Source.DETAILS:
        ((seconds,),) = connection.execute(
            "select value::int from settings where name = 'granularity'"
        ).fetchall()
        text = text.replace("{worked}", rule_text("worked"))
        width = timedelta(seconds=seconds)
        values = {**slice_parameters(interval, width), "agents": None, "voice_of_callback": False}
    connection.execute(f"create temp table {name} as {text}", values)
