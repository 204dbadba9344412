"""manage.py order_run: what to order, from the current forecast run, the latest stock and the terms."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from prediction.models import CurrentForecast, ForecastRun
from prediction.order_runs.lines import MAX_STOCK_AGE, NOTES, OrderLines, build_lines
from prediction.orders.terms import Policy
from registry.datasets.models import Dataset
from registry.datasets.stock.command import find_dataset
from registry.datasets.stock.models import latest_stock
from registry.lib.atomic_file import write_atomic
from registry.lib.csv_safe import format_csv_rows
from registry.lib.messages import translate_error
from registry.storage.artifacts import CorruptArtifact

DIGITS = 3


class Command(BaseCommand):
    help = "Works out an order line for every product in every store, and writes the lines as CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dataset", default="", help="needed only if there are several")
        parser.add_argument("--policy", choices=["cycle", "fill", "cost"], default="cycle")
        parser.add_argument("--level", type=float, default=0.95, help="the service level to be held")
        parser.add_argument("--max-stock-age", type=int, default=MAX_STOCK_AGE, metavar="DAYS")
        parser.add_argument("--output", type=Path, required=True, help="the CSV file of the lines")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        dataset = find_dataset(options["dataset"])
        run, stock = find_run(dataset), latest_stock(dataset)
        if stock is None:
            raise CommandError(f"{dataset} has no stock: import some with import_stock.")
        try:
            policy = Policy(options["policy"], options["level"])
            lines = build_lines(run, stock, policy, options["max_stock_age"])
        except (ValueError, CorruptArtifact) as problem:
            raise CommandError(translate_error(problem)) from None
        write_atomic(options["output"], [format_lines(lines).encode()])
        counts = Counter(code for codes in lines.notes for code in codes)
        report = {
            "dataset": dataset.name,
            "forecast_run": str(run.pk),
            "stock": str(stock.pk),
            "as_of": str(stock.as_of),
            "lines": len(lines.keys),
            "ordered": int((lines.figures.quantity > 0).sum()),
            "units": round(float(lines.figures.quantity.sum(dtype=float)), DIGITS),
            "notes": dict(counts),
        }
        text = "{ordered} of {lines} lines are ordered, {units:g} units in all."
        told = [text.format(**report), *(f"{count} lines: {NOTES[code]}" for code, count in counts.items())]
        self.stdout.write(json.dumps(report) if options["json"] else "\n".join(told))


def find_run(dataset: Dataset) -> ForecastRun:
    """The current forecast run; raises CommandError without one."""
    row = CurrentForecast.objects.filter(dataset=dataset, run__isnull=False).select_related("run").first()
    run = row.run if row else ForecastRun.objects.done().filter(dataset_version__dataset=dataset).first()
    if run is None:
        raise CommandError(f"{dataset} has no forecast of everything: make one with forecast_all.")
    return run


def format_lines(lines: OrderLines) -> str:
    """The lines as CSV, figures with few digits."""
    rows = list(lines.iterate())
    heading = list(rows[0]) if rows else ["store_id", "product_id", "quantity"]
    cells = [
        [round(value, DIGITS) if isinstance(value, float) else value for value in row.values()]
        for row in rows
    ]
    return format_csv_rows([heading, *cells])
