"""Settling a day of posted figures, beside the ways in which others keep rows up to date.

The same rows of 2,000 agents go into a store of ours, into a DuckDB table with
a primary key by `insert or replace`, and into SQLite likewise; first as new,
then again with one figure in a hundred changed, which only ours takes a record
of. Then a day is settled again in a store of a year, beside a store of a day, and
the report of a day is read from it, beside its sums with nothing but DuckDB.
"""

import json
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, Interval, epoch_ms
from halfhour.model.question import Question
from halfhour.model.tables import POSTED_SCHEMA
from halfhour.model.vocabulary import Source
from halfhour.reports.from_store import open_report_data
from halfhour.reports.questions import build_report
from halfhour.store.store import Store

START = datetime(2025, 1, 1, tzinfo=UTC)
AGENTS, QUEUES, SHIFT = 2000, 2, 18
YEAR = 365
ROUNDS = 5
KEY = POSTED_SCHEMA.names[:4]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = {**ways(Path(folder)), **a_year(Path(folder))}
    about = {"python": platform.python_version(), "duckdb": duckdb.__version__}
    print(json.dumps(about | found, indent=2))


def a_day(day: int, seed: int = 0) -> pa.Table:
    """Rows of every agent and queue in *SHIFT* half-hours; *seed* changes a figure in a hundred."""
    dice = np.random.default_rng(day)
    rows = AGENTS * SHIFT * QUEUES
    agent = np.repeat(np.arange(AGENTS), SHIFT * QUEUES)
    half_hour = agent % 30 + np.tile(np.repeat(np.arange(SHIFT), QUEUES), AGENTS)
    starts = epoch_ms(START + day * DAY) + half_hour * (HALF_HOUR // timedelta(milliseconds=1))
    queue = np.tile(np.arange(QUEUES), AGENTS * SHIFT)
    figures = {}
    for name in POSTED_SCHEMA.names[4:]:
        values = dice.integers(0, 1_800_000, rows)
        if seed:
            other = np.random.default_rng(seed)
            values = np.where(other.random(rows) < 0.01, values + seed, values)
        figures[name] = pa.array(values)
    return pa.table(
        {
            "interval_start": pa.array(starts, pa.timestamp("ms", "UTC")),
            "agent_id": pa.array([f"{each:08}-0000-4000-8000-000000000000" for each in agent]),
            "queue_id": pa.array([f"{each:08}-1111-4000-8000-000000000000" for each in queue]),
            "media_type": pa.array(["voice"] * rows),
            **figures,
        }
    ).cast(POSTED_SCHEMA)


def ways(folder: Path) -> dict[str, object]:
    """Rows a second, each way: new rows, and the same again with some changed."""
    first, again = a_day(0), a_day(0, seed=7)
    rates: dict[str, dict[str, float]] = {}
    for name, way in {"settle": settled, "duckdb": replaced, "sqlite": in_sqlite}.items():
        new, changed = [], []
        for at in range(ROUNDS):
            write = way(folder / f"{name}{at}")
            new.append(took(lambda write=write: write(first)))  # type: ignore[misc]
            changed.append(took(lambda write=write: write(again)))  # type: ignore[misc]
        rates[name] = {
            kind: round(first.num_rows / statistics.median(times))
            for kind, times in (("new", new), ("again", changed))
        }
    return {
        "rows": first.num_rows,
        "rows_a_second": rates,
        "settle_to_duckdb": ratios(rates, "duckdb"),
        "settle_to_sqlite": ratios(rates, "sqlite"),
    }


def ratios(rates: dict[str, dict[str, float]], other: str) -> dict[str, float]:
    return {kind: round(rate / rates[other][kind], 2) for kind, rate in rates["settle"].items()}


def took(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def a_store(path: Path) -> Store:
    store = Store(path.with_suffix(".duckdb"))
    store.ensure_created({"granularity": "1800", "reread": "86400 345600"})
    return store


def settle(store: Store, day: int, rows: pa.Table) -> None:
    window = Interval(START + day * DAY, START + (day + 1) * DAY)
    store.settle(Source.POSTED, window, {"posted": rows}, window.end)


def settled(path: Path) -> Callable[[pa.Table], None]:
    store = a_store(path)
    return lambda rows: settle(store, 0, rows)


def replaced(path: Path) -> Callable[[pa.Table], None]:
    columns = ", ".join(f"{name} bigint" for name in POSTED_SCHEMA.names[4:])
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table posted (interval_start timestamptz, agent_id varchar, queue_id varchar, "
            f"media_type varchar, {columns}, primary key ({', '.join(KEY)}))"
        )

    def write(rows: pa.Table) -> None:
        with duckdb.connect(str(path)) as connection:
            connection.register("incoming", rows)
            connection.execute("insert or replace into posted by name select * from incoming")

    return write


def in_sqlite(path: Path) -> Callable[[pa.Table], None]:
    columns = ", ".join(POSTED_SCHEMA.names)
    with sqlite3.connect(path) as connection:
        connection.execute(f"create table posted ({columns}, primary key ({', '.join(KEY)}))")
    places = ", ".join("?" * len(POSTED_SCHEMA.names))

    def write(rows: pa.Table) -> None:
        rows = rows.set_column(0, "interval_start", rows["interval_start"].cast(pa.int64()))
        with sqlite3.connect(path) as connection:
            connection.executemany(
                f"insert or replace into posted values ({places})",
                zip(*(column.to_pylist() for column in rows.columns), strict=True),
            )

    return write


def a_year(folder: Path) -> dict[str, object]:
    """A day settled again, in a store that holds nothing else and in one of a year."""
    small, large = a_store(folder / "day"), a_store(folder / "year")
    settle(small, 0, a_day(0))
    template = a_day(0)
    for day in range(YEAR):
        moved = epoch_ms(START + day * DAY) - epoch_ms(START)
        starts = pa.compute.add(template["interval_start"].cast(pa.int64()), moved)
        settle(large, day, template.set_column(0, "interval_start", starts).cast(POSTED_SCHEMA))
    times: dict[str, list[float]] = {"day": [], "year": []}
    for at in range(ROUNDS):
        rows = a_day(0, seed=at + 1)
        for name, store in (("day", small), ("year", large)):
            times[name].append(took(lambda store=store, rows=rows: settle(store, 0, rows)))  # type: ignore[misc]
    medians = {name: round(statistics.median(each), 3) for name, each in times.items()}
    reports = report_of_a_day(large)
    return {
        "report_s": reports,
        "report_to_bare": round(reports["halfhour"] / reports["bare"], 2),
        "settled_again_s": medians,
        "year_to_day": round(medians["year"] / medians["day"], 2),
        "year_rows": template.num_rows * YEAR,
        "year_mb": round((folder / "year.duckdb").stat().st_size / 1e6),
    }


def report_of_a_day(store: Store) -> dict[str, float]:
    """Seconds for the report of a day in the store, and for its sums with nothing but DuckDB."""
    day = Interval(START + 200 * DAY, START + 201 * DAY)
    question = Question(day, UTC)
    sums = ", ".join(f"sum({name}) as {name}" for name in POSTED_SCHEMA.names[4:])

    def report() -> None:
        with open_report_data(store, question, day.end) as data:
            build_report(question, data)

    def bare() -> None:
        with duckdb.connect(str(store.path), read_only=True) as connection:
            connection.sql(
                f"select interval_start, agent_id, {sums} from posted where interval_start >= "
                "$start and interval_start < $end group by all order by all",
                params={"start": day.start, "end": day.end},
            ).to_arrow_table()

    times: dict[str, list[float]] = {"halfhour": [], "bare": []}
    for _ in range(ROUNDS):
        for name, work in (("halfhour", report), ("bare", bare)):
            times[name].append(took(work))
    return {name: round(statistics.median(each), 3) for name, each in times.items()}


if __name__ == "__main__":
    main()
