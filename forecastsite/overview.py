"""Content of the overview: what needs attention, the headline forecast, the biggest changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from prediction.accuracy import ActualsSoFar
from prediction.chart import recent_chart_data
from prediction.content import Part
from prediction.models import Forecast
from registry.datasets.actuals import current_by_dataset
from registry.datasets.models import Dataset, DatasetVersion
from registry.labels import algorithm_label, forecast_label, scope_text
from registry.lib.formatting import format_percent, format_whole_number
from registry.lib.messages import translate_error
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import Artifact, CorruptArtifact
from training.models import TrainingRun

PAST_DAYS, AHEAD_DAYS = 56, 28  # days on the chart: eight weeks behind, four ahead
CHECKED_FORECASTS = 12  # newest forecasts that are compared with actual sales
MAX_CHANGES = 6
CheckedForecasts = Sequence[tuple[Forecast, ActualsSoFar | None]]


def list_steps_done() -> list[bool]:
    """Whether each step to a first forecast is done: sales, model, forecast."""
    ready = Artifact.State.READY
    return [kind.objects.filter(state=ready).exists() for kind in (DatasetVersion, ModelVersion, Forecast)]


def attention_items(checked: CheckedForecasts) -> list[dict[str, str]]:
    """Failed trainings, outdated sales and forecasts off target, each with badge, sentence and link."""
    runs = TrainingRun.objects.filter(state=TrainingRun.State.FAILED)
    failed = [failed_run_item(run) for run in runs.select_related("dataset_version__dataset")[:3]]
    off = [off_target_item(forecast, since) for forecast, since in checked if since and since.is_off_target]
    return [*failed, *stale_dataset_items(), *off[:3]]


def failed_run_item(run: TrainingRun) -> dict[str, str]:
    """The item of a failed training."""
    words = {
        "method": algorithm_label(run.algorithm),
        "scope": scope_text(run.scope),
        "reason": run.error_text,
    }
    text = _("Training %(method)s for %(scope)s failed: %(reason)s") % words
    return {"kind": "bad", "badge": _("Failed"), "text": text, "link": reverse("run", args=[run.pk])}


def stale_dataset_items() -> list[dict[str, str]]:
    """Items of datasets whose newest sales are older than STALE_DAYS."""
    found, today = [], timezone.localdate()
    for version in current_by_dataset(Dataset.objects.values_list("pk", flat=True)).values():
        age = (today - version.last).days
        if age > settings.STALE_DAYS:
            words = {
                "name": version.dataset,
                "day": date_format(version.last),
                "days": format_whole_number(age),
            }
            text = ngettext(
                "The sales of %(name)s end on %(day)s, %(days)s day ago: upload newer sales.",
                "The sales of %(name)s end on %(day)s, %(days)s days ago: upload newer sales.",
                age,
            )
            link = reverse("dataset", args=[version.dataset_id])
            found.append({"kind": "warn", "badge": _("Data"), "text": text % words, "link": link})
    return found


def off_target_item(forecast: Forecast, since: ActualsSoFar) -> dict[str, str]:
    """A forecast whose days so far sold clearly more or less than expected."""
    change = since.relative_change or 0.0
    words = {
        "what": capfirst(forecast_label(forecast)),
        "size": format_percent(abs(change), 0),
        "days": since.days,
    }
    if change > 0:
        text = _("%(what)s: sales were %(size)s higher than forecast over %(days)s days.") % words
    else:
        text = _("%(what)s: sales were %(size)s lower than forecast over %(days)s days.") % words
    link = reverse("forecast-detail", args=[forecast.pk])
    return {"kind": "bad", "badge": _("Off target"), "text": text, "link": link}


def headline_forecast(forecasts: Sequence[Forecast]) -> Forecast | None:
    """The newest forecast of everything, else the newest forecast."""
    for forecast in forecasts:
        if not (forecast.store or forecast.product) and forecast.version.model.kind == "global":
            return forecast
    return forecasts[0] if forecasts else None


def headline_context(forecast: Forecast | None) -> dict[str, Any]:
    """A forecast with chart and biggest changes, or the problem with its file."""
    if forecast is None:
        return {"newest": None}
    try:
        content = forecast.load_content()
    except (CorruptArtifact, ValueError) as problem:
        return {"newest": forecast, "problem": translate_error(problem)}
    return {
        "newest": forecast,
        "analysis": content.analysis,
        "chart": recent_chart_data(content, PAST_DAYS, AHEAD_DAYS),
        "changes": biggest_changes(content.breakdown.get("products", [])),
    }


def biggest_changes(products: Sequence[Part]) -> list[dict[str, Any]]:
    """Products whose units change most against last year, or the period before if last year is unknown."""
    rows = [part.to_json() for part in products]
    yearly = any(row["change_last_year"] is not None for row in rows)
    key = "change_last_year" if yearly else "change_last_period"
    known = [{**row, "change": row[key], "yearly": yearly} for row in rows if row[key] is not None]
    return sorted(known, key=units_changed, reverse=True)[:MAX_CHANGES]


def units_changed(row: dict[str, Any]) -> float:
    """Absolute change in units."""
    then = row["total"] / (1 + row["change"]) if row["change"] > -1 else row["total"]
    return abs(float(row["total"] - then))
