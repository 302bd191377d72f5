"""Files for workforce management: each layout, through the command line."""

import csv
import re
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from halfhour import layouts
from halfhour.errors import ConfigError

DAY = ("--from", "2026-03-02", "--to", "2026-03-03")
INTERVAL = "2026-03-02T00:00:00Z/2026-03-03T00:00:00Z"
WFM = ("report", *DAY, "--format", "wfm", "--layout")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize("store", [(), ("--store", "s.duckdb")])
def test_the_historical_import_of_genesys_has_a_row_per_quarter_queue_and_media_type(
    cloud, halfhour, store
):
    if store:
        halfhour("sync", *DAY, *store, "--source", "posted", "--granularity", "15m")
    ran = halfhour(*WFM, "genesys-wfm", *store)
    assert ran.code == 0, ran.err
    rows = rows_of(ran.out)

    assert list(rows[0]) == [
        "Interval Start UTC Date", "Queue", "Media Type", "Skill Set", "Language", "Offered",
        "Interactions Handled", "Total Handle Time (Seconds)",
    ]  # fmt: skip
    handled: Counter[tuple[datetime, str]] = Counter()
    for row in cloud.truth("posted", INTERVAL, "PT15M").to_pylist():
        if row["metric"] == "tHandle" and row["queue_id"]:
            handled[row["interval_start"], row["media_type"]] += row["count"]
    found: Counter[tuple[datetime, str]] = Counter()
    for row in rows:
        start = datetime.fromisoformat(row["Interval Start UTC Date"])
        assert start.minute % 15 == 0
        found[start, row["Media Type"]] += int(row["Interactions Handled"])
    assert +found == +handled
    assert sum(int(row["Offered"]) for row in rows) > 50
    assert any(row["Offered"] == "0" for row in rows)


def test_the_scorecard_has_its_columns_in_whole_seconds(cloud, halfhour):
    ran = halfhour(*WFM, "scorecard", "--store", "s.duckdb")
    rows = rows_of(ran.out)

    assert (
        list(rows[0])
        == (
            "AGENT_ID DATE STAFF_TIME TALK_TIME ACW_TIME HOLD_TIME AUX_ALL_TIME AUX_IN_TIME "
            "AUX_OUT_TIME IDLE_TIME ACDCALLS"
        ).split()
    )
    report = rows_of(
        halfhour("report", *DAY, "--store", "s.duckdb", "--offline", "--format", "csv").out
    )
    assert len(rows) == len(report)
    for row, full in zip(rows, report, strict=True):
        assert row["AGENT_ID"] == full["agent_id"]
        assert row["TALK_TIME"] == f"{float(full['talk_time_sec']):.0f}"
        assert row["STAFF_TIME"] == f"{float(full['logged_in_time_sec']):.0f}"
        assert row["DATE"] == full["interval_start"][:16].replace("T", " ")


LAYOUT = """
rows = "agent"
zone = "Asia/Kathmandu"
delimiter = "|"
line_ending = "crlf"

[[columns]]
name = "From"
value = "interval_start"
format = "%d.%m.%Y %H:%M"

[[columns]]
name = "Who"
value = "agent_name"

[[columns]]
name = "Minutes on hold"
value = "hold_time_sec"
unit = "min"
decimals = 2
"""


def test_a_layout_of_ones_own(cloud, halfhour, tmp_path):
    (tmp_path / "own.toml").write_text(LAYOUT)
    ran = halfhour(*WFM, "own.toml", "--output", "own.txt")
    assert ran.code == 0, ran.err
    raw = (tmp_path / "own.txt").read_bytes().decode()
    plain = rows_of(halfhour("report", *DAY, "--format", "csv").out)

    head, *lines = raw.split("\r\n")[:-1]
    assert head == "From|Who|Minutes on hold"
    assert len(lines) == len(plain)
    for line, row in zip(lines, plain, strict=True):
        start = datetime.fromisoformat(row["interval_start"]) + timedelta(hours=5, minutes=45)
        minutes = float(row["hold_time_sec"]) / 60
        assert line == f"{start:%d.%m.%Y %H:%M}|{row['agent_name']}|{minutes:.2f}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("rows =", "row ="), ", line 2: Object contains unknown field `row`; did you mean"),
        (('"agent"\n', '"agents"\n'), ", line 2: Invalid enum value 'agents'"),
        (('unit = "min"', 'unit = "minutes"'), ", line 19: Invalid enum value 'minutes'"),
        (("decimals = 2", "decimals = 9"), ", line 20: Expected `int` <= 3"),
        (("Asia/Kathmandu", "Asia/Katmandoo"), "did you mean 'Asia/Kat"),
        (('delimiter = "|"', 'delimiter = "||"'), ", line 4: Expected `str` of length <= 1"),
        (('value = "agent_name"', 'valeu = "agent_name"'), "did you mean 'value'?"),
        (('value = "agent_name"\n', ""), ", line 12: column 'Who' has neither a value nor a text"),
        (("[[columns]]", "[[columns]"), "(at line 7, column"),
        (('"hold_time_sec"', '"held_time_sec"'), "did you mean 'hold_time_sec'?"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_layout_is_named_with_its_line_and_field(halfhour, tmp_path, change, said):
    old, new = change
    text = LAYOUT.replace(old, new, 1)
    assert text != LAYOUT
    (tmp_path / "own.toml").write_text(text)
    ran = halfhour(*WFM, "own.toml")

    assert ran.code == 2
    assert "--layout own.toml" in ran.err
    assert said in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "wfm"), "--layout and --format wfm go together"),
        (("--layout", "generic"), "--layout and --format wfm go together"),
        (("--format", "wfm", "--layout", "scorcard"), "did you mean 'scorecard'?"),
        (("--format", "wfm", "--layout", "genesys-wfm", "--agent", "x"), "--agent"),
        (
            ("--format", "wfm", "--layout", "generic", "--granularity", "15m"),
            "--granularity: a layout says how long its intervals are",
        ),
        (
            ("--format", "heatmap", "--granularity", "15m"),
            "--format heatmap: it shows half-hours; leave out --granularity",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(halfhour, words, said):
    ran = halfhour("report", *DAY, *words)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_store_of_half_hours_has_no_quarters_and_says_so(cloud, halfhour):
    halfhour("sync", *DAY, "--source", "posted")
    ran = halfhour(*WFM, "genesys-wfm")

    assert ran.code == 2
    assert (
        "--granularity: quarter-hours are wanted, and halfhour.duckdb holds half-hours" in ran.err
    )


@pytest.mark.parametrize("name", ["generic", "scorecard", "genesys-wfm"])
def test_what_is_shipped_is_a_layout_and_says_where_it_comes_from(name):
    assert layouts.load(name).columns
    path = Path(layouts.__file__).with_name(f"{name}.toml")
    assert path.read_text().startswith("# ")


def test_a_layout_that_there_is_not_is_answered_with_those_there_are():
    with pytest.raises(ConfigError, match="neither a file nor one of generic, genesys-wfm"):
        layouts.load("nothing")


def test_the_example_in_the_docs_is_a_layout(cloud, halfhour, tmp_path):
    page = Path(__file__).parents[2] / "docs" / "layouts.md"
    (example,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "ours.toml").write_text(example)
    ran = halfhour(*WFM, "ours.toml")

    assert ran.code == 0, ran.err
    head, first = ran.out.split("\n")[:2]
    assert head == "Start;Agent;Talk;Site"
    assert re.fullmatch(r"02\.03\.2026 \d\d:\d\d\+0000;.+;\d+\.\d;Leeds", first)
