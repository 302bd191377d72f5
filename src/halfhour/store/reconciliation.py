"""Compare the handle time that a store holds as posted with that of its details."""

from collections.abc import Sequence
from datetime import timedelta

import pyarrow as pa

from halfhour.model.coverage import DAY
from halfhour.model.intervals import MILLISECOND, Interval, epoch_ms, floor_to_width
from halfhour.model.rules import rule_text
from halfhour.model.tables import RECONCILIATION_SCHEMA
from halfhour.store.store import Store


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
    first = floor_to_width(interval.start, DAY)
    return store._query(
        rule_text("reconciled"),
        first=first,
        last=interval.end,
        start_ms=epoch_ms(first),
        end_ms=epoch_ms(interval.end + DAY),  # the last day counts as far as it is held
        width=width // MILLISECOND,
        held_days=[_day_number(day) for day in held_days],
        provisional_days=[_day_number(day) for day in provisional_days],
    ).cast(RECONCILIATION_SCHEMA)


def _day_number(day: Interval) -> int:
    return epoch_ms(day.start) // (DAY // MILLISECOND)
