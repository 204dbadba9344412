"""Ensemble: the best blend of the candidates, or the best one alone where no blend is better. Pure.

Weights by the inverse of the error on the holdout windows, after Bates and Granger, "The Combination of
Forecasts" (1969). A blend is judged on each window by weights from the other windows, and is only taken when
it errs no more than every one of its members on the same days.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from registry.series import metrics
from registry.series.panel import Floats
from registry.series.quantiles import MEDIAN_INDEX, is_count_data, round_median

MAX_ERROR_RATIO = 1.4  # times the lowest error, above which a candidate is left out
ERROR_POWERS = (3, 9)  # of the errors in the weights: even ones, and ones that lean on the best member
WindowForecasts = list[Floats]  # one array per holdout window
Errors = Any  # float array [candidates]


@dataclass(frozen=True)
class EnsembleChoice:
    """The candidates that forecast, by weights that sum to 1, and the errors that decided it."""

    weights: list[float]  # of each candidate
    window_weights: list[list[float]]  # of each window, from the errors on the others
    single: int  # index of the best candidate alone
    single_error: float  # WAPE on the holdout windows
    blend_error: float | None  # of the best blend of two or more; None if there was none to judge

    @property
    def is_blend(self) -> bool:
        """Whether several candidates forecast together."""
        return sum(weight > 0 for weight in self.weights) > 1


@dataclass(frozen=True)
class _Blend:
    """A blend, its weights and its errors on the holdout windows."""

    members: list[int]
    weights: list[float]
    window_weights: list[list[float]]
    error: float  # as `judged_error` counts
    wape: float


def choose_ensemble(
    forecasts: list[WindowForecasts],
    actual: WindowForecasts,
    excluded: Collection[int] = (),
    unusable: Collection[int] = (),
) -> EnsembleChoice:
    """The best blend, or the best candidate; forecasts [candidate][window] [S, H, Q], actual [window].

    The candidates at `excluded`, such as repeating last week, are never part of a blend; those at `unusable`
    do not forecast at all unless there is no other.
    """
    errors = np.array([judged_error(one, actual) for one in forecasts])
    if len(unusable) < len(errors):
        errors[list(unusable)] = np.inf
        excluded = {*excluded, *unusable}
    wapes = [window_wape(one, actual) for one in forecasts]
    single = int(errors.argmin())
    alone = [float(place == single) for place in range(len(errors))]
    rests = [[i for i in range(len(actual)) if i != window] or [window] for window in range(len(actual))]
    rest_errors = [
        np.array([judged_error([one[i] for i in rest], [actual[i] for i in rest]) for one in forecasts])
        for rest in rests
    ]
    blends = []
    for members, power in _list_blends(errors, excluded):
        weights = [_inverse_weights(found, members, power) for found in [*rest_errors, errors]]
        blends.append(_judge_blend(members, weights, forecasts, actual))
    nearest = min(blends, key=lambda blend: blend.error, default=None)
    good = [blend for blend in blends if _is_best_of_members(blend, errors, wapes)]
    if not good:
        told = nearest.wape if nearest else None
        return EnsembleChoice(alone, [alone] * len(actual), single, wapes[single], told)
    best = min(good, key=lambda blend: blend.error)
    return EnsembleChoice(best.weights, best.window_weights, single, wapes[single], best.wape)


def _list_blends(errors: Errors, excluded: Collection[int]) -> list[tuple[list[int], int]]:
    """Members of each blend to judge, and the power of its weights: the best two, three, all near ones."""
    order = [place for place in errors.argsort(kind="stable").tolist() if place not in excluded]
    if not order:
        return []
    near = [place for place in order if errors[place] <= MAX_ERROR_RATIO * max(errors[order[0]], 1e-9)]
    sizes = sorted({2, 3, len(near)} & set(range(2, len(near) + 1)))
    return [(near[:size], power) for size in sizes for power in ERROR_POWERS]


def _judge_blend(
    members: list[int], weights: list[list[float]], forecasts: list[WindowForecasts], actual: WindowForecasts
) -> _Blend:
    """The errors of a blend; `weights` are those of each window, and last those of all windows."""
    blended = [
        weighted_mean([[one[window]] for one in forecasts], weights[window])[0]
        for window in range(len(actual))
    ]
    error, wape = judged_error(blended, actual), window_wape(blended, actual)
    return _Blend(members, weights[-1], weights[:-1], error, wape)


def _inverse_weights(errors: Errors, members: list[int], power: int) -> list[float]:
    """Weights of the members by the inverse of their errors; 0 for all others."""
    lowest = max(float(errors[members].min()), 1e-9)
    shares = np.zeros(len(errors))
    shares[members] = (lowest / np.maximum(errors[members], lowest)) ** power
    return [float(share / shares.sum()) for share in shares]


def _is_best_of_members(blend: _Blend, errors: Errors, wapes: list[float]) -> bool:
    """Whether it errs no more than each member, and no more than the best candidate of all."""
    lowest = min(wapes[place] for place in blend.members)
    return blend.error <= float(errors.min()) and not blend.wape > lowest


def weighted_mean(forecasts: list[WindowForecasts], weights: list[float]) -> WindowForecasts:
    """The weighted mean of the candidates' forecasts, window by window."""
    windows = range(len(forecasts[0]))
    return [
        np.sum([np.float32(w) * f[i] for f, w in zip(forecasts, weights, strict=True) if w > 0], axis=0)
        for i in windows
    ]


def window_wape(forecasts: WindowForecasts, actual: WindowForecasts) -> float:
    """WAPE of the median over all windows; NaN where nothing was sold."""
    forecast, known = np.stack(forecasts), np.stack(actual)  # [W, S, H, Q], [W, S, H]
    forecast = round_median(forecast) if is_count_data(known) else forecast
    return metrics.wape(known, forecast[..., 1 + MEDIAN_INDEX])


def judged_error(forecasts: WindowForecasts, actual: WindowForecasts) -> float:
    """What decides: the WAPE of the median, plus the wQL of all quantiles the more days sell nothing.

    There a median of zero would be best. In units where nothing was sold at all.
    """
    forecast, known = np.stack(forecasts), np.stack(actual)  # [W, S, H, Q], [W, S, H]
    forecast = round_median(forecast) if is_count_data(known) else forecast
    if not np.nansum(np.abs(known)):  # no share of sales exists, but the nearest to 0 is still the best
        return float(np.nansum(np.where(np.isnan(known), np.nan, np.abs(forecast[..., 1:]).mean(axis=-1))))
    nothing = float((known == 0).sum() / max(1, (~np.isnan(known)).sum()))
    error = metrics.wape(known, forecast[..., 1 + MEDIAN_INDEX])
    return error + nothing * metrics.wql(known, forecast[..., 1:])
