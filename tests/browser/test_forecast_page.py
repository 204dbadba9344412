"""The page of a forecast in a real browser: comparison, picture, print, explanations by keyboard."""

from __future__ import annotations

import pytest

from tests.helpers.trials import repeats

pytestmark = [pytest.mark.browser, pytest.mark.processes]
PNG = b"\x89PNG\r\n\x1a\n"
SIZE = """async bytes => {
    const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: "image/png" }));
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(picture, 0, 0);
    const head = new Set(new Uint32Array(pen.getImageData(0, 0, picture.width, 110).data.buffer));
    return [picture.width, picture.height, [...pen.getImageData(2, 2, 1, 1).data], head.size];
}"""


CHAIN = "/d/1"  # the dataset that `product` begins with; others may be newer


def make(page) -> None:
    """A forecast of everything in the chain, drawn."""
    page.goto(f"{CHAIN}/forecast/")
    page.click("#forecast-form button[type=submit]")
    page.wait_for_selector("#result canvas[data-drawn=true]")


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=repeats)])
def test_the_picture_is_light_and_has_title_and_legend(open_tab, versions, scheme):
    page = open_tab(color_scheme=scheme).page
    make(page)
    before = page.eval_on_selector("canvas", "c => [c.width, c.height]")
    with page.expect_download() as waiting:
        page.click(".more > summary")
        page.click("[data-picture]")
    content = waiting.value.path().read_bytes()
    assert content.startswith(PNG) and waiting.value.suggested_filename.endswith(".png")
    width, height, corner, colours = page.evaluate(SIZE, list(content))
    assert (width, height, corner) == (1400, 854, [255, 255, 255, 255])
    assert colours > 20, "title and legend are drawn above the chart"
    assert page.eval_on_selector("canvas", "c => [c.width, c.height]") == before


def test_comparing_draws_only_the_forecast_window_of_the_other_version(open_tab, versions):
    tab = open_tab()
    page = tab.page
    make(page)
    points = int(page.get_attribute("#result canvas", "data-points"))
    page.select_option("#id_with_1", index=1)
    page.wait_for_selector("#result canvas[data-series*=other1]")
    assert (
        "with=" in page.url and int(page.get_attribute("#result canvas", "data-points")) == points + 4
    )  # weeks
    assert page.evaluate("Object.keys(Chart.instances).length") == 1
    page.reload()
    page.wait_for_selector("#result canvas[data-series*=other1]")
    assert page.locator("[data-series=other1]").count() == 1
    tab.shoot("forecast-compare")


def test_printing_shows_answer_chart_and_days(open_tab, versions):
    page = open_tab().page
    make(page)
    page.emulate_media(media="print")
    assert page.is_visible("#answer") and page.is_visible("#result canvas")
    assert not page.is_visible("#forecast-form") and not page.is_visible(".top")
    assert "chain" in page.inner_text(".question") and not page.is_visible(".change")


def test_a_link_to_a_product_shows_its_forecast_and_the_form_folded(open_tab, versions, product):
    tab = open_tab()
    page, kept = tab.page, product.files("forecasts")
    make(page)
    page.click("#parts-products tbody th a >> nth=0")
    page.wait_for_selector("#result canvas[data-drawn=true]")
    assert "/forecast/?" in page.url and page.inner_text("h1").startswith("P0")
    assert page.is_visible("#answer .number") and not page.is_visible("#forecast-form")
    assert len(product.files("forecasts")) == len(kept) + 1, "only the first one was saved"
    page.click(".question > summary")
    assert page.is_visible("#forecast-form")
    page.click(".answer-head button.primary")
    page.wait_for_url("**/forecasts/*/")
    assert len(product.files("forecasts")) == len(kept) + 2
    tab.shoot("forecast-product")


def test_on_a_phone_the_answer_comes_first_and_nothing_lies_beside_the_screen(open_tab, versions):
    page = open_tab(viewport={"width": 390, "height": 844}).page
    make(page)
    assert page.locator("#answer").bounding_box()["y"] < 330
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click(".more > summary")
    assert page.is_visible(".menubox >> text=Excel") and not page.is_visible(".answer-head a.button")


def test_an_explanation_opens_and_closes_by_keyboard(open_tab, versions):
    page = open_tab().page
    page.goto("/d/1/models/")
    page.focus(".tip >> nth=0")
    page.keyboard.press("Enter")
    assert page.is_visible(".tiptext >> nth=0")
    page.keyboard.press("Escape")
    assert not page.is_visible(".tiptext >> nth=0")


def test_what_takes_longer_than_a_moment_says_so(open_tab, versions):
    page, held = open_tab().page, []
    page.goto("/d/1/models/")
    page.route("**/models/?*", lambda route: held.append(route))
    page.fill("#id_q", "kan")
    page.wait_for_selector("#busy:not(:empty)")
    assert "Working" in page.inner_text("#busy")
    held[0].continue_()
    page.wait_for_selector("#busy:empty", state="attached")
    assert "q=kan" in page.url
