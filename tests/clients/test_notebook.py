"""The notebook of the documentation does what it says: its cells run against the API, jobs included."""

from __future__ import annotations

import json

import httpx
import pandas as pd
import pytest

from forecastsite.api.keys import make_key
from forecastsite.api.scopes import list_open_scopes
from prediction.models import ForecastRun
from prediction.tasks import make_forecast_run
from tests.clients.test_python_client import DjangoTransport, client
from tests.helpers.source_tree import ROOT
from training import leases
from training.models import TrainingRun
from training.runner import train_and_publish

CELLS = json.loads((ROOT / "docs" / "api.ipynb").read_text())["cells"]


def work(seconds: float) -> None:
    """In place of waiting: what the queues would do."""
    for training in TrainingRun.objects.filter(state="queued"):
        train_and_publish(leases.claim_run(training.pk, 1, "here"))
    for run in ForecastRun.objects.filter(stage="queued"):
        make_forecast_run(str(run.pk))


@pytest.mark.slow
def test_the_notebook_runs_from_sales_to_a_forecast(user, monkeypatch):
    transport, real = DjangoTransport(), httpx.Client
    monkeypatch.setattr(client.httpx, "Client", lambda **given: real(**{**given, "transport": transport}))
    monkeypatch.setattr(client.time, "sleep", work)
    _key, text = make_key(user, "notebook", [scope.name for scope in list_open_scopes(user)])
    monkeypatch.setenv("FORECASTS_URL", "http://testserver")
    monkeypatch.setenv("FORECASTS_KEY", text)
    names: dict[str, object] = {}
    for cell in CELLS:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    assert names["refused"][0] == 422 and names["version"]["in_use"] is True
    forecast = names["forecast"]
    assert isinstance(forecast, pd.DataFrame) and len(forecast) == 2 * 14
    weekend = pd.to_datetime(forecast["date"]).dt.day_of_week >= 5
    assert forecast[(forecast["product_id"] == "P2") & weekend]["mean"].max() < 1


def test_the_notebook_is_kept_without_outputs():
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in CELLS)
