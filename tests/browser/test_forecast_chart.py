"""The chart of a forecast in a real browser: days and weeks, its table, and what was sold since."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

import pandas as pd
import pytest

from tests.browser.conftest import PASSWORD, USER

pytestmark = [pytest.mark.browser, pytest.mark.processes]
POINTS = 5000
CHAIN = "/d/1"  # the dataset that `product` begins with; others may be newer
DRAWN = "canvas[data-drawn=true]"
# The days that are on the canvas at the moment a picture is taken from it.
WATCH = """() => {
    window.pictured = [];
    const draw = CanvasRenderingContext2D.prototype.drawImage;
    CanvasRenderingContext2D.prototype.drawImage = function (source, ...rest) {
        const chart = Chart.getChart(source);
        if (chart) window.pictured.push([chart.scales.x.min, chart.scales.x.max]);
        return draw.call(this, source, ...rest);
    };
    const words = CanvasRenderingContext2D.prototype.fillText;
    window.written = [];
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
        window.written.push(text);
        return words.call(this, text, ...rest);
    };
}"""
LAST = "() => { const x = Object.values(Chart.instances)[0].scales.x; return [x.min, x.max]; }"
ZOOM_AWAY = """() => {
    const chart = Object.values(Chart.instances)[0];
    const { min, max } = chart.scales.x;
    Object.assign(chart.options.scales.x, { min, max: max - 40 });
    chart.update("none");
}"""
TICKS = """() => {
    const { x } = Object.values(Chart.instances)[0].scales;
    const pen = x.ctx;
    pen.font = `12px ${Chart.defaults.font.family}`;
    return x.ticks.map((tick, index) => [x.getPixelForTick(index), pen.measureText(tick.label).width]);
}"""
PACE = """(points) => {
    const source = JSON.parse(document.getElementById("chart-data").textContent);
    const day = (back) => new Date(Date.parse(source.origin) - back * 86400000).toISOString().slice(0, 10);
    source.history = Array.from({ length: points }, (_v, at) => (
        { date: day(points - 1 - at), sales: 100 + at % 50, promo: at % 60 < 7, closed: at % 7 === 6 }));
    source.step = "day";
    const figure = document.querySelector("figure[data-chart]").cloneNode(true);
    const script = document.createElement("script");
    Object.assign(script, { type: "application/json", id: "many-days", textContent: JSON.stringify(source) });
    figure.dataset.source = "many-days";
    figure.dataset.days = "all";
    document.querySelector("main").append(script, figure);
    htmx.process(figure);
    figure.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true, detail: { elt: figure } }));
    const chart = Chart.getChart(figure.querySelector("canvas"));
    const spent = Array.from({ length: 15 }, () => {
        const start = performance.now();
        chart.draw();
        return performance.now() - start;
    }).sort((a, b) => a - b);
    return { median: spent[7], shown: chart.data.datasets.find((set) => set.name === "sales").data.length };
}"""


def make(page, product: str = "", store: str = "") -> None:
    """Shows a forecast of the chain and waits for its chart."""
    page.goto(f"{CHAIN}/forecast/?product={product}&store={store}&horizon=28")
    page.wait_for_selector(f"#result {DRAWN}")


def series(page) -> set[str]:
    return set(page.get_attribute(DRAWN, "data-series").split())


def pressed(page, kind: str) -> str:
    return page.get_attribute(f"button[data-{kind}][aria-pressed=true]", f"data-{kind}")


@pytest.fixture(scope="module")
def followed(product, tmp_path_factory) -> str:
    """The address of a forecast whose first twenty days have been sold since, with a planned promotion."""
    folder, end = tmp_path_factory.mktemp("followed"), date.today() - timedelta(days=20)
    days = [end - timedelta(days=back) for back in range(199, -1, -1)]

    def rows(days: list[date], units: int | None) -> pd.DataFrame:
        frames = [
            {"date": day, "store": store, "product": item, "sales": units and units + day.weekday()}
            for day in days
            for store in ("A", "B")
            for item in ("x", "y")
        ]
        frame = pd.DataFrame(frames)
        first, last = end + timedelta(days=25), end + timedelta(days=28)
        frame["promo"] = frame["date"].between(first, last).astype(int)
        frame["event"] = ["Fair" if promo else None for promo in frame["promo"]]
        return frame

    def bring(name: str, frame: pd.DataFrame) -> None:
        path = folder / name
        frame.to_parquet(path, index=False)
        product.call("import_sales", str(path), "--name", "followed", "--known", "promo", "event")

    ahead = [end + timedelta(days=day) for day in range(1, 61)]
    bring("first.parquet", pd.concat([rows(days, 20), rows(ahead, None)]))
    words = ["--dataset", "followed", "--scope", "global", "--algorithm", "seasonal_naive", "--budget", "2"]
    product.call("train", *words)
    made = product.shell(
        "from prediction.models import Forecast\n"
        "from registry.model_versions.models import ModelVersion\n"
        "version = ModelVersion.objects.filter(model__dataset__name='followed').get()\n"
        "print(Forecast.objects.make_forecast(version, horizon=56).pk)"
    )
    bring("newer.parquet", rows(ahead[:20], 26))
    return f"/forecasts/{made.split()[-1]}/"


def test_a_total_is_shown_by_week_and_can_be_shown_by_day(open_tab, versions):
    page = open_tab().page
    make(page)
    assert pressed(page, "step") == "week"
    weeks = int(page.get_attribute(DRAWN, "data-points"))
    page.click("button[data-step=day]")
    assert pressed(page, "step") == "day" and int(page.get_attribute(DRAWN, "data-points")) > 3 * weeks
    assert page.evaluate("Object.keys(Chart.instances).length") == 1
    page.focus("canvas")
    page.keyboard.press("ArrowRight")
    by_day = page.inner_text(".readout")
    page.click("button[data-step=week]")
    page.focus("canvas")
    page.keyboard.press("ArrowRight")
    by_week = page.inner_text(".readout")
    expected = [int(re.search(r"expect ([\d,]+)", text)[1].replace(",", "")) for text in (by_day, by_week)]
    assert expected[1] > 4 * expected[0] and "–" in by_week.split(":")[0]


def test_the_pointer_and_the_keyboard_open_a_small_table(open_tab, versions):
    tab = open_tab()
    page = tab.page
    make(page, "P001", "S01")
    assert pressed(page, "step") == "day" and not page.is_visible(".charttip")
    box = page.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.82, box["y"] + box["height"] / 2)
    page.wait_for_selector(".charttip:visible")
    told = page.inner_text(".charttip")
    assert "Expected" in told and "8 in 10" in told and "5 in 10" in told and "units" in told
    assert page.evaluate("getComputedStyle(document.querySelector('.charttip')).backgroundColor") == (
        page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
    )
    page.mouse.move(0, 0)
    assert not page.is_visible(".charttip")
    page.focus("canvas")
    page.keyboard.press("ArrowRight")
    assert page.is_visible(".charttip") and "8 times in 10 between" in page.inner_text(".readout")
    page.keyboard.press("Escape")
    assert not page.is_visible(".charttip")
    assert tab.violations() == []


def test_a_picture_holds_the_whole_forecast_whatever_is_zoomed_to(open_tab, versions):
    page = open_tab().page
    make(page)
    page.evaluate(WATCH)
    whole = page.evaluate(LAST)
    page.evaluate(ZOOM_AWAY)
    seen = page.evaluate(LAST)
    page.locator("[data-picture]").first.evaluate(
        "button => button.closest('details')?.setAttribute('open', '')"
    )
    with page.expect_download():
        page.click("[data-picture]")
    pictured = page.evaluate("window.pictured")
    assert seen[1] < whole[1] == pictured[0][1] and pictured[0][0] <= seen[0]
    assert page.evaluate(LAST) == seen, "the page stays as it was"
    assert any("chain · Repeat" in text or "chain ·" in text for text in page.evaluate("window.written"))


def test_what_was_sold_since_runs_through_the_range_and_untested_days_are_hatched(open_tab, followed):
    tab = open_tab()
    page = tab.page
    page.goto(followed)
    page.wait_for_selector(DRAWN)
    assert {"sold", "b80-untested-high", "forecast"} <= series(page)
    assert "beyond the 28 days" in page.inner_text(".untested")
    page.evaluate(WATCH)
    page.click("button[data-step=day]")
    written = set(page.evaluate("window.written"))
    assert {"Fair", "today", "Sold", "Forecast", "8 in 10", "units a day"} <= written
    assert any(text.startswith("last known day") for text in written)
    page.focus("canvas")
    page.keyboard.press("ArrowRight")
    assert re.search(r"expect .* · Sold \d", page.inner_text(".readout"))
    for _ in range(4):
        page.keyboard.press("PageDown")
    assert "beyond the 28 days tested" in page.inner_text(".charttip")
    tab.shoot("forecast-followed")


def test_a_change_to_dark_draws_the_chart_again(open_tab, versions):
    page = open_tab(color_scheme="light").page
    make(page, "P001", "S01")
    light = page.evaluate("document.querySelector('canvas').toDataURL()")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("light => document.querySelector('canvas').toDataURL() !== light", arg=light)
    assert page.evaluate("Object.keys(Chart.instances).length") == 1
    page.focus("canvas")
    page.keyboard.press("ArrowRight")
    assert page.locator(".charttip").count() == 1 and page.is_visible(".charttip")


def test_the_lines_are_folded_and_can_be_hidden(open_tab, versions):
    page = open_tab().page
    make(page, "P001", "S01")
    assert not page.is_visible("[data-series=sales]")
    page.click(".lines summary")
    page.check("[data-series=lastYear]")
    shown = (
        "name => { const c = Object.values(Chart.instances)[0]; "
        "return c.isDatasetVisible(c.data.datasets.findIndex((set) => set.name === name)); }"
    )
    assert page.evaluate(shown, "lastYear")
    page.uncheck("[data-series=sales]")
    assert not page.evaluate(shown, "sales")


@pytest.mark.parametrize("days", ["28", "365", "all"])
def test_no_two_dates_of_the_axis_touch_on_a_phone(open_tab, versions, days):
    page = open_tab(viewport={"width": 390, "height": 844}).page
    make(page)
    page.click(f"button[data-days='{days}']")
    ticks = page.evaluate(TICKS)
    assert len(ticks) >= 3
    for (left, width), (right, next_width) in pairwise(ticks):
        assert left + width / 2 < right - next_width / 2
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_finger_opens_the_table_and_reads_its_own_hint(chromium, product, versions):
    from tests.browser.conftest import Tab

    options = {
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
        "is_mobile": True,
        "locale": "en-GB",
    }
    tab = Tab(chromium, product, **options)
    tab.sign_in()
    page = tab.page
    make(page)
    assert page.is_visible(".for-touch") and not page.is_visible(".for-mouse")
    page.locator("canvas").scroll_into_view_if_needed()
    box = page.locator("canvas").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(".charttip:visible")
    page.touchscreen.tap(20, box["y"] - 30)
    assert not page.is_visible(".charttip")
    tab.close()


def test_without_javascript_the_days_are_open_and_nothing_stands_around_an_empty_frame(
    chromium, product, open_tab, versions
):
    page = open_tab().page
    make(page)
    address = page.url
    context = chromium.new_context(base_url=product.address, java_script_enabled=False)
    plain = context.new_page()
    plain.goto("/login/")
    plain.fill("#id_username", USER)
    plain.fill("#id_password", PASSWORD)
    plain.click("main form button")
    plain.goto(address)
    for hidden in ("canvas", ".ranges", ".lines", ".hint"):
        assert not plain.is_visible(f"figure {hidden} >> nth=0")
    assert plain.is_visible("figure noscript p")
    assert plain.locator("#days tbody tr").first.is_visible()
    context.close()


def test_five_thousand_days_are_drawn_again_in_a_moment(open_tab, versions):
    page = open_tab().page
    make(page)
    pace = page.evaluate(PACE, POINTS)
    print(f"\n{POINTS} days drawn again in {pace['median']:.1f} ms")
    assert pace["shown"] > 0.8 * POINTS and pace["median"] < 60  # a shared core is slow, not wrong
