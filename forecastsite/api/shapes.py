"""Rows of the database as the API shows them."""

from __future__ import annotations

from typing import Any

from prediction.accuracy.models import AccuracyAlert
from prediction.accuracy.reading import ErrorSums
from prediction.accuracy.wording import alert_sentence
from prediction.models import Forecast, ForecastRun, OrderRun
from prediction.order_backtests.models import OrderBacktest
from registry.datasets.catalog import Item
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.stock.models import StockSnapshot, Terms
from registry.datasets.upload_jobs.models import UploadJob
from registry.model_versions.models import ModelVersion
from training.models import TrainingRun

Shape = dict[str, Any]
JobRow = TrainingRun | ForecastRun | OrderRun | OrderBacktest | UploadJob
PLACES: dict[type[Any], tuple[str, str]] = {  # kind and address of what a job of the light queue makes
    ForecastRun: ("forecast_run", "forecast-runs"),
    OrderRun: ("order", "orders"),
    OrderBacktest: ("order_backtest", "order-backtests"),
}
ITEM_FIELDS = ("kind", "code", "name", "category", "first", "last", "total", "zeros")
TERMS_FIELDS = tuple(
    field.name for field in Terms._meta.concrete_fields if field.name not in ("id", "dataset")
)


def pick(row: Any, *names: str) -> Shape:
    """These attributes of a row."""
    return {name: getattr(row, name) for name in names}


def show_dataset_version(version: DatasetVersion) -> Shape:
    """Counts instead of all codes."""
    facts = pick(version, "id", "number", "content_hash", "rows", "first", "last", "series", "created_at")
    return facts | {"stores": len(version.stores), "products": len(version.products)}


def show_dataset(dataset: Dataset) -> Shape:
    """A dataset with its current version."""
    current = dataset.current_version
    facts = pick(dataset, "id", "name", "country", "created_at") | {"paused": dataset.is_paused}
    return facts | {"version": show_dataset_version(current) if current else None}


def show_item(item: Item) -> Shape:
    """A store or product."""
    return pick(item, *ITEM_FIELDS)


def show_training(run: TrainingRun) -> Shape:
    """A training; needs its dataset version."""
    names = ("id", "kind", "code", "algorithm", "horizon", "budget", "seed", "state", "step", "progress")
    facts = pick(run, *names, "seconds_left", "created_at", "started_at", "finished_at")
    facts |= {"dataset": run.dataset_version.dataset_id, "dataset_version": run.dataset_version_id}
    return facts | {"settings": run.config, "error": run.error_text, "version": run.version_id}


def show_version(version: ModelVersion) -> Shape:
    """A model version; needs its model."""
    facts = pick(version, "id", "name", "algorithm", "number", "horizon", "wape", "created_at")
    facts |= pick(version.model, "kind", "code") | {"dataset": version.model.dataset_id}
    facts |= {"in_use": version.is_best, "learned_from": version.dataset_version_id}
    return facts | {"metrics": version.metrics}


def show_forecast_run(run: ForecastRun) -> Shape:
    """A forecast run; needs its dataset version and, once it is done, its totals."""
    facts = pick(run, "id", "horizon", "stage", "origin", "series", "rows", "created_at", "finished_at")
    facts |= {"dataset": run.dataset_version.dataset_id, "dataset_version": run.dataset_version_id}
    totals = getattr(run, "totals", None)
    facts |= {"total": totals.total if totals is not None else None, "current": bool(run.current_rows.all())}
    return facts | {"version": run.version_id, "error": run.error_text}


def show_forecast(forecast: Forecast) -> Shape:
    """A saved forecast without its days; needs its dataset version."""
    names = ("id", "product", "store", "horizon", "origin", "total", "low", "high", "created_at")
    owner = {"dataset": forecast.dataset_version.dataset_id, "version": forecast.version_id}
    return pick(forecast, *names) | owner


def show_accuracy(row: Shape) -> Shape:
    """A week and lag with its metrics."""
    sums = ErrorSums.add_up([row])
    facts = pick(sums, "count", "units", "wape", "bias", "mase", "skill")
    return {"week": row["week"], "lag": row["lag"], **facts, "inside_80": sums.inside("80")}


def show_alert(alert: AccuracyAlert) -> Shape:
    """An alert with its sentence; needs its dataset."""
    facts = pick(alert, "id", "kind", "state", "first", "last", "weeks", "change")
    sentence = alert_sentence(alert, alert.dataset)
    return facts | {"dataset": alert.dataset_id, "group": alert.group_text, "sentence": sentence}


def show_stock(stock: StockSnapshot) -> Shape:
    """Stock as it was counted."""
    facts = pick(stock, "id", "as_of", "rows", "below_zero", "unknown", "file", "created_at")
    return facts | {"dataset": stock.dataset_id}


def show_terms(terms: Terms) -> Shape:
    """A row of terms."""
    return pick(terms, *TERMS_FIELDS)


def show_job(row: JobRow) -> Shape:
    """Long work of any kind."""
    made = row.queued_at if isinstance(row, UploadJob) else row.created_at
    facts = {"id": row.pk, "created_at": made}
    facts |= {"finished_at": row.finished_at, "error": row.error_text}
    if isinstance(row, TrainingRun):
        result = f"/api/v1/versions/{row.version_id}" if row.version_id else None
        return facts | {"kind": "training", "state": row.state, "progress": row.progress, "result": result}
    if isinstance(row, UploadJob):
        result = f"/api/v1/datasets/{row.version.dataset_id}" if row.version else None
        progress = min(1.0, row.done / row.total) if row.total else None
        return facts | {"kind": "import", "state": row.stage, "progress": progress, "result": result}
    kind, place = PLACES[type(row)]
    result = f"/api/v1/{place}/{row.pk}" if row.is_done else None
    return facts | {"kind": kind, "state": row.stage, "progress": None, "result": result}
