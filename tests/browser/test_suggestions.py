"""Choosing a product that the server finds: with the keyboard, the mouse, and without JavaScript."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.processes]
OPEN = "#product-options:not([hidden]) [data-value]"


@pytest.fixture
def field(open_tab):
    """The product field of the training page."""
    tab = open_tab()
    tab.page.goto("/d/1/train/")
    tab.page.check('input[name="kind"][value="product"]')
    return tab


def test_the_keyboard_chooses_a_product(field) -> None:
    page = field.page
    page.focus("#id_product")
    page.wait_for_selector(OPEN)
    assert page.locator(OPEN).count() == 3
    page.keyboard.type("p00")
    page.keyboard.press("Escape")
    assert not page.locator(OPEN).count() and page.input_value("#id_product") == "p00"
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(OPEN)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    marked = page.get_attribute("#id_product", "aria-activedescendant")
    chosen = page.get_attribute(f"#{marked}", "data-value")
    field.shoot("suggestions")
    page.keyboard.press("Enter")
    assert page.input_value("#id_product") == chosen and not page.locator(OPEN).count()
    page.wait_for_selector("#cost p")
    assert "/train/" in page.url and field.violations() == []


def test_the_mouse_chooses_a_product_by_its_name(field) -> None:
    page = field.page
    page.click("#id_product")
    page.wait_for_selector(OPEN)
    name = page.locator(OPEN).nth(1).get_attribute("data-value")
    page.keyboard.type(name.split(" ", 1)[1])
    page.locator(OPEN).nth(1).wait_for(state="detached")
    page.click(OPEN)
    assert page.input_value("#id_product") == name


def test_a_name_can_be_typed_without_javascript(open_tab) -> None:
    page = open_tab(java_script_enabled=False).page
    page.goto("/d/1/train/")
    page.check('input[name="kind"][value="product"]')
    page.fill("#id_product", "no such thing")
    page.click("main button.primary")
    assert "choose one from the list" in page.inner_text("main")
    assert page.get_attribute("#id_product", "role") is None
