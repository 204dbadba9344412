"""The steps of a run by their kind: each takes its row and says what came of it.

A step raises ValueError with one sentence when it fails; the steps after it are done all the same.
"""

from __future__ import annotations

from collections.abc import Callable

from forecastsite.automation.models import PlanStep
from forecastsite.automation.outcome import Outcome
from forecastsite.automation.steps.digest import send_digest
from forecastsite.automation.steps.forecasting import compare_with_sales, make_forecast, make_order
from forecastsite.automation.steps.sales import check_sources, fetch_sources, save_sources
from forecastsite.automation.steps.training import judge_version, train_again

Kind = PlanStep.Kind
STEPS: dict[str, Callable[[PlanStep], Outcome]] = {
    Kind.FETCH: fetch_sources,
    Kind.CHECK: check_sources,
    Kind.SAVE: save_sources,
    Kind.RETRAIN: train_again,
    Kind.GATE: judge_version,
    Kind.FORECAST: make_forecast,
    Kind.ACCURACY: compare_with_sales,
    Kind.ORDER: make_order,
    Kind.DIGEST: send_digest,
}
