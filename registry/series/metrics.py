"""Accuracy metrics, one definition for the product, the benchmarks and the tests.

e = actual - forecast, over all series, days and windows with an actual (NaN = left out).
Point errors are of the median; bias and RMSSE of the mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from registry.series.panel import Floats
from registry.series.quantiles import INTERVALS, MEDIAN_INDEX, QUANTILE_LEVELS

SEASON_DAYS = 7


def wape(actual: Floats, forecast: Floats) -> float:
    """Sum of |e| over the sum of |actual|.

    >>> round(wape(np.array([10.0, 10.0]), np.array([9.0, 12.0])), 3)
    0.15
    """
    return _safe_ratio(np.nansum(np.abs(actual - forecast)), np.nansum(np.abs(actual)))


def bias(actual: Floats, forecast: Floats) -> float:
    """Sum of (forecast - actual) over the sum of |actual|; positive = too high.

    >>> bias(np.array([10.0, 10.0]), np.array([9.0, 12.0]))
    0.05
    """
    return _safe_ratio(np.nansum(forecast - actual), np.nansum(np.abs(actual)))


def smape(actual: Floats, forecast: Floats) -> float:
    """200 x mean of |e| / (|actual| + |forecast|), 0 when both are 0.

    >>> smape(np.array([0.0, 10.0]), np.array([0.0, 10.0]))
    0.0
    """
    size = np.abs(actual) + np.abs(forecast)
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = np.where(size == 0, 0.0, np.abs(actual - forecast) / size)
    known = parts[~np.isnan(actual)]
    return float(200 * np.mean(known)) if known.size else float("nan")


def seasonal_scales(past: Floats) -> tuple[Floats, Floats]:
    """Mean |y[t] - y[t-7]| and mean (y[t] - y[t-7])^2 of past [S, D]: [S], [S], NaN = unknown."""
    steps = past[:, SEASON_DAYS:] - past[:, :-SEASON_DAYS]  # [S, D - 7]
    count = (~np.isnan(steps)).sum(axis=1)
    safe = np.where(count == 0, np.nan, count)  # no pair of days: no scale, rather than 0
    return (np.nansum(np.abs(steps), axis=1) / safe).astype(np.float32), (
        np.nansum(steps**2, axis=1) / safe
    ).astype(np.float32)


def repeat_last_week(past: Floats, horizon: int) -> Floats:
    """Seasonal naive: the newest known value of the weekday in the last 8 weeks, else 0: [S, horizon].

    >>> repeat_last_week(np.arange(14, dtype=np.float32)[None], 3)[0].tolist()
    [7.0, 8.0, 9.0]
    """
    week = np.zeros((len(past), 7), np.float32)
    # oldest first, so that newer weeks overwrite it
    for back in range(min(8, past.shape[1] // 7), 0, -1):
        stop = past.shape[1] - 7 * (back - 1)
        value = past[:, stop - 7 : stop]
        week = np.where(np.isnan(value), week, value)
    return np.tile(week, -(-horizon // 7))[:, :horizon]


def mase(actual: Floats, forecast: Floats, scale: Floats) -> float:
    """Mean over series of mean |e| / scale (see seasonal_scales); series without a scale are left out."""
    return _mean_ratio(_row_mean(np.abs(actual - forecast)), scale)


def rmsse(actual: Floats, forecast: Floats, squared_scale: Floats) -> float:
    """Mean over series of sqrt(mean e^2 / squared_scale); series without one are left out."""
    return _mean_ratio(np.sqrt(_row_mean((actual - forecast) ** 2)), np.sqrt(squared_scale))


def wql(actual: Floats, quantiles: Floats) -> float:
    """2 x sum of pinball over sum |actual|, averaged over levels: actual [S, H], quantiles [S, H, Q - 1]."""
    e = actual[..., None] - quantiles  # [S, H, Q - 1]
    levels = np.array(QUANTILE_LEVELS)
    pinball = np.maximum(levels * e, (levels - 1) * e)
    return _safe_ratio(2 * np.nansum(pinball) / len(QUANTILE_LEVELS), np.nansum(np.abs(actual)))


def coverage(actual: Floats, quantiles: Floats) -> dict[str, float]:
    """Share of actuals [S, H] inside each interval of the quantiles [S, H, Q - 1], ends included."""
    known = ~np.isnan(actual)
    shares = {}
    for name, (low, high) in INTERVALS.items():
        inside = (actual >= quantiles[..., low]) & (actual <= quantiles[..., high])
        shares[name] = _safe_ratio(inside[known].sum(), known.sum())
    return shares


def score_window(actual: Floats, mean: Floats, quantiles: Floats, past: Floats) -> dict[str, Any]:
    """Metrics of one window: actual, mean [S, H]; quantiles [S, H, Q - 1]; past [S, D]; NaN = no record."""
    step, square = seasonal_scales(past)
    median = quantiles[..., MEDIAN_INDEX]
    return {
        "wape": wape(actual, median),
        "bias": bias(actual, mean),
        "mase": mase(actual, median, step),
        "rmsse": rmsse(actual, mean, square),
        "smape": smape(actual, median),
        "wql": wql(actual, quantiles),
        "coverage": coverage(actual, quantiles),
    }


def aggregate_scores(windows: list[dict[str, Any]], weights: list[float]) -> dict[str, Any]:
    """Metrics over several windows: shares of sales weighted by sales, all others by window."""
    names = [name for name in windows[0] if isinstance(windows[0][name], float)]
    even = [1.0] * len(windows)
    by_sales = {"wape", "bias", "wql"}
    result: dict[str, Any] = {
        name: _weighted_mean([w[name] for w in windows], weights if name in by_sales else even)
        for name in names
    }
    result["coverage"] = {k: _weighted_mean([w["coverage"][k] for w in windows], even) for k in INTERVALS}
    return result


def rank_by_error(errors: dict[str, float]) -> list[dict[str, Any]]:
    """A leaderboard row per algorithm, best first; those without an error (NaN) come last, with None.

    >>> [row["wape"] for row in rank_by_error({"a": float("nan"), "b": 0.4, "c": 0.3})]
    [0.3, 0.4, None]
    """
    rows = [{"algorithm": name, "wape": replace_nan(error)} for name, error in errors.items()]
    return sorted(rows, key=lambda row: (row["wape"] is None, row["wape"] or 0.0))


def replace_nan(value: Any) -> Any:
    """The value with None for NaN, which JSON does not have.

    >>> replace_nan({"a": float("nan"), "b": [1.5]})
    {'a': None, 'b': [1.5]}
    """
    if isinstance(value, dict):
        return {name: replace_nan(part) for name, part in value.items()}
    if isinstance(value, list):
        return [replace_nan(part) for part in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _weighted_mean(values: list[float], weights: list[float]) -> float:
    """Mean of the known values; NaN if none is known."""
    known = [(v, w) for v, w in zip(values, weights, strict=True) if not np.isnan(v)]
    total = sum(w for _v, w in known)
    return float(sum(v * w for v, w in known) / total) if total else float("nan")


def _safe_ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _row_mean(values: Floats) -> Floats:
    """Mean of the known values in each row: [S]; NaN for a row without any, and no warning."""
    count = (~np.isnan(values)).sum(axis=1)
    mean: Floats = np.nansum(values, axis=1) / np.where(count == 0, np.nan, count)
    return mean


def _mean_ratio(part: Floats, whole: Floats) -> float:
    """Mean of part / whole [S] over the series whose whole is known and above 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(whole > 0, part / whole, np.nan)
    return float(np.nanmean(ratio)) if (~np.isnan(ratio)).any() else float("nan")
