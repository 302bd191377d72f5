"""A sync after Genesys has corrected its data corrects the store and records revisions."""

import csv
from datetime import timedelta

from halfhour.model.coverage import DAY
from halfhour.model.vocabulary import Source
from tests.oracle import (
    differences,
    stored_changes,
    stored_posted_figures,
    stored_worked_figures,
    true_posted_figures,
    true_worked_figures,
)
from tests.processes import Halfhour
from tests.sync_runs import NOW, WEEK, sync_store

SHOWN_COLUMNS = ("source", "agent_id", "agent_name", "queue_id", "media_type", "column_name",
                 "old_value", "new_value")  # fmt: skip


def test_a_sync_after_a_restatement_corrects_the_store_and_records_revisions(cloud, store):
    cloud.faults({"kind": "restatement", "share": 0.25})
    early = NOW + timedelta(minutes=5)
    sync_store(cloud.settings, store, WEEK, now=early, sources=None)
    wrong, wrong_worked, right = (
        stored_posted_figures(store, WEEK),
        stored_worked_figures(store, WEEK),
        true_posted_figures(cloud, WEEK),
    )
    assert wrong != right

    for days in (1, 5):
        cloud.clock(now=f"2026-03-{3 + days:02}T03:00:00Z")
        later = NOW + days * DAY + timedelta(hours=3)
        sync_store(cloud.settings, store, WEEK, now=later, sources=None)

    assert stored_posted_figures(store, WEEK) == right
    assert stored_changes(store, Source.POSTED) == differences(wrong, right)
    right_worked = true_worked_figures(cloud, WEEK)
    assert wrong_worked != right_worked
    assert stored_worked_figures(store, WEEK) == right_worked
    assert stored_changes(store, Source.DETAILS) == differences(wrong_worked, right_worked)
    assert stored_changes(store, Source.STATUS) == {}

    ran = Halfhour(store.path.parent, {})("revisions", "--format", "csv")
    rows = list(csv.DictReader(ran.out.splitlines()))
    assert [row.pop("interval_start") for row in rows]
    assert [tuple(row[name] for name in SHOWN_COLUMNS) for row in rows] == [
        tuple("" if row[name] is None else str(row[name]) for name in SHOWN_COLUMNS)
        for row in store.revision_rows().to_pylist()
    ]
