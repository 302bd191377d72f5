"""docs/metrics.md is what the code says that its numbers mean, example included."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from halfhour.ingest.segments import tabulate_records
from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, Interval
from halfhour.model.measures import AGENT_MEASURES, FIGURES, STATUS_MEASURES, Measure
from halfhour.model.question import Question
from halfhour.model.vocabulary import Basis, By, Source
from halfhour.reports import questions
from halfhour.reports.data import ReportData
from halfhour.store import worked_time
from halfhour.store.store import Store

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
START = datetime(2026, 3, 2, tzinfo=UTC)

CALL = [
    ("interact", "09:20", "09:35"),
    ("hold", "09:35", "09:40"),
    ("interact", "09:40", "10:05"),
    ("hold", "10:05", "10:10"),
    ("interact", "10:10", "10:15"),
    ("wrapup", "10:15", "10:19"),
]
POSTED = [
    ("tTalkComplete", 45, "10:15"),
    ("tHeldComplete", 10, "10:15"),
    ("tAcw", 4, "10:19"),
    ("tHandle", 59, "10:19"),
]


def conversation_json() -> bytes:
    def at(time: str) -> str:
        return f"2026-03-02T{time}:00.000Z"

    session = {
        "sessionId": "s",
        "mediaType": "voice",
        "segments": [
            {"segmentType": kind, "segmentStart": at(start), "segmentEnd": at(end), "queueId": "q"}
            for kind, start, end in CALL
        ],
        "metrics": [
            {"name": name, "value": minutes * 60_000, "emitDate": at(time)}
            for name, minutes, time in POSTED
        ],
    }
    agent = {"purpose": "agent", "userId": "Ada", "sessions": [session]}
    return json.dumps({"conversationId": "c", "participants": [agent]}).encode()


def markdown_table(*rows: tuple[object, ...]) -> str:
    head, *others = (f"| {' | '.join(map(str, row))} |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *others])


def example_table(folder: Path) -> str:
    day = Interval(START, START + DAY)
    store = Store(folder / "halfhour.duckdb")
    store.ensure_created({"granularity": "1800", "reread": "86400"})
    found = tabulate_records([msgspec.Raw(conversation_json())], day, day.end)
    store.settle(
        Source.DETAILS, day, {"segments": found.segments, "emitted": found.emitted}, day.end
    )
    bases = [
        {row["interval_start"]: row for row in rows.to_pylist()}
        for rows in (
            worked_time.posted_from_details(store, day, HALF_HOUR),
            worked_time.worked_time(store, day, HALF_HOUR),
        )
    ]
    columns = ("talk_ms", "hold_ms", "acw_ms", "handle_ms")

    def row(start: datetime) -> tuple[object, ...]:
        figures = [of.get(start, {}) for of in bases]
        return (f"{start:%H:%M}", *((each.get(name) or 0) // 1000
                                    for each in figures for name in columns))  # fmt: skip

    starts = sorted({start for of in bases for start in of})
    heads = [f"{basis} {name.removesuffix('_ms')}" for basis in ("posted", "worked")
             for name in columns]  # fmt: skip
    return markdown_table(("half-hour", *heads), *map(row, starts))


def basis_names(measure: Measure) -> str:
    """Status is the same on each."""
    if measure in STATUS_MEASURES:
        return "status"
    return " or ".join(each for each in measure.bases if each is not Basis.BOTH)


def metrics_page(folder: Path) -> str:
    call = ", ".join(f"{kind} {start}-{end}" for kind, start, end in CALL)
    figures = [
        (f"`{each.name}`", each.meaning, each.posted_metric or "-", each.worked_segments or "-",
         f"{each.source}" if each.source else "that of the basis")
        for each in FIGURES
    ]  # fmt: skip
    measures = [
        (
            f"`{each.name}`",
            f"`{each.numerator}` / `{each.denominator}`",
            each.unit,
            basis_names(each),
            each.source,
        )
        for each in AGENT_MEASURES
    ]
    return f"""# What the numbers mean

<!-- Made from src/halfhour/model/measures.py: HALFHOUR_WRITE_GOLDEN=1 pytest tests/golden -->

A number stands on one of two bases, and every row names its own; with `both`, the columns called worked and busy are on the second.

- **posted**: as Genesys posts it. A value lies whole in the interval in which it was completed, so a half-hour can hold more than 1,800 seconds. This is what the Genesys UI shows.
- **worked**: as it was worked. Segments of conversations are cut at the edges of intervals, to the millisecond. Over all time both add up to the same, but for the causes that `halfhour reconcile` names.

## An example

One call: {call}.
Seconds of talk, hold, after-call work (acw) and handle time in each half-hour:

{example_table(folder)}

## Figures

`_time_sec` are seconds, exact to the millisecond; `_count` are counts.
What was not asked for is empty; where the answer covered agent and interval and left it out, it is zero.
The sum of a day or a range is that of what is held of it, and empty if nothing is.

{markdown_table(("column", "what it is", "posted basis", "worked basis: segments", "source"), *figures)}

The sources are conversation aggregates (posted), user aggregates (status) and conversation details (details).
Genesys posts a callback under callback, and the call it led to under voice: posted figures have both, as Genesys does, and `callback_voice_time_sec` tells the time that both have in common.
That call is the agent's outbound voice session that began within the callback's session. On the worked basis the common time counts for the callback alone.
Segments of monitoring, coaching, barging and parked interactions count as no work.

With `--queue` or `--media`, all figures are of what was chosen, busy time too. Status is of all that an agent does, so its columns are empty then.

## Measures

They divide sums over the whole range. Nothing is divided by the length of an interval.
`available_ms` is interacting, communicating and idle together; `interval_count` the intervals in which handle time, ACW or hold was posted, or on the worked basis was worked.
AHT and transfers for each interaction handled are on the posted basis only, as the worked one has no counts.

{markdown_table(("column", "formula", "unit", "basis", "source"), *measures)}

OFFLINE is a presence, and is not off-queue: that is a routing status.
"""  # noqa: E501


def test_the_metrics_page_is_what_the_code_generates(tmp_path: Path) -> None:
    written = metrics_page(tmp_path)
    if os.environ.get("HALFHOUR_WRITE_GOLDEN"):
        PAGE.write_text(written, encoding="utf-8")

    assert PAGE.read_text(encoding="utf-8") == written


def test_the_figures_of_the_catalogue_are_those_of_the_reports() -> None:
    day = Interval(START, START + DAY)
    shown: set[Any] = set()
    for basis in Basis:
        asked = Question(day, UTC, By.INTERVAL, basis, with_capacity=True)
        shown |= {*questions.build_report(asked, ReportData()).column_names}

    assert {each.name for each in FIGURES} == {
        name for name in shown if name.endswith(("_time_sec", "_count", "_percent"))
    }
