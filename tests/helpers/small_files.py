"""An installation full of small files, made without learning anything."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
from django.utils import timezone

from prediction.content import Analysis, ForecastContent
from prediction.models import Forecast, ForecastRun, RunSums
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.scope import Scope
from registry.datasets.stock.models import StockSnapshot
from registry.model_versions.models import ForecastModel, ModelVersion

EMPTY_CONTENT = ForecastContent(
    version="",
    created_at="",
    origin="2025-12-31",
    horizon=7,
    history=[],
    test=[],
    forecast=[],
    analysis=Analysis(total=0.0, low=0.0, high=0.0),
)


def data(name: str = "shop") -> DatasetVersion:
    """A dataset version without rows, but with a file."""
    dataset, _new = Dataset.objects.get_or_create(name=name)
    days = {"first": date(2025, 1, 1), "last": date(2025, 12, 31)}
    found = DatasetVersion(dataset=dataset, number=1, **days)
    found.write(b"sales")
    found.mark_ready()
    return found


def aged(row, days: float):
    """As if it had been made so long ago."""
    type(row).objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=days))
    return type(row).objects.get(pk=row.pk)


def version(source: DatasetVersion, days: float, algorithm: str = "kan", wape: float = 0.3) -> ModelVersion:
    """A ready version that went through no gate."""
    found = ModelVersion.objects.create_pending(source, Scope(), algorithm=algorithm, wape=wape)
    found.write(f"weights of {found.name}".encode() * 100)
    found.mark_ready()
    return aged(found, days)


def forecast(made_with: ModelVersion, days: float, product: str = "P1") -> Forecast:
    days_ahead = {"horizon": 7, "origin": date(2025, 12, 31)}
    found = Forecast(
        version=made_with, dataset_version=made_with.dataset_version, product=product, **days_ahead
    )
    found = Forecast.objects.create_pending(found).save_content(EMPTY_CONTENT)
    return aged(found, days)


def run(made_with: ModelVersion, days: float) -> ForecastRun:
    """A done forecast run with its three files."""
    data = made_with.dataset_version
    found = ForecastRun(version=made_with, dataset_version=data, stage="done", origin=data.last)
    found.write(b"table" * 20)
    found.mark_ready()
    sums = RunSums(run=found)
    sums.write(b"sums" * 10)
    sums.mark_ready()
    totals = Forecast(version=made_with, dataset_version=data, horizon=7, origin=data.last, run=found)
    totals.source = Forecast.Source.SERVER
    Forecast.objects.create_pending(totals).save_content(EMPTY_CONTENT)
    return aged(found, days)


def stock(source: DatasetVersion, units: float = 1, later: int = 0) -> StockSnapshot:
    """The same units of every product in every store, counted so many days after the last sales."""
    keys = [(store, product) for store in source.stores for product in source.products]
    table = {
        "store_id": [store for store, _product in keys],
        "product_id": [product for _store, product in keys],
    }
    numbers = {"on_hand": [float(units)] * len(keys), "on_order": [0.0] * len(keys)}
    empty = {name: pa.nulls(len(keys), pa.date32()) for name in ("due_date", "expiry")}
    content = pa.BufferOutputStream()
    pq.write_table(pa.table({**table, **numbers, **empty}), content)
    found = StockSnapshot(dataset=source.dataset, as_of=source.last + timedelta(days=later), rows=len(keys))
    found.write(content.getvalue().to_pybytes())
    found.mark_ready()
    return found


def use(found: ModelVersion) -> None:
    ForecastModel.objects.filter(pk=found.model_id).update(best=found)


def fill() -> dict[str, list]:
    """Six versions of one line (the oldest in use) and forecasts, old and new: nine files would go."""
    source = data()
    versions = [version(source, days=100 - at) for at in range(6)]  # v1 is the oldest
    use(versions[0])
    versions[1].pin()
    old = [forecast(versions[at % 6], days=40 + at) for at in range(8)]
    new = [forecast(versions[5], days=2), forecast(versions[4], days=3)]
    pinned = forecast(versions[5], days=90)
    pinned.pin()
    return {"versions": versions, "old": old, "new": new, "pinned": [pinned]}
