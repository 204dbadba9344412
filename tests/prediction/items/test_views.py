"""The product list and its comparison, as people open them."""

from __future__ import annotations

import csv
import io
import re

import pytest
from openpyxl import load_workbook

from prediction.current_forecast import load_current
from prediction.items.listing import sort_items
from prediction.tasks import make_current_forecast
from training.models import TrainingRun


@pytest.fixture
def state(version, sales):
    make_current_forecast(sales.dataset_id)
    return load_current(sales.dataset)


def test_the_list_shows_every_product_with_units_range_and_flags(page, state, read):
    text = read(page.get("/products/"))
    for item in state.items["products"]:
        assert item.code in text
    assert "28 days from" in text and "3 found" in text and "Likely range (80%)" in text


def test_the_list_can_show_stores(page, state, read):
    text = read(page.get("/products/?show=stores"))
    assert all(item.code in text for item in state.items["stores"]) and "2 found" in text


def test_a_row_leads_to_its_forecast(page, state, read):
    source = page.get("/products/").content.decode()
    links = re.findall(r'href="([^"]*forecast/\?[^"]*product=[^"]*)"', source)
    assert len(links) == 3
    assert page.get(links[0].replace("&amp;", "&")).status_code == 200


def test_an_htmx_request_gets_the_rows_only(page, state):
    response = page.get("/products/?q=P001", headers={"HX-Request": "true", "HX-Target": "items"})
    source = response.content.decode()
    assert "<html" not in source and "P001" in source and "P002" not in source


def test_no_match_says_so(page, state, read):
    assert "Nothing matches these filters." in read(page.get("/products/?q=zzz"))


@pytest.mark.parametrize("side", ["products", "stores"])
def test_csv_and_excel_hold_what_the_filters_found(page, state, side):
    address = f"/products/?show={side}&sort=item&export="
    rows = list(csv.DictReader(io.StringIO(page.get(f"{address}csv").content.decode("utf-8-sig"))))
    units = [item.expected for item in sort_items(state.items[side], "item")]
    assert [float(row["Units expected"]) for row in rows] == units
    sheet = load_workbook(io.BytesIO(page.get(f"{address}xlsx").content)).active
    cells = list(sheet.iter_rows(values_only=True))
    assert len(cells) == len(rows) + 2 and cells[-1][0] == "Total"
    assert cells[-1][3] == pytest.approx(state.forecast.total, abs=0.01)


def test_several_are_compared_and_one_is_opened(page, state, read):
    text = read(page.get("/products/compare/?code=P001&code=P003"))
    assert "P001" in text and "P003" in text and "P002" not in text
    response = page.get("/products/compare/?code=P001")
    assert response.status_code == 302 and "product=P001" in response["Location"]
    assert "Select 1 to 6" in read(page.get("/products/compare/"))


def test_a_viewer_sees_the_list_without_links_that_would_be_refused(browse, person, state):
    viewer = browse(person("vic"))
    source = viewer.get("/products/").content.decode()
    assert "P001" in source and "product=P001" not in source
    assert viewer.get("/products/compare/?code=P001").status_code == 200


def test_without_a_model_the_list_says_what_is_missing(page, sales, read):
    assert "No model covers all products and stores yet" in read(page.get("/products/"))
    assert b'href="/train/">Train a model' in page.get("/products/").content


def test_while_the_first_model_learns_the_list_leads_to_it(page, sales):
    run = TrainingRun.objects.create(dataset_version=sales, algorithm="kan")
    for address in ("/products/", "/forecast/"):
        content = page.get(address, follow=True).content.decode()
        assert f"/runs/{run.pk}/" in content and 'primary" href' not in content


def test_without_sales_the_list_says_what_to_do(page, read):
    assert "No sales yet" in read(page.get("/products/"))


def test_the_list_says_that_its_forecast_is_being_made(page, version, read):
    response = page.get("/products/")
    assert "is being made" in read(response) and b"every 5s" in response.content
