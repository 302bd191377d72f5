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
    found = html_page(table) if form == "html" else render_svg(answer(By.INTERVAL, table))
    if os.environ.get("HALFHOUR_WRITE_GOLDEN"):
        file.write_text(found, encoding="utf-8")

    assert found == file.read_text(encoding="utf-8")


def test_every_figure_of_the_report_is_in_the_table_of_agents():
    shown = re.findall(r'data-value="([^"]*)"', html_page())
    table = answer(By.AGENT)
    for name in ("handle_time_sec", "acw_time_sec", "hold_time_sec", "aht_sec"):
        for value in table[name].to_pylist():
            assert ("" if value is None else str(value)) in shown


def test_the_heat_map_has_every_half_hour_that_there_is_and_no_other():
    table = answer(By.INTERVAL)
    drawn = [
        (line.name, grid.starts[at].astimezone(UTC), cell.seconds)
        for grid in day_grids(table)
        for line in grid.agent_rows
        for at, cell in enumerate(line.cells)
        if cell
    ]
    assert len(drawn) == table.num_rows
    assert {(at, seconds) for _, at, seconds in drawn} == {
        (row["interval_start"].astimezone(UTC), row["handle_time_sec"]) for row in table.to_pylist()
    }
    assert html_page().count('class="l') + html_page().count('class="over') >= table.num_rows


@pytest.mark.parametrize("form", [Format.HEATMAP, Format.HTML, Format.SVG])
def test_a_report_without_handle_time_has_no_heat_map(form):
    table, agents = answer(By.INTERVAL), answer(By.AGENT)
    at = table.column_names.index("handle_time_sec")
    empty = table.set_column(at, table.field(at), pa.nulls(len(table), pa.float64()))
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

    whole = html_page()
    assert "<script>alert" not in whole
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&amp;" in whole
    drawn = render_svg(answer(By.INTERVAL))
    names = [
        each.text or "" for each in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert any(name.startswith("<script>alert(1)") for name in names)


def test_the_page_loads_nothing_from_elsewhere():
    whole = html_page()
    assert not re.search(r'(src|href|url\()\s*=?\s*["\']?(https?:)?//', whole)
    assert "@import" not in whole


def test_a_chart_is_a_picture():
    data = written(answer(By.INTERVAL), Format.PNG)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(data[16:20]) > 300


@pytest.fixture
def shown(tmp_path: Path) -> str:
    file = tmp_path / "report.html"
    file.write_text(html_page(), encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1300])
def test_the_page_logs_nothing_requests_nothing_else_and_passes_axe(browser, shown, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    tab = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: said.append(request.url))
    tab.goto(shown)

    assert said == [shown]
    found = Axe().run(tab).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.close()


def test_agents_are_sorted_by_keyboard(browser, shown):
    tab = browser.new_page()
    tab.goto(shown)
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
    whole = render_page(table, answer(By.AGENT), total())
    assert "<dt>Not held</dt><dd>2026-10-24</dd>" in whole
    assert "<dt>As of</dt><dd>2026-10-26 00:00:00+00:00</dd>" in whole


def test_the_page_has_the_figures_of_the_report():
    table = answer(By.INTERVAL)
    shown = re.findall(r'<td class="[^"]*" title="[^"]*: (\d+:\d\d:\d\d)">', html_page())
    assert sorted(shown) == sorted(map(format_duration, table["handle_time_sec"].to_pylist()))
