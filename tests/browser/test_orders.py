"""A buyer uploads stock and terms, orders, changes a line, approves, takes the Excel; and a back-test."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

pytestmark = [pytest.mark.browser, pytest.mark.processes]
CODES = """from registry.datasets.models import DatasetVersion
data = DatasetVersion.objects.get()
print(";".join(["|".join(data.stores), "|".join(data.products), str(data.last)]))"""


@pytest.fixture
def files(product, tmp_path: Path) -> dict[str, Path]:
    """Two units of every product in every store, and terms of all of them."""
    stores, products, day = product.shell(CODES).strip().splitlines()[-1].split(";")
    rows = [f"{store},{code},{day},2" for store in stores.split("|") for code in products.split("|")]
    found = {"stock": tmp_path / "stock.csv", "terms": tmp_path / "terms.csv"}
    found["stock"].write_text("\n".join(["store,product,as of,on hand", *rows]))
    terms = [f"{code},Alfa,2,7,6,2.5,4" for code in products.split("|")]
    heading = "product,supplier,lead_days,review_days,pack,unit_cost,price"
    found["terms"].write_text("\n".join([heading, *terms]))
    return found


def test_stock_becomes_an_order_that_is_changed_approved_and_exported(open_tab, versions, files, tmp_path):
    tab = open_tab(accept_downloads=True)
    page = tab.page
    for kind, path in files.items():
        page.goto("/data/upload/stock/")
        page.select_option("#id_kind", kind)
        page.set_input_files("#id_file", str(path))
        page.click(".bar button.primary")
        page.wait_for_selector(".note.success")
    page.goto("/products/runs/")
    page.click("main form button.primary")
    page.wait_for_selector("#series tbody tr")
    page.goto("/orders/")
    page.click(".head button.primary")
    page.wait_for_selector("#lines tbody tr")  # made by the light queue
    tab.shoot("order")
    page.click("#lines tbody tr a")
    page.fill("#value", "24")
    page.fill("#reason", "a fair in town")
    page.click(".go button:not(.primary)")
    page.wait_for_selector("#edits-title")
    tab.shoot("order-line")
    page.click(".crumbs a:last-child")
    page.check("input[name=which][value=all]")
    page.click("#lines .go button.primary")
    page.wait_for_selector(".note.success")
    with page.expect_download() as found:
        page.click("button[value=xlsx]")
    path = tmp_path / "order.xlsx"
    found.value.save_as(path)
    quantities = [cell.value for cell in load_workbook(path).active["F"]][1:]
    assert 24 in quantities and not [units for units in quantities if units % 6]
    page.reload()
    page.wait_for_selector("#exports-title")
    tab.use("zh-hans")
    tab.shoot("order-zh")
    tab.product.call("backtest_orders", "--weeks=4", "--budget=2", "--lead-days=2")
    page.goto("/orders/backtests/")
    page.click("#main tbody tr a")
    page.wait_for_selector("canvas[data-drawn]")
    assert page.get_attribute("canvas", "data-series") == "ours cover own foresight"
    tab.shoot("order-backtest-zh")
    tab.use("en")
    tab.shoot("order-backtest")
    assert tab.violations() == []
