"""Time the admin lists with 100,000 rows in each: `DATA_DIR=NEW_FOLDER python -m bench.admin [rows]`.

The folder must be new: its database is filled with generated rows.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta

import django

ADDRESSES = (
    "",
    "?p=2",
    "?state__exact=ready",
    "?q=P0042",
    "?created_at__year=2025",
    "?created_at__year=2025&created_at__month=3",
    "?o=-1",
)


def fill_database(rows: int) -> None:
    """Model versions, forecasts, runs and audit entries, spread over three years."""
    from django.utils import timezone

    from prediction.models import Forecast
    from registry.access.audit import AuditEntry
    from registry.datasets.models import Dataset, DatasetVersion
    from registry.model_versions.models import ForecastModel, ModelVersion
    from training.models import TrainingRun

    now = timezone.now()
    dataset = Dataset.objects.create(name="many")
    day = now.date()
    data = DatasetVersion.objects.create(dataset=dataset, number=1, first=day, last=day, state="ready")
    made = [ForecastModel(dataset=dataset, kind="product", code=f"P{code:04d}") for code in range(rows // 50)]
    models = ForecastModel.objects.bulk_create(made, batch_size=5000)
    of = {"dataset_version": data, "algorithm": "kan", "state": "ready"}
    versions = [
        ModelVersion(model=models[at // 50], number=at % 50, name=f"kan_{models[at // 50].code}", **of)
        for at in range(rows)
    ]
    ModelVersion.objects.bulk_create(versions, batch_size=5000)
    ahead = {"dataset_version": data, "origin": day, "horizon": 28, "state": "ready"}
    forecasts = [Forecast(version=versions[at], product=models[at // 50].code, **ahead) for at in range(rows)]
    Forecast.objects.bulk_create(forecasts, batch_size=5000)
    runs = [TrainingRun(**{**of, "state": "done"}, version=version) for version in versions]
    TrainingRun.objects.bulk_create(runs, batch_size=5000)
    lines = [AuditEntry(act="exported", name=version.name, who="ana") for version in versions]
    AuditEntry.objects.bulk_create(lines, batch_size=5000)
    spread_creation_dates(rows, now, (ModelVersion, Forecast, TrainingRun))


def spread_creation_dates(rows: int, now, tables) -> None:
    """Spreads the creation times of the rows over three years."""
    for table in tables:
        keys = list(table.objects.values_list("pk", flat=True))
        for start in range(0, rows, 1000):
            moment = now - timedelta(days=1100 * start / rows)
            table.objects.filter(pk__in=keys[start : start + 1000]).update(created_at=moment)


def measure_lists() -> None:
    """Prints status, time, number of queries and slowest query of each list."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.create_superuser("boss"))
    lists = ("registry/modelversion", "prediction/forecast", "training/trainingrun", "registry/auditentry")
    for table in lists:
        for address in ADDRESSES:
            where = f"/admin/{table}/{address}"
            if "audit" in table:
                where = where.replace("created_at", "at").replace("state__exact=ready", "act__exact=exported")
            elif "run" in table:
                where = where.replace("=ready", "=done")
            client.get(where)
            with CaptureQueriesContext(connection) as seen:
                begun = time.perf_counter()
                status = client.get(where).status_code
                took = time.perf_counter() - begun
            slowest = max((float(query["time"]), query["sql"][:90]) for query in seen)
            print(f"{where:75} {status} {took * 1000:7.0f} ms {len(seen):3} queries, {slowest}")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forecastsite.settings")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    fill_database(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    measure_lists()
