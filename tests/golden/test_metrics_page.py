"""docs/metrics.md is made from the catalogue of figures, its example included."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from halfhour.model.coverage import DAY
from halfhour.model.intervals import HALF_HOUR, Interval
from halfhour.model.measures import AGENT_MEASURES, FIGURES, STATUS_MEASURES, Measure
from halfhour.model.question import Question
from halfhour.model.vocabulary import Basis, By, Source
from halfhour.reports import questions
from halfhour.store.store import Store
from tests.detail_tables import tabulate_records
from tests.rebuilt_figures import posted_from_details
from tests.report_data import report_data, worked_rows

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
    details = tabulate_records([msgspec.Raw(conversation_json())], day, day.end)
    store.settle(
        Source.DETAILS, day, {"segments": details.segments, "emitted": details.emitted}, day.end
    )
    bases = [
        {row["interval_start"]: row for row in rows.to_pylist()}
        for rows in (
            posted_from_details(store, day, HALF_HOUR),
            worked_rows(store, day, HALF_HOUR),
        )
    ]
    columns = ("talk_ms", "hold_ms", "acw_ms", "handle_ms")

    def row(start: datetime) -> tuple[object, ...]:
        figures = [rows.get(start, {}) for rows in bases]
        return (f"{start:%H:%M}", *((basis.get(name) or 0) // 1000
                                    for basis in figures for name in columns))  # fmt: skip

    starts = sorted({start for rows in bases for start in rows})
    heads = [f"{basis} {name.removesuffix('_ms')}" for basis in ("posted", "worked")
             for name in columns]  # fmt: skip
    return markdown_table(("half-hour", *heads), *map(row, starts))


def basis_names(measure: Measure) -> str:
    """Return the bases of *measure* in words; status is the same on each basis."""
    if measure in STATUS_MEASURES:
        return "status"
    return " or ".join(basis for basis in measure.bases if basis is not Basis.BOTH)


def metrics_page(folder: Path) -> str:
    call = ", ".join(f"{kind} {start}-{end}" for kind, start, end in CALL)
    figures = [
        (f"`{figure.name}`", figure.meaning, figure.posted_metric or "-",
         figure.worked_segments or "-", str(figure.source or "that of the basis"))
        for figure in FIGURES
    ]  # fmt: skip
    measures = [
        (
            f"`{measure.name}`",
            f"`{measure.numerator}` / `{measure.denominator}`",
            measure.unit,
            basis_names(measure),
            measure.source,
        )
        for measure in AGENT_MEASURES
    ]
    return f"""# What the numbers mean

<!-- Made from src/halfhour/model/measures.py: HALFHOUR_WRITE_GOLDEN=1 pytest tests/golden -->

A number has one of two bases, and every row names its basis. With `both`, the columns called worked and busy have the worked basis, all others the posted one.

- **posted**: the value as Genesys posts it. A value lies whole in the interval in which the work was completed, so a half-hour can hold more than 1,800 seconds. The Genesys UI shows the same.
- **worked**: the time as it was worked. halfhour cuts the segments of conversations at the edges of intervals, to the millisecond. Over all time both bases add up to the same, except for the differences whose causes `halfhour reconcile` names.

## An example

One call: {call}.
Seconds of talk, hold, after-call work (acw) and handle time in each half-hour:

{example_table(folder)}

## Figures

`_time_sec` columns are seconds, exact to the millisecond; `_count` columns are counts.
A figure is empty where halfhour has not read its source, and zero where the source was read and has nothing.
The sum of a day or a range covers the part that was read, and is empty if nothing was.
The catalogue in `model/measures.py` has a row for each figure; [adding a figure](adding-a-figure.md) shows how it is used.

{markdown_table(("column", "what it is", "posted basis", "worked basis: segments", "source"), *figures)}

The sources are conversation aggregates (posted), user aggregates (status) and conversation details (details).
Genesys posts a callback under callback and the call it led to under voice. Posted figures have both, as in Genesys, and `callback_voice_time_sec` is the time that both have in common.
That call is the agent's outbound voice session that began within the callback's session. On the worked basis the common time counts for the callback alone.
Segments of monitoring, coaching, barging and parked interactions are not work. Contacting is work in every session, as handle time has it. If nothing is posted for a session whose only work is contacting, such as one of monitoring, that is the cause `contacting_only_ms` of `halfhour reconcile`.
Time that segments of one session have in common counts once on the worked basis: the later segment gives way. Genesys posts each metric whole, so the posted handle time has it twice. `halfhour reconcile` shows it as `overlapping_segments_ms`, as long as the store holds what Genesys said of the day.

With `--queue` or `--media`, all figures cover only the chosen work, busy time included. Status covers all that an agent does, so its columns are then empty.

## Measures

A measure divides sums over the whole range. No measure divides by the length of an interval.
`available_ms` is interacting, communicating and idle time together. `interval_count` is the number of intervals in which handle time, ACW or hold was posted or, on the worked basis, was worked.
AHT and transfers per handled interaction exist on the posted basis only, as the worked basis has no counts.

{markdown_table(("column", "formula", "unit", "basis", "source"), *measures)}

OFFLINE is a presence. It is not the routing status OFF_QUEUE.
"""  # noqa: E501


def test_the_metrics_page_is_what_the_code_generates(tmp_path: Path) -> None:
    written = metrics_page(tmp_path)
    if os.environ.get("HALFHOUR_WRITE_GOLDEN"):
        PAGE.write_text(written, encoding="utf-8")

    assert PAGE.read_text(encoding="utf-8") == written


def test_reports_have_the_figures_of_the_catalogue() -> None:
    day = Interval(START, START + DAY)
    columns: set[Any] = set()
    for basis in Basis:
        question = Question(day, UTC, By.INTERVAL, basis, with_capacity=True)
        columns |= {*questions.build_report(question, report_data()).column_names}

    assert {figure.name for figure in FIGURES} == {
        name for name in columns if name.endswith(("_time_sec", "_count", "_percent"))
    }
