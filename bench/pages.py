"""The bench of the pages: how long the server needs for each of them when it is warm, and for a forecast.

    make paces
    make paces ROUNDS=50

In one process, without network and browser: what the product itself takes. Beside the time on the clock
stands the processor's time, which other work on the same machine lengthens much less.
Writes docs/pages.md; REPORT=0 only prints it. CHAIN=folder keeps the installation for the next run.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

ROOT = Path(__file__).resolve().parent.parent
ROUNDS, WARM = 30, 3
MOST_MS, FORECAST_MS, MOST_QUERIES = 200, 150, 20
SERIES = ("Forecast of one series", "Forecast of one series, network")


@dataclass
class Times:
    """What each round of one request took."""

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
        """A line of the table."""
        cells = [quantile(values, share) for values in (self.clock, self.processor) for share in (0.5, 0.95)]
        slow = " **slow**" if cells[3] > self.limit or self.queries > MOST_QUERIES else ""
        times = " | ".join(f"{cell:.0f}" for cell in cells)
        return f"| {self.name}{slow} | {times} | {self.queries} | {self.size // 1024} |"


def quantile(values: list[float], share: float) -> float:
    """
    >>> quantile([1.0, 2.0, 3.0], 0.5), quantile([1.0, 2.0, 3.0], 0.95)
    (2.0, 3.0)
    """
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]


def main() -> None:
    """Builds the installation, or takes the one that was kept, and asks for every page."""
    kept = os.environ.get("CHAIN", "")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(kept or place)
        folder.mkdir(parents=True, exist_ok=True)
        os.environ |= {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "forecastsite.settings"}
        import django

        django.setup()
        text = report(measured(prepared(folder), folder))
    print(text)
    if os.environ.get("REPORT") != "0":
        (ROOT / "docs" / "pages.md").write_text(text)


def prepared(folder: Path) -> User:
    from django.core.management import call_command

    from bench import year_of_use

    call_command("migrate", verbosity=0)  # a kept installation may be older than the code
    if not (folder / "built").exists():
        year_of_use.build(folder)
        (folder / "built").touch()
    return year_of_use.User.objects.get(username="bench")


def measured(person: User, folder: Path) -> list[Times]:
    """Every page in turn, then forecasts."""
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(person)
    rounds = int(os.environ.get("ROUNDS", ROUNDS))
    found = []
    for name, ask in requests(client, person, folder):
        found.append(timed(name, ask, rounds))
        sys.stderr.write(f"{found[-1].row}\n")
    return found


def timed(name: str, ask: Callable[[], Any], rounds: int) -> Times:
    """Asks a few times to warm up, then as often as told."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for _turn in range(WARM):
        answer = ask()
        assert answer.status_code == 200, f"{name}: {answer.status_code}"
    with CaptureQueriesContext(connection) as queries:
        ask()
    times = Times(name, queries=len(queries), size=len(answer.getvalue()))
    for _turn in range(rounds):
        clock, processor = time.perf_counter(), time.process_time()
        ask().getvalue()
        times.clock.append(1000 * (time.perf_counter() - clock))
        times.processor.append(1000 * (time.process_time() - processor))
    return times


def requests(client: Client, person: User, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Each page with how to ask for it, then the forecasts that people make."""
    for name, address in addresses(person, folder).items():
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


def addresses(person: User, folder: Path) -> dict[str, str]:
    """Every page, with what there is the most of on it."""
    from bench import year_of_use
    from prediction.models import Forecast
    from registry.datasets.models import Dataset
    from registry.model_versions.models import ModelVersion
    from training.models import TrainingRun

    version = ModelVersion.objects.get(name="kan_global_v1")
    four = "&".join(f"v={row.pk}" for row in ModelVersion.objects.ready().best_first()[:4])
    whole = Forecast.objects.ready().filter(version=version, store="", product="").order_by("-created_at")[0]
    rival = ModelVersion.objects.get(name="seasonal_naive_global_v1")
    series = Forecast.objects.ready().exclude(store="").exclude(product="").order_by("-created_at")[0]
    run = TrainingRun.objects.get(version=version)
    data, file = Dataset.objects.get(), year_of_use.upload(folder, person)
    return {
        "Overview": "/",
        "Data": "/data/",
        "Data, one dataset": f"/data/{data.pk}/",
        "Data, its products and stores": f"/data/{data.pk}/catalogue/",
        "Data, bring in sales": "/data/upload/",
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
        "History": "/forecasts/",
        "History, page 20": "/forecasts/?page=20",
        "Help": "/help/",
    }


def report(found: list[Times]) -> str:
    """The table, and on what it was measured."""
    from bench import year_of_use

    load, rounds = os.getloadavg()[0], len(found[0].clock)
    lines = [
        "# How quick the pages are",
        "",
        f"`make paces` on {dt.date.today()}: {year_of_use.told()}; {os.cpu_count()} cores, load {load:.1f} "
        f"(more than the cores would mean that other work ran too). Warm, {rounds} rounds, in milliseconds.",
        f"Aims: every page p95 at most {MOST_MS} ms and at most {MOST_QUERIES} queries, the forecast of one "
        f"series p95 at most {FORECAST_MS} ms; **slow** marks what takes more of the processor or asks more.",
        "",
        "| page | clock p50 | clock p95 | processor p50 | processor p95 | queries | KB |",
        "|---|--:|--:|--:|--:|--:|--:|",
        *(times.row for times in found),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
