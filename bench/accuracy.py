"""Replay forecast runs and compare them with what was sold; measure the nightly job and the page.

    python -m bench.accuracy replay sales.parquet --weeks 12 --algorithm trees --budget 60
    python -m bench.accuracy scale --runs 52

`replay` learns from the sales before the first of the weeks, forecasts as of each week, and checks the sums
against registry/series/metrics.py. `scale` compares copies of one run of 30,490 series. CHAIN=folder reuses
the installation there.
"""

from __future__ import annotations

import os
import resource
import time
from argparse import ArgumentParser, Namespace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bench.forecast_runs import PRODUCTS, build_installation
from bench.pages import open_installation, time_request

ROUNDS = 20


def main() -> None:
    """One of the two measurements."""
    parser = ArgumentParser(prog="bench.accuracy")
    parser.add_argument("what", choices=["replay", "scale"])
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--weeks", type=int, default=12)
    parser.add_argument("--algorithm", default="seasonal_naive")
    parser.add_argument("--budget", type=int, default=30)
    parser.add_argument("--products", type=int, default=0, help="only so many, the first by code")
    parser.add_argument("--runs", type=int, default=52)
    given = parser.parse_args()
    with open_installation() as folder:
        replay(folder, given) if given.what == "replay" else measure_scale(folder, given.runs)


def replay(folder: Path, given: Namespace) -> None:
    """Twelve weekly runs of a file's last weeks, the errors by lag, and the check of the sums."""
    import pyarrow.parquet as pq
    from django.core.management import call_command

    from prediction.accuracy.joining import compare_dataset
    from prediction.runs.models import ForecastRun
    from registry.datasets.importer import import_file
    from registry.datasets.importing.sandbox import launcher, pipeline
    from registry.datasets.models import Dataset

    call_command("migrate", verbosity=0)
    launcher.run_in_sandbox = pipeline.run_import  # without its time limit: other work may slow it down
    table = pq.read_table(given.file).to_pandas()
    if given.products:
        table = table[table["product_id"].isin(sorted(table["product_id"].unique())[: given.products])]
    last = table["date"].max()
    origins = [last - timedelta(weeks=week) for week in range(given.weeks, 0, -1)]
    for name, part in (("before", table[table["date"] <= origins[0]]), ("whole", table)):
        part.to_parquet(folder / f"{name}.parquet", index=False)
    import_file(folder / "before.parquet", "replay")
    learning = ("--dataset=replay", f"--algorithm={given.algorithm}", f"--budget={given.budget}")
    call_command("train", "--scope=global", *learning)
    import_file(folder / "whole.parquet", "replay")
    for day in origins:
        call_command("forecast_all", f"--as-of={day}")
    begun = time.process_time()
    count = compare_dataset(Dataset.objects.get())
    print(f"{count} runs compared in {time.process_time() - begun:.1f} s of CPU")
    report(Dataset.objects.get(), list(ForecastRun.objects.done().order_by("origin")))


def report(dataset: Any, runs: list[Any]) -> None:
    """The errors by lag, the verdict on ranges, and how far the sums are from the metrics."""
    from prediction.accuracy.page import page_context
    from prediction.accuracy.reading import Group

    context = page_context(dataset, Group(), "store_id", None)
    for title, sums in context["lags"]:
        numbers = {name: getattr(sums, name) for name in ("wape", "bias", "mase", "skill")}
        print(title, {name: round(value, 3) for name, value in numbers.items()})
    print(context["honesty"]["verdict"])
    for label, shares in context["honesty"]["tables"][0][1]:
        print(f"{label:20}", {name: round(share.share, 3) for name, share in shares.items() if share})
    wanted = measure_directly(dataset, runs)
    found = context["total"]
    gaps = {name: abs(getattr(found, name) - value) for name, value in wanted.items()}
    print("gap to the metrics:", {name: f"{gap:.1e}" for name, gap in gaps.items()})
    print("informed:", context["informed"])


def measure_directly(dataset: Any, runs: list[Any]) -> dict[str, float]:
    """The metrics of all days of all runs, by registry/series/metrics.py."""
    from prediction.engine import load_panel
    from prediction.runs.frozen import load_prediction
    from registry.datasets.scope import Scope
    from registry.series import metrics
    from registry.series.quantiles import MEDIAN_INDEX

    panel, parts = load_panel(dataset.current_version, Scope()), []
    places = {key: row for row, key in enumerate(panel.keys)}
    for run in runs:
        found, column = load_prediction(run), panel.column_index(run.origin) + 1
        days, rows = min(run.horizon, panel.days - column), [places[key] for key in found.keys]
        past = panel.open_sales[rows, :column]
        scale = np.repeat(metrics.seasonal_scales(past)[0][:, None], days, axis=1)
        columns = (
            panel.open_sales[rows, column : column + days],
            found.quantiles[:, :days, MEDIAN_INDEX],
            found.mean[:, :days],
            metrics.repeat_last_week(past, days),
            scale,
        )
        parts.append([values.ravel().astype(float) for values in columns])
    actual, median, mean, naive, scale = (np.concatenate(values) for values in zip(*parts, strict=True))
    return {
        "wape": metrics.wape(actual, median),
        "bias": metrics.bias(actual, mean),
        "mase": metrics.mase(actual[:, None], median[:, None], scale),
        "naive_wape": metrics.wape(actual, naive),
    }


def measure_scale(folder: Path, count: int) -> None:
    """The nightly job over copies of one run of all series, and the page."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    from prediction.accuracy.joining import compare_dataset
    from prediction.accuracy.models import ComparedDays
    from prediction.runs.models import ForecastRun
    from registry.datasets.models import Dataset

    build_installation(folder, int(os.environ.get("PRODUCTS", PRODUCTS)))
    for row in ComparedDays.objects.all():
        row.remove()
    dataset = Dataset.objects.get()
    runs = ForecastRun.objects.done().exclude(as_of=None)
    if not runs.exists():
        day = dataset.current_version.last - timedelta(days=28)
        call_command("forecast_all", as_of=day)
    for _number in range(count - runs.count()):
        copy_run(runs.first())
    begun, clock = time.process_time(), time.monotonic()
    found = compare_dataset(dataset)
    used, took = time.process_time() - begun, time.monotonic() - clock
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{found} runs compared: {used:.1f} s of CPU, {took:.1f} s, peak {memory:.0f} MB")
    print(f"{sum(row.size for row in ComparedDays.objects.all()) / 1e6:.0f} MB of files")
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username="bench"))
    for address in ("/accuracy/", "/accuracy/?of=store_id:S003", "/accuracy/?by=category"):
        print(time_request(address, lambda text=address: client.get(text), ROUNDS).row)


def copy_run(run: Any) -> None:
    """Another run with the same files."""
    from prediction.runs.models import ForecastRun, RunSums
    from registry.storage.artifacts import get_artifact_store

    sums, store = run.sums, get_artifact_store()
    new = ForecastRun.objects.get(pk=run.pk)
    new.pk = None
    new._state.adding = True
    new.id = ForecastRun._meta.pk.get_default()
    new.save(force_insert=True)
    part = RunSums.objects.create(run=new, state=sums.state, size=sums.size, sha256=sums.sha256)
    for old, copied in ((run, new), (sums, part)):
        with store.open(old.path, "rb") as stream:
            store.save(copied.path, stream)


if __name__ == "__main__":
    main()
