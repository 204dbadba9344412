"""Lines of orders: worked out by hand, and every assumption said."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from prediction.order_runs import lines as module
from prediction.order_runs.lines import build_lines
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


@pytest.fixture
def run(sales, monkeypatch) -> ForecastRun:
    monkeypatch.setattr(importer.launcher, "run_in_sandbox", run_import)
    monkeypatch.setattr(module, "load_prediction", lambda run: Frozen())
    monkeypatch.setattr(module, "PATHS", 9)
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
    found = build_lines(run, count("S1,P1,12,10,2026-11-25,\nS1,P2,99,,,\n"), Policy())
    line, other = list(found.iterate())
    assert (line["needed"], line["quantity"], line["rounding"]) == (23, 18, -5)
    assert (line["on_hand"], line["on_order"], line["expected"], line["safety"]) == (12, 10, 25, 15)
    assert line["verdict"] == "order" and line["notes"] == ""
    assert (other["quantity"], other["verdict"]) == (0, "none")


def test_a_later_count_uses_later_days_of_the_forecast(run, count):
    Terms.objects.create(dataset=run.dataset_version.dataset, level="all", lead_days=3, review_days=26)
    found = build_lines(run, count("S1,P1,12,,,\nS1,P2,0,,,\n", ORIGIN + timedelta(days=1)), Policy())
    assert found.notes[0] == ["too-far"] and found.figures.quantity.tolist() == [0, 0]


def test_whatever_is_assumed_or_not_ordered_is_said(run, count):
    found = build_lines(run, count("S1,P1,-4,,,\n"), Policy())
    assert found.notes == [["below-zero", "no-terms"], ["no-stock", "no-terms"]]
    assert found.figures.on_hand[0] == 0 and found.figures.quantity[0] > 0 == found.figures.quantity[1]


def test_stock_that_expires_is_not_counted_on(run, count):
    Terms.objects.create(dataset=run.dataset_version.dataset, level="all", lead_days=3, review_days=3)
    rows = "S1,P1,40,,,2026-11-24\nS1,P2,40,,,\n"  # the first can be sold on one day only
    line, other = build_lines(run, count(rows), Policy()).iterate()
    assert line["expiring"] == 35 and line["quantity"] > other["quantity"]


def test_stock_that_is_too_old_is_refused_unless_its_age_is_allowed(run, count):
    stock = count("S1,P1,4,,,\n", ORIGIN - timedelta(days=5))
    with pytest.raises(ValueError, match="5 days before the last sales"):
        build_lines(run, stock, Policy())
    assert build_lines(run, stock, Policy(), max_age=5).figures.quantity[0] > 0


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


def test_the_command_writes_every_line(version, make_run, sales, tmp_path, capsys):
    out = tmp_path / "orders.csv"
    with pytest.raises(CommandError, match="no forecast of everything"):
        call_command("order_run", "--output", str(out))
    run = make_run(version)
    with pytest.raises(CommandError, match="has no stock"):
        call_command("order_run", "--output", str(out))
    Terms.objects.create(dataset=sales.dataset, level="all", lead_days=2, supplier="Alfa")
    path = tmp_path / "stock.csv"
    path.write_text(
        "store,product,on hand\n" + "".join(f"{s},{p},1\n" for s in sales.stores for p in sales.products)
    )
    importer.import_stock(path, sales.dataset, as_of=sales.last)
    call_command("order_run", "--output", str(out), "--json")
    report = json.loads(capsys.readouterr().out)
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert len(rows) == report["lines"] == run.series and report["notes"] == {}
    assert sum(float(row["quantity"]) for row in rows) == pytest.approx(report["units"])
    assert {row["supplier"] for row in rows} == {"Alfa"} and report["ordered"] > 0
