"""manage.py order_run: an order from the current forecast run, the latest stock, the terms and the policy."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from prediction.order_runs.lines_file import LineTable, load_lines
from prediction.order_runs.maker import make_order, prepare_order, save_order
from prediction.order_runs.models import OrderPolicy, OrderRun, add_policy, current_policy
from prediction.order_runs.notes import NOTES
from registry.datasets.stock.command import find_dataset
from registry.lib.atomic_file import write_atomic
from registry.lib.csv_safe import format_csv_rows
from registry.lib.messages import translate_error
from registry.storage.artifacts import CorruptArtifact

DIGITS = 3


class Command(BaseCommand):
    help = (
        "Makes an order with a line for every product in every store; --output also writes the lines as CSV."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dataset", default="", help="needed only if there are several")
        parser.add_argument(
            "--policy", choices=["cycle", "fill", "cost"], help="a new policy for all classes"
        )
        parser.add_argument("--level", type=float, default=0.95, help="the service level of a new policy")
        age = settings.MAX_STOCK_AGE
        parser.add_argument("--max-stock-age", type=int, default=age, metavar="DAYS", help=f"default {age}")
        parser.add_argument("--output", type=Path, help="the CSV file of the lines")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            order = self.make(options)
            lines = load_lines(order)
        except (ValueError, CorruptArtifact) as problem:
            raise CommandError(translate_error(problem)) from None
        if options["output"]:
            write_atomic(options["output"], [format_lines(lines).encode()])
        report = describe_order(order)
        text = "{ordered} of {lines} lines are ordered, {units:g} units in all: order {order}."
        notes = [f"{count} lines: {NOTES[code]}" for code, count in order.notes.items()]
        told = "\n".join([text.format(**report), *notes])
        self.stdout.write(json.dumps(report, ensure_ascii=False) if options["json"] else told)

    def make(self, options: dict[str, Any]) -> OrderRun:
        """The done order; raises ValueError or CorruptArtifact."""
        dataset = find_dataset(options["dataset"])
        policy = current_policy(dataset)
        if (kind := options["policy"]) and (kind, options["level"], {}) != (
            policy.kind,
            policy.level,
            policy.classes,
        ):
            if not 0 < options["level"] < 1:
                raise ValueError("A service level lies between 0 and 1.")
            policy = OrderPolicy(
                dataset=dataset, kind=kind, level=options["level"], reason="order_run --policy"
            )
            policy = add_policy(policy)
        facts = {"max_stock_age": options["max_stock_age"], "source": OrderRun.Source.COMMAND}
        order = save_order(prepare_order(dataset, policy=policy, **facts), is_queued=False)
        order.claim()
        make_order(order)
        return order


def describe_order(order: OrderRun) -> dict[str, Any]:
    """The report of --json."""
    return {
        "order": str(order.pk),
        "dataset": order.dataset.name,
        "forecast_run": str(order.forecast_run_id),
        "stock": str(order.stock_id),
        "as_of": str(order.stock.as_of),
        "policy": order.policy.number,
        "terms_sha256": order.terms_sha256,
        "sha256": order.sha256,
        "lines": order.lines,
        "ordered": order.ordered,
        "units": order.units,
        "money": order.money,
        "notes": order.notes,
    }


def format_lines(table: LineTable) -> str:
    """The lines as CSV, figures with few digits."""
    names = list(table.figures)
    heading = ["store_id", "product_id", "supplier", *names, "class", "notes"]
    rows = []
    for place, key in enumerate(table.keys):
        found = table.describe(place)
        cells = [
            round(found[name], DIGITS) if isinstance(found[name], float) else found[name] for name in names
        ]
        rows.append(
            [*key, table.terms[place].supplier, *cells, table.classes[place], " ".join(table.notes[place])]
        )
    return format_csv_rows([heading, *rows])
