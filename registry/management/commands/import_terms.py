"""manage.py import_terms: how products are ordered, from a file."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from registry.datasets.importing.options import ImportOptions
from registry.datasets.models import Dataset
from registry.datasets.stock.command import TableCommand
from registry.datasets.stock.importer import import_terms


class Command(TableCommand):
    help = "Imports terms (supplier, lead days, pack, costs …) for products, categories or suppliers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--replace", action="store_true", help="remove the terms that the file lacks")

    def save_file(self, dataset: Dataset, reading: ImportOptions, options: dict[str, Any]) -> dict[str, Any]:
        return {"rows": import_terms(options["file"], dataset, reading), "all": dataset.terms.count()}

    def format_report(self, report: dict[str, Any]) -> str:
        return "{rows} rows of terms saved; {dataset} has {all}.".format(**report)
