"""What a training needs of its data and assumes about it. Imports no torch, so that forms can use it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from registry.series.panel import Panel

MIN_PAST_DAYS = 14  # days before the first window that a model can learn from
WEEK, MONTH = 7, 28  # days forecast in one step; the latter where sales are sparse
TEST_WINDOWS = 3  # windows of the newest days that a model is tested on, if there are enough days
MAX_HOLDOUT_SHARE = 0.3  # share of the days that are held back at most
LEARN_SHARE, REFIT_SHARE = 0.58, 0.34  # shares of the budget; the rest is for tests and saving
MIN_METHODS = 2  # methods that `auto` tries, however short the time
# Seconds of learning after which a network has come close to its best: on a small panel, and for each
# 100,000 days of its series more (docs/results/experiments.md).
SMALL_SECONDS, SECONDS_PER_CELLS, MAX_METHOD_SECONDS = 16.0, 6.5, 60.0
BUDGET_CHOICES = (60, 300, 900)  # seconds that the form offers


def required_days(horizon: int) -> int:
    """Days of sales that a training needs: a past, one window to learn and one to test.

    >>> required_days(28)
    70
    """
    return MIN_PAST_DAYS + 2 * horizon


def count_test_windows(days: int, horizon: int, windows: int = TEST_WINDOWS) -> int:
    """How many windows of `horizon` days are held back as a test.

    >>> count_test_windows(1000, 28), count_test_windows(200, 28), count_test_windows(80, 28)
    (3, 2, 1)
    """
    return max(1, min(windows, int(MAX_HOLDOUT_SHARE * days / horizon)))


def method_seconds(cells: int) -> float:
    """Seconds that a method learns before `auto` may judge it; `cells` = series times days.

    >>> method_seconds(10_000), method_seconds(200_000), method_seconds(10**8)
    (16.65, 29.0, 60.0)
    """
    return min(MAX_METHOD_SECONDS, SMALL_SECONDS + SECONDS_PER_CELLS * cells / 100_000)


def count_methods(budget: float, cells: int) -> int:
    """How many methods that take time `auto` can try within the budget (seconds).

    >>> count_methods(60, 10_000), count_methods(300, 10_000), count_methods(60, 10**7)
    (2, 10, 2)
    """
    return max(MIN_METHODS, int(budget * LEARN_SHARE / method_seconds(cells)))


def enough_budget(methods: int, cells: int) -> int:
    """The smallest choice of seconds in which so many methods can be tried, or the minutes that it takes.

    >>> enough_budget(1, 10_000), enough_budget(6, 200_000), enough_budget(10, 10**7)
    (60, 300, 1080)
    """
    needed = methods * method_seconds(cells) / LEARN_SHARE
    return next((budget for budget in BUDGET_CHOICES if budget >= needed), math.ceil(needed / 60) * 60)


def suggested_budget(methods: int, cells: int) -> int:
    """Seconds, in half minutes, in which that many methods learn long enough.

    >>> suggested_budget(1, 10_000), suggested_budget(4, 10_000), suggested_budget(4, 200_000)
    (60, 120, 210)
    """
    needed = methods * method_seconds(cells) / LEARN_SHARE
    return max(BUDGET_CHOICES[0], math.ceil(needed / 30) * 30)


def default_block(panel: Panel) -> int:
    """Days to forecast in one step: a week, or four where sales are sparse."""
    # The mean that is fed back looks like a small sale every day. Where hardly a day sells anything,
    # no model has seen that, so feed back less often.
    return MONTH if panel.is_sparse else WEEK
