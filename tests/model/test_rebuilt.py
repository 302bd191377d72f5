"""Posted figures as values add up to them, compared with a count of the values one by one."""

from collections import defaultdict
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from halfhour.model.rules import rule_text
from halfhour.model.tables import EMITTED_SCHEMA, POSTED_METRICS, POSTED_SCHEMA

COLUMNS_BY_METRIC = {
    "tHandle": ("handle_ms", "handle_count"),
    "tAcw": ("acw_ms", "acw_count"),
    "tHeldComplete": ("hold_ms", "hold_count"),
    "tTalkComplete": ("talk_ms", None),
    "tContacting": ("contacting_ms", None),
    "tDialing": ("dialing_ms", None),
    "tAlert": ("alert_ms", None),
    "tNotResponding": ("not_responding_ms", "not_responding_count"),
    "tAnswered": (None, "answered_count"),
    "nTransferred": ("transferred_count", None),  # each value is a number of transfers
}
"""The columns that the values of a metric are added up in, and counted in."""
FIGURE_COLUMNS = [column.name for column in POSTED_METRICS]
EMITTED = EMITTED_SCHEMA.set(0, pa.field("emitted_ms", pa.int64()))
NOON = 1_772_452_800_000  # a start of intervals of all widths here

emitted_value = st.tuples(
    st.integers(NOON - 130, NOON + 130),
    st.sampled_from(["c", "d"]),
    st.sampled_from(["s", "t"]),
    st.sampled_from(["ann", "bob"]),
    st.sampled_from(["p", "p,q", None]),
    st.sampled_from(["voice", "chat", None]),
    st.sampled_from([*COLUMNS_BY_METRIC]),
    st.sampled_from([0, 1, 2, 3_600_000, 2**52]),
)


def rebuilt_rows(values: list[Any], **parameters: int) -> list[dict[str, Any]]:
    columns = [list(column) for column in zip(*values, strict=True)] or [[] for _ in EMITTED]
    with duckdb.connect() as connection:
        connection.register("emitted", pa.table(columns, schema=EMITTED))
        table = connection.sql(rule_text("rebuilt"), params=parameters).to_arrow_table()
    assert table.column_names == ["interval_ms", *POSTED_SCHEMA.names[1:]]
    assert {table.schema.field(name).type for name in FIGURE_COLUMNS} == {pa.int64()}
    return list(table.to_pylist())


@given(
    st.lists(emitted_value, max_size=30),
    st.sampled_from([1, 10, 100]),
    st.integers(-2, 1),
    st.integers(0, 3),
)
def test_each_value_counts_whole_in_the_interval_in_which_it_was_emitted(
    values, width, first, number
):
    start_ms, end_ms = NOON + first * width, NOON + (first + number) * width
    expected: dict[tuple[Any, ...], dict[str, int | None]] = defaultdict(
        lambda: dict.fromkeys(FIGURE_COLUMNS)
    )
    for emitted_ms, _, _, agent, queue, media, metric, value in values:
        if start_ms <= emitted_ms < end_ms:
            figures = expected[emitted_ms - (emitted_ms - NOON) % width, agent, queue, media]
            sum_column, count_column = COLUMNS_BY_METRIC[metric]
            if sum_column:
                figures[sum_column] = (figures[sum_column] or 0) + value
            if count_column:
                figures[count_column] = (figures[count_column] or 0) + 1

    rows = rebuilt_rows(values, width=width, start_ms=start_ms, end_ms=end_ms)

    keys = ("interval_ms", "agent_id", "queue_id", "media_type")
    assert len(rows) == len(expected)
    assert {
        tuple(row[key] for key in keys): {name: row[name] for name in FIGURE_COLUMNS}
        for row in rows
    } == expected
