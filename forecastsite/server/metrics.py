"""Figures for Prometheus: seconds of this web server's requests, and what the database knows.

Nothing names a product, a store or a person; datasets are numbers.
docs/alerts.yml has rules for these figures.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min, Sum
from django.utils import timezone
from django_q.models import OrmQ
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from forecastsite.server.beats import QUEUES, read_beats
from forecastsite.verification.models import BackupNote, find_last_verification
from prediction.accuracy.groups import EVERYTHING
from prediction.accuracy.models import AccuracyAlert, AccuracyCell
from prediction.accuracy.reading import ErrorSums, Group, load_rows
from prediction.models import CurrentForecast, ForecastRun
from registry.datasets.models import Dataset
from registry.datasets.uploads import Upload
from registry.storage.reconcile import list_artifact_models
from training.models import TrainingRun

KEPT_SECONDS = 10.0  # that the figures of the database are given again
ACCURACY_WEEKS = 4  # newest weeks that accuracy and coverage are taken from
PREFIX = "forecastsite"
Rows = Iterable[tuple[list[str], float]]  # values of the labels, and the number
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

registry = CollectorRegistry(auto_describe=False)
request_seconds = Histogram(
    f"{PREFIX}_request_seconds",
    "Seconds until the answer begins, by page.",
    ["page", "method", "status"],
    buckets=SECONDS,
    registry=registry,
)


def observe_request(page: str, method: str, status: int, seconds: float) -> None:
    """Counts a request; statuses by their hundred, unknown methods as one."""
    known = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "other"
    request_seconds.labels(page, known, f"{status // 100}xx").observe(seconds)


class DatabaseCollector(Collector):
    """What the database knows, read again when the last figures are old."""

    def __init__(self) -> None:
        self.read_at, self.families = float("-inf"), list[GaugeMetricFamily]()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """All figures."""
        if time.monotonic() - self.read_at > KEPT_SECONDS:
            self.families, self.read_at = list(list_figures()), time.monotonic()
        return self.families


registry.register(DatabaseCollector())


def list_figures() -> Iterator[GaugeMetricFamily]:
    """Every figure."""
    now = timezone.now()
    yield from list_jobs(now)
    yield from list_queues(now)
    yield from list_files()
    yield from list_checks(now)
    yield from list_forecasts(now)
    alerts = AccuracyAlert.objects.filter(state=AccuracyAlert.State.OPEN).count()
    yield single("open_alerts", "Alerts of drift that nobody has acknowledged.", alerts)
    yield single("open_uploads", "Files that wait for a person to check them.", Upload.objects.count())


def gauge(name: str, text: str, labels: list[str], rows: Rows) -> GaugeMetricFamily:
    """A figure with its values by labels."""
    family = GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def single(name: str, text: str, number: float) -> GaugeMetricFamily:
    """A figure without labels."""
    return gauge(name, text, [], [([], number)])


def age(now: datetime, since: datetime | None) -> float:
    """Seconds since then; 0 without a time."""
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def list_jobs(now: datetime) -> Iterator[GaugeMetricFamily]:
    """Trainings and forecast runs by state, and how long ago a running training gave a sign of life."""
    runs = TrainingRun.objects.order_by().values_list("state", "algorithm").annotate(number=Count("pk"))
    yield gauge(
        "trainings",
        "Trainings by state and method.",
        ["state", "algorithm"],
        (([state, algorithm], number) for state, algorithm, number in runs),
    )
    made = ForecastRun.objects.order_by().values_list("stage").annotate(number=Count("pk"))
    rows = (([stage], number) for stage, number in made)
    yield gauge("forecast_runs", "Forecast runs by stage.", ["stage"], rows)
    running = TrainingRun.objects.filter(state=TrainingRun.State.RUNNING)
    oldest = running.aggregate(at=Min("heartbeat_at"))["at"]
    yield single("lease_age_seconds", "Age of the oldest heartbeat of a running training.", age(now, oldest))


def list_queues(now: datetime) -> Iterator[GaugeMetricFamily]:
    """How much waits in each queue, for how long, and when it gave a sign of life."""
    jobs = OrmQ.objects.filter(lock__lt=now).order_by().values_list("key")
    found = {key: (number, first) for key, number, first in jobs.annotate(n=Count("pk"), at=Min("lock"))}
    waiting = TrainingRun.objects.filter(state=TrainingRun.State.QUEUED)
    runs = waiting.aggregate(n=Count("pk"), at=Min("created_at"))
    found["training"] = (runs["n"], runs["at"])
    rows = [([queue], *found.get(queue, (0, None))) for queue in QUEUES]
    yield gauge("queue_waiting", "Jobs that wait.", ["queue"], ((key, number) for key, number, _at in rows))
    yield gauge(
        "queue_oldest_seconds",
        "How long the oldest waiting job has waited.",
        ["queue"],
        ((key, age(now, at)) for key, _number, at in rows),
    )
    beats = [([queue], age(now, at)) for queue, (at, _is_recent) in read_beats().items() if at is not None]
    yield gauge("queue_beat_age_seconds", "Time since a queue gave a sign of life.", ["queue"], beats)


def list_files() -> Iterator[GaugeMetricFamily]:
    """Bytes of the files of each kind, and what is free on the disk of this host."""
    sizes = [
        (kind._meta.model_name, kind._default_manager.aggregate(n=Sum("size"))["n"])
        for kind in list_artifact_models()
    ]
    rows = [([str(name)], float(size or 0)) for name, size in sizes]
    yield gauge("disk_bytes", "Bytes of the files that rows own, by kind.", ["kind"], rows)
    free = shutil.disk_usage(settings.DATA_DIR).free
    yield single("disk_free_bytes", "Free bytes on the disk of this host's data folder.", free)


def list_checks(now: datetime) -> Iterator[GaugeMetricFamily]:
    """What the nightly check found, and how old check and backup are; nothing before the first."""
    if (last := find_last_verification()) is not None:
        yield single("verification_age_seconds", "Age of the last nightly check.", age(now, last.finished_at))
        yield single("versions_moved", "Versions in use that compute other forecasts.", last.moved)
        yield single("damaged_files", "Files that are missing or changed.", last.damaged)
    if (backup := BackupNote.objects.first()) is not None:
        yield single("backup_age_seconds", "Age of the last backup.", age(now, backup.at))


def list_forecasts(now: datetime) -> Iterator[GaugeMetricFamily]:
    """Age of the current forecast run of each dataset, and how right forecasts were of late."""
    current = CurrentForecast.objects.filter(run__isnull=False).values_list("dataset", "run__finished_at")
    rows = (([str(dataset)], age(now, at)) for dataset, at in current)
    text = "Age of the current forecast run of a dataset."
    yield gauge("current_forecast_age_seconds", text, ["dataset"], rows)
    errors: list[tuple[list[str], float]] = []
    shares: list[tuple[list[str], float]] = []
    for dataset, newest in list_compared():
        since = newest - timedelta(weeks=ACCURACY_WEEKS - 1)
        sums = load_rows(Dataset(pk=dataset), ("lag",), since, Group(), kind=AccuracyCell.Kind.DAY)
        found = {str(row["lag"]): ErrorSums.add_up([row]) for row in sums}
        errors += [([str(dataset), lag], one.wape) for lag, one in found.items() if one.wape is not None]
        total = ErrorSums.add_up(sums)
        inside = ((percent, total.inside(percent)) for percent in ("50", "80", "95"))
        shares += [([str(dataset), percent], share) for percent, share in inside if share is not None]
    text = f"Error (WAPE) of the newest {ACCURACY_WEEKS} weeks, by days ahead."
    yield gauge("accuracy_wape", text, ["dataset", "lag"], errors)
    text = f"Share of sales inside the range that promises so many percent, newest {ACCURACY_WEEKS} weeks."
    yield gauge("coverage", text, ["dataset", "percent"], shares)


def list_compared() -> list[tuple[int, Any]]:
    """Datasets with the newest week in which their forecasts were compared with sales."""
    cells = AccuracyCell.objects.filter(column=EVERYTHING).order_by()
    return list(cells.values_list("dataset").annotate(week=Max("week")))
