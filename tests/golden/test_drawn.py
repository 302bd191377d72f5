"""Several days, drawn: cell for cell what the report says, in its order, readable by everybody."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from halfhour.model.coverage import Calendar
from halfhour.model.data_dictionary import label_table
from halfhour.model.intervals import HALF_HOUR, Interval, to_utc
from halfhour.model.question import Question
from halfhour.model.tables import BUSY_SCHEMA, NAMES_SCHEMA, STATUS_SCHEMA
from halfhour.model.vocabulary import Basis, By, Format, Source
from halfhour.render.captions import table_captions
from halfhour.render.charts import DARK_SHADES, LIGHT_SHADES, render_svg
from halfhour.render.day_grid import agent_display_names, day_grids, shorten_name
from halfhour.render.heatmap import CELL_COLOURS as TERMINAL_SHADES
from halfhour.render.heatmap import render_heatmap
from halfhour.render.html_page import render_page
from halfhour.render.table import format_duration
from halfhour.reports import questions
from tests.golden.test_text import LONDON, posted, written
from tests.report_data import report_data

# The day on which London's clocks go back, and the next, which is provisional.
DAYS = Interval(
    to_utc(datetime.fromisoformat("2026-10-25T00:00Z")),
    to_utc(datetime.fromisoformat("2026-10-27T00:00Z")),
)
NAMED = {
    "11111111-a": "Chiara Rossi",
    "22222222-b": "Chiara Rossi",
    "c": "ada Zed",
    "d": "Óscar Núñez",
    "e": "Łukasz Wójcik",
    "f": "Peter Straße",
    "g": "Ada Ångström",
}
ROWS = posted(
    *(
        (
            # Around the clock on the first day, a morning on the second.
            f"2026-10-25T{index * 7 % 24:02}:{index % 2 * 3}0"
            if index < 9
            else f"2026-10-26T{8 + index % 5:02}:00",
            agent,
            {
                "handle_ms": index * 97_531,
                "handle_count": index % 3,
                "acw_ms": index * 1000,
                "hold_ms": index,
            },
        )
        for index, agent in enumerate([*NAMED, *reversed(NAMED), *NAMED])
    ),
    ("2026-10-25T00:30", "c", {"handle_ms": 600_000, "handle_count": 1}),
    ("2026-10-25T01:00", "c", {"handle_ms": 1_200_000, "handle_count": 1}),
)
SAME = {name: ROWS[name] for name in ("interval_start", "agent_id")}
FOUND = report_data(
    pa.table({"id": list(NAMED), "name": list(NAMED.values())}, schema=NAMES_SCHEMA),
    posted=ROWS,
    worked=ROWS,
    busy=pa.table(
        {**SAME, "busy_ms": [600_000] * len(ROWS), "open": [False] * len(ROWS)}, schema=BUSY_SCHEMA
    ),
    status=pa.table(
        {
            **SAME,
            "kind": ["routing"] * len(ROWS),
            "status": ["INTERACTING"] * len(ROWS),
            "status_ms": [900_000] * len(ROWS),
        },
        schema=STATUS_SCHEMA,
    ),
    days_by_source={
        Source.POSTED: Calendar(DAYS.end, HALF_HOUR).coverage_of_days(
            Interval(DAYS.start + timedelta(days=1), DAYS.end), []
        )
    },
)


def labelled_report(by: By = By.INTERVAL, basis: Basis = Basis.BOTH, **order: Any) -> pa.Table:
    table = questions.build_report(Question(DAYS, LONDON, by, basis, **order), FOUND)
    return label_table(table, zone="Europe/London", missing=str(DAYS))


def html_page(basis: Basis = Basis.BOTH, **order: Any) -> str:
    total = questions.build_total(Question(DAYS, LONDON, basis=basis), FOUND)
    return render_page(
        labelled_report(basis=basis, **order), labelled_report(By.AGENT, basis), total
    )


class Tables(HTMLParser):
    """The tables of a page by class or id: rows of cells, each its attributes and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[list[tuple[dict[str, str | None], str]]]]] = []
        self.within = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "table":
            self.tables.append((attributes.get("class") or attributes.get("id") or "", []))
        if tag == "tr":
            self.tables[-1][1].append([])
        self.within = tag in ("td", "th")
        if self.within:
            self.tables[-1][1][-1].append((attributes, ""))

    def handle_data(self, data: str) -> None:
        if self.within:
            attributes, text = self.tables[-1][1][-1].pop()
            self.tables[-1][1][-1].append((attributes, text + data))

    def handle_endtag(self, tag: str) -> None:
        self.within = self.within and tag not in ("td", "th")


def csv_rows(table: pa.Table) -> list[dict[str, str]]:
    """The rows of *table* as CSV has them."""
    return list(csv.DictReader(io.StringIO(written(table, Format.CSV).decode(), newline="")))


@pytest.mark.parametrize("basis", Basis)
def test_each_cell_of_the_maps_is_the_one_of_the_report(basis):
    table = labelled_report(basis=basis)
    column = "busy_time_sec" if basis is Basis.WORKED else "handle_time_sec"
    days = [rows for name, rows in Tables(html_page(basis)).tables if name == "heat"]
    drawn_cells = {}
    for day, ((_, *heads), *lines) in zip(("2026-10-25", "2026-10-26"), days, strict=True):
        for (_, name), *cells in lines:
            for (head, _), (attributes, minutes) in zip(heads, cells, strict=True):
                if "title" in attributes:
                    time = f"{day}T{head['aria-label']}"
                    label, _, length = (attributes["title"] or "").rpartition(": ")
                    assert label == head["aria-label"]
                    drawn_cells[name, time] = length, minutes, attributes["class"]

    names, expected_cells = agent_display_names(table), {}
    for row in csv_rows(table):
        start, seconds = row["interval_start"], float(row[column])
        # Only of what the clock shows twice the offset is shown.
        time = start[:16] + (start[19:] if start.startswith("2026-10-25T01") else "")
        level = min(int(seconds // 225) + 1, 8) if seconds else 0
        level_class = "over" if seconds > 1800 else f"l{level}"
        provisional_class = " young" if row["provisional"] == "true" else ""
        expected_cells[names[row["agent_id"]], time] = (
            format_duration(seconds),
            f"{seconds / 60:.0f}",
            level_class + provisional_class,
        )
    assert drawn_cells == expected_cells


@pytest.mark.parametrize("basis", Basis)
def test_each_cell_of_the_table_of_agents_is_the_one_of_the_report(basis):
    table = labelled_report(By.AGENT, basis)
    ((heads, *lines),) = [
        rows for name, rows in Tables(html_page(basis)).tables if name == "sortable"
    ]
    columns = {
        text.strip().replace(" ", "_").lower(): index for index, (_, text) in enumerate(heads)
    }

    assert len(lines) == table.num_rows
    for index, (line, row) in enumerate(zip(lines, csv_rows(table), strict=True)):
        assert line[0][1] == agent_display_names(table)[row["agent_id"]]
        assert line[0][0]["data-value"] == str(index)
        for name, value in row.items():
            place = columns.get(name.removesuffix("_sec").removesuffix("_ratio"))
            if place and name != "agent_name":
                attributes, text = line[place]
                assert text == (cell_text(name, value) if value else "–")
                assert float(attributes["data-value"] or "nan") == pytest.approx(
                    float(value or "nan"), nan_ok=True
                )
    assert ("worked_time" in columns) == (basis is Basis.BOTH)
    assert "occupancy" in columns


def cell_text(name: str, value: str) -> str:
    if name.endswith("_sec"):
        return format_duration(float(value))
    return f"{float(value):.1%}" if name.endswith("_ratio") else value


@pytest.mark.parametrize("top", [None, 9])
def test_a_report_in_any_order_is_drawn_day_by_day_and_agents_as_they_come(top):
    table = labelled_report(sort="handle_time_sec", top=top)
    grids = list(day_grids(table))

    assert [f"{grid.day}" for grid in grids] == ["2026-10-25", "2026-10-26"]
    order = list(dict.fromkeys(map(agent_display_names(table).get, table["agent_id"].to_pylist())))
    for grid in grids:
        assert grid.starts == sorted(grid.starts, key=to_utc)
        lines = [line.name for line in grid.agent_rows]
        assert lines == [name for name in order if name in lines]
    assert sum(
        1 for grid in grids for line in grid.agent_rows for cell in line.cells if cell
    ) == len(table)
    assert render_svg(table).count('class="day"') == render_heatmap(table).count("2026-10-2") == 2
    assert html_page(sort="handle_time_sec", top=top).count('<section class="day"') == 2


def test_agents_are_in_the_order_that_the_report_has_them_in():
    names = list(agent_display_names(labelled_report(By.AGENT)).values())
    by_name = agent_display_names(labelled_report(By.AGENT, sort="agent_name"))

    assert [name.split()[0] for name in by_name.values()] == [name.split()[0] for name in names]
    for grid in day_grids(labelled_report()):
        lines = [line.name for line in grid.agent_rows]
        assert lines == [name for name in names if name in lines]
    assert [name.split()[0] for name in names] == (
        ["Ada", "ada", "Chiara", "Chiara", "Łukasz", "Óscar", "Peter"]
    )


def test_both_turns_of_an_hour_that_comes_twice_are_labelled_in_every_drawing():
    table = labelled_report()
    (heads, *_), *_ = (rows for name, rows in Tables(html_page()).tables if name == "heat")
    hours = [text for _, text in heads if text.startswith("01")]

    assert hours == ["01A", "01B"]
    assert all(f">{hour}</text>" in render_svg(table) for hour in hours)
    title, hours_line, letters, *_ = render_heatmap(table).splitlines()
    assert title == "2026-10-25, Europe/London, UTC+01:00 (A) then UTC (B)"
    assert letters.strip() == "AABB"
    assert hours_line[letters.index("A") :].startswith("01")


def local_day(day: str, half_hours: int, *, idle: range = range(0)) -> pa.Table:
    """Return the report of two agents in London's *day*; "c" has no work in the *idle* part."""
    start = to_utc(datetime.fromisoformat(day).replace(tzinfo=LONDON))
    rows = posted(
        *(
            (f"{start + index * HALF_HOUR:%Y-%m-%dT%H:%M}", agent, {"handle_ms": 60_000})
            for index in range(half_hours)
            for agent in ("11111111-a", "c")
            if agent != "c" or index not in idle
        )
    )
    names = pa.table({"id": list(NAMED), "name": list(NAMED.values())}, schema=NAMES_SCHEMA)
    question = Question(Interval(start, start + half_hours * HALF_HOUR), LONDON)
    return questions.build_report(question, report_data(names, posted=rows))


@pytest.mark.parametrize(
    ("day", "half_hours", "width", "hours"),
    [
        ("2026-10-25", 50, 60, ["  01  02  04  06  08  10", "12  14  16  18  20  22"]),
        ("2026-10-25", 50, 80, ["  01  02  04  06  08  10  12  14  16  18  20  22"]),
        ("2026-03-29", 46, 80, ["  02  04  06  08  10  12  14  16  18  20  22"]),
        ("2026-03-29", 46, 60, ["  02  04  06  08  10  12", "  14  16  18  20  22"]),
        ("2026-11-20", 48, 60, ["00  02  04  06  08  10", "12  14  16  18  20  22"]),
        ("2026-11-20", 48, 100, ["00  02  04  06  08  10  12  14  16  18  20  22"]),
        (
            "2026-10-25",
            50,
            140,
            [f"00  01A 01B {'  '.join(f'{hour:02}' for hour in range(2, 24))}"],
        ),
        ("2026-03-29", 46, 140, [f"00  {'  '.join(f'{hour:02}' for hour in range(2, 24))}"]),
    ],
)
def test_each_hour_label_of_a_heat_map_stands_above_its_half_hour(day, half_hours, width, hours):
    lines = render_heatmap(local_day(day, half_hours), width).splitlines()
    hour_lines = [line for line in lines if re.fullmatch(r" *\d\d[\dAB ]*", line)]

    assert [line[_first_cell(lines) :] for line in hour_lines] == hours
    assert ("  AABB" in [line[_first_cell(lines) :] for line in lines]) == (
        "01" in hours[0].split()
    )
    assert max(map(len, lines[:-2])) <= width


def _first_cell(lines: Sequence[str]) -> int:
    """Return the first column of the cells, each of which is a minute of work."""
    return next(line.index("▁") for line in lines if line.startswith("ada Zed"))


def test_an_agent_has_no_line_in_a_part_of_the_day_without_work():
    lines = render_heatmap(local_day("2026-11-20", 48, idle=range(20, 48)), 60).splitlines()

    assert [line.split("  ")[0] for line in lines[1:-3]] == [
        "", "ada Zed", "Chiara Rossi", "all agents", "", "Chiara Rossi", "all agents",
    ]  # fmt: skip


def test_a_drawing_marks_no_figure_if_all_are_provisional_and_says_so_once():
    some, every = labelled_report(), labelled_report()
    place = every.column_names.index("provisional")
    every = every.set_column(place, "provisional", pa.array([True] * every.num_rows))
    totals = questions.build_total(Question(DAYS, LONDON, basis=Basis.BOTH), FOUND)
    agents = labelled_report(By.AGENT)
    pages = [render_page(table, agents, totals) for table in (some, every)]
    svgs, maps = ([draw(table) for table in (some, every)] for draw in (render_svg, render_heatmap))

    assert [' young"' in page for page in pages] == [True, False]
    assert [page.count("All figures are provisional.") for page in pages] == [0, 1]
    assert ['class="young"' in svg for svg in svgs] == [True, False]
    assert [svg.count(">all provisional<") for svg in svgs] == [0, 1]
    assert ["~" in text for text in maps] == [True, False]
    assert maps[1].splitlines()[-1] == "all rows are provisional: Genesys may still correct them"


@pytest.mark.parametrize("basis", Basis)
def test_every_drawing_names_its_basis(basis):
    called = "worked" if basis is Basis.WORKED else "posted"
    for page in (
        html_page(basis),
        render_svg(labelled_report(basis=basis)),
        render_heatmap(labelled_report(basis=basis)),
    ):
        assert f"{called} basis" in page
        assert ("the worked basis draws time at work" in page) == (basis is Basis.BOTH)


@pytest.mark.parametrize("basis", Basis)
def test_only_worked_time_is_said_to_be_agents_at_work(basis):
    """Posted time may be of work that went on before, so it can be more than agents were there."""
    unit, other_unit = "half-hours of handle time", "agents at work"
    if basis is Basis.WORKED:
        unit, other_unit = other_unit, unit
    for page in (html_page(basis), render_svg(labelled_report(basis=basis))):
        assert f" {unit}, " in page
        assert "agents on queue" in page
        assert other_unit not in page.lower()
    rows = dict(Tables(html_page(basis)).tables)["heat"]
    assert [heads[0][1] for heads in rows[-2:]] == [unit.capitalize(), "Agents on queue"]


def test_facts_are_words_in_the_zone_of_the_report():
    captions = table_captions(labelled_report())

    assert captions["Range"] == "25 October 2026 01:00 to 27 October 2026 00:00"
    assert captions["Time zone"] == "Europe/London"
    assert captions["Not held"] == captions["Range"]
    for page in (html_page(), render_svg(labelled_report())):
        assert all(fact in page for fact in captions.values())


def luminance(shade: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(shade[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colour: str, background: str) -> float:
    dark, light = sorted((luminance(colour), luminance(background)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("shades", "paper", "none"),
    [(LIGHT_SHADES, "#ffffff", "#eef2f6"), (DARK_SHADES, "#10161d", "#1d2731")],
    ids=["light", "dark"],
)
def test_a_higher_shade_has_more_contrast_with_its_background(shades, paper, none):
    against = [contrast(shade, paper) for shade in (none, *shades)]

    assert against == sorted(against)
    assert contrast(shades[0], none) > 1.3
    assert against[1] > 1.5
    assert against[-1] > 10


def test_the_shades_of_a_terminal_are_seen_on_black_and_on_white():
    for shade in TERMINAL_SHADES.values():
        assert min(contrast(shade, "#000000"), contrast(shade, "#ffffff")) > 3


def test_a_heat_map_has_room_for_hours_shortens_names_and_totals_its_lines():
    lines = render_heatmap(labelled_report(), 80).splitlines()
    day = lines[lines.index("2026-10-26, Europe/London") :]

    assert day[1].split() == ["08", "10", "12"]
    assert day[1].index("10") - day[1].index("08") == 4
    assert "".join(day[2].split()) == "~" * sum(
        list(day_grids(labelled_report()))[1].provisional_flags
    )
    total = sum(labelled_report()["handle_time_sec"].to_pylist())
    totals = [line.split()[-1] for line in lines if line.startswith("all agents")]
    assert len(totals) == 2
    assert round(total) in range(*(sum(map(seconds, totals)) + by for by in (-1, 2)))
    assert "Chiara Rossi (22222222)" in render_heatmap(labelled_report(), 60)
    assert shorten_name("Chiara Rossi (11111111)", 10) == "Chiara Ro…"


def seconds(length: str) -> int:
    hours, minutes, rest = map(int, length.split(":"))
    return (hours * 60 + minutes) * 60 + rest


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["days", "none"])
def test_several_days_or_none_pass_axe_and_fit_the_window(browser, tmp_path, scheme, which):
    from axe_playwright_python.sync_playwright import Axe

    none = questions.build_report(Question(DAYS, LONDON), report_data())
    file = Path(tmp_path, "report.html")
    file.write_text(
        html_page() if which == "days" else render_page(none, none, none), encoding="utf-8"
    )
    tab = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 800})
    tab.goto(file.as_uri())

    violations = Axe().run(tab).response["violations"]
    assert [(entry["id"], entry["nodes"][0]["html"]) for entry in violations] == []
    widths = "all => all.map(each => each.scrollWidth - each.clientWidth)"
    assert set(tab.locator(".day .scroll").evaluate_all(widths)) <= {0}
    assert tab.locator("table").count() == (4 if which == "days" else 0)
    tab.close()


def test_a_click_on_agent_name_sorts_names_as_in_the_report(browser, tmp_path):
    file = Path(tmp_path, "report.html")
    file.write_text(html_page(), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(file.as_uri())
    names = tab.locator("#sortable tbody th").all_inner_texts()
    button = tab.get_by_role("columnheader", name="Agent name").get_by_role("button")
    tab.get_by_role("columnheader", name="Handle time").get_by_role("button").click()
    assert tab.locator("#sortable tbody th").all_inner_texts() != names
    button.click()
    assert tab.locator("#sortable tbody th").all_inner_texts() == names
    button.click()
    assert tab.locator("#sortable tbody th").all_inner_texts() == names[::-1]
    tab.close()
