"""Jobs of forecasts in the light queue. Their dotted names are stored in queue rows of installations."""

from __future__ import annotations

from django.contrib.auth.models import User

from prediction.accuracy.digest import send_digest
from prediction.accuracy.joining import compare_dataset
from prediction.current_maker import update_current_forecast
from prediction.engine import forget_cached
from prediction.explanations.effects import measure_effects
from prediction.explanations.models import InputEffects, StoredExplanation
from prediction.explanations.question import explain_stored
from prediction.order_runs.maker import run_order_job
from prediction.order_runs.models import OrderRun
from prediction.runs.changes import explain_run
from prediction.runs.maker import run_job
from prediction.runs.models import ForecastRun
from prediction.scenarios.adoption import adopt_scenario
from prediction.scenarios.models import Scenario
from prediction.scenarios.runner import run_scenario
from registry.datasets.models import Dataset
from registry.storage.artifacts import CorruptArtifact


def make_current_forecast(dataset_id: int) -> None:
    """Queue job: makes the server's own forecast of a dataset unless it is up to date."""
    if dataset := Dataset.objects.filter(pk=dataset_id).first():
        update_current_forecast(dataset)


def explain_forecast(key: str) -> None:
    """Queue job: works out why a forecast of many series is what it is."""
    related = ("version__model", "dataset_version")
    if row := StoredExplanation.objects.filter(pk=key).select_related(*related).first():
        explain_stored(row)
        forget_cached()  # the queue's worker lives on


def measure_inputs(version_id: str) -> None:
    """Queue job: measures what the inputs of a version do."""
    related = ("version__model", "version__dataset_version")
    if row := InputEffects.objects.filter(version__pk=version_id).select_related(*related).first():
        measure_effects(row)
        forget_cached()


def try_scenario(scenario_id: str) -> None:
    """Queue job: works out what a plan for many series changes."""
    related = ("version__model", "dataset_version__dataset")
    if row := Scenario.objects.filter(pk=scenario_id).select_related(*related).first():
        run_scenario(row)
        forget_cached()


def adopt_plan(scenario_id: str, user_id: int) -> None:
    """Queue job: makes a plan that was tried part of the data."""
    row = (
        Scenario.objects.filter(pk=scenario_id, adopted=None)
        .select_related("dataset_version__dataset")
        .first()
    )
    if row is None:
        return
    try:
        adopt_scenario(row, User.objects.get(pk=user_id))
    except (ValueError, CorruptArtifact) as problem:
        row.save_problem(problem)
    forget_cached()


def make_forecast_run(run_id: str) -> None:
    """Queue job: makes a run that somebody asked for."""
    if run := ForecastRun.objects.filter(pk=run_id).select_related("version", "dataset_version").first():
        run_job(run)


def compare_runs(dataset_id: int) -> None:
    """Queue job: compares the runs of a dataset with what was sold since."""
    if dataset := Dataset.objects.filter(pk=dataset_id).first():
        compare_dataset(dataset)


def explain_forecast_run(run_id: str) -> None:
    """Queue job: works out what changed in a run since the one before."""
    related = ("version__model", "dataset_version__dataset")
    if run := ForecastRun.objects.done().filter(pk=run_id).select_related(*related).first():
        explain_run(run)
        forget_cached()  # the queue's worker lives on


def make_order_run(order_id: str) -> None:
    """Queue job: makes an order that somebody asked for."""
    related = ("forecast_run__version__model", "forecast_run__dataset_version", "stock", "policy", "previous")
    if order := OrderRun.objects.filter(pk=order_id).select_related(*related).first():
        run_order_job(order)


def mail_alerts() -> None:
    """Queue job: mails the alerts that no digest has named."""
    send_digest()
