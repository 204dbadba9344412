"""The first minutes: an empty overview explains itself, the sample is fresh, a file to try is there."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core.management import call_command
from django.utils import timezone

from forecastsite.management.commands import first_run
from forecastsite.welcome import SAMPLE_NAME, welcome_context, yesterday
from prediction.models import Forecast
from registry.datasets.importer import import_file
from registry.datasets.models import Dataset
from registry.datasets.sample.generator import SampleDataset
from training.models import TrainingRun

HTMX = {"HX-Request": "true"}


def test_an_empty_overview_says_what_the_product_does_and_offers_two_ways_in(page, read):
    response = page.get("/")
    text, source = read(response), response.content.decode()
    assert "how much of each product each store will sell" in text
    assert "Import your sales" in text and 'href="/data/upload/"' in source
    assert "welcome.svg" in source and 'href="/sample-sales.csv"' in source


def test_a_viewer_is_offered_nothing_that_would_be_refused(browse, person, read):
    text = read(browse(person("vic")).get("/"))
    assert "Download a sample file" in text and "Import your sales" not in text


def test_the_first_start_imports_a_sample_up_to_yesterday_and_trains_on_it(db, monkeypatch, settings):
    settings.DATA_DIR.mkdir(exist_ok=True)
    small = lambda last: SampleDataset(stores=2, products=3, days=300, last=last)  # noqa: E731
    monkeypatch.setattr("registry.datasets.sample.generator.SampleDataset", small)
    call_command("first_run")
    call_command("first_run")
    sample = Dataset.objects.get(name=SAMPLE_NAME)
    assert sample.current_version.last == timezone.localdate() - dt.timedelta(days=1)
    run = TrainingRun.objects.get()
    assert (run.dataset_version, run.algorithm) == (sample.current_version, "kan")
    assert run.budget <= 60 and first_run.import_sample


def test_while_the_first_model_learns_the_overview_asks_for_itself(page, sales, read):
    TrainingRun.objects.create(dataset_version=sales, algorithm="kan", state="running", progress=0.4)
    source = page.get("/").content.decode()
    assert re.search(r'id="first-status"\s+hx-get="/welcome/" hx-trigger="every 3s"', source)
    asked = page.get("/welcome/", headers=HTMX)
    assert "40%" in read(asked) and "HX-Refresh" not in asked


def test_the_overview_is_loaded_again_when_the_first_forecast_is_there(page, forecast):
    assert page.get("/welcome/", headers=HTMX)["HX-Refresh"] == "true"
    assert b"/welcome/" not in page.get("/").content


def test_the_three_steps_do_not_come_back_when_the_last_forecast_is_deleted(page, forecast, read):
    forecast.remove()
    assert not Forecast.objects.exists()
    assert "Three steps to your first forecast" not in read(page.get("/"))


def test_the_sample_says_that_it_is_one_until_there_are_own_sales(page, forecast, sales, read, chain_file):
    Dataset.objects.update(name=SAMPLE_NAME)
    assert "a made-up pharmacy chain" in read(page.get("/"))
    import_file(chain_file, "pharmacies")
    assert welcome_context() is None and "made-up" not in read(page.get("/"))


def test_the_sample_file_can_be_imported_as_it_is(page, tmp_path):
    response = page.get("/sample-sales.csv")
    file = tmp_path / "sample-sales.csv"
    file.write_bytes(b"".join(response.streaming_content))
    version = import_file(file, "tried")
    assert (len(version.stores), len(version.products), version.last) == (2, 12, yesterday())
    assert 5_000 < version.rows < 12_000


@pytest.mark.parametrize("name", ["welcome", "sample-file"])
def test_newcomers_sign_in_first(anonymous, name):
    address = {"welcome": "/welcome/", "sample-file": "/sample-sales.csv"}[name]
    assert anonymous.get(address)["Location"].startswith("/login/")
