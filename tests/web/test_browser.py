"""The page in a real browser: every control, and that it keeps to itself."""

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
from tests.web.conftest import DAY, MONDAY, NOW, ask_again, forgive, loaded, made, running

PASSWORD = "correct horse battery"
EVIL = "<img src=x onerror=document.title='evil'>"


def labelled_cells(tab: Any) -> dict[str, str]:
    """What is in sight, by what a screen reader says of it."""
    return dict(
        tab.eval_on_selector_all(
            ".cell[class*=' ']", "all => all.map(e => [e.ariaLabel, e.textContent])"
        )
    )


def agent_names(tab: Any) -> list[str]:
    return list(tab.locator(".line .who").all_inner_texts())


def query_of_address(tab: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(tab.url).query).items()}


def test_every_choice_goes_into_the_address_and_out_of_it_again(tab, served):
    loaded(tab, served + MONDAY)
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
        with tab.expect_response(lambda answer: "api/day" in answer.url):
            tab.get_by_role("combobox", name=label, exact=True).select_option(value)
        tab.locator("#said").wait_for(state="hidden")
        assert query_of_address(tab).get(label.lower(), "") == value
    shown = labelled_cells(tab)
    assert shown != before
    assert any("handled" in label for label in shown)

    state = tab.url
    tab.reload()
    tab.wait_for_selector(".cell")
    assert tab.url == state
    assert labelled_cells(tab) == shown
    assert tab.get_by_role("combobox", name="Team").input_value() == "Team 2"
    for _ in choices:
        with tab.expect_response(lambda answer: "api/day" in answer.url):
            tab.go_back()
    expect(tab.get_by_role("combobox", name="Measure")).to_have_value("handle")
    assert query_of_address(tab) == {"day": "2026-03-02"}
    assert labelled_cells(tab) == before


def test_days_are_stepped_through_and_an_empty_one_leads_to_the_last(tab, served):
    loaded(tab, served + MONDAY)
    tab.get_by_role("button", name="The day before").click()
    expect(tab).to_have_title(re.compile("2026-03-01"))
    tab.get_by_role("button", name="The day after").click()
    expect(tab).to_have_title(re.compile("2026-03-02"))
    tab.get_by_label("Day", exact=True).fill("2026-02-27")
    expect(tab).to_have_title(re.compile("2026-02-27"))
    assert "Nothing is held of this day" in tab.locator("#empty").inner_text()
    assert "Missing: 27 Feb 2026, 00:00 – 28 Feb 2026, 00:00" in tab.inner_text("#freshness")

    tab.get_by_role("link", name="2026-03-02").click()
    tab.wait_for_selector(".cell")
    assert query_of_address(tab)["day"] == "2026-03-02"
    assert "provisional" in tab.inner_text("#freshness")


def test_finding_narrows_what_is_shown_and_what_is_saved(tab, served, tmp_path):
    loaded(tab, served + MONDAY)
    every = agent_names(tab)
    tab.get_by_label("Find").fill("ada")
    expect(tab.locator(".line")).not_to_have_count(len(every))
    some = agent_names(tab)
    assert 0 < len(some) < len(every)
    assert all("ada" in name.casefold() for name in some)
    assert query_of_address(tab)["find"] == "ada"

    with tab.expect_download() as waiting:
        tab.get_by_role("link", name="CSV").click()
    waiting.value.save_as(tmp_path / "found.csv")
    rows = list(csv.DictReader((tmp_path / "found.csv").read_text("utf-8").splitlines()))
    assert {row["agent_name"] for row in rows} == set(some)
    tab.get_by_label("Find").fill("nobody at all")
    tab.wait_for_selector("text=No agent has that in the name")
    tab.get_by_label("Find").fill("")
    expect(tab.locator(".line")).to_have_count(len(every))


def test_a_cell_opens_its_details_and_an_agent_their_weeks(tab, served):
    loaded(tab, served + MONDAY)
    cell = tab.locator(".cell.over").first
    label = cell.get_attribute("aria-label")
    cell.click()
    tab.wait_for_selector("aside table")
    panel = tab.inner_text("aside")
    name, rest = label.rsplit(", ", 1) if "provisional" not in label else label.rsplit(", ", 2)[:2]
    time, value = rest.split(": ")
    assert f"{name}, {time}" in panel
    for words in (value, "Posted", "Worked", "Routing status", "Presence", "Provisional"):
        assert words in panel
    assert tab.locator("aside code").count() >= 1
    assert tab.evaluate("document.activeElement.ariaLabel") == "Close"

    state = tab.url
    tab.get_by_role("button", name="This agent's last weeks").click()
    tab.wait_for_selector("aside table.days")
    assert "2026-03-01" in tab.inner_text("aside")
    tab.go_back()
    tab.wait_for_selector("aside code")
    assert tab.url == state
    tab.keyboard.press("Escape")
    tab.wait_for_selector("aside", state="hidden")
    assert query_of_address(tab) == {"day": "2026-03-02", "zone": "UTC"}

    tab.goto(state)  # as sent to a colleague
    tab.wait_for_selector("aside code")
    tab.get_by_role("button", name="Close").click()
    tab.locator(".line .who").nth(2).click()
    tab.wait_for_selector("aside table.days")


def test_an_agents_weeks_lead_to_their_days_and_half_hours(tab, served):
    loaded(tab, served + MONDAY)
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


def test_half_hours_are_stepped_through(tab, served):
    loaded(tab, served + MONDAY)
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


def test_the_panel_stands_beside_the_table_where_there_is_room(tab, served):
    loaded(tab, served + MONDAY)
    tab.locator("#at-3-49").click()
    tab.wait_for_selector("aside h2")
    assert tab.get_by_role("button", name="The half-hour after").is_disabled()
    grid, panel = (tab.locator(name).bounding_box() for name in ("#grid", "aside"))
    assert grid["x"] + grid["width"] <= panel["x"]
    chosen = tab.locator(".chosen").bounding_box()
    assert grid["x"] <= chosen["x"] <= grid["x"] + grid["width"] - chosen["width"]


def test_a_measure_that_the_basis_does_not_have_cannot_be_chosen(tab, served):
    loaded(tab, served + MONDAY + "&basis=worked")
    measure = tab.get_by_role("combobox", name="Measure")
    assert measure.locator("option:disabled").all_inner_texts() == ["Handled"]
    tab.goto(served + MONDAY + "&basis=worked&measure=handled")
    tab.wait_for_selector("#problems >> text=showing handle instead")
    assert tab.locator(".cell").count() > 0
    expect(measure).to_have_value("handle")


@pytest.mark.parametrize("measure", ["handle", "occupancy", "handled"])
def test_the_key_has_the_shades_of_the_cells(tab, served, measure):
    loaded(tab, f"{served}{MONDAY}&measure={measure}")
    shades = dict(
        tab.eval_on_selector_all(
            ".cell[class*=' l']", "all => all.map(e => [e.textContent, e.classList[1]])"
        )
    )
    key = tab.eval_on_selector_all(
        "#key span[class^=l]", "all => all.map(e => [e.textContent, e.className])"
    )
    assert len(key) > 3
    both = [(shades[text], shade) for text, shade in key if text in shades]
    assert len(both) > 1
    # Where a figure is rounded, it may be just over or under the edge of a shade.
    assert all(abs(int(of_cell[1]) - int(of_key[1])) <= 1 for of_cell, of_key in both)


def test_the_figure_that_agents_are_sorted_by_is_shown(tab, served):
    loaded(tab, served + MONDAY)
    for sort, head in (("load", "Total"), ("occupancy", "Occup."), ("name", "Total")):
        with tab.expect_response(lambda answer: "api/day" in answer.url):
            tab.get_by_role("combobox", name="Sort").select_option(sort)
        expect(tab.locator(".head .total")).to_have_text(head)
        expect(tab.get_by_role("combobox", name="Sort")).to_have_value(sort)
        texts = [text for text in tab.locator(".line .total").all_inner_texts() if text]
        figures = [float(text.removesuffix(" %").replace(":", ".")) for text in texts]
        assert (figures == sorted(figures, reverse=True)) == (sort != "name"), sort


def test_today_turns_over_and_a_date_stays(tab, served):
    tab.goto(served)
    tab.wait_for_selector("#empty")
    today = tab.get_by_role("button", name="Today")
    assert today.get_attribute("aria-pressed") == "true"
    tab.get_by_role("link", name="2026-03-02").click()
    tab.wait_for_selector(".cell")
    assert today.get_attribute("aria-pressed") == "false"
    today.click()
    tab.wait_for_selector("#empty")
    with tab.expect_response(lambda answer: "api/day" in answer.url):
        tab.get_by_role("combobox", name="Measure").select_option("hold")
    assert query_of_address(tab)["day"] == "today"
    assert f"{datetime.now(UTC):%Y-%m-%d}" in tab.title()


def test_the_stored_days_are_listed_by_source(tab, served):
    loaded(tab, served + MONDAY + "&zone=America/New_York")
    tab.locator("summary").click()
    rows = [row.split("\t") for row in tab.locator("#days tbody tr").all_inner_texts()]
    assert {row[1] for row in rows} == {"posted", "status", "details"}
    monday = {tuple(row[2:4]) for row in rows if row[0] == "2026-03-02"}
    assert monday == {("provisional", "2 Mar 2026, 19:00")}


def test_the_choices_on_a_phone_are_one_tap_away(tab, served):
    tab.set_viewport_size({"width": 360, "height": 700})
    loaded(tab, served + MONDAY)
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
    for each in tab.get_by_role("button").all():
        box = each.bounding_box()
        assert not box or min(box["width"], box["height"]) >= 24, each.inner_text()


def test_the_keyboard_goes_everywhere(tab, served):
    loaded(tab, served + MONDAY)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the table"
    passed = []
    for _ in range(16):
        tab.keyboard.press("Tab")
        passed.append(tab.evaluate("document.activeElement.name || document.activeElement.id"))
    order = ["before", "day", "after", "today", "measure", "basis", "queue", "media", "division"]
    assert list(dict.fromkeys(passed))[: len(order)] == order
    tab.locator(".skip").focus()
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "grid"

    def active() -> tuple[int, ...]:
        place = tab.get_attribute("#grid", "aria-activedescendant")
        return tuple(map(int, place.split("-")[1:]))

    for key, place in (
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
        assert active() == place, key
        assert tab.locator(".active").is_visible()

    def opened_and_closed(key: str, sought: str) -> None:
        tab.keyboard.press(key)
        tab.wait_for_selector(sought)
        tab.keyboard.press("Escape")
        tab.wait_for_selector("aside", state="hidden")
        assert tab.evaluate("document.activeElement.id") == "grid"

    opened_and_closed("Enter", "aside .weeks")  # of the name
    tab.keyboard.press("PageDown")
    assert active()[0] > 5
    for _ in range(20):
        tab.keyboard.press("ArrowRight")
    opened_and_closed("Enter", "aside >> text=Posted where")
    opened_and_closed(" ", "aside >> text=Posted where")


def test_mistakes_in_the_address_are_reported_and_the_page_is_shown(tab, served):
    loaded(tab, served + "?day=2026-03-02&measure=hnadle&queue=Biling&sort=x&zone=Mars/Base")
    said = tab.inner_text("#problems")
    for sentence in ("did you mean 'handle'", "did you mean 'Billing'", "sort 'x'", "Mars/Base"):
        assert sentence in said

    tab.goto(served + "?day=2026-03-02&agent=nobody&cell=noon")
    tab.wait_for_selector("aside >> text=This cannot be shown")
    assert "'noon' is no start of a half-hour" in tab.inner_text("aside")
    forgive(tab, "status of 400")


def test_missing_half_hours_are_marked_as_missing(tab, served):
    loaded(tab, served + "?day=2026-03-02&zone=America/New_York")
    assert "Missing: 2 Mar 2026, 19:00 – 3 Mar 2026, 00:00" in tab.inner_text("#freshness")
    gone = tab.locator(".line").first.locator(".gone")
    assert gone.count() == 10
    assert gone.first.get_attribute("aria-label").endswith("19:00: missing")


def test_names_are_text(tab, own):
    posted = own.posted_rows(DAY)
    ids = sorted(set(posted["agent_id"].to_pylist()))
    queues = {each for each in posted["queue_id"].to_pylist() if each and "," not in each}
    own.store_names(
        "agent",
        aggregates.directory_table([], [payloads.DirectoryEntity(each, EVIL) for each in ids]),
        NOW,
    )
    own.store_names(
        "queue",
        aggregates.directory_table([], [payloads.DirectoryEntity(each, EVIL) for each in queues]),
        NOW,
    )
    with running(create_app(own)) as url:
        loaded(tab, url + MONDAY)
        tab.locator(".cell.over").first.click()
        tab.wait_for_selector("aside code")
        assert any(name.startswith(EVIL) for name in agent_names(tab))
        assert EVIL in tab.inner_text("aside")
        assert tab.locator("img").count() == 0
        assert "evil" not in tab.title()


def test_the_page_updates_itself_and_keeps_its_scroll_position(tab, own):
    with running(create_app(own)) as url:
        loaded(tab, url + MONDAY)
        tab.locator(".cell.over").first.click()
        tab.wait_for_selector("aside code")
        tab.eval_on_selector("#grid", "e => { e.scrollTop = 300; }")
        before = tab.locator("#profile tr:nth-child(20)").text_content()
        tab.evaluate("document.querySelector('aside').scrollTop = 90")
        tab.evaluate("window.mark = [...document.querySelectorAll('.lines, option')]")
        watched = "new MutationObserver(() => window.blank ||= !document.querySelector('.cell'))"
        tab.evaluate(f"{watched}.observe(document.body, {{ childList: true, subtree: true }})")

        table = own.posted_rows(DAY)
        doubled = pa.concat_tables([table, table.filter(pc.equal(table["media_type"], "chat"))])
        own.settle(Source.POSTED, DAY, {"posted": doubled}, NOW + timedelta(days=9))
        with tab.expect_response(lambda answer: "api/day" in answer.url):
            ask_again(tab)
        expect(tab.locator("#profile tr:nth-child(20)")).not_to_have_text(before)
        assert tab.eval_on_selector("#grid", "e => e.scrollTop") == 300
        assert tab.eval_on_selector("aside", "e => e.scrollTop") == 90
        assert tab.evaluate("window.mark.every(each => each.isConnected) && !window.blank")
        assert tab.locator("aside code").count() >= 1


def test_each_hour_has_its_own_column_when_the_clock_goes_back(tab, tmp_path):
    night = datetime(2025, 10, 26, tzinfo=UTC)
    store = made(tmp_path / "night.duckdb", night, {("ada", 0): 60_000, ("ada", 2): 120_000})
    store.store_names(
        "agent", aggregates.directory_table([], [payloads.DirectoryEntity("ada", "ada")]), NOW
    )
    with running(create_app(store)) as url:
        loaded(tab, url + "?day=2025-10-26&zone=Europe/London")
        heads = tab.locator(".hour .unseen").all_text_contents()
        assert len(heads) == len(set(heads)) == 50
        assert heads[1:6] == [
            "00:30",
            "01:00 +01:00",
            "01:30 +01:00",
            "01:00 +00:00",
            "01:30 +00:00",
        ]
        shown = {label: text for label, text in labelled_cells(tab).items() if text}
        assert shown == {
            "ada, 01:00 +01:00: 0:01:00": "1",
            "ada, 01:00 +00:00: 0:02:00": "2",
        }
        tab.locator(".line .who").click()
        tab.wait_for_selector("aside .weeks")
        both = tab.locator("aside .weeks rect")
        assert both.locator("title").all_text_contents() == [
            "2025-10-26, 01:00 +01:00: 0:01:00",
            "2025-10-26, 01:00 +00:00: 0:02:00",
        ]
        (x, width), (then, _) = both.evaluate_all(
            "all => all.map(e => [e.x.baseVal.value, e.width.baseVal.value])"
        )
        assert x + width <= then


@pytest.fixture
def keeper(tmp_path: Path) -> PasswordAuth:
    file = tmp_path / "password"
    file.write_text(hash_password(PASSWORD, secrets.token_bytes(16)))
    return PasswordAuth.from_file(file)


def behind_prefix(prefix: str, application: Any) -> Callable[..., Any]:
    """As a proxy shows it to people, at *prefix*, of which it tells the application nothing."""

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"].startswith(prefix), scope["path"]
        path = scope["path"].removeprefix(prefix)
        await application({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    return proxy


@pytest.mark.parametrize("prefix", ["", "/teams/halfhour"])
def test_the_log_in_works_behind_a_proxy_with_and_without_a_prefix(tab, own, keeper, prefix):
    with running(behind_prefix(prefix, create_app(own, doorkeeper=keeper))) as url:
        home = f"{url.rstrip('/')}{prefix}/"
        tab.goto(home + MONDAY)  # as sent by a colleague
        assert tab.url == home + "login" + MONDAY
        tab.get_by_label("Password").fill("not the password")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("text=That is not the password")
        forgive(tab, "status of 403")
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
