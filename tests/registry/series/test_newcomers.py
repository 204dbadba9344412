"""Series without sales of their own: their level comes from their like, their range from how these differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from registry.series.covariates import Encoder
from registry.series.dependence import Dependence
from registry.series.newcomers import KNOWN_DAYS
from registry.series.newcomers.introduction import COPIES, introduce
from registry.series.newcomers.likeness import LikeSeries
from registry.series.panel import Panel
from registry.series.paths import PathSampler
from registry.series.windows import Windows

DAYS, PRODUCTS = 200, 24
FACTORS = {"A": 1.0, "B": 5.0}  # how much each store sells
CATEGORIES = {"dear": 2.0, "cheap": 20.0}


def build_chain(new: list[tuple[str, str, str]] = (), young_days: int = 0) -> Panel:
    """Two stores with 24 products of two categories, and (store, product, category) of new series."""
    rng = np.random.default_rng(3)
    labels = [*CATEGORIES]
    rows, keys, texts = [], [], []
    week = 1 + 0.5 * (np.arange(DAYS) % 7 == 5)
    for store, factor in FACTORS.items():
        for number in range(PRODUCTS):
            level = factor * CATEGORIES[labels[number % 2]] * (1 + number) ** 0.5 / 3
            rows.append(rng.poisson(level * week))
            keys.append((store, f"P{number:02}"))
            texts.append(float(number % 2))
    for store, product, category in new:
        own = np.full(DAYS, np.nan)
        own[DAYS - young_days :] = 300.0
        rows.append(own)
        keys.append((store, product))
        texts.append(float(labels.index(category)) if category else np.nan)
    sales = np.array(rows, np.float32)
    closed = np.zeros(sales.shape, bool)
    closed[[store not in FACTORS for store, _product in keys]] = True  # nobody has seen it open
    static = {"category": np.array(texts, np.float32)}
    return Panel(
        np.datetime64("2026-01-05"), keys, sales, closed, static=static, categories={"category": labels}
    )


def borrowed_levels(panel: Panel, row: int) -> np.ndarray:
    """Mean daily sales of the borrowed past of each copy."""
    made = introduce(panel)
    return np.nanmean(made.panel.sales[made.copies[row]], axis=1)


def test_a_new_product_sells_like_its_category_in_its_store():
    panel = build_chain([("A", "N1", "dear"), ("A", "N2", "cheap"), ("B", "N1", "dear")])
    dear, cheap, far = (np.median(borrowed_levels(panel, len(panel.keys) - back)) for back in (3, 2, 1))
    like = panel.sales[:PRODUCTS:2]
    assert np.quantile(np.nanmean(like, axis=1), 0.2) < dear < np.quantile(np.nanmean(like, axis=1), 0.8)
    assert 6 < cheap / dear < 15 and 4 < far / dear < 6


def test_a_known_product_in_a_new_store_keeps_its_rank():
    panel = build_chain([("C", "P00", "dear"), ("C", "P23", "cheap")])
    small, large = (np.median(borrowed_levels(panel, len(panel.keys) - back)) for back in (2, 1))
    assert large > 20 * small


def test_a_new_store_is_open_when_most_stores_are():
    panel = build_chain([("C", "P00", "dear")])
    made = introduce(panel)
    assert not made.panel.closed[len(panel.keys) - 1].any()
    assert np.isfinite(made.panel.sales[len(panel.keys) - 1]).all()


@pytest.mark.parametrize(
    ("store", "product", "category"),
    [("A", "N", ""), ("C", "N", "dear"), ("C", "N", ""), ("B", "P00", "dear")],
)
def test_levels_are_finite_and_differ_for_every_kind_of_novelty(store, product, category):
    panel = build_chain([(store, product, category)]).select_series(
        np.array([row for row in range(2 * PRODUCTS + 1) if row != PRODUCTS])  # (B, P00) has not sold before
    )
    levels = borrowed_levels(panel, len(panel.keys) - 1)
    assert len(levels) == COPIES and np.isfinite(levels).all() and levels[:5].mean() < levels[-5:].mean()


def test_more_is_unknown_more_is_possible():
    panel = build_chain([("A", "N", "dear"), ("A", "M", ""), ("C", "K", "")])
    widths = []
    for back in (3, 2, 1):
        levels = borrowed_levels(panel, len(panel.keys) - back)
        widths.append(float(np.log(levels[-1] / levels[0])))
    assert widths[0] < widths[1] < widths[2]


def test_the_first_days_of_a_product_move_its_levels():
    panel = build_chain([("A", "N", "dear")], young_days=3)  # 300 a day, far more than its like
    row = len(panel.keys) - 1
    made = introduce(panel)
    levels = np.nanmean(made.panel.sales[made.copies[row], : DAYS - 3], axis=1)
    assert (made.panel.sales[made.copies[row], DAYS - 3 :] == 300).all()
    assert np.median(levels) > 5 * np.median(borrowed_levels(build_chain([("A", "N", "dear")]), row))


def test_series_that_sell_since_long_stay_as_they_are():
    panel = build_chain([("A", "N", "dear")], young_days=KNOWN_DAYS)
    assert introduce(panel).panel is panel


def test_without_any_like_nothing_is_borrowed():
    panel = build_chain([("A", "N", "dear")])
    alone = panel.select_series(np.array([len(panel.keys) - 1]))
    assert introduce(alone).copies == {} and LikeSeries.fit(alone, np.array([False])) is None


def test_a_newcomer_alone_is_the_same_as_among_others():
    panel = build_chain([("A", "N1", "dear"), ("B", "N2", "cheap")])
    row = len(panel.keys) - 1
    whole, one = introduce(panel), introduce(panel, np.array([row]))
    assert one.size == 1 and np.array_equal(one.panel.sales, whole.panel.sales[whole.copies[row]], True)
    outputs = np.random.default_rng(0).random((len(whole.panel.keys), 5, 8)).astype(np.float32)
    assert np.array_equal(one.merge(outputs[whole.copies[row]])[0], whole.merge(outputs)[row])


def test_the_others_are_merged_unchanged():
    panel = build_chain([("A", "N1", "dear")])
    made = introduce(panel)
    outputs = np.random.default_rng(0).random((len(made.panel.keys), 5, 8)).astype(np.float32)
    assert np.array_equal(made.merge(outputs)[:-1], outputs[: len(panel.keys) - 1])


def test_a_borrowed_past_sets_no_bound():
    panel = build_chain([("A", "N1", "dear")])
    encoder = Encoder.fit(panel.select_series(panel.find_sold()))
    bounds = Windows(introduce(panel).panel, encoder, 28, 7, 28).bounds[len(panel.keys) - 1 :]
    assert (bounds == 3 * encoder.largest[""]).all()


def test_the_planned_price_of_a_new_product_is_its_usual_one():
    panel = build_chain([("A", "N1", "dear")])
    prices = np.full((len(panel.keys), DAYS + 60), 9.0, np.float32)
    prices[:, 20:40] = 6.0
    learned = replace(panel, known={"price": prices}).select_series(panel.find_sold())
    prices[-1, :DAYS] = np.nan
    asked = replace(panel, known={"price": prices})
    features, _assumed = Encoder.fit(learned).known_features(
        asked, np.zeros((len(panel.keys), DAYS + 28), bool)
    )
    assert (features[-1, DAYS:, -1] == 0).all()


def test_the_level_of_a_new_series_lasts_in_its_paths_and_in_those_of_its_kin():
    keys, days = [("A", "N"), ("A", "P"), ("B", "N")], 28
    quantiles = np.broadcast_to(np.array([1, 4, 8, 16, 32, 64, 100], np.float32), (3, days, 7))
    mean = np.full((3, days), 25.0, np.float32)
    plain = PathSampler(keys, mean, quantiles, Dependence(), False, "s")
    steady = replace(plain, steady=np.array([0.9, 0.0, 0.9], np.float32))
    rows = np.arange(3)
    before, after = plain.draw(rows).sum(axis=1), steady.draw(rows).sum(axis=1)  # [3, N]
    assert np.ptp(np.quantile(after[0], [0.1, 0.9])) > 1.5 * np.ptp(np.quantile(before[0], [0.1, 0.9]))
    assert np.array_equal(after[1], before[1])
    assert np.corrcoef(after[0], after[2])[0, 1] > 0.25  # the same new product in another store


def test_the_share_of_the_level_is_larger_the_more_the_copies_differ():
    made = introduce(build_chain([("A", "N1", "dear")]))
    forecast = np.full((len(made.panel.keys), 4, 8), 9.0, np.float32)
    forecast[..., 2], forecast[..., 6] = 4.0, 16.0
    row, copies = next(iter(made.copies.items()))
    assert made.level_shares(forecast).max() == 0
    forecast[copies] *= np.linspace(0.1, 4, COPIES)[:, None, None]
    assert made.level_shares(forecast)[row] > 0.3
