"""Adjustment: what people changed of a forecast, beside the numbers of the model. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from registry.series.panel import Floats

Doubles = NDArray[np.float64]

# What is beyond is added: one unit in a hundred days does not become a hundred units on one of them.
MAX_FACTOR = 2.0


@dataclass(frozen=True)
class Adjustment:
    """Mean [S, H] and quantiles [S, H, Q - 1] of the model, and what turns its units into the final ones.

    Mean, quantiles and sample paths of a day are multiplied by factor [S, H], then shift [S, H] units added.
    """

    mean: Floats
    quantiles: Floats
    factor: Doubles
    shift: Doubles

    @classmethod
    def between(cls, mean: Floats, quantiles: Floats, final: Doubles | Floats) -> Adjustment | None:
        """What turns the mean of the model into the final one [S, H]; None where nothing was changed."""
        if np.array_equal(mean, final):
            return None
        model, wanted = mean.astype(np.float64), final.astype(np.float64)
        factor = np.divide(wanted, model, out=np.ones_like(wanted), where=model > 0)
        factor = np.minimum(factor, MAX_FACTOR)
        return cls(mean, quantiles, factor, np.maximum(0.0, wanted - factor * model))

    @property
    def final_mean(self) -> Floats:
        """[S, H] in double precision, so that sums are those that people asked for."""
        return cast(Floats, self.mean.astype(np.float64) * self.factor + self.shift)

    @property
    def final_quantiles(self) -> Floats:
        """[S, H, Q - 1]."""
        return (self.quantiles * self.factor[..., None] + self.shift[..., None]).astype(np.float32)

    @property
    def changed_rows(self) -> NDArray[np.intp]:
        """The series of which any day was changed."""
        return np.flatnonzero(((self.factor != 1) | (self.shift != 0)).any(axis=1))

    def select_series(self, rows: NDArray[np.intp]) -> Adjustment:
        """Only these series, in this order."""
        return Adjustment(self.mean[rows], self.quantiles[rows], self.factor[rows], self.shift[rows])

    def first_days(self, days: int) -> Adjustment:
        """Only the first days."""
        first = slice(None), slice(days)
        return Adjustment(self.mean[first], self.quantiles[first], self.factor[first], self.shift[first])

    def move_units(self, rows: NDArray[np.intp], units: Floats) -> Floats:
        """Units [R, H, N] of these series as the model draws them, moved alike."""
        factor, shift = (part[rows, :, None].astype(np.float32) for part in (self.factor, self.shift))
        return units * factor + shift
