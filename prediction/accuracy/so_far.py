"""Accuracy so far: sales since a forecast was made against what it expected for the same days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

from prediction.models import Forecast
from registry.datasets.actuals import current_by_dataset, load_actuals
from registry.datasets.models import DatasetVersion
from registry.storage.artifacts import CorruptArtifact

MIN_DAYS = 7  # days of sales before a forecast can be called off target


@dataclass(frozen=True)
class ActualsSoFar:
    """Units sold and units expected in the first `days` days of a forecast."""

    days: int
    is_complete: bool
    units: float
    expected: float
    is_off_target: bool

    @property
    def relative_change(self) -> float | None:
        """Units sold against units expected, as a share; None when nothing was expected."""
        return self.units / self.expected - 1 if self.expected else None


def compare_with_actuals(forecasts: Sequence[Forecast]) -> list[tuple[Forecast, ActualsSoFar | None]]:
    """Each forecast with its actuals; None where no newer sales are known."""
    current = current_by_dataset(forecast.version.model.dataset_id for forecast in forecasts)
    return [
        (forecast, measure_actuals(forecast, current.get(forecast.version.model.dataset_id)))
        for forecast in forecasts
    ]


def measure_actuals(forecast: Forecast, data: DatasetVersion | None) -> ActualsSoFar | None:
    """None while no newer sales are known, or when a file is damaged."""
    if data is None or data.last <= forecast.origin:
        return None
    days = min(forecast.horizon, (data.last - forecast.origin).days)
    first, last = forecast.origin + timedelta(days=1), forecast.origin + timedelta(days=days)
    try:
        units = load_actuals(data.pk).sum_units(forecast.covered_codes, first, last)
        expected = sum_expected_until(forecast, last, days)
    except (CorruptArtifact, ValueError):
        return None
    if units is None:
        return None
    return ActualsSoFar(
        days, days == forecast.horizon, units, expected, is_off_target(forecast, days, units, expected)
    )


def sum_expected_until(forecast: Forecast, last: date, days: int) -> float:
    """Units expected up to the day `last`, `days` days after the origin."""
    if days == forecast.horizon:
        return forecast.total
    return float(sum(day.mean for day in forecast.load_content().forecast if day.date <= last.isoformat()))


def is_off_target(forecast: Forecast, days: int, units: float, expected: float) -> bool:
    """Whether the units sold are outside the 80% interval of the total, scaled to the days known."""
    if days < MIN_DAYS or not forecast.total:
        return False
    # fewer days even out less: the relative width grows with the square root
    room = expected / forecast.total * sqrt(forecast.horizon / days)
    below, above = forecast.total - forecast.low, forecast.high - forecast.total
    return not expected - below * room <= units <= expected + above * room
