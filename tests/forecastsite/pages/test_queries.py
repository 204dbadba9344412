"""No page asks the database more than twenty times, however long its lists are."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from prediction.models import Forecast
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.scope import Scope
from registry.model_versions.changes import ChangeReason, VersionChange
from training.models import TrainingRun

pytestmark = pytest.mark.slow

MOST = 20
MANY = 12


@pytest.fixture
def much(publish, sales, user):
    """More of everything than a page shows at first sight: versions, forecasts, trainings, datasets."""
    scopes = [Scope(), Scope("store", "S01"), Scope("product", "P001"), Scope("product", "P002")]
    versions = [publish(scopes[n % 4], wape=0.2 + n / 100) for n in range(MANY)]
    for version in versions:
        version.model.record_change(version, None, ChangeReason(VersionChange.Kind.PROMOTED, "so", by=user))
    forecasts = [Forecast.objects.make_forecast(versions[0], product="P001", created_by=user)]
    forecasts += [Forecast.objects.make_forecast(version, created_by=user) for version in versions]
    for number in range(MANY):
        state = TrainingRun.State.FAILED if number % 2 else TrainingRun.State.QUEUED
        TrainingRun.objects.create(
            dataset_version=sales, algorithm="kan", state=state, error="No memory.", created_by=user
        )
        fields = {"content_hash": str(number), "state": "ready", "first": sales.first, "last": sales.last}
        other = Dataset.objects.create(name=f"other {number}")
        DatasetVersion.objects.create(dataset=other, number=1, created_by=user, **fields)
        DatasetVersion.objects.create(dataset=sales.dataset, number=number + 2, created_by=user, **fields)
    DatasetVersion.objects.filter(dataset=sales.dataset, number__gt=1).update(state="pending")
    return versions, forecasts


def test_no_page_asks_more_than_twenty_times(page, much, sales, upload):
    versions, forecasts = much
    run = TrainingRun.objects.filter(state=TrainingRun.State.FAILED).first()
    four = "&".join(f"v={version.pk}" for version in versions[:4])
    plain = [
        "overview",
        "products",
        "data",
        "upload",
        "train",
        "queue",
        "models",
        "forecast",
        "history",
        "help",
    ]
    addresses = [reverse(name) for name in plain]
    addresses += [reverse(name, args=[sales.dataset_id]) for name in ("dataset", "catalogue")]
    addresses += [reverse(name, args=[versions[0].pk]) for name in ("model", "model-promote")]
    addresses += [reverse(name, args=[upload.pk]) for name in ("upload-match", "upload-check")]
    addresses += [reverse("forecast-detail", args=[forecast.pk]) for forecast in forecasts[:2]]
    addresses += [
        reverse("run", args=[run.pk]),
        f"{reverse('models-compare')}?{four}",
        f"{reverse('forecast-detail', args=[forecasts[1].pk])}?with={versions[4].pk}&with={versions[8].pk}",
        *(f"{reverse(name)}?export=xlsx" for name in ("data", "models", "history")),
    ]
    asked = {}
    for address in (f"/d/{sales.dataset_id}{plain}" for plain in addresses):
        page.get(address)  # what is kept in memory is there the second time
        with CaptureQueriesContext(connection) as queries:
            assert page.get(address).status_code == 200, address
        asked[address] = len(queries)
    assert not {address: number for address, number in asked.items() if number > MOST}


def test_a_forecast_asks_no_more_than_twenty_times(page, much, sales):
    versions, _forecasts = much
    given = {"version": versions[0].pk, "product": "P001", "store": "S01", "horizon": 28}
    with CaptureQueriesContext(connection) as queries:
        page.post(f"/d/{sales.dataset_id}/forecast/", given, headers={"HX-Request": "true"})
    asked = [query for query in queries if "SAVEPOINT" not in query["sql"]]
    assert Forecast.objects.filter(store="S01").exists() and len(asked) <= MOST
