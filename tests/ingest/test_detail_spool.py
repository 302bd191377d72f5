"""A spool gives the same details however many records it reads and keeps at a time."""

import asyncio
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from halfhour.ingest.detail_spool import DetailSpool
from halfhour.model.intervals import Interval
from halfhour.store.derived_details import STORED_SCHEMAS, DataIssue, derive_details
from tests.store.test_derived_details import GOOD

DAYS = Interval(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))


def numbered_record(number: int) -> dict[str, Any]:
    """Return one of twenty conversations, with another length each time that it comes."""
    record = deepcopy(GOOD) | {"conversationId": f"c{number % 20}"}
    start = datetime(2026, 3, 2, 23, 50, tzinfo=UTC) + timedelta(minutes=number % 20)
    (session,) = record["participants"][1]["sessions"]
    (segment,) = session["segments"]
    segment["segmentStart"] = start.isoformat(timespec="milliseconds")
    segment["segmentEnd"] = (start + timedelta(seconds=60 + number)).isoformat()
    if number % 11 == 5:
        segment["segmentEnd"] = "late"
    return record


def spooled_details(spool: DetailSpool) -> tuple[bool, dict[str, pa.Table], list[DataIssue]]:
    """Return whether anything went to disk, and the tables and issues of 60 records."""
    spool.folder.mkdir()
    with spool:
        for number in range(60):
            record = msgspec.Raw(msgspec.json.encode(numbered_record(number)))
            spool.append_records([record], DAYS.end - timedelta(hours=number // 30))
    raw_tables = spool.tables()
    details = asyncio.run(derive_details(raw_tables, DAYS, spool.folder))
    tables = {
        name: ds.dataset(details.paths[name], format="ipc").to_table() for name in STORED_SCHEMAS
    }
    return isinstance(raw_tables["sessions"], Path), tables, details.data_issues


@pytest.mark.parametrize(
    ("records_read_together", "sessions_in_memory"), [(1, 7), (9, 0), (4, 1_000)]
)
def test_details_do_not_depend_on_how_many_records_are_read_and_kept_at_a_time(
    tmp_path, records_read_together, sessions_in_memory
):
    in_files, tables, issues = spooled_details(
        DetailSpool(tmp_path / "few", records_read_together, sessions_in_memory)
    )
    all_in_files, all_tables, all_issues = spooled_details(DetailSpool(tmp_path / "all"))

    assert in_files == (sessions_in_memory < 1_000)
    assert not all_in_files
    assert all_tables["segments"].num_rows > 15
    assert [issue.conversation_id for issue in all_issues] == ["c9"]
    assert issues == all_issues
    for name, table in all_tables.items():
        assert tables[name].equals(table), name
