"""An order below a supplier's minimum value: filled up by the packs that cost least, or left out."""

from __future__ import annotations

import numpy as np

from prediction.orders.needs import Needs, expected_cost
from prediction.orders.stock import Flags, Floats
from prediction.orders.terms import Terms

MOST_PACKS = 10_000  # that are added to one order


def reach_minimum(needs: Needs, terms: Terms, ordered: Floats, value: float) -> Floats:
    """The quantities [S] of one supplier's lines, worth at least `value`; all 0 where waiting costs less.

    Pack by pack goes to the line whose cost rises least for its money. Nothing is added without a unit cost,
    or beyond a shelf.
    """
    result = ordered.astype(np.float32).copy()
    if not (ordered > 0).any() or _worth(result, terms) >= value:
        return result
    room = terms.shelf_max - needs.on_arrival.mean(axis=0)
    price = terms.pack * terms.unit_cost
    before = expected_cost(needs, terms, result)
    for _pack in range(MOST_PACKS):
        if _worth(result, terms) >= value:
            break
        fits: Flags = (result + terms.pack <= room + 1e-4) & (price > 0)
        if not fits.any():
            return np.zeros_like(result)
        rise = np.where(fits, expected_cost(needs, terms, result + terms.pack) - before, np.inf)
        line = int(np.argmin(rise / np.maximum(price, 1e-9)))
        result[line] += terms.pack[line]
        before[line] += rise[line]
    waiting = expected_cost(needs, terms, np.zeros_like(result)).sum()
    return result if before.sum() <= waiting else np.zeros_like(result)


def _worth(quantity: Floats, terms: Terms) -> float:
    return float((quantity * terms.unit_cost).sum())
