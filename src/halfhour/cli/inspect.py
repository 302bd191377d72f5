"""The commands that look into a store: coverage, revisions and reconcile."""

import logging
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from halfhour.cli.console import talking
from halfhour.cli.output import Shape, destination
from halfhour.clock import now
from halfhour.model.data_dictionary import labelled
from halfhour.model.intervals import Interval
from halfhour.redaction import harmless
from halfhour.reports import questions
from halfhour.reports.from_store import reconciled
from halfhour.store.coverage import day_coverage, store_calendar
from halfhour.store.store import Store
from halfhour.syncing.progress import LISTED

log = logging.getLogger("halfhour")


def _disguised(table: pa.Table, shape: Shape) -> pa.Table:
    return shape.pseudonyms.table(table) if shape.pseudonyms else table


def coverage(store: Store, interval: Interval | None, shape: Shape) -> None:
    """Print or write what *store* holds of each day of *interval*, or since its first."""
    store.settings()  # raises if there is no store, which holds nothing of any day
    days = day_coverage(store, store_calendar(store, now()), interval)
    with talking(), destination(shape, store) as write:
        write({"Coverage": [labelled(questions.coverage(days), zone="UTC")]})


def revisions(store: Store, interval: Interval | None, shape: Shape) -> None:
    """Print or write what reading days again has changed, in *interval* or ever."""
    with talking(), destination(shape, store) as write:
        table = _disguised(store.revisions(interval), shape)
        write({"Revisions": [labelled(table, zone="UTC")]})
        if not table.num_rows:
            log.info("nothing that was read again had changed")


def reconcile(store: Store, interval: Interval | None, shape: Shape) -> None:
    """Print or write how posted and worked time differ, and say what is not explained."""
    table = _disguised(reconciled(store, interval, now()), shape)
    with talking(), destination(shape, store) as write:
        write({"Reconciled": [labelled(table, zone="UTC")]})
        if not table.num_rows:
            log.warning(
                "no day is held both of posted figures and of conversation details; "
                "'halfhour sync' reads both"
            )
            return
        if differing := sum(table["differing_interval_count"].to_pylist()):
            log.warning("posted and rebuilt differ in %d intervals", differing)
        else:
            log.info("posted and rebuilt agree in every interval")
        if unexplained := list(filter(_is_unexplained, table.to_pylist())):
            listed = "; ".join(map(_unexplained, unexplained[:LISTED]))
            more = f"; and {len(unexplained) - LISTED} more" if unexplained[LISTED:] else ""
            log.warning("unexplained: %s%s", listed, more)


def _is_unexplained(row: Mapping[str, Any]) -> bool:
    return bool(row["unexplained_ms"] or row["unexplained_conversations"])


def _unexplained(row: Mapping[str, Any]) -> str:
    ids = row["unexplained_conversations"].split()
    more = f" and {len(ids) - LISTED} more" if ids[LISTED:] else ""
    where = f"conversations {', '.join(ids[:LISTED])}{more}" if ids else "in no conversation"
    return f"{harmless(row['agent_name'])} on {row['day']}, {row['unexplained_ms']:,} ms ({where})"
