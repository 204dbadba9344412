"""Measure the server time of every page and forecast, warm; writes docs/results/page-speed.md.

    make bench-pages
    make bench-pages ROUNDS=50

In one process, without network and browser. CPU time is listed beside wall time, because other work on the
machine affects it much less. REPORT=0 only prints the table; CHAIN=folder reuses the installation there.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "results" / "page-speed.md"
ROUNDS, WARM = 30, 3
MOST_MS, FORECAST_MS, MOST_QUERIES = 200, 150, 20
SERIES = ("Forecast of one series", "Forecast of one series, network")


@dataclass
class RequestTimes:
    """Times in ms of one request, round by round."""

    name: str
    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    queries: int = 0
    size: int = 0

    @property
    def limit(self) -> int:
        return FORECAST_MS if self.name in SERIES else MOST_MS

    @property
    def row(self) -> str:
        """One line of the table."""
        cells = [
            compute_quantile(values, share)
            for values in (self.clock, self.processor)
            for share in (0.5, 0.95)
        ]
        slow = " **slow**" if cells[3] > self.limit or self.queries > MOST_QUERIES else ""
        times = " | ".join(f"{cell:.0f}" for cell in cells)
        return f"| {self.name}{slow} | {times} | {self.queries} | {self.size // 1024} |"


def compute_quantile(values: list[float], share: float) -> float:
    """
    >>> compute_quantile([1.0, 2.0, 3.0], 0.5), compute_quantile([1.0, 2.0, 3.0], 0.95)
    (2.0, 3.0)
    """
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]


def main() -> None:
    """Builds or reuses the installation, then requests every page."""
    with open_installation() as folder:
        text = format_report(measure_requests(prepare_installation(folder), folder))
    print(text)
    if os.environ.get("REPORT") != "0":
        REPORT.write_text(text)


@contextmanager
def open_installation() -> Iterator[Path]:
    """Sets Django up on the folder that CHAIN names, or on a temporary one."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(os.environ.get("CHAIN") or place)
        folder.mkdir(parents=True, exist_ok=True)
        os.environ |= {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "forecastsite.settings"}
        import django

        django.setup()
        yield folder


def prepare_installation(folder: Path) -> User:
    from django.core.management import call_command

    from bench import year_of_use

    call_command("migrate", verbosity=0)  # a reused installation may be older than the code
    if not (folder / "built").exists():
        year_of_use.build_installation(folder)
        (folder / "built").touch()
    return year_of_use.User.objects.get(username="bench")


def measure_requests(person: User, folder: Path) -> list[RequestTimes]:
    """Times of every page, then of forecasts."""
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(person)
    rounds = int(os.environ.get("ROUNDS", ROUNDS))
    found = []
    for name, ask in list_requests(client, person, folder):
        found.append(time_request(name, ask, rounds))
        sys.stderr.write(f"{found[-1].row}\n")
    return found


def time_request(name: str, ask: Callable[[], Any], rounds: int) -> RequestTimes:
    """Requests a page a few times to warm up, then `rounds` times."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for _turn in range(WARM):
        answer = ask()
        assert answer.status_code == 200, f"{name}: {answer.status_code}"
    with CaptureQueriesContext(connection) as queries:
        ask()
    times = RequestTimes(name, queries=len(queries), size=len(answer.getvalue()))
    for _turn in range(rounds):
        clock, processor = time.perf_counter(), time.process_time()
        ask().getvalue()
        times.clock.append(1000 * (time.perf_counter() - clock))
        times.processor.append(1000 * (time.process_time() - processor))
    return times


def list_requests(client: Client, person: User, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Name and request of each page, then of forecasts as people make them."""
    for name, address in list_addresses(person, folder).items():
        yield name, lambda address=address: client.get(address)
    from registry.model_versions.models import ModelVersion

    naive, network = (
        ModelVersion.objects.get(name=f"{kind}_global_v1") for kind in ("seasonal_naive", "kan")
    )
    asked = {"store": "S03", "product": "P007", "horizon": 28}
    for name, given in [
        (SERIES[0], {**asked, "version": naive.pk}),
        (SERIES[1], {**asked, "version": network.pk}),
        ("Forecast of a product over all stores", {**asked, "store": "", "version": network.pk}),
        ("Forecast of everything", {**asked, "store": "", "product": "", "version": network.pk}),
    ]:
        yield name, lambda given=given: client.post("/forecast/", given, headers={"HX-Request": "true"})


def list_addresses(person: User, folder: Path) -> dict[str, str]:
    """Every page, each at its fullest."""
    from bench import year_of_use
    from prediction.models import Forecast
    from prediction.runs.models import ForecastRun
    from registry.datasets.models import Dataset
    from registry.model_versions.models import ModelVersion
    from training.models import TrainingRun

    version = ModelVersion.objects.get(name="kan_global_v1")
    four = "&".join(f"v={row.pk}" for row in ModelVersion.objects.ready().best_first()[:4])
    whole = Forecast.objects.ready().filter(version=version, store="", product="").order_by("-created_at")[0]
    rival = ModelVersion.objects.get(name="seasonal_naive_global_v1")
    series = Forecast.objects.ready().exclude(store="").exclude(product="").order_by("-created_at")[0]
    run = TrainingRun.objects.get(version=version)
    newest = ForecastRun.objects.done().filter(as_of=None).order_by("-created_at")[0]
    data, file = Dataset.objects.get(), year_of_use.make_upload(folder, person)
    return {
        "Overview": "/",
        "Products": "/products/",
        "Products as Excel": "/products/?export=xlsx",
        "Forecast runs": "/products/runs/",
        "Forecast run, its page": f"/products/runs/{newest.pk}/",
        "Forecast run, one product in every store": f"/products/runs/{newest.pk}/?q=P007",
        "Accuracy": "/accuracy/",
        "Data": "/data/",
        "Data, one dataset": f"/data/{data.pk}/",
        "Data, its products and stores": f"/data/{data.pk}/catalogue/",
        "Data, upload": "/data/upload/",
        "Data, match": f"/data/upload/{file.pk}/match/",
        "Data, check": f"/data/upload/{file.pk}/check/",
        "Train": "/train/",
        "Training, its page": f"/runs/{run.pk}/",
        "Queue": "/runs/",
        "Models": "/models/",
        "Models, second page": "/models/?page=2",
        "Models as Excel": "/models/?export=xlsx",
        "Model": f"/models/{version.pk}/",
        "Model, put in use": f"/models/{version.pk}/promote/",
        "Models, four compared": f"/models/compare/?{four}",
        "Forecast, the form": "/forecast/",
        "Forecast of one series, its page": f"/forecasts/{series.pk}/",
        "Forecast of everything, its page": f"/forecasts/{whole.pk}/",
        "Forecast compared with a version": f"/forecasts/{whole.pk}/?with={rival.pk}",
        "Forecast as Excel": f"/forecasts/{whole.pk}/excel/",
        "Why, one series": f"/forecasts/{series.pk}/why/",
        "Plan, the form": f"/forecasts/{series.pk}/plan/",
        "Plans": "/plans/",
        "History": "/forecasts/",
        "History, page 20": "/forecasts/?page=20",
        "Help": "/help/",
    }


def format_report(found: list[RequestTimes]) -> str:
    """The report: conditions and table."""
    from bench import year_of_use

    load, rounds = os.getloadavg()[0], len(found[0].clock)
    lines = [
        "# Page speed",
        "",
        f"Written by `make bench-pages` on {dt.date.today()}; do not edit. Installation after a year of use: "
        f"{year_of_use.describe_content()}.",
        f"{os.cpu_count()} cores, load {load:.1f}; {rounds} warm rounds, milliseconds in the server, without "
        "network and browser.",
        "",
        f"Targets (p95): {MOST_MS} ms and {MOST_QUERIES} queries for every page, {FORECAST_MS} ms for the "
        "forecast of one series. **slow** marks a page over its CPU time or query target.",
        "",
        "| page | wall p50 | wall p95 | CPU p50 | CPU p95 | queries | KB |",
        "|---|--:|--:|--:|--:|--:|--:|",
        *(times.row for times in found),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
