"""Parts of a forecast: they add up, are nothing where nothing is special, and are the same every time."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from prediction.explanations.directions import measure_directions
from prediction.explanations.inputs import LEVEL, SEASON, WEEKDAY
from prediction.explanations.split import split_forecast, split_means
from registry import algorithms
from registry.model_versions.bundle import Bundle
from registry.series.panel import Panel
from registry.series.panels.column_groups import HOLIDAY, PRICE, PROMOTION
from tests.helpers.waves import ROLES, wave_frame
from training.learning.pipeline import TrainingConfig, TrainingPipeline

pytestmark = pytest.mark.slow

HORIZON = 14
NETWORKS = [
    name for name, _label in algorithms.list_choices() if name not in ("auto", "trees", "seasonal_naive")
]


@cache
def sales() -> Panel:
    """Four series with a price; the plan ahead has promotions, and a day on which S1 is shut."""
    frame = wave_frame(420)
    frame["price"] = np.where(frame["promo"] > 0, 4.0, 5.0).astype("float32")
    panel = Panel.from_frame(frame, {**ROLES, "price": "known"}, "DE")
    past = panel.as_of(panel.origin - np.timedelta64(HORIZON, "D"))
    opened = past.known["open"].copy()
    opened[2:, past.days + 4] = 0
    return replace(past, known={**past.known, "open": opened})


@cache
def learned(name: str) -> Bundle:
    knobs = {"steps": 60, "rows": 4000} if name == "trees" else {"steps": 10}
    learning = TrainingPipeline(sales(), TrainingConfig(name, knobs, HORIZON, budget=60.0, windows=1))
    for _progress in learning:
        pass
    return learning.result.bundle


def blend() -> Bundle:
    """Three members as one bundle."""
    bundles = [learned(name) for name in ("trees", "kan", "seasonal_naive")]
    members = [replace(one.members[0], weight=1 / 3) for one in bundles]
    return replace(bundles[0], members=members)


def split(bundle: Bundle, panel: Panel) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rows = np.arange(len(panel.keys))
    mean = bundle.forecast(panel, HORIZON, rows).mean
    return split_forecast(bundle, panel, rows, mean), mean


def check_sum(bundle: Bundle) -> None:
    """The parts add up, and nearly so before the level takes what rounding makes of another batch."""
    parts, mean = split(bundle, sales())
    assert np.abs(sum(parts.values()) - mean).max() <= 1e-6 * mean.max()
    raw = sum(split_means(bundle, sales(), np.arange(4), HORIZON).values())
    assert np.abs(raw - mean).max() <= 1e-5 * mean.max()


def test_the_parts_of_a_blend_add_up_to_its_forecast() -> None:
    check_sum(blend())


@pytest.mark.parametrize("name", NETWORKS)
def test_the_parts_of_every_algorithm_add_up_to_its_forecast(name: str) -> None:
    check_sum(learned(name))


def test_the_same_forecast_has_the_same_parts_every_time() -> None:
    first, second = (split(blend(), sales())[0] for _time in range(2))
    assert first.keys() == second.keys()
    assert all((first[name] == second[name]).all() for name in first)


def test_a_promotion_counts_on_its_days_only_and_a_closed_day_is_the_holidays() -> None:
    parts, mean = split(learned("trees"), sales())
    ahead = slice(sales().days, sales().days + HORIZON)
    on = sales().known["promo"][:, ahead] > 0
    lift = parts[PROMOTION] + parts[PRICE]
    assert on.any() and (lift[on] > 0.2 * mean[on]).all()
    assert abs(lift[~on]).max() < 0.2 * lift[on].max()
    assert (mean[2:, 4] == 0).all()
    assert parts[HOLIDAY][2:, 4] == pytest.approx(
        -(parts[LEVEL] + parts[WEEKDAY] + parts[SEASON])[2:, 4], rel=0.3
    )


def test_days_that_are_closed_every_week_have_no_parts() -> None:
    parts, mean = split(blend(), sales())
    sundays = (sales().origin + np.arange(1, HORIZON + 1)).astype("datetime64[D]").astype(int) % 7 == 3
    assert (mean[:2, sundays] == 0).all()
    assert all(abs(units[:2, sundays]).max() < 1e-9 for units in parts.values())


def test_groups_that_the_data_lacks_have_no_part() -> None:
    panel = sales()
    bare = replace(panel, known={"open": panel.known["open"]})
    learning = TrainingPipeline(bare, TrainingConfig("seasonal_naive", {}, HORIZON, budget=1.0, windows=1))
    list(learning)
    parts, _mean = split(learning.result.bundle, bare)
    assert not parts.keys() & {PROMOTION, PRICE}


def test_a_new_series_is_split_as_well() -> None:
    panel, bundle = sales(), learned("kan")
    young = panel.sales.copy()
    young[3, :-5] = np.nan
    panel = replace(panel, sales=young)
    rows = np.array([3])
    mean = bundle.forecast(panel, HORIZON, rows).mean
    parts = split_forecast(bundle, panel, rows, mean)
    assert np.abs(sum(parts.values()) - mean).max() <= 1e-6 * mean.max()
    assert PROMOTION in parts or PRICE in parts


def test_trees_expect_no_more_at_a_higher_price_although_prices_and_sales_have_risen_together() -> None:
    frame = wave_frame(420)
    grown = 1 + (frame["date"] - frame["date"].min()).dt.days / 420
    frame["price"] = (5 * grown).round(1).astype("float32")
    frame["sales"] = (frame["sales"] * grown).round()
    panel = Panel.from_frame(frame, {**ROLES, "price": "known"}, "DE")
    knobs = {"steps": 60, "rows": 4000}
    learning = TrainingPipeline(panel, TrainingConfig("trees", knobs, HORIZON, budget=60.0, windows=1))
    list(learning)
    assert measure_directions(learning.result.bundle, panel, HORIZON)[PRICE] == 1.0


def test_a_model_that_learned_promotions_knows_their_direction() -> None:
    assert measure_directions(blend(), sales(), HORIZON)[PROMOTION] == 1.0
