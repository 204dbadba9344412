"""Sales that are all zeros, from the command line to every page: a version, and why it has no error."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from django.core.management import call_command

from prediction.models import Forecast
from registry.datasets.importer import import_file
from registry.model_versions.models import ModelVersion
from training.models import TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
QUICK = ("--scope", "global", "--horizon", "7", "--budget", "2")
REASON = "Nothing was sold on the test days, so no error can be computed."


@pytest.fixture
def silent(db, write) -> str:
    """A dataset of 84 days without a sale."""
    days = pd.date_range("2026-01-01", periods=84)
    frame = pd.MultiIndex.from_product(
        [days, ["S1"], ["A", "B"]], names=["date", "store_id", "product_id"]
    ).to_frame(index=False)
    import_file(write(frame.assign(sales=0)), "silent")
    return "silent"


@pytest.fixture
def trained(silent: str, capsys) -> ModelVersion:
    call_command("train", "--dataset", silent, "--algorithm", "trees", *QUICK)
    assert REASON in capsys.readouterr().out
    return ModelVersion.objects.get()


def test_every_page_of_a_version_without_an_error_shows_a_dash_and_the_reason(
    trained, page, admin_client, read
):
    assert trained.wape is None and trained.is_best
    run = TrainingRun.objects.get()
    text = read(page.get(f"/models/{trained.pk}/"))
    assert REASON in text and "–" in text and "Put in use after its test." in text
    pages = ("/models/", "/models/?export=csv", "/models/?export=xlsx", f"/runs/{run.pk}/", "/runs/", "/")
    for address in (*pages, f"/data/{trained.dataset_version.dataset_id}/"):
        assert page.get(address).status_code == 200, address
    for address in (f"/models/{trained.pk}/?export={kind}" for kind in ("csv", "xlsx")):
        assert page.get(address).status_code == 200, address
    for model, row in (("modelversion", trained), ("forecastmodel", trained.model)):
        for address in ("", f"{row.pk}/change/"):
            assert admin_client.get(f"/admin/registry/{model}/{address}").status_code == 200
    for address in ("", f"{run.pk}/change/"):
        assert admin_client.get(f"/admin/training/trainingrun/{address}").status_code == 200


def test_two_versions_without_an_error_can_be_compared_and_the_newer_is_in_use(trained, page, silent, read):
    call_command("train", "--dataset", silent, "--algorithm", "seasonal_naive", *QUICK)
    newer = ModelVersion.objects.exclude(pk=trained.pk).get()
    assert newer.is_best
    assert "–" in read(page.get(f"/models/compare/?v={trained.pk}&v={newer.pk}", follow=True))


def test_its_forecast_is_near_zero_on_the_page_and_in_its_files(trained, page, read):
    page.post("/forecast/", {"version": trained.pk, "product": "A", "store": "", "horizon": 7})
    made = Forecast.objects.get()
    content = made.load_content()
    assert 0 < made.total < 1 and content.analysis.high <= 1
    assert all(0 < day.quantiles[-1] <= 1 for day in content.forecast)
    for part in ("", "csv/", "excel/"):
        assert page.get(f"/forecasts/{made.pk}/{part}").status_code == 200
    assert page.get("/forecasts/").status_code == page.get("/").status_code == 200


def test_a_backtest_prints_a_dash_and_why(silent, capsys, tmp_path: Path):
    words = [
        "backtest",
        "--dataset",
        silent,
        "--algorithm",
        "seasonal_naive",
        "--horizon",
        "7",
        "--budget",
        "1",
    ]
    call_command(*words)
    out = capsys.readouterr()
    assert "error –  bias –" in out.out and "nothing was sold on these days" in out.out
    assert "error –" in out.err and "nan" not in out.out + out.err
    call_command(*words, "--json")
    assert json.loads(capsys.readouterr().out)["overall"]["wape"] is None
