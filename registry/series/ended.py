"""Series that ended: nothing sold for so long, while their store sells, that chance does not explain it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from registry.series.calendar import YEAR_DAYS
from registry.series.panel import Floats
from registry.series.quantiles import OUTPUT_COUNT, QUANTILE_LEVELS

MIN_SILENT_DAYS = 28  # recorded days without a sale
MIN_MISSED_UNITS = 12.0  # units that would have been sold in them: chance e**-12 for independent sales
LEVEL_DAYS = 112


def find_ended(sales: Floats) -> NDArray[np.bool_]:
    """Whether each series has ended by the last day: [S]; sales [S, D], NaN = closed or no record.

    What it would have sold in its silence is judged by the days before, or by the same days a year ago if
    these were fewer: a product out of season has not ended.
    """
    silent = trailing_zeros(sales)  # [S, D]
    days = silent.sum(axis=1)
    ended = days >= MIN_SILENT_DAYS
    quiet = np.flatnonzero(ended)  # few, so that only these are looked at closely
    past, silence = sales[quiet], silent[quiet]
    missed = np.minimum(days[quiet] * _level_before(past, silence), _sold_year_ago(past, silence))
    ended[quiet] = missed >= MIN_MISSED_UNITS
    return ended


def expect_rare_sale(sales: Floats, closed: NDArray[np.bool_]) -> Floats:
    """The forecast [S, H, Q] where nothing was ever sold: sales [S, D], NaN = not recorded; closed [S, H].

    After N days without a sale the next one sells with a chance of 1 / (N + 1) (Laplace's rule of
    succession), and with 95% confidence of 3 / N at most (rule of three).
    """
    days = np.maximum(1, (~np.isnan(sales)).sum(axis=1))[:, None]
    result = np.zeros((*closed.shape, OUTPUT_COUNT), np.float32)
    result[..., 0] = 1 / (days + 1)
    result[..., -1] = np.minimum(1.0, 3 / days / (1 - QUANTILE_LEVELS[-1]))
    result[closed] = 0
    return result


def without_ended(holdout: list[tuple[Floats, Floats]]) -> list[tuple[Floats, Floats]]:
    """Holdout windows, actual [S, H] and forecast [S, H, Q], whose actuals after a series ended are NaN.

    They must not move or widen the others.
    """
    days = holdout[0][0].shape[1]
    actual = np.concatenate([sold for sold, _forecast in holdout], axis=1)  # [S, W * H], oldest first
    expected = np.concatenate([forecast[..., 0] for _sold, forecast in holdout], axis=1)
    silent = trailing_zeros(actual)
    missed = np.where(silent, expected, 0).sum(axis=1)
    ended = (silent.sum(axis=1) >= MIN_SILENT_DAYS) & (missed >= MIN_MISSED_UNITS)
    kept = np.where(silent & ended[:, None], np.float32(np.nan), actual)
    return [
        (kept[:, place * days : (place + 1) * days], forecast)
        for place, (_sold, forecast) in enumerate(holdout)
    ]


def trailing_zeros(sales: Floats) -> NDArray[np.bool_]:
    """The recorded days after the last sale of each series: [S, D]; sales NaN = not recorded.

    >>> trailing_zeros(np.array([[2, 0, np.nan, 0], [0, 0, 0, 1]], np.float32)).astype(int).tolist()
    [[0, 1, 0, 1], [0, 0, 0, 0]]
    """
    sold_later = np.cumsum((np.nan_to_num(sales) > 0)[:, ::-1], axis=1)[:, ::-1] > 0
    return ~sold_later & ~np.isnan(sales)


def _level_before(sales: Floats, silent: NDArray[np.bool_]) -> Floats:
    """Mean of the last LEVEL_DAYS recorded days before the silence; 0 if there are none: [S]."""
    before = ~np.isnan(sales) & ~silent
    newest = np.cumsum(before[:, ::-1], axis=1)[:, ::-1] <= LEVEL_DAYS
    counted = before & newest
    total = np.where(counted, np.nan_to_num(sales), 0).sum(axis=1)
    return np.asarray(total / np.maximum(1, counted.sum(axis=1)), np.float32)


def _sold_year_ago(sales: Floats, silent: NDArray[np.bool_]) -> Floats:
    """Units sold a year before the silent days; infinite for a series that was not recorded then: [S]."""
    then = np.zeros_like(silent)
    then[:, :-YEAR_DAYS] = silent[:, YEAR_DAYS:]
    known = then & ~np.isnan(sales)
    units = np.where(known, np.nan_to_num(sales), 0).sum(axis=1)
    return np.where(known.any(axis=1), units, np.inf).astype(np.float32)
