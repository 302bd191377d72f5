"""What a store's segments come to, cut at the edges of intervals; the rules are in model/sql/."""

from collections.abc import Sequence
from datetime import timedelta

import pyarrow as pa

from halfhour.model.coverage import DAY
from halfhour.model.intervals import MILLISECOND, Interval, epoch_ms, floor_to_width
from halfhour.model.rules import rule_text
from halfhour.model.tables import BUSY_SCHEMA, POSTED_SCHEMA, RECONCILIATION_SCHEMA
from halfhour.store.database import slice_parameters
from halfhour.store.store import Store


def worked_time(
    store: Store, interval: Interval, width: timedelta, agents: Sequence[str] | None = None
) -> pa.Table:
    """`tables.POSTED` of *interval* and these *agents* or all, on the worked basis and in intervals
    of *width*.

    It has no counts: those are of what was completed.
    """
    asked = slice_parameters(interval, width) | {"agents": agents, "voice_of_callback": False}
    return _with_interval_start(store.query_store(rule_text("worked"), **asked))


def callback_voice_time(
    store: Store, interval: Interval, width: timedelta, agents: Sequence[str] | None = None
) -> pa.Table:
    """Return the time that callbacks and the calls they led to have in common: `tables.POSTED`.

    It is posted under both media types, lies where it was worked, and is told as work of the call.
    """
    asked = slice_parameters(interval, width) | {"agents": agents, "voice_of_callback": True}
    return _with_interval_start(store.query_store(rule_text("worked"), **asked))


def busy_time(
    store: Store,
    interval: Interval,
    width: timedelta,
    agents: Sequence[str] | None = None,
    *,
    queues: Sequence[str] | None = None,
    media: Sequence[str] = (),
) -> pa.Table:
    """`tables.BUSY` of *interval*, in intervals of *width*: with work of these *agents*, *queues*
    and *media* types, which are None, None and none for all.
    """
    chosen = {"agents": agents, "queues": queues, "media": list(media) or None}
    return _with_interval_start(
        store.query_store(rule_text("busy"), **slice_parameters(interval, width), **chosen),
        BUSY_SCHEMA,
    )


def posted_from_details(store: Store, interval: Interval, width: timedelta) -> pa.Table:
    """`tables.POSTED` of *interval* as conversation details have it."""
    return _with_interval_start(
        store.query_store(
            rule_text("rebuilt"),
            start=interval.start,
            end=interval.end,
            width=width // MILLISECOND,
        )
    )


def handle_time_comparison(
    store: Store,
    interval: Interval,
    width: timedelta,
    held: Sequence[Interval],
    young: Sequence[Interval],
) -> pa.Table:
    """Handle time three ways by agent and day of *interval*: `tables.RECONCILED`.

    Details are *held* of those days; of the *young* ones more may come.
    """
    return store.query_store(
        rule_text("reconciled"),
        first=floor_to_width(interval.start, DAY),
        last=interval.end,
        width=width // MILLISECOND,
        held=[_day_number(each) for each in held],
        young=[_day_number(each) for each in young],
    ).cast(RECONCILIATION_SCHEMA)


def _day_number(day: Interval) -> int:
    return epoch_ms(day.start) // (DAY // MILLISECOND)


def _with_interval_start(table: pa.Table, schema: pa.Schema = POSTED_SCHEMA) -> pa.Table:
    """Whole milliseconds as moments, which SQL that is to be portable has no one word for."""
    starts = table["interval_ms"].cast(POSTED_SCHEMA[0].type)
    return table.set_column(0, POSTED_SCHEMA.field("interval_start"), starts).cast(schema)
