"""What a training needs of its data and assumes about it. Imports no torch, so that forms can use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from registry.series.panel import Panel

MIN_PAST_DAYS = 14  # days before the first window that a model can learn from
WEEK, MONTH = 7, 28  # days forecast in one step; the latter where sales are sparse


def required_days(horizon: int) -> int:
    """Days of sales that a training needs: a past, one window to learn and one to test.

    >>> required_days(28)
    70
    """
    return MIN_PAST_DAYS + 2 * horizon


def default_block(panel: Panel) -> int:
    """Days to forecast in one step: a week, or four where sales are sparse."""
    # The mean that is fed back looks like a small sale every day. Where hardly a day sells anything,
    # no model has seen that, so feed back less often.
    return MONTH if panel.is_sparse else WEEK
