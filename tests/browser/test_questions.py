"""Questions come up in a dialog on the page, with keyboard and mouse; without JavaScript they are a page."""

from __future__ import annotations

import pytest

from tests.browser.test_accessibility import faults

pytestmark = [pytest.mark.browser, pytest.mark.processes]
VERSION = "#list tbody th a:has-text('Seasonal naive')"  # not in use, so that nothing forbids to delete it
DELETE = "a[data-ask][href$='/delete/']:visible"


@pytest.fixture
def detail(open_tab, versions):
    """The page of a model's version, signed in."""
    tab = open_tab()
    tab.page.goto("/d/1/models/")
    tab.page.locator(VERSION).last.click()
    tab.page.wait_for_selector("main h1")
    return tab


def test_escape_cancels_and_the_focus_returns_to_the_link(detail):
    page = detail.page
    link = page.locator(DELETE).first
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    assert page.locator("dialog h1").inner_text().endswith("?")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Cancel"
    assert faults(detail) == []
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")
    assert link.evaluate("link => link === document.activeElement")
    assert detail.violations() == []


def test_a_menu_closes_before_its_question_and_takes_the_focus_back(open_tab):
    tab = open_tab()
    page = tab.page
    page.goto("/data/1/")
    page.click("details.more > summary")
    page.click("details.more a[data-ask]")
    page.wait_for_selector("dialog[open]")
    assert not page.locator("details.more > .menubox").is_visible()
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")
    assert page.locator("details.more > summary").evaluate("menu => menu === document.activeElement")
    assert tab.violations() == []


def test_cancel_leaves_everything_as_it_is_and_yes_does_it(detail, product):
    page, models = detail.page, product.files("models")
    page.locator(DELETE).first.click()
    page.click("dialog [data-cancel]")
    page.wait_for_selector("dialog[open]", state="detached")
    assert product.files("models") == models and "/models/" in page.url
    page.locator(DELETE).first.click()
    page.click("dialog button.danger")
    page.wait_for_selector("#messages .success")
    assert len(product.files("models")) == len(models) - 1


def test_without_javascript_the_question_is_a_page(open_tab, versions):
    page = open_tab(java_script_enabled=False).page
    page.goto("/d/1/models/")
    page.locator(VERSION).last.click()
    page.locator(DELETE).first.click()
    page.wait_for_url("**/delete/")
    assert (
        page.locator("main h1").inner_text().endswith("?") and page.locator("main button.danger").is_visible()
    )


def test_the_account_menu_opens_closes_on_escape_and_has_no_faults(open_tab):
    tab = open_tab()
    page = tab.page
    page.click(".tools details.menu summary")
    assert page.locator(".tools .menubox").is_visible() and faults(tab) == []
    page.keyboard.press("Escape")
    assert not page.locator(".tools .menubox").is_visible()
    page.click(".tools details.menu summary")
    page.click("h1")
    assert not page.locator(".tools .menubox").is_visible()
