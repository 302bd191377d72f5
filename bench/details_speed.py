"""Pages of conversation details to segments, and segments to worked time.

Pages that the emulator gave are read by halfhour, by json and pandas, by orjson
and loops, and by simdjson, which only parses them; each but the last must find
as many milliseconds in the segments of agents. Then made-up segments of 2,000
agents go into a store and are cut into half-hours, each time in a process of
its own, whose peak memory is told.
"""

import asyncio
import base64
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import msgspec
import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import simdjson

from genesys_emulator.pytest_plugin import GenesysCloud, running
from halfhour.genesys import payloads
from halfhour.ingest.detail_spool import DetailSpool
from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, Interval, epoch_ms
from halfhour.model.tables import EMITTED_SCHEMA, SEGMENTS_SCHEMA
from halfhour.model.vocabulary import Basis, Source
from halfhour.store.derived_details import derive_details
from halfhour.store.report_views import ReportScope, open_report_views
from halfhour.store.store import Store

START = datetime(2026, 3, 2, tzinfo=UTC)
MONDAY = Interval(START, START + DAY)
CENTRE = ("--now", "2026-03-04T00:00:00Z", "--agents", "300", "--requests-per-minute", "100000")
ROUNDS = 5
AGENTS, A_DAY = 2000, 100
"""Segments that an agent has in a day."""


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(cut(int(sys.argv[1]))))
        return
    with running(*CENTRE) as cloud:
        pages = asked(cloud)
    print(json.dumps({"python": platform.python_version(), **readers(pages)}, indent=2))
    for millions in (1, 4):
        command = [sys.executable, __file__, str(millions)]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="")


def asked(cloud: GenesysCloud) -> list[bytes]:
    """Every page of a day's details."""
    secret = base64.b64encode(f"{cloud.client_id}:{cloud.client_secret}".encode()).decode()
    form = {"Authorization": f"Basic {secret}"}
    token = json.loads(
        post(f"{cloud.url}/oauth/token", b"grant_type=client_credentials", form)
    )["access_token"]  # fmt: skip
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    pages: list[bytes] = []
    while not pages or b'"conversations"' in pages[-1]:
        paging = {"pageSize": 100, "pageNumber": len(pages) + 1}
        body = json.dumps({"interval": str(MONDAY), "paging": paging}).encode()
        pages.append(
            post(f"{cloud.url}/api/v2/analytics/conversations/details/query", body, headers)
        )
    return pages[:-1]


def post(url: str, body: bytes, headers: dict[str, str]) -> bytes:
    with urlopen(Request(url, body, headers)) as answer:
        return bytes(answer.read())


def readers(pages: list[bytes]) -> dict[str, object]:
    """Megabytes a second of each, and ours to the others."""
    megabytes = sum(map(len, pages)) / 1e6
    ways: dict[str, Callable[[list[bytes]], int]] = {
        "halfhour": by_halfhour,
        "json_pandas": by_page(by_pandas),
        "orjson_loops": by_page(by_loops),
        "simdjson_parse": by_page(parsed),
    }
    found = {name: way(pages) for name, way in ways.items()}
    if len({found[name] for name in ways if name != "simdjson_parse"}) != 1:
        raise SystemExit(f"they do not agree: {found}")
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            began = time.process_time()
            way(pages)
            times[name].append(time.process_time() - began)
    rates = {name: megabytes / statistics.median(each) for name, each in times.items()}
    return {
        "pages": len(pages),
        "megabytes": round(megabytes, 1),
        "megabytes_a_second": {name: round(rate, 1) for name, rate in rates.items()},
        "halfhour_to": {
            name: round(rates["halfhour"] / rate, 2)
            for name, rate in rates.items()
            if name != "halfhour"
        },
    }


DECODER = msgspec.json.Decoder(payloads.DetailsPage)


def by_halfhour(pages: list[bytes]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        with DetailSpool(Path(folder)) as spool:
            for page in pages:
                spool.append_records(DECODER.decode(page).conversations or (), MONDAY.end)
        details = asyncio.run(derive_details(spool.tables(), MONDAY, Path(folder)))
        segments = ds.dataset(details.paths["segments"], format="ipc").to_table()
    closed = segments.filter(pc.invert(segments["open"]))
    return int(pc.sum(pc.subtract(closed["end_ms"], closed["start_ms"])).as_py())


def by_page(way: Callable[[bytes], int]) -> Callable[[list[bytes]], int]:
    return lambda pages: sum(map(way, pages))


def rows(conversations: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Segments of agents that have an end, with a part in the day."""
    return [
        (
            conversation["conversationId"],
            session["sessionId"],
            participant["userId"],
            segment.get("queueId"),
            session["mediaType"],
            segment["segmentType"],
            segment["segmentStart"],
            segment["segmentEnd"],
        )
        for conversation in conversations
        for participant in conversation["participants"]
        if participant.get("userId")
        for session in participant["sessions"]
        for segment in session["segments"]
        if segment["segmentStart"] < f"{MONDAY.end:%Y-%m-%dT}"
        and segment.get("segmentEnd", "") > f"{MONDAY.start:%Y-%m-%dT}"
    ]


def by_pandas(page: bytes) -> int:
    frame = pd.DataFrame(rows(json.loads(page)["conversations"]))
    start, end = (pd.to_datetime(frame[column], format="ISO8601") for column in (6, 7))
    return int((end - start).sum() / pd.Timedelta(milliseconds=1))


def by_loops(page: bytes) -> int:
    millisecond = timedelta(milliseconds=1)
    return sum(
        (datetime.fromisoformat(row[7]) - datetime.fromisoformat(row[6])) // millisecond
        for row in rows(orjson.loads(page)["conversations"])
    )


def parsed(page: bytes) -> int:
    return 0 if simdjson.Parser().parse(page) else 1


def cut(millions: int) -> dict[str, float]:
    """So many segments, settled day by day and cut into half-hours."""
    days = millions * 1_000_000 // (AGENTS * A_DAY)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "halfhour.duckdb")
        store.ensure_created({"granularity": "1800", "reread": "86400"})
        for day in range(days):
            window = Interval(START + day * DAY, START + (day + 1) * DAY)
            tables = {"segments": made_up(day), "emitted": EMITTED_SCHEMA.empty_table()}
            store.settle(Source.DETAILS, window, tables, window.end)
        settled = peak_mb()
        began = time.perf_counter()
        scope = ReportScope(Interval(START, START + days * DAY), HALF_HOUR, Basis.WORKED)
        with open_report_views(store, scope) as connection:
            worked = connection.sql("from figures").to_arrow_table()
        took = time.perf_counter() - began
    return {
        "segments": millions * 1_000_000,
        "worked_rows": worked.num_rows,
        "segments_a_second": round(millions * 1_000_000 / took),
        "worked_rows_a_second": round(worked.num_rows / took),
        "peak_mb_after_settling": settled,
        "peak_mb_after_cutting": peak_mb(),
    }


def made_up(day: int) -> pa.Table:
    """Segments of a shift, one after the other, some of which cross half-hours."""
    dice = np.random.default_rng(day)
    count = AGENTS * A_DAY
    agent = np.repeat(np.arange(AGENTS), A_DAY)
    lasted = dice.integers(1_000, 600_000, (AGENTS, A_DAY))
    ends = np.cumsum(lasted, axis=1).ravel() + epoch_ms(START + day * DAY)
    kinds = np.array(["alert", "interact", "hold", "interact", "wrapup"])
    ids = [f"{each:032}" for each in range(count // 5)]
    return pa.table(
        {
            "window_start": pa.array([START + day * DAY] * count, SEGMENTS_SCHEMA[0].type),
            "conversation_id": np.repeat(ids, 5),
            "session_id": np.repeat(ids, 5),
            "agent_id": pa.array([f"{each:032}" for each in agent]),
            "queue_id": pa.array([f"{each % 20:032}" for each in agent]),
            "media_type": ["voice"] * count,
            "acd": [True] * count,
            "voice_of_callback": [False] * count,
            "segment_type": np.tile(kinds, count // 5),
            "start_ms": ends - lasted.ravel(),
            "end_ms": ends,
            "open": [False] * count,
        }
    ).cast(SEGMENTS_SCHEMA)


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
