"""A buyer forecasts everything, changes a category, downloads it, and sees what became of it when newer sales
came; in both languages, at last on a phone."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from registry.datasets.sample.generator import SampleDataset

pytestmark = [pytest.mark.browser, pytest.mark.processes]
NAME, NEW_DAYS = "kiosks", 14
FIND = f"from registry.datasets.models import Dataset\nprint(Dataset.objects.get(name='{NAME}').pk)"
CLOSE = f"""
from registry.model_versions.models import ForecastModel
from registry.datasets.models import Dataset
ForecastModel.objects.filter(dataset__name="{NAME}").delete()
Dataset.objects.filter(name="{NAME}").delete()
"""


@pytest.fixture
def sales(product, tmp_path):
    """A dataset with categories and a model; gives its id and the file that has two weeks more."""
    whole, early = tmp_path / "whole.parquet", tmp_path / "early.parquet"
    SampleDataset(stores=2, products=12, days=200).write_parquet(whole)
    frame = pd.read_parquet(whole)
    last = pd.to_datetime(frame["date"]).max() - timedelta(days=NEW_DAYS)
    frame[pd.to_datetime(frame["date"]) <= last].to_parquet(early, index=False)
    product.call("import_sales", str(early), f"--name={NAME}")
    product.train(dataset=NAME)
    yield int(product.shell(FIND)), whole
    product.shell(CLOSE)


def read_units(tab, path: str) -> list[dict[str, str]]:
    """The rows of the table that a link downloads."""
    with tab.page.expect_download() as found:
        tab.page.click(path)
    with Path(found.value.path()).open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def reload_until(page, selector: str) -> None:
    """What a job of the light queue makes is there after a while."""
    for _each in range(100):
        if page.locator(selector).count():
            return
        page.wait_for_timeout(1000)
        page.reload()
    raise AssertionError(f"no {selector}")


def test_everything_is_forecast_changed_downloaded_and_judged_by_newer_sales(open_tab, sales):
    number, whole = sales
    tab = open_tab(accept_downloads=True)
    page = tab.page
    page.goto(f"/d/{number}/products/runs/")
    page.click("main form button.primary")
    page.wait_for_selector("#series tbody tr")  # made by the light queue
    page.wait_for_selector("#changes:not([hx-get])", state="attached")
    tab.shoot("run")
    everything = page.inner_text("#series caption")
    page.goto(f"/d/{number}/products/")
    page.click("main .head a[href*='/products/runs/']:first-of-type")  # the current run
    page.wait_for_selector("#series tbody tr")
    page.select_option("select[name=level] >> nth=0", index=1)
    page.wait_for_function(
        "old => document.querySelector('#series caption').innerText !== old", arg=everything
    )
    tab.shoot("run-filtered")
    shown = page.locator("#series tbody tr").count()
    assert 0 < shown < 24
    page.click("#series a:text-is('Change these')")
    page.fill("#id_amount", "30")
    page.select_option("#id_reason", "promotion")
    page.wait_for_selector("#preview .tile")
    tab.shoot("override-preview")
    page.click("button[name=save]")
    page.wait_for_selector(".badge.good")
    tab.shoot("overrides")
    page.click("tbody th a")
    reload_until(page, "main table th a")
    tab.shoot("override")
    page.click("main table th a")  # the run that was made with it
    page.wait_for_selector("#overrides")
    page.click("#overrides > summary")
    tab.shoot("run-changed")
    rows = read_units(tab, "#series a:text-is('CSV')")
    assert len(rows) == 24 and sum(row["By the model alone"] != row["Expected"] for row in rows) == shown
    tab.use("zh-hans")
    page.goto(f"/data/{number}/")
    page.click(".head a[href*='/upload/']")
    page.set_input_files("#id_file", str(whole))
    page.click(".bar button.primary")
    page.wait_for_url("**/check/")  # columns as before
    page.click("main button.primary")
    page.wait_for_url("**/data/*/")
    page.goto(f"/d/{number}/accuracy/")
    reload_until(page, "#curve")
    tab.shoot("accuracy-zh")
    page.click("main .head a[href*='scorecard']")
    reload_until(page, "main table")
    tab.shoot("scorecard-zh")
    assert page.locator("tbody td.num").first.inner_text() == "1"
    page.set_viewport_size({"width": 390, "height": 844})
    for name in ("products/runs", "overrides", "overrides/new", "scorecard"):
        page.goto(f"/d/{number}/{name}/")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        tab.shoot(f"phone-{name.replace('/', '-')}")
    assert tab.violations() == []
