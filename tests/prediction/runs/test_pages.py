"""Pages of forecast runs: asked for, filtered, summed, downloaded, chosen, refused."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.test import RequestFactory
from openpyxl import load_workbook

from prediction.runs.frozen import load_prediction
from prediction.runs.listing import SeriesQuery, load_table
from prediction.runs.models import ForecastRun
from prediction.tasks import make_current_forecast, make_forecast_run
from registry.series.levels import Level


@pytest.fixture
def run(version, sales) -> ForecastRun:
    make_current_forecast(sales.dataset_id)
    return ForecastRun.objects.get()


@pytest.fixture
def address(run, sales) -> str:
    return f"/d/{sales.dataset_id}/products/runs/{run.pk}/"


def ask(run, text: str):
    query = SeriesQuery.from_address(RequestFactory().get(f"/?{text}").GET, run.horizon)
    table = load_table(run)
    return query, table, table.find(query)


def content_of(response) -> bytes:
    return b"".join(response.streaming_content)


def test_a_person_asks_for_a_run_and_sees_it_when_it_is_made(admin_page, version, sales, read):
    made = admin_page.post(f"/d/{sales.dataset_id}/products/runs/new/", follow=True)
    assert "is being made" in read(made)
    run = ForecastRun.objects.get()
    make_forecast_run(str(run.pk))
    text = read(admin_page.get(f"/d/{sales.dataset_id}/products/runs/{run.pk}/"))
    assert "6 series" in text and "Next 7 days" in text and "units in all" in text
    assert "done" in read(admin_page.get(f"/d/{sales.dataset_id}/products/runs/"))


def test_the_list_of_products_leads_to_its_run(run, sales, page, read):
    shown = page.get(f"/d/{sales.dataset_id}/products/").content.decode()
    assert f"/d/{sales.dataset_id}/products/runs/{run.pk}/" in shown
    assert "current" in read(page.get(f"/d/{sales.dataset_id}/products/runs/"))


@pytest.mark.parametrize("days", [7, 14, 28, 10])
def test_the_sums_of_the_days_asked_for_have_the_range_of_their_paths(run, days):
    store = run.dataset_version.stores[0]
    query, table, rows = ask(run, f"store={store}&to={days}")
    assert {table.sums.stores[row] for row in rows} == {store} and len(rows) == 3
    expected, ends = table.total(run, query, rows)
    again = load_prediction(run).sum_with_interval(np.sort(rows), range(days))
    assert (expected, *ends) == pytest.approx(again, rel=1e-5)


def test_any_span_is_summed_up(run):
    query, table, rows = ask(run, "from=3&to=9&sort=item")
    expected, ends = table.total(run, query, rows)
    assert (expected, *ends) == pytest.approx(
        load_prediction(run).sum_with_interval(None, range(2, 9)), rel=1e-5
    )
    assert len(table.ranges(run, query, rows)) == 6


def test_many_series_have_no_range_on_days_that_are_no_whole_weeks(run, monkeypatch, page, address, read):
    monkeypatch.setattr("prediction.runs.listing.MAX_REDRAWN", 2)
    assert "choose fewer series" in read(page.get(f"{address}?from=2&to=9"))


def test_series_are_found_by_words_and_groups_and_sorted(run, monkeypatch):
    products = {code: "even" if code.endswith("2") else "odd" for code in run.dataset_version.products}
    levels = (Level("parity", "products", products),)
    monkeypatch.setattr("prediction.runs.listing.read_levels", lambda data: levels)
    _query, table, rows = ask(run, "q=p002")
    assert {table.sums.products[row] for row in rows} == {"P002"}
    _query, table, rows = ask(run, "level=parity:even&level=")
    assert len(rows) == 2 and {products[table.sums.products[row]] for row in rows} == {"even"}
    for sort, values in (("-units", "units"), ("change", "change")):
        query, table, rows = ask(run, f"sort={sort}")
        found = table.units(query, rows) if values == "units" else table.change(rows)
        assert list(found) == sorted(found, reverse=sort.startswith("-"))


@pytest.mark.parametrize(
    "text", ["from=99&to=1", "from=x&to=0", "sort=nothing", "level=&level=no:thing", "page=99"]
)
def test_an_address_that_makes_no_sense_is_a_page(run, page, address, text):
    assert page.get(f"{address}?{text}").status_code == 200


def test_the_table_is_downloaded_as_parquet_and_csv(run, page, address):
    parquet = pq.read_table(io.BytesIO(content_of(page.get(f"{address}parquet/"))))
    rows = list(csv.DictReader(io.StringIO(content_of(page.get(f"{address}csv/")).decode())))
    assert parquet.num_rows == len(rows) == run.rows
    assert float(rows[0]["mean"]) == pytest.approx(parquet["mean"][0].as_py(), abs=1e-4)


def test_the_series_found_are_downloaded(run, page, address):
    text = page.get(f"{address}?store={run.dataset_version.stores[0]}&to=7&export=csv").content.decode(
        "utf-8-sig"
    )
    assert len(text.splitlines()) == 4
    book = load_workbook(io.BytesIO(page.get(f"{address}?to=10&export=xlsx").content))
    assert book.active.max_row == 7


def test_viewers_look_and_make_nothing(run, person, browse, address, sales):
    page = browse(person("vera", "Viewer"))
    assert page.get(address).status_code == 200
    for path in (f"/d/{sales.dataset_id}/products/runs/new/", f"{address}current/", f"{address}back/"):
        assert page.post(path, {"reason": "mine"}).status_code == 403
    assert ForecastRun.objects.count() == 1


def test_the_current_run_is_not_deleted_and_another_one_is(run, version, admin_page, address, read, sales):
    assert "is the current forecast" in read(admin_page.post(f"{address}delete/", follow=True))
    admin_page.post(f"/d/{sales.dataset_id}/products/runs/new/")
    other = ForecastRun.objects.exclude(pk=run.pk).get()
    make_forecast_run(str(other.pk))
    place = f"/d/{sales.dataset_id}/products/runs/{other.pk}/"
    assert "Back to the run before" not in read(admin_page.get(address))  # there is none
    assert "Enter a reason" in read(admin_page.post(f"{place}current/", {"reason": ""}))
    assert "current forecast now" in read(admin_page.post(f"{place}current/", {"reason": "try"}, follow=True))
    assert "Back to the run before" in read(admin_page.get(place))
    assert "current forecast again" in read(admin_page.post(f"{place}back/", follow=True))
    admin_page.post(f"{place}delete/")
    assert ForecastRun.objects.get() == run


def test_the_admin_shows_runs(run, admin_page):
    assert admin_page.get("/admin/prediction/forecastrun/").status_code == 200
    assert admin_page.get(f"/admin/prediction/forecastrun/{run.pk}/change/").status_code == 200


def test_the_forecast_page_reads_its_series_from_the_run(run, page, sales, monkeypatch):
    def forecast(*given, **named):
        raise AssertionError("everything has been forecast already")

    monkeypatch.setattr("registry.model_versions.bundle.Bundle.forecast", forecast)
    question, table, rows = ask(run, "sort=item")
    store, product = table.sums.stores[0], table.sums.products[0]
    shown = page.get(f"/d/{sales.dataset_id}/forecast/?store={store}&product={product}&horizon=28")
    made = shown.context["forecast"]
    assert made.total == pytest.approx(table.units(question, rows)[0], abs=0.05)
    _question, table, _rows = ask(run, "sort=item&to=14")
    shown = page.get(f"/d/{sales.dataset_id}/forecast/?store={store}&horizon=14")
    assert shown.context["forecast"].total == pytest.approx(table.sums.mean[:3, :14].sum(), abs=0.05)


def test_the_numbers_on_the_forecast_page_are_those_of_the_runs_file(run, page, sales):
    table = pq.read_table(io.BytesIO(run.read())).to_pandas()
    for (store, product), own in table.groupby(["store_id", "product_id"], observed=True):
        address = f"/d/{sales.dataset_id}/forecast/?store={store}&product={product}&horizon=28"
        days = page.get(address).context["content"].forecast
        for name, shown in (
            ("mean", [day.mean for day in days]),
            ("q0.9", [day.quantiles[5] for day in days]),
        ):
            wanted = own[name].to_numpy(float).round(3)  # what a page shows has three decimals
            assert np.abs(np.array(shown) - wanted).max() < 1e-9


def test_the_current_run_answers_before_a_newer_one(run, make_run, version, sales):
    newer = make_run(version)
    assert newer.created_at > run.created_at
    assert ForecastRun.objects.find_fitting(version, sales, 28) == run
    run.current_rows.update(run=None)
    assert ForecastRun.objects.find_fitting(version, sales, 28) == newer
    assert ForecastRun.objects.find_fitting(version, sales, 29) is None


def test_the_forecast_command_keeps_its_file_as_a_run(version, sales, tmp_path, capsys, monkeypatch):
    call_command("forecast", "--model", "best", "--output", str(tmp_path / "all.parquet"), "--json")
    report = json.loads(capsys.readouterr().out)
    run = ForecastRun.objects.get(pk=report["run"])
    assert (run.reason, run.horizon, run.series) == ("command", 28, report["series"])
    written, kept = pq.read_table(tmp_path / "all.parquet"), pq.read_table(io.BytesIO(run.read()))
    for name in ("mean", "q0.025", "q0.975"):
        assert np.array_equal(written[name].to_numpy(), kept[name].to_numpy())
    assert report["total"] == pytest.approx(run.totals.total, abs=0.01)
    assert (report["low"], report["high"]) == pytest.approx((run.totals.low, run.totals.high), abs=0.01)
    monkeypatch.setattr("prediction.management.commands.forecast.MAX_RUN_SERIES", 5)
    call_command("forecast", "--model", "best", "--output", str(tmp_path / "many.csv"))
    monkeypatch.undo()
    store = sales.stores[0]
    call_command(
        "forecast", "--model", "best", "--scope", f"store:{store}", "--output", str(tmp_path / "s.csv")
    )
    call_command("forecast", "--model", "best", "--json")  # writes nothing
    assert ForecastRun.objects.count() == 1
