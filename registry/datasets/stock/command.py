"""What the commands import_stock and import_terms share."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.importing.options import DATE_ORDERS, DECIMAL_MARKS, ImportOptions
from registry.datasets.models import Dataset

READING = ("dates", "decimal", "encoding")


class TableCommand(BaseCommand):
    """Arguments of a file for a dataset, its report, and errors as one sentence."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dataset", default="", help="needed only if there are several")
        parser.add_argument("--map", nargs="+", action="extend", default=[], metavar="on_hand=qty")
        parser.add_argument("--dates", choices=DATE_ORDERS, default="", help="order of day and month")
        parser.add_argument("--decimal", choices=list(DECIMAL_MARKS), default="", help="the decimal mark")
        parser.add_argument("--encoding", default="", help="of a text file that is not UTF-8")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def save_file(self, dataset: Dataset, reading: ImportOptions, options: dict[str, Any]) -> dict[str, Any]:
        """The report of the saved file; raises SalesFileError."""
        raise NotImplementedError

    def format_report(self, report: dict[str, Any]) -> str:
        """The report as one line."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        pairs = dict(pair.partition("=")[::2] for pair in options["map"])
        reading = {name: options[name] for name in READING} | {"replace": options.get("replace", False)}
        dataset = find_dataset(options["dataset"])
        try:
            report = self.save_file(dataset, ImportOptions(mapping=pairs, **reading), options)
        except AmbiguousValue as question:
            hint = f" (--{question.field_name} {' | '.join(question.answers)})"
            raise CommandError(f"{question}{hint}") from None
        except SalesFileError as problem:
            raise CommandError(str(problem)) from None
        report = {"dataset": dataset.name, **report}
        text = json.dumps(report, ensure_ascii=False) if options["json"] else self.format_report(report)
        self.stdout.write(text)


def find_dataset(name: str) -> Dataset:
    """The dataset of that name, or the only one; raises CommandError."""
    found = Dataset.objects.filter(name=name) if name else Dataset.objects.all()
    if len(found) == 1:
        return found[0]
    known = ", ".join(Dataset.objects.values_list("name", flat=True)) or "none"
    raise CommandError(f"Name one dataset with --dataset: there are {known}.", returncode=2)
