"""manage.py first_run: fills an empty installation with sample data and a first training. Safe to repeat."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from forecastsite.welcome import SAMPLE_NAME, yesterday
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.scope import Scope
from training import queue
from training.models import TrainingRun


class Command(BaseCommand):
    help = "Imports the sample data and queues a short training, unless there is data already."

    def handle(self, *args: Any, **options: Any) -> None:
        if not Dataset.objects.exists():
            import_sample()
        dataset = Dataset.objects.filter(name=SAMPLE_NAME).first()
        if dataset and dataset.current_version and not TrainingRun.objects.exists():
            queue.enqueue_run(dataset.current_version, Scope(), "kan", budget=60)


def import_sample() -> DatasetVersion:
    """Imports the synthetic chain, up to yesterday, the same way as any sales file."""
    from registry.datasets.importer import import_file
    from registry.datasets.importing.options import ImportOptions
    from registry.datasets.sample.generator import COUNTRY, SampleDataset

    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR) as folder:
        file = Path(folder) / "sample.parquet"
        SampleDataset(last=yesterday()).write_parquet(file)
        return import_file(file, SAMPLE_NAME, options=ImportOptions(country=COUNTRY))
