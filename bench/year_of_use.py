"""The installation for bench.pages: a chain, 50 model versions, 1,000 forecasts, and newer sales.

Four versions are trained and twenty forecasts computed; the rest are copies with their own rows and files,
so that every page has as much to read as after a year of use.
"""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from prediction.accuracy.joining import compare_dataset
from prediction.models import Forecast
from prediction.tasks import make_current_forecast
from registry.datasets.importer import import_file
from registry.datasets.models import Dataset
from registry.datasets.sample.generator import LAST_DAY, SampleDataset
from registry.datasets.scope import Scope
from registry.datasets.uploads import Upload
from registry.model_versions.changes import ChangeReason, VersionChange
from registry.model_versions.models import ModelVersion
from training.models import TrainingRun

STORES, PRODUCTS, DAYS = 10, 50, 1096
VERSIONS, FORECASTS, FAILED = 50, 1000, 10
WEEKS = 26  # of which each has a forecast run, compared with what was sold
SINCE = 28  # days of sales imported after the training
LEARNED = [
    ("global", "seasonal_naive", "5"),
    ("global", "kan", "20"),
    ("store:S01", "seasonal_naive", "5"),
    ("product:P001", "seasonal_naive", "5"),
]


def build_installation(folder: Path) -> User:
    """Fills an empty database; returns the user who makes the requests."""
    person = User.objects.create_superuser("bench")
    whole, before = folder / "chain.parquet", folder / "before.parquet"
    SampleDataset(stores=STORES, products=PRODUCTS, days=DAYS).write_parquet(whole)
    table = pq.read_table(whole)
    last = pa.scalar(LAST_DAY - dt.timedelta(days=SINCE))
    pq.write_table(table.filter(pc.less_equal(table["date"], last)), before)
    import_file(before, "chain")
    for scope, algorithm, budget in LEARNED:
        call_command(
            "train", "--dataset=chain", f"--scope={scope}", f"--algorithm={algorithm}", f"--budget={budget}"
        )
    made = make_forecasts(person)
    import_file(whole, "chain")
    copy_versions(person)
    make_current_forecast(made[0].version.model.dataset_id)
    make_runs()
    copy_forecasts(made, person)
    add_failed_runs()
    return person


def make_forecasts(person: User) -> list[Forecast]:
    """Forecasts of the whole chain, of stores, of products and of series."""
    version = ModelVersion.objects.get(name="kan_global_v1")
    places = [("", ""), ("S01", ""), ("S02", ""), ("", "P001"), ("", "P002")]
    places += [(f"S{n % STORES + 1:02d}", f"P{n + 1:03d}") for n in range(15)]
    return [Forecast.objects.make_forecast(version, store, product, 28, person) for store, product in places]


def make_runs() -> None:
    """Weekly forecasts of everything as of days that are over, and their accuracy."""
    for week in range(WEEKS, 0, -1):
        as_of = LAST_DAY - dt.timedelta(days=7 * week)
        call_command("forecast_all", "--dataset=chain", "--model=kan_global_v1", f"--as-of={as_of}")
    compare_dataset(Dataset.objects.get(name="chain"))


def copy_versions(person: User) -> None:
    """Copies of the trained versions, each a little worse, until there are enough."""
    learned, dice = list(ModelVersion.objects.ready()), random.Random(7)
    while (there := ModelVersion.objects.count()) < VERSIONS:
        source = learned[there % len(learned)]
        error = (source.wape or 0.3) * (1 + dice.random() / 2)
        metrics = {**source.metrics, "wape": error}
        fields = {name: getattr(source, name) for name in ("algorithm", "horizon", "config", "seconds")}
        scope = Scope(source.model.kind, source.model.code)
        row = ModelVersion.objects.create_pending(
            source.dataset_version, scope, **fields, metrics=metrics, wape=error, created_by=person
        )
        row.write(source.read())
        row.publish()
        row.model.record_change(row, None, ChangeReason(VersionChange.Kind.PROMOTED, "tried", by=person))


def copy_forecasts(made: list[Forecast], person: User) -> None:
    """Copies of the forecasts until there are enough, an hour apart, newest first."""
    contents = [forecast.load_content() for forecast in made]
    for number in range(FORECASTS - len(made)):
        source, content = made[number % len(made)], contents[number % len(made)]
        names = (
            "version",
            "dataset_version",
            "store",
            "product",
            "horizon",
            "origin",
            "total",
            "low",
            "high",
        )
        row = Forecast(created_by=person, **{name: getattr(source, name) for name in names})
        row.save(force_insert=True)
        row.save_content(content)
        moment = timezone.now() - dt.timedelta(hours=number)
        Forecast.objects.filter(pk=row.pk).update(created_at=moment)


def add_failed_runs() -> None:
    """Failed trainings, for the attention list and the failed list."""
    data = ModelVersion.objects.ready()[0].dataset_version
    for _number in range(FAILED):
        TrainingRun.objects.create(
            dataset_version=data, algorithm="kan", state=TrainingRun.State.FAILED, error="No memory."
        )


def make_upload(folder: Path, person: User) -> Upload:
    """An uploaded file, checked and waiting to be saved."""
    path = folder / "newer.csv"
    rows = (f"2026-11-{day:02d},S01,P001,{day}" for day in range(1, 29))
    path.write_text("\n".join(["date,store_id,product_id,sales", *rows]))
    fields: dict[str, Any] = {"file": path.name, "name": "chain", "created_by": person}
    found = Upload.objects.create_from_chunks([path.read_bytes()], ".csv", **fields)
    found.detect_columns()
    found.run_checks()
    return found


def describe_content() -> str:
    """Sizes of the installation, for the report."""
    data = ModelVersion.objects.ready()[0].model.dataset.current_version
    counts = {"series": data.series, "rows": data.rows, "days": (data.last - data.first).days + 1}
    counts |= {"versions": ModelVersion.objects.count(), "forecasts": Forecast.objects.count()}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
