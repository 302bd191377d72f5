"""The page and the charts: what stands in them, that it is text, and in a browser that it works."""

import io
import os
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from halfhour.model.data_dictionary import label_table
from halfhour.model.tables import NAMES_SCHEMA
from halfhour.model.vocabulary import By, Format
from halfhour.render.charts import render_svg
from halfhour.render.day_grid import FILL_LEVELS, HALF_HOUR_SECONDS, HeatCell, day_grids
from halfhour.render.formats import write_tables
from halfhour.render.html_page import render_page
from halfhour.render.table import format_duration
from tests.golden.test_text import HARD, HERE, answer, total, written

EVIL = '<script>alert(1)</script>"&\x1b'


def html_page(rows: pa.Table = HARD) -> str:
    facts = {"zone": "Europe/London", "source": "conversation aggregates"}
    return render_page(
        label_table(answer(By.INTERVAL, rows), **facts), answer(By.AGENT, rows), total(rows)
    )


@pytest.mark.parametrize("rows", ["hard", "none"])
@pytest.mark.parametrize("form", ["html", "svg"])
def test_the_page_and_the_chart_are_those_of_the_golden_files(rows, form):
    file = HERE / f"{rows}.{form}"
    table = HARD if rows == "hard" else HARD[:0]
    drawing = html_page(table) if form == "html" else render_svg(answer(By.INTERVAL, table))
    if os.environ.get("HALFHOUR_WRITE_GOLDEN"):
        file.write_text(drawing, encoding="utf-8")

    assert drawing == file.read_text(encoding="utf-8")


def test_every_figure_of_the_report_is_in_the_table_of_agents():
    values = re.findall(r'data-value="([^"]*)"', html_page())
    table = answer(By.AGENT)
    for name in ("handle_time_sec", "acw_time_sec", "hold_time_sec", "aht_sec"):
        for value in table[name].to_pylist():
            assert ("" if value is None else str(value)) in values


def test_the_heat_map_has_every_half_hour_that_there_is_and_no_other():
    table = answer(By.INTERVAL)
    drawn = [
        (line.name, grid.starts[index].astimezone(UTC), cell.seconds)
        for grid in day_grids(table)
        for line in grid.agent_rows
        for index, cell in enumerate(line.cells)
        if cell
    ]
    assert len(drawn) == table.num_rows
    assert {(index, seconds) for _, index, seconds in drawn} == {
        (row["interval_start"].astimezone(UTC), row["handle_time_sec"]) for row in table.to_pylist()
    }
    assert html_page().count('class="l') + html_page().count('class="over') >= table.num_rows


@pytest.mark.parametrize("form", [Format.HEATMAP, Format.HTML, Format.SVG])
def test_a_report_without_handle_time_has_no_heat_map(form):
    table, agents = answer(By.INTERVAL), answer(By.AGENT)
    index = table.column_names.index("handle_time_sec")
    empty = table.set_column(index, table.field(index), pa.nulls(len(table), pa.float64()))
    file = io.BytesIO()
    write_tables({"Intervals": [empty], "Agents": [agents], "Total": [total()]}, form, file)

    assert file.getvalue()
    assert list(day_grids(empty)) == []


def test_levels_are_eighths_of_the_half_hour():
    seconds = (0, 0.001, 224.9, 225, 1799.9, 1800, 5000)
    assert [HeatCell(value, False).fill_level for value in seconds] == [
        0, 1, 1, 2, FILL_LEVELS, FILL_LEVELS, FILL_LEVELS,
    ]  # fmt: skip
    assert [
        HeatCell(value, False).exceeds_half_hour
        for value in (HALF_HOUR_SECONDS, HALF_HOUR_SECONDS + 0.001)
    ] == [False, True]


def test_a_name_is_text_and_never_markup(monkeypatch):
    evil = pa.table({"id": ["a1"], "name": [EVIL]}, schema=NAMES_SCHEMA)
    monkeypatch.setattr("tests.golden.test_text.AGENTS", evil)

    page = html_page()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&amp;" in page
    drawn = render_svg(answer(By.INTERVAL))
    names = [
        element.text or ""
        for element in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert any(name.startswith("<script>alert(1)") for name in names)


def test_the_page_loads_nothing_from_elsewhere():
    page = html_page()
    assert not re.search(r'(src|href|url\()\s*=?\s*["\']?(https?:)?//', page)
    assert "@import" not in page


def test_a_chart_is_a_picture():
    data = written(answer(By.INTERVAL), Format.PNG)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(data[16:20]) > 300


@pytest.fixture
def page_url(tmp_path: Path) -> str:
    file = tmp_path / "report.html"
    file.write_text(html_page(), encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1300])
def test_the_page_logs_nothing_requests_nothing_else_and_passes_axe(
    browser, page_url, scheme, width
):
    from axe_playwright_python.sync_playwright import Axe

    tab = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    events: list[str] = []
    tab.on("console", lambda message: events.append(message.text))
    tab.on("pageerror", lambda error: events.append(str(error)))
    tab.on("request", lambda request: events.append(request.url))
    tab.goto(page_url)

    assert events == [page_url]
    violations = Axe().run(tab).response["violations"]
    assert [(violation["id"], violation["nodes"][0]["html"]) for violation in violations] == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.close()


def test_agents_are_sorted_by_keyboard(browser, page_url):
    tab = browser.new_page()
    tab.goto(page_url)
    head = tab.get_by_role("columnheader", name="Handle time")
    head.get_by_role("button").focus()
    for order in ("descending", "ascending"):
        tab.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == order
        values = tab.locator("#sortable tbody tr td:nth-child(2)").evaluate_all(
            "cells => cells.map(cell => Number(cell.dataset.value))"
        )
        assert values == sorted(values, reverse=order == "descending")
    tab.close()


def test_the_page_says_when_it_was_made_and_which_days_are_missing():
    table = label_table(
        answer(By.INTERVAL), made_at=f"{datetime(2026, 10, 26, tzinfo=UTC)}", missing="2026-10-24"
    )
    page = render_page(table, answer(By.AGENT), total())
    assert "<dt>Not held</dt><dd>2026-10-24</dd>" in page
    assert "<dt>As of</dt><dd>2026-10-26 00:00:00+00:00</dd>" in page


def test_the_page_has_the_figures_of_the_report():
    table = answer(By.INTERVAL)
    values = re.findall(r'<td class="[^"]*" title="[^"]*: (\d+:\d\d:\d\d)">', html_page())
    assert sorted(values) == sorted(map(format_duration, table["handle_time_sec"].to_pylist()))
