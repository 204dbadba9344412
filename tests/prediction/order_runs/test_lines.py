"""Lines of orders: worked out by hand, and every assumption said."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from prediction.order_runs import history
from prediction.order_runs import lines as module
from prediction.order_runs.lines import OrderInputs, build_lines
from prediction.orders.classes import ClassPolicies, classify_weeks
from prediction.orders.terms import Policy
from prediction.runs.models import ForecastRun
from registry.datasets.importing.sandbox.pipeline import run_import
from registry.datasets.stock import importer
from registry.datasets.stock.models import StockSnapshot, Terms
from registry.datasets.stock.resolving import resolve_terms

ORIGIN = date(2026, 11, 23)


class Frozen:
    """Nine paths of two series that sell 1 to 9 a day."""

    keys = (("S1", "P1"), ("S1", "P2"))
    dates = np.arange(28)

    def draw_paths(self, rows):
        daily = np.arange(1, 10, dtype=np.float32)
        return np.broadcast_to(daily[:, None, None], (9, len(rows), 28))


def sell_evenly(data, keys, until) -> history.History:
    """The first series sells eight times as much as each other one, every week."""
    weeks = np.ones((len(keys), history.WEEKS), np.float32)
    weeks[0] = 8
    return history.History(weeks, np.ones(len(keys), bool), np.zeros(len(keys), np.int64))


@pytest.fixture
def run(sales, monkeypatch) -> ForecastRun:
    monkeypatch.setattr(importer.launcher, "run_in_sandbox", run_import)
    monkeypatch.setattr(module, "load_prediction", lambda run: Frozen())
    monkeypatch.setattr(module, "PATHS", 9)
    monkeypatch.setattr(module, "read_history", sell_evenly)
    return ForecastRun(dataset_version=sales, origin=ORIGIN, stage="done")


@pytest.fixture
def count(sales, tmp_path):
    def counter(rows: str, day: date = ORIGIN) -> StockSnapshot:
        path = tmp_path / "stock.csv"
        path.write_text("store,product,on hand,on order,due,expiry\n" + rows)
        return importer.import_stock(path, sales.dataset, as_of=day)

    return counter


def test_a_line_is_as_worked_out_by_hand(run, count):
    """The line of tests/prediction/orders: 12 on hand, 10 come two days after the count, an order of today is
    sold from the third day on, the next one three days later; packs of 6 and 90% give 18."""
    Terms.objects.create(dataset=run.dataset_version.dataset, level="all", lead_days=3, review_days=3)
    Terms.objects.create(
        dataset=run.dataset_version.dataset, level="product", key="P1", pack=6, service_level=0.9
    )
    found = build_lines(run, OrderInputs(count("S1,P1,12,10,2026-11-25,\nS1,P2,99,,,\n")))
    line, other = list(found.iterate())
    assert (line["needed"], line["quantity"], line["rounding"]) == (23, 18, -5)
    assert (line["on_hand"], line["on_order"], line["expected"], line["safety"]) == (12, 10, 25, 15)
    assert line["verdict"] == "order" and line["notes"] == "" and line["class"] == "AX"
    assert (other["quantity"], other["verdict"]) == (0, "none")


def test_a_later_count_uses_later_days_of_the_forecast(run, count):
    Terms.objects.create(dataset=run.dataset_version.dataset, level="all", lead_days=3, review_days=26)
    found = build_lines(run, OrderInputs(count("S1,P1,12,,,\nS1,P2,0,,,\n", ORIGIN + timedelta(days=1))))
    assert found.notes[0] == ["too-far"] and found.figures.quantity.tolist() == [0, 0]


def test_whatever_is_assumed_or_not_ordered_is_said(run, count):
    found = build_lines(run, OrderInputs(count("S1,P1,-4,,,\n")))
    assert found.notes == [["below-zero", "no-terms"], ["no-stock", "no-terms"]]
    assert found.figures.on_hand[0] == 0 and found.figures.quantity[0] > 0 == found.figures.quantity[1]


def test_stock_that_expires_is_not_counted_on(run, count):
    Terms.objects.create(dataset=run.dataset_version.dataset, level="all", lead_days=3, review_days=3)
    rows = "S1,P1,40,,,2026-11-24\nS1,P2,40,,,\n"  # the first can be sold on one day only
    line, other = build_lines(run, OrderInputs(count(rows))).iterate()
    assert line["expiring"] == 35 and line["quantity"] > other["quantity"]


def test_stock_that_is_too_old_is_refused_unless_its_age_is_allowed(run, count):
    stock = count("S1,P1,4,,,\n", ORIGIN - timedelta(days=5))
    with pytest.raises(ValueError, match="5 days before the last sales"):
        build_lines(run, OrderInputs(stock))
    assert build_lines(run, OrderInputs(stock, max_age=5)).figures.quantity[0] > 0


def test_the_closest_terms_count_for_each_field(sales):
    rows = [
        Terms(level="all", lead_days=9, pack=2, supplier="Beta"),
        Terms(level="supplier", key="Alfa", lead_days=4, review_days=14),
        Terms(level="category", key="painkiller", supplier="Alfa", pack=6),
        Terms(level="product", key="P1", review_days=7),
    ]
    found = resolve_terms(rows, ["P1", "P2"], {"P1": ["painkiller"]})
    one, other = found["P1"], found["P2"]
    assert (one.supplier, one.lead_days, one.review_days, one.pack) == ("Alfa", 4, 7, 6)
    assert (other.supplier, other.lead_days, other.review_days, other.pack) == ("Beta", 9, None, 2)


def test_a_product_that_only_the_stock_knows_is_not_ordered_silently(run, count):
    found = build_lines(run, OrderInputs(count("S1,P1,4,,,\nS1,P2,4,,,\nS2,new,7,,,\n")))
    assert found.keys[-1] == ("S2", "new") and "no-forecast" in found.notes[-1]
    assert (found.figures.on_hand[-1], found.figures.quantity[-1]) == (7, 0)


def test_a_pack_that_changed_and_a_supplier_that_is_shut_are_said(run, count):
    shut = "2026-11-23 2026-11-24"
    Terms.objects.create(
        dataset=run.dataset_version.dataset, level="all", lead_days=3, pack=6, shut_days=shut
    )
    given = OrderInputs(count("S1,P1,4,,,\nS1,P2,4,,,\n"), earlier_packs={"P1": 12.0, "P2": 6.0})
    assert build_lines(run, given).notes == [["shut", "pack-changed"], ["shut"]]


def test_the_policy_of_a_class_counts_and_the_terms_of_a_product_before_it(run, count):
    rows = "S1,P1,0,,,\nS1,P2,0,,,\n"
    policies = ClassPolicies(Policy("cycle", 0.5), {"CX": Policy("cycle", 0.9)})
    Terms.objects.create(dataset=run.dataset_version.dataset, level="product", key="P2", service_level=0.7)
    found = build_lines(run, OrderInputs(count(rows), policies))
    assert dict(zip(found.keys, found.levels, strict=True)) == {("S1", "P1"): 0.5, ("S1", "P2"): 0.7}
    assert found.figures.quantity[0] < found.figures.quantity[1]
    policies = ClassPolicies(Policy("cycle", 0.5), {"AX": Policy("fill", 0.9)})
    assert build_lines(run, OrderInputs(count(rows), policies)).kinds == ["fill", "cycle"]


def test_history_tells_regular_from_idle_and_weighed_products(sales, monkeypatch):
    days = [sales.last - timedelta(days=back) for back in range(182)]
    table = pa.table({
        "date": days * 3,
        "store_id": ["S1"] * (3 * 182),
        "product_id": ["plain"] * 182 + ["weighed"] * 182 + ["gone"] * 182,
        "sales": [2.0] * 182 + [0.5] * 182 + [0.0] * 60 + [1.0] * 122,
    })  # fmt: skip
    monkeypatch.setattr(history, "iter_tables", lambda *given: [table])
    keys = [("S1", "gone"), ("S1", "plain"), ("S1", "weighed"), ("S9", "plain")]
    found = history.read_history(sales, keys, sales.last)
    assert found.weeks[1].tolist() == [14.0] * 26 and found.weeks[3].sum() == 0
    assert found.is_whole.tolist() == [True, True, False, True]
    assert found.idle_days.tolist() == [60, 0, 0, 182]
    assert classify_weeks(found.weeks).tolist() == ["Y", "X", "X", "Z"]
