"""Classes of products: ABC by money, XYZ by how regular weekly sales are. Pure numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prediction.orders.stock import Floats
from prediction.orders.terms import Policy

A_SHARE, B_SHARE = 0.8, 0.95  # of the money that A, and A and B together, make
X_LIMIT, Y_LIMIT = 0.5, 1.0  # coefficient of variation of weekly sales
WEEK = 7
CLASSES = tuple(money + regularity for money in "ABC" for regularity in "XYZ")


@dataclass(frozen=True)
class ClassPolicies:
    """The policy of each class such as AX; `usual` counts for those without one."""

    usual: Policy = field(default_factory=Policy)
    by_class: Mapping[str, Policy] = field(default_factory=dict)

    def choose(self, name: str) -> Policy:
        """The policy of a class."""
        return self.by_class.get(name, self.usual)


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
    recent = np.nan_to_num(sales[:, sales.shape[1] - weeks * WEEK :])
    return classify_weeks(recent.reshape(len(sales), weeks, WEEK).sum(axis=2))


def classify_weeks(sums: Floats) -> NDArray[np.str_]:
    """X, Y or Z by the variation of weekly sales [S, W]; Z for what did not sell."""
    mean = sums.mean(axis=1)
    variation = np.divide(sums.std(axis=1), mean, out=np.full(len(sums), np.inf), where=mean > 0)
    return np.where(variation <= X_LIMIT, "X", np.where(variation <= Y_LIMIT, "Y", "Z"))
