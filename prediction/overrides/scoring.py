"""What overrides were worth: units of their series by week, saved when a run is compared with sales."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from prediction.accuracy.models import ComparedDays
from prediction.accuracy.scoring import KnownDays, find_monday
from prediction.overrides.applying import replay_trail
from prediction.overrides.models import OverrideScore
from prediction.overrides.splitting import Effect
from prediction.runs.models import ForecastRun
from registry.lib.days import from_day_number
from registry.series.prediction import Prediction


def score_overrides(
    run: ForecastRun, prediction: Prediction, known: KnownDays, first: int
) -> list[OverrideScore]:
    """Rows, not saved and without their days, of the days from number `first` (from 1) on.

    prediction: the final one of the run. Raises CorruptArtifact.
    """
    if prediction.adjustment is None:
        return []
    return [
        OverrideScore(override=override, week=from_day_number(monday), **sums)
        for override, effect in replay_trail(run, prediction.of_model())
        for monday, sums in sum_weeks(effect, prediction, known, first)
    ]


def sum_weeks(
    effect: Effect, prediction: Prediction, known: KnownDays, first: int
) -> Iterator[tuple[int, dict[str, float]]]:
    """The sums of each week, over the series and days with a record."""
    ends = effect.days.stop, known.actual.shape[1]
    days = np.arange(max(effect.days.start, first - 1), min(ends))
    mondays = np.array([find_monday(known.origin + int(day) + 1) for day in days])
    for monday in np.unique(mondays):
        cells = np.ix_(effect.rows, days[mondays == monday])
        own = np.ix_(np.arange(len(effect.rows)), days[mondays == monday] - effect.days.start)
        sold = known.actual[cells].astype(np.float64)
        is_known = ~np.isnan(sold)
        if is_known.any():
            parts = {
                "sold": sold,
                "naive": known.naive[cells],
                "model": prediction.model_mean[cells],
                "before": effect.before[own],
                "after": effect.after[own],
                "final": prediction.mean[cells],
            }
            yield (
                int(monday),
                {name: float(values[is_known].sum(dtype=np.float64)) for name, values in parts.items()},
            )


def save_scores(days: ComparedDays, scores: list[OverrideScore]) -> None:
    """Saves the rows with their days."""
    for score in scores:
        score.days = days
    OverrideScore.objects.bulk_create(scores)
