"""Makes the server's own forecast of a dataset. Safe to repeat, to kill, and to run on two hosts at once."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from prediction.current_forecast import (
    HORIZON,
    is_kept,
    is_outdated,
    is_readable,
    name_target,
    put_in_use,
    ready_forecast,
    request_current_forecast,
)
from prediction.engine import forget_cached
from prediction.models import CurrentForecast, Forecast
from prediction.runs.maker import make_run
from prediction.runs.models import ForecastRun
from registry.datasets.models import Dataset, DatasetVersion
from registry.lib.errors import MessageError, split_error
from registry.lib.locks import LockUnavailable, exclusive_lock
from registry.model_versions.in_use import version_in_use
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import CorruptArtifact
from registry.storage.tombstones import REPLACED

GRACE = timedelta(days=1)  # somebody may have a replaced one open
Target = tuple[ModelVersion, DatasetVersion]  # what a forecast is made of


def update_current_forecast(dataset: Dataset) -> None:
    """Makes the forecast unless it is up to date; only one process does so for a dataset at a time."""
    try:
        with exclusive_lock(f"current-forecast-{dataset.pk}"):
            failed = replace_if_outdated(dataset)
    except LockUnavailable:
        return  # whoever holds the lock looks again when it has finished
    finally:
        forget_cached()  # the queue's worker lives on
    if find_target(dataset.pk) not in (None, failed):  # something changed meanwhile
        request_current_forecast(dataset.pk)


def find_target(dataset_id: int) -> Target | None:
    """The version and sales that a forecast must be made of; None if it is up to date or impossible.

    Those of a run that a person chose stay when the overrides change.
    """
    dataset = Dataset.objects.filter(pk=dataset_id).first()
    version, data = (version_in_use(dataset), dataset.current_version) if dataset else (None, None)
    if version is None or data is None:
        return None
    row = CurrentForecast.objects.select_related("forecast").filter(dataset=dataset_id).first()
    found = ready_forecast(row)
    if not is_outdated(found, version, data, row) and is_readable(found):
        return None
    if found is not None and is_kept(row, version, data):
        return found.version, found.dataset_version
    return version, data


def replace_if_outdated(dataset: Dataset) -> Target | None:
    """Makes the forecast and puts it in the place of the one before; what it failed for, if it did."""
    target = find_target(dataset.pk)
    if target is None:
        return None
    remove_interrupted(dataset, target)
    rows = CurrentForecast.objects
    row = rows.select_related("forecast").filter(dataset=dataset).first()
    before, version, data = ready_forecast(row), version_in_use(dataset), dataset.current_version
    kept_for = name_target(version, data) if version and data and is_kept(row, version, data) else ""
    try:
        made = make_forecast(*target, before.horizon if before and kept_for else HORIZON)
    except (ValueError, CorruptArtifact) as problem:
        message, values = split_error(problem)
        facts = {"message": message, "values": values}
        rows.update_or_create(dataset=dataset, defaults={"problem": facts})
        return target
    put_in_use(dataset, made, kept_for)
    if before is not None and not is_readable(before):
        (before.run or before).remove(rule=REPLACED)
    remove_replaced(made)
    return None


def make_forecast(version: ModelVersion, data: DatasetVersion, horizon: int = HORIZON) -> Forecast:
    """The totals of a new run, with a row for each product and store; raises ValueError."""
    return make_run(take_run(version, data, horizon))


def take_run(version: ModelVersion, data: DatasetVersion, horizon: int) -> ForecastRun:
    """A claimed run: the one that a killed process left, or a new one. Call with the lock held."""
    stages, reason = ForecastRun.Stage, ForecastRun.Reason.SERVER
    same = ForecastRun.objects.filter(version=version, dataset_version=data, horizon=horizon, reason=reason)
    for left in same.filter(stage__in=[stages.QUEUED, stages.RUNNING]):
        if left.claim(is_owner_dead=True):
            return left
        left.give_up()
        raise MessageError(ForecastRun.LOST_TWICE)
    run = ForecastRun(version=version, dataset_version=data, horizon=horizon, reason=reason)
    run.save(force_insert=True)
    run.claim()
    return run


def remove_interrupted(dataset: Dataset, target: Target) -> None:
    """Deletes what an attempt left half saved; call with the lock held."""
    for row in Forecast.objects.made_by_server(dataset).filter(state=Forecast.State.PENDING, run=None):
        row.remove()
    version, data = target
    left = ForecastRun.objects.filter(dataset_version__dataset=dataset, reason=ForecastRun.Reason.SERVER)
    for run in left.filter(stage=ForecastRun.Stage.RUNNING).exclude(version=version, dataset_version=data):
        run.remove()


def remove_replaced(current: Forecast) -> None:
    """Deletes earlier forecasts of the server but the newest of each day, as many as a clean-up keeps."""
    kept_origins = {current.origin}
    rows = Forecast.objects.made_by_server(current.dataset_version.dataset).exclude(pk=current.pk)
    by_server = Q(run=None) | Q(run__reason=ForecastRun.Reason.SERVER, run__pinned=False)
    free = rows.filter(by_server, pinned=False).exclude(run__in=ForecastRun.ids_needed())
    for row in free.select_related("run").order_by("-created_at"):
        is_young = row.state == row.State.READY and row.created_at > timezone.now() - GRACE
        is_newest = row.origin not in kept_origins and len(kept_origins) < settings.KEEP_RUNS
        if is_newest:
            kept_origins.add(row.origin)
        if not (is_young or (is_newest and row.state == row.State.READY)):
            (row.run or row).remove(rule=REPLACED)
