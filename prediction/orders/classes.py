"""Classes of products: ABC by money, XYZ by how regular weekly sales are. Pure numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prediction.orders.stock import Floats

A_SHARE, B_SHARE = 0.8, 0.95  # of the money that A, and A and B together, make
X_LIMIT, Y_LIMIT = 0.5, 1.0  # coefficient of variation of weekly sales
WEEK = 7


def classify_money(money: Floats) -> NDArray[np.str_]:
    """A for the lines [S] that make the first 80% of the money, B up to 95%, C for the rest.

    >>> classify_money(np.array([4.0, 80.0, 16.0])).tolist()
    ['C', 'A', 'B']
    """
    order = np.argsort(-money, kind="stable")
    before = np.cumsum(money[order]) - money[order]
    share = np.empty(len(money))
    share[order] = before / max(float(money.sum()), 1e-9)
    return np.where(share < A_SHARE, "A", np.where(share < B_SHARE, "B", "C"))


def classify_regularity(sales: Floats) -> NDArray[np.str_]:
    """X, Y or Z by the variation of the weekly sums of sales [S, D]; NaN counts as 0."""
    weeks = sales.shape[1] // WEEK
    sums = (
        np.nan_to_num(sales[:, sales.shape[1] - weeks * WEEK :]).reshape(len(sales), weeks, WEEK).sum(axis=2)
    )
    mean = sums.mean(axis=1)
    variation = np.divide(sums.std(axis=1), mean, out=np.full(len(sales), np.inf), where=mean > 0)
    return np.where(variation <= X_LIMIT, "X", np.where(variation <= Y_LIMIT, "Y", "Z"))
