"""The live page when things are not as they should be, and the buttons that end a training early."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def start(page, seconds: int) -> None:
    page.goto("/train/")
    page.select_option("#id_algorithm", "kan")
    page.fill("#id_budget", str(seconds))
    page.locator("#id_budget").blur()
    page.wait_for_load_state("networkidle")  # the cost moves the button
    page.wait_for_selector("#cost strong")
    page.click("form.card button[type=submit]")
    page.wait_for_selector("#progress")


def test_without_its_socket_the_page_says_so_and_still_comes_to_the_end(open_tab):
    tab = open_tab()
    page = tab.page
    page.route_web_socket("**/ws/**", lambda socket: socket.close(code=1011))
    start(page, 4)
    page.wait_for_selector("#link:visible")
    assert "interrupted" in page.inner_text("#link")
    page.wait_for_selector("#progress[data-state=done]")
    page.wait_for_selector("#link", state="hidden")
    assert "is ready" in page.inner_text("#actions") and "It took" in page.inner_text("#actions")
    tab.complaints.clear()  # the browser's own words about the socket


def test_finishing_now_keeps_the_model_and_another_page_hears_of_it(open_tab):
    tab, other = open_tab(), open_tab()
    page = tab.page
    start(page, 600)
    page.wait_for_selector("#points li", state="attached")
    other.page.goto("/models/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#actions a:has-text('Finish now')")
    page.wait_for_selector("#progress[data-state=done]")
    assert "is ready" in page.inner_text("#actions")


def test_the_end_is_told_on_the_page_one_is_on(open_tab):
    page = open_tab().page
    start(page, 2)
    page.goto("/data/")
    page.wait_for_selector("#news .note.success")
