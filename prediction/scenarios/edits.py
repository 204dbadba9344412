"""Changes of the plan: promotions, prices and opening on chosen days, laid over what is known ahead. Pure.

Where changes overlap the last one holds; prices change from what was planned, not from each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from prediction.explanations.inputs import find_column, promotion_values
from registry.series.levels import Level, LevelValue, Selection
from registry.series.panel import Floats, Panel
from registry.series.panels.column_groups import OPEN, PRICE, PROMOTION

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class PlanEdit:
    """What is planned on some ISO days for some series; None leaves it as it is.

    price: relative change of the planned price, -0.1 for 10% less.
    """

    days: tuple[str, ...]
    promotion: bool | None = None
    price: float | None = None
    opens: bool | None = None
    selection: Selection = field(default_factory=Selection)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        groups = tuple(LevelValue.from_text(text) for text in values["levels"])
        selection = Selection(values["store"], values["product"], groups)
        return cls(tuple(values["days"]), values["promotion"], values["price"], values["opens"], selection)

    def to_json(self) -> dict[str, Any]:
        return {
            "days": list(self.days),
            "promotion": self.promotion,
            "price": self.price,
            "opens": self.opens,
            "store": self.selection.store,
            "product": self.selection.product,
            "levels": [str(group) for group in self.selection.levels],
        }


@dataclass(frozen=True)
class EditedPlan:
    """The panel with the changed plan, where it was changed [S, H], and prices before and after [S, H]."""

    panel: Panel
    touched: Flags
    promoted: Flags  # a promotion was switched on there
    priced: Flags  # the price was changed there
    opened: Flags  # a day was opened there
    prices: tuple[Floats, Floats]


def apply_edits(panel: Panel, edits: Sequence[PlanEdit], levels: Sequence[Level], horizon: int) -> EditedPlan:
    """The plan after all changes; the panel itself stays as it is."""
    size = (len(panel.keys), horizon)
    known = dict(panel.known)
    promotion, price = find_column(panel, PROMOTION), find_column(panel, PRICE)
    before = plan_prices(panel, price, horizon)
    after = before.copy()
    marks = {name: np.zeros(size, bool) for name in ("touched", "promoted", "priced", "opened")}
    for edit in edits:
        place = np.ix_(edit.selection.find_rows(panel.keys, levels), find_days(panel, edit.days, horizon))
        if edit.promotion is not None and promotion is not None:
            value = promotion_values(panel, promotion)[edit.promotion]
            known[promotion] = write_ahead(panel, known[promotion], horizon, place, value)
            marks["promoted"][place] = edit.promotion
            marks["touched"][place] = True
        if edit.price is not None and price is not None:
            after[place] = before[place] * np.float32(1 + edit.price)
            known[price] = write_ahead(panel, known[price], horizon, place, after[place])
            marks["priced"][place] = True
            marks["touched"][place] |= ~np.isnan(after[place])
        if edit.opens is not None:
            empty = np.full(panel.sales.shape, np.nan, np.float32)
            known[OPEN] = write_ahead(panel, known.get(OPEN, empty), horizon, place, float(edit.opens))
            marks["opened"][place] = edit.opens
            marks["touched"][place] = True
    return EditedPlan(replace(panel, known=known), prices=(before, after), **marks)


def find_days(panel: Panel, days: Sequence[str], horizon: int) -> NDArray[np.intp]:
    """Places of ISO days among the days ahead; others are left out."""
    places = [panel.column_index(day) - panel.days for day in days]
    return np.array([place for place in places if 0 <= place < horizon], np.intp)


def plan_prices(panel: Panel, price: str | None, horizon: int) -> Floats:
    """What each series costs on the days ahead, unplanned what it cost last: [S, H]; NaN = unknown."""
    found = np.full((len(panel.keys), horizon), np.nan, np.float32)
    if price is None:
        return found
    values = panel.known[price]
    ahead = values[:, panel.days : panel.days + horizon]
    found[:, : ahead.shape[1]] = ahead
    past = values[:, : panel.days]
    given = ~np.isnan(past)
    last = past.shape[1] - 1 - np.argmax(given[:, ::-1], axis=1)
    newest = np.where(given.any(axis=1), past[np.arange(len(past)), last], np.nan)
    return np.where(np.isnan(found), newest[:, None], found).astype(np.float32)


def write_ahead(panel: Panel, values: Floats, horizon: int, place: Any, value: Any) -> Floats:
    """A copy of a column that reaches over all days ahead, with a value at a place of these days."""
    width = max(values.shape[1], panel.days + horizon)
    wide = np.full((len(values), width), np.nan, np.float32)
    wide[:, : values.shape[1]] = values
    wide[:, panel.days : panel.days + horizon][place] = value
    return wide
