"""Measure the product list of 3,000 products: server times of its pages, and the making of its forecast.

    python -m bench.product_list

In one process, without network and browser. PRODUCTS=500 measures another size; CHAIN=folder reuses the
installation there.
"""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

from bench.pages import RequestTimes, open_installation, time_request

PRODUCTS, STORES, DAYS, ROUNDS = 3000, 2, 420, 20
ADDRESSES = {
    "Product list": "/products/",
    "Product list, last page": "/products/?page=60",
    "Product list, by last year": "/products/?sort=-last_year",
    "Product list, searched": "/products/?q=P12",
    "Product list, to check": "/products/?flag=any&sort=-flags",
    "Product list, stores": "/products/?show=stores",
    "Product list, six compared": "/products/compare/?" + "&".join(f"code=P{n:03d}" for n in range(1, 7)),
    "Overview": "/",
}


def main() -> None:
    """Builds or reuses the installation, makes the forecast, requests the pages, prints a table."""
    with open_installation() as folder:
        build_installation(folder, int(os.environ.get("PRODUCTS", PRODUCTS)))
        print("\n".join(["| page | wall p50 | wall p95 | CPU p50 | CPU p95 | queries | KB |", *measure()]))


def build_installation(folder: Path, products: int) -> None:
    """A chain, a version in use, and the server's own forecast."""
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from prediction.models import Forecast
    from prediction.tasks import make_current_forecast
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
    start = time.perf_counter()
    make_current_forecast(1)
    made = Forecast.objects.get(source=Forecast.Source.SERVER)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = time.perf_counter() - start
    print(f"forecast made in {seconds:.1f} s, file {made.size / 1e6:.1f} MB, peak {memory:.0f} MB")


def measure() -> list[str]:
    """A line of the table for each address."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username="bench"))
    found: list[RequestTimes] = [
        time_request(name, lambda address=address: client.get(address), ROUNDS)
        for name, address in ADDRESSES.items()
    ]
    return [times.row for times in found]


if __name__ == "__main__":
    main()
