"""The SQL of a load, as parsers of each dialect take it."""

import re
from datetime import UTC, datetime

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from halfhour.loading import sql
from halfhour.loading.adbc import bigquery_script, staged_name
from halfhour.loading.destination import TableChange
from halfhour.loading.planning import PartKey
from halfhour.loading.tables import ALL_TABLES, LEDGER, WINDOW_TABLES, Slice, slice_of_part

DIALECTS = {"postgres": sql.POSTGRESQL, "snowflake": sql.SNOWFLAKE, "bigquery": sql.BIGQUERY}
START = datetime(2026, 3, 2, tzinfo=UTC)
each_dialect = pytest.mark.parametrize(("reader", "dialect"), DIALECTS.items())
each_table = pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.name)


def parse(text: str, reader: str) -> exp.Expr:
    (statement,) = sqlglot.parse(text, read=reader)
    assert statement is not None
    assert not isinstance(statement, exp.Command), text  # what the parser did not understand
    return statement


@each_dialect
@each_table
def test_a_table_is_created_with_the_type_and_the_meaning_of_each_column(reader, dialect, table):
    first, *comments = sql.create_table_statements(dialect, "halfhour", table)

    statement = parse(first, reader)
    columns = list(statement.find_all(exp.ColumnDef))
    assert [column.name.lower() for column in columns] == table.full_schema.names
    kinds = {column.name.lower(): column.args["kind"].this.name for column in columns}
    for field in table.full_schema:
        word = sql.type_word(field.type)
        assert (
            kinds[field.name]
            in {
                "text": {"TEXT", "VARCHAR"},
                "timestamp": {"TIMESTAMPTZ"},
                "integer": {"BIGINT"},
                "boolean": {"BOOLEAN"},
            }[word]
        ), (field, kinds[field.name])
    for meaning in (*table.column_meanings.values(), table.meaning):
        quoted = dialect.quote_text(meaning)
        assert quoted in first or any(quoted in comment for comment in comments)
    for comment in comments:
        parse(comment, reader)


@each_dialect
@each_table
def test_a_window_is_deleted_inserted_and_read_by_statements_of_the_dialect(reader, dialect, table):
    rows = slice_of_part(table, "it's \\ one", PartKey("posted", START))
    for text, kind in (
        (sql.delete_statement(dialect, "halfhour", table, rows), exp.Delete),
        (sql.insert_statement(dialect, "halfhour", table, "incoming"), exp.Insert),
        (sql.select_rows_statement(dialect, "halfhour", table, rows), exp.Select),
        (sql.drop_statement(dialect, "halfhour", "incoming"), exp.Drop),
    ):
        statement = parse(text, reader)
        assert isinstance(statement, kind)
        literals = [literal.name for literal in statement.find_all(exp.Literal)]
        assert kind in (exp.Insert, exp.Drop) or "it's \\ one" in literals


@each_dialect
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_a_text_stays_itself_as_a_literal(reader, dialect, text):
    statement = parse(f"select {dialect.quote_text(text)} as value", reader)

    literal = statement.find(exp.Literal)
    assert literal is not None
    assert literal.name == text


@each_dialect
def test_columns_are_listed_by_a_query_of_the_dialect(reader, dialect):
    statement = parse(sql.list_columns_statement(dialect, "halfhour"), reader)

    assert [column.name for column in statement.expressions] == [
        *("table_name", "column_name", "data_type")
    ]


def listed_columns(dialect: sql.Dialect) -> list[tuple[str, str, str]]:
    return [
        (table.name, field.name, dialect.listed_types[sql.type_word(field.type)])
        for table in ALL_TABLES
        for field in table.full_schema
    ]


@each_dialect
def test_tables_as_they_were_created_differ_in_nothing(reader, dialect):
    listed = listed_columns(dialect)
    upper = [(table.upper(), column.upper(), kind.upper()) for table, column, kind in listed]

    assert sql.find_differing_table(dialect, listed, ALL_TABLES) == ([], "")
    assert sql.find_differing_table(dialect, upper, ALL_TABLES) == ([], "")
    assert sql.find_differing_table(dialect, [], ALL_TABLES) == (list(ALL_TABLES), "")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("busy", "busy_ms", None), r"busy .*busy_ms: missing there, bigint here"),
        (("busy", "busy_ms", "text"), r"busy .*busy_ms: text there, bigint here"),
        (("busy", "more", "text"), r"busy .*more: text there, none here"),
    ],
)
def test_a_column_that_differs_is_named_with_both_types(change, words):
    table, column, kind = change
    listed = {(name, of): typed for name, of, typed in listed_columns(sql.POSTGRESQL)}
    listed.pop((table, column), None)
    if kind:
        listed[table, column] = kind
    rows = [(name, of, typed) for (name, of), typed in listed.items()]

    missing, difference = sql.find_differing_table(sql.POSTGRESQL, rows, ALL_TABLES)

    assert missing == []
    assert re.search(words, difference)


def test_tables_that_are_there_may_lie_beside_others():
    rows = [("unrelated", "id", "uuid"), *listed_columns(sql.POSTGRESQL)]

    assert sql.find_differing_table(sql.POSTGRESQL, rows, ALL_TABLES) == ([], "")


def test_every_table_of_windows_has_an_index_on_what_places_its_rows():
    for table in WINDOW_TABLES:
        statement = parse(sql.create_index_statement("halfhour", table), "postgres")
        assert table.placed_by in [column.name for column in statement.find_all(exp.Column)]
    parse(sql.create_index_statement("halfhour", LEDGER), "postgres")


def test_bigquery_runs_the_statements_of_a_window_as_one_transaction():
    table = WINDOW_TABLES[0]
    rows = slice_of_part(table, "one", PartKey("posted", START))
    script = bigquery_script(
        [
            sql.delete_statement(sql.BIGQUERY, "halfhour", table, rows),
            sql.insert_statement(sql.BIGQUERY, "halfhour", table, "incoming"),
        ]
    )

    statements = [type(statement) for statement in sqlglot.parse(script, read="bigquery")]
    assert statements[:4] == [exp.Transaction, exp.Delete, exp.Insert, exp.Commit]


def test_staged_rows_of_organisations_lie_apart():
    table = WINDOW_TABLES[0]
    names = {
        staged_name(
            TableChange(
                table,
                slice_of_part(table, organization, PartKey("posted", START)),
                table.full_schema.empty_table(),
            )
        )
        for organization in ("one", "other")
    }

    assert len(names) == 2


def test_times_are_written_in_utc():
    rows = Slice({}, "interval_start", START, START)

    assert "2026-03-02T00:00:00.000000Z" in sql.write_condition(sql.DELTA, rows)
