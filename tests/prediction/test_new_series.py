"""New products and stores: what only a plan or a catalogue names is forecast when somebody asks for it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command

from prediction.current_forecast import load_current
from prediction.engine import ForecastError, run_forecast
from prediction.models import Forecast
from prediction.tasks import make_current_forecast
from registry.datasets.reader import read_panel
from registry.series.levels import Selection

pytestmark = pytest.mark.slow

AHEAD = 35


def future_rows(
    last: pd.Timestamp, store: str, product: str, first_day: int = 1, **more: object
) -> pd.DataFrame:
    """A plan of AHEAD days, from the `first_day` after the last one on."""
    days = pd.date_range(last + pd.Timedelta(days=first_day), last + pd.Timedelta(days=AHEAD))
    return pd.DataFrame({"date": days, "store_id": store, "product_id": product, **more})


@pytest.fixture(scope="session")
def chain_file(sample_file, tmp_path_factory):
    """Three stores, four products, 300 days; and products and stores without any sales."""
    frame = pd.read_parquet(sample_file(3, 4, 300))
    last = frame["date"].max()
    one = frame[frame["product_id"] == "P001"].iloc[0]
    like = {"category": one["category"], "price": 2.5, "promo": 0.0}
    catalogue = [("S01", f"C{number:04}") for number in range(300)] + [("S01", "BARE")]
    days = pd.Timestamp(frame["date"].min())
    parts = [
        frame[~((frame["product_id"] == "P004") & (frame["date"] <= last - pd.Timedelta(days=3)))],
        *(future_rows(last, store, "NEW", **like) for store in ("S01", "S02")),
        future_rows(last, "S02", "LATE", first_day=11, **like),
        *(future_rows(last, "S99", product) for product in ("P001", "P002", "NEW")),
        pd.DataFrame({"date": days, "store_id": store, "product_id": code} for store, code in catalogue),
    ]
    path = tmp_path_factory.mktemp("new") / "chain.parquet"
    pd.concat(parts, ignore_index=True).to_parquet(path)
    return path


def ask(version, store="", product="", days=28):
    return run_forecast(version, Selection(store, product), days)


def test_series_without_sales_are_not_learned(sales):
    panel = read_panel(sales)
    codes = {product for _store, product in panel.keys}
    assert codes == {"P001", "P002", "P003", "P004"} and len(panel.keys) == 12


def test_a_planned_product_sells_about_as_much_as_its_category(version):
    found = ask(version, product="NEW")
    assert sorted(found.panel.keys) == [("S01", "NEW"), ("S02", "NEW"), ("S99", "NEW")]
    known = ask(version, product="P001").prediction.mean.sum() / 3
    assert 0.2 < ask(version, "S01", "NEW").prediction.mean.sum() / known < 5


def test_its_range_is_wider_than_that_of_products_that_sell(version):
    new, old = (ask(version, "S01", product).prediction for product in ("NEW", "P001"))
    widths = [
        (made.quantiles[0, :, 5] - made.quantiles[0, :, 1]).sum() / made.mean.sum() for made in (new, old)
    ]
    assert widths[0] > 1.4 * widths[1]


@pytest.mark.parametrize(
    ("store", "product"),
    [
        ("S99", ""),
        ("S99", "P001"),
        ("S99", "P003"),
        ("S03", "NEW"),
        ("S99", "NEW"),
        ("S01", "BARE"),
        ("", "BARE"),
    ],
)
def test_every_kind_of_novelty_gets_a_finite_forecast(version, store, product):
    made = ask(version, store, product).prediction
    assert np.isfinite(made.mean).all() and made.mean.sum() > 0 and np.isfinite(made.quantiles).all()
    assert (np.diff(made.quantiles, axis=2) >= 0).all()


def test_nothing_is_expected_before_a_product_starts(version):
    made = ask(version, product="LATE").prediction
    assert (made.mean[0, :10] == 0).all() and made.closed[0, :10].all() and made.mean[0, 10:].sum() > 0


def test_totals_and_lists_count_what_has_been_sold(version, sales):
    whole = ask(version)
    assert len(whole.panel.keys) == 12
    assert len(ask(version, store="S01").rows) == 4


def test_a_product_on_sale_since_three_days_is_part_of_everything_and_marked(version, user):
    assert ("S01", "P004") in ask(version).panel.keys
    made = Forecast.objects.make_forecast(version, "S01", "P004", 28, user)
    assert made.load_content().new_days == 3


def test_a_code_that_nobody_announced_is_refused(version):
    with pytest.raises(ForecastError, match="does not know"):
        ask(version, product="NOWHERE")


def test_too_many_at_once_are_refused(version, monkeypatch):
    monkeypatch.setattr("prediction.engine.MAX_NEW_SERIES", 2)
    with pytest.raises(ForecastError, match="3 series have no sales so far"):
        ask(version, product="NEW")


def test_alone_it_is_forecast_as_among_others(version):
    together, alone = ask(version, product="NEW"), ask(version, "S02", "NEW")
    row = together.panel.keys.index(("S02", "NEW"))
    np.testing.assert_allclose(together.prediction.mean[row], alone.prediction.mean[0], rtol=1e-5)


def test_the_page_offers_and_marks_it(page, version, read):
    source = page.get(
        "/data/suggest/product/?product=NEW&dataset=" + str(version.model.dataset_id)
    ).content.decode()
    assert "NEW" in source and ">new</span>" in source
    text = read(page.get("/forecast/?product=NEW&horizon=28"))
    assert "New, without sales so far" in text


def test_it_is_forecast_by_a_version_that_learned_before_it_was_announced(version, page, read, monkeypatch):
    learned = "prediction.forecast_page.version_choice.known_codes"
    monkeypatch.setattr(learned, lambda _version, kind: ["P001"] if kind == "product" else ["S01"])
    assert "New, without sales so far" in read(page.get("/forecast/?product=NEW&horizon=28"))


def test_the_command_forecasts_it_too(version, tmp_path, capsys):
    output = tmp_path / "new.csv"
    words = ["--model", "best", "--scope", "product:NEW", "--output", str(output), "--json"]
    call_command("forecast", *words)
    facts = json.loads(capsys.readouterr().out)
    assert facts["new"] == facts["series"] == 3 and facts["total"] > 0
    assert set(pd.read_csv(output)["product_id"]) == {"NEW"}


def test_the_product_list_offers_what_never_sold_beside_the_list(page, version, sales, read):
    make_current_forecast(sales.dataset_id)
    source = page.get("/products/").content.decode()
    text = read(page.get("/products/"))
    assert "4 found" in text and "New, without sales so far" in text and "291 more" in text
    assert "product=BARE" in source and "product=NEW" not in source  # the first twelve codes
    found = page.get("/products/?q=new").content.decode()
    assert "product=NEW" in found and "product=BARE" not in found
    assert "product=NEW" in page.get("/products/?q=new&category=").content.decode()
    assert "S99" in read(page.get("/products/?show=stores"))


def test_a_product_on_sale_since_three_days_is_flagged_as_new(page, version, sales, read):
    make_current_forecast(sales.dataset_id)
    codes = {item.code: item.flags for item in load_current(sales.dataset).items["products"]}
    assert codes["P004"] == {"new": 3.0} and "new" not in codes["P001"]
    assert "1 found" in read(page.get("/products/?flag=new"))
