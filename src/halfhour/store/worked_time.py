"""Worked time from the segments of a store, cut at the edges of intervals; the rules are SQL."""

from collections.abc import Sequence
from datetime import timedelta

import pyarrow as pa

from halfhour.model.coverage import DAY
from halfhour.model.intervals import MILLISECOND, Interval, epoch_ms, floor_to_width
from halfhour.model.rules import rule_text
from halfhour.model.tables import BUSY_SCHEMA, POSTED_SCHEMA, RECONCILIATION_SCHEMA
from halfhour.store.database import segment_parameters, segment_rule
from halfhour.store.store import Store


def worked_time(
    store: Store, interval: Interval, width: timedelta, agents: Sequence[str] | None = None
) -> pa.Table:
    """Return worked time in *interval* as `tables.POSTED_SCHEMA`, in intervals of *width*.

    *agents* are ids, None for all agents. Counts are null: they count completed interactions.
    """
    values = segment_parameters(interval, width, agents=agents)
    return _with_interval_start(store._query(segment_rule("worked"), **values))


def callback_voice_time(
    store: Store, interval: Interval, width: timedelta, agents: Sequence[str] | None = None
) -> pa.Table:
    """Return the common time of callbacks and the calls they led to: `tables.POSTED_SCHEMA`.

    Genesys posts this time under both media types. Here it lies where it was worked, as work of
    the call.
    """
    values = segment_parameters(interval, width, agents=agents, voice_of_callback=True)
    return _with_interval_start(store._query(segment_rule("worked"), **values))


def busy_time(
    store: Store,
    interval: Interval,
    width: timedelta,
    agents: Sequence[str] | None = None,
    *,
    queues: Sequence[str] | None = None,
    media: Sequence[str] = (),
) -> pa.Table:
    """Return busy time in *interval* as `tables.BUSY_SCHEMA`, in intervals of *width*.

    Only the work of *agents* (None for all), for *queues* (None for all) and in the *media* types
    (none for all) counts.
    """
    values = segment_parameters(
        interval, width, agents=agents, queues=queues, media=list(media) or None
    )
    return _with_interval_start(store._query(segment_rule("busy"), **values), BUSY_SCHEMA)


def handle_time_comparison(
    store: Store,
    interval: Interval,
    width: timedelta,
    held_days: Sequence[Interval],
    provisional_days: Sequence[Interval],
) -> pa.Table:
    """Return `tables.RECONCILIATION_SCHEMA`: handle time by agent and day of *interval*.

    *held_days* are the days of which the store holds details; the *provisional_days* may change.
    """
    return store._query(
        rule_text("reconciled"),
        first=floor_to_width(interval.start, DAY),
        last=interval.end,
        width=width // MILLISECOND,
        held_days=[_day_number(day) for day in held_days],
        provisional_days=[_day_number(day) for day in provisional_days],
    ).cast(RECONCILIATION_SCHEMA)


def _day_number(day: Interval) -> int:
    return epoch_ms(day.start) // (DAY // MILLISECOND)


def _with_interval_start(table: pa.Table, schema: pa.Schema = POSTED_SCHEMA) -> pa.Table:
    """Convert the first column, `interval_ms`, to timestamps, and the table to *schema*.

    The SQL leaves this to Arrow, as each dialect has a function of its own for it.
    """
    starts = table["interval_ms"].cast(schema[0].type)
    return table.set_column(0, schema.field("interval_start"), starts).cast(schema)
