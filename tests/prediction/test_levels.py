"""Forecasts of categories, brands and regions: chosen, broken down, saved, exported; and odd levels."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import openpyxl
import pandas as pd
import pytest
from django.core.management import call_command

from prediction.current_forecast import load_current
from prediction.models import Forecast
from prediction.tasks import make_current_forecast
from registry.datasets.importer import import_file
from registry.datasets.importing.options import ImportOptions
from registry.datasets.levels import read_levels
from registry.model_versions.models import ModelVersion
from registry.series.levels import LevelValue, Selection
from registry.templatetags.pages import part_url

ODD = "Tea & “Co”: 5% / #1"  # what an address, a file name or a formula could trip over
BRANDS = {"A": "Bayer", "B": "Bayer", "C": "", "D": ODD, "E": ODD}
REGIONS = {"S1": "North", "S2": "North", "S3": "South"}


def build_sales(days: int = 160, brands: dict[str, str] = BRANDS, **columns: str) -> pd.DataFrame:
    """Three stores in two regions, five products of two brands and one without."""
    dates = pd.date_range("2026-01-01", periods=days)
    names = ["date", "store_id", "product_id"]
    frame = pd.MultiIndex.from_product([dates, REGIONS, BRANDS], names=names).to_frame(index=False)
    frame["sales"] = np.arange(len(frame)) % 11 + frame["date"].dt.day_of_week
    frame["brand"] = frame["product_id"].map(brands)
    frame["region"] = frame["store_id"].map(REGIONS)
    frame["maker"] = "maker of " + frame["product_id"]  # as many as products
    frame["chain"] = "one"  # the same everywhere
    return frame.assign(**columns)


@pytest.fixture(scope="module")
def chain_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("levels") / "chain.csv"
    build_sales().to_csv(path, index=False)
    return path


@pytest.fixture
def bring(tmp_path: Path) -> Callable[..., None]:
    """Imports newer sales in place of the old ones."""

    def bringer(frame: pd.DataFrame) -> None:
        frame.to_csv(tmp_path / "newer.csv", index=False)
        import_file(tmp_path / "newer.csv", "chain", options=ImportOptions(replace=True))

    return bringer


@pytest.fixture
def save(version, user) -> Callable[..., Forecast]:
    """Makes and saves a forecast of groups."""

    def saver(*groups: tuple[str, str], **codes: str) -> Forecast:
        asked = Selection(levels=tuple(LevelValue(*group) for group in groups), **codes)
        fresh = ModelVersion.objects.get(pk=version.pk)  # whose dataset has not been asked for its sales
        row, content = Forecast.objects.compute_forecast(fresh, asked, 28)
        row.created_by = user
        return Forecast.objects.create_pending(row).save_content(content)

    return saver


def answer(page, **question: object):
    return page.get(f"/forecast/?{urlencode({'horizon': 28, **question}, doseq=True)}")


def test_only_columns_that_group_are_levels(sales):
    levels = {level.column: (level.side, level.counts) for level in read_levels(sales)}
    assert levels == {
        "brand": ("products", {"Bayer": 2, ODD: 2, "": 1}),
        "region": ("stores", {"North": 2, "South": 1}),
    }


def test_groups_add_up_to_the_total_and_their_products_to_them(save):
    whole = save().load_content()
    assert [level.column for level in whole.levels] == ["brand", "region"]
    for level in whole.levels:
        assert round(sum(part.total for part in level.parts), 3) == whole.analysis.total
    for part in whole.levels[0].parts:
        own = save(("brand", part.code))
        assert own.total == pytest.approx(part.total, abs=0.01)
        assert (own.low, own.high) == pytest.approx((part.low, part.high), abs=0.01)
    brand = save(("brand", "Bayer")).load_content()
    assert {part.code for part in brand.breakdown["products"]} == {"A", "B"}
    assert [level.column for level in brand.levels] == ["region"]


def test_a_brand_in_a_region_is_what_its_products_in_its_stores_are(save):
    both = save(("brand", "Bayer"), ("region", "North"))
    parts = [save(store=store, product=product) for store in ("S1", "S2") for product in "AB"]
    assert both.total == pytest.approx(sum(part.total for part in parts), abs=0.05)


@pytest.mark.parametrize("value", ["Bayer", ODD, ""])
def test_an_address_names_a_group_whatever_its_letters(page, version, read, value):
    response = answer(page, level=f"brand:{value}")
    text = f"Brand: {value or 'not given'}"
    assert response.status_code == 200 and response.context["title"] == text
    assert text in read(response)
    form = response.context["form"]
    assert form["product"].value() == text
    again = page.post("/forecast/", {"product": text, "store": "", "horizon": 28}, follow=True)
    assert again.context["title"] == text and Forecast.objects.get().selection.levels == (
        LevelValue("brand", value),
    )


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ({"product": "bayer"}, "Brand: Bayer"),
        ({"product": "brand:Bayer"}, "Brand: Bayer"),
        ({"store": "Region: North"}, "Region: North"),
        ({"product": "Brand: Bayer", "store": "south"}, "Brand: Bayer · Region: South"),
        ({"product": "Brand: Bayer", "store": "S1"}, "Brand: Bayer · S1"),
        ({"product": "A", "store": "north"}, "A · Region: North"),
    ],
)
def test_a_group_can_be_typed_where_a_code_can(page, version, typed, title):
    assert answer(page, **typed).context["title"] == title


def test_a_group_that_is_not_there_gets_a_way_on(page, version, read):
    assert "“brand:Nobody” is not in chain." in read(answer(page, level="brand:Nobody"))
    assert "is not in chain" in read(answer(page, level="nonsense"))


def test_groups_are_suggested_with_their_size(page, version, read):
    ask = {"dataset": version.model.dataset_id, "groups": 1}
    found = read(page.get("/data/suggest/product/", {**ask, "product": "bay"}))
    assert "Brand: Bayer 2 products" in found
    assert "Region: North 2 stores" in read(page.get("/data/suggest/store/", {**ask, "store": ""}))
    plain = page.get("/data/suggest/product/", {"dataset": ask["dataset"], "product": "bay"})
    assert "Brand" not in read(plain)  # a training learns codes


def test_a_saved_forecast_remembers_its_level(page, save, read):
    made = save(("brand", ODD), ("region", "North"))
    title = f"Brand: {ODD} · Region: North"
    assert title in read(page.get("/forecasts/")) and title in read(page.get(f"/forecasts/{made.pk}/"))
    assert len(page.get("/forecasts/?q=tea").context["rows"]) == 1
    assert made.label == f"brand:{ODD} · region:North"
    page.cookies["django_language"] = "zh-hans"
    assert f"品牌：{ODD}" in read(page.get("/forecasts/"))


def test_a_saved_forecast_opens_after_its_level_is_gone(page, save, bring, read):
    made = save(("brand", "Bayer"))
    bring(build_sales(170).drop(columns=["brand", "region"]))
    shown = page.get(f"/forecasts/{made.pk}/")
    assert shown.status_code == 200 and "Brand: Bayer" in read(shown)
    newer = build_sales(170).query("date > '2026-06-09' and product_id in ('A', 'B')")
    assert shown.context["since"].units == newer["sales"].sum()  # by the products that it was made of
    assert page.get("/forecasts/").status_code == 200
    assert "is not in chain" in read(answer(page, level="brand:Bayer"))


def test_a_catalogue_that_changed_after_training_is_the_one_that_counts(save, bring):
    before = save(("brand", "Bayer"))
    bring(build_sales(brands={**BRANDS, "C": "Bayer"}))
    after = save(("brand", "Bayer"))
    assert after.total > before.total
    assert {part.code for part in after.load_content().breakdown["products"]} == {"A", "B", "C"}


def test_a_file_of_an_earlier_release_has_no_levels(save):
    from prediction.content import ForecastContent

    saved = json.loads(save().read())
    del saved["levels"]
    assert ForecastContent.from_json(saved).levels == []


def test_the_page_leads_from_the_whole_to_a_group_and_on(page, save, read):
    made = save()
    tables = page.get(f"/forecasts/{made.pk}/").context["parts"]
    assert [table.get("column") for table in tables] == [None, None, "brand", "region"]
    group = page.get(part_url(made, "products", ODD, "brand"))
    assert group.context["title"] == f"Brand: {ODD}"
    inner = page.get(part_url(group.context["forecast"], "stores", "North", "region"))
    assert inner.context["title"] == f"Brand: {ODD} · Region: North"
    assert page.get(part_url(group.context["forecast"], "products", "D")).context["title"] == "D · all stores"


def test_exports_name_the_group(page, save):
    whole, group = save(), save(("brand", ODD))
    rows = list(csv.DictReader(io.StringIO(page.get(f"/forecasts/{group.pk}/csv/").content.decode())))
    assert {row["level"] for row in rows} == {f"brand:{ODD}"}
    plain = page.get(f"/forecasts/{whole.pk}/csv/").content.decode()
    assert plain.startswith("store_id,product_id,date,mean")
    book = openpyxl.load_workbook(io.BytesIO(page.get(f"/forecasts/{whole.pk}/excel/").content))
    cells = list(book["Brand"].iter_rows(values_only=True))
    assert {row[0] for row in cells[1:]} == {"Bayer", ODD, "not given", "Total"}
    listed = page.get("/forecasts/?export=csv").content.decode("utf-8-sig")
    assert {row["Group"] for row in csv.DictReader(io.StringIO(listed))} == {"", f"Brand: {ODD}"}


@pytest.fixture
def state(version, sales):
    make_current_forecast(sales.dataset_id)
    return load_current(sales.dataset)


def test_the_product_list_is_filtered_and_grouped_by_level(page, state, read):
    listed = page.get(f"/products/?{urlencode({'level': f'brand:{ODD}'})}")
    assert [row["item"].code for row in listed.context["rows"]] in (["D", "E"], ["E", "D"])
    assert [(one.column, one.choices[0][1]) for one in listed.context["filters"]] == [("brand", "")]
    groups = page.get("/products/?show=level:brand")
    rows = {row["item"].code: row for row in groups.context["rows"]}
    assert rows.keys() == {"Bayer", ODD, ""} and "not given" in read(groups)
    assert sum(row["item"].expected for row in rows.values()) == pytest.approx(state.forecast.total, abs=0.01)
    members = page.get(rows[ODD]["members"]["address"])
    assert {row["item"].code for row in members.context["rows"]} == {"D", "E"}
    assert page.get(rows[ODD]["address"]).context["title"] == f"Brand: {ODD}"
    exported = page.get("/products/?show=stores&export=csv").content.decode("utf-8-sig")
    assert {row["Region"] for row in csv.DictReader(io.StringIO(exported))} == {"North", "South"}
    assert page.get("/products/?show=level:nonsense").status_code == 200
    assert page.get("/products/?show=level:brand&export=xlsx").status_code == 200


def called(*arguments: str) -> dict[str, object]:
    out = StringIO()
    call_command("forecast", "--model", "best", *arguments, "--json", stdout=out)
    result: dict[str, object] = json.loads(out.getvalue())
    return result


def test_the_command_forecasts_a_group_and_breaks_down_by_level(version, tmp_path):
    path = tmp_path / "group.csv"
    found = called("--scope", f"brand:{ODD}", "--output", str(path), "--by", "region")
    assert (found["scope"], found["series"], found["by"]) == (f"brand:{ODD}", 6, "region")
    assert set(pd.read_csv(path)["product_id"]) == {"D", "E"}
    assert [part["value"] for part in found["parts"]] == ["North", "South"]
    assert sum(part["total"] for part in found["parts"]) == pytest.approx(found["total"], abs=0.01)


def test_the_command_names_what_it_knows(version):
    with pytest.raises(Exception, match="no level 'shelf': it has brand, region"):
        called("--scope", "shelf:3")
    with pytest.raises(Exception, match="no brand 'Nobody': it has"):
        called("--scope", "brand:Nobody")
    with pytest.raises(Exception, match="no level 'shelf': use store, product, brand, region"):
        called("--by", "shelf")
