"""The same days by other versions: what each expects, so that a buyer sees how much they agree."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from prediction.models import Forecast
from registry.model_versions.models import ModelVersion, ModelVersionQuerySet

MAX_COMPARED = 2  # versions beside the forecast's own: more lines than three nobody can read


def store_and_product(forecast: Forecast) -> tuple[str, str]:
    """Store and product of the forecast; what is empty in the row may be fixed by the version's scope."""
    scope = forecast.version.model.scope
    store = forecast.store or (scope.code if scope.kind == "store" else "")
    product = forecast.product or (scope.code if scope.kind == "product" else "")
    return store, product


def comparable_versions(forecast: Forecast) -> ModelVersionQuerySet:
    """Other versions that know the same sales, best first."""
    store, product = store_and_product(forecast)
    knows = Q(model__kind="global")
    if store:
        knows |= Q(model__kind="store", model__code=store)
    if product:
        knows |= Q(model__kind="product", model__code=product)
    found: ModelVersionQuerySet = ModelVersion.objects.ready().exclude(pk=forecast.version_id)
    same = found.filter(knows, model__dataset=forecast.version.model.dataset_id)
    return same.select_related("model__dataset", "model__best").best_first()


def compare_versions(forecast: Forecast, versions: list[ModelVersion]) -> list[dict[str, Any]]:
    """Each version's total, range and days of the forecast's window, or the problem that it met."""
    return [
        {"version": version, **forecast_same_days(forecast, version)} for version in versions[:MAX_COMPARED]
    ]


def forecast_same_days(forecast: Forecast, version: ModelVersion) -> dict[str, Any]:
    """What the version expects of the forecast's days, from the same sales."""
    from prediction.content import forecast_days
    from prediction.engine import run_forecast

    store, product = store_and_product(forecast)
    try:
        outlook = run_forecast(version, store, product, forecast.horizon, forecast.dataset_version)
    except ValueError as problem:
        return {"problem": str(problem)}
    days = forecast_days(outlook, outlook.prediction.sum_rows(outlook.rows))
    total = round(sum(day["mean"] for day in days), 3)
    _expected, low, high = outlook.prediction.sum_with_interval(outlook.rows)
    window = [{"date": day["date"], "mean": day["mean"]} for day in days]
    change = total / forecast.total - 1 if forecast.total else None
    return {"total": total, "low": low, "high": high, "change": change, "days": window}
