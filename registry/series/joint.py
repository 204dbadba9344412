"""What is measured on windows that were not learned from: each series and day first, then how they depend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from registry.series.calibration import Calibration, HoldoutForecast, fit_mean_factor
from registry.series.dependence import Dependence, Keys, ScoredWindow
from registry.series.ended import without_ended
from registry.series.marginals import Marginals
from registry.series.panel import Floats


def fit_joint(
    holdout: list[HoldoutForecast], keys: Keys, overlapping: Mapping[int, Floats] | None = None
) -> tuple[Calibration, Dependence]:
    """Calibration and dependence from windows that follow each other, oldest first.

    overlapping: further forecasts [S, H, Q] of the same days, by their first day, counted from that of the
    first window. Without windows nothing is calibrated and the dependence is assumed.
    """
    calibration = Calibration.fit(holdout, keys)
    if not holdout:
        return calibration, Dependence()
    kept = without_ended(holdout)
    days = kept[0][0].shape[1]
    sold = np.concatenate([actual for actual, _forecast in kept], axis=1)  # [S, W * H]
    forecasts = {place * days: forecast for place, (_actual, forecast) in enumerate(kept)}
    windows = []
    for start, forecast in {**(overlapping or {}), **forecasts}.items():
        # a mean that this window has corrected itself would hide how far all are off together
        others = [pair for place, pair in enumerate(kept) if abs(place * days - start) >= days]
        apart = replace(calibration, mean=fit_mean_factor(others))
        windows.append(
            _score(sold[:, start : start + days], apart.calibrate_forecast(forecast), calibration.whole)
        )
    return calibration, Dependence.fit(windows, keys, calibration.edges, len(kept))


def _score(actual: Floats, forecast: Floats, is_count: bool) -> ScoredWindow:
    mean = forecast[..., 0]
    return ScoredWindow(actual, mean, Marginals.build(mean, forecast[..., 1:], is_count))
