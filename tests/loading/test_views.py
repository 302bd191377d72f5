"""The views in docs/warehouse: run in PostgreSQL, and parsed for Snowflake and BigQuery."""

import json
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from halfhour.loading.tables import ALL_TABLES
from tests.loading.test_load import restate_posted
from tests.loading.warehouses import load

FOLDER = Path(__file__).parents[2] / "docs" / "warehouse"
FILES = {"postgres": "postgresql.sql", "snowflake": "snowflake.sql", "bigquery": "bigquery.sql"}


def read_views(dialect: str) -> dict[str, exp.Query]:
    """Return the query of each view, by name."""
    text = (FOLDER / FILES[dialect]).read_text(encoding="utf-8")
    views = {}
    for statement in sqlglot.parse(text, read=dialect):
        assert isinstance(statement, exp.Create)
        assert isinstance(statement.expression, exp.Query)
        views[statement.this.name] = statement.expression
    return views


@pytest.mark.parametrize("dialect", FILES)
def test_views_use_only_tables_and_columns_that_a_load_writes(dialect):
    schema = {table.name: dict.fromkeys(table.full_schema.names, "text") for table in ALL_TABLES}
    for name, query in read_views(dialect).items():
        qualified = qualify(query.copy(), schema={"halfhour": schema}, dialect="postgres")
        schema[name] = dict.fromkeys(qualified.named_selects, "text")


@pytest.mark.parametrize("dialect", ["snowflake", "bigquery"])
def test_every_dialect_has_the_same_views_with_the_same_columns(dialect):
    views, expected = read_views(dialect), read_views("postgres")

    assert {name: query.named_selects for name, query in views.items()} == {
        name: query.named_selects for name, query in expected.items()
    }


@pytest.fixture
def with_views(store, postgresql):
    """A schema with the views over a loaded and then restated store."""
    restate_posted(store)
    load(store, postgresql)
    text = (FOLDER / "postgresql.sql").read_text(encoding="utf-8")
    views = text.replace("halfhour.", f"{postgresql.schema}.")
    postgresql.run(*filter(str.strip, views.split(";\n")))
    return postgresql


def test_agent_days_are_those_of_the_report(with_views, store, halfhour):
    ran = halfhour(
        "report", "--store", str(store.path), "--offline", "--by", "day", "--basis", "both",
        "--from", "2026-03-02", "--to", "2026-03-03", "--format", "json",
    )  # fmt: skip
    reported = {row["agent_id"]: row for row in json.loads(ran.out)}
    rows = {row["agent_id"]: row for row in with_views.read_table("agent_days").to_pylist()}

    assert reported.keys() == rows.keys()
    assert len(rows) >= 3
    names = (
        "handled_count answered_count handle_time_sec talk_time_sec hold_time_sec acw_time_sec "
        "worked_time_sec busy_time_sec logged_in_time_sec on_queue_time_sec aht_sec "
        "occupancy_ratio agent_name"
    ).split()
    for agent_id, row in rows.items():
        for name in names:
            expected, value = reported[agent_id][name], row[name]
            if isinstance(expected, float | int) and not isinstance(expected, bool):
                assert float(value) == pytest.approx(expected, abs=6e-4), name
            else:
                assert value == expected, name


def test_the_other_views_have_the_rows_of_their_tables(with_views):
    def count(table: str) -> int:
        return int(with_views.read_table(table).num_rows)

    assert count("corrections") == count("revisions") > 0
    posted = with_views.read_table("posted").to_pylist()
    queues = with_views.read_table("queue_intervals").to_pylist()
    assert sum(int(row["handled_count"]) for row in queues) == sum(
        row["handle_count"] or 0 for row in posted if row["queue_id"]
    )
    assert {row["source"] for row in with_views.read_table("freshness").to_pylist()} == {
        *("posted", "status", "details")
    }
