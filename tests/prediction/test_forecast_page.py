"""What the page of a forecast says: parts that add up, other versions, names, words; and that files agree."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import openpyxl
import pytest

from prediction.models import Forecast
from prediction.narrative import build_sentences
from registry.datasets.models import Dataset
from registry.datasets.names import load_names
from registry.datasets.scope import Scope
from registry.storage.artifacts import get_artifact_store


@pytest.fixture
def total(version, user) -> Forecast:
    return Forecast.objects.make_forecast(version, horizon=28, created_by=user)


def book(page, forecast) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(page.get(f"/forecasts/{forecast.pk}/excel/").content))


def column(sheet, number: int) -> list:
    return [row[number - 1].value for row in sheet.iter_rows(min_row=2)]


def test_page_json_csv_excel_and_database_say_the_same(page, total):
    saved = json.loads(get_artifact_store().open(total.path).read())
    source = page.get(f"/forecasts/{total.pk}/csv/").content.decode()
    rows = list(csv.DictReader(io.StringIO(source)))
    sheets = book(page, total)
    *units, whole = column(sheets["Day by day"], 3)
    shown = page.get(f"/forecasts/{total.pk}/").context
    expected = [day["mean"] for day in saved["forecast"]]
    assert [float(row["mean"]) for row in rows] == column(sheets["Raw"], 4) == expected
    assert [day["mean"] for day in shown["days"]] == expected
    sums = {
        round(sum(expected), 3),
        saved["analysis"]["total"],
        total.total,
        shown["content"].analysis.total,
    }
    assert len(sums) == 1
    assert units == [day["shown"] for day in shown["days"]] and sum(units) == whole == round(total.total)


@pytest.mark.parametrize(("side", "sheet", "count"), [("stores", "Stores", 2), ("products", "Products", 3)])
def test_the_parts_add_up_to_the_total_in_file_page_and_excel(page, total, side, sheet, count):
    parts = total.load_content().breakdown[side]
    assert len(parts) == count and round(sum(part.total for part in parts), 3) == total.total
    table = next(p for p in page.get(f"/forecasts/{total.pk}/").context["parts"] if p["side"] == side)
    assert round(sum(row["shown"] for row in table["rows"]), 1) == table["total"]
    table = book(page, total)[sheet]
    heads = next(table.iter_rows(values_only=True))
    *units, last = column(table, 1 + heads.index("Units expected"))
    assert round(sum(units), 3) == last == total.total


def test_a_part_has_the_range_of_its_own_total(page, total, version):
    first = total.load_content().breakdown["stores"][0]
    alone = Forecast.objects.make_forecast(version, store=first.code, horizon=28)
    assert (first.low, first.high) == pytest.approx((alone.low, alone.high), abs=0.01)
    assert first.total == pytest.approx(alone.total, abs=0.01)


def test_excel_has_typed_cells_a_frozen_header_and_no_formula(page, total):
    sheets = book(page, total)
    days = sheets["Day by day"]
    assert days.freeze_panes == "A2" and days.auto_filter.ref == "A1:F29"
    raw = sheets["Raw"]
    assert raw["C2"].is_date and raw["C2"].number_format == "yyyy-mm-dd" and raw["A1"].value == "store_id"
    assert days["C2"].data_type == "n" and days["A1"].font.bold
    assert not [c for sheet in sheets for row in sheet.iter_rows() for c in row if c.data_type == "f"]


def test_every_date_of_a_workbook_is_shown_as_a_date(page, total):
    sheets = book(page, total)
    dates = [cell for sheet in sheets for row in sheet.iter_rows() for cell in row if cell.is_date]
    assert len(dates) == 2 * 28 + 4  # days, raw data, and four of the summary
    assert {cell.number_format for cell in dates} == {"yyyy-mm-dd", "yyyy-mm-dd hh:mm"}
    summary = dict(row[:2] for row in sheets["Summary"].iter_rows(values_only=True))
    assert summary["What"] == "All products, all stores" and summary["From"].date() < summary["To"].date()


def test_a_person_reads_weekdays_ranges_and_totals_in_the_language_of_the_page(page, total):
    days = book(page, total).worksheets[0]
    heads, first, *_rest, last = days.iter_rows(values_only=True)
    assert heads == ("Day", "Weekday", "Expected", "Low (8 in 10)", "High (8 in 10)", "Note")
    assert first[1] == f"{first[0]:%A}" and first[3] <= first[2] <= first[4]
    assert last[0] == "Total" and last[2:5] == tuple(map(round, (total.total, total.low, total.high)))
    assert days.cell(days.max_row, 1).font.bold
    for sheet in ("Stores", "Products"):
        *_rows, last = book(page, total)[sheet].iter_rows(values_only=True)
        assert last[0] == "Total" and total.low in last and total.high in last
    page.cookies["django_language"] = "zh-hans"
    chinese = book(page, total)
    assert chinese.sheetnames[0] == "逐日数据"
    assert not [name for name in chinese.sheetnames[:-1] if name.isascii()]


def test_names_stand_beside_codes_and_can_be_typed(page, version, read):
    name = load_names(version.dataset_version).products["P001"]
    page.post("/forecast/", {"version": version.pk, "product": name.upper(), "store": "", "horizon": 28})
    made = Forecast.objects.get()
    assert made.product == "P001"
    assert f"P001 {name}" in read(page.get(f"/forecasts/{made.pk}/"))
    assert f"P001 {name}" in read(page.get("/forecasts/"))
    assert (
        f'data-value="P001 {name}"'
        in page.get("/data/suggest/product/", {"product": name, "version": version.pk}).content.decode()
    )


def test_other_versions_are_compared_and_only_their_window_is_sent(page, publish, total, read):
    others = [publish(wape=0.35), publish(wape=0.4), publish(wape=0.45)]
    address = f"/forecasts/{total.pk}/?" + "&".join(f"with={other.pk}" for other in others)
    response = page.get(address)
    text, chart = read(response), response.context["chart"]
    assert [one["name"] for one in chart["compare"]] == [other.title for other in others[:2]]
    assert [set(day) for day in chart["compare"][0]["days"]] == [{"date", "mean"}] * 28
    assert [day["date"] for day in chart["compare"][0]["days"]] == [day["date"] for day in chart["forecast"]]
    assert "about the same" in text and others[0].title in text


def test_only_versions_that_know_the_same_sales_can_be_compared(page, publish, forecast):
    fits, other = publish(Scope("product", "P001")), publish(Scope("product", "P002"))
    rivals = page.get(f"/forecasts/{forecast.pk}/").context["rivals"]
    assert fits in rivals and other not in rivals and forecast.version not in rivals


def test_nonsense_in_the_address_of_a_comparison_is_ignored(page, total):
    assert page.get(f"/forecasts/{total.pk}/?with=nonsense&with=").status_code == 200


def test_the_analysis_is_told_in_words(page, total, read):
    text = read(page.get(f"/forecasts/{total.pk}/"))
    assert all(sentence in text for sentence in build_sentences(total.load_content()))


def test_the_history_comes_as_csv_and_excel(page, total, forecast):
    content = page.get("/forecasts/?q=p001&export=csv").content
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert len(rows) == 1 and float(rows[0]["Units expected"]) == forecast.total
    sheet = openpyxl.load_workbook(io.BytesIO(page.get("/forecasts/?export=xlsx").content)).active
    assert sheet.max_row == 3 and sheet.freeze_panes == "A2"


def test_the_days_shown_add_up_to_the_total_shown(page, total, forecast):
    for one in (total, forecast):
        shown = page.get(f"/forecasts/{one.pk}/").context
        days = round(sum(day["shown"] for day in shown["days"]), 1)
        assert days == round(one.total, shown["digits"] or None)


def test_the_total_is_the_same_in_answer_history_overview_and_export(page, total, read):
    from registry.lib.formatting import format_units

    text = format_units(total.total)
    shown = read(page.get(f"/forecasts/{total.pk}/"))
    assert f"expect about {text} units" in shown and f"{text} units Likely range (80%)" in shown
    assert text in read(page.get("/forecasts/"))
    rows = csv.DictReader(io.StringIO(page.get("/forecasts/?export=csv").content.decode("utf-8-sig")))
    assert [float(row["Units expected"]) for row in rows] == [total.total]
    assert book(page, total)["Summary"]["B5"].value == total.total


def test_the_history_is_filtered_by_dataset_and_by_person(page, total, admin):
    other = Dataset.objects.create(name="another")
    prefix = f"/d/{total.version.model.dataset_id}"
    addresses = (f"{prefix}/forecasts/?who=me", f"{prefix}/forecasts/?q=P009", f"/d/{other.pk}/forecasts/")
    assert [len(page.get(address).context["rows"]) for address in addresses] == [1, 0, 0]
    total.created_by = admin
    total.save()
    assert not page.get("/forecasts/?who=me").context["rows"]


def test_a_slow_mover_is_told_as_one(page, total, read):
    content = total.load_content()
    analysis = replace(content.analysis, total=7.0, low=0.0, high=12.0)
    silent = [replace(day, sales=0.0) for day in content.history[-40:]]
    total.save_content(replace(content, analysis=analysis, history=[*content.history[:-40], *silent]))
    text = read(page.get(f"/forecasts/{total.pk}/"))
    assert "Slow mover: about one unit in 4 days." in text and "No sales since" in text
    assert "Best day" not in text and "Trend:" not in text


def test_the_title_names_product_and_store(page, version, read):
    name = load_names(version.dataset_version).products["P001"]
    titles = {
        "": "All products, all stores",
        "product=P001": f"P001 {name} · all stores",
        "product=P001&store=S01": f"P001 {name} · S01",
        "store=S01": "All products · S01",
    }
    for query, title in titles.items():
        source = page.get(f"/forecast/?horizon=28&{query}").content.decode()
        assert re.search(r"<h1>\s*(.*?)\s*<", source)[1] == title, query


def test_long_tables_of_parts_show_the_largest_and_the_rest_in_one_row(page, total):
    content = total.load_content()
    products = [replace(content.breakdown["products"][0], code=f"Q{at}", total=1.0) for at in range(40)]
    analysis = replace(content.analysis, total=40.0)
    total.save_content(replace(content, analysis=analysis, breakdown={"products": products}))
    source = page.get(f"/forecasts/{total.pk}/")
    (part,) = source.context["parts"]
    assert len(part["shown"]) == 15 and part["others"] == {
        "count": 25,
        "units": 25.0,
        "share": pytest.approx(0.625),
    }
    assert b"Show all 40" in source.content and b">Q39<" not in source.content
    whole = page.get(f"/forecasts/{total.pk}/?all=products")
    assert whole.content.count(b'<th scope="row">') > 40 and b"Show all" not in whole.content
