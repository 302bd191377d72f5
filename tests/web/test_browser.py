"""Every control of the page in a real browser, which must request nothing from other hosts."""

import csv
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from playwright.sync_api import expect

from halfhour.genesys import payloads
from halfhour.ingest import aggregates
from halfhour.model.vocabulary import Source
from halfhour.web.app import create_app
from halfhour.web.auth import PasswordAuth, hash_password
from tests.web.conftest import (
    DAY,
    MONDAY,
    NOW,
    discard_messages,
    open_page,
    poll_now,
    serving_here,
    store_of,
)

PASSWORD = "correct horse battery"
EVIL = "<img src=x onerror=document.title='evil'>"


def labelled_cells(tab: Any) -> dict[str, str]:
    """Return the texts of the visible cells with a figure, by their labels for screen readers."""
    return dict(
        tab.eval_on_selector_all(
            ".cell[class*=' ']", "all => all.map(e => [e.ariaLabel, e.textContent])"
        )
    )


def assert_cells_become(tab: Any, cells: dict[str, str]) -> None:
    """Check that the page draws *cells*, soon after the answer that has them."""
    for _ in range(200):
        if labelled_cells(tab) == cells:
            return
        tab.wait_for_timeout(50)
    assert labelled_cells(tab) == cells


def choose(tab: Any, label: str, value: str) -> None:
    """Choose *value*, and wait until the page has drawn what it was answered."""
    with tab.expect_response(lambda answer: "api/day" in answer.url):
        tab.get_by_role("combobox", name=label, exact=True).select_option(value)
    tab.wait_for_selector("#view[aria-busy=false]")


def agent_names(tab: Any) -> list[str]:
    return list(tab.locator(".line .who").all_inner_texts())


def query_of_address(tab: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(tab.url).query).items()}


def test_every_choice_goes_into_the_address_and_out_of_it_again(tab, dashboard_url):
    open_page(tab, dashboard_url + MONDAY)
    before = labelled_cells(tab)
    choices = [
        ("Measure", "hold"),
        ("Measure", "handled"),
        ("Basis", "worked"),
        ("Basis", "posted"),
        ("Queue", "Billing"),
        ("Media", "voice"),
        ("Division", "Europe"),
        ("Queue", ""),
        ("Media", ""),
        ("Division", ""),
        ("Team", "Team 2"),
        ("Sort", "occupancy"),
        ("Sort", "load"),
    ]
    for label, value in choices:
        choose(tab, label, value)
        assert tab.locator("#said").is_hidden()
        assert query_of_address(tab).get(label.lower(), "") == value
    after = labelled_cells(tab)
    assert after != before
    assert any("handled" in label for label in after)

    address = tab.url
    tab.reload()
    tab.wait_for_selector(".cell")
    assert tab.url == address
    assert labelled_cells(tab) == after
    assert tab.get_by_role("combobox", name="Team").input_value() == "Team 2"
    for _ in choices:
        tab.go_back()
    expect(tab.get_by_role("combobox", name="Measure")).to_have_value("handle")
    assert query_of_address(tab) == {"day": "2026-03-02"}
    assert_cells_become(tab, before)


def test_days_are_stepped_through_and_an_empty_one_leads_to_the_last(tab, dashboard_url):
    open_page(tab, dashboard_url + MONDAY)
    tab.get_by_role("button", name="The day before").click()
    expect(tab).to_have_title(re.compile("2026-03-01"))
    tab.get_by_role("button", name="The day after").click()
    expect(tab).to_have_title(re.compile("2026-03-02"))
    tab.get_by_label("Day", exact=True).fill("2026-02-27")
    expect(tab).to_have_title(re.compile("2026-02-27"))
    assert "The store has no figures of this day" in tab.locator("#empty").inner_text()
    assert "Missing: 27 Feb 2026, 00:00 – 28 Feb 2026, 00:00" in tab.inner_text("#freshness")

    tab.get_by_role("link", name="2026-03-02").click()
    tab.wait_for_selector(".cell")
    assert query_of_address(tab)["day"] == "2026-03-02"
    assert "provisional" in tab.inner_text("#freshness")


def test_a_search_filters_the_page_and_the_csv(tab, dashboard_url, tmp_path):
    open_page(tab, dashboard_url + MONDAY)
    all_names = agent_names(tab)
    tab.get_by_label("Find").fill("ada")
    expect(tab.locator(".line")).not_to_have_count(len(all_names))
    names = agent_names(tab)
    assert 0 < len(names) < len(all_names)
    assert all("ada" in name.casefold() for name in names)
    assert query_of_address(tab)["find"] == "ada"

    with tab.expect_download() as download:
        tab.get_by_role("link", name="CSV").click()
    download.value.save_as(tmp_path / "agents.csv")
    rows = list(csv.DictReader((tmp_path / "agents.csv").read_text("utf-8").splitlines()))
    assert {row["agent_name"] for row in rows} == set(names)
    tab.get_by_label("Find").fill("nobody at all")
    tab.wait_for_selector("text=No agent has that text in the name")
    tab.get_by_label("Find").fill("")
    expect(tab.locator(".line")).to_have_count(len(all_names))


def test_a_cell_opens_its_details_and_an_agent_the_last_weeks(tab, dashboard_url):
    open_page(tab, dashboard_url + MONDAY)
    cell = tab.locator(".cell.over").first
    label = cell.get_attribute("aria-label")
    cell.click()
    tab.wait_for_selector("aside table")
    panel = tab.inner_text("aside")
    name, rest = label.rsplit(", ", 1) if "provisional" not in label else label.rsplit(", ", 2)[:2]
    time, value = rest.split(": ")
    assert f"{name}, {time}" in panel
    for text in (value, "Posted", "Worked", "Routing status", "Presence", "Provisional"):
        assert text in panel
    assert tab.locator("aside code").count() >= 1
    assert tab.evaluate("document.activeElement.ariaLabel") == "Close"

    address = tab.url
    tab.get_by_role("button", name="This agent's last weeks").click()
    tab.wait_for_selector("aside table.days")
    assert "2026-03-01" in tab.inner_text("aside")
    tab.go_back()
    tab.wait_for_selector("aside code")
    assert tab.url == address
    tab.keyboard.press("Escape")
    tab.wait_for_selector("aside", state="hidden")
    assert query_of_address(tab) == {"day": "2026-03-02", "zone": "UTC"}

    tab.goto(address)  # as a colleague who was sent it
    tab.wait_for_selector("aside code")
    tab.get_by_role("button", name="Close").click()
    tab.locator(".line .who").nth(2).click()
    tab.wait_for_selector("aside table.days")


def test_an_agents_weeks_lead_to_their_days_and_half_hours(tab, dashboard_url):
    open_page(tab, dashboard_url + MONDAY)
    tab.locator(".line .who").nth(1).click()
    tab.wait_for_selector("aside .weeks")
    rects = tab.locator("aside .weeks rect:not(.gone)")
    titles = [title.split(": ")[0] for title in rects.locator("title").all_text_contents()]
    assert {title.split(", ")[0] for title in titles} == {"2026-03-01", "2026-03-02"}
    tab.get_by_role("button", name="2026-03-01").click()
    expect(tab).to_have_title(re.compile("2026-03-01"))
    tab.wait_for_selector("aside .weeks")

    rects.first.click()
    tab.wait_for_selector("aside .status")
    day, time = titles[0].split(", ")
    assert query_of_address(tab)["day"] == day == "2026-03-01"
    assert tab.inner_text("aside h2").endswith(f", {time}")
    chosen = tab.locator(".chosen").get_attribute("aria-label")
    assert chosen.split(": ")[0] == tab.inner_text("aside h2")


def test_half_hours_are_stepped_through(tab, dashboard_url):
    open_page(tab, dashboard_url + MONDAY)
    name = tab.inner_text("#at-4-0")
    row = tab.locator("#at-4-0 ~ .cell:not([class=cell])").first.get_attribute("data-column")
    first = int(row)
    tab.locator(f"#at-4-{first}").click()
    tab.wait_for_selector("aside .status")
    for column in (first + 1, first + 2):
        tab.get_by_role("button", name="The half-hour after").click()
        label = tab.get_attribute(f"#at-4-{column}", "aria-label").split(": ")[0]
        tab.wait_for_selector(f"aside h2 >> text={label}")
        assert tab.evaluate("document.activeElement.ariaLabel") == "The half-hour after"
    assert label.startswith(name)
    assert tab.locator(".chosen").get_attribute("id") == f"at-4-{column}"


def test_the_panel_is_beside_the_table_in_a_wide_window(tab, dashboard_url):
    open_page(tab, dashboard_url + MONDAY)
    tab.locator("#at-3-49").click()
    tab.wait_for_selector("aside h2")
    assert tab.get_by_role("button", name="The half-hour after").is_disabled()
    grid, panel = (tab.locator(name).bounding_box() for name in ("#grid", "aside"))
    assert grid["x"] + grid["width"] <= panel["x"]
    chosen = tab.locator(".chosen").bounding_box()
    assert grid["x"] <= chosen["x"] <= grid["x"] + grid["width"] - chosen["width"]


def test_a_measure_that_the_basis_does_not_have_cannot_be_chosen(tab, dashboard_url):
    open_page(tab, dashboard_url + MONDAY + "&basis=worked")
    measure = tab.get_by_role("combobox", name="Measure")
    assert measure.locator("option:disabled").all_inner_texts() == ["Handled"]
    tab.goto(dashboard_url + MONDAY + "&basis=worked&measure=handled")
    tab.wait_for_selector("#problems >> text=showing handle instead")
    assert tab.locator(".cell").count() > 0
    expect(measure).to_have_value("handle")


@pytest.mark.parametrize("measure", ["handle", "occupancy", "handled"])
def test_the_key_has_the_shades_of_the_cells(tab, dashboard_url, measure):
    open_page(tab, f"{dashboard_url}{MONDAY}&measure={measure}")
    shades = dict(
        tab.eval_on_selector_all(
            ".cell[class*=' l']", "all => all.map(e => [e.textContent, e.classList[1]])"
        )
    )
    key = tab.eval_on_selector_all(
        "#key span[class^=l]", "all => all.map(e => [e.textContent, e.className])"
    )
    assert len(key) > 3
    pairs = [(shades[text], shade) for text, shade in key if text in shades]
    assert len(pairs) > 1
    # A rounded figure may be just above or below the edge of a shade.
    assert all(abs(int(cell_shade[1]) - int(key_shade[1])) <= 1 for cell_shade, key_shade in pairs)


def test_the_figure_that_agents_are_sorted_by_is_shown(tab, dashboard_url):
    open_page(tab, dashboard_url + MONDAY)
    for sort, head in (("load", "Total"), ("occupancy", "Occup."), ("name", "Total")):
        choose(tab, "Sort", sort)
        expect(tab.locator(".head .total")).to_have_text(head)
        expect(tab.get_by_role("combobox", name="Sort")).to_have_value(sort)
        texts = [text for text in tab.locator(".line .total").all_inner_texts() if text]
        figures = [float(text.removesuffix(" %").replace(":", ".")) for text in texts]
        assert (figures == sorted(figures, reverse=True)) == (sort != "name"), sort


def test_today_is_the_current_day_and_a_date_stays(tab, dashboard_url):
    tab.goto(dashboard_url)
    tab.wait_for_selector("#empty")
    today = tab.get_by_role("button", name="Today")
    assert today.get_attribute("aria-pressed") == "true"
    tab.get_by_role("link", name="2026-03-02").click()
    tab.wait_for_selector(".cell")
    assert today.get_attribute("aria-pressed") == "false"
    today.click()
    tab.wait_for_selector("#empty")
    choose(tab, "Measure", "hold")
    assert query_of_address(tab)["day"] == "today"
    assert f"{datetime.now(UTC):%Y-%m-%d}" in tab.title()


def test_the_stored_days_are_listed_by_source(tab, dashboard_url):
    open_page(tab, dashboard_url + MONDAY + "&zone=America/New_York")
    tab.locator("summary").click()
    rows = [row.split("\t") for row in tab.locator("#days tbody tr").all_inner_texts()]
    assert {row[1] for row in rows} == {"posted", "status", "details"}
    monday = {tuple(row[2:4]) for row in rows if row[0] == "2026-03-02"}
    assert monday == {("provisional", "2 Mar 2026, 19:00")}


def test_the_choices_on_a_phone_are_one_tap_away(tab, dashboard_url):
    tab.set_viewport_size({"width": 360, "height": 700})
    open_page(tab, dashboard_url + MONDAY)
    queue = tab.get_by_role("combobox", name="Queue")
    assert not queue.is_visible()
    assert tab.locator("#grid").bounding_box()["y"] < 480
    tab.get_by_role("button", name="More").click()
    queue.select_option("Billing")
    tab.wait_for_selector("#more >> text=More (1)")
    tab.get_by_role("button", name="More (1)").click()
    assert not queue.is_visible()
    tab.locator(".cell[class*=' l']").first.click()
    tab.wait_for_selector("aside h2")
    tab.locator("aside").evaluate("e => Promise.all(e.getAnimations().map(a => a.finished))")
    assert tab.locator("aside").bounding_box()["width"] == 360
    for button in tab.get_by_role("button").all():
        box = button.bounding_box()
        assert not box or min(box["width"], box["height"]) >= 24, button.inner_text()


def test_the_keyboard_reaches_every_control(tab, dashboard_url):
    open_page(tab, dashboard_url + MONDAY)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the table"
    focused = []
    for _ in range(16):
        tab.keyboard.press("Tab")
        focused.append(tab.evaluate("document.activeElement.name || document.activeElement.id"))
    order = ["before", "day", "after", "today", "measure", "basis", "queue", "media", "division"]
    assert list(dict.fromkeys(focused))[: len(order)] == order
    tab.locator(".skip").focus()
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "grid"

    def active_cell() -> tuple[int, ...]:
        cell_id = tab.get_attribute("#grid", "aria-activedescendant")
        return tuple(map(int, cell_id.split("-")[1:]))

    for key, cell in (
        ("Home", (0, 0)),
        ("ArrowDown", (1, 0)),
        ("ArrowRight", (1, 1)),
        ("End", (1, 49)),
        ("Control+End", (44, 49)),
        ("ArrowDown", (44, 49)),
        ("ArrowLeft", (44, 48)),
        ("ArrowUp", (43, 48)),
        ("Control+Home", (0, 0)),
    ):
        tab.keyboard.press(key)
        assert active_cell() == cell, key
        assert tab.locator(".active").is_visible()

    def assert_opens_panel(key: str, selector: str) -> None:
        tab.keyboard.press(key)
        tab.wait_for_selector(selector)
        tab.keyboard.press("Escape")
        tab.wait_for_selector("aside", state="hidden")
        assert tab.evaluate("document.activeElement.id") == "grid"

    assert_opens_panel("Enter", "aside .weeks")  # on the name
    tab.keyboard.press("PageDown")
    assert active_cell()[0] > 5
    for _ in range(20):
        tab.keyboard.press("ArrowRight")
    assert_opens_panel("Enter", "aside >> text=Posted where")
    assert_opens_panel(" ", "aside >> text=Posted where")


def test_mistakes_in_the_address_are_reported_and_the_page_is_shown(tab, dashboard_url):
    open_page(
        tab, dashboard_url + "?day=2026-03-02&measure=hnadle&queue=Biling&sort=x&zone=Mars/Base"
    )
    problems = tab.inner_text("#problems")
    for sentence in ("did you mean 'handle'", "did you mean 'Billing'", "sort 'x'", "Mars/Base"):
        assert sentence in problems

    tab.goto(dashboard_url + "?day=2026-03-02&agent=nobody&cell=noon")
    tab.wait_for_selector("aside >> text=This cannot be shown")
    assert "'noon' is not the start of a half-hour" in tab.inner_text("aside")
    discard_messages(tab, "status of 400")


def test_missing_half_hours_are_marked_as_missing(tab, dashboard_url):
    open_page(tab, dashboard_url + "?day=2026-03-02&zone=America/New_York")
    assert "Missing: 2 Mar 2026, 19:00 – 3 Mar 2026, 00:00" in tab.inner_text("#freshness")
    missing = tab.locator(".line").first.locator(".gone")
    assert missing.count() == 10
    assert missing.first.get_attribute("aria-label").endswith("19:00: missing")


def test_names_are_shown_as_text_and_not_as_html(tab, store_copy):
    posted = store_copy.posted_rows(DAY)
    agent_ids = sorted(set(posted["agent_id"].to_pylist()))
    queue_ids = {
        queue_id for queue_id in posted["queue_id"].to_pylist() if queue_id and "," not in queue_id
    }
    store_copy.store_names(
        "agent",
        aggregates.directory_table(
            [], [payloads.DirectoryEntity(agent_id, EVIL) for agent_id in agent_ids]
        ),
        NOW,
    )
    store_copy.store_names(
        "queue",
        aggregates.directory_table(
            [], [payloads.DirectoryEntity(queue_id, EVIL) for queue_id in queue_ids]
        ),
        NOW,
    )
    with serving_here(create_app(store_copy)) as url:
        open_page(tab, url + MONDAY)
        tab.locator(".cell.over").first.click()
        tab.wait_for_selector("aside code")
        assert any(name.startswith(EVIL) for name in agent_names(tab))
        assert EVIL in tab.inner_text("aside")
        assert tab.locator("img").count() == 0
        assert "evil" not in tab.title()


def test_the_page_updates_itself_and_keeps_its_scroll_position(tab, store_copy):
    with serving_here(create_app(store_copy)) as url:
        open_page(tab, url + MONDAY)
        tab.locator(".cell.over").first.click()
        tab.wait_for_selector("aside code")
        tab.eval_on_selector("#grid", "e => { e.scrollTop = 300; }")
        before = tab.locator("#profile tr:nth-child(20)").text_content()
        tab.evaluate("document.querySelector('aside').scrollTop = 90")
        tab.evaluate("window.mark = [...document.querySelectorAll('.lines, option')]")
        observer = "new MutationObserver(() => window.blank ||= !document.querySelector('.cell'))"
        tab.evaluate(f"{observer}.observe(document.body, {{ childList: true, subtree: true }})")

        table = store_copy.posted_rows(DAY)
        doubled = pa.concat_tables([table, table.filter(pc.equal(table["media_type"], "chat"))])
        store_copy.settle(Source.POSTED, DAY, {"posted": doubled}, NOW + timedelta(days=9))
        with tab.expect_response(lambda answer: "api/day" in answer.url):
            poll_now(tab)
        expect(tab.locator("#profile tr:nth-child(20)")).not_to_have_text(before)
        assert tab.eval_on_selector("#grid", "e => e.scrollTop") == 300
        assert tab.eval_on_selector("aside", "e => e.scrollTop") == 90
        assert tab.evaluate("window.mark.every(node => node.isConnected) && !window.blank")
        assert tab.locator("aside code").count() >= 1


def test_each_hour_has_its_own_column_when_the_clock_goes_back(tab, tmp_path):
    night = datetime(2025, 10, 26, tzinfo=UTC)
    store = store_of(tmp_path / "night.duckdb", night, {("ada", 0): 60_000, ("ada", 2): 120_000})
    store.store_names(
        "agent", aggregates.directory_table([], [payloads.DirectoryEntity("ada", "ada")]), NOW
    )
    with serving_here(create_app(store)) as url:
        open_page(tab, url + "?day=2025-10-26&zone=Europe/London")
        heads = tab.locator(".hour .unseen").all_text_contents()
        assert len(heads) == len(set(heads)) == 50
        assert heads[1:6] == [
            "00:30",
            "01:00 +01:00",
            "01:30 +01:00",
            "01:00 +00:00",
            "01:30 +00:00",
        ]
        texts = {label: text for label, text in labelled_cells(tab).items() if text}
        assert texts == {
            "ada, 01:00 +01:00: 0:01:00": "1",
            "ada, 01:00 +00:00: 0:02:00": "2",
        }
        tab.locator(".line .who").click()
        tab.wait_for_selector("aside .weeks")
        bars = tab.locator("aside .weeks rect")
        assert bars.locator("title").all_text_contents() == [
            "2025-10-26, 01:00 +01:00: 0:01:00",
            "2025-10-26, 01:00 +00:00: 0:02:00",
        ]
        (first_x, width), (second_x, _) = bars.evaluate_all(
            "all => all.map(e => [e.x.baseVal.value, e.width.baseVal.value])"
        )
        assert first_x + width <= second_x


@pytest.fixture
def password_auth(tmp_path: Path) -> PasswordAuth:
    file = tmp_path / "password"
    file.write_text(hash_password(PASSWORD, secrets.token_bytes(16)))
    return PasswordAuth.from_file(file)


def behind_prefix(prefix: str, application: Any) -> Callable[..., Any]:
    """Return *application* as behind a proxy that strips *prefix* from every path."""

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"].startswith(prefix), scope["path"]
        path = scope["path"].removeprefix(prefix)
        await application({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    return proxy


@pytest.mark.parametrize("prefix", ["", "/teams/halfhour"])
def test_the_log_in_works_behind_a_proxy_with_and_without_a_prefix(
    tab, store_copy, password_auth, prefix
):
    with serving_here(
        behind_prefix(prefix, create_app(store_copy, password_auth=password_auth))
    ) as url:
        home = f"{url.rstrip('/')}{prefix}/"
        tab.goto(home + MONDAY)  # as a colleague who was sent it
        assert tab.url == home + "login" + MONDAY
        tab.get_by_label("Password").fill("not the password")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("text=The password is wrong")
        discard_messages(tab, "status of 403")
        tab.get_by_label("Password").fill(PASSWORD)
        tab.keyboard.press("Enter")
        tab.wait_for_url(home + MONDAY)
        tab.wait_for_selector(".cell")
        tab.locator(".cell.over").first.click()
        tab.wait_for_selector("aside code")
        tab.get_by_role("button", name="Close").click()
        tab.get_by_role("button", name="Log out").click()
        tab.wait_for_url(home + "login")
        tab.goto(home)
        assert tab.url == home + "login"
