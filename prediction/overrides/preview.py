"""What an override would do to the current forecast, before it is saved; refused with one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from prediction.models import CurrentForecast
from prediction.overrides.applying import adjust_prediction, list_in_force
from prediction.overrides.models import Override
from prediction.overrides.splitting import Effect
from prediction.runs.frozen import load_prediction
from prediction.runs.models import ForecastRun
from registry.datasets.models import Dataset
from registry.lib.errors import MessageError, gettext_noop
from registry.series.prediction import Prediction

MAX_DRAWN = 150  # series whose paths are drawn for a range
NO_RUN = gettext_noop("There is no forecast of everything yet: train a model of everything first.")
NO_SERIES = gettext_noop("The forecast has no series of these: they have never been sold together.")
TOO_LOW = gettext_noop(
    "The forecast expects only {units} units on these days, so it cannot fall by {amount}."
)
ALL_CLOSED = gettext_noop("The stores are closed on all of these days.")


@dataclass(frozen=True)
class Preview:
    """Units of the chosen series on the days that the current forecast covers.

    ranges: 80% before and after, None for many series. days: (day, before, after). covered: of the override's
    days; missing ones come with a later forecast.
    """

    run: ForecastRun
    series: int
    model: float
    before: float
    after: float
    ranges: tuple[tuple[float, float], tuple[float, float]] | None
    days: list[tuple[date, float, float]]
    covered: int
    wanted: int  # days of the override

    @property
    def change(self) -> float | None:
        """Relative."""
        return self.after / self.before - 1 if self.before else None


def find_current_run(dataset: Dataset) -> ForecastRun | None:
    """The run that pages and orders read now."""
    related = ("run__version__model", "run__dataset_version__dataset")
    row = CurrentForecast.objects.filter(dataset=dataset, run__isnull=False).select_related(*related).first()
    return row.run if row and row.run and row.run.is_done else None


def preview_override(override: Override) -> Preview:
    """Before and after, with the overrides in force; raises MessageError or CorruptArtifact."""
    run = find_current_run(override.dataset)
    if run is None:
        raise MessageError(NO_RUN)
    model = load_prediction(run).of_model()
    others = list_in_force(run.version, run.dataset_version, run.horizon)
    final, effects = adjust_prediction(model, run.dataset_version, [*others, override])
    effect = next(one for one in effects if one.place == len(others))
    check_effect(override, effect, model)
    was, _effects = adjust_prediction(model, run.dataset_version, others)
    days = range(effect.days.start, effect.days.stop)
    sums = {
        name: one.mean[effect.rows, effect.days].sum(axis=0, dtype=np.float64)
        for name, one in (("model", model), ("before", was), ("after", final))
    }
    dates = model.dates[effect.days].tolist()
    return Preview(
        run=run,
        series=len(effect.rows),
        **{name: float(one.sum()) for name, one in sums.items()},
        ranges=draw_ranges(was, final, effect.rows, days),
        days=list(zip(dates, sums["before"].tolist(), sums["after"].tolist(), strict=True)),
        covered=len(days),
        wanted=(override.last - override.first).days + 1,
    )


def check_effect(override: Override, effect: Effect, model: Prediction) -> None:
    """Raises MessageError with one sentence for a change that cannot be made."""
    if not len(effect.rows):
        raise MessageError(NO_SERIES)
    before = float(effect.before.sum())
    whole = effect.days.stop - effect.days.start == (override.last - override.first).days + 1
    if override.kind == Override.Kind.ADD and whole and before + override.amount < 0:
        raise MessageError(TOO_LOW, units=round(before, 1), amount=round(-override.amount, 1))
    if effect.before.size and model.closed[effect.rows, effect.days].all():
        raise MessageError(ALL_CLOSED)


def draw_ranges(was: Prediction, final: Prediction, rows: Any, days: range) -> Any:
    """The 80% ranges before and after; None for many series or no days."""
    if len(rows) > MAX_DRAWN or not days:
        return None
    return tuple(one.select_series(rows).sum_with_interval(None, days)[1:] for one in (was, final))
