"""First visit: what the product does, how far the first forecast is, a file to try."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db.models import Exists
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from prediction.models import Forecast
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.sample.generator import SampleDataset, build_store_table
from registry.lib.csv_safe import format_csv_rows
from registry.lib.http import HtmxRequest, stream_csv
from registry.model_versions.models import ModelVersion
from registry.storage.tombstones import Tombstone
from training.models import TrainingRun

SAMPLE_NAME = "sample"  # the dataset that the first start makes


def has_ever_forecast() -> bool:
    """Whether a forecast was ever made here, also if it has been deleted since."""
    return Forecast.objects.ready().exists() or Tombstone.objects.filter(kind=Forecast.KIND).exists()


def has_own_forecast() -> bool:
    """Whether there are sales besides the sample, and a forecast was ever made, in one query."""
    forecasts, deleted = Forecast.objects.ready(), Tombstone.objects.filter(kind=Forecast.KIND)
    return Dataset.objects.exclude(name=SAMPLE_NAME).filter(Exists(forecasts) | Exists(deleted)).exists()


def welcome_context() -> dict[str, Any] | None:
    """What a newcomer sees on the overview; None once there is a forecast and sales besides the sample."""
    if has_own_forecast():
        return None
    sample, state = Dataset.objects.filter(name=SAMPLE_NAME).first(), first_forecast_context()
    return {"sample": sample, "is_first": not state["steps"][2], **state}


def first_forecast_context() -> dict[str, Any]:
    """The three steps to a first forecast, and the training that is on its way to it."""
    ready = DatasetVersion.State.READY
    steps = [kind.objects.filter(state=ready).exists() for kind in (DatasetVersion, ModelVersion)]
    runs = TrainingRun.objects.exclude(state__in=TrainingRun.ENDED_STATES)
    first = runs.select_related("dataset_version__dataset").order_by("created_at").first()
    return {"steps": [*steps, has_ever_forecast()], "run": first}


@require_safe
def welcome_status(request: HtmxRequest) -> HttpResponse:
    """How far the first forecast is; the overview asks, and is reloaded when it is there."""
    state = first_forecast_context()
    if state["steps"][2]:
        return HttpResponseClientRefresh()
    return render(request, "_welcome.html#status", {"welcome": state})


def yesterday() -> dt.date:
    """The last day of a sample, as if the tills had just sent it."""
    return timezone.localdate() - dt.timedelta(days=1)


@require_safe
def sample_file(request: HttpRequest) -> StreamingHttpResponse:
    """A small file of made-up sales, to open, to look at and to import."""
    small = SampleDataset(stores=2, products=12, days=400, last=yesterday())
    return stream_csv(list_csv_stores(small), "sample-sales.csv")


def list_csv_stores(sample: SampleDataset) -> Iterator[str]:
    """The rows of a sample as CSV text, store by store."""
    for store in range(sample.stores):
        table = build_store_table(sample, store)
        headings = [table.column_names] if store == 0 else []
        yield format_csv_rows([*headings, *zip(*table.to_pydict().values(), strict=True)])
