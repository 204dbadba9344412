"""The live page: from start to end, when the connection is lost, and when a button is refused."""

from __future__ import annotations

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def start(page, seconds: int, method: str = "kan") -> None:
    page.goto("/d/1/train/")
    page.select_option("#id_algorithm", method)
    page.fill("#id_budget", str(seconds))
    page.locator("#id_budget").blur()
    page.wait_for_load_state("networkidle")  # the cost moves the button
    page.wait_for_selector("#cost strong")
    page.click("form.card button[type=submit]")
    page.wait_for_selector("#progress")


def confirm(page, button: str) -> None:
    """Clicks a button of the live page and says yes to its question."""
    page.click(f"#actions a:has-text('{button}')")
    page.click("#ask form button")


def refuse_posts(route) -> None:
    if route.request.method == "POST":
        route.abort()
    else:
        route.continue_()


def top(page, selector: str) -> float:
    return page.locator(selector).bounding_box()["y"]


def test_a_training_prepares_at_once_and_each_method_has_its_row_and_its_line_until_the_end(open_tab):
    page = open_tab().page
    start(page, 6, "auto")
    page.wait_for_selector("#progress[data-state=running]")
    if page.locator("#points li").count() == 0:  # no time is told before it is known
        assert page.locator(".steps .now, .steps .past").count() > 0
        assert page.locator(".curve > .nothing").is_visible()
    page.wait_for_selector("#methods")
    page.wait_for_selector("#progress[data-state=done]")
    rows = page.locator("#methods tbody tr").all_inner_texts()
    assert len(rows) == 3 and not any("waiting" in row or "learning" in row for row in rows)
    assert re.search(r"(The blend is used|is used alone)\.", page.inner_text("#methods"))
    assert "Not tried for lack of time" in page.inner_text("#methods")
    assert page.locator(".curve canvas").is_visible() and not page.locator(".curve > .nothing").is_visible()
    assert "Reading" in page.inner_text("#log")
    assert page.inner_text("#curve-title") == "How it learned"
    drawn = page.get_attribute(".curve canvas", "data-series").split()
    assert "m2" in drawn and set(drawn) <= {"m2", "m3"}  # a busy machine may leave the last one no round
    page.reload()
    page.wait_for_selector(".curve canvas[data-drawn=true]")
    assert page.get_attribute(".curve canvas", "data-series").split() == drawn
    assert page.locator("#methods tbody tr").all_inner_texts() == rows


def test_without_its_socket_the_page_says_so_and_still_comes_to_the_end(open_tab):
    tab = open_tab()
    page = tab.page
    page.route_web_socket("**/ws/**", lambda socket: socket.close(code=1011))
    start(page, 2)
    page.wait_for_selector("#link:visible")
    assert "Reconnecting … the training goes on." in page.inner_text("#link")
    assert top(page, "#progress") < top(page, "#link") < top(page, "#log")
    page.wait_for_selector("#progress[data-state=done]")
    page.wait_for_selector("#link", state="hidden")
    assert "is ready" in page.inner_text("#actions") and "It took" in page.inner_text("#actions")
    tab.complaints.clear()  # the browser's own words about the socket


def test_while_nothing_answers_the_buttons_are_dimmed(open_tab):
    tab = open_tab()
    page = tab.page
    page.route_web_socket("**/ws/**", lambda socket: socket.close(code=1011))
    start(page, 600)
    page.route("**/runs/**", lambda route: route.abort())
    page.wait_for_selector("#actions[inert]", state="attached")
    page.wait_for_selector("#seen:text-matches('Last seen [2-9] s ago')")
    page.unroute("**/runs/**")
    page.wait_for_selector("#actions:not([inert])", state="attached")
    confirm(page, "Stop training")
    page.wait_for_selector("#progress[data-state=cancelled]")
    tab.complaints.clear()


def test_a_button_that_is_refused_says_why(open_tab):
    tab = open_tab()
    page = tab.page
    start(page, 600)
    page.wait_for_selector("#progress[data-state=running]")
    page.context.clear_cookies(name="csrftoken")
    confirm(page, "Stop training")
    page.wait_for_selector("#refusal")
    assert "This page has expired" in page.inner_text("#refusal")
    page.route("**/cancel/", refuse_posts)
    confirm(page, "Stop training")
    page.wait_for_selector("#refusal:has-text('cannot be reached')")
    page.unroute("**/cancel/")
    page.reload()  # brings the cookie back
    confirm(page, "Stop training")
    page.wait_for_selector("#progress[data-state=cancelled]")
    assert page.locator("#refusal").count() == 0
    tab.complaints.clear()  # the browser's own words about the refusals


def test_a_form_sent_before_its_settings_arrived_takes_the_defaults(open_tab):
    page = open_tab().page
    page.goto("/d/1/train/")
    page.wait_for_selector("#cost strong")
    page.route("**/train/knobs/**", lambda route: None)  # never answers
    page.select_option("#id_algorithm", "seasonal_naive")
    page.fill("#id_budget", "2")
    page.click("form.card button[type=submit]")
    page.wait_for_url("**/runs/*/")
    assert "Seasonal naive" in page.inner_text("h1")


def test_finishing_now_keeps_the_model_and_another_page_hears_of_it(open_tab):
    tab, other = open_tab(), open_tab()
    page = tab.page
    start(page, 40)  # a twentieth of it until the first point
    page.wait_for_selector("#points li", state="attached")
    other.page.goto("/d/1/models/")
    confirm(page, "Finish now")
    page.wait_for_selector("#progress[data-state=done]")
    assert "is ready" in page.inner_text("#actions")


def test_the_end_is_told_on_the_page_one_is_on(open_tab):
    page = open_tab().page
    start(page, 2, "seasonal_naive")
    page.goto("/data/")
    page.wait_for_selector("#news .note.success")
