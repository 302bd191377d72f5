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


FROM, WHO, HOLD = 'columns[0] ("From")', 'columns[1] ("Who")', 'columns[2] ("Minutes on hold")'
NO_COLUMN = "a report by agent and interval has no '{}'; did you mean 'hold_time_sec'?"


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        (("rows =", "row ="), "row", "unknown field; did you mean 'rows'?"),
        (('rows = "agent"\n', ""), "rows", "this field is missing"),
        (('"agent"\n', '"agents"\n'), "rows", "'agents' is none of agent, queue"),
        (("Asia/Kathmandu", "Asia/Katmandoo"), "zone", "'Asia/Katmandoo' is not an IANA time zone"),
        (("|", "||"), "delimiter", "Expected `str` of length <= 1"),
        (("|", "\\n"), "delimiter", "a quote or a line break cannot separate values"),
        (('"|"', "'\"'"), "delimiter", "a quote or a line break cannot separate values"),
        (('name = "Who"\n', ""), "columns[1]: name", "this field is missing"),
        (('name = "Who"', "name = 5"), 'columns[1] ("5"): name', "Expected `str`, got `int`"),
        (('"crlf"', '"cr"'), "line_ending", "'cr' is none of lf, crlf; did you mean 'crlf'?"),
        (('value = "agent_name"', 'valeu = "agent_name"'), f"{WHO}: valeu",
         "unknown field; did you mean 'value'?"),
        (('value = "agent_name"\n', ""), f"{WHO}: value",
         "a column needs a value or a text, and this one has neither"),
        (('"agent_name"', '"agent_name"\ntext = "x"'), f"{WHO}: value",
         "a column needs a value or a text, and this one has both"),
        (("%H:%M", "%H:%Q"), f"{FROM}: format", "%Q is no portable strftime directive"),
        (("%H:%M", "%H:%"), f"{FROM}: format", "% is no portable strftime directive"),
        (('"hold_time_sec"', '"held_time_sec"'), f"{HOLD}: value",
         NO_COLUMN.format("held_time_sec")),
        (('"hold_time_sec"', '"hold"'), f"{HOLD}: value", NO_COLUMN.format("hold")),
        (('"hold_time_sec"', '"busy_time_sec"'), f"{HOLD}: value",
         "a report by agent and interval has no 'busy_time_sec' on the posted basis; "
         "use basis worked or both"),
        (('unit = "min"', 'unit = "mins"'), f"{HOLD}: unit",
         "'mins' is none of s, ms, min, h:mm:ss; did you mean 'min'?"),
        (('"agent_name"', '"agent_name"\nunit = "ms"'), f"{WHO}: unit",
         "only durations have a unit; 'agent_name' is not one"),
        (('"hold_time_sec"', '"hold_time_sec"\nformat = "%H"'), f"{HOLD}: format",
         "only timestamps have a format; 'hold_time_sec' is not one"),
        (('value = "agent_name"', 'text = "x"\ndecimals = 1'), f"{WHO}: decimals",
         "only durations have decimals; a text is not one"),
        (("decimals = 2", "decimals = 9"), f"{HOLD}: decimals", "Expected `int` <= 3"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_layout_is_named_with_its_column_and_field(tmp_path, change, place, reason):
    assert_mistake_is_named(LAYOUT, change, place, reason, tmp_path / "own.toml")


INLINE = """rows = "agent"
columns = [
  {name = "From", value = "interval_start"},
  {name = "Who", value = "agent_name"},
]
"""


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        (('"interval_start"', '"interval"'), f"{FROM}: value", "a report by agent and interval has "
         "no 'interval'; did you mean 'interval_end'?"),
        (('"agent_name"', '"name"'), f"{WHO}: value",
         "a report by agent and interval has no 'name'"),
        (('"agent_name"', '"aht_sec"'), f"{WHO}: value",
         "a report by agent and interval has no 'aht_sec', only a report with other rows"),
        (('"agent_name"', '"agent_name", unit = "s "'), f"{WHO}: unit", "'s ' is none of s, ms,"),
        (('name = "Who", ', ""), "columns[1]: name", "this field is missing"),
        (('{name = "Who", value = "agent_name"}', "5"), "columns[1]", "Expected `object`, got"),
        (('"agent"', '"agents"'), "rows", "'agents' is none of agent, queue"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_inline_column_is_named_with_its_column_and_field(
    tmp_path, change, place, reason
):
    assert_mistake_is_named(INLINE, change, place, reason, tmp_path / "own.toml")


def assert_mistake_is_named(
    text: str, change: tuple[str, str], place: str, reason: str, path: Path
) -> None:
    """Write *text* with *change* to *path*; the error names exactly *place*, and then *reason*."""
    old, new = change
    assert old in text
    path.write_text(text.replace(old, new, 1))
    output = Output(form=Format.WFM, layout=str(path))
    with pytest.raises(ConfigError) as error:
        output.adapt_question(Question(Interval(NOON, NOON + HALF_HOUR), UTC))
    assert str(error.value).startswith(f"layout {path}: {place}: {reason}")


@pytest.mark.parametrize("change", [("[[columns]]", "[[columns]"), ('"min"', '"mins"')])
def test_a_layout_with_a_mistake_leads_to_no_output(halfhour, tmp_path, change):
    old, new = change
    (tmp_path / "own.toml").write_text(LAYOUT.replace(old, new, 1))
    ran = halfhour(*WFM, "own.toml")

    assert (ran.code, ran.out) == (2, "")
    assert re.search(
        r"--layout own\.toml: (columns\[2\] \(\"Minutes on hold\"\): unit: |.*\(at line 7, column)",
        ran.err,
    )
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--format", "wfm"),
            "--format wfm: choose a layout with --layout: generic, genesys-wfm, scorecard, or a",
        ),
        (
            ("--seconds", "--format", "csv"),
            "--seconds: only --format table has this option, not csv",
        ),
        (("--layout", "generic", "--format", "csv"), "--format csv: only wfm has layouts"),
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
        (
            ("--by", "queue-interval", "--output", "page.html"),
            "--format html: this format shows agents by half-hours; use --by interval",
        ),
        (
            ("--by", "queue-interval", "--layout", "generic"),
            "--by queue-interval: a row of --layout generic stands for one agent and interval; "
            'leave out --by, or use a layout with rows = "queue", such as genesys-wfm',
        ),
        (
            ("--by", "day", "--layout", "genesys-wfm"),
            "--by day: a row of --layout genesys-wfm stands for one queue and interval; leave out "
            "--by, or leave out --layout, as no layout has such rows",
        ),
        (
            ("--format", "heatmap", "--output", "day.png"),
            "--output day.png: the suffix is that of png, and the format is heatmap; leave out "
            "--format, or name a file with .txt",
        ),
        (
            ("--format", "csv", "--output", "day.xlsx"),
            "--output day.xlsx: the suffix is that of xlsx, and the format is csv; leave out "
            "--format, or name a file with .csv",
        ),
        (
            ("--layout", "generic", "--output", "day.xlsx"),
            "--output day.xlsx: the suffix is that of xlsx, and the format is wfm; leave out "
            "--layout, or name a file with .csv",
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


def test_a_layout_is_enough_to_choose_its_format(halfhour):
    in_full = halfhour(*WFM, "scorecard")
    alone = halfhour("report", *DAY, "--layout", "scorecard", HALFHOUR_FORMAT="json")

    assert (alone.code, alone.out) == (0, in_full.out)
    by = ("--by", "interval")
    assert halfhour("report", *DAY, "--layout", "scorecard", "-o", "s.csv", *by).code == 0
    assert (halfhour.folder / "s.csv").read_text(encoding="utf-8") == in_full.out
