"""The file is the assertion. `HALFHOUR_WRITE_GOLDEN=1 pytest tests/golden` writes them anew."""

import io
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from halfhour.errors import ConfigError
from halfhour.model.coverage import Calendar
from halfhour.model.intervals import HALF_HOUR, Interval
from halfhour.model.question import Question
from halfhour.model.tables import BUSY_SCHEMA, NAMES_SCHEMA, POSTED_SCHEMA
from halfhour.model.vocabulary import Basis, By, Format, Source
from halfhour.render.formats import BINARY_FORMATS, CHART_FORMATS, write_tables
from halfhour.render.heatmap import render_heatmap
from halfhour.render.table import render_text_tables
from halfhour.reports import questions
from tests.report_data import report_data

HERE = Path(__file__).parent
LONDON = ZoneInfo("Europe/London")

AGENTS = pa.table(
    {
        "id": ["a1", "a2", "a3", "a4", "a5"],
        "name": ['Ana "Nita" Silva, Jr', "王小明", "Zoë\nO’Neill", "نور", "élan\x1b[2J 🎧"],
    },
    schema=NAMES_SCHEMA,
)


def posted(*rows: tuple[str, str, dict[str, int]]) -> pa.Table:
    """Rows of (UTC start, agent, figures) as `tables.POSTED`; what is left out is null."""
    return pa.Table.from_pylist(
        [
            {
                "interval_start": datetime.fromisoformat(start).replace(tzinfo=UTC),
                "agent_id": agent,
                "queue_id": "q",
                "media_type": "voice",
                **figures,
            }
            for start, agent, figures in rows
        ],
        schema=POSTED_SCHEMA,
    )


# The night on which London's clocks go back: 01:00 comes twice.
HARD = posted(
    ("2026-10-25T00:00", "a1", {"handle_ms": 3558453, "handle_count": 1, "hold_ms": 891089}),
    ("2026-10-25T01:00", "a1", {"handle_ms": 1, "handle_count": 1, "acw_ms": 1}),
    ("2026-10-25T00:30", "a2", {"talk_ms": 60000, "answered_count": 2}),
    (
        "2026-10-25T00:30",
        "a3",
        {"handle_ms": 1800000, "handle_count": 2, "acw_ms": 120500, "transferred_count": 1},
    ),
    ("2026-10-25T01:00", "a4", {"alert_ms": 9000, "not_responding_ms": 9000}),
    ("2026-10-25T01:00", "a5", {"handle_ms": 60000, "handle_count": 1, "acw_ms": 30000}),
    ("2026-10-25T01:00", "gone", {"handle_ms": 1800001, "handle_count": 1}),
)
NIGHT = Interval(datetime(2026, 10, 25, 0, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC))


DAYS = Calendar(NIGHT.end + timedelta(hours=1), HALF_HOUR).coverage_of_days(NIGHT, [])


def answer(by: By, rows: pa.Table = HARD, basis: Basis = Basis.POSTED, sort: str = "") -> pa.Table:
    """Return the report of *rows*, which stand for posted figures, worked ones, or both."""
    busy = pa.Table.from_pylist(
        [
            {
                "busy_ms": min(row["handle_ms"] or 0, 1800000),
                "open": False,
                **{k: row[k] for k in BUSY_SCHEMA.names[:2]},
            }
            for row in rows.to_pylist()
        ],
        schema=BUSY_SCHEMA,
    )
    worked = {} if basis is Basis.POSTED else {"worked": rows, "busy": busy}
    question = Question(NIGHT, LONDON, by, basis, sort=sort)
    days = dict.fromkeys(question.required_sources, DAYS)
    return questions.build_report(
        question, report_data(AGENTS, posted=rows, days_by_source=days, **worked)
    )


def total(rows: pa.Table = HARD) -> pa.Table:
    data = report_data(AGENTS, posted=rows, days_by_source={Source.POSTED: DAYS})
    return questions.build_total(Question(NIGHT, LONDON), data)


def written(table: pa.Table, form: Format) -> bytes:
    file = io.BytesIO()
    write_tables({"Report": [table]}, form, file)
    return file.getvalue()


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize(
    "form", sorted(set(Format) - BINARY_FORMATS - CHART_FORMATS - {Format.WFM})
)
@pytest.mark.parametrize("rows", ["hard", "none"])
def test_a_report_is_written_as_in_its_golden_file(by, form, rows):
    file = HERE / f"{rows}_by_{by}.{form}"
    data = written(answer(by, HARD if rows == "hard" else POSTED_SCHEMA.empty_table()), form)
    if os.environ.get("HALFHOUR_WRITE_GOLDEN"):
        file.write_bytes(data)

    assert data == file.read_bytes()


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("basis", Basis)
def test_a_table_keeps_to_the_width_of_the_terminal(by, basis):
    table = answer(by, HARD, basis)
    for seconds in (False, True):
        broad = render_text_tables([table], seconds=seconds)
        for width in (60, 80, 100, 120, 250):
            narrow = render_text_tables([table], width, seconds=seconds)

            assert max(map(cell_len, narrow.splitlines())) <= width
            assert (narrow == broad) == (max(map(cell_len, broad.splitlines())) <= width)


@given(st.lists(st.text(), min_size=1, max_size=5), st.integers(60, 130), st.booleans())
def test_a_table_keeps_to_the_width_whatever_the_names_are(names, width, in_steps):
    starts = [NIGHT.start + HALF_HOUR * (index if in_steps else 2) for index in range(len(names))]
    table = pa.table(
        {
            "interval_start": pa.array(starts, pa.timestamp("ms", tz="Europe/London")),
            "agent_id": ["7cddf953-6101-47c3-8815-a4d9c63e108e"] * len(names),
            "agent_name": names,
            "handle_time_sec": [1801.0] * len(names),
            "exceeds_interval": [True] * len(names),
            "acw_time_sec": [60.0] * len(names),
            "provisional": [True] * len(names),
        }
    )
    text = render_text_tables([table], width)

    assert max(map(cell_len, text.split("\n"))) <= width
    assert text.count("! 0:30:01") == len(names)
    notes = "! longer than the interval: begun earlier or several at once\nall rows are provisional"
    assert f"\n{notes}: Genesys may still" in text


def test_people_of_one_name_are_told_apart_where_the_id_does_not_fit():
    table = pa.table(
        {
            "agent_id": ["11111111-x", "22222222-x", "33333333-x", "44444444-x"],
            "agent_name": ["Chiara Rossi", "Chiara Rossi", "Ada Silva", "44444444-x"],
        }
    )

    assert render_text_tables([table], 23).split("\n")[1:5] == [
        "Chiara Rossi (11111111)",
        "Chiara Rossi (22222222)",
        "Ada Silva",
        "44444444…",
    ]
    assert render_text_tables([table], 20).split("\n")[1] == "Chiara Ro…(11111111)"
    assert "(" not in render_text_tables([table], 80, ids=True)
    assert render_text_tables([table]) == render_text_tables([table], 80)


def test_a_narrow_terminal_keeps_what_matters_most():
    lines = render_text_tables([answer(By.INTERVAL)], 66).splitlines()

    assert "".join("".join(lines[:2]).split()) == (
        "handle_acw_handled_interval_startagent_nametimetimecount"
    )
    assert re.split("  +", lines[2]) == [
        "10-25 01:00+01:00", 'Ana "N…Silva, Jr', "! 0:59:18", "0:00:00", "1",
    ]  # fmt: skip
    assert lines[-5:] == [
        "times: Europe/London, 2026",
        "ids in place of names: deleted, or hidden from the OAuth client",
        "! longer than the interval: begun earlier or several at once",
        "all rows are provisional: Genesys may still correct them",
        "2 columns not shown: widen the terminal, or use form csv",
    ]


@pytest.mark.parametrize("width", [60, 80])
def test_a_narrow_table_of_agents_keeps_handled_aht_and_occupancy_before_means(width):
    agents = answer(By.AGENT)
    index = agents.column_names.index("occupancy_ratio")
    agents = agents.set_column(index, "occupancy_ratio", pa.array([0.5] * len(agents)))
    text = render_text_tables([agents], width)

    heads = " ".join(text.splitlines()[:3])
    assert all(word in heads for word in ("handled", "aht", "occupancy"))
    assert "mean" not in heads
    assert re.search(r"^\d+ columns not shown: widen the terminal", text, re.MULTILINE)


def test_provisional_rows_are_marked_only_beside_others():
    table = answer(By.INTERVAL)
    index = table.column_names.index("provisional")
    settled = table.set_column(index, "provisional", pa.array([False] * len(table)))

    texts = [render_text_tables(tables) for tables in ([table], [settled], [table, settled])]

    assert [text.count("~") for text in texts] == [0, 0, len(table) + 1]
    assert [text.count("provisional") for text in texts] == [1, 0, 1]


def test_a_table_says_the_same_in_colour():
    table = answer(By.INTERVAL)
    coloured = render_text_tables([table], 80, colour=True)

    assert "\x1b[1;31m! 0:59:18\x1b[0m" in coloured
    assert Text.from_ansi(coloured).plain.rstrip() == render_text_tables([table], 80).rstrip()


def test_quarter_hours_are_paired_from_where_the_local_half_hours_begin():
    kathmandu = ZoneInfo("Asia/Kathmandu")
    start = datetime(2026, 2, 16, 18, 15, tzinfo=UTC)
    rows = posted(
        ("2026-02-16T18:15", "a1", {"handle_ms": 1}),
        ("2026-02-16T18:30", "a1", {"handle_ms": 20}),
        ("2026-02-16T18:45", "a1", {"handle_ms": 300}),
    )
    question = Question(Interval(start, start + timedelta(days=1)), kathmandu)

    table = questions.build_report(question, report_data(AGENTS, posted=rows))

    assert table["interval_start"].to_pylist() == [
        datetime(2026, 2, 17, 0, 0, tzinfo=kathmandu),
        datetime(2026, 2, 17, 0, 30, tzinfo=kathmandu),
    ]
    assert table["handle_time_sec"].to_pylist() == [0.021, 0.3]


@pytest.mark.parametrize("rows", ["hard", "none"])
def test_a_heat_map_is_written_as_in_its_golden_file(rows):
    file = HERE / f"{rows}.heatmap"
    data = written(answer(By.INTERVAL, HARD if rows == "hard" else HARD[:0]), Format.HEATMAP)
    if os.environ.get("HALFHOUR_WRITE_GOLDEN"):
        file.write_bytes(data)

    assert data == file.read_bytes()


def test_a_heat_map_says_the_same_in_colour_and_keeps_to_the_width():
    table = answer(By.INTERVAL)
    coloured = render_heatmap(table, 30, colour=True)

    assert "\x1b[" in coloured
    assert Text.from_ansi(coloured).plain.rstrip() == render_heatmap(table, 30).rstrip()
    narrow, _ = render_heatmap(table, 14).split("\n\n")
    assert max(map(cell_len, narrow.splitlines()[1:])) <= 14


def test_the_total_is_that_of_all_agents():
    question = Question(NIGHT, LONDON)
    (row,) = questions.build_total(
        question, report_data(AGENTS, posted=HARD, days_by_source={Source.POSTED: DAYS})
    ).to_pylist()
    rows = answer(By.AGENT).to_pylist()

    assert row["total"] == "all agents"
    assert row["agent_count"] == len(rows)
    for name in ("handle_time_sec", "acw_time_sec", "hold_time_sec", "handled_count"):
        assert row[name] == pytest.approx(sum(row[name] for row in rows))
    assert row["aht_sec"] == round(row["handle_time_sec"] / row["handled_count"], 3)
    assert not questions.build_total(question, report_data(AGENTS)).num_rows


@pytest.mark.parametrize(
    ("sort", "first"),
    [("handle_time_sec", "a1"), ("agent_name", "a1"), ("acw_share_ratio", "a5")],
)
def test_rows_are_sorted_and_the_first_of_them_kept(sort, first):
    question = Question(NIGHT, LONDON, By.AGENT, sort=sort, top=3)
    table = questions.build_report(
        question, report_data(AGENTS, posted=HARD, days_by_source={Source.POSTED: DAYS})
    )

    assert table["agent_id"][0].as_py() == first
    assert table.num_rows == 3


@pytest.mark.parametrize("sort", ["aht", "acw_share", "handled_count", "agent_name"])
def test_a_column_to_sort_by_may_be_named_as_a_table_shows_it(sort):
    by_name, by_head = (
        questions.build_report(
            Question(NIGHT, LONDON, By.AGENT, sort=name), report_data(AGENTS, posted=HARD)
        )
        for name in ({"aht": "aht_sec", "acw_share": "acw_share_ratio"}.get(sort, sort), sort)
    )

    assert by_name == by_head


@pytest.mark.parametrize("sort", ["handle", "tHandle", "Handl_time_sec"])
def test_a_column_to_sort_by_that_there_is_not_is_answered_with_the_nearest(sort):
    with pytest.raises(ConfigError, match="did you mean 'handle_time_sec'"):
        questions.build_report(Question(NIGHT, LONDON, sort=sort), report_data(AGENTS, posted=HARD))


def test_seconds_are_shown_to_the_millisecond_if_asked_for():
    assert "3558.453" in render_text_tables([answer(By.INTERVAL)], seconds=True)
    assert "handle_time_sec" in render_text_tables([answer(By.INTERVAL)], seconds=True)
