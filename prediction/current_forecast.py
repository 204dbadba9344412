"""The server's own forecast: everything in a dataset, by the version in use, on the newest sales.

A job makes it whenever one of the two changes (`prediction.tasks`). A page that finds it missing, outdated or
damaged asks for it again and shows what there is.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from prediction.content import ForecastContent
from prediction.items.forecasts import ItemForecast
from prediction.models import CurrentForecast, Forecast
from prediction.overrides.applying import has_other_overrides, name_overrides
from registry.datasets.models import Dataset, DatasetVersion
from registry.lib.messages import translate_message
from registry.lib.small_cache import SmallCache
from registry.model_versions.in_use import version_in_use
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import CorruptArtifact

HORIZON = 28  # days
JOB = "prediction.tasks.make_current_forecast"
ASK_PAUSE = timedelta(minutes=1)  # between two questions of pages; a job may have been lost
RETRY_PAUSE = timedelta(hours=1)  # after an attempt that failed
Items = dict[str, list[ItemForecast]]


@dataclass(frozen=True)
class CurrentContent:
    """The file of a current forecast: its content, and a row for each product and store."""

    content: ForecastContent
    items: Items


@dataclass(frozen=True)
class CurrentState:
    """What a page knows: the forecast as far as there is one, and whether a newer one is being made."""

    version: ModelVersion | None = None  # in use
    forecast: Forecast | None = None
    content: ForecastContent | None = None
    items: Items = field(default_factory=dict)
    is_due: bool = False
    problem: str = ""

    @property
    def first_day(self) -> date | None:
        """The first day that the forecast covers."""
        return self.forecast.origin + timedelta(days=1) if self.forecast else None


CONTENT_CACHE: SmallCache[CurrentContent] = SmallCache(4)


def current_forecast(dataset: Dataset) -> Forecast | None:
    """The server's newest forecast of the dataset; asks for a newer one if it is missing or outdated."""
    row = find_row(dataset)
    found = ready_forecast(row)
    if is_outdated(found, version_in_use(dataset), dataset.current_version, row):
        ask_again(dataset, row)
    return found


def load_current(dataset: Dataset) -> CurrentState:
    """The server's newest forecast with its content; asks for a newer one if needed."""
    row, version = find_row(dataset), version_in_use(dataset)
    found, loaded = ready_forecast(row), None
    if found is not None:
        with suppress(CorruptArtifact, ValueError):
            loaded = read_content(found)
    is_due = loaded is None or is_outdated(found, version, dataset.current_version, row)
    is_due = is_due and version is not None and dataset.current_version is not None
    if is_due:
        ask_again(dataset, row)
    problem = translate_message(row.problem.get("message", ""), row.problem.get("values")) if row else ""
    if loaded is None:
        return CurrentState(version, is_due=is_due, problem=problem)
    return CurrentState(version, found, loaded.content, loaded.items, is_due, problem)


def find_row(dataset: Dataset) -> CurrentForecast | None:
    """The row of the dataset with everything that pages name."""
    related = ("forecast__version__model__dataset", "forecast__dataset_version__dataset", "forecast__run")
    return CurrentForecast.objects.select_related(*related).filter(dataset=dataset).first()


def ready_forecast(row: CurrentForecast | None) -> Forecast | None:
    """The forecast of the row, unless it is damaged or being deleted."""
    found = row.forecast if row else None
    return found if found is not None and found.state == Forecast.State.READY else None


def is_outdated(
    forecast: Forecast | None,
    version: ModelVersion | None,
    data: DatasetVersion | None,
    row: CurrentForecast | None = None,
) -> bool:
    """Whether another forecast has to be made for this version on these sales.

    A run that a person chose stays until the version in use, the sales or the overrides change.
    """
    if version is None or data is None:
        return False
    if forecast is None:
        return True
    if is_kept(row, version, data):
        return row is not None and row.kept_for != name_target(version, data)
    if (forecast.version_id, forecast.dataset_version_id) != (version.pk, data.pk):
        return True
    return forecast.run is not None and has_other_overrides(forecast.run)


def is_kept(row: CurrentForecast | None, version: ModelVersion, data: DatasetVersion) -> bool:
    """Whether a person chose the run, and neither the version in use nor the sales have changed since."""
    return row is not None and row.kept_for.split("/")[:2] == [str(version.pk), str(data.pk)]


def is_readable(forecast: Forecast | None) -> bool:
    """Whether the file is there, whole, and of this release."""
    try:
        return forecast is not None and bool(read_content(forecast).items)
    except (CorruptArtifact, ValueError):
        return False


def read_content(forecast: Forecast) -> CurrentContent:
    """Reads and verifies the file each time, parses it once; raises CorruptArtifact or ValueError."""
    text = forecast.read()
    return CONTENT_CACHE.get(forecast.sha256, lambda: parse_content(text))


def name_target(version: ModelVersion, data: DatasetVersion) -> str:
    """What a current forecast should be made of: version, sales and overrides."""
    parts = (version.pk, data.pk, name_overrides(data.dataset_id, data.last))
    return "/".join(str(part) for part in parts if part)


def put_in_use(dataset: Dataset, totals: Forecast, kept_for: str = "") -> None:
    """Makes the run of these totals the current one, and keeps which one was before."""
    row = CurrentForecast.objects.filter(dataset=dataset).first()
    before = row.run if row is not None and row.run_id != totals.run_id else row and row.previous
    values: dict[str, Any] = {
        "forecast": totals,
        "run": totals.run,
        "previous": before,
        "problem": {},
        "kept_for": kept_for,
    }
    CurrentForecast.objects.update_or_create(dataset=dataset, defaults=values)


def parse_content(text: bytes) -> CurrentContent:
    """The content of a current forecast's file."""
    values: dict[str, Any] = json.loads(text)
    rows = values.get("items", {}).items()
    items = {side: [ItemForecast.from_json(row) for row in found] for side, found in rows}
    return CurrentContent(ForecastContent.from_json(values), items)


def request_current_forecast(dataset_id: int) -> None:
    """Queues the job within the caller's transaction, since the version in use or the sales have changed."""
    defaults = {"asked_at": timezone.now(), "problem": {}}
    CurrentForecast.objects.update_or_create(dataset_id=dataset_id, defaults=defaults)
    async_task(JOB, dataset_id, cluster="light")


def ask_for_outdated() -> None:
    """Asks again for every forecast that is missing or outdated: its job may have died with its host."""
    for dataset in Dataset.objects.all():
        row = find_row(dataset)
        if is_outdated(ready_forecast(row), version_in_use(dataset), dataset.current_version, row):
            ask_again(dataset, row)


def ask_again(dataset: Dataset, row: CurrentForecast | None) -> None:
    """Queues the job unless somebody did so a moment ago; a page is shown even if that fails."""
    moment = timezone.now() - (RETRY_PAUSE if row and row.problem else ASK_PAUSE)
    if row is not None and row.asked_at is not None and row.asked_at >= moment:
        return
    due = Q(asked_at=None) | Q(asked_at__lt=moment)
    with suppress(DatabaseError), transaction.atomic():
        if row is None:
            CurrentForecast.objects.get_or_create(dataset=dataset)
        if CurrentForecast.objects.filter(due, dataset=dataset).update(asked_at=timezone.now()):
            async_task(JOB, dataset.pk, cluster="light")
