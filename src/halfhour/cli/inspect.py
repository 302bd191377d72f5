"""The commands that look into a store: coverage, revisions and reconcile."""

import logging
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from halfhour.cli.console import logging_to_stderr
from halfhour.cli.output import Output, open_output
from halfhour.clock import utc_now
from halfhour.model.data_dictionary import label_table
from halfhour.model.intervals import Interval
from halfhour.redaction import sanitize_text
from halfhour.reports import questions
from halfhour.reports.from_store import reconcile_store
from halfhour.store.coverage import day_coverage, store_calendar
from halfhour.store.store import Store
from halfhour.syncing.progress import MAX_LISTED

log = logging.getLogger("halfhour")


def _apply_pseudonyms(table: pa.Table, shape: Output) -> pa.Table:
    return shape.pseudonyms.pseudonymize_table(table) if shape.pseudonyms else table


def write_coverage(store: Store, interval: Interval | None, shape: Output) -> None:
    """Print or write what *store* holds of each day of *interval*, or since its first."""
    store.stored_settings()  # raises if there is no store, which holds nothing of any day
    days = day_coverage(store, store_calendar(store, utc_now()), interval)
    with logging_to_stderr(), open_output(shape, store) as write:
        write({"Coverage": [label_table(questions.coverage_table(days), zone="UTC")]})


def write_revisions(store: Store, interval: Interval | None, shape: Output) -> None:
    """Print or write what reading days again has changed, in *interval* or ever."""
    with logging_to_stderr(), open_output(shape, store) as write:
        table = _apply_pseudonyms(store.revision_rows(interval), shape)
        write({"Revisions": [label_table(table, zone="UTC")]})
        if not table.num_rows:
            log.info("nothing that was read again had changed")


def write_reconciliation(store: Store, interval: Interval | None, shape: Output) -> None:
    """Print or write how posted and worked time differ, and say what is not explained."""
    table = _apply_pseudonyms(reconcile_store(store, interval, utc_now()), shape)
    with logging_to_stderr(), open_output(shape, store) as write:
        write({"Reconciled": [label_table(table, zone="UTC")]})
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
        if unexplained := list(filter(_has_unexplained_time, table.to_pylist())):
            listed = "; ".join(map(_describe_unexplained, unexplained[:MAX_LISTED]))
            more = f"; and {len(unexplained) - MAX_LISTED} more" if unexplained[MAX_LISTED:] else ""
            log.warning("unexplained: %s%s", listed, more)


def _has_unexplained_time(row: Mapping[str, Any]) -> bool:
    return bool(row["unexplained_ms"] or row["unexplained_conversations"])


def _describe_unexplained(row: Mapping[str, Any]) -> str:
    ids = row["unexplained_conversations"].split()
    more = f" and {len(ids) - MAX_LISTED} more" if ids[MAX_LISTED:] else ""
    where = f"conversations {', '.join(ids[:MAX_LISTED])}{more}" if ids else "in no conversation"
    name = sanitize_text(row["agent_name"])
    return f"{name} on {row['day']}, {row['unexplained_ms']:,} ms ({where})"
