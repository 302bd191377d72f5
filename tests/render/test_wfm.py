"""Files for workforce management: each layout, through the command line."""

import csv
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from halfhour.cli.output import Output
from halfhour.errors import ConfigError
from halfhour.model.intervals import HALF_HOUR, Interval
from halfhour.model.question import Question
from halfhour.model.vocabulary import Format
from halfhour.render import layouts

DAY = ("--from", "2026-03-02", "--to", "2026-03-03")
INTERVAL = "2026-03-02T00:00:00Z/2026-03-03T00:00:00Z"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WFM = ("report", *DAY, "--format", "wfm", "--layout")


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize("store", [(), ("--store", "s.duckdb")])
def test_the_historical_import_of_genesys_has_a_row_per_quarter_queue_and_media_type(
    cloud, halfhour, store
):
    if store:
        halfhour("sync", *DAY, *store, "--source", "posted", "--granularity", "15m")
    ran = halfhour(*WFM, "genesys-wfm", *store)
    assert ran.code == 0, ran.err
    rows = csv_rows(ran.out)

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
    rows = csv_rows(ran.out)

    assert (
        list(rows[0])
        == (
            "AGENT_ID DATE STAFF_TIME TALK_TIME ACW_TIME HOLD_TIME AUX_ALL_TIME AUX_IN_TIME "
            "AUX_OUT_TIME IDLE_TIME ACDCALLS"
        ).split()
    )
    report = csv_rows(
        halfhour("report", *DAY, "--store", "s.duckdb", "--offline", "--format", "csv").out
    )
    assert len(rows) == len(report)
    for row, full in zip(rows, report, strict=True):
        assert row["AGENT_ID"] == full["agent_id"]
        assert row["TALK_TIME"] == f"{float(full['talk_time_sec']):.0f}"
        assert row["STAFF_TIME"] == f"{float(full['logged_in_time_sec']):.0f}"
        assert row["DATE"] == full["interval_start"][:16].replace("T", " ") + "+0000"


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


def test_a_layout_from_a_file_is_written_as_it_says(cloud, halfhour, tmp_path):
    (tmp_path / "own.toml").write_text(LAYOUT)
    ran = halfhour(*WFM, "own.toml", "--output", "own.txt")
    assert ran.code == 0, ran.err
    raw = (tmp_path / "own.txt").read_bytes().decode()
    plain = csv_rows(halfhour("report", *DAY, "--format", "csv").out)

    head, *lines = raw.split("\r\n")[:-1]
    assert head == "From|Who|Minutes on hold"
    assert len(lines) == len(plain)
    for line, row in zip(lines, plain, strict=True):
        start = datetime.fromisoformat(row["interval_start"]) + timedelta(hours=5, minutes=45)
        minutes = float(row["hold_time_sec"]) / 60
        assert line == f"{start:%d.%m.%Y %H:%M}|{row['agent_name']}|{minutes:.2f}"


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("rows =", "row ="), 2, "row: there is no such field; did you mean 'rows'?"),
        (('rows = "agent"\n', ""), 1, "rows: it is missing"),
        (('"agent"\n', '"agents"\n'), 2, "rows: 'agents' is none of agent, queue"),
        (("Asia/Kathmandu", "Asia/Katmandoo"), 3, "zone: 'Asia/Katmandoo' is no IANA time zone"),
        (("|", "||"), 4, "delimiter: Expected `str` of length <= 1"),
        (("|", "\\n"), 4, "delimiter: a quote or a line break is part of a value"),
        (('"|"', "'\"'"), 4, "delimiter: a quote or a line break is part of a value"),
        (('name = "Who"\n', ""), 12, "name: it is missing"),
        (('"crlf"', '"cr"'), 5, "line_ending: 'cr' is none of lf, crlf; did you mean 'crlf'?"),
        (('value = "agent_name"', 'valeu = "agent_name"'), 14, "did you mean 'value'?"),
        (('value = "agent_name"\n', ""), 12, "value: a value or a text, and there is neither"),
        (("%H:%M", "%H:%Q"), 10, "format: %Q is no directive of strftime"),
        (("%H:%M", "%H:%"), 10, "format: % is no directive of strftime"),
        (('"hold_time_sec"', '"held_time_sec"'), 18, "did you mean 'hold_time_sec'?"),
        (('"hold_time_sec"', '"hold"'), 18, "did you mean 'hold_time_sec'?"),
        (
            ('"hold_time_sec"', '"busy_time_sec"'),
            18,
            "value: a report by agent and interval has no 'busy_time_sec' on the posted basis; "
            "basis worked or both has it",
        ),
        (('unit = "min"', 'unit = "mins"'), 19, "s, ms, min, h:mm:ss; did you mean 'min'?"),
        (('"agent_name"', '"agent_name"\nunit = "ms"'), 15, "unit: it is of a length of time"),
        (('"hold_time_sec"', '"hold_time_sec"\nformat = "%H"'), 19, "format: it is of a moment"),
        (('value = "agent_name"', 'text = "x"\ndecimals = 1'), 15, "decimals: it is of a length"),
        (("decimals = 2", "decimals = 9"), 20, "decimals: Expected `int` <= 3"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_layout_is_named_with_its_line_and_field(tmp_path, change, line, said):
    assert said in refusal_message(LAYOUT, change, line, tmp_path / "own.toml")


INLINE = """rows = "agent"
columns = [
  {name = "From", value = "interval_start"},
  {name = "Who", value = "agent_name"},
]
"""


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (('"interval_start"', '"interval"'), 3, "did you mean 'interval_end'?"),
        (('"agent_name"', '"name"'), 4, "value: a report by agent and interval has no 'name'"),
        (('"agent_name"', '"agent_name", unit = "s "'), 4, "unit: 's ' is none of s, ms,"),
        (('name = "Who", ', ""), 4, "name: it is missing"),
        (('"agent"', '"agents"'), 1, "rows: 'agents' is none of agent, queue"),
    ],
)
def test_a_mistake_in_an_inline_column_is_named_with_its_line_and_field(
    tmp_path, change, line, said
):
    assert said in refusal_message(INLINE, change, line, tmp_path / "own.toml")


def refusal_message(text: str, change: tuple[str, str], line: int, path: Path) -> str:
    """What is said at that *line* of the layout at *path*, which is *text* with a *change*."""
    old, new = change
    assert old in text
    path.write_text(text.replace(old, new, 1))
    shape = Output(form=Format.WFM, layout=str(path))
    with pytest.raises(ConfigError) as refused:
        shape.adapt_question(Question(Interval(NOON, NOON + HALF_HOUR), UTC))
    where, found, said = str(refused.value).partition(f"{path}, line {line}: ")
    assert (where, bool(found)) == ("layout ", True), str(refused.value)
    return said


@pytest.mark.parametrize("change", [("[[columns]]", "[[columns]"), ('"min"', '"mins"')])
def test_a_layout_with_a_mistake_leads_to_no_output(halfhour, tmp_path, change):
    old, new = change
    (tmp_path / "own.toml").write_text(LAYOUT.replace(old, new, 1))
    ran = halfhour(*WFM, "own.toml")

    assert (ran.code, ran.out) == (2, "")
    assert re.search(r"--layout own\.toml(, line 19: unit: |: .*\(at line 7, column)", ran.err)
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "wfm"), "--layout and --format wfm go together"),
        (
            ("--seconds", "--format", "csv"),
            "--seconds: only --format table has this option, not csv",
        ),
        (("--layout", "generic"), "--layout and --format wfm go together"),
        (("--format", "wfm", "--layout", "scorcard"), "did you mean 'scorecard'?"),
        (("--format", "wfm", "--layout", "genesys-wfm", "--agent", "x"), "--agent"),
        (
            ("--format", "wfm", "--layout", "generic", "--granularity", "15m"),
            "--granularity: the layout sets the interval length",
        ),
        (
            ("--format", "heatmap", "--granularity", "15m"),
            "--format heatmap: this format shows half-hours; leave out --granularity",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(halfhour, words, said):
    ran = halfhour("report", *DAY, *words)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_store_of_half_hours_has_no_quarters_and_says_so(cloud, halfhour):
    halfhour("sync", *DAY, "--source", "posted")
    ran = halfhour(*WFM, "genesys-wfm")

    assert (ran.code, ran.out) == (2, "")
    assert (
        "--granularity or --layout: the report needs quarter-hours, and halfhour.duckdb holds "
        "half-hours" in ran.err
    )


@pytest.mark.parametrize("name", ["generic", "scorecard", "genesys-wfm"])
def test_every_shipped_layout_loads_and_says_where_it_comes_from(name):
    assert layouts.load_layout(name).columns
    path = Path(layouts.__file__).with_name(f"{name}.toml")
    assert path.read_text().startswith("# ")


def test_a_layout_that_there_is_not_is_answered_with_those_there_are():
    with pytest.raises(ConfigError, match="neither a file nor one of generic, genesys-wfm"):
        layouts.load_layout("nothing")


def test_the_example_in_the_docs_is_a_layout(cloud, halfhour, tmp_path):
    page = Path(__file__).parents[2] / "docs" / "layouts.md"
    (example,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "ours.toml").write_text(example)
    ran = halfhour(*WFM, "ours.toml")

    assert ran.code == 0, ran.err
    head, first = ran.out.split("\n")[:2]
    assert head == "Start;Agent;Talk;Site"
    assert re.fullmatch(r"02\.03\.2026 \d\d:\d\d\+0000;.+;\d+\.\d;Leeds", first)
