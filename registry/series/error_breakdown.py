"""Where the error lies: by day ahead, product, store and sales level, and the coverage of totals.

Sums over all holdout windows. A day without an actual counts nowhere, not even in totals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.series import metrics
from registry.series.calibration import SINGLE, group_rows
from registry.series.panel import Floats
from registry.series.paths import PathSampler, read_quantiles
from registry.series.quantiles import INTERVALS, MEDIAN_INDEX

SCORED_PATHS = 50  # paths that tell how often the ranges of totals hold: enough for shares, and quick
MAX_ROWS = 200  # products or stores listed, the largest by units
SALES_LEVELS = ("low", "middle", "high")  # thirds of the series by their sales before the windows
SeriesKeys = list[tuple[str, str]]


@dataclass(frozen=True)
class HoldoutWindow:
    """One holdout window: its sales [S, H], NaN = left out, beside their forecast."""

    actual: Floats
    mean: Floats  # [S, H]
    quantiles: Floats  # [S, H, Q - 1]
    sampler: PathSampler  # of the totals

    @property
    def error_sums(self) -> NDArray[np.float64]:
        """[5, S, H]: |e| of the median, forecast - actual of the mean, |actual|, actual, 1 per known day."""
        actual = self.actual
        missed, over = np.abs(actual - self.quantiles[..., MEDIAN_INDEX]), self.mean - actual
        parts = np.stack([missed, over, np.abs(actual), actual, np.ones_like(actual)])
        return np.where(np.isnan(actual), 0, parts).astype(np.float64)

    def group_totals(self, groups: list[NDArray[np.intp]]) -> tuple[Floats, Floats]:
        """What the series of each group sold together [G, H], and quantiles of these sums [G, H, Q - 1]."""
        known = ~np.isnan(self.actual)
        sold = np.stack([np.nansum(self.actual[rows], axis=0) for rows in groups])
        some = np.stack([known[rows].any(axis=0) for rows in groups])
        # the forecast counts only where the sales do, or a missing day would look like too high a forecast
        ranges = read_quantiles(self.sampler.sum_groups(groups, known), self.sampler.is_count)
        for place, rows in enumerate(groups):
            if len(rows) == 1:
                ranges[place] = self.quantiles[rows[0]]
        return np.where(some, sold, np.float32(np.nan)), ranges


def error_breakdown(windows: list[HoldoutWindow], keys: SeriesKeys, past: Floats) -> dict[str, Any]:
    """by_step, by_product, by_store, by_level and totals, as JSON; past [S, D] ends before all windows."""
    sums = np.zeros((5, *windows[0].actual.shape))
    for trial in windows:
        sums += trial.error_sums
    by_series = sums.sum(axis=2)  # [5, S]; sums.sum(axis=1).T is [H, 5], one row a day ahead
    return {
        "by_step": [
            {"step": step, **_wape_and_bias(day), "n": int(day[4])}
            for step, day in enumerate(sums.sum(axis=1).T, start=1)
        ],
        "by_product": _errors_by_code([product for _store, product in keys], by_series),
        "by_store": _errors_by_code([store for store, _product in keys], by_series),
        "by_level": _coverage_by_level(windows, past),
        "totals": total_coverage(windows, keys),
    }


def total_coverage(windows: list[HoldoutWindow], keys: SeriesKeys) -> dict[str, dict[str, float]]:
    """Coverage of the intervals of stores, products and everything, where those are totals."""
    # the only store or product is the same total as "all"
    kinds = {
        kind: groups
        for kind, groups in group_rows(keys).items()
        if kind != SINGLE and (len(groups) > 1 or kind == "all")
    }
    every = [rows for groups in kinds.values() for rows in groups]
    # each series is drawn once for all kinds
    sold, ranges = (np.stack(part) for part in zip(*(w.group_totals(every) for w in windows), strict=True))
    ends = np.cumsum([len(groups) for groups in kinds.values()])[:-1]
    parts = zip(kinds, np.split(sold, ends, axis=1), np.split(ranges, ends, axis=1), strict=True)
    return {kind: metrics.coverage(units, held) for kind, units, held in parts}


def _errors_by_code(codes: list[str], sums: NDArray[np.float64]) -> list[dict[str, Any]]:
    """One row per code, the largest first, from sums [5, S]."""
    names, place = np.unique(codes, return_inverse=True)
    # [5, codes]
    table = np.stack([np.bincount(place, row, len(names)).astype(np.float64) for row in sums])
    largest = np.argsort(-table[3], kind="stable")[:MAX_ROWS]
    return [
        {"code": str(names[i]), **_wape_and_bias(table[:, i]), "units": round(float(table[3, i]), 1)}
        for i in largest
    ]


def _coverage_by_level(windows: list[HoldoutWindow], past: Floats) -> list[dict[str, Any]]:
    """Coverage of the 80% interval by level of earlier sales: those of the windows would pick the misses."""
    known = (~np.isnan(past)).sum(axis=1)
    order = np.argsort(np.nansum(past, axis=1) / np.maximum(1, known), kind="stable")
    rows = []
    for level, part in zip(SALES_LEVELS, np.array_split(order, len(SALES_LEVELS)), strict=True):
        inside = _mean_share(_inside_interval(trial, part) for trial in windows)
        rows.append({"level": level, "series": len(part), "coverage": inside})
    return rows


def _inside_interval(window: HoldoutWindow, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether each known actual of these series lies in the 80% interval."""
    low, high = INTERVALS["80"]
    actual, quantiles = window.actual[rows], window.quantiles[rows]
    inside = (actual >= quantiles[..., low]) & (actual <= quantiles[..., high])
    return np.asarray(inside[~np.isnan(actual)])


def _mean_share(parts: Iterable[NDArray[np.bool_]]) -> float:
    """Share of True over all parts; NaN if there is nothing."""
    whole = np.concatenate(list(parts))
    return round(float(whole.mean()), 4) if whole.size else float("nan")


def _wape_and_bias(sums: NDArray[np.float64]) -> dict[str, float]:
    """WAPE and bias of sums [5]; NaN where nothing was sold.

    >>> _wape_and_bias(np.array([2.0, -1.0, 10.0, 10.0, 5.0]))
    {'wape': 0.2, 'bias': -0.1}
    """
    missed, over, sold, _units, _days = sums
    if not sold:
        return {"wape": float("nan"), "bias": float("nan")}
    return {"wape": round(float(missed / sold), 4), "bias": round(float(over / sold), 4)}
