"""The page in a real browser: every control, every state, and that it keeps to itself."""

import csv
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import uvicorn
from playwright.sync_api import expect

from halfhour import shaping, wire
from halfhour.intervals import HALF_HOUR, Interval
from halfhour.store import Store
from halfhour.tables import POSTED
from halfhour.vocabulary import Source
from halfhour.web.app import app
from halfhour.web.guard import Doorkeeper, hashed
from halfhour.wishes import Wish, ready
from tests.web.conftest import DAY, NOW, serving

MONDAY = "?day=2026-03-02"
PASSWORD = "correct horse battery"
EVIL = "<img src=x onerror=document.title='evil'>"


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    """A tab that must not complain, nor ask anybody else."""
    context = browser.new_context(viewport={"width": 1300, "height": 850}, accept_downloads=True)
    opened = context.new_page()
    opened.said = []
    opened.on("pageerror", lambda error: opened.said.append(str(error)))
    opened.on("console", lambda message: opened.said.append(message.text))
    opened.on(
        "request",
        lambda request: (
            urlsplit(request.url).hostname == "127.0.0.1" or opened.said.append(request.url)
        ),
    )
    yield opened
    assert opened.said == []
    context.close()


def loaded(tab: Any, url: str) -> None:
    tab.goto(url)
    tab.wait_for_selector(".cell")


def cells(tab: Any) -> dict[str, str]:
    """What is in sight, by what a screen reader says of it."""
    return dict(
        tab.eval_on_selector_all(
            ".cell[class*=' ']", "all => all.map(e => [e.ariaLabel, e.textContent])"
        )
    )


def agents(tab: Any) -> list[str]:
    return list(tab.locator(".line .who").all_inner_texts())


def asked(tab: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(tab.url).query).items()}


def axe(tab: Any) -> list[Any]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(tab).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found]


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 320), ("dark", 640), ("light", 1300), ("dark", 1300)]
)
def test_it_passes_axe_and_fits(tab, served, scheme, width):
    tab.emulate_media(color_scheme=scheme)
    tab.set_viewport_size({"width": width, "height": 700})  # 640 is 1280 at 200 %
    loaded(tab, served + MONDAY)
    assert axe(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")

    tab.locator(".cell.over").first.click()
    tab.wait_for_selector("aside .status")
    tab.locator("#panel").evaluate("e => Promise.all(e.getAnimations().map(a => a.finished))")
    assert axe(tab) == []


def test_every_choice_goes_into_the_address_and_out_of_it_again(tab, served):
    loaded(tab, served + MONDAY)
    before = cells(tab)
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
        assert asked(tab).get(label.lower(), "") == value
    shown = cells(tab)
    assert shown != before
    assert any("handled" in label for label in shown)

    state = tab.url
    tab.reload()
    tab.wait_for_selector(".cell")
    assert tab.url == state
    assert cells(tab) == shown
    assert tab.get_by_role("combobox", name="Team").input_value() == "Team 2"
    for _ in choices:
        with tab.expect_response(lambda answer: "api/day" in answer.url):
            tab.go_back()
    expect(tab.get_by_role("combobox", name="Measure")).to_have_value("handle")
    assert asked(tab) == {"day": "2026-03-02"}
    assert cells(tab) == before


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
    assert axe(tab) == []

    tab.get_by_role("link", name="2026-03-02").click()
    tab.wait_for_selector(".cell")
    assert asked(tab)["day"] == "2026-03-02"
    assert "provisional" in tab.inner_text("#freshness")


def test_finding_narrows_what_is_shown_and_what_is_saved(tab, served, tmp_path):
    loaded(tab, served + MONDAY)
    every = agents(tab)
    tab.get_by_label("Find").fill("ada")
    expect(tab.locator(".line")).not_to_have_count(len(every))
    some = agents(tab)
    assert 0 < len(some) < len(every)
    assert all("ada" in name.casefold() for name in some)
    assert asked(tab)["find"] == "ada"

    with tab.expect_download() as waiting:
        tab.get_by_role("link", name="CSV").click()
    waiting.value.save_as(tmp_path / "found.csv")
    rows = list(csv.DictReader((tmp_path / "found.csv").read_text("utf-8").splitlines()))
    assert {row["agent_name"] for row in rows} == set(some)
    tab.get_by_label("Find").fill("nobody at all")
    tab.wait_for_selector("text=No agent has that in the name")


def test_a_cell_shows_what_made_it_and_an_agent_their_weeks(tab, served):
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
    assert asked(tab) == {"day": "2026-03-02", "zone": "UTC"}

    tab.goto(state)  # as sent to a colleague
    tab.wait_for_selector("aside code")
    tab.get_by_role("button", name="Close").click()
    tab.locator(".who button").nth(2).click()
    tab.wait_for_selector("aside table.days")


def test_the_keyboard_goes_everywhere(tab, served):
    loaded(tab, served + MONDAY)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the table"
    tab.keyboard.press("Enter")
    tab.locator("#grid").focus()

    def active() -> tuple[int, ...]:
        return tuple(
            map(
                int,
                tab.evaluate(
                    "document.getElementById('grid').getAttribute('aria-activedescendant')"
                ).split("-")[1:],
            )
        )

    for key, place in (
        ("Home", (0, 0)),
        ("ArrowDown", (1, 0)),
        ("ArrowRight", (1, 1)),
        ("End", (1, 47)),
        ("Control+End", (44, 47)),
        ("ArrowDown", (44, 47)),
        ("ArrowLeft", (44, 46)),
        ("ArrowUp", (43, 46)),
        ("Control+Home", (0, 0)),
    ):
        tab.keyboard.press(key)
        assert active() == place, key
        assert tab.locator(".active").is_visible()
    tab.keyboard.press("PageDown")
    assert active()[0] > 5
    tab.keyboard.press("Enter")
    tab.wait_for_selector("aside h2")
    tab.keyboard.press("Escape")
    tab.wait_for_selector("aside", state="hidden")
    assert tab.evaluate("document.activeElement.id") == "grid"


def test_what_the_address_gets_wrong_is_said_and_the_page_is_there(tab, served):
    loaded(tab, served + "?day=2026-03-02&measure=hnadle&queue=Biling&sort=x&zone=Mars/Base")
    said = tab.inner_text("#problems")
    for sentence in ("did you mean 'handle'", "did you mean 'Billing'", "sort 'x'", "Mars/Base"):
        assert sentence in said
    assert axe(tab) == []

    tab.goto(served + "?day=2026-03-02&agent=nobody&cell=noon")
    tab.wait_for_selector("aside >> text=This cannot be shown")
    assert "'noon' is no start of a half-hour" in tab.inner_text("aside")
    tab.said.clear()  # Chromium tells of the 400


def test_what_is_missing_looks_like_it(tab, served):
    loaded(tab, served + "?day=2026-03-02&zone=America/New_York")
    assert "Missing: 2 Mar 2026, 19:00 – 3 Mar 2026, 00:00" in tab.inner_text("#freshness")
    gone = tab.locator(".line").first.locator(".gone")
    assert gone.count() == 10
    assert gone.first.get_attribute("aria-label").endswith("19:00: missing")
    assert axe(tab) == []


@contextmanager
def running(application: Callable[..., Any]) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join()


@pytest.fixture
def own(store: Store, tmp_path: Path) -> Store:
    """A copy of the store, to be changed."""
    path = tmp_path / "own.duckdb"
    path.write_bytes(store.path.read_bytes())
    return Store(path)


def test_names_are_text(tab, own):
    posted = own.posted(DAY)
    ids = sorted(set(posted["agent_id"].to_pylist()))
    queues = {each for each in posted["queue_id"].to_pylist() if each and "," not in each}
    own.name("agent", shaping.named([], [wire.Named(each, EVIL) for each in ids]), NOW)
    own.name("queue", shaping.named([], [wire.Named(each, EVIL) for each in queues]), NOW)
    with running(app(own)) as url:
        loaded(tab, url + MONDAY)
        tab.locator(".cell.over").first.click()
        tab.wait_for_selector("aside code")
        assert any(name.startswith(EVIL) for name in agents(tab))
        assert EVIL in tab.inner_text("aside")
        assert tab.locator("img").count() == 0
        assert "evil" not in tab.title()


def test_it_updates_itself_and_stays_where_it_is(tab, own):
    with running(app(own)) as url:
        loaded(tab, url + MONDAY)
        tab.locator(".cell.over").first.click()
        tab.wait_for_selector("aside code")
        tab.eval_on_selector("#grid", "e => { e.scrollTop = 300; }")
        before = tab.locator("#profile tr:nth-child(20)").text_content()
        tab.evaluate("window.mark = document.querySelector('.lines')")

        table = own.posted(DAY)
        doubled = pa.concat_tables([table, table.filter(pc.equal(table["media_type"], "chat"))])
        own.settle(Source.POSTED, DAY, {"posted": doubled}, NOW + timedelta(days=9))
        with tab.expect_response(lambda answer: "api/day" in answer.url):
            tab.evaluate("dispatchEvent(new Event('online'))")
        expect(tab.locator("#profile tr:nth-child(20)")).not_to_have_text(before)
        assert tab.eval_on_selector("#grid", "e => e.scrollTop") == 300
        assert tab.evaluate("window.mark === document.querySelector('.lines')")
        assert tab.locator("aside code").count() >= 1


def made(path: Path, start: datetime, handled_ms: Mapping[tuple[str, int], int]) -> Store:
    """A store of what agents have posted in half-hours after *start*."""
    store = Store(path)
    day = Interval(start, start + timedelta(days=1))
    ready(store, Wish(day), NOW)
    rows = [
        {
            "interval_start": start + at * HALF_HOUR,
            "agent_id": agent,
            "media_type": "voice",
            "handle_ms": value,
        }
        for (agent, at), value in handled_ms.items()
    ]
    store.settle(Source.POSTED, day, {"posted": pa.Table.from_pylist(rows, schema=POSTED)}, NOW)
    return store


def test_where_the_clock_goes_back_each_hour_has_its_own_column(tab, tmp_path):
    night = datetime(2025, 10, 26, tzinfo=UTC)
    store = made(tmp_path / "night.duckdb", night, {("ada", 0): 60_000, ("ada", 2): 120_000})
    with running(app(store)) as url:
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
        shown = {label: text for label, text in cells(tab).items() if text}
        assert shown == {
            "ada, 01:00 +01:00: 0:01:00": "1",
            "ada, 01:00 +00:00: 0:02:00": "2",
        }


def test_2_000_agents_are_drawn_as_far_as_they_are_seen(tab, tmp_path):
    worked = {(f"a{n:04}", at): n * 900 for n in range(2000) for at in range(48)}
    many = made(tmp_path / "many.duckdb", DAY.start, worked)
    with running(app(many)) as url:
        loaded(tab, url + MONDAY)
        assert "2000 agents" in tab.inner_text("#key")
        for _ in range(4):
            assert tab.locator(".line").count() < 60
            tab.eval_on_selector("#grid", "e => { e.scrollTop += 9000; }")
            tab.wait_for_timeout(50)
        tab.locator("#grid").focus()
        tab.keyboard.press("Control+End")
        assert agents(tab)[-1] == "a1999"
        assert tab.locator(".active").inner_text() == "30"


def test_without_a_store_it_says_what_to_do(tab, tmp_path):
    with serving(tmp_path) as dashboard:
        tab.goto(dashboard.url)
        tab.wait_for_selector("#said >> text='halfhour sync' makes one")
        assert axe(tab) == []
    tab.said.clear()  # Chromium tells of the 503


def test_the_first_sync_is_shown_and_then_what_it_brought(tab, web_cloud, tmp_path):
    web_cloud.reset()
    web_cloud.faults({"kind": "hang", "seconds": 3, "endpoint": "aggregates", "calls": [3]})
    with serving(tmp_path, "--sync", "1h", environment=web_cloud.environment) as dashboard:
        tab.goto(dashboard.url + MONDAY)
        tab.wait_for_selector("#said >> text=The first sync is running")
        tab.evaluate("setInterval(() => dispatchEvent(new Event('online')), 500)")
        tab.locator("#said").wait_for(state="hidden", timeout=60000)
    tab.said.clear()  # of the time before there was a store, and after its end


def test_a_sync_that_fails_says_why(tab, own, web_cloud):
    web_cloud.reset()
    wrong = {**web_cloud.environment, "GENESYS_CLIENT_SECRET": "wrong"}
    with serving(
        own.path.parent, "--store", own.path.name, "--sync", "1h", environment=wrong
    ) as it:
        loaded(tab, it.url + MONDAY)
        tab.evaluate("setInterval(() => dispatchEvent(new Event('online')), 300)")
        tab.wait_for_selector("#said >> text=The last sync failed")
        assert "GENESYS_CLIENT_SECRET" in tab.inner_text("#said")
        assert axe(tab) == []


def test_a_lost_connection_is_said_and_found_again(tab, own):
    with running(app(own)) as url:
        loaded(tab, url + MONDAY)
        tab.route("**/api/**", lambda route: route.abort())
        tab.evaluate("dispatchEvent(new Event('online'))")
        tab.wait_for_selector("#said >> text=The connection is lost")
        assert tab.locator(".cell").count() > 0
        tab.unroute("**/api/**")
        away = {"status": 502, "content_type": "text/html", "body": "<html>Bad Gateway"}
        tab.route("**/api/**", lambda route: route.fulfill(**away))
        tab.evaluate("dispatchEvent(new Event('online'))")
        tab.wait_for_selector("#said >> text=The connection is lost")
        tab.unroute("**/api/**")
        tab.evaluate("dispatchEvent(new Event('online'))")
        tab.locator("#said").wait_for(state="hidden")
    tab.said.clear()  # Chromium tells of what was aborted


@pytest.fixture
def keeper(tmp_path: Path) -> Doorkeeper:
    file = tmp_path / "password"
    file.write_text(hashed(PASSWORD, secrets.token_bytes(16)))
    return Doorkeeper.reading(file)


def under(prefix: str, application: Any) -> Callable[..., Any]:
    """As a proxy shows it to people, at *prefix*, of which it tells the application nothing."""

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"].startswith(prefix), scope["path"]
        path = scope["path"].removeprefix(prefix)
        await application({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    return proxy


@pytest.mark.parametrize("prefix", ["", "/teams/halfhour"])
def test_behind_a_door_and_a_proxy(tab, own, keeper, prefix):
    with running(under(prefix, app(own, doorkeeper=keeper))) as url:
        home = f"{url.rstrip('/')}{prefix}/"
        tab.goto(home + MONDAY)  # as sent by a colleague
        assert tab.url == home + "login" + MONDAY
        assert axe(tab) == []
        tab.get_by_label("Password").fill("not the password")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("text=That is not the password")
        tab.said.clear()  # Chromium tells of the 403
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
