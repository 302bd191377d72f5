"""The page in every state: it says what is wrong, and it is accessible."""

import secrets
import subprocess
import sys
from datetime import timedelta

import pytest

from halfhour.store.store import Store
from halfhour.web.app import create_app
from halfhour.web.auth import MAX_FAILURES_PER_HOST, PasswordAuth, hash_password
from tests.processes import emulator
from tests.web.conftest import (
    DAY,
    MONDAY,
    assert_accessible,
    discard_messages,
    open_page,
    poll_now,
    serving,
    serving_here,
    store_of,
)

WIDTHS = [320, 1300, *(pytest.param(width, marks=pytest.mark.soak) for width in (640, 1920))]
"""The widths of a small phone and a laptop; of a laptop at 200 %, and a screen on a desk."""


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_of_a_day_is_accessible_at_every_width(tab, dashboard_url, width):
    tab.set_viewport_size({"width": width, "height": 640})
    open_page(tab, dashboard_url + MONDAY)
    assert_accessible(tab, f"day-{width}", whole=True)


@pytest.mark.parametrize(
    ("width", "height"), [(360, 640), pytest.param(1440, 860, marks=pytest.mark.soak)]
)
def test_the_panels_of_a_half_hour_and_of_an_agent_are_accessible(
    tab, dashboard_url, width, height
):
    tab.set_viewport_size({"width": width, "height": height})
    open_page(tab, dashboard_url + MONDAY)
    tab.locator(".line").nth(3).locator(".cell.over").first.click()
    tab.wait_for_selector("aside .status")
    assert_accessible(tab, f"half-hour-{width}")
    tab.get_by_role("button", name="This agent's last weeks").click()
    tab.wait_for_selector("aside .weeks")
    assert tab.eval_on_selector("aside", "e => e.scrollWidth <= e.clientWidth") or width == 360
    assert_accessible(tab, f"agent-{width}")


def test_the_opened_choices_on_a_phone_are_accessible(tab, dashboard_url):
    tab.set_viewport_size({"width": 360, "height": 640})
    open_page(tab, dashboard_url + MONDAY)
    tab.get_by_role("button", name="More").click()
    assert_accessible(tab, "choices-360")


def test_the_page_is_accessible_with_forced_colours(tab, dashboard_url):
    tab.emulate_media(forced_colors="active")
    open_page(tab, dashboard_url + MONDAY)
    tab.locator(".cell.over").first.click()
    tab.wait_for_selector("aside .status")
    assert_accessible(tab, "forced-colours")


def test_missing_times_and_mistakes_in_the_address_are_shown_accessibly(tab, dashboard_url):
    open_page(tab, dashboard_url + MONDAY + "&zone=America/New_York&queue=Biling&measure=hnadle")
    tab.locator("summary").click()
    assert_accessible(tab, "missing-and-problems")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("?day=2026-02-27", "The last day with figures is 2026-03-02."),
        ("?day=2026-03-02&find=nobody", "No agent has that text in the name."),
        (
            "?day=2026-03-02&queue=Billing&media=message&team=Team 3",
            "no figures of this day for these choices",
        ),
    ],
)
def test_a_day_with_nothing_to_show(tab, dashboard_url, asked, sentence):
    tab.goto(dashboard_url + asked)
    tab.wait_for_selector(f"#empty >> text={sentence}")
    assert not tab.locator("#grid").is_visible()
    assert_accessible(tab, f"nothing-{len(asked)}")


def test_only_the_visible_agents_of_2_000_are_drawn(tab, tmp_path):
    handle_ms = {
        (f"a{agent:04}", half_hour): agent * 900
        for agent in range(2000)
        for half_hour in (0, 9, 47)
    }
    store = store_of(tmp_path / "large.duckdb", DAY.start, handle_ms)
    with serving_here(create_app(store)) as url:
        open_page(tab, url + MONDAY)
        assert "2000 agents" in tab.inner_text("#key")
        for _ in range(4):
            assert tab.locator(".line").count() < 60
            tab.eval_on_selector("#grid", "e => { e.scrollTop += 9000; }")
            tab.wait_for_timeout(50)
        tab.locator("#grid").focus()
        tab.keyboard.press("Control+End")
        assert tab.locator(".line .who").last.inner_text() == "a1999"
        assert tab.locator(".active").inner_text() == "30"
        assert_accessible(tab, "2000-agents")


def test_the_page_without_a_store_says_what_to_do(tab, tmp_path):
    with serving_here(create_app(Store(tmp_path / "none.duckdb"))) as url:
        tab.goto(url)
        tab.wait_for_selector("#said >> text='halfhour sync' makes one")
        assert not tab.locator("#controls").is_visible()
        assert_accessible(tab, "no-store")
    discard_messages(tab, "status of 503")


def test_a_file_that_is_no_store_is_reported(tab, tmp_path):
    (tmp_path / "notes.duckdb").write_text("a shopping list " * 999)
    with serving_here(create_app(Store(tmp_path / "notes.duckdb"))) as url:
        tab.goto(url)
        tab.wait_for_selector("#said >> text=notes.duckdb")
        assert_accessible(tab, "foreign-file")
    discard_messages(tab, "status of 503")


LOCK_STORE = (
    "import duckdb, sys; connection = duckdb.connect(sys.argv[1]); print(flush=True); input()"
)


def test_a_locked_store_is_reported_until_it_is_free(tab, store_copy):
    command = [sys.executable, "-c", LOCK_STORE, str(store_copy.path)]
    pipe = subprocess.PIPE
    with serving_here(create_app(Store(store_copy.path, busy_timeout=0.1))) as url:
        with subprocess.Popen(command, stdin=pipe, stdout=pipe) as holder:
            assert holder.stdout
            holder.stdout.readline()
            tab.goto(url + MONDAY)
            tab.wait_for_selector("#said >> text=try again when that is done")
            assert_accessible(tab, "held-elsewhere")
            holder.communicate(b"\n")
        poll_now(tab)
        tab.wait_for_selector(".cell")
        assert tab.inner_text("#said") == ""
    discard_messages(tab, "status of 503")


@pytest.fixture(scope="module")
def cloud_of_today():
    yield from emulator("--agents", "3")


def test_the_first_sync_is_shown_and_then_its_figures(tab, cloud_of_today, tmp_path):
    cloud_of_today.faults({"kind": "hang", "seconds": 2, "endpoint": "aggregates", "calls": [1]})
    environment = cloud_of_today.environment
    with serving(tmp_path, "--sync", "1h", environment=environment) as dashboard:
        tab.goto(dashboard.url + MONDAY)
        tab.wait_for_selector("#said >> text=The first sync is running")
        assert_accessible(tab, "first-sync")
        tab.evaluate("setInterval(() => dispatchEvent(new Event('online')), 500)")
        tab.locator("#said").wait_for(state="hidden", timeout=60000)
        tab.goto("about:blank")  # else it would log the lost connection
    discard_messages(tab, "status of 503")


def test_a_sync_that_fails_says_why(tab, store_copy, web_cloud):
    web_cloud.reset()
    wrong = {**web_cloud.environment, "GENESYS_CLIENT_SECRET": "wrong"}
    options = ("--store", store_copy.path.name, "--sync", "1h")
    with serving(store_copy.path.parent, *options, environment=wrong) as dashboard:
        open_page(tab, dashboard.url + MONDAY)
        tab.evaluate("setInterval(() => dispatchEvent(new Event('online')), 300)")
        tab.wait_for_selector("#said >> text=The last sync failed")
        assert "GENESYS_CLIENT_SECRET" in tab.inner_text("#said")
        assert_accessible(tab, "failed-sync")
        tab.goto("about:blank")


def test_a_lost_connection_is_reported_until_it_is_back(tab, store_copy):
    bad_gateway = {"status": 502, "content_type": "text/html", "body": "<html>Bad Gateway"}
    with serving_here(create_app(store_copy)) as url:
        open_page(tab, url + MONDAY)
        for name, handle_route in (
            ("gateway", lambda route: route.fulfill(**bad_gateway)),
            ("connection", lambda route: route.abort()),
        ):
            tab.route("**/api/**", handle_route)
            poll_now(tab)
            tab.wait_for_selector("#said >> text=The connection is lost")
            assert tab.locator(".cell").count() > 0
            assert_accessible(tab, f"lost-{name}")
            tab.unroute("**/api/**")
            poll_now(tab)
            tab.locator("#said").wait_for(state="hidden")
    discard_messages(tab, "ERR_FAILED", "status of 502")


def test_the_log_in_page_is_accessible_after_wrong_and_too_many_passwords(
    tab, store_copy, tmp_path
):
    file = tmp_path / "password"
    file.write_text(hash_password("correct horse battery", secrets.token_bytes(16)))
    with serving_here(create_app(store_copy, password_auth=PasswordAuth.from_file(file))) as url:
        tab.goto(url)
        assert_accessible(tab, "log-in")
        for _ in range(MAX_FAILURES_PER_HOST):
            tab.get_by_label("Password").fill("not the password")
            with tab.expect_navigation():
                tab.keyboard.press("Enter")
            assert tab.locator("text=The password is wrong").is_visible()
        assert_accessible(tab, "wrong-password")
        tab.get_by_label("Password").fill("correct horse battery")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("text=Too many wrong passwords")
        assert_accessible(tab, "too-many-wrong-passwords")
    discard_messages(tab, "status of 403", "status of 429")


def test_figures_of_today_that_are_an_hour_old_are_reported(tab, store_copy):
    with serving_here(create_app(store_copy)) as url:
        tab.clock.install(time=DAY.end + timedelta(minutes=20))
        open_page(tab, url + MONDAY + "&zone=America/New_York")  # where it is still Monday
        assert "20 min ago" in tab.inner_text("#freshness")
        assert "20 min" not in " ".join(tab.locator("#freshness .warn").all_inner_texts())
        tab.clock.fast_forward("41:00")
        tab.wait_for_selector("#freshness .warn >> text=That is 1 h ago")
