"""Details as a sync derives them, in memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pyarrow as pa
import pyarrow.dataset as ds

from halfhour.ingest.raw_details import conversation_ids, read_records
from halfhour.model.intervals import Interval
from halfhour.store.derived_details import DataIssue, derive_details


@dataclass(frozen=True)
class DetailTables:
    """The tables of some records, what is wrong with them, and the ids of their conversations."""

    segments: pa.Table
    emitted: pa.Table
    data_issues: list[DataIssue]
    conversation_ids: list[str]


def tabulate_records(
    records: Sequence[msgspec.Raw], window: Interval, as_of: datetime
) -> DetailTables:
    """Return the details of *window* in *records*, which say what was known at *as_of*."""
    raw = read_records(records, as_of)
    with TemporaryDirectory() as folder:
        details = asyncio.run(derive_details(raw._asdict(), window, Path(folder)))
        tables = {
            name: ds.dataset(details.paths[name], format="ipc").to_table()
            for name in ("segments", "emitted")
        }
    return DetailTables(
        **tables,
        data_issues=details.data_issues,
        conversation_ids=sorted(filter(None, conversation_ids(records))),
    )
