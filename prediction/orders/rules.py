"""Rules that buyers order by today, to compare with: each from past sales and the stock, to units [S]."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from prediction.orders.stock import Floats

MONTH = 28


@dataclass(frozen=True)
class CoverDays:
    """Order up to so many days of the average of the last four weeks."""

    days: float
    span: int = MONTH

    def __call__(self, past: Floats, position: Floats) -> Floats:
        """Units of each series: past sales [S, D], NaN = unknown, and what is on hand and on order [S]."""
        return _fill_up(self.days * average_sales(past, self.span), position)


@dataclass(frozen=True)
class MinMax:
    """Below the least, order up to the most: both in days of the average of the last four weeks."""

    least: float
    most: float
    span: int = MONTH

    def __call__(self, past: Floats, position: Floats) -> Floats:
        """As of CoverDays."""
        usual = average_sales(past, self.span)
        return np.where(position <= self.least * usual, _fill_up(self.most * usual, position), 0)


@dataclass(frozen=True)
class LastWeeks:
    """Order what an order cycle sold on average in the last four weeks, whatever the stock."""

    review_days: int
    span: int = MONTH

    def __call__(self, past: Floats, position: Floats) -> Floats:
        """As of CoverDays."""
        return np.ceil(self.review_days * average_sales(past, self.span) - 1e-4)


@dataclass(frozen=True)
class NormalSafety:
    """Mean demand over the protected days, and z times sigma times the root of these days."""

    protected_days: int
    level: float = 0.95
    span: int = 2 * MONTH

    def __call__(self, past: Floats, position: Floats) -> Floats:
        """As of CoverDays."""
        recent, days = past[:, -self.span :], self.protected_days
        known = np.maximum((~np.isnan(recent)).sum(axis=1), 1)
        mean = average_sales(past, self.span)
        sigma = np.sqrt(np.nansum((recent - mean[:, None]) ** 2, axis=1) / np.maximum(known - 1, 1))
        z = NormalDist().inv_cdf(self.level)
        return _fill_up(days * mean + z * sigma * np.sqrt(days), position)


def average_sales(past: Floats, span: int) -> Floats:
    """Mean of the known sales of the last `span` days, 0 where none is: [S]."""
    recent = past[:, -span:]
    known = (~np.isnan(recent)).sum(axis=1)
    mean: Floats = (np.nansum(recent, axis=1) / np.maximum(known, 1)).astype(np.float32)
    return mean


def _fill_up(level: Floats, position: Floats) -> Floats:
    """Whole units, at least up to the level."""
    return np.maximum(np.ceil(level - position - 1e-4), 0)
