"""manage.py backtest_orders: what the last weeks would have cost by our policy and by the rule of today."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from forecastsite.order_backtests import learn_bundle
from prediction.order_backtests.maker import make_backtest, prepare_backtest
from prediction.order_backtests.models import OrderBacktest
from registry.datasets.stock.command import find_dataset
from registry.lib.messages import translate_error
from registry.storage.artifacts import CorruptArtifact

SHOWN = (
    "fill_rate",
    "empty_days",
    "cycle_service",
    "lost_units",
    "stock_days",
    "wasted_units",
    "orders",
    "total_cost",
)
OPTIONS = ("rule", "least", "most", "weeks", "lead_days", "review_days", "budget")


class Command(BaseCommand):
    help = (
        "Orders the last weeks of the own past anew and compares the rules; the result is kept for the pages."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dataset", default="", help="needed only if there are several")
        parser.add_argument(
            "--rule", choices=OrderBacktest.Rule.values, default="cover", help="the rule of today"
        )
        parser.add_argument("--least", type=float, default=14, help="days of cover, or the least days")
        parser.add_argument("--most", type=float, default=21, help="the most days of minmax")
        parser.add_argument("--weeks", type=int, default=12)
        parser.add_argument("--lead-days", type=int, default=3)
        parser.add_argument("--review-days", type=int, default=7)
        parser.add_argument("--budget", type=int, default=60, help="seconds to learn")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            test = self.make(options)
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages), returncode=2) from None
        except (ValueError, CorruptArtifact) as problem:
            raise CommandError(translate_error(problem)) from None
        result = test.result or {}
        if options["json"]:
            facts = {"backtest": str(test.pk), "dataset": test.dataset.name, "seconds": test.seconds}
            self.stdout.write(json.dumps({**facts, **result}, ensure_ascii=False))
            return
        self.stdout.write("\t".join(("rule", *SHOWN)))
        for name, figures in result["rules"].items():
            self.stdout.write("\t".join([name, *(f"{figures[one]:g}" for one in SHOWN)]))

    def make(self, options: dict[str, Any]) -> OrderBacktest:
        """The done back-test; raises ValidationError, ValueError or CorruptArtifact."""
        test = prepare_backtest(find_dataset(options["dataset"]), **{name: options[name] for name in OPTIONS})
        test.full_clean(exclude=["config"])
        test.save(force_insert=True)
        test.claim()
        make_backtest(test, learn_bundle)
        return test
