"""Syncs at a given time, and the faults under which a sync must still end complete."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from halfhour.genesys.connection import Settings
from halfhour.model.coverage import DAY
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.syncing.planner import SyncRequest
from halfhour.syncing.progress import Event, Outcome
from halfhour.syncing.runner import run_sync

NOW = datetime(2026, 3, 3, tzinfo=UTC)
WEEK = Interval(NOW - 7 * DAY, NOW)

FAULTS: list[dict[str, Any]] = [
    {"kind": "late", "share": 0.2},
    {"kind": "restatement", "share": 0.2},
    {"kind": "hang", "seconds": 0.05, "share": 0.01},
    {"kind": "job_fails", "endpoint": "jobs", "calls": [1]},
    {"kind": "job_cancelled", "endpoint": "jobs", "calls": [3]},
    {"kind": "job_expires", "endpoint": "jobs", "calls": [5]},
    *(
        {"kind": "status", "status": status, "calls": [10 * at]}
        for at, status in enumerate((400, 401, 403, 404, 413, 415, 500), 1)
    ),
    *({"kind": "status", "status": status, "share": 0.01} for status in (408, 429, 502, 503, 504)),
    {"kind": "status", "status": 429, "retry_after": "0", "share": 0.01},
    {"kind": "reset", "share": 0.01},
    {"kind": "slow", "seconds": 0.1, "share": 0.01},
    {"kind": "truncate", "share": 0.01},
    {"kind": "cut", "share": 0.01},
    {"kind": "html", "share": 0.01},
    {"kind": "wrong_type", "share": 0.01},
    {"kind": "expired_token", "share": 0.01},
    {"kind": "too_large", "max_buckets": 2000, "endpoint": "aggregates", "share": 0.2},
    {"kind": "short_page", "share": 0.05},
    {"kind": "duplicate", "share": 0.05},
    {"kind": "wrong_total", "total": 100, "share": 0.05},
]
"""Every kind of fault that the emulator has, and every HTTP status that halfhour meets."""


def sync_store(
    settings: Settings,
    store: Store,
    interval: Interval | None = None,
    now: datetime = NOW,
    **request: Any,
) -> tuple[Outcome, list[Event]]:
    """Sync *store* at *now* and return the outcome and the events.

    Only posted figures are read, unless the *request* names other sources.
    """
    events: list[Event] = []
    sync_request = SyncRequest(interval, **{"sources": (Source.POSTED,), **request})
    return asyncio.run(run_sync(settings, store, sync_request, lambda: now, events.append)), events


def query_file(store: Store, sql: str, **values: object) -> pa.Table:
    """Return the answer to *sql* on the file of *store*, as any other program would get it."""
    with duckdb.connect(str(store.path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.sql(sql, params=values or None).to_arrow_table()
