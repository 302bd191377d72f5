"""A log-in that ends while the page is open, in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import expect

from halfhour.web.app import create_app
from halfhour.web.auth import PasswordAuth, hash_password
from tests.web.conftest import ask_again, forgive, loaded, running

PASSWORD = "correct horse battery"
VIEW = "?day=2026-03-02&measure=hold&sort=load&find=a"


@pytest.fixture
def door(store):
    keeper = PasswordAuth(b"salt", hash_password(PASSWORD, b"salt"))
    with running(create_app(store, doorkeeper=keeper)) as url:
        yield url


def log_in(page: Any) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".cell")


def test_a_log_in_that_has_ended_leads_back_to_the_same_view(tab, door):
    tab.goto(door + VIEW)
    log_in(tab)
    tab.locator(".cell[class*=' ']").first.click()
    tab.wait_for_selector("aside h2")
    shown = tab.url

    other = tab.context.new_page()
    loaded(other, door + VIEW)
    other.get_by_role("button", name="Log out").click()
    other.wait_for_url("**/login")
    ask_again(tab)
    tab.wait_for_url("**/login?*")

    log_in(tab)
    assert tab.url == shown
    tab.wait_for_selector("aside h2")
    expect(tab.get_by_role("combobox", name="Measure")).to_have_value("hold")
    expect(tab.get_by_role("searchbox", name="Find")).to_have_value("a")
    other.goto(door + "login" + VIEW)  # where nobody has to log in again
    assert other.url == door + VIEW
    forgive(tab, "401")
