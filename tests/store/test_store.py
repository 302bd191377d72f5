"""The store as a file: settled windows, other processes, and files that are not stores."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from halfhour.errors import StoreBusy, StoreError
from halfhour.genesys import payloads
from halfhour.ingest import aggregates
from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, Interval
from halfhour.model.rules import detail_rules_hash
from halfhour.model.tables import POSTED_SCHEMA, STATUS_SCHEMA
from halfhour.model.vocabulary import Source
from halfhour.store.database import (
    DETAIL_RULES,
    RULES_RECORDED_SINCE,
    STORE_VERSION,
    load_store_sql,
)
from halfhour.store.store import SettleResult, Store
from halfhour.syncing.planner import SyncRequest, prepare_store
from tests.processes import held_elsewhere

START = datetime(2026, 3, 2, tzinfo=UTC)
MONDAY = Interval(START, START + DAY)
LATER = START + 9 * DAY
MADE = {"granularity": "1800", "reread": "86400 345600"}


def stored_settings(store: Store) -> dict[str, str]:
    """Return the settings of *store* without the hash of its rules."""
    return {name: value for name, value in store.stored_settings().items() if name != DETAIL_RULES}


def posted_rows(*figures: tuple[int, str, str | None, dict[str, int]]) -> pa.Table:
    """Return a table of rows given as (half-hour, agent, queue, figures)."""
    return pa.Table.from_pylist(
        [
            {
                "interval_start": START + at * HALF_HOUR,
                "agent_id": agent,
                "queue_id": queue,
                "media_type": "voice",
                **values,
            }
            for at, agent, queue, values in figures
        ],
        schema=POSTED_SCHEMA,
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "halfhour.duckdb", busy_timeout=2)
    made.ensure_created(MADE)
    return made


def settle_posted(
    store: Store, window: Interval, posted: pa.Table, read_at: datetime
) -> SettleResult:
    return store.settle(Source.POSTED, window, {"posted": posted}, read_at)


def figures_by_key(table: pa.Table) -> dict[tuple[Any, ...], int]:
    """Return the figures by interval, agent, queue and column."""
    return {
        (row["interval_start"], row["agent_id"], row["queue_id"], name): row[name]
        for row in table.to_pylist()
        for name in POSTED_SCHEMA.names[4:]
        if row[name] is not None
    }


def test_a_settled_window_is_stored_with_the_record_of_its_reading(store):
    posted = posted_rows((0, "ada", None, {"handle_ms": 7}), (47, "bob", "q", {"acw_ms": 3}))
    assert settle_posted(store, MONDAY, posted, LATER) == (2, 0)

    assert store.posted_rows(MONDAY).sort_by("agent_id").equals(posted)
    (settled,) = store.settled_windows(Source.POSTED)
    assert (settled.window, settled.read_at, settled.row_count) == (MONDAY, LATER, 2)


def test_a_window_is_replaced_whole_and_its_neighbours_stay_unchanged(store):
    settle_posted(store, MONDAY, posted_rows((0, "ada", None, {"handle_ms": 7})), LATER)
    tuesday = Interval(START + DAY, START + 2 * DAY)
    settle_posted(store, tuesday, posted_rows((48, "ada", None, {"handle_ms": 9})), LATER)
    settle_posted(store, MONDAY, posted_rows((3, "bob", None, {"handle_ms": 1})), LATER)

    table = store.posted_rows(Interval(START, START + 9 * DAY))
    assert sorted(figures_by_key(table).values()) == [1, 9]
    assert [settled.window for settled in store.settled_windows(Source.POSTED)] == [MONDAY, tuesday]


def test_rows_of_other_days_are_not_settled(store):
    both_days = posted_rows((0, "ada", None, {"acw_ms": 7}), (48, "bob", None, {"acw_ms": 9}))

    assert settle_posted(store, MONDAY, both_days, LATER) == (1, 0)
    assert store.posted_rows(Interval(START, START + 9 * DAY))["acw_ms"].to_pylist() == [7]


def test_a_store_in_memory_has_the_tables_of_a_file_and_leaves_nothing(store, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    posted = posted_rows((0, "ada", None, {"handle_ms": 7}), (47, "bob", "q", {"acw_ms": 3}))
    columns = "select table_name, column_name, data_type from duckdb_columns() order by all"
    with Store.create_in_memory(MADE, tmp_path) as in_memory:
        assert settle_posted(in_memory, MONDAY, posted, LATER) == (2, 0)
        assert in_memory._query(columns).equals(store._query(columns))
        assert in_memory.stored_settings() == store.stored_settings()
        with in_memory.open_snapshot() as snapshot:
            assert snapshot.posted_rows(MONDAY).sort_by("agent_id").equals(posted)

    assert sorted(tmp_path.rglob("*")) == before


cells = st.dictionaries(
    st.tuples(
        st.integers(0, 47), st.sampled_from(["ada", "bob"]), st.sampled_from(["q", "q,r", None])
    ),
    st.dictionaries(
        st.sampled_from(["handle_ms", "acw_ms", "handle_count"]), st.integers(0, 9), min_size=1
    ),
    max_size=6,
)


@given(cells, cells, st.integers(1, 48))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_revisions_are_the_differences_between_two_readings_of_posted_figures(
    tmp_path, before, after, names
):
    store = Store(tmp_path / f"{os.urandom(8).hex()}.duckdb")
    store.ensure_created(MADE)
    first = {key: value for key, value in before.items() if key[0] < names}
    until = Interval(START, START + names * HALF_HOUR)
    settle_posted(
        store, until, posted_rows(*((*key, value) for key, value in first.items())), START
    )
    posted = posted_rows(*((*key, value) for key, value in after.items()))
    changed = settle_posted(store, MONDAY, posted, LATER)

    old, new = (
        figures_by_key(posted_rows(*((*key, value) for key, value in first.items()))),
        figures_by_key(posted),
    )
    new = {key: value for key, value in new.items() if key[0] < until.end}
    revisions = {
        (row["interval_start"], row["agent_id"], row["queue_id"], row["column_name"]): (
            row["old_value"],
            row["new_value"],
        )
        for row in store.revision_rows().to_pylist()
    }
    assert revisions == {
        key: (old.get(key), new.get(key))
        for key in old.keys() | new.keys()
        if old.get(key) != new.get(key)
    }
    assert changed.changed == len(revisions)


statuses = st.dictionaries(
    st.tuples(
        st.integers(0, 47),
        st.sampled_from(["ada", "bob"]),
        st.sampled_from([("presence", "ON_QUEUE"), ("routing", "IDLE"), ("routing", "OFF_QUEUE")]),
    ),
    st.integers(1, 1_800_000),
    max_size=6,
)


@given(statuses, statuses)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_revisions_of_status_are_the_differences_for_agents_known_before(tmp_path, before, after):
    store = Store(tmp_path / f"{os.urandom(8).hex()}.duckdb")
    store.ensure_created(MADE)
    for posted, read_at in ((before, START), (after, LATER)):
        table = pa.Table.from_pylist(
            [
                {
                    "interval_start": START + at * HALF_HOUR,
                    "agent_id": agent,
                    "kind": kind,
                    "status": status,
                    "status_ms": value,
                }
                for (at, agent, (kind, status)), value in posted.items()
            ],
            schema=STATUS_SCHEMA,
        )
        store.settle(Source.STATUS, MONDAY, {"status": table}, read_at)

    assert {
        (row["interval_start"], row["agent_id"], row["column_name"]): (
            row["old_value"],
            row["new_value"],
        )
        for row in store.revision_rows().to_pylist()
    } == {
        (START + at * HALF_HOUR, agent, f"{kind}_{status.lower()}_ms"): (
            before.get((at, agent, (kind, status))),
            after.get((at, agent, (kind, status))),
        )
        for at, agent, (kind, status) in before.keys() | after.keys()
        if before.get((at, agent, (kind, status))) != after.get((at, agent, (kind, status)))
        and agent in {agent for _, agent, _ in before}
    }


def test_names_are_read_again_once_they_are_old(store):
    settle_posted(store, MONDAY, posted_rows((0, "ada", "q,r", {}), (1, "bob", None, {})), LATER)
    assert store.unnamed_ids("agent", START) == ["ada", "bob"]
    assert store.unnamed_ids("queue", START) == ["q", "r"]

    store.store_names(
        "agent",
        aggregates.directory_table(["ada", "bob"], [payloads.DirectoryEntity("ada", "Ada")]),
        START,
    )
    assert store.unnamed_ids("agent", START) == []
    assert store.unnamed_ids("agent", START + DAY) == ["ada", "bob"]
    assert store.names_by_kind("agent").to_pylist() == [{"id": "ada", "name": "Ada"}]
    store.store_names(
        "agent",
        aggregates.directory_table([], [payloads.DirectoryEntity("ada", "Ada L.")]),
        START + DAY,
    )
    assert store.names_by_kind("agent")["name"].to_pylist() == ["Ada L."]


def test_the_store_refuses_naive_times(store):
    with pytest.raises(ValueError, match="no time zone"):
        settle_posted(
            store, MONDAY, posted_rows((0, "ada", None, {"acw_ms": 0})), LATER.replace(tzinfo=None)
        )
    assert store.settled_windows(Source.POSTED) == []


def test_old_windows_are_dropped_whole(store):
    for day in range(3):
        window = Interval(START + day * DAY, START + (day + 1) * DAY)
        settle_posted(store, window, posted_rows((day * 48, "ada", None, {"acw_ms": day})), LATER)

    assert store.delete_days_before(START + DAY + timedelta(hours=23)) == 1
    assert [settled.window.start for settled in store.settled_windows(Source.POSTED)] == [
        START + DAY,
        START + 2 * DAY,
    ]
    assert store.posted_rows(Interval(START, START + 9 * DAY))["acw_ms"].to_pylist() == [1, 2]
    assert store.delete_days_before(START) == 0


def test_a_deleted_day_loses_all_its_sources_even_unfinished_ones(store):
    monday, noon = START, START + DAY / 2
    settle_posted(
        store, Interval(monday, monday + DAY), posted_rows((40, "ada", None, {"acw_ms": 1})), LATER
    )
    store.settle(
        Source.STATUS, Interval(monday, noon), {"status": STATUS_SCHEMA.empty_table()}, LATER
    )

    assert store.delete_days_before(noon + timedelta(hours=1)) == 0
    assert store.posted_rows(Interval(monday, monday + DAY)).num_rows == 1
    assert store.delete_days_before(monday + DAY) == 1
    assert store.settled_windows(Source.STATUS) == []


def test_readers_and_a_writer_take_turns(store):
    settle_posted(store, MONDAY, posted_rows((0, "ada", None, {"acw_ms": 0})), LATER)
    reader = (
        "import sys; from datetime import *; from pathlib import Path\n"
        "from halfhour.store.store import Store; from halfhour.model.intervals import Interval\n"
        "start = datetime(2026, 3, 2, tzinfo=UTC); store = Store(Path(sys.argv[1]))\n"
        "day = Interval(start, start + timedelta(days=1))\n"
        "reads = [store.posted_rows(day)['acw_ms'].to_pylist()"
        " for _ in range(25)]\n"
        "assert all(len(values) == 1 for values in reads), reads\n"
    )
    with subprocess.Popen([sys.executable, "-c", reader, str(store.path)]) as other:
        for value in range(25):
            settle_posted(store, MONDAY, posted_rows((0, "ada", None, {"acw_ms": value})), LATER)
    assert other.returncode == 0


def test_a_process_that_keeps_the_store_open_too_long_is_named(store):
    with held_elsewhere(store.path) as other:
        impatient = Store(store.path, busy_timeout=0.2)
        with pytest.raises(StoreBusy, match=rf"PID {other.pid}.*has it open; try again"):
            impatient.settled_windows(Source.POSTED)
        # A process that waits long enough gets the store.
        release = threading.Timer(0.5, lambda: other.communicate("\n"))
        release.start()
        assert store.settled_windows(Source.POSTED) == []
        release.join()  # or the end of the process is waited for in two places at once


def test_a_failed_settle_leaves_what_was_there(store):
    settle_posted(store, MONDAY, posted_rows((0, "ada", None, {"acw_ms": 1})), LATER)
    invalid_rows = posted_rows((0, "ada", None, {"acw_ms": 2})).set_column(
        1, "agent_id", pa.array([None], pa.string())
    )
    with pytest.raises(StoreError):
        settle_posted(store, MONDAY, invalid_rows, LATER + DAY)

    assert store.posted_rows(MONDAY)["acw_ms"].to_pylist() == [1]
    assert store.settled_windows(Source.POSTED)[0].read_at == LATER
    assert store.revision_rows().num_rows == 0


def newer_store(path: Path) -> None:
    Store(path).ensure_created(MADE)
    with duckdb.connect(str(path)) as connection:
        connection.execute("update settings set value = '99' where name = 'version'")


def foreign_database(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table their_data as select 1 as one")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (newer_store, "a newer halfhour made this store (version 99"),
        (foreign_database, "this DuckDB database is not a halfhour store"),
        (lambda path: path.write_text("interval_start,agent_id\n"), "this file is not a"),
        (lambda path: path.write_bytes(b"SQLite format 3\x00" * 9), "not a halfhour store"),
        (lambda path: path.touch(), "the store is empty; run 'halfhour sync'"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: None, "there is no store; 'halfhour sync' makes one"),
        (lambda path: duckdb.connect(str(path)).close(), "the store is empty; run 'halfhour sync'"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_store_is_refused_and_left_untouched(tmp_path, make, words):
    path = tmp_path / "other"
    make(path)
    before = path.read_bytes() if path.is_file() else b""

    with pytest.raises(StoreError) as caught:
        Store(path).settled_windows(Source.POSTED)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    if "make" not in words and "store is empty" not in words:
        with pytest.raises(StoreError):
            Store(path).ensure_created(MADE)
    assert before == (path.read_bytes() if path.is_file() else b"")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(StoreError, match="there is no such folder"):
        Store(tmp_path / "nowhere" / "x.duckdb").ensure_created(MADE)


def test_an_empty_database_becomes_a_store(tmp_path):
    """A process killed during its first transaction leaves such a file."""
    path = tmp_path / "halfhour.duckdb"
    duckdb.connect(str(path)).close()
    store = Store(path)
    assert not store.exists
    prepare_store(store, SyncRequest(), LATER)

    assert stored_settings(store) == {**MADE, "version": str(STORE_VERSION)}
    assert store.has_current_rules
    store.ensure_created({"granularity": "900"})  # a store keeps what it was made with
    assert store.stored_settings()["granularity"] == "1800"


@pytest.mark.parametrize("version", range(1, STORE_VERSION))
def test_a_store_of_an_older_version_is_brought_up_to_date(tmp_path, version):
    store = Store(tmp_path / "halfhour.duckdb")
    with duckdb.connect(str(store.path)) as connection:
        for number in range(1, version + 1):
            connection.execute(load_store_sql(f"migrations/{number:04}"))
        connection.execute("insert into settings values ('version', ?)", [str(version)])
        connection.executemany("insert into settings values (?, ?)", list(MADE.items()))
        if version >= RULES_RECORDED_SINCE:
            connection.execute(
                "insert into settings values (?, ?)", [DETAIL_RULES, detail_rules_hash()]
            )
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            "insert into names (kind, id, name, read_at) values ('agent', 'ada', 'Ada', ?)",
            [LATER],
        )
        values = {"start": START, "end": START + DAY, "read_at": LATER}
        connection.execute(
            "insert into settled (source, window_start, window_end, read_at, row_count) "
            "values ('posted', $start, $end, $read_at, 1)",
            values,
        )
        connection.execute(
            "insert into posted (interval_start, agent_id, media_type, acw_ms) "
            "values (?, 'ada', 'voice', 7)",
            [START],
        )

    with pytest.raises(StoreError, match="an older halfhour made this store; run 'halfhour sync'"):
        store.posted_rows(MONDAY)
    prepare_store(store, SyncRequest(), LATER)

    assert stored_settings(store) == {**MADE, "version": str(STORE_VERSION)}
    assert store.has_current_rules
    assert figures_by_key(store.posted_rows(MONDAY)) == {(START, "ada", None, "acw_ms"): 7}
    assert [settled.window for settled in store.settled_windows(Source.POSTED)] == [MONDAY]
    assert store.settled_windows(Source.DETAILS) == []

    # The states of agents were not read before version 7, so names are read again.
    assert store.directory_entries("agent").to_pylist() == [
        {"id": "ada", "name": "Ada", "division": None, "team": None, "state": None}
    ]
    assert store.unnamed_ids("agent", LATER) == ["ada"]

    # Transfers were not read before version 4, so the first ones are no revision.
    assert [settled.has_transfers for settled in store.settled_windows(Source.POSTED)] == [
        version > 3
    ]
    for transferred, changed in ((2, version > 3), (3, True)):
        posted = posted_rows((0, "ada", None, {"acw_ms": 7, "transferred_count": transferred}))
        assert settle_posted(store, MONDAY, posted, LATER).changed == changed
        assert [settled.has_transfers for settled in store.settled_windows(Source.POSTED)] == [True]


ON_A_SMALL_DISK = """
import subprocess, sys
from pathlib import Path
from halfhour.errors import StoreError
from halfhour.store.store import Store
from tests.store.test_store import *

disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
store = Store(disk / "halfhour.duckdb")
store.ensure_created(MADE)
settle_posted(store, MONDAY, posted_rows((0, "ada", None, {"acw_ms": 1})), LATER)
many = posted_rows(*((at % 48, f"{at * at}", None, {"handle_ms": at**3}) for at in range(200_000)))


def try_to_settle():
    try:
        settle_posted(store, MONDAY, many, LATER + DAY)
    except StoreError as error:
        print(str(error).removeprefix(str(store.path)))


try_to_settle()
subprocess.run(["mount", "-o", "remount,bind,ro", disk], check=True)
try_to_settle()
print(store.posted_rows(MONDAY)["acw_ms"].to_pylist(), len(store.settled_windows(Source.POSTED)))
"""
AS_ROOT = ("unshare", "--user", "--map-root-user", "--mount")


def may_mount(folder: Path) -> bool:
    try:
        return not subprocess.run(
            [*AS_ROOT, "mount", "-t", "tmpfs", "tmpfs", folder], check=False, capture_output=True
        ).returncode
    except FileNotFoundError:
        return False


def test_a_full_or_read_only_disk_leaves_settled_windows_as_they_were(tmp_path):
    if not may_mount(tmp_path):
        pytest.skip("this system does not let a user mount a file system")
    done = subprocess.run(
        [*AS_ROOT, sys.executable, "-c", ON_A_SMALL_DISK, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == [
        ": the disk is full; the stored data is unchanged",
        ": it is on a read-only file system",
        "[1] 1",
    ]


def test_a_folder_without_write_permission_is_named(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write to every folder")
    with pytest.raises(StoreError, match="cannot be written to"):
        Store(folder / "halfhour.duckdb").ensure_created(MADE)
