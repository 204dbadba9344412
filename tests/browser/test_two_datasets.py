"""Two datasets in two windows of one person: no page, list, form or reload mixes them."""

from __future__ import annotations

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.processes]
BAKERY = """
from django.core.management import call_command
from django.conf import settings
file = str(settings.DATA_DIR / "bakery.parquet")
call_command("make_sample", "--stores=3", "--products=4", "--days=400", f"--output={file}", "--seed=5")
call_command("import_sales", file, "--name=bakery")
"""
CLOSE_BAKERY = """
from registry.datasets.models import Dataset
from registry.model_versions.models import ForecastModel
ForecastModel.objects.filter(dataset__name="bakery").delete()
Dataset.objects.filter(name="bakery").delete()
"""
LISTS = ["Overview", "Train", "Models", "Forecast", "History"]


@pytest.fixture(scope="module")
def bakery(product, versions):
    """A second, newer dataset with a model, as long as these tests last."""
    product.shell(BAKERY)
    product.train(dataset="bakery")
    yield
    product.shell(CLOSE_BAKERY)


@pytest.fixture
def windows(open_tab, bakery):
    """Two windows of one person, one in each dataset."""
    tab = open_tab()
    first, second = tab.page, tab.context.new_page()
    second.goto("/")
    choose(first, "chain")
    choose(second, "bakery")
    return first, second


def choose(page, name: str) -> None:
    """Takes a dataset from the menu in the header."""
    page.click(".chooser > summary")
    page.click(f".chooser a:text-is('{name}')")
    page.wait_for_selector(f".chooser > summary:has-text('{name}')")


def place(page) -> str:
    """The dataset in the address."""
    return re.search(r"/d/(\d+)/", page.url)[1]


def strayed(page) -> list[tuple[str, str]]:
    """Links that lead into another dataset than that of the address, without naming it."""
    links = page.eval_on_selector_all("main a, nav a", "all => all.map((a) => [a.href, a.innerText])")
    away = [(link, text) for link, text in links if "/d/" in link and f"/d/{place(page)}/" not in link]
    names = set(page.locator(".chooser a").all_text_contents())
    return [(link, text) for link, text in away if not any(name in text for name in names if name)]


def test_every_page_stays_in_the_dataset_of_its_window(windows):
    first, second = windows
    assert place(first) != place(second)
    own = {first: place(first), second: place(second)}
    for name in LISTS:
        for page in windows:
            with page.expect_navigation():
                page.click(f"nav.nav >> text={name}")
            page.reload()
            assert place(page) == own[page] and strayed(page) == []
    assert first.inner_text(".chooser > summary").strip().endswith("chain")


def test_a_forecast_made_in_one_is_not_in_the_history_of_the_other(windows):
    first, second = windows
    for page, days in ((first, 33), (second, 37)):
        page.goto(f"/d/{place(page)}/forecast/")
        page.fill("#id_horizon", str(days))
    for page in windows:  # both forms are open before either is sent
        page.click("#forecast-form button[type=submit], #forecast-form button:not([type])")
        page.wait_for_selector("#result canvas")
    for page, own, foreign in ((first, "33", "37"), (second, "37", "33")):
        page.click("nav.nav >> text=History")
        page.wait_for_selector("#list tbody")
        days = page.eval_on_selector_all(
            "#list tbody td.num", "all => all.map((cell) => cell.innerText.trim())"
        )
        assert own in days and foreign not in days


def test_the_chooser_works_without_javascript(open_tab, bakery):
    tab = open_tab(java_script_enabled=False)
    for name in ("bakery", "chain"):
        tab.page.goto("/models/")
        choose(tab.page, name)
        assert tab.page.url.endswith(f"/d/{place(tab.page)}/models/")
        tab.page.goto("/models/")  # remembered
        assert tab.page.inner_text(".chooser > summary").strip().endswith(name)
