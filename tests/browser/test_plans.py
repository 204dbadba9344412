"""A buyer asks why, plans a promotion by keyboard, compares two plans and adopts one; in both languages."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.fixture(scope="module")
def trees(product) -> None:
    """A version that has learned promotions and prices."""
    product.call("train", "--dataset", "chain", "--scope", "global", "--algorithm", "trees", "--budget", "10")


def click_days(page) -> None:
    """Clicks two days ahead in the chart, one of them twice: the calendar follows."""
    page.wait_for_selector("figure[data-chart=plan] canvas[data-drawn]")
    at = page.evaluate(
        """() => {
          const canvas = document.querySelector("figure[data-chart=plan] canvas");
          const { scales: { x }, chartArea } = Chart.getChart(canvas);
          const days = JSON.parse(document.getElementById("plan-data").textContent).history.length;
          return [3, 4].map((ahead) => ({ x: x.getPixelForValue(days + ahead), y: chartArea.top + 20 }));
        }"""
    )
    canvas = page.locator("figure[data-chart=plan] canvas")
    for place in (at[0], at[1], at[1]):
        canvas.click(position=place)
    ticked = page.eval_on_selector_all(".daygrid input", "boxes => boxes.map((box) => box.checked)")
    assert [day for day, is_on in enumerate(ticked) if is_on] == [3]


def plan_promotion(page, price: str) -> None:
    """Chooses three days and a promotion without a mouse."""
    page.focus(".daygrid tbody input >> nth=8")
    for _day in range(3):
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
    page.focus("#id_promotion")
    page.keyboard.press("ArrowDown")
    page.fill("#id_price", price)
    page.keyboard.press("Enter")
    page.wait_for_selector("#outcome canvas[data-drawn]")


@pytest.mark.parametrize("language", ["en", pytest.param("zh-hans", marks=pytest.mark.repeats)])
def test_a_forecast_is_explained_and_a_promotion_planned_compared_and_adopted(open_tab, trees, language):
    tab = open_tab()
    page = tab.page
    if language != "en":
        tab.use(language)
    page.goto("/forecast/?product=P002&store=S01&horizon=28")
    page.wait_for_selector(".pills a >> nth=1")
    page.focus(".pills a >> nth=1")
    page.keyboard.press("Enter")
    page.wait_for_selector("figure[data-chart=parts] canvas[data-drawn]")
    assert page.locator("#why-title ~ table, .says").count() >= 4
    tab.shoot(f"why-{language}")
    page.click(".pills a >> nth=2")
    click_days(page)
    tab.shoot(f"plan-days-{language}")
    plan_promotion(page, "-20")
    tab.shoot(f"plan-{language}")
    first = page.url
    page.goto("/forecast/plan/?product=P002&store=S01&horizon=28")
    plan_promotion(page, "-10")
    page.goto("/plans/")
    for box in page.locator("input[name=plan]").all()[:2]:
        box.focus()
        page.keyboard.press("Space")
    tab.shoot(f"plans-{language}")
    page.click("form[action$='compare/'] button")
    page.wait_for_selector("figure[data-chart=plan] canvas[data-drawn]")
    assert len(page.locator("main tbody tr").all()) == 2
    tab.shoot(f"plans-compared-{language}")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(first)
    page.wait_for_selector("#outcome canvas[data-drawn]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    tab.shoot(f"plan-phone-{language}")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.click("a[href$='/adopt/']")
    page.click("#ask button.danger")
    page.wait_for_url("**/plans/*/")
    for _try in range(60):
        if page.locator("h1 .badge.good").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    assert page.locator("h1 .badge.good").count() == 1
    tab.shoot(f"adopted-{language}")
    assert tab.violations() == []
