"""Two versions on the same newest days: which days count, and what the older one is shown."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from registry.series.panel import Panel
from registry.series.quantiles import QUANTILE_LEVELS
from training.learning.holdout import Holdout
from training.learning.same_days import compare_on_same_days

DAYS, HORIZON = 60, 14
START = np.datetime64("2026-01-01")


@pytest.fixture
def holdout() -> Holdout:
    """Two windows of a series that sells ten a day; the new version expected eight."""
    panel = Panel(START, [("S", "P")], np.full((1, DAYS), 10.0, np.float32), np.zeros((1, DAYS), bool))
    found = Holdout.cut(panel, 2, HORIZON)
    made = np.full((1, HORIZON), 8.0)
    quantiles = np.repeat(made[..., None], len(QUANTILE_LEVELS), axis=2)
    found.scored = [SimpleNamespace(mean=made, quantiles=quantiles) for _window in range(2)]
    return found


class OlderVersion:
    """Expects thirteen a day, and remembers what it was shown."""

    def __init__(self) -> None:
        self.origins: list[str] = []

    def forecast(self, panel: Panel, horizon: int):
        self.origins.append(str(panel.origin))
        made = np.full((1, horizon), 13.0)
        return SimpleNamespace(mean=made, quantiles=np.repeat(made[..., None], len(QUANTILE_LEVELS), axis=2))


def last_day(back: int) -> np.datetime64:
    return START + np.timedelta64(DAYS - 1 - back, "D")


def test_only_days_that_the_older_version_has_not_learned_count(holdout):
    older = OlderVersion()
    found = compare_on_same_days(holdout, older, last_day(9))
    assert found["days"] == 9 and not found["has_learned"]
    assert older.origins == [str(holdout.origin(1))], "it is shown the sales up to the origin of the test"
    assert [round(found[name], 3) for name in ("mine", "theirs", "my_bias", "their_bias")] == [
        0.2,
        0.3,
        -0.2,
        0.3,
    ]
    assert [window["days"] for window in found["windows"]] == [9]


@pytest.mark.parametrize("back", [0, 6])
def test_with_too_few_new_days_all_count_and_it_is_said_that_some_may_be_learned(holdout, back):
    found = compare_on_same_days(holdout, OlderVersion(), last_day(back))
    assert found["days"] == 2 * HORIZON and found["has_learned"] and len(found["windows"]) == 2


def test_days_without_sales_give_no_figures(holdout):
    holdout.actuals = [np.zeros_like(actual) for actual in holdout.actuals]
    assert compare_on_same_days(holdout, OlderVersion(), last_day(9)) == {}
