"""Loads into PostgreSQL as a process: what is created, what a kill leaves, what errors say."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
import pytest

from halfhour.loading import sql
from halfhour.loading.adbc import PostgresqlDatabase, SnowflakeDatabase
from halfhour.loading.destination import parse_address
from halfhour.loading.runner import load_store
from halfhour.loading.tables import ALL_TABLES, WINDOW_TABLES
from halfhour.model.coverage import DAY
from halfhour.store.store import Store
from tests.loading.conftest import start_load
from tests.loading.test_load import START, add_day, restate_posted
from tests.loading.warehouses import (
    LOADED_AT,
    PASSWORD,
    PostgresqlSchema,
    load,
    store_rows,
    warehouse_rows,
)

if TYPE_CHECKING:
    from subprocess import Popen

WAIT_SECONDS = 60


def finish(process: "Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=WAIT_SECONDS)
    assert PASSWORD not in out + err
    assert "Traceback" not in err
    return process.returncode, out, err


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def blocked_backends(schema: PostgresqlSchema) -> list[int]:
    """Return the processes of the server that wait for a lock of a test."""
    rows = schema.query(
        "select pid from pg_locks where not granted and locktype = 'relation' and relation in "
        f"(select oid from pg_class where relnamespace = '{schema.schema}'::regnamespace)"
    )
    return [int(pid) for pid in rows["pid"].to_pylist()]


@contextmanager
def locked_table(schema: PostgresqlSchema, table: str) -> Iterator[None]:
    """Lock *table* against writers until the block ends."""
    with schema.connect() as connection, connection.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute(f"lock table {schema.schema}.{table} in exclusive mode")
        yield
        cursor.execute("rollback")


def kill_while_blocked(store: Store, schema: PostgresqlSchema, table: str) -> None:
    """Kill a load that waits for *table*, which this process has locked, before it gets it."""
    with locked_table(schema, table):
        process = start_load(store, schema)
        wait_until(lambda: bool(blocked_backends(schema)))
        process.kill()
        process.communicate()
    wait_until(lambda: not loads_in_server(schema))


def loads_in_server(schema: PostgresqlSchema) -> bool:
    """Tell whether the server still has a connection that holds the lock of a load."""
    return bool(schema.query("select 1 from pg_locks where locktype = 'advisory'").num_rows)


def test_every_table_and_column_carries_its_meaning_and_type(store, postgresql):
    load(store, postgresql)

    described = postgresql.query(
        "select c.table_name, c.column_name, c.data_type, c.is_nullable, "
        "col_description(format('%I.%I', c.table_schema, c.table_name)::regclass, "
        "c.ordinal_position::int) as meaning from information_schema.columns c "
        f"where c.table_schema = '{postgresql.schema}' order by table_name, ordinal_position"
    ).to_pylist()
    expected = [
        (table.name, field.name, field.nullable, table.column_meanings[field.name])
        for table in sorted(ALL_TABLES, key=lambda table: table.name)
        for field in table.full_schema
    ]
    assert [
        (row["table_name"], row["column_name"], row["is_nullable"] == "YES", row["meaning"])
        for row in described
    ] == expected
    assert {row["data_type"] for row in described if row["column_name"].endswith(("_at", "_start"))
            } == {"timestamp with time zone"}  # fmt: skip


def test_a_load_reports_its_progress_and_prints_no_password(store, postgresql):
    code, out, err = finish(start_load(store, postgresql))

    assert (code, out) == (0, "")
    events = [json.loads(line) for line in err.splitlines()]
    assert [event.get("event") for event in events] == [*["loaded"] * 5, None, "ended"]
    assert [event.get("done") for event in events] == [1, 2, 3, 4, 5, None, None]
    assert events[0]["directory"] == "agents"
    assert (events[2]["source"], events[2]["of"]) == ("posted", 5)
    assert "5 parts loaded" in events[-2]["message"]
    assert warehouse_rows(postgresql) == store_rows(store)


def test_a_dry_run_lists_the_windows_and_creates_nothing(store, postgresql):
    code, out, _ = finish(start_load(store, postgresql, "--dry-run"))

    assert code == 0
    assert json.loads(out)["windows"][2] == {
        "source": "posted", "window": "2026-03-02", "action": "load",
    }  # fmt: skip
    assert postgresql.query(
        f"select 1 from pg_namespace where nspname = '{postgresql.schema}'"
    ).num_rows == 0  # fmt: skip

    load(store, postgresql)
    store.delete_days_before(START + DAY)
    code, out, _ = finish(start_load(store, postgresql, "--dry-run"))

    assert {(window["source"], window["action"]) for window in json.loads(out)["windows"]} == {
        *(("posted", "delete"), ("status", "delete"), ("details", "delete"))
    }
    assert json.loads(out)["unchanged"] == 2
    assert postgresql.read_table("posted").num_rows > 0


@pytest.mark.parametrize(
    "table",
    [
        pytest.param("posted", id="before_anything_is_deleted"),
        pytest.param("revisions", id="after_rows_were_replaced"),
        pytest.param("ledger", id="before_the_ledger_is_written"),
    ],
)
def test_killed_inside_a_transaction_nothing_of_it_is_there(store, postgresql, table):
    load(store, postgresql)
    before = warehouse_rows(postgresql)
    restate_posted(store)

    kill_while_blocked(store, postgresql, table)

    assert warehouse_rows(postgresql) == before
    load(store, postgresql)
    assert warehouse_rows(postgresql) == store_rows(store)


def test_killed_after_a_commit_whole_windows_are_there(store, postgresql):
    for number in range(1, 8):
        add_day(store, START + number * DAY)
    process = start_load(store, postgresql)
    assert process.stderr
    for _ in range(4):
        process.stderr.readline()
    process.kill()
    process.communicate()
    wait_until(lambda: not loads_in_server(postgresql))

    expected = store_rows(store)
    rows = warehouse_rows(postgresql)
    assert len(rows["ledger"]) >= 4
    assert set(rows["ledger"]) <= set(expected["ledger"])
    written = sum(row[-1] for row in rows["ledger"])
    assert written == sum(len(rows[table.name]) for table in ALL_TABLES if table.name != "ledger")
    load(store, postgresql)
    assert warehouse_rows(postgresql) == expected


def test_an_interrupt_leaves_the_destination_at_a_windows_edge(store, postgresql):
    for number in range(1, 8):
        add_day(store, START + number * DAY)
    process = start_load(store, postgresql)
    assert process.stderr
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)

    assert (code, json.loads(err.splitlines()[-1])["reason"]) == (130, "interrupted")
    rows = warehouse_rows(postgresql)
    written = sum(row[-1] for row in rows["ledger"])
    assert written == sum(len(rows[table.name]) for table in ALL_TABLES if table.name != "ledger")
    load(store, postgresql)
    assert warehouse_rows(postgresql) == store_rows(store)


def test_an_interrupt_of_a_statement_in_the_database_is_no_failure(store, postgresql):
    load(store, postgresql)
    restate_posted(store)
    with locked_table(postgresql, "posted"):
        process = start_load(store, postgresql)
        wait_until(lambda: bool(blocked_backends(postgresql)))
        process.send_signal(signal.SIGINT)
        code, _, err = finish(process)

    last = json.loads(err.splitlines()[-1])
    assert (code, last["exit_code"], last["reason"]) == (130, 130, "interrupted")


def test_a_second_load_of_an_organisation_waits_for_the_first(store, postgresql):
    load(store, postgresql)
    restate_posted(store)
    with locked_table(postgresql, "ledger"):
        first = start_load(store, postgresql)
        wait_until(lambda: bool(blocked_backends(postgresql)))
        second = start_load(store, postgresql)
        assert second.stderr
        waiting = json.loads(second.stderr.readline())
    assert waiting["event"] == "waiting"
    assert "another load of" in waiting["reason"]

    assert finish(first)[0] == 0
    code, _, err = finish(second)
    assert (code, "0 parts loaded" in err) == (0, True)
    assert warehouse_rows(postgresql) == store_rows(store)


def test_what_a_load_cannot_do_it_says_in_a_sentence(store, postgresql, unused_port):
    url = postgresql.destination
    guest = url.replace("owner@", "guest@")
    postgresql.run("drop role if exists guest", f"create role guest login password '{PASSWORD}'")

    def fails(destination: str, *options: str, **environment: str) -> tuple[int, str]:
        process = start_load(
            store, postgresql, *options, environment=environment, destination=destination
        )
        code, _, err = finish(process)
        (line,) = err.splitlines()
        return code, json.loads(line)["reason"]

    code, reason = fails(url, PGPASSWORD="another one entirely")
    assert (code, "password authentication failed" in reason) == (3, True)
    assert "another one entirely" not in reason
    code, reason = fails(guest)
    assert (code, "permission denied for database" in reason) == (3, True)
    code, reason = fails(url.replace("/postgres", "/nowhere"))
    assert (code, 'database "nowhere" does not exist' in reason) == (2, True)
    code, reason = fails(url.replace(str(postgresql.port), str(unused_port)))
    assert (code, "onnection refused" in reason) == (4, True)

    load(store, postgresql)
    postgresql.run(f"alter table {postgresql.schema}.busy drop column open")
    code, reason = fails(url)
    assert (code, "open: missing there, boolean here" in reason) == (2, True)
    assert "name another --schema" in reason


def test_a_user_without_the_right_to_create_schemas_loads_into_one_that_is_there(store, postgresql):
    postgresql.run(
        "drop role if exists loader",
        f"create role loader login password '{PASSWORD}'",
        f"create schema {postgresql.schema} authorization loader",
    )
    try:
        process = start_load(
            store, postgresql, destination=postgresql.destination.replace("owner@", "loader@")
        )
        assert finish(process)[0] == 0
        assert warehouse_rows(postgresql) == store_rows(store)
    finally:
        postgresql.run("drop owned by loader cascade", "drop role loader")


def test_a_character_that_postgresql_cannot_hold_is_replaced(store, postgresql):
    with duckdb.connect(str(store.path)) as connection:
        connection.execute("update names set name = 'a' || chr(0) || 'b' where kind = 'queue'")

    load(store, postgresql)

    assert set(postgresql.read_table("queues")["queue_name"].to_pylist()) == {"a\ufffdb"}


def test_every_window_table_has_an_index_that_its_deletion_can_use(store, postgresql):
    load(store, postgresql)
    names = postgresql.query(
        f"select indexname from pg_indexes where schemaname = '{postgresql.schema}'"
    )["indexname"].to_pylist()

    assert {f"{table.name}_by_window" for table in WINDOW_TABLES} <= set(names)


class StagingPostgresql(SnowflakeDatabase):
    """PostgreSQL, loaded by the steps of Snowflake, for which there is no server here."""

    dialect = sql.POSTGRESQL


def test_staged_rows_make_a_warehouse_equal_to_a_store_and_leave_no_table(store, postgresql):
    address = parse_address(postgresql.destination, postgresql.schema)
    connection = PostgresqlDatabase.connect(address)
    try:
        staging = StagingPostgresql(connection, address)
        for _ in range(2):
            load_store(store, staging, lambda: LOADED_AT, lambda step: None, lambda reason: None)
            assert warehouse_rows(postgresql) == store_rows(store)
            restate_posted(store)
    finally:
        connection.close()

    tables = postgresql.query(
        f"select tablename from pg_tables where schemaname = '{postgresql.schema}'"
    )["tablename"].to_pylist()
    assert sorted(tables) == sorted(table.name for table in ALL_TABLES)
