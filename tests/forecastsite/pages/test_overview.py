"""The overview: one dataset, its version in use, and what to do next."""

from __future__ import annotations

import re
from datetime import date

import pytest

from forecastsite.attention import level_items
from forecastsite.overview import biggest_changes, describe_error
from prediction.current_forecast import load_current
from prediction.items.forecasts import ItemForecast
from prediction.models import Forecast
from prediction.tasks import make_current_forecast
from registry.datasets.importer import import_file
from registry.datasets.models import Dataset, DatasetVersion
from training.models import TrainingRun


@pytest.fixture
def state(version, sales):
    make_current_forecast(sales.dataset_id)
    return load_current(sales.dataset)


def fail_training(sales: DatasetVersion, error: str = "No memory.") -> TrainingRun:
    return TrainingRun.objects.create(
        dataset_version=sales, algorithm="seasonal_naive", state="failed", error=error
    )


def test_tiles_and_chart_are_of_everything_whatever_a_colleague_forecast_last(page, state, version, user):
    Forecast.objects.make_forecast(version, product="P001", horizon=90, created_by=user)
    response = page.get("/")
    assert response.context["newest"] == state.forecast
    assert len(response.context["chart"]["history"]) == 56
    assert b'data-chart="forecast"' in response.content


def test_biggest_changes_are_by_units_and_lead_to_the_forecast(page, state, read):
    response = page.get("/")
    rows = response.context["changes"]
    moves = [abs(row["item"].expected - row["item"].before) for row in rows]
    assert len(moves) == 3 and moves == sorted(moves, reverse=True)
    assert len(re.findall(rb'href="[^"]*forecast/\?[^"]*product=', response.content)) == 3


def test_changes_are_against_last_year_once_it_is_known():
    rows = [
        ItemForecast(code="A", expected=110, low=1, high=200, last_year=100.0, before=10.0),
        ItemForecast(code="B", expected=10, low=1, high=20, before=100.0),
    ]
    found = biggest_changes(rows)
    assert [row["item"].code for row in found] == ["A"] and found[0]["yearly"]


def test_recent_forecasts_are_those_of_people_and_cannot_be_deleted_here(page, state, forecast, read):
    response = page.get("/")
    assert [row for row, _since in response.context["rows"]] == [forecast]
    assert "Delete" not in read(response)


def test_another_dataset_is_told_in_one_quiet_line(page, state, sales, sample_file, read, settings):
    settings.STALE_DAYS = 100_000
    other = import_file(sample_file(2, 3, 310), "Pasta")
    fail_training(other)
    fail_training(sales, "No luck.")
    text = read(page.get(f"/d/{sales.dataset_id}/"))
    assert "No luck." in text and "No memory." not in text and "1 more in Pasta" in text
    assert "No memory." in read(page.get(f"/d/{other.dataset_id}/"))


def test_a_failed_training_is_forgotten_once_a_later_one_succeeds(page, sales, read):
    fail_training(sales)
    assert "No memory." in read(page.get("/"))
    TrainingRun.objects.create(dataset_version=sales, algorithm="kan", state="done")
    assert "No memory." not in read(page.get("/"))


def test_each_line_has_its_own_verb(page, sales, read, settings):
    settings.STALE_DAYS = -100_000
    fail_training(sales)
    text = read(page.get("/"))
    assert "See why" in text and "Upload newer sales" in text and "Open: " not in text


def test_a_viewer_is_not_sent_to_pages_that_refuse(browse, person, sales, read, settings):
    settings.STALE_DAYS = -100_000
    source = browse(person("vic")).get("/").content.decode()
    assert "/data/upload/" not in source and "See the data" in source


def test_products_whose_level_moved_are_named():
    moved = [
        ItemForecast(code=code, expected=9, low=1, high=20, flags={"level": 0.8}) for code in ("A", "B", "C")
    ]
    (item,) = level_items({"products": moved})
    assert item.text.startswith("A: ") and "80% more" in item.text and "2 more products" in item.text
    assert not level_items({"products": []})


def test_the_error_is_compared_with_the_version_before_it(publish):
    publish(wape=0.3)
    better = publish(wape=0.2)
    assert describe_error(better)["text"].startswith("10.0 points better")


def test_a_dataset_without_a_model_has_no_tiles(page, sales, read):
    assert "Typical error" not in read(page.get("/"))


def test_an_unknown_dataset_without_sales_opens(page, db):
    Dataset.objects.create(name="empty")
    assert page.get("/").status_code == 200
    DatasetVersion.objects.create(
        dataset=Dataset.objects.get(),
        number=1,
        state="pending",
        first=date(2026, 1, 1),
        last=date(2026, 1, 2),
    )
    assert page.get("/").status_code == 200
