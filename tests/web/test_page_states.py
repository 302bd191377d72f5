"""Whatever state the page is in, it says so, and everybody can read it."""

import secrets
import subprocess
import sys
from datetime import timedelta

import pytest

from halfhour.store.store import Store
from halfhour.web.app import create_app
from halfhour.web.auth import MAX_FAILURES_PER_HOST, PasswordAuth, hash_password
from tests.web.conftest import (
    DAY,
    MONDAY,
    ask_again,
    forgive,
    loaded,
    made,
    running,
    seen,
    serving,
)

WIDTHS = [320, 640, 1300, 1920]
"""A small phone, a laptop at 200 %, a laptop, a screen on a desk."""


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_of_a_day_is_accessible_at_every_width(tab, served, width):
    tab.set_viewport_size({"width": width, "height": 640})
    loaded(tab, served + MONDAY)
    seen(tab, f"day-{width}", whole=True)


@pytest.mark.parametrize(("width", "height"), [(360, 640), (1440, 860)])
def test_the_panels_of_a_half_hour_and_of_an_agent_are_accessible(tab, served, width, height):
    tab.set_viewport_size({"width": width, "height": height})
    loaded(tab, served + MONDAY)
    tab.locator(".line").nth(3).locator(".cell.over").first.click()
    tab.wait_for_selector("aside .status")
    seen(tab, f"half-hour-{width}")
    tab.get_by_role("button", name="This agent's last weeks").click()
    tab.wait_for_selector("aside .weeks")
    assert tab.eval_on_selector("aside", "e => e.scrollWidth <= e.clientWidth") or width == 360
    seen(tab, f"agent-{width}")


def test_the_opened_choices_on_a_phone_are_accessible(tab, served):
    tab.set_viewport_size({"width": 360, "height": 640})
    loaded(tab, served + MONDAY)
    tab.get_by_role("button", name="More").click()
    seen(tab, "choices-360")


def test_the_page_is_accessible_with_forced_colours(tab, served):
    tab.emulate_media(forced_colors="active")
    loaded(tab, served + MONDAY)
    tab.locator(".cell.over").first.click()
    tab.wait_for_selector("aside .status")
    seen(tab, "forced-colours")


def test_missing_times_and_mistakes_in_the_address_are_shown_accessibly(tab, served):
    loaded(tab, served + MONDAY + "&zone=America/New_York&queue=Biling&measure=hnadle")
    tab.locator("summary").click()
    seen(tab, "missing-and-problems")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("?day=2026-02-27", "The last one that something is held of is 2026-03-02."),
        ("?day=2026-03-02&find=nobody", "No agent has that in the name."),
        (
            "?day=2026-03-02&queue=Billing&media=message&team=Team 3",
            "is held of this day that fits",
        ),
    ],
)
def test_a_day_with_nothing_to_show(tab, served, asked, sentence):
    tab.goto(served + asked)
    tab.wait_for_selector(f"#empty >> text={sentence}")
    assert not tab.locator("#grid").is_visible()
    seen(tab, f"nothing-{len(asked)}")


def test_2_000_agents_are_drawn_as_far_as_they_are_seen(tab, tmp_path):
    worked = {(f"a{n:04}", at): n * 900 for n in range(2000) for at in (0, 9, 47)}
    many = made(tmp_path / "many.duckdb", DAY.start, worked)
    with running(create_app(many)) as url:
        loaded(tab, url + MONDAY)
        assert "2000 agents" in tab.inner_text("#key")
        for _ in range(4):
            assert tab.locator(".line").count() < 60
            tab.eval_on_selector("#grid", "e => { e.scrollTop += 9000; }")
            tab.wait_for_timeout(50)
        tab.locator("#grid").focus()
        tab.keyboard.press("Control+End")
        assert tab.locator(".line .who").last.inner_text() == "a1999"
        assert tab.locator(".active").inner_text() == "30"
        seen(tab, "2000-agents")


def test_the_page_without_a_store_says_what_to_do(tab, tmp_path):
    with running(create_app(Store(tmp_path / "none.duckdb"))) as url:
        tab.goto(url)
        tab.wait_for_selector("#said >> text='halfhour sync' makes one")
        assert not tab.locator("#controls").is_visible()
        seen(tab, "no-store")
    forgive(tab, "status of 503")


def test_a_file_that_is_no_store_is_told_of(tab, tmp_path):
    (tmp_path / "notes.duckdb").write_text("a shopping list " * 999)
    with running(create_app(Store(tmp_path / "notes.duckdb"))) as url:
        tab.goto(url)
        tab.wait_for_selector("#said >> text=notes.duckdb")
        seen(tab, "foreign-file")
    forgive(tab, "status of 503")


HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(flush=True); input()"


def test_a_store_that_another_process_holds_is_told_of_until_it_is_free(tab, own):
    command = [sys.executable, "-c", HOLD, str(own.path)]
    pipe = subprocess.PIPE
    with running(create_app(Store(own.path, busy_timeout=0.1))) as url:
        with subprocess.Popen(command, stdin=pipe, stdout=pipe) as holder:
            assert holder.stdout
            holder.stdout.readline()
            tab.goto(url + MONDAY)
            tab.wait_for_selector("#said >> text=try again when that is done")
            seen(tab, "held-elsewhere")
            holder.communicate(b"\n")
        ask_again(tab)
        tab.wait_for_selector(".cell")
        assert tab.inner_text("#said") == ""
    forgive(tab, "status of 503")


def test_the_first_sync_is_shown_and_then_what_it_brought(tab, web_cloud, tmp_path):
    web_cloud.reset()
    web_cloud.faults({"kind": "hang", "seconds": 4, "endpoint": "aggregates", "calls": [3]})
    with serving(tmp_path, "--sync", "1h", environment=web_cloud.environment) as dashboard:
        tab.goto(dashboard.url + MONDAY)
        tab.wait_for_selector("#said >> text=The first sync is running")
        seen(tab, "first-sync")
        tab.evaluate("setInterval(() => dispatchEvent(new Event('online')), 500)")
        tab.locator("#said").wait_for(state="hidden", timeout=60000)
        tab.goto("about:blank")  # before it is gone
    forgive(tab, "status of 503")


def test_a_sync_that_fails_says_why(tab, own, web_cloud):
    web_cloud.reset()
    wrong = {**web_cloud.environment, "GENESYS_CLIENT_SECRET": "wrong"}
    options = ("--store", own.path.name, "--sync", "1h")
    with serving(own.path.parent, *options, environment=wrong) as dashboard:
        loaded(tab, dashboard.url + MONDAY)
        tab.evaluate("setInterval(() => dispatchEvent(new Event('online')), 300)")
        tab.wait_for_selector("#said >> text=The last sync failed")
        assert "GENESYS_CLIENT_SECRET" in tab.inner_text("#said")
        seen(tab, "failed-sync")
        tab.goto("about:blank")


def test_a_lost_connection_is_said_and_found_again(tab, own):
    away = {"status": 502, "content_type": "text/html", "body": "<html>Bad Gateway"}
    with running(create_app(own)) as url:
        loaded(tab, url + MONDAY)
        for name, answer in (
            ("gateway", lambda route: route.fulfill(**away)),
            ("connection", lambda route: route.abort()),
        ):
            tab.route("**/api/**", answer)
            ask_again(tab)
            tab.wait_for_selector("#said >> text=The connection is lost")
            assert tab.locator(".cell").count() > 0
            seen(tab, f"lost-{name}")
            tab.unroute("**/api/**")
            ask_again(tab)
            tab.locator("#said").wait_for(state="hidden")
    forgive(tab, "ERR_FAILED", "status of 502")


def test_the_log_in_page_is_accessible_after_wrong_and_too_many_passwords(tab, own, tmp_path):
    file = tmp_path / "password"
    file.write_text(hash_password("correct horse battery", secrets.token_bytes(16)))
    with running(create_app(own, doorkeeper=PasswordAuth.from_file(file))) as url:
        tab.goto(url)
        seen(tab, "log-in")
        for _ in range(MAX_FAILURES_PER_HOST):
            tab.get_by_label("Password").fill("not the password")
            with tab.expect_navigation():
                tab.keyboard.press("Enter")
            assert tab.locator("text=That is not the password").is_visible()
        seen(tab, "wrong-password")
        tab.get_by_label("Password").fill("correct horse battery")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("text=Too many tries")
        seen(tab, "too-many-tries")
    forgive(tab, "status of 403", "status of 429")


def test_figures_of_today_that_grow_old_are_told_of(tab, own):
    with running(create_app(own)) as url:
        tab.clock.install(time=DAY.end + timedelta(minutes=20))
        loaded(tab, url + MONDAY + "&zone=America/New_York")  # where it is still Monday
        assert "20 min ago" in tab.inner_text("#freshness")
        assert "20 min" not in " ".join(tab.locator("#freshness .warn").all_inner_texts())
        tab.clock.fast_forward("41:00")
        tab.wait_for_selector("#freshness .warn >> text=That is 1 h ago")
