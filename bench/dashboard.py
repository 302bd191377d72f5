"""How quick the dashboard is: for who opens it, for who uses it, and for fifty at once.

In a browser, over a day of 40, 200 and 2,000 agents: milliseconds to the first
paint, the first cell, another measure and what is behind a half-hour, of a
server that has just started and once more; and from frame to frame while
somebody scrolls. From the server, over a year of 2,000
agents: the heat map of a day, asked one after the other for days that were not
asked for before, alone and while another process settles days; then fifty
people at once, for the same day and for one each. Beside it stands the day's
query alone, as DuckDB answers it.
"""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from store_speed import START, YEAR, a_day, a_store, settle

from halfhour.model.coverage import DAY
from halfhour.model.intervals import Interval
from halfhour.model.tables import STATUS_SCHEMA
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store

PEOPLE, DAYS_ASKED, TURNS = 50, 60, 9
WRITER = """
import sys
from pathlib import Path
from store_speed import a_day, settle
from halfhour.store.store import Store
store = Store(Path(sys.argv[1]))
while True:
    for day in range(300, 360):
        settle(store, day, a_day(day, seed=day))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seen = {f"{count}_agents": in_a_browser(folder, count) for count in (40, 200, 2000)}
        store = a_store(folder / "year")
        for day in range(YEAR):
            settle(store, day, a_day(day))
        with_status(store, range(DAYS_ASKED * 2))
        told = {"browser_ms": seen, "server_ms": of_the_server(store)}
    about = {"python": platform.python_version(), "duckdb": duckdb.__version__}
    print(json.dumps(about | told, indent=2))


def with_status(store: Store, days: Sequence[int]) -> None:
    """Status of each agent and half-hour that has figures, so that occupancy is worked out too."""
    for day in days:
        posted = a_day(day).group_by(["interval_start", "agent_id"]).aggregate([])
        rows = len(posted)
        parts = [("presence", "ON_QUEUE", 1_800_000), ("routing", "INTERACTING", 1_200_000),
                 ("routing", "IDLE", 600_000)]  # fmt: skip
        tables = [
            posted.append_column("kind", pa.array([kind] * rows))
            .append_column("status", pa.array([status] * rows))
            .append_column("status_ms", pa.array([ms] * rows, pa.int64()))
            .cast(STATUS_SCHEMA)
            for kind, status, ms in parts
        ]
        window = Interval(START + day * DAY, START + (day + 1) * DAY)
        found = {"status": pa.concat_tables(tables)}
        store.settle(Source.STATUS, window, found, window.end + timedelta(days=9))


@contextmanager
def served(store: Store) -> Iterator[str]:
    command = [sys.executable, "-m", "halfhour", "serve", "--port", "0", "--store", str(store.path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        yield process.stderr.readline().split("halfhour: ", 1)[1].strip()
        process.terminate()


def in_a_browser(folder: Path, count: int) -> dict[str, float]:
    """Milliseconds; cold is what the server has to work out, warm what it has just answered."""
    from playwright.sync_api import sync_playwright

    store = a_store(folder / f"{count}")
    table = a_day(0)
    ids = pc.unique(table["agent_id"])[:count]
    settle(store, 0, table.filter(pc.is_in(table["agent_id"], ids)))
    with_status(store, [0])
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    times: dict[str, list[float]] = {}
    frames: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(TURNS):
            with served(store) as url:
                for name in ("cold", "warm"):
                    tab = browser.new_page(viewport={"width": 1440, "height": 900})
                    used(tab, f"{url}?day={START:%Y-%m-%d}", name, times)
                    frames += tab.evaluate(FRAMES)
                    tab.close()
        browser.close()
    middle = {name: round(statistics.median(each), 1) for name, each in times.items()}
    return middle | {f"frame_{name}": value for name, value in spread(frames).items()}


def used(tab: Any, address: str, name: str, times: dict[str, list[float]]) -> None:
    """Opened, switched to another measure, and one half-hour looked into."""

    def timed(what: str, step: Callable[[], Any]) -> None:
        began = time.perf_counter()
        step()
        times.setdefault(f"{what}_{name}", []).append((time.perf_counter() - began) * 1000)

    def opened() -> None:
        tab.goto(address, wait_until="commit")
        tab.wait_for_selector(".cell")

    def measured() -> None:
        tab.get_by_role("combobox", name="Measure").select_option("hold")
        tab.evaluate("window.drawn")

    def looked_into() -> None:
        tab.locator("#at-3-20").click()
        tab.wait_for_selector("#panel h2")

    timed("first_cell", opened)
    times.setdefault(f"first_paint_{name}", []).append(tab.evaluate(PAINTED))
    tab.evaluate(WATCH)
    timed("another_measure", measured)
    timed("half_hour", looked_into)


PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
WATCH = """() => {
  window.drawn = new Promise(done => new MutationObserver(() => requestAnimationFrame(done))
    .observe(document.querySelector(".lines"), { childList: true }));
}"""
FRAMES = """() => new Promise(done => {
  const grid = document.getElementById("grid"), times = []; let before = null;
  const step = now => {
    if (before !== null) times.push(now - before);
    before = now;
    grid.scrollTop += 60;
    times.length < 120 ? requestAnimationFrame(step) : done(times);
  };
  requestAnimationFrame(step);
})"""
"""Milliseconds from each frame to the next, two lines and more further down at each."""


def of_the_server(store: Store) -> dict[str, Any]:
    with served(store) as url:

        def ask(query: str) -> float:
            began = time.perf_counter()
            request = urllib.request.Request(f"{url}api/day?{query}")
            request.add_header("accept-encoding", "gzip")
            with urllib.request.urlopen(request, timeout=120) as answer:
                answer.read()
            return (time.perf_counter() - began) * 1000

        def day(number: int) -> str:
            return f"day={START + number * DAY:%Y-%m-%d}"

        ask(day(0))
        alone = [ask(day(number)) for number in range(1, DAYS_ASKED)]
        here = Path(__file__).parent
        environment = {**os.environ, "PYTHONPATH": str(here)}
        command = [sys.executable, "-c", WRITER, str(store.path)]
        with subprocess.Popen(command, env=environment) as writer:
            time.sleep(2)
            beside = [ask(day(DAYS_ASKED + number)) for number in range(DAYS_ASKED)]
            writer.kill()
        with ThreadPoolExecutor(PEOPLE) as people:
            same = list(people.map(ask, [day(5) + "&sort=load"] * PEOPLE))
            own = list(people.map(ask, [day(number) + "&sort=load" for number in range(PEOPLE)]))
    return {
        "day_alone": spread(alone),
        "day_while_days_are_settled": spread(beside),
        "fifty_at_once_the_same": spread(same),
        "fifty_at_once_each_another": spread(own),
        "query_alone": spread([in_duckdb(store, number) for number in range(1, DAYS_ASKED)]),
    }


def in_duckdb(store: Store, number: int) -> float:
    """Sums by agent and half-hour of one day, from a file that is open already."""
    with duckdb.connect(str(store.path), read_only=True) as connection:
        began = time.perf_counter()
        connection.sql(
            "select interval_start, agent_id, sum(handle_ms) from posted "
            "where interval_start >= ? and interval_start < ? group by all",
            params=[START + number * DAY, START + (number + 1) * DAY],
        ).to_arrow_table()
        return (time.perf_counter() - began) * 1000


def spread(times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {f"p{at}": round(cuts[at - 1], 1) for at in (50, 95, 99)}


if __name__ == "__main__":
    main()
