"""The five-minute path: from sign-in over a file of sales to a forecast in Excel, with counted clicks."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import openpyxl
import pytest

from tests.browser.conftest import Tab
from tests.helpers.trials import FULL

pytestmark = [pytest.mark.browser, pytest.mark.processes]
MOST = 9  # from the overview to a forecast
SECONDS = 60 if FULL else 6
DAYS, WEEK = 200, (5, 6, 7, 8, 9, 4, 2)
COUNT = (
    "addEventListener('click', event => { if (event.isTrusted && event.detail) window.clicked?.(); }, true)"
)


def sales(folder: Path) -> Path:
    """Two products in two shops, half a year."""
    first, rows = dt.date(2026, 1, 1), ["date,store_id,product_id,sales"]
    for day in range(DAYS):
        for size, (shop, product) in enumerate(
            [("N1", "tea"), ("N1", "soap"), ("N2", "tea"), ("N2", "soap")]
        ):
            rows.append(
                f"{first + dt.timedelta(day)},{shop},{product},{WEEK[day % 7] * (size + 1) + day % 3}"
            )
    path = folder / "shop.csv"
    path.write_text("\n".join(rows))
    return path


def test_from_sign_in_over_a_file_to_a_forecast_in_excel_in_few_clicks(chromium, product, tmp_path):
    tab = Tab(chromium, product)
    page, clicks = tab.page, []
    page.expose_function("clicked", lambda: clicks.append(page.url))
    tab.context.add_init_script(COUNT)
    tab.sign_in()
    clicks.clear()

    page.click("nav.nav a[href$='/data/']")
    page.click(".head a.primary")
    with page.expect_file_chooser() as choosing:
        page.click("#id_file")
    choosing.value.set_files(str(sales(tmp_path)))
    page.fill("#id_name", "five minutes")
    page.click(".bar button.primary")
    page.wait_for_url("**/match/")
    page.click("main button.primary")
    page.wait_for_url("**/check/")
    page.click("main button.primary")
    page.wait_for_url("**/data/*/")

    page.click("main .head a.primary")  # train with it
    page.fill("#id_budget", str(SECONDS))
    assert page.input_value("#id_algorithm") == "auto", "all methods are tried unless one is chosen"
    page.click("form.card button[type=submit]")
    page.wait_for_selector("#actions a.primary", timeout=400_000)
    page.click("#actions a.primary")
    page.wait_for_selector("#result canvas[data-drawn=true]")  # the link itself computes the forecast
    print(f"{len(clicks)} clicks from the overview to the forecast")
    assert len(clicks) <= MOST
    with page.expect_download() as waiting:
        page.click("#result a[href*='export=xlsx']")
    book = openpyxl.load_workbook(io.BytesIO(waiting.value.path().read_bytes()))
    assert book.worksheets[0].max_row == 30  # heading, 28 days, total
    assert len(clicks) <= MOST + 1
    assert tab.violations() == []
    tab.close()
