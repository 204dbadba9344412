"""Prediction: the forecast of every series and day, and of any total of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from registry.series.calibration import WEEK, Calibration
from registry.series.panel import Days, Floats
from registry.series.quantiles import QUANTILE_NAMES
from registry.series.spread import OwnRange, sum_spread
from registry.series.widening import width_growth


@dataclass(frozen=True)
class Prediction:
    """mean [S, H] and quantiles [S, H, Q - 1] in units a day: ascending, >= 0, 0 on closed days [S, H].

    assumptions: [{"column", "default"}], the known covariates that were missing for the days ahead.
    """

    origin: np.datetime64
    dates: Days
    keys: list[tuple[str, str]]
    mean: Floats
    quantiles: Floats
    closed: NDArray[np.bool_]
    calibration: Calibration
    assumptions: list[dict[str, str]]

    def _total_kind(self, rows: NDArray[np.intp]) -> str:
        """The kind of total that these rows add up to: series, store, product or all."""
        chosen = [self.keys[row] for row in rows]
        if len(chosen) == 1:
            return "series"
        if len({store for store, _ in chosen}) == 1 and len({s for s, _ in self.keys}) > 1:
            return "store"
        if len({product for _, product in chosen}) == 1 and len({p for _, p in self.keys}) > 1:
            return "product"
        return "all"

    def sum_rows(self, rows: NDArray[np.intp] | None = None) -> Prediction:
        """The sum of the rows (default: all) as one row, with the interval of that total."""
        rows = np.arange(len(self.keys)) if rows is None else rows
        closed: NDArray[np.bool_] = np.all(self.closed[rows], axis=0)
        if len(rows) == 1:
            return self._single_row(rows, self.mean[rows], self.quantiles[rows], closed)
        mean = self.mean[rows].sum(axis=0)  # [H]; means add up, quantiles of the parts do not
        quantiles = self.calibration.total_quantiles(self._total_kind(rows), mean)
        return self._single_row(rows, mean[None], quantiles[None], closed)

    def _single_row(
        self, rows: NDArray[np.intp], mean: Floats, quantiles: Floats, closed: NDArray[np.bool_]
    ) -> Prediction:
        keys = [self.keys[rows[0]]] if len(rows) == 1 else [("", "")]
        shared = (self.calibration, self.assumptions)
        return Prediction(self.origin, self.dates, keys, mean, quantiles, closed[None], *shared)

    def sum_with_interval(self, rows: NDArray[np.intp] | None = None) -> tuple[float, float, float]:
        """Expected units over all days, and the ends of the 80% interval of that sum."""
        rows = np.arange(len(self.keys)) if rows is None else rows
        mean = self.mean[rows].sum(axis=0)
        spread = sum_spread(self.mean[rows], self.quantiles[rows], self.calibration.whole)
        low, high = self.calibration.sum_interval(self._total_kind(rows), mean, spread)
        return float(mean.sum()), low, high

    def week_quantiles(self, rows: NDArray[np.intp] | None = None) -> list[Floats]:
        """Quantiles [Q - 1] of the sum of each seven days ahead, the last ones fewer; [] if not measured."""
        rows = np.arange(len(self.keys)) if rows is None else rows
        own = self.calibration.weeks.get(self._total_kind(rows))
        if not own:
            return []
        found, whole = [], self.calibration.whole
        grown = width_growth(len(self.dates), self.calibration.window_days, self.calibration.growth)
        for start in range(0, len(self.dates), WEEK):
            mean, quantiles = (part[rows, start : start + WEEK] for part in (self.mean, self.quantiles))
            wider = float(grown[start : start + WEEK].mean())
            ends = OwnRange.from_list(own).widen(wider).relative_ends(sum_spread(mean, quantiles, whole))
            found.append((mean.sum() * (1 + np.array(ends))).astype(np.float32))
        return found

    def to_frame(self) -> pd.DataFrame:
        """One row per series and day: origin, date, store_id, product_id, mean, q0.025 ... q0.975."""
        size, horizon = self.mean.shape
        table: dict[str, object] = {
            "origin": np.full(size * horizon, self.origin).astype("datetime64[s]"),
            "date": np.tile(self.dates, size).astype("datetime64[s]"),
            "store_id": np.repeat([store for store, _ in self.keys], horizon),
            "product_id": np.repeat([product for _, product in self.keys], horizon),
            "mean": self.mean.ravel(),
        }
        table |= {name: self.quantiles[..., i].ravel() for i, name in enumerate(QUANTILE_NAMES)}
        return pd.DataFrame(table)
