"""Parquet files of worked time: their bytes depend on their rows only."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.store import worked_tables

SCHEMA = pa.schema([("number", pa.int64()), ("text", pa.string())])


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(1, 20))
def test_rows_are_grouped_alike_however_they_come(sizes, group_size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worked_tables, "ROW_GROUP_SIZE", group_size)
        row_count = sum(sizes)
        numbers = list(range(row_count))
        rows = pa.table([numbers, list(map(str, numbers))], schema=SCHEMA)
        ends = [sum(sizes[: at + 1]) for at in range(len(sizes))]
        batches = [
            batch
            for end, size in zip(ends, sizes, strict=True)
            for batch in rows.slice(end - size, size).to_batches()
        ]

        groups = list(worked_tables._row_groups(SCHEMA, batches))

    full, rest = divmod(row_count, group_size)
    assert [group.num_rows for group in groups] == [group_size] * full + [rest] * bool(rest)
    assert [row for group in groups for row in group["number"].to_pylist()] == numbers
    assert {column.num_chunks for group in groups for column in group.columns} <= {1}
