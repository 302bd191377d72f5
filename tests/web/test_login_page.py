"""A log-in that ends while the page is open, in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import expect

from halfhour.web.app import create_app
from halfhour.web.auth import PasswordAuth, hash_password
from tests.web.conftest import discard_messages, open_page, poll_now, serving_here

PASSWORD = "correct horse battery"
VIEW = "?day=2026-03-02&measure=hold&sort=load&find=a"


@pytest.fixture
def password_url(store):
    password_auth = PasswordAuth(b"salt", hash_password(PASSWORD, b"salt"))
    with serving_here(create_app(store, password_auth=password_auth)) as url:
        yield url


def log_in(tab: Any) -> None:
    tab.get_by_label("Password").fill(PASSWORD)
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".cell")


def test_a_log_in_that_has_ended_leads_back_to_the_same_view(tab, password_url):
    tab.goto(password_url + VIEW)
    log_in(tab)
    tab.locator(".cell[class*=' ']").first.click()
    tab.wait_for_selector("aside h2")
    address = tab.url

    other_tab = tab.context.new_page()
    open_page(other_tab, password_url + VIEW)
    other_tab.get_by_role("button", name="Log out").click()
    other_tab.wait_for_url("**/login")
    poll_now(tab)
    tab.wait_for_url("**/login?*")

    log_in(tab)
    assert tab.url == address
    tab.wait_for_selector("aside h2")
    expect(tab.get_by_role("combobox", name="Measure")).to_have_value("hold")
    expect(tab.get_by_role("searchbox", name="Find")).to_have_value("a")
    other_tab.goto(password_url + "login" + VIEW)  # this session goes on, so no log-in follows
    assert other_tab.url == password_url + VIEW
    discard_messages(tab, "401")
