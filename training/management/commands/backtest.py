"""manage.py backtest: scores an algorithm on past windows of a dataset."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from registry.datasets.models import Dataset
from registry.datasets.reader import read_panel
from registry.datasets.scope import Scope
from registry.lib.formatting import DASH


class Command(BaseCommand):
    """For each window: fits on the days up to its origin, forecasts, and scores."""

    help = "Backtests an algorithm on past windows of a dataset."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dataset", required=True)
        parser.add_argument("--algorithm", required=True)
        parser.add_argument("--scope", default="global")
        parser.add_argument("--horizon", type=int, default=28)
        parser.add_argument("--windows", type=int, default=3)
        parser.add_argument("--step", type=int, default=0, help="Days between windows; default: the horizon.")
        parser.add_argument(
            "--budget", type=float, default=60, help="Learning time in seconds for each window."
        )
        parser.add_argument("--last-origin", default="", help="Origin of the last window (YYYY-MM-DD).")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--threads", type=int, default=settings.TRAINING_THREADS)
        parser.add_argument("--output", type=Path, help="Parquet file for all forecasts with the actuals.")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        for name in ("horizon", "windows", "budget", "threads"):
            if options[name] <= 0:
                raise CommandError(f"--{name} is {options[name]}: use a number above 0.", returncode=2)
        try:
            report = self.run_backtest(options)
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(report) if options["json"] else _format_report(report))

    def run_backtest(self, options: dict[str, Any]) -> dict[str, Any]:
        """Runs all windows, reports each on stderr, and writes the output file; returns the scores."""
        import pandas as pd

        from registry.series import metrics
        from training.learning import backtest
        from training.learning.pipeline import TrainingConfig

        panel = _load_panel(options["dataset"], options["scope"])
        horizon = options["horizon"]
        days = backtest.choose_origins(
            panel, horizon, options["windows"], options["step"] or horizon, options["last_origin"]
        )
        plan = TrainingConfig(
            algorithm=options["algorithm"],
            horizon=horizon,
            budget=options["budget"],
            seed=options["seed"],
            threads=options["threads"],
        )
        windows = []
        for window in backtest.run_backtest(panel, plan, days):
            windows.append(window)
            error = metrics.replace_nan(window.scores["wape"])
            sys.stderr.write(f"{window.scores['origin']}: error {_format_number(error)}\n")
        if options["output"]:
            pd.concat([window.to_frame() for window in windows]).to_parquet(options["output"], index=False)
        return backtest.summarize_windows(windows)


def _load_panel(dataset: str, scope: str) -> Any:
    found = Dataset.objects.filter(name=dataset).first()
    if not found or not found.current_version:
        raise ValueError(f"There is no dataset {dataset!r}: import it first with import_sales.")
    return read_panel(found.current_version, Scope.parse(scope))


def _format_report(report: dict[str, Any]) -> str:
    overall = report["overall"]
    lines = [f"{window['origin']}  {_format_errors(window)}" for window in report["windows"]]
    inside = _format_number(overall["coverage"]["80"], ".0%")
    lines.append(f"overall     {_format_errors(overall)}  in 80% interval {inside}")
    if any(window["wape"] is None for window in report["windows"]):
        lines.append(f"{DASH} = no error, because nothing was sold on these days")
    return "\n".join(lines)


def _format_errors(scores: dict[str, Any]) -> str:
    return f"error {_format_number(scores['wape'])}  bias {_format_number(scores['bias'], '+.4f')}"


def _format_number(value: float | None, form: str = ".4f") -> str:
    """The number, or a dash if it could not be computed.

    >>> _format_number(0.25), _format_number(None)
    ('0.2500', '–')
    """
    return DASH if value is None else format(value, form)
