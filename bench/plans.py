"""Measure a plan tried on everything, beside the forecast run of the same 30,490 series and 28 days.

    python -m bench.plans

In one process. PRODUCTS=300 measures another size; CHAIN=folder reuses the installation there.
"""

from __future__ import annotations

import os
import resource
import time

from bench.forecast_runs import PRODUCTS, build_installation, make
from bench.pages import open_installation

DAYS_AHEAD = (4, 5, 6)  # that the plan changes


def main() -> None:
    """Makes a run, then tries a promotion and lower prices for all series."""
    with open_installation() as folder:
        build_installation(folder, int(os.environ.get("PRODUCTS", PRODUCTS)))
        begun = time.process_time()
        make()
        run = time.process_time() - begun
        plan, series = try_plan()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"plan on {series} series: {plan:.1f} s of CPU, {plan / run:.2f} x the run")
        print(f"peak {memory:.0f} MB")


def try_plan() -> tuple[float, int]:
    """Processor seconds of a plan that changes every series, and how many it changed."""
    from datetime import timedelta

    from django.contrib.auth.models import User

    from prediction.engine import forget_cached
    from prediction.models import Scenario
    from prediction.runs.models import ForecastRun
    from prediction.scenarios.edits import PlanEdit
    from prediction.scenarios.runner import run_scenario
    from registry.series.levels import Selection

    run = ForecastRun.objects.done().latest("created_at")
    data = run.dataset_version
    days = tuple((data.last + timedelta(days=day)).isoformat() for day in DAYS_AHEAD)
    plan = Scenario(name="bench", version=run.version, dataset_version=data, horizon=run.horizon)
    plan.created_by, plan.selection = User.objects.get(username="bench"), Selection()
    plan.change_edits([PlanEdit(days, promotion=True, price=-0.2)])
    forget_cached()
    begun = time.process_time()
    run_scenario(plan)
    assert plan.content is not None, plan.problem
    return time.process_time() - begun, plan.content["changed"]


if __name__ == "__main__":
    main()
