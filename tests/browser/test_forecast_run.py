"""A buyer forecasts everything, filters a store and downloads it; on a phone, in both languages."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def test_everything_is_forecast_filtered_and_downloaded(open_tab, versions):
    tab = open_tab(accept_downloads=True)
    page = tab.page
    page.goto("/products/runs/")
    page.click("main form button.primary")
    page.wait_for_selector("#series tbody tr")  # made by the light queue
    page.wait_for_selector("#changes:not([hx-get])", state="attached")
    tab.shoot("run")
    everything = page.inner_text("#series caption")
    page.select_option("select[name=store]", index=1)
    page.wait_for_function(
        "old => document.querySelector('#series caption').innerText !== old", arg=everything
    )
    shown = page.locator("#series tbody tr").count()
    with page.expect_download() as found:
        page.click("#series a:text-is('CSV')")
    with Path(found.value.path()).open(encoding="utf-8-sig") as file:
        assert len(list(csv.DictReader(file))) == shown
    page.click("#changes > summary")
    tab.shoot("run-filtered")
    page.set_viewport_size({"width": 390, "height": 844})
    tab.use("zh-hans")
    page.wait_for_selector("#series tbody tr")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    tab.shoot("run-phone")
    assert tab.violations() == []
