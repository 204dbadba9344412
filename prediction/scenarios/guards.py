"""What nobody has seen so far: plans outside the past of a series, a product or the chain. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prediction.content import JsonRow
from prediction.explanations.inputs import find_column, promotion_values, usual_prices
from prediction.scenarios.edits import EditedPlan, Flags
from registry.series.panel import Floats, Panel
from registry.series.panels.column_groups import PRICE, PROMOTION

SERIES, PRODUCT, CHAIN = "series", "product", "chain"  # who has never seen it; the last is the most unusual
BELOW, ABOVE, FIRST_PROMOTION, FIRST_OPENING = "below", "above", "promotion", "opening"
SLACK = 1e-3  # relative, so that rounding is not unusual
NEAR = 0.05  # difference of a price, as a share of the usual one, up to which days are alike
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Unseen(JsonRow):
    """Something that was never so: of how many series, who has never seen it, and of one the nearest seen."""

    kind: str
    unseen_by: str
    series: int
    bound: float | None = None  # the lowest or highest price of one of these series
    store: str = ""
    product: str = ""


def find_unseen(panel: Panel, plan: EditedPlan, rows: Rows) -> list[Unseen]:
    """What the plan has for these rows that the past of the panel has not."""
    return [*find_unseen_prices(panel, plan, rows), *find_first_times(panel, plan, rows)]


def find_unseen_prices(panel: Panel, plan: EditedPlan, rows: Rows) -> Iterator[Unseen]:
    """Prices below or above all that were asked so far."""
    name = find_column(panel, PRICE)
    rows = rows[plan.priced[rows].any(axis=1)]
    if name is None or not len(rows):
        return
    past = np.where(panel.closed, np.float32(np.nan), panel.known[name][:, : panel.days])
    lowest, highest = (find_ends(past, end) for end in (np.fmin, np.fmax))
    every = np.arange(len(panel.keys))
    usual = usual_prices(panel, name, every)
    asked = np.where(plan.priced[rows], plan.prices[1][rows], np.nan)
    for kind, end, seen, sign in ((BELOW, np.fmin, lowest, 1.0), (ABOVE, np.fmax, highest, -1.0)):
        new = find_ends(asked, end)
        is_new = sign * new < sign * seen[rows] * (1 - sign * SLACK)
        if not is_new.any():
            continue
        of_product = find_product_ends(panel, seen, end)[rows]
        of_chain = end.reduce(seen / usual)  # relative to what each usually costs
        beyond_product = is_new & (sign * new < sign * of_product * (1 - sign * SLACK))
        beyond_chain = is_new & (sign * new / usual[rows] < sign * of_chain * (1 - sign * SLACK))
        levels = ((CHAIN, beyond_chain), (PRODUCT, beyond_product), (SERIES, is_new))
        who, which = next((who, which) for who, which in levels if which.any())
        bounds = of_product if who != SERIES else seen[rows]
        first = int(np.flatnonzero(which)[0])
        yield Unseen(kind, who, int(which.sum()), round(float(bounds[first]), 4), *panel.keys[rows[first]])


def find_ends(values: NDArray[Any], end: np.ufunc) -> Floats:
    """The lowest, or highest, of each row without NaN: [S]; NaN for a row without any."""
    return np.asarray(end.reduce(values, axis=1), np.float32)


def find_product_ends(panel: Panel, seen: Floats, end: np.ufunc) -> Floats:
    """The lowest, or highest, of all series of the same product: [S]."""
    _codes, place = np.unique([product for _store, product in panel.keys], return_inverse=True)
    found = np.full(place.max() + 1, np.nan, np.float32)
    end.at(found, place, seen)
    return np.asarray(found[place], np.float32)


def find_first_times(panel: Panel, plan: EditedPlan, rows: Rows) -> Iterator[Unseen]:
    """Promotions of what was never promoted, and openings on weekdays that were always closed."""
    name = find_column(panel, PROMOTION)
    chosen = rows[plan.promoted[rows].any(axis=1)]
    if name is not None and len(chosen):
        off, _on = promotion_values(panel, name)
        past = panel.known[name][:, : panel.days]
        was_on = (~np.isnan(past) & (past != off)).any(axis=1)
        new = chosen[~was_on[chosen]]
        if len(new):
            products = {panel.keys[row][1] for row in np.flatnonzero(was_on)}
            who = PRODUCT if any(panel.keys[row][1] not in products for row in new) else SERIES
            yield Unseen(FIRST_PROMOTION, who if was_on.any() else CHAIN, len(new), None, *panel.keys[new[0]])
    chosen = rows[plan.opened[rows].any(axis=1)]
    weekdays = (panel.start + np.arange(panel.days + plan.opened.shape[1])).astype("datetime64[D]").astype(
        int
    ) % 7
    new = [row for row in chosen if not has_opened(panel, row, weekdays, plan.opened[row])]
    if new:
        yield Unseen(FIRST_OPENING, SERIES, len(new), None, *panel.keys[new[0]])


def has_opened(panel: Panel, row: int, weekdays: NDArray[np.int64], opened: Flags) -> bool:
    """Whether the series was open before on every weekday that a plan opens."""
    past = set(weekdays[: panel.days][~panel.closed[row]].tolist())
    return set(weekdays[panel.days :][opened].tolist()) <= past


def count_alike(panel: Panel, plan: EditedPlan, rows: Rows) -> int:
    """Past days of these series with such a promotion and such a price, as a share of the usual one.

    Of several changes the days of the rarest count.
    """
    chosen = rows[(plan.promoted | plan.priced)[rows].any(axis=1)]
    if not len(chosen):
        return 0
    promotion, price = find_column(panel, PROMOTION), find_column(panel, PRICE)
    alike = ~panel.closed[chosen] & ~np.isnan(panel.sales[chosen])
    if promotion is not None and plan.promoted[chosen].any():
        off, _on = promotion_values(panel, promotion)
        past = panel.known[promotion][chosen][:, : panel.days]
        alike &= ~np.isnan(past) & (past != off)
    if price is not None and plan.priced[chosen].any():
        usual = usual_prices(panel, price, chosen)[:, None]
        past = panel.known[price][chosen][:, : panel.days] / usual
        asked = np.where(plan.priced[chosen], plan.prices[1][chosen], np.float32(np.nan)) / usual
        low, high = find_ends(asked, np.fmin)[:, None], find_ends(asked, np.fmax)[:, None]
        alike &= (past >= low - NEAR) & (past <= high + NEAR)
    return int(alike.sum())
