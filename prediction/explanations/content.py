"""What an explanation holds, as a dataclass. The names of its fields are the keys of stored JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from prediction.content import JsonRow
from prediction.explanations.inputs import GROUPS, LEVEL, find_column, usual_prices
from prediction.explanations.split import split_forecast
from registry.series.panels.column_groups import PRICE, find_group

if TYPE_CHECKING:
    from prediction.engine import ScopeForecast

MOST_SERIES = 50  # that are split exactly; the others are taken to be like them


@dataclass(frozen=True)
class Explanation(JsonRow):
    """The units of each day ahead, and the part of the level and of each group of inputs in them."""

    dates: list[str]
    mean: list[float]
    parts: dict[str, list[float]]  # by group, the level first
    series: int
    explained: int  # series that were split, the largest ones
    share: float  # of the units that these expect
    columns: dict[str, list[str]] = field(default_factory=dict)  # of the data, by group
    usual_price: float | None = None  # of a single series

    @property
    def totals(self) -> dict[str, float]:
        """Units of all days by group; they add up to the forecast."""
        return {name: sum(units) for name, units in self.parts.items()}

    @property
    def total(self) -> float:
        return sum(self.mean)


def explain_outlook(outlook: ScopeForecast) -> Explanation:
    """Splits the chosen series of a forecast; of many the largest, and the rest in proportion to them."""
    mean = outlook.prediction.model_mean[outlook.rows].astype(np.float64)
    order = np.argsort(-mean.sum(axis=1), kind="stable")[:MOST_SERIES]
    panel, rows = outlook.whole_panel
    parts = split_forecast(outlook.bundle, panel, rows[order], mean[order])
    whole, known = mean.sum(axis=0), mean[order].sum(axis=0)
    sums = {name: units.sum(axis=0) for name, units in parts.items()}
    scaled = {
        name: units * np.divide(whole, known, out=np.ones_like(whole), where=known > 0)
        for name, units in sums.items()
    }
    scaled[LEVEL] += whole - sum(scaled.values())  # days on which only the rest sells
    learned = [column["name"] for column in outlook.bundle.encoder.known]
    columns = {name: [one for one in learned if find_group(one) == name] for name in GROUPS}
    price = find_column(panel, PRICE)
    usual = usual_prices(panel, price, rows) if price and len(rows) == 1 else np.array([np.nan])
    return Explanation(
        dates=[str(day) for day in outlook.prediction.dates],
        mean=round_units(whole),
        parts={name: round_units(units) for name, units in scaled.items()},
        series=len(mean),
        explained=len(order),
        share=float(known.sum() / whole.sum()) if whole.sum() else 1.0,
        columns={name: found for name, found in columns.items() if found},
        usual_price=None if np.isnan(usual[0]) else round(float(usual[0]), 4),
    )


def round_units(values: Any) -> list[float]:
    """Numbers for JSON, with more digits than any page shows, so that they still add up."""
    return [round(float(value), 9) for value in values]
