"""Prediction: the forecast of every series and day, sample paths, and any sum of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from registry.series.calibration import WEEK, Calibration
from registry.series.dependence import Dependence
from registry.series.panel import Days, Floats
from registry.series.paths import PATHS, Adjustment, PathSampler, read_quantiles
from registry.series.quantiles import INTERVALS, QUANTILE_LEVELS, QUANTILE_NAMES

if TYPE_CHECKING:
    import pandas as pd

ENDS_80 = tuple(QUANTILE_LEVELS[end] for end in INTERVALS["80"])
FINAL = "final_"  # begins the columns with what people made of the model's numbers
MAX_KEPT_CELLS = 16_000_000  # days x paths of sums that are kept in memory: 64 MB
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Prediction:
    """mean [S, H] and quantiles [S, H, Q - 1] in units a day: ascending, >= 0, 0 on closed days [S, H].

    assumptions: [{"column", "default"}], the known covariates that were missing for the days ahead.
    dependence and seed make the paths; bounds [S]: units a day that none exceeds, if known.
    Where people changed the forecast, mean and quantiles are the final ones; `adjustment` has the model's.
    """

    origin: np.datetime64
    dates: Days
    keys: list[tuple[str, str]]
    mean: Floats
    quantiles: Floats
    closed: NDArray[np.bool_]
    calibration: Calibration
    assumptions: list[dict[str, str]]
    dependence: Dependence = field(default_factory=Dependence)
    seed: int = 0
    bounds: Floats | None = None
    steady: Floats | None = None  # [S] see PathSampler
    adjustment: Adjustment | None = None

    @property
    def model_mean(self) -> Floats:
        """[S, H] as the model forecast it."""
        return self.mean if self.adjustment is None else self.adjustment.mean

    def of_model(self) -> Prediction:
        """Without what people changed."""
        if (changed := self.adjustment) is None:
            return self
        return replace(self, mean=changed.mean, quantiles=changed.quantiles, adjustment=None)

    def adjust(self, changed: Adjustment) -> Prediction:
        """With the numbers of an adjustment of this prediction."""
        return replace(self, mean=changed.final_mean, quantiles=changed.final_quantiles, adjustment=changed)

    def sampler(self, count: int = PATHS) -> PathSampler:
        """What draws `count` paths of any of the series."""
        name, whole = f"{self.seed}|{self.origin}", self.calibration.whole
        drawn = self.of_model()
        parts = (self.keys, drawn.mean, drawn.quantiles, self.dependence, whole, name, count)
        return PathSampler(*parts, self.bounds, self.steady, self.adjustment)

    def draw_paths(self, rows: Rows | None = None, count: int = PATHS) -> Floats:
        """Sample paths of the rows (default: all), right together over days and rows: [N, R, H] units.

        The same seed, origin and series give the same bytes, alone or among others. Closed days are 0; units
        are whole where sales are counts. For sums of many series use `sum_paths`.
        """
        return np.ascontiguousarray(np.moveaxis(self.sampler(count).draw(self._rows(rows)), 2, 0))

    def sum_paths(self, groups: Sequence[Rows], count: int = PATHS) -> Floats:
        """The paths of the sum of each group of rows, without all paths in memory: [N, G, H]."""
        return np.ascontiguousarray(np.moveaxis(self.sampler(count).sum_groups(groups), 2, 0))

    def keep_sums(self, groups: Sequence[Rows], watch: Callable[[Rows, Floats], None] | None = None) -> None:
        """Draws the sums of all groups at once, so that each series is drawn once for all ranges to come.

        `watch` sees the units [R, H, N] of every series that is drawn.
        """
        most = MAX_KEPT_CELLS // (len(self.dates) * PATHS)
        wanted = {_name_rows(rows): rows for rows in groups}
        missing = {name: rows for name, rows in wanted.items() if name not in self._kept_sums}
        if missing and len(self._kept_sums) + len(missing) > most:
            self._kept_sums.clear()
        if missing:
            sums = self.sampler().sum_groups(list(missing.values()), watch=watch)
            self._kept_sums.update(zip(missing, sums, strict=True))

    def select_series(self, rows: Rows) -> Prediction:
        """Only these series, in this order."""
        return replace(
            self,
            keys=[self.keys[row] for row in rows],
            mean=self.mean[rows],
            quantiles=self.quantiles[rows],
            closed=self.closed[rows],
            bounds=None if self.bounds is None else self.bounds[rows],
            steady=None if self.steady is None else self.steady[rows],
            adjustment=self.adjustment and self.adjustment.select_series(rows),
        )

    def first_days(self, days: int) -> Prediction:
        """Only the first days: their paths are the same ones."""
        if days == len(self.dates):
            return self
        return replace(
            self,
            dates=self.dates[:days],
            mean=self.mean[:, :days],
            quantiles=self.quantiles[:, :days],
            closed=self.closed[:, :days],
            adjustment=self.adjustment and self.adjustment.first_days(days),
        )

    def sum_rows(self, rows: Rows | None = None) -> Prediction:
        """The sum of the rows (default: all) as one row, with the quantiles of that total."""
        rows = self._rows(rows)
        closed: NDArray[np.bool_] = np.all(self.closed[rows], axis=0)
        if len(rows) == 1:
            return self._single_row(rows, self.mean[rows], self.quantiles[rows], closed)
        mean = self.mean[rows].sum(axis=0)  # [H]; means add up, quantiles of the parts do not
        quantiles = self._read(self._sum_of(rows))
        return self._single_row(rows, mean[None], quantiles[None], closed)

    def _single_row(
        self, rows: Rows, mean: Floats, quantiles: Floats, closed: NDArray[np.bool_]
    ) -> Prediction:
        keys = [self.keys[rows[0]]] if len(rows) == 1 else [("", "")]
        shared = (self.calibration, self.assumptions, self.dependence, self.seed)
        return Prediction(self.origin, self.dates, keys, mean, quantiles, closed[None], *shared)

    def sum_with_interval(
        self, rows: Rows | None = None, days: slice | range | None = None
    ) -> tuple[float, float, float]:
        """Expected units over the days (default: all), and the ends of the 80% interval of that sum.

        days: places in `dates`, such as range(7) for the first week.
        """
        rows, chosen = self._rows(rows), slice(None) if days is None else days
        expected = float(self.mean[rows].sum(axis=0, dtype=np.float64)[chosen].sum())
        return read_interval(expected, self._sum_of(rows)[chosen].sum(axis=0), self.calibration.whole)

    def week_quantiles(self, rows: Rows | None = None) -> list[Floats]:
        """Quantiles [Q - 1] of the sum of each seven days ahead, the last ones fewer."""
        paths = self._sum_of(self._rows(rows))
        return [
            self._read(paths[start : start + WEEK].sum(axis=0)) for start in range(0, len(self.dates), WEEK)
        ]

    def _rows(self, rows: Rows | None) -> Rows:
        return np.arange(len(self.keys)) if rows is None else np.asarray(rows)

    def _sum_of(self, rows: Rows) -> Floats:
        """The paths of the sum of the rows: [H, N]; those drawn last are kept."""
        if (found := self._kept_sums.get(_name_rows(rows))) is not None:
            return found
        self.keep_sums([rows])
        return self._kept_sums[_name_rows(rows)]

    def _read(self, paths: Floats, levels: Sequence[float] = QUANTILE_LEVELS) -> Floats:
        return read_quantiles(paths, self.calibration.whole, levels)

    @cached_property
    def _kept_sums(self) -> dict[bytes, Floats]:
        return {}

    def to_frame(self) -> pd.DataFrame:
        """One row per series and day: origin, date, store_id, product_id, mean, q0.025 ... q0.975.

        These are the model's; final_mean, final_q0.025 ... are what people made of them.
        """
        import pandas as pd  # half a second that only commands need

        size, horizon = self.mean.shape
        table: dict[str, object] = {
            "origin": np.full(size * horizon, self.origin).astype("datetime64[s]"),
            "date": np.tile(self.dates, size).astype("datetime64[s]"),
            "store_id": np.repeat([store for store, _ in self.keys], horizon),
            "product_id": np.repeat([product for _, product in self.keys], horizon),
        }
        for prefix, found in (("", self.of_model()), (FINAL, self)):
            table[f"{prefix}mean"] = found.mean.ravel()
            for place, name in enumerate(QUANTILE_NAMES):
                table[f"{prefix}{name}"] = found.quantiles[..., place].ravel()
        return pd.DataFrame(table)


def read_interval(expected: float, paths: Floats, is_count: bool) -> tuple[float, float, float]:
    """Expected units, and the ends of the 80% interval of a sum with these paths [N]."""
    low, high = read_quantiles(paths, is_count, ENDS_80)
    # of few units the mean may lie outside: it is shown, so the range holds it
    return expected, min(expected, float(low)), max(expected, float(high))


def _name_rows(rows: Rows) -> bytes:
    """What kept sums are found by."""
    return np.asarray(rows, np.int64).tobytes()
