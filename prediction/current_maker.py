"""Makes the server's own forecast of a dataset. Safe to repeat, to kill, and to run on two hosts at once."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from django.utils import timezone

from prediction.content_builder import build_content
from prediction.current_forecast import (
    HORIZON,
    Items,
    is_outdated,
    read_content,
    ready_forecast,
    request_current_forecast,
)
from prediction.engine import forget_cached, run_forecast
from prediction.items.forecasts import build_items, flag_missed
from prediction.models import CurrentForecast, Forecast, ForecastQuerySet
from registry.datasets.models import Dataset, DatasetVersion
from registry.lib.errors import split_error
from registry.lib.locks import LockUnavailable, exclusive_lock
from registry.model_versions.in_use import version_in_use
from registry.model_versions.models import ModelVersion
from registry.series.levels import Selection
from registry.storage.artifacts import CorruptArtifact
from registry.storage.tombstones import REPLACED

WEEK = timedelta(days=7)
KEPT_DAYS = timedelta(days=35)  # earlier ones are compared with what was sold since
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
    """The version and sales that a forecast must be made of; None if it is up to date or impossible."""
    dataset = Dataset.objects.filter(pk=dataset_id).first()
    version, data = (version_in_use(dataset), dataset.current_version) if dataset else (None, None)
    if version is None or data is None:
        return None
    row = CurrentForecast.objects.select_related("forecast").filter(dataset=dataset_id).first()
    found = ready_forecast(row)
    if not is_outdated(found, version, data) and is_readable(found):
        return None
    return version, data


def is_readable(forecast: Forecast | None) -> bool:
    """Whether the file is there, whole, and of this release."""
    try:
        return forecast is not None and bool(read_content(forecast).items)
    except (CorruptArtifact, ValueError):
        return False


def replace_if_outdated(dataset: Dataset) -> Target | None:
    """Makes the forecast and puts it in the place of the one before; what it failed for, if it did."""
    target = find_target(dataset.pk)
    if target is None:
        return None
    remove_interrupted(dataset)
    rows = CurrentForecast.objects
    before = ready_forecast(rows.select_related("forecast").filter(dataset=dataset).first())
    try:
        made = make_forecast(*target)
    except (ValueError, CorruptArtifact) as problem:
        message, values = split_error(problem)
        facts = {"message": message, "values": values}
        rows.update_or_create(dataset=dataset, defaults={"problem": facts})
        return target
    rows.update_or_create(dataset=dataset, defaults={"forecast": made, "problem": {}})
    if before is not None and not is_readable(before):
        before.remove(rule=REPLACED)
    remove_replaced(made)
    return None


def make_forecast(version: ModelVersion, data: DatasetVersion) -> Forecast:
    """A saved forecast of everything with a row for each product and store; raises ValueError."""
    scope_forecast = run_forecast(version, Selection(), HORIZON, data)
    content = build_content(scope_forecast)
    items = build_items(scope_forecast, content.analysis.total)
    row = Forecast.objects.describe_content(scope_forecast, content)
    row.source = Forecast.Source.SERVER
    items = compare_with_earlier(row, items)
    rows = {side: [asdict(item) for item in found] for side, found in items.items()}
    return Forecast.objects.create_pending(row).save_content(content, items=rows)


def compare_with_earlier(row: Forecast, items: Items) -> Items:
    """The items, flagged where the sales missed the server's forecast of a week or more before."""
    earlier = made_by_server(row.dataset_version.dataset).ready()
    days = {"origin__lte": row.origin - WEEK, "origin__gte": row.origin - 4 * WEEK}
    before = earlier.filter(**days).order_by("-origin", "-created_at").first()
    if before is None or not is_readable(before):
        return items
    weeks = (row.origin - before.origin).days // 7
    then = read_content(before).items
    return {side: flag_missed(found, then.get(side, []), weeks) for side, found in items.items()}


def made_by_server(dataset: Dataset) -> ForecastQuerySet:
    """Every forecast that the server made of this dataset, in whatever state."""
    return Forecast.objects.filter(source=Forecast.Source.SERVER, dataset_version__dataset=dataset)


def remove_interrupted(dataset: Dataset) -> None:
    """Deletes what an attempt left half saved; call with the lock held."""
    for row in made_by_server(dataset).filter(state=Forecast.State.PENDING):
        row.remove()


def remove_replaced(current: Forecast) -> None:
    """Deletes earlier forecasts of the server but the newest of each day of the last weeks."""
    kept_origins = {current.origin}
    rows = made_by_server(current.dataset_version.dataset).exclude(pk=current.pk)
    for row in rows.filter(pinned=False).order_by("-created_at"):
        is_young = row.state == row.State.READY and row.created_at > timezone.now() - GRACE
        is_newest = row.origin not in kept_origins and row.origin > current.origin - KEPT_DAYS
        if is_newest:
            kept_origins.add(row.origin)
        if not (is_young or (is_newest and row.state == row.State.READY)):
            row.remove(rule=REPLACED)
