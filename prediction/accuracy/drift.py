"""Whether forecasts have drifted away from sales: two-sided CUSUM charts over weeks (Page, 1954). No Django.

A week is a log ratio: sold to expected, or the error to that of repeating last week. It is measured against
the median of the weeks before in units of how much those scatter, so that a steady bias or a rough store is
no drift. Ranges and errors of the held-back windows count as some weeks, or for all until enough are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log, sqrt
from typing import Any

import numpy as np

SLACK, THRESHOLD = 0.75, 1.75  # of all sales, in units of the usual scatter; chosen by bench/drift.py
STORE_THRESHOLD = 7.0  # of many charts at once
SKILL_THRESHOLD = 8.0  # of errors, which scatter more
MOST = 4.0  # what one week counts at most
SMALLEST_SCATTER = 0.07  # a week is never known better than this
MIN_CHANGE = 0.11  # of the newest weeks; a smaller one is nobody's business
NEWEST_WEEKS = 2
PRIOR_WEEKS = 16  # what the held-back windows count beside the weeks known
BASE_WEEKS, GAP_WEEKS, MIN_BASE_WEEKS = 26, 2, 8  # the weeks before, without the newest ones
SCATTER_OF_MEDIAN = 1.4826  # median absolute deviation to standard deviation
WEEK, WINDOW_WEEKS = 7, 4


@dataclass(frozen=True)
class WeekTotal:
    """Seven days of a group: their last day since 1970, units sold and expected, and the spread of those.

    missed, naive_missed: units by which the forecast and repeating last week were off, series by series.
    """

    last: int
    sold: float
    expected: float
    spread: float
    missed: float = 0.0
    naive_missed: float = 0.0


@dataclass(frozen=True)
class Drift:
    """Weeks that went the same way: 1 = more was sold than expected, or errors grew; -1 = less was sold.

    first, last: days since 1970. change: sales against the forecast, or errors, from the usual, as a share.
    """

    direction: int
    first: int
    last: int
    weeks: int
    change: float


def select_apart(weeks: Sequence[WeekTotal]) -> list[WeekTotal]:
    """Those that do not overlap, from the oldest on."""
    found: list[WeekTotal] = []
    for week in sorted(weeks, key=lambda one: one.last):
        if not found or week.last >= found[-1].last + WEEK:
            found.append(week)
    return found


def compare_with_others(weeks: Sequence[WeekTotal], whole: Sequence[WeekTotal]) -> list[WeekTotal]:
    """The weeks of a store, with what it was expected to sell had it done as all other stores did.

    A season that forecasts missed everywhere is told by the chart of all sales; this one tells what only the
    store did. `whole`: of everything, the store included. Weeks without other stores stay as they are.

    >>> store, whole = WeekTotal(7, 60.0, 50.0, 5.0), WeekTotal(7, 180.0, 150.0, 9.0)
    >>> [(week.expected, week.spread) for week in compare_with_others([store], [whole])]
    [(60.0, 6.0)]
    """
    totals, found = {week.last: week for week in whole}, []
    for week in weeks:
        total = totals.get(week.last, week)
        sold, expected = total.sold - week.sold, total.expected - week.expected
        factor = sold / expected if min(sold, expected) > 0 else 1.0
        found.append(replace(week, expected=factor * week.expected, spread=factor * week.spread))
    return found


def find_bias_drift(
    weeks: Sequence[WeekTotal], after: int | None = None, threshold: float = THRESHOLD
) -> Drift | None:
    """Sales that have left what forecasts expect, as of the newest week; days up to `after` count no more.

    >>> usual = [WeekTotal(7 * n, 100.0 + n % 3, 101.0, 5.0) for n in range(20)]
    >>> moved = [WeekTotal(7 * n, 126.0, 101.0, 5.0) for n in (20, 21)]
    >>> find_bias_drift(usual), find_bias_drift([*usual, *moved])
    (None, Drift(direction=1, first=134, last=147, weeks=2, change=0.2475))
    """
    known = [week for week in weeks if week.sold > 0 and week.expected > 0]
    ratios = [log(week.sold / week.expected) for week in known]
    scores = standardise(ratios, [(0.0, week.spread / week.expected) for week in known])
    for direction in (1, -1):
        start = find_alarm(known, [direction * score for score in scores], after, threshold)
        if start is not None:
            newest = max(start, len(known) - NEWEST_WEEKS)
            change = change_from_usual(ratios, newest, 0.0)
            beyond = float(
                np.exp(np.mean(ratios[newest:])) - 1
            )  # the forecast itself, not only the usual bias
            if min(direction * change, direction * beyond) >= MIN_CHANGE:
                return describe_drift(direction, known[start:], change)
    return None


def find_skill_drift(
    weeks: Sequence[WeekTotal], usual: tuple[float, float], after: int | None = None
) -> Drift | None:
    """Errors that have grown against repeating last week; `usual`: see usual_ratio()."""
    known = [week for week in weeks if week.missed > 0 and week.naive_missed > 0]
    ratios = [log(week.missed / week.naive_missed) for week in known]
    start = find_alarm(known, standardise(ratios, [usual] * len(known)), after, SKILL_THRESHOLD)
    if start is None:
        return None
    change = change_from_usual(ratios, start, usual[0])
    return describe_drift(1, known[start:], change) if change >= MIN_CHANGE else None


def change_from_usual(ratios: Sequence[float], start: int, prior: float) -> float:
    """The mean of the weeks since `start` against the usual one before, as a share."""
    before = ratios[max(0, start - BASE_WEEKS) : start]
    usual = float(np.median(before)) if len(before) >= MIN_BASE_WEEKS else prior
    return float(np.exp(np.mean(ratios[start:]) - usual) - 1)


def standardise(values: Sequence[float], prior: Sequence[tuple[float, float]]) -> list[float]:
    """Each value against the weeks before it; `prior`: middle and scatter while these are too few."""
    found = []
    for place, value in enumerate(values):
        base = np.array(values[max(0, place - BASE_WEEKS - GAP_WEEKS) : max(0, place - GAP_WEEKS)])
        middle, scatter = prior[place]
        if len(base) >= MIN_BASE_WEEKS:
            middle = float(np.median(base))
            own = SCATTER_OF_MEDIAN * float(np.median(np.abs(base - middle)))
            weeks = len(base) + PRIOR_WEEKS
            scatter = sqrt((len(base) * own**2 + PRIOR_WEEKS * scatter**2) / weeks)
        found.append(float(np.clip((value - middle) / max(scatter, SMALLEST_SCATTER), -MOST, MOST)))
    return found


def find_alarm(
    weeks: Sequence[WeekTotal], scores: Sequence[float], after: int | None, threshold: float
) -> int | None:
    """The place where the sum of scores above the slack began that is over the threshold now; else None."""
    total, start = 0.0, 0
    for place, score in enumerate(scores):
        if total == 0:
            start = place
        total = max(0.0, total + score - SLACK)
        if after is not None and weeks[place].last <= after:
            total = 0.0
    return start if total > threshold else None


def describe_drift(direction: int, part: Sequence[WeekTotal], change: float) -> Drift:
    """The drift over these weeks."""
    return Drift(direction, part[0].last - WEEK + 1, part[-1].last, len(part), round(change, 4))


def usual_ratio(metrics: dict[str, Any]) -> tuple[float, float] | None:
    """Log of the error to that of repeating last week on the held-back windows, and its scatter by week.

    >>> usual_ratio({"wape": 0.2, "seasonal_naive": {"wape": 0.4}, "windows": [{"wape": 0.2}, {"wape": 0.2}]})
    (-0.6931471805599453, 0.0)
    """
    naive, error = (metrics.get("seasonal_naive") or {}).get("wape"), metrics.get("wape")
    if not naive or not error:
        return None
    logs = [log(window["wape"]) for window in metrics.get("windows") or [] if window.get("wape")]
    scatter = float(np.std(logs, ddof=1)) * WINDOW_WEEKS**0.5 if len(logs) > 1 else 0.0
    return log(error / naive), scatter
