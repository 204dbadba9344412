"""Changes of a plan: what they write, what they leave, and what is unusual in them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from prediction.engine import ScopeForecast
from prediction.scenarios.edits import PlanEdit, apply_edits, plan_prices
from prediction.scenarios.guards import (
    BELOW,
    CHAIN,
    FIRST_OPENING,
    FIRST_PROMOTION,
    PRODUCT,
    SERIES,
    count_alike,
    find_unseen,
)
from prediction.scenarios.outcome import Outcome, try_edits
from registry.model_versions.bundle import Bundle
from registry.series.levels import Selection
from registry.series.panel import Panel
from tests.helpers.waves import ROLES, wave_frame
from training.learning.pipeline import TrainingConfig, TrainingPipeline

pytestmark = pytest.mark.slow

HORIZON = 14
EVERYTHING = np.arange(4)


@cache
def sales() -> Panel:
    """Two stores, two products; 5.00 and on promotion 4.00; nothing is planned ahead."""
    frame = wave_frame(260)
    frame["price"] = np.where(frame["promo"] > 0, 4.0, 5.0).astype("float32")
    return Panel.from_frame(frame, {**ROLES, "price": "known"}, "DE")


@cache
def bundle() -> Bundle:
    learning = TrainingPipeline(
        sales(), TrainingConfig("trees", {"steps": 60, "rows": 4000}, HORIZON, budget=60.0, windows=1)
    )
    for _progress in learning:
        pass
    return learning.result.bundle


def days(*ahead: int) -> tuple[str, ...]:
    return tuple(str(sales().origin + np.timedelta64(one, "D")) for one in ahead)


def outlook(*rows: int) -> ScopeForecast:
    """The forecast of these series, as the engine makes it."""
    chosen = np.array(rows)
    prediction = bundle().forecast(sales(), HORIZON, chosen)
    own = sales().select_series(chosen)
    return ScopeForecast(None, None, bundle(), own, prediction, np.arange(len(rows)), (sales(), chosen))


def tried(*edits: PlanEdit, rows: tuple[int, ...] = (0,)) -> Outcome:
    return try_edits(outlook(*rows), edits, ())


# --- what changes write -------------------------------------------------------------------------------
def test_changes_are_written_ahead_only_and_the_panel_stays_as_it_is() -> None:
    before = {name: values.copy() for name, values in sales().known.items()}
    edit = PlanEdit(days(2, 3), promotion=True, price=-0.2, opens=False, selection=Selection("S0", "P0"))
    plan = apply_edits(sales(), [edit], (), HORIZON)
    width = sales().days
    assert plan.panel.known["promo"][0, width + 1 : width + 3].tolist() == [1, 1]
    assert plan.panel.known["price"][0, width + 1 : width + 3] == pytest.approx([4.0, 4.0])
    assert plan.panel.known["open"][0, width + 1 : width + 3].tolist() == [0, 0]
    assert np.flatnonzero(plan.touched.any(axis=0)).tolist() == [1, 2]
    assert np.flatnonzero(plan.touched.any(axis=1)).tolist() == [0]
    for name, values in before.items():
        assert np.array_equal(sales().known[name], values, equal_nan=True)
        assert np.array_equal(plan.panel.known[name][:, : values.shape[1]][1:], values[1:], equal_nan=True)


def test_where_changes_overlap_the_last_one_holds_and_prices_do_not_pile_up() -> None:
    edits = [PlanEdit(days(1, 2), price=-0.5, promotion=True), PlanEdit(days(2), price=-0.1, promotion=False)]
    plan = apply_edits(sales(), edits, (), HORIZON)
    price = plan.panel.known["price"][0, sales().days :][:2] / plan_prices(sales(), "price", HORIZON)[0, :2]
    assert price == pytest.approx([0.5, 0.9])
    assert plan.panel.known["promo"][0, sales().days :][:2].tolist() == [1, 0]


def test_days_beyond_the_forecast_are_left_out() -> None:
    plan = apply_edits(sales(), [PlanEdit(days(HORIZON + 1, 0, 3), promotion=True)], (), HORIZON)
    assert np.flatnonzero(plan.touched.any(axis=0)).tolist() == [2]


# --- what they change ---------------------------------------------------------------------------------
def test_a_plan_without_changes_is_the_forecast_bit_for_bit() -> None:
    outcome = tried(rows=(0, 1, 2, 3))
    assert outcome.base == outcome.plan and outcome.changed == 0
    assert outcome.sums["difference"] == [0, 0, 0] and set(outcome.difference["mean"]) == {0}
    own = outlook(0, 1, 2, 3).prediction
    assert outcome.base["mean"] == [round(float(units), 3) for units in own.mean.sum(axis=0, dtype=float)]


def test_the_range_of_a_day_of_several_series_is_that_of_their_sum() -> None:
    outcome, own = tried(rows=(0, 1, 2, 3)), outlook(0, 1, 2, 3).prediction
    low, high = own.sum_rows().quantiles[0][:, [1, 5]].T
    assert outcome.base["low"] == pytest.approx(np.minimum(low, outcome.base["mean"]), abs=0.01)
    assert outcome.base["high"] == pytest.approx(np.maximum(high, outcome.base["mean"]), abs=0.01)


def test_a_promotion_lifts_its_days_by_nearly_what_it_did_so_far() -> None:
    outcome = tried(PlanEdit(days(4, 5), promotion=True, price=-0.2), rows=(2,))
    lift = [outcome.plan["mean"][day] / outcome.base["mean"][day] for day in (3, 4)]
    assert all(1.4 < one < 2.3 for one in lift), "sales double on promotion"
    low, high = outcome.sums["difference"][1:]
    assert 0 < low <= outcome.sums["difference"][0] <= high
    assert outcome.plan["mean"][:3] == pytest.approx(outcome.base["mean"][:3], rel=0.1)


def test_the_difference_is_paired_so_its_range_is_narrower_than_that_of_the_sum() -> None:
    sums = tried(PlanEdit(days(4, 5), promotion=True), rows=(0, 1, 2, 3)).sums
    width = {name: high - low for name, (_expected, low, high) in sums.items()}
    assert width["difference"] < 0.5 * width["base"]


def test_a_closed_day_sells_nothing_even_on_promotion() -> None:
    outcome = tried(PlanEdit(days(4), promotion=True), PlanEdit(days(4), opens=False), rows=(2,))
    assert outcome.plan["mean"][3] == outcome.plan["high"][3] == 0 < outcome.base["mean"][3]
    assert outcome.sums["money"][0] < 0


def test_money_is_the_turnover_that_a_plan_adds() -> None:
    outcome = tried(PlanEdit(days(4), price=-0.2), rows=(2,))
    base, plan = outcome.base["mean"], outcome.plan["mean"]
    asked = plan_prices(sales(), "price", HORIZON)[2]
    other = sum((plan[day] - base[day]) * asked[day] for day in range(HORIZON) if day != 3)
    expected = plan[3] * asked[3] * 0.8 - base[3] * asked[3] + other
    assert outcome.sums["money"][0] == pytest.approx(expected, abs=0.05)


def test_only_the_series_that_a_change_is_for_are_moved() -> None:
    edit = PlanEdit(days(4), promotion=True, selection=Selection(product="P1"))
    outcome = tried(edit, rows=(0, 1, 2, 3))
    assert outcome.changed == 2 and {row.product for row in outcome.top} == {"P1"}


def test_the_same_plan_twice_gives_the_same_numbers_also_after_saving() -> None:
    edit = PlanEdit(days(4), promotion=True, price=-0.1)
    first, second = tried(edit), tried(PlanEdit.from_json(edit.to_json()))
    assert first == second == Outcome.from_json(first.to_json())


# --- what nobody has seen -----------------------------------------------------------------------------
def unseen(panel: Panel, edit: PlanEdit, *rows: int) -> list[tuple[str, str]]:
    plan = apply_edits(panel, [edit], (), HORIZON)
    return [(one.kind, one.unseen_by) for one in find_unseen(panel, plan, np.array(rows))]


def test_a_price_that_was_asked_before_is_nothing_unusual() -> None:
    assert unseen(sales(), PlanEdit(days(4), price=-0.2), 0) == []
    assert unseen(sales(), PlanEdit(days(4), price=-0.3), 0) == [(BELOW, CHAIN)]


def test_a_price_unseen_in_this_store_may_be_known_from_others() -> None:
    cheap = sales().known["price"].copy()
    cheap[2, 50] = 2.0  # the same product in the other store
    panel = replace(sales(), known={**sales().known, "price": cheap})
    assert unseen(panel, PlanEdit(days(4), price=-0.5), 0) == [(BELOW, SERIES)]
    cheap[[2, 3], 50] = 5.0, 2.0  # another product
    panel = replace(sales(), known={**sales().known, "price": cheap})
    assert unseen(panel, PlanEdit(days(4), price=-0.5), 0) == [(BELOW, PRODUCT)]


def test_a_first_promotion_and_a_first_opening_are_named() -> None:
    promo = sales().known["promo"].copy()
    promo[0] = 0
    panel = replace(sales(), known={**sales().known, "promo": promo})
    assert unseen(panel, PlanEdit(days(4), promotion=True), 0) == [(FIRST_PROMOTION, SERIES)]
    sunday = next(
        day for day in range(1, 8) if (sales().origin + np.timedelta64(day, "D")).astype(int) % 7 == 3
    )
    assert unseen(sales(), PlanEdit(days(sunday), opens=True), 0) == [(FIRST_OPENING, SERIES)]
    assert unseen(sales(), PlanEdit(days(sunday), opens=True), 2) == []


def test_past_days_alike_are_counted() -> None:
    plan = apply_edits(sales(), [PlanEdit(days(4), promotion=True, price=-0.2)], (), HORIZON)
    row = np.array([2])
    on = (sales().known["promo"][2] > 0) & ~sales().closed[2]
    assert count_alike(sales(), plan, row) == on.sum() > 5
    plan = apply_edits(sales(), [PlanEdit(days(4), promotion=True, price=-0.5)], (), HORIZON)
    assert count_alike(sales(), plan, row) == 0
