"""What a buyer does on the first day, in a real browser on the real product."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.processes]
COLOURS = """c => {
    const pixels = c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer;
    return new Set(new Uint32Array(pixels)).size;
}"""
STATE = """() => {
    const chart = Object.values(Chart.instances)[0];
    const sales = chart.data.datasets.findIndex((set) => set.name === "sales");
    return [chart.isDatasetVisible(sales), chart.data.datasets.length];
}"""


def train(tab, seconds: int) -> list[str]:
    """Trains KAN for one product and watches the bar; gives every value it showed."""
    page = tab.page
    page.goto("/d/1/train/")
    page.check("input[name=kind][value=product]")
    page.fill("#id_product", "P001")
    page.select_option("#id_algorithm", "kan")
    page.fill("#id_budget", str(seconds))
    page.click("form.card button[type=submit]")
    page.wait_for_selector("#progress")
    page.evaluate("window.notReloaded = true")
    shown = []
    while page.get_attribute("#progress", "data-state") not in {"done", "failed", "cancelled"}:
        shown.append(page.inner_text("#percent"))
        page.wait_for_timeout(200)
        assert len(shown) < 600, "the bar does not move to its end"
    return [*shown, page.inner_text("#percent")]


def test_from_sign_in_to_a_drawn_forecast_and_back_to_nothing(open_tab, product):
    tab = open_tab()
    page = tab.page
    models, forecasts = product.files("models"), product.files("forecasts")
    sockets = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    shown = train(tab, 4)
    assert page.get_attribute("#progress", "data-state") == "done" and shown[-1] == "100%"
    assert len(set(shown)) >= 4, "the bar moved in steps"
    assert page.evaluate("window.notReloaded") and sockets and "/ws/runs/" in sockets[0]
    curve = page.locator("[data-chart=learning] canvas")
    assert int(curve.get_attribute("data-points")) == 2 * page.locator(
        "#points li[data-step=learn]"
    ).count() + (page.locator("#points li[data-step=refit]").count())
    tab.shoot("live-done")
    page.reload()
    assert page.get_attribute("#progress", "data-state") == "done"
    assert len(product.files("models")) == len(models) + 1

    page.click("#actions a.primary")
    page.wait_for_selector("#result canvas[data-drawn=true]")
    page.click(".question > summary")
    page.fill("#id_product", "P001")
    page.click("#forecast-form button[type=submit]")
    page.wait_for_url("**/forecasts/*/")
    canvas = page.locator("#result canvas[data-drawn=true]")
    canvas.wait_for()
    assert {"sales", "forecast", "test"} <= set(canvas.get_attribute("data-series").split())
    page.click("button[data-step=day]")
    assert int(canvas.get_attribute("data-points")) > 28 * 7
    assert "units in 28 days" in page.inner_text("#answer")
    assert "/forecasts/" in page.url and len(product.files("forecasts")) == len(forecasts) + 1
    assert canvas.evaluate(COLOURS) > 20, "the canvas holds a picture, not one colour"
    canvas.focus()
    page.keyboard.press("ArrowRight")
    assert "8 times in 10 between" in page.inner_text(".readout")
    tab.shoot("forecast-en")
    page.reload()
    page.locator("canvas[data-drawn=true]").wait_for()
    tab.use("zh-hans")
    page.locator("canvas[data-drawn=true]").wait_for()
    tab.shoot("forecast-zh-hans")
    assert tab.violations() == []
    tab.use("en")

    page.click(".more > summary")
    page.click(".more a.danger")
    page.click("main button.danger")
    assert page.url.endswith("/forecasts/") and product.files("forecasts") == forecasts
    page.goto("/d/1/models/?kind=product")
    page.click("tbody th a")
    page.click(".actions a.danger")
    page.click("main button.danger")
    assert page.url.endswith("/models/") and product.files("models") == models


def test_stop_asks_and_a_second_tab_sees_the_end(open_tab):
    tab, other = open_tab(), open_tab()
    tab.page.goto("/d/1/train/")
    tab.page.fill("#id_budget", "300")
    tab.page.click("form.card button[type=submit]")
    tab.page.wait_for_selector("#progress[data-state=running]")
    other.page.goto(tab.page.url)
    tab.page.click("#actions a.danger")
    assert "Stop this training?" in tab.page.inner_text("dialog[open]")
    tab.page.click("dialog button.danger")
    for page in (tab.page, other.page):
        page.wait_for_selector("#progress[data-state=cancelled]")
        assert "The training was stopped." in page.inner_text("#actions")


def test_changing_the_method_swaps_its_knobs(open_tab):
    page = open_tab().page
    page.goto("/d/1/train/")
    page.click("main summary")
    page.select_option("#id_algorithm", "kan")
    page.wait_for_selector("[name=knob-bumps]")
    page.select_option("#id_algorithm", "seasonal_naive")
    page.wait_for_selector("[name=knob-bumps]", state="detached")


def test_a_charts_life_is_one_chart_however_often_it_is_swapped(open_tab, versions):
    page = open_tab().page
    page.goto("/d/1/forecast/")
    for round_number in range(5):
        if not page.is_visible("#forecast-form"):
            page.click(".question > summary")
        page.fill("#id_horizon", str(7 + round_number))
        page.click("#forecast-form button[type=submit]")
        page.wait_for_selector(f"text=units in {7 + round_number} days")
        page.wait_for_selector("#result canvas[data-drawn=true]")
    assert page.evaluate("Object.keys(Chart.instances).length") == 1
    before = page.evaluate("Object.values(Chart.instances)[0].data.datasets.length")
    page.click(".lines summary")
    page.uncheck("[data-series=sales]")
    page.click(".ranges button[data-days=all]")
    assert page.evaluate(STATE) == [False, before]
