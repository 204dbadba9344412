"""Changes split over series and days: sums conserved, in order, quantiles and paths moved alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prediction.overrides.splitting import Change, apply_changes
from registry.series.calibration import Calibration
from registry.series.levels import Level, LevelValue, Selection
from registry.series.prediction import Prediction

KEYS = [(store, product) for store in ("S1", "S2") for product in ("P1", "P2", "P3")]
LEVELS = [Level("category", "products", {"P1": "pain", "P2": "pain", "P3": "skin"})]
DAY = np.datetime64("2026-03-01")
ALL, PAIN = Selection(), Selection(levels=(LevelValue("category", "pain"),))


def predict(mean, closed=None) -> Prediction:
    mean = np.asarray(mean, np.float32)
    days = DAY + np.arange(mean.shape[1])
    steps = np.array([0.2, 0.5, 0.8, 1.0, 1.2, 1.6, 2.0], np.float32)
    closed = np.zeros(mean.shape, bool) if closed is None else closed
    parts = (days, KEYS, mean, mean[..., None] * steps, closed, Calibration(whole=True), [])
    return Prediction(DAY - 1, *parts, seed=3)


def change(kind, amount, selection=ALL, first=0, last=3) -> Change:
    return Change(selection, DAY + first, DAY + last, kind, amount)


means = st.lists(st.integers(0, 500), min_size=24, max_size=24)
kinds = st.sampled_from(["set", "add", "percent"])
changes = st.lists(
    st.tuples(kinds, st.integers(-90, 900), st.sampled_from([ALL, PAIN])), min_size=1, max_size=5
)


@settings(max_examples=40, deadline=None)
@given(means, changes)
def test_every_change_conserves_the_sum_that_it_asks_for(values, asked):
    model = predict(np.reshape(values, (6, 4)))
    found, effects = apply_changes(model, [change(*one) for one in asked], LEVELS)
    for effect in effects:
        kind, amount, _selection = asked[effect.place]
        before, after = float(effect.before.sum()), float(effect.after.sum())
        wanted = {"set": amount, "add": before + amount, "percent": before * (1 + amount / 100)}[kind]
        assert after == pytest.approx(max(0.0, wanted), rel=1e-6, abs=1e-6)
    final = model.mean.astype(float)
    for effect in effects:
        final[effect.rows, effect.days] = effect.after
    assert found.mean.sum(dtype=float) == pytest.approx(final.sum(), rel=1e-6, abs=1e-6)
    assert np.array_equal(found.of_model().mean, model.mean) and (found.quantiles >= 0).all()


def test_the_widest_is_applied_first_and_the_oldest_of_equals():
    model = predict(np.full((6, 4), 10.0))
    one = Selection("S1", "P1")
    asked = [change("set", 40.0, one), change("percent", 50.0, ALL), change("percent", 100.0, PAIN)]
    found, effects = apply_changes(model, asked, LEVELS)
    assert [effect.place for effect in effects] == [1, 2, 0]
    assert found.mean[0].tolist() == [10.0] * 4  # the narrowest has the last word
    assert found.mean[1].tolist() == [30.0] * 4 and found.mean[2].tolist() == [15.0] * 4
    _found, effects = apply_changes(model, [change("set", 1.0), change("set", 2.0)], LEVELS)
    assert [effect.place for effect in effects] == [0, 1]


def test_a_sum_of_nothing_is_split_into_equal_parts_but_not_on_closed_days():
    closed = np.zeros((6, 4), bool)
    closed[:, 1] = True
    found, _effects = apply_changes(predict(np.zeros((6, 4)), closed), [change("add", 36.0)], LEVELS)
    assert found.mean[:, [0, 2, 3]] == pytest.approx(2.0) and (found.mean[:, 1] == 0).all()
    paths = found.draw_paths()
    assert paths[:, :, [0, 2, 3]] == pytest.approx(2.0) and (paths[:, :, 1] == 0).all()
    mean = np.ones((6, 4))
    gone = [change("percent", -100.0), change("set", 12.0)]  # back to the proportions of the model
    again, _effects = apply_changes(predict(mean * np.arange(1, 5)), gone, LEVELS)
    assert again.mean[0] == pytest.approx(12 * np.arange(1, 5) / 60)


def test_of_days_that_the_forecast_does_not_cover_their_share_of_a_sum_is_left_out():
    found, effects = apply_changes(
        predict(np.full((6, 4), 1.0)), [change("set", 100.0, first=-2, last=7)], LEVELS
    )
    assert found.mean.sum() == pytest.approx(40.0) and effects[0].days == slice(0, 4)
    beyond, effects = apply_changes(predict(np.ones((6, 4))), [change("set", 9.0, first=9, last=9)], LEVELS)
    assert beyond.adjustment is None and effects[0].after.size == 0


def test_quantiles_and_paths_move_with_the_mean():
    model = predict(np.random.default_rng(0).gamma(2, 10, (6, 4)))
    found, _effects = apply_changes(model, [change("percent", 25.0, PAIN, 0, 1)], LEVELS)
    rows = [0, 1, 3, 4]
    ratio = np.ones((6, 4))
    ratio[np.ix_(rows, [0, 1])] = 1.25
    assert found.mean == pytest.approx(model.mean * ratio)
    assert found.quantiles == pytest.approx(model.quantiles * ratio[..., None], rel=1e-6)
    assert found.draw_paths() == pytest.approx(model.draw_paths() * ratio, rel=1e-6)
    part = found.select_series(np.array([4, 2])).first_days(2)
    assert part.draw_paths() == pytest.approx(found.draw_paths()[:, [4, 2], :2], rel=1e-6)


def test_what_is_beyond_the_double_is_added_so_that_rare_sales_do_not_become_huge():
    model = predict(np.full((6, 4), 0.1))
    found, _effects = apply_changes(model, [change("set", 240.0)], LEVELS)
    paths = found.draw_paths()
    assert found.mean == pytest.approx(10.0) and paths.min() > 9 and paths.max() < 20
    low, high = found.sum_with_interval()[1:]
    assert 230 < low <= 240 <= high < 260


def test_a_change_of_series_that_are_not_there_does_nothing():
    unknown = [Selection("S9"), Selection(levels=(LevelValue("brand", "x"),))]
    model = predict(np.ones((6, 4)))
    found, effects = apply_changes(model, [change("set", 5.0, one) for one in unknown], LEVELS)
    assert found is model and [len(effect.rows) for effect in effects] == [0, 0]
