"""A chain with a current forecast, and overrides of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from prediction.models import CurrentForecast, ForecastRun, Override
from prediction.tasks import make_current_forecast
from registry.datasets.models import DatasetVersion
from registry.series.levels import Selection


@pytest.fixture
def sales(sales) -> DatasetVersion:
    return DatasetVersion.objects.get(pk=sales.pk)  # whose dataset knows its current version


@pytest.fixture
def current(version, sales) -> Callable[[], ForecastRun]:
    """Brings the current forecast up to date; its run."""

    def make() -> ForecastRun:
        make_current_forecast(sales.dataset_id)
        return CurrentForecast.objects.get().run

    return make


@pytest.fixture
def override(sales, user) -> Callable[..., Override]:
    """Saves an override of everything by 20% in the first week ahead, or with other facts."""

    def make(selection: Selection | None = None, first: int = 1, last: int = 7, **facts) -> Override:
        days = {"first": sales.last + timedelta(days=first), "last": sales.last + timedelta(days=last)}
        values = {"kind": "percent", "amount": 20.0, "reason": "promotion", "created_by": user, **facts}
        row = Override(dataset=sales.dataset, **days, **values)
        row.selection = selection or Selection()
        row.save()
        return row

    return make
