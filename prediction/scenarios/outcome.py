"""What a plan changes: both forecasts, their difference with its range, money, and what is unusual in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from prediction.content import JsonRow, rows_to_json
from prediction.explanations.inputs import find_column
from prediction.scenarios.edits import EditedPlan, PlanEdit, apply_edits
from prediction.scenarios.guards import Unseen, count_alike, find_unseen
from prediction.scenarios.paired import PairedSums, draw_pair
from registry.series.levels import Level
from registry.series.panel import Floats
from registry.series.panels.column_groups import PRICE, PROMOTION
from registry.series.prediction import Prediction, read_interval
from registry.series.quantiles import INTERVALS

if TYPE_CHECKING:
    from prediction.engine import ScopeForecast

HISTORY_DAYS, TOP, DIGITS = 56, 10, 3
LOW, HIGH = INTERVALS["80"]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class ChangedSeries(JsonRow):
    """Units of a series without and with the plan."""

    store: str
    product: str
    base: float
    plan: float


@dataclass(frozen=True)
class Outcome(JsonRow):
    """Without and with the plan: each [H] by day, sums as [expected, low, high] of 80% ranges."""

    dates: list[str]
    history: list[list[Any]]  # [ISO day, units or None]
    base: dict[str, list[float]]  # mean, low, high by day
    plan: dict[str, list[float]]
    difference: dict[str, list[float]]
    sums: dict[str, list[float]]  # base, plan, difference; money where prices are known
    series: int
    changed: int
    top: list[ChangedSeries] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)
    alike: int = 0  # past days like those that the plan changes
    unlearned: list[str] = field(default_factory=list)  # of the changes, groups that the model does not read

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        rows = {"top": [ChangedSeries.from_json(row) for row in values["top"]]}
        unseen = [Unseen.from_json(row) for row in values["unseen"]]
        return super().from_json({**values, **rows, "unseen": unseen})

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "top": rows_to_json(self.top), "unseen": rows_to_json(self.unseen)}


def try_edits(outlook: ScopeForecast, edits: Sequence[PlanEdit], levels: Sequence[Level]) -> Outcome:
    """The forecast of the chosen series with and without the changes; without changes both are the same."""
    panel, rows = outlook.whole_panel
    horizon = len(outlook.prediction.dates)
    edited = apply_edits(panel, edits, levels, horizon)
    changed = np.flatnonzero(edited.touched[rows].any(axis=1))
    base = outlook.prediction.of_model().select_series(outlook.rows)  # overrides say nothing of a plan
    plan = forecast_changed(outlook, edited, base, changed)
    prices = (edited.prices[0][rows], edited.prices[1][rows])
    sums = draw_pair(base, plan, changed, prices)
    learned = {column["name"] for column in outlook.bundle.encoder.known}
    return Outcome(
        dates=[str(day) for day in base.dates],
        history=list_history(outlook),
        **describe_days(base, plan, sums),
        sums=describe_sums(base, plan, sums, prices),
        series=len(rows),
        changed=len(changed),
        top=list_top(base, plan, changed),
        unseen=find_unseen(panel, edited, rows[changed]),
        alike=count_alike(panel, edited, rows[changed]),
        unlearned=[
            group
            for group, marks in ((PROMOTION, edited.promoted), (PRICE, edited.priced))
            if marks[rows].any() and find_column(panel, group) not in learned
        ],
    )


def forecast_changed(
    outlook: ScopeForecast, edited: EditedPlan, base: Prediction, changed: Rows
) -> Prediction:
    """The base with the forecast of the changed rows in place."""
    if not len(changed):
        return base
    _panel, rows = outlook.whole_panel
    found = outlook.bundle.forecast(edited.panel, len(base.dates), rows[changed])
    mean, quantiles, closed = base.mean.copy(), base.quantiles.copy(), base.closed.copy()
    mean[changed], quantiles[changed], closed[changed] = found.mean, found.quantiles, found.closed
    return replace(base, mean=mean, quantiles=quantiles, closed=closed)


def list_history(outlook: ScopeForecast) -> list[list[Any]]:
    """The newest days of the chosen series together."""
    sales = outlook.panel.sales[outlook.rows, -HISTORY_DAYS:]
    known: list[bool] = np.asarray((~np.isnan(sales)).any(axis=0)).tolist()
    units: list[float] = np.asarray(np.nansum(sales, axis=0, dtype=np.float64)).tolist()
    days = outlook.panel.dates[-HISTORY_DAYS:]
    return [
        [str(day), round(one, DIGITS) if is_known else None]
        for day, one, is_known in zip(days, units, known, strict=True)
    ]


def describe_days(base: Prediction, plan: Prediction, sums: PairedSums) -> dict[str, dict[str, list[float]]]:
    """Mean and 80% range of each day: of base, plan and difference."""
    found = {}
    for name, one, paths in (("base", base, sums.base), ("plan", plan, sums.plan)):
        mean = one.mean.sum(axis=0, dtype=np.float64)
        if len(one.keys) == 1:
            ends = one.quantiles[0][:, [LOW, HIGH]].T
        else:
            days = zip(mean.tolist(), as_floats(paths), strict=True)
            ends = np.array([read_interval(*day, one.calibration.whole)[1:] for day in days]).T
        found[name] = name_numbers(mean, *ends)
    moved = plan.mean.sum(axis=0, dtype=np.float64) - base.mean.sum(axis=0, dtype=np.float64)
    low, high = sums.range_of_days()
    found["difference"] = name_numbers(moved, np.minimum(low, moved), np.maximum(high, moved))
    return found


def describe_sums(
    base: Prediction, plan: Prediction, sums: PairedSums, prices: tuple[Floats, Floats]
) -> dict[str, list[float]]:
    """What is expected of all days, with its 80% range: base, plan, difference, and money if it is known."""
    found = {}
    for name, one, paths in (("base", base, sums.base), ("plan", plan, sums.plan)):
        expected = float(one.mean.sum(dtype=np.float64))
        found[name] = read_interval(expected, as_floats(paths.sum(axis=0)), one.calibration.whole)
    moved = found["plan"][0] - found["base"][0]
    found["difference"] = (moved, *sums.range_of_sum(moved))
    if sums.money is not None:
        known = ~np.isnan(prices[0]).any(axis=1) & ~np.isnan(prices[1]).any(axis=1)
        turnover = [
            (one.mean[known] * own[known]).sum(dtype=np.float64)
            for one, own in zip((base, plan), prices, strict=True)
        ]
        earned = float(turnover[1] - turnover[0])
        found["money"] = (earned, *sums.range_of_money(earned))
    return {name: [round(float(value), DIGITS) for value in values] for name, values in found.items()}


def list_top(base: Prediction, plan: Prediction, changed: Rows) -> list[ChangedSeries]:
    """The series that the plan moves most."""
    units = [one.mean[changed].sum(axis=1, dtype=np.float64) for one in (base, plan)]
    order = np.argsort(-np.abs(units[1] - units[0]), kind="stable")[:TOP]
    return [
        ChangedSeries(*base.keys[changed[place]], *(round(float(one[place]), DIGITS) for one in units))
        for place in order
    ]


def name_numbers(mean: Any, low: Any, high: Any) -> dict[str, list[float]]:
    """Mean, low and high as lists."""
    names = {"mean": mean, "low": low, "high": high}
    return {name: [round(float(one), DIGITS) for one in values] for name, values in names.items()}


def as_floats(paths: NDArray[Any]) -> Floats:
    return paths.astype(np.float32)
