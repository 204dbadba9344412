"""manage.py forecast_all: forecasts every series of a version as a forecast run."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from prediction.management.commands.forecast import find_version
from prediction.runs.models import ForecastRun
from registry.lib.messages import translate_error
from registry.storage.artifacts import CorruptArtifact

LEARNED_LATER = (
    "{model} learned from sales up to {day}, which are later than the day of --as-of: "
    "its errors will look smaller than they would have been."
)


class Command(BaseCommand):
    help = "Forecasts every product in every store and keeps the result as a forecast run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dataset", default="", help="needed only if there are several")
        parser.add_argument("--model", default="best", help="a version's name, or best")
        parser.add_argument("--horizon", type=int, default=28, help="days ahead")
        parser.add_argument(
            "--as-of", type=date.fromisoformat, default=None, metavar="DAY", help="hides later days"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        from prediction.engine import check_horizon, find_newest_sales
        from prediction.runs.frozen import load_prediction
        from prediction.runs.maker import start_run

        try:
            check_horizon(options["horizon"])
        except ValueError as problem:
            raise CommandError(str(problem), returncode=2) from None
        try:
            version = find_version(options["model"], options["dataset"], None)
            facts = {"horizon": options["horizon"], "as_of": options["as_of"]}
            run = start_run(version, find_newest_sales(version), reason=ForecastRun.Reason.COMMAND, **facts)
        except (ValueError, CorruptArtifact) as problem:
            raise CommandError(translate_error(problem)) from None
        report = {
            "run": str(run.pk),
            "model": version.name,
            "dataset": version.model.dataset.name,
            "origin": str(run.origin),
            "horizon": run.horizon,
            "series": run.series,
            "rows": run.rows,
            "seconds": run.seconds,
            "learned_later_days": run.as_of is not None and version.dataset_version.last > run.as_of,
            "sha256": run.sha256,
            "total": round(run.totals.total, 3),
            "model_total": round(float(load_prediction(run).model_mean.sum(dtype=float)), 3),
            "overrides": run.overrides.count(),
            "low": round(run.totals.low, 3),
            "high": round(run.totals.high, 3),
        }
        if report["learned_later_days"]:
            self.stderr.write(LEARNED_LATER.format(model=version.name, day=version.dataset_version.last))
        text = "{model} expects {total:.0f} units in the {horizon} days after {origin}: run {run}."
        self.stdout.write(
            json.dumps(report, ensure_ascii=False) if options["json"] else text.format(**report)
        )
