"""Measure a forecast run of 30,490 series and 28 days: making it, its page, its downloads.

    python -m bench.forecast_runs

In one process, without network and browser. PRODUCTS=300 measures another size; CHAIN=folder reuses the
installation there.
"""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

from bench.pages import RequestTimes, open_installation, time_request

STORES, PRODUCTS, DAYS, ROUNDS = 10, 3049, 160, 20
PAGES = {
    "Run": "",
    "Run, searched": "?q=P12",
    "Run, one store": "?store=S003",
    "Run, next 7 days by change": "?to=7&sort=-change",
    "Run, last page": "?page=600",
}


def main() -> None:
    """Builds or reuses the installation, makes a run, requests its pages and files, prints a table."""
    with open_installation() as folder:
        build_installation(folder, int(os.environ.get("PRODUCTS", PRODUCTS)))
        lines = measure(make())
        print("\n".join(["| page | wall p50 | wall p95 | CPU p50 | CPU p95 | queries | KB |", *lines]))


def build_installation(folder: Path, products: int) -> None:
    """A chain and a version in use."""
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from registry.datasets.importer import import_file
    from registry.datasets.importing.sandbox import launcher, pipeline
    from registry.datasets.models import Dataset
    from registry.datasets.sample.generator import SampleDataset
    from registry.model_versions.models import ModelVersion

    call_command("migrate", verbosity=0)
    if not Dataset.objects.exists():
        launcher.run_in_sandbox = pipeline.run_import  # without its time limit: other work may slow it down
        User.objects.get_or_create(username="bench", is_superuser=True)
        SampleDataset(stores=STORES, products=products, days=DAYS).write_parquet(folder / "chain.parquet")
        import_file(folder / "chain.parquet", "chain")
        call_command("train", "--dataset=chain", "--scope=global", "--algorithm=seasonal_naive", "--budget=5")
        ModelVersion.objects.get().promote("to be measured", None)


def make() -> str:
    """Makes the run; its id."""
    from django.core.management import call_command

    from prediction.engine import forget_cached
    from prediction.runs.models import ForecastRun

    begun = time.process_time()
    call_command("forecast_all")
    run, used = ForecastRun.objects.done().first(), time.process_time() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    forget_cached()
    print(f"{run.rows} rows: {used:.1f} s of CPU, file {run.size / 1e6:.1f} MB, peak {memory:.0f} MB")
    print(f"sums {run.sums.size / 1e6:.1f} MB, totals {run.totals.size / 1e6:.1f} MB")
    return str(run.pk)


def measure(run: str) -> list[str]:
    """A line of the table for each page; the downloads are printed."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username="bench"))
    address = f"/products/runs/{run}/"
    client.get(address)  # reads the files
    for kind in ("parquet", "csv"):
        begun, size = time.process_time(), 0
        for part in client.get(f"{address}{kind}/").streaming_content:
            size += len(part)
        print(f"{kind}: {size / 1e6:.1f} MB, {time.process_time() - begun:.1f} s of CPU")
    found: list[RequestTimes] = [
        time_request(name, lambda text=text: client.get(address + text), ROUNDS)
        for name, text in PAGES.items()
    ]
    return [times.row for times in found]


if __name__ == "__main__":
    main()
