"""manage.py make_sample: writes the synthetic pharmacy chain as parquet."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from registry.datasets.sample.generator import LAST_DAY, SampleDataset


class Command(BaseCommand):
    help = "Writes sales of a synthetic pharmacy chain as parquet; the same arguments give the same data."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--stores", type=int, default=10)
        parser.add_argument("--products", type=int, default=50)
        parser.add_argument("--days", type=int, default=1096)
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument(
            "--last", type=dt.date.fromisoformat, default=LAST_DAY, help="last day, YYYY-MM-DD"
        )
        parser.add_argument("--output", type=Path, default=None, help="default: sample.parquet in DATA_DIR")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["output"] or settings.DATA_DIR / "sample.parquet"
        size = {name: options[name] for name in ("stores", "products", "days", "seed", "last")}
        try:
            rows = SampleDataset(**size).write_parquet(path)
        except ValueError as problem:
            raise CommandError(str(problem), returncode=2) from None
        except OSError as problem:
            raise CommandError(f"{path} cannot be written: {problem.strerror}.") from None
        self.stdout.write(f"{path}: {rows} rows")
