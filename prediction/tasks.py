"""Jobs of forecasts in the light queue. Their dotted names are stored in queue rows of installations."""

from __future__ import annotations

from prediction.current_maker import update_current_forecast
from registry.datasets.models import Dataset


def make_current_forecast(dataset_id: int) -> None:
    """Queue job: makes the server's own forecast of a dataset unless it is up to date."""
    if dataset := Dataset.objects.filter(pk=dataset_id).first():
        update_current_forecast(dataset)
