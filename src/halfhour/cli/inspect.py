"""The commands that look into a store: coverage, revisions, reconcile, queues and agents."""

import logging
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from halfhour.checking.permissions import QUEUES
from halfhour.cli.console import log_retries, logging_to_stderr
from halfhour.cli.output import Output, open_output
from halfhour.clock import utc_now
from halfhour.model.data_dictionary import label_table
from halfhour.model.intervals import Interval
from halfhour.model.names import name_sort_key
from halfhour.model.vocabulary import Format
from halfhour.redaction import sanitize_text
from halfhour.render import formats
from halfhour.reports import questions
from halfhour.reports.agent_names import mark_gone_agents
from halfhour.reports.from_store import reconcile_store
from halfhour.service import Access, list_directory
from halfhour.store.coverage import day_coverage, store_calendar
from halfhour.store.store import EntityKind, Store
from halfhour.syncing.progress import MAX_LISTED, format_count

log = logging.getLogger("halfhour")


def _adapt_names(table: pa.Table, store: Store, output: Output) -> pa.Table:
    """Return *table* with pseudonyms if they are wanted, else with marks if people read it."""
    if output.pseudonyms:
        return output.pseudonyms.pseudonymize_table(table)
    if output.form in formats.FORMATS_FOR_PEOPLE:
        return mark_gone_agents(table, store.directory_entries("agent"))
    return table


def write_coverage(store: Store, interval: Interval | None, output: Output) -> None:
    """Write the state of each day of *interval*, or of each day since the first in *store*.

    A table has a row for several days in one state.
    """
    store.stored_settings()  # raises if there is no store
    days = day_coverage(store, store_calendar(store, utc_now()), interval)
    with logging_to_stderr(), open_output(output, store) as write_tables:
        if output.form is Format.TABLE:
            write_tables({"Coverage": [questions.coverage_summary(days)]})
            _log_full_rows_hint("each day")
        else:
            write_tables({"Coverage": [label_table(questions.coverage_table(days), zone="UTC")]})


def write_revisions(store: Store, interval: Interval | None, output: Output) -> None:
    """Write the values that changed when days were fetched again, in *interval* or ever."""
    with logging_to_stderr(), open_output(output, store) as write_tables:
        table = _adapt_names(store.revision_rows(interval), store, output)
        write_tables({"Revisions": [label_table(table, zone="UTC")]})
        if not table.num_rows:
            log.info("no revisions: no value was different when it was fetched again")


def write_reconciliation(store: Store, interval: Interval | None, output: Output) -> None:
    """Write how posted and worked time differ, and log the differences without a known cause.

    A table has the total of each cause.
    """
    table = _adapt_names(reconcile_store(store, interval, utc_now()), store, output)
    with logging_to_stderr(), open_output(output, store) as write_tables:
        if output.form is Format.TABLE:
            write_tables({"Reconciled": [questions.reconciliation_summary(table)]})
        else:
            write_tables({"Reconciled": [label_table(table, zone="UTC")]})
        if not table.num_rows:
            log.warning(
                "nothing to compare: the store has no day with both posted figures and "
                "conversation details; run 'halfhour sync' to fetch both"
            )
            return
        days = table["day"].to_pylist()
        first_day, last_day = min(days), max(days)
        whole_days = f"of whole days (UTC) {first_day} to {last_day}"
        if differing_count := sum(table["differing_interval_count"].to_pylist()):
            intervals = format_count(differing_count, "interval")
            log.warning("posted and rebuilt time differ in %s %s", intervals, whole_days)
        else:
            log.info("posted and rebuilt time agree in every interval %s", whole_days)
        if unexplained := list(filter(_has_unexplained_time, table.to_pylist())):
            first_rows = "; ".join(map(_describe_unexplained, unexplained[:MAX_LISTED]))
            rest = f"; and {len(unexplained) - MAX_LISTED} more" if unexplained[MAX_LISTED:] else ""
            log.warning("differences without a known cause: %s%s", first_rows, rest)
        if output.form is Format.TABLE:
            log.info("posted time less the parts below it is worked time")
            _log_full_rows_hint(f"each agent and day from {first_day} to {last_day}")


def _log_full_rows_hint(rows: str) -> None:
    log.info("--format csv shows %s", rows)


def write_directory(kind: EntityKind, access: Access, output: Output) -> None:
    """Write the names of the agents or queues that a report may be about, by name."""
    if not access.store:
        log_retries()
    with logging_to_stderr(), open_output(output, access.store) as write_tables:
        entries = list_directory(kind, access).to_pylist()
        entries.sort(key=lambda entry: (name_sort_key(entry["name"] or "\uffff"), entry["id"]))
        places = ("division", "team", "state") if kind == "agent" else ("division",)
        columns = {f"{kind}_name": "name", f"{kind}_id": "id", **{name: name for name in places}}
        table = pa.table(
            {
                column: pa.array([entry[field] for entry in entries], pa.string())
                for column, field in columns.items()
            }
        )
        write_tables({f"{kind}s".capitalize(): [table]})
        if not entries:
            log.warning(_explain_empty_directory(kind, is_stored=bool(access.store)))


def _explain_empty_directory(kind: EntityKind, *, is_stored: bool) -> str:
    """Return why a store, or Genesys, lists no agents or queues."""
    if not is_stored:
        return f"no {kind}s: the OAuth client's role may not cover their divisions"
    if kind == "queue":
        return (
            "the store has no names of queues: the OAuth client lacks the permission "
            f"{QUEUES.name}, or nothing was synced since it has it; 'halfhour check' tells"
        )
    return "the store has no names of agents yet; 'halfhour sync' reads them"


def _has_unexplained_time(row: Mapping[str, Any]) -> bool:
    return bool(row["unexplained_ms"] or row["unexplained_conversations"])


def _describe_unexplained(row: Mapping[str, Any]) -> str:
    ids = row["unexplained_conversations"].split()
    rest = f" and {len(ids) - MAX_LISTED} more" if ids[MAX_LISTED:] else ""
    place = f"conversations {', '.join(ids[:MAX_LISTED])}{rest}" if ids else "in no conversation"
    name = sanitize_text(row["agent_name"])
    return f"{name} on {row['day']}, {row['unexplained_ms']:,} ms ({place})"
