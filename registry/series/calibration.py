"""Calibration: the width of intervals is measured on holdout windows, never on the learning days.

Of a single series and day: conformal, one factor per interval, week ahead and sales level. The mean is
corrected by the bias that all windows share. Beyond the days of the windows ranges widen (see widening.py).
Sums over days or series take their ranges from sample paths (see paths.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from registry.series.ended import without_ended
from registry.series.levels import rows_by_code
from registry.series.panel import Floats
from registry.series.quantiles import INTERVALS, MEDIAN_INDEX, is_count_data, round_median
from registry.series.widening import LEAST_GROWTH, estimate_growth, width_growth

WEEK, MAX_WEEKS, SIZE_BUCKETS = 7, 4, 3  # buckets: weeks ahead (the last one open), thirds of the sales level
MIN_BUCKET_ERRORS = 60  # errors that a bucket needs for a separate factor
MAX_WIDTH_FACTOR = 20.0
MAX_MEAN_FACTOR = 1.1  # the mean is corrected by 10% at most
EPSILON = 1e-9
SINGLE = "series"
OUTDATED_TABLES = ("totals", "sums", "own", "weeks")
HoldoutForecast = tuple[Floats, Floats]  # actual [S, H] (NaN = unknown), forecast [S, H, Q]


@dataclass
class Calibration:
    """Plain numbers, stored as JSON in the bundle: never rename a field."""

    edges: list[float] = field(default_factory=list)  # between the sales levels
    factors: dict[str, list[list[float]]] = field(default_factory=dict)  # interval -> [week][size]
    window_days: int = 0  # days ahead that were measured; 0 = not known: nothing widens
    growth: float = LEAST_GROWTH  # of the widths beyond those days
    mean: float = 1.0  # factor of the mean
    whole: bool = False  # sales are counts, and so is their median

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Ignores the tables for sums and totals that bundles of release 0.1 have."""
        return cls(**{name: value for name, value in values.items() if name not in OUTDATED_TABLES})

    @classmethod
    def fit(cls, holdout: list[HoldoutForecast], keys: list[tuple[str, str]]) -> Calibration:
        """Measures W windows of the same S series; without windows nothing is calibrated.

        Errors are [W * S, H] by interval.
        """
        if not holdout:
            return cls()
        holdout = without_ended(holdout)
        whole = is_count_data(np.stack([actual for actual, _forecast in holdout]))
        holdout = [(actual, round_median(forecast)) for actual, forecast in holdout] if whole else holdout
        # [W * S] by the forecast, not the sales: a level must be known when forecasting
        levels = np.concatenate([forecast[..., 0].mean(axis=1) for _actual, forecast in holdout])
        result = cls(edges=[float(edge) for edge in np.quantile(levels, [1 / 3, 2 / 3])], whole=whole)
        for name, ends in INTERVALS.items():
            parts = [_conformity_scores(actual, forecast, ends) for actual, forecast in holdout]
            result.factors[name] = result._fit_factors(parts, holdout, int(name) / 100)
        result.mean = fit_mean_factor(holdout)
        # growth is measured around the corrected mean, which the ranges will be put around
        moved = [(actual, forecast * result.mean) for actual, forecast in holdout]
        products = group_rows(keys)["product"]
        result.growth = estimate_growth([_group_totals(*pair, products) for pair in moved])
        result.window_days = holdout[0][0].shape[1]
        return result

    def _fit_factors(
        self, scores: list[Floats], holdout: list[HoldoutForecast], share: float
    ) -> list[list[float]]:
        """The factor table [MAX_WEEKS][SIZE_BUCKETS]; a bucket with few errors gets the factor of all."""
        sizes = np.concatenate([self._size_buckets(forecast) for _actual, forecast in holdout])  # [W * S]
        misses = np.concatenate(scores)  # [W * S, H]
        weeks = _week_buckets(misses.shape[1])
        whole = _width_factor(misses, share)
        table = []
        for week in range(MAX_WEEKS):
            row = [misses[sizes == size][:, weeks == week] for size in range(SIZE_BUCKETS)]
            table.append(
                [_width_factor(m, share) if (~np.isnan(m)).sum() >= MIN_BUCKET_ERRORS else whole for m in row]
            )
        return table

    def _size_buckets(self, forecast: Floats) -> NDArray[np.int64]:
        """The sales level of each series, 0 to SIZE_BUCKETS - 1: [S]."""
        return np.searchsorted(np.array(self.edges), forecast[..., 0].mean(axis=1)).astype(np.int64)

    def calibrate_forecast(self, forecast: Floats) -> Floats:
        """The forecast [S, H, Q] with the mean corrected and quantiles at their calibrated distance."""
        return self._widen_untested(self._apply_factors(forecast) if self.factors else forecast)

    def _widen_untested(self, forecast: Floats) -> Floats:
        """The forecast with quantiles farther from the median on days beyond the measured ones."""
        grown = width_growth(forecast.shape[1], self.window_days, self.growth)
        if grown[-1] == 1:
            return forecast
        median = forecast[..., 1 + MEDIAN_INDEX : 2 + MEDIAN_INDEX]
        result = forecast.copy()
        result[..., 1:] = np.maximum(0, median + grown[:, None] * (forecast[..., 1:] - median))
        return result

    def _apply_factors(self, forecast: Floats) -> Floats:
        """The forecast with the measured factors of mean and widths."""
        forecast = round_median(forecast) if self.whole else forecast
        result = forecast.copy()
        weeks, sizes = _week_buckets(forecast.shape[1]), self._size_buckets(forecast)
        median = forecast[..., 1 + MEDIAN_INDEX]
        room = _minimum_width(forecast)
        result[..., 0] *= self.mean
        for name, (low, high) in INTERVALS.items():
            # [MAX_WEEKS, SIZE_BUCKETS] -> [H, SIZE_BUCKETS] -> [H, S] -> [S, H]
            factor = np.array(self.factors[name])[weeks][:, sizes].T
            result[..., 1 + low] = median - factor * (median - forecast[..., 1 + low] + room)
            result[..., 1 + high] = median + factor * (forecast[..., 1 + high] - median + room)
        # a day without mean and upper bound is closed: the room must not open it
        closed = (forecast[..., 0] == 0) & (forecast[..., -1] == 0)
        result[..., 1:] = np.sort(np.maximum(result[..., 1:], 0), axis=2)
        result[closed] = 0
        return result.astype(np.float32)


def group_rows(keys: list[tuple[str, str]]) -> dict[str, list[NDArray[np.intp]]]:
    """kind -> the rows of each group: every series, every store, every product, and all.

    >>> {kind: len(rows) for kind, rows in group_rows([("A", "x"), ("A", "y"), ("B", "x")]).items()}
    {'series': 3, 'store': 2, 'product': 2, 'all': 1}
    """
    every = [np.array([row]) for row in range(len(keys))]
    stores, products = (list(rows_by_code([key[part] for key in keys]).values()) for part in (0, 1))
    return {SINGLE: every, "store": stores, "product": products, "all": [np.arange(len(keys))]}


def _week_buckets(horizon: int) -> NDArray[np.int64]:
    """Which week ahead each day is in, 0 to MAX_WEEKS - 1: [H]."""
    return np.minimum(np.arange(horizon) // WEEK, MAX_WEEKS - 1)


def _minimum_width(forecast: Floats) -> Floats:
    """The least distance of a bound from the median that a factor can stretch, 2% of the mean: [S, H]."""
    room: Floats = 0.02 * forecast[..., 0]
    return room


def _conformity_scores(actual: Floats, forecast: Floats, ends: tuple[int, int]) -> Floats:
    """How many times its own width the interval would have to be to hold the actual: [S, H]."""
    median, room = forecast[..., 1 + MEDIAN_INDEX], _minimum_width(forecast)
    below = median - forecast[..., 1 + ends[0]] + room
    above = forecast[..., 1 + ends[1]] - median + room
    with np.errstate(invalid="ignore", divide="ignore"):
        miss = np.where(actual < median, (median - actual) / below, (actual - median) / above)
    miss = np.where(actual == median, 0.0, miss)  # also where 0 / 0
    closed = (forecast[..., 0] == 0) & (forecast[..., -1] == 0)
    return np.where(closed | np.isnan(actual), np.nan, np.minimum(miss, MAX_WIDTH_FACTOR)).astype(np.float32)


def _width_factor(misses: Floats, share: float) -> float:
    """The factor that makes an interval hold this share of the scores; 1 without scores."""
    known = misses[~np.isnan(misses)]
    if not known.size:
        return 1.0
    # (n + 1) / n: the finite-sample correction of split conformal prediction
    level = min(1.0, share * (1 + 1 / known.size))
    return float(np.quantile(known, level))


def fit_mean_factor(holdout: list[HoldoutForecast]) -> float:
    """The correction of the mean, as far as all holdout windows agree: one bad window changes little.

    The logarithm of sold / expected, shrunk by how much it differs from window to window.
    """
    off = []
    for actual, forecast in holdout:
        sold, expected = np.nansum(actual), forecast[..., 0][~np.isnan(actual)].sum()
        off += [float(np.log(sold / expected))] if sold > 0 and expected > 0 else []
    if not off:
        return 1.0
    middle = float(np.mean(off))
    # squared standard error of the mean; trust -> 1 if windows agree, -> 0 if they differ more than they err
    doubt = (float(np.var(off, ddof=1)) if len(off) > 1 else middle**2) / len(off)
    trust = middle**2 / max(EPSILON, middle**2 + doubt)
    return float(np.clip(np.exp(trust * middle), 1 / MAX_MEAN_FACTOR, MAX_MEAN_FACTOR))


def _group_totals(actual: Floats, forecast: Floats, groups: list[NDArray[np.intp]]) -> tuple[Floats, Floats]:
    """What each group sold and was expected to sell on days with an actual: [groups, H] twice, NaN = none."""
    known = ~np.isnan(actual)
    sold = [np.nansum(actual[rows], axis=0) for rows in groups]
    mean = [np.where(known[rows], forecast[rows, :, 0], 0).sum(axis=0) for rows in groups]
    some = np.array([known[rows].any(axis=0) for rows in groups])
    return np.where(some, sold, np.nan).astype(np.float32), np.where(some, mean, np.nan).astype(np.float32)
