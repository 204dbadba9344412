"""Trees know which way prices push; those of earlier releases forecast as they did."""

from __future__ import annotations

import numpy as np
import torch

from registry.series.boosting import OBJECTIVES, Forest, Rows, relate_days
from registry.series.windows import AROUND

PLACE = 1 + AROUND  # of the day itself: the usual sales are first, then the days around it


def grow(pushes: dict[int, int]) -> tuple[Forest, np.ndarray]:
    """A small forest on sales that rose with the price, and its scores for ever higher prices."""
    import lightgbm

    random = np.random.default_rng(0)
    price = random.uniform(-1, 1, 800).astype(np.float32)
    x = np.zeros((800, PLACE + AROUND + 1), np.float32)
    x[:, 0], x[:, PLACE] = np.log1p(10), price
    forest = Forest(OBJECTIVES["mean"], {"feature_fraction": 1.0}, 10, pushes)
    list(forest.grow_trees(Rows(x, random.poisson(10 * np.exp(price)).astype(float)), None, np.inf))
    asked = np.repeat(x[:1], 20, axis=0)
    asked[:, PLACE] = np.linspace(-1, 1, 20)
    booster = lightgbm.Booster(model_str=forest.model_text.decode())
    return forest, np.asarray(booster.predict(asked, raw_score=True))


def test_a_forest_never_rises_with_a_price_even_where_sales_did() -> None:
    _forest, free = grow({})
    assert free[-1] > free[0] + 0.2
    _forest, bound = grow({PLACE: -1})
    assert (np.diff(bound) <= 0).all()


def test_a_forest_says_itself_which_features_it_was_bound_by() -> None:
    import lightgbm

    given = [
        lightgbm.Booster(model_str=grow(pushes)[0].model_text.decode()).params.get("monotone_constraints")
        for pushes in ({PLACE: -1}, {})
    ]
    assert given[0][PLACE] == -1 and sum(map(abs, given[0])) == 1
    assert not given[1]


def test_prices_of_days_near_are_told_by_their_difference_to_that_of_the_day_itself() -> None:
    x = torch.arange(2 * (PLACE + AROUND + 1), dtype=torch.float32).reshape(2, -1)
    higher = x.clone()
    higher[:, 1:] += 5
    before, after = (relate_days(one.clone(), {PLACE: -1}) for one in (x, higher))
    near = [place for place in range(x.shape[1]) if place != PLACE]
    assert torch.equal(before[:, near], after[:, near])
    assert torch.equal(after[:, PLACE], before[:, PLACE] + 5)
    assert torch.equal(relate_days(x.clone(), {}), x)
