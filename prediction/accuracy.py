"""What has been sold since a forecast was made, beside what it expected of the same days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

from prediction.comparison import place
from prediction.models import Forecast
from registry.datasets.actuals import newest, sold
from registry.datasets.models import DatasetVersion
from registry.storage.artifacts import CorruptArtifact

FEWEST = 7  # days of sales before a forecast can be called off target


@dataclass(frozen=True)
class Since:
    """Sales of the first `days` days of a forecast: what came and what was expected; `off` = off target."""

    days: int
    whole: bool
    units: float
    expected: float
    off: bool

    @property
    def change(self) -> float | None:
        """How much more or less was sold than expected."""
        return self.units / self.expected - 1 if self.expected else None


def looked_back(forecasts: Sequence[Forecast]) -> list[tuple[Forecast, Since | None]]:
    """Each forecast with what was sold since, as far as newer sales are known."""
    current = newest(forecast.version.model.dataset_id for forecast in forecasts)
    return [
        (forecast, since(forecast, current.get(forecast.version.model.dataset_id))) for forecast in forecasts
    ]


def since(forecast: Forecast, data: DatasetVersion | None) -> Since | None:
    """None while no newer sales are known, or when a file that is needed is damaged."""
    if data is None or data.last <= forecast.origin:
        return None
    days = min(forecast.horizon, (data.last - forecast.origin).days)
    first, last = forecast.origin + timedelta(days=1), forecast.origin + timedelta(days=days)
    try:
        units = sold(data.pk).between(*place(forecast), first, last)
        expected = expected_until(forecast, last, days)
    except (CorruptArtifact, ValueError):
        return None
    if units is None:
        return None
    return Since(days, days == forecast.horizon, units, expected, off_target(forecast, days, units, expected))


def expected_until(forecast: Forecast, last: date, days: int) -> float:
    """Units that the forecast expects up to that day."""
    if days == forecast.horizon:
        return forecast.total
    return float(
        sum(day["mean"] for day in forecast.content()["forecast"] if day["date"] <= last.isoformat())
    )


def off_target(forecast: Forecast, days: int, units: float, expected: float) -> bool:
    """Outside the 80% range: that of the total, wider while only a part of the days is known."""
    if days < FEWEST or not forecast.total:
        return False
    room = expected / forecast.total * sqrt(forecast.horizon / days)
    below, above = forecast.total - forecast.low, forecast.high - forecast.total
    return not expected - below * room <= units <= expected + above * room
