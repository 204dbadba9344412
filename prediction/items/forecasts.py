"""The forecast of every product, every store and every group of them: the rows of the product list.

They stand in the file of a current forecast beside its content, under the key `items`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from prediction.analysis import YEAR_DAYS, relative_change, sum_sales, sum_series
from prediction.breakdown import build_part, build_parts, group_rows
from prediction.content import JsonRow, Part
from prediction.items.flags import WEEK, Flags, find_flags, measure_miss
from prediction.level import measure_level_change, part_level
from registry.datasets.catalog import Item
from registry.datasets.levels import read_levels
from registry.datasets.names import load_names
from registry.series.levels import SIDE_PLACES, Side

if TYPE_CHECKING:
    from prediction.engine import Rows, ScopeForecast

LEVEL_PREFIX = "level:"
SIDE_KINDS: dict[Side, str] = {"stores": "store", "products": "product"}
ERROR_KEYS: dict[Side, str] = {"stores": "by_store", "products": "by_product"}
PAST_WEEKS = 12
DIGITS = 3


@dataclass(frozen=True, kw_only=True)
class ItemForecast(JsonRow):
    """A store, product or group: units expected with their 80% range, units before, error, and flags."""

    code: str
    name: str = ""
    category: str = ""
    levels: dict[str, str] = field(default_factory=dict)  # column: value, "" = not given
    expected: float
    low: float
    high: float
    last_year: float | None = None  # units on the same days last year
    before: float | None = None  # units of as many days before
    weeks: list[float] = field(default_factory=list)  # units of the last weeks, oldest first
    ahead: list[float] = field(default_factory=list)  # units expected in the weeks ahead
    error: float | None = None  # WAPE on the test days
    flags: Flags = field(default_factory=dict)
    model: float | None = None  # units before people changed the forecast, where they did

    @property
    def change_last_year(self) -> float | None:
        """How much more is expected than was sold on the same days last year, as a share."""
        return relative_change(self.expected, self.last_year)

    @property
    def change_before(self) -> float | None:
        """How much more is expected than was sold in as many days before, as a share."""
        return relative_change(self.expected, self.before)


@dataclass(frozen=True)
class SideFacts:
    """What is known of items beside their sales: names, categories, errors in the tests.

    `last_test` [2, S]: absolute error and units of each series on the last held-back days.
    """

    names: Mapping[str, str]
    categories: Mapping[str, str]
    errors: Mapping[str, float]
    last_test: npt.NDArray[np.float64]


def build_items(scope_forecast: ScopeForecast, total: float) -> dict[str, list[ItemForecast]]:
    """The rows of both sides, by "products" and "stores", and of each level, by "level:column".

    The largest first.
    """
    last_test, levels = measure_last_test(scope_forecast), read_levels(scope_forecast.data)
    items: dict[str, list[ItemForecast]] = {}
    for side, place in SIDE_PLACES.items():
        own = [level for level in levels if level.side == side]
        facts, groups = load_facts(scope_forecast, side, last_test), group_rows(scope_forecast, place)
        items[side] = [
            replace(item, levels={level.column: level.values.get(item.code, "") for level in own})
            for item in build_side(scope_forecast, total, groups, facts)
        ]
    facts = SideFacts({}, {}, {}, last_test)
    for level in levels:
        groups = level.group_rows(scope_forecast.panel.keys, scope_forecast.rows)
        items[f"{LEVEL_PREFIX}{level.column}"] = build_side(scope_forecast, total, groups, facts)
    return items


def load_facts(scope_forecast: ScopeForecast, side: Side, last_test: npt.NDArray[np.float64]) -> SideFacts:
    """Names and categories from the catalog, errors as the page of the version lists them."""
    names = load_names(scope_forecast.data)
    items = Item.objects.filter(dataset=scope_forecast.data.dataset_id, kind=SIDE_KINDS[side])
    rows = scope_forecast.version.metrics.get(ERROR_KEYS[side]) or []
    return SideFacts(
        names=names.stores if side == "stores" else names.products,
        categories=dict(items.exclude(category="").values_list("code", "category")),
        errors={row["code"]: row["wape"] for row in rows if is_known(row.get("wape"))},
        last_test=last_test,
    )


def measure_last_test(scope_forecast: ScopeForecast) -> npt.NDArray[np.float64]:
    """[2, S] absolute error and units sold on the last held-back days; zeros for series without a test."""
    bundle, panel = scope_forecast.bundle, scope_forecast.panel
    found = np.zeros((2, len(panel.keys)))
    if bundle.test_mean is None or not bundle.test_origin:
        return found
    start, horizon = panel.column_index(bundle.test_origin) + 1, bundle.test_mean.shape[1]
    if start < 0 or start + horizon > panel.days:
        return found
    for row, key in enumerate(panel.keys):
        if (place := bundle.tested_rows.get(key)) is not None:
            sold = panel.sales[row, start : start + horizon].astype(np.float64)
            found[:, row] = np.nansum(np.abs(bundle.test_mean[place] - sold)), np.nansum(sold)
    return found


def build_side(
    scope_forecast: ScopeForecast, total: float, groups: dict[str, Rows], facts: SideFacts
) -> list[ItemForecast]:
    """The row of each code, whose rows of the panel `groups` holds."""
    names = dict(facts.names)
    parts = build_parts(scope_forecast, total, groups, names) or [
        build_part(scope_forecast, code, names.get(code, ""), rows) for code, rows in groups.items()
    ]
    return [build_item(scope_forecast, part, groups[part.code], facts) for part in parts]


def build_item(scope_forecast: ScopeForecast, part: Part, rows: Rows, facts: SideFacts) -> ItemForecast:
    """The row of one store or product."""
    newest_days = YEAR_DAYS + 2 * PAST_WEEKS
    past = sum_series(scope_forecast.panel.sales[rows, -newest_days:].astype(np.float64))
    days = len(scope_forecast.prediction.dates)
    moved = measure_level_change(part_level(scope_forecast, part, rows))
    return ItemForecast(
        code=part.code,
        name=part.name,
        category=facts.categories.get(part.code, ""),
        expected=max(0.0, round(part.total, DIGITS)),  # a part that rounds up the total may be just below 0
        low=part.low,
        high=part.high,
        last_year=round_units(sum_sales(past, len(past) - YEAR_DAYS, days)) if days <= YEAR_DAYS else None,
        before=round_units(sum_sales(past, len(past) - days, days)),
        weeks=sum_weeks(past[-PAST_WEEKS * WEEK :]),
        ahead=sum_weeks(scope_forecast.prediction.mean[rows].sum(axis=0)),
        error=facts.errors.get(part.code, share_of(*facts.last_test[:, rows].sum(axis=1))),
        flags=find_flags(past, WEEK * part.total / days, moved.change if moved else None),
        model=sum_model_units(scope_forecast, rows),
    )


def sum_model_units(scope_forecast: ScopeForecast, rows: Rows) -> float | None:
    """Units of the model alone; None where nobody has changed them."""
    prediction = scope_forecast.prediction
    final, model = prediction.mean[rows], prediction.model_mean[rows]
    return None if np.array_equal(final, model) else round_units(float(model.sum(dtype=np.float64)))


def share_of(missed: float, units: float) -> float | None:
    """An error as a share of the units sold; None when nothing was sold.

    >>> share_of(2.0, 8.0), share_of(1.0, 0.0)
    (0.25, None)
    """
    return round(float(missed / units), 4) if units > 0 else None


def is_known(value: float | None) -> bool:
    """Whether it is a number that JSON can hold."""
    return value is not None and isfinite(value)


def round_units(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def sum_weeks(daily: npt.NDArray[np.floating[Any]]) -> list[float]:
    """Units of each whole week; the oldest days that fill none are left out.

    >>> sum_weeks(np.array([9.0] + [1.0] * 7 + [2.0] * 7))
    [7.0, 14.0]
    """
    weeks = len(daily) // WEEK
    table = daily[len(daily) - weeks * WEEK :].reshape(weeks, WEEK)
    return [round(float(units), DIGITS) for units in np.nansum(table, axis=1)]


def flag_missed(items: list[ItemForecast], earlier: list[ItemForecast], weeks: int) -> list[ItemForecast]:
    """The rows with `missed` where the last weeks sold clearly more or less than an earlier forecast."""
    expected = {item.code: item for item in earlier}
    return [flag_item(item, expected.get(item.code), weeks) for item in items]


def flag_item(item: ItemForecast, earlier: ItemForecast | None, weeks: int) -> ItemForecast:
    """The row, flagged if its last weeks missed the first ones of the earlier forecast."""
    if earlier is None or not 0 < weeks <= min(len(earlier.ahead), len(item.weeks)) or "idle" in item.flags:
        return item
    sold, expected = sum(item.weeks[-weeks:]), sum(earlier.ahead[:weeks])
    # fewer weeks even out less: the relative width grows with the square root
    scale = (expected / earlier.expected if earlier.expected else 0.0) * (len(earlier.ahead) / weeks) ** 0.5
    room = ((earlier.expected - earlier.low) * scale, (earlier.high - earlier.expected) * scale)
    change = measure_miss(sold, expected, room)
    return item if change is None else replace(item, flags={**item.flags, "missed": change})
