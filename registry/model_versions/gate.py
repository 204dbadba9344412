"""The gate: whether a new version may replace the one in use. Pure: metrics in, a decision out.

Both are compared on the windows that both were tested on. When new sales have moved the windows so that none
is shared, each is compared with repeating last week on its own windows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

FIRST_VERSION = gettext_noop("The first version that does better than repeating last week.")
BETTER = gettext_noop("Error {mine:.1%} instead of {theirs:.1%} on the same test days.")
BETTER_OTHER_DAYS = gettext_noop(
    "Beats repeating last week by {mine:.1%}, the version before by {theirs:.1%} (tested on other days)."
)
NO_SCORE = gettext_noop("It has no test result to judge it by.")
FIRST_WITHOUT_SALES = gettext_noop(
    "The first version. Nothing was sold on its test days, so no error can be computed."
)
NO_SALES = gettext_noop(
    "Nothing was sold on its test days, so no error can be computed and it cannot be compared with {name}."
)
NOT_BETTER_THAN_NAIVE = gettext_noop(
    "It does not beat repeating last week: error {mine:.1%} against {theirs:.1%}."
)
BIASED_HIGH = gettext_noop("Its bias is {size:.1%} too high; at most {most:.0%} is allowed.")
BIASED_LOW = gettext_noop("Its bias is {size:.1%} too low; at most {most:.0%} is allowed.")
NOT_BETTER = gettext_noop(
    "It is not better than {name}: error {mine:.1%} against {theirs:.1%} on the same test days."
)
NOT_BETTER_OTHER_DAYS = gettext_noop(
    "It is not better than {name}: it beats repeating last week by {mine:.1%}, the other by {theirs:.1%} "
    "(tested on other days)."
)
Metrics = Mapping[str, Any]
CurrentVersion = tuple[str, Metrics]  # name and metrics of the version in use


@dataclass(frozen=True)
class GateDecision:
    """Whether the version passes, and why: a sentence with {places} for its values."""

    has_passed: bool
    text: str
    values: dict[str, Any] = field(default_factory=dict)


def evaluate_gate(new: Metrics, current: CurrentVersion | None, max_bias: float) -> GateDecision:
    """The decision on metrics `new` against those of the version in use; `max_bias` = allowed |bias|.

    >>> evaluate_gate({"wape": 0.2, "seasonal_naive": {"wape": 0.3}}, None, 0.1).has_passed
    True
    >>> evaluate_gate({"wape": 0.3, "seasonal_naive": {"wape": 0.3}}, None, 0.1).has_passed
    False
    """
    if sold_nothing(new):
        return compare_without_sales(current)
    return check_absolute(new, max_bias) or compare_with_current(new, current)


def sold_nothing(metrics: Metrics) -> bool:
    """Whether a version was tested, but on days without sales, so that it has no error.

    >>> sold_nothing({"wape": None, "windows": [{"origin": "d1", "wape": None}]}), sold_nothing({})
    (True, False)
    """
    windows = metrics.get("windows") or []
    return metrics.get("wape") is None and bool(windows) and all(w.get("wape") is None for w in windows)


def compare_without_sales(current: CurrentVersion | None) -> GateDecision:
    """Without an error a version is better than none, but replaces only another one without an error."""
    if current is None or sold_nothing(current[1]):
        return GateDecision(True, FIRST_WITHOUT_SALES)
    return GateDecision(False, NO_SALES, {"name": current[0]})


def check_absolute(new: Metrics, max_bias: float) -> GateDecision | None:
    """What rejects a version whatever is in use; None if nothing does."""
    error, naive, bias = new.get("wape"), naive_error(new), new.get("bias")
    if error is None or naive is None:
        return GateDecision(False, NO_SCORE)
    if error >= naive:
        return GateDecision(False, NOT_BETTER_THAN_NAIVE, {"mine": error, "theirs": naive})
    if bias is not None and abs(bias) > max_bias:
        return GateDecision(
            False, BIASED_HIGH if bias > 0 else BIASED_LOW, {"size": abs(bias), "most": max_bias}
        )
    return None


def compare_with_current(new: Metrics, current: CurrentVersion | None) -> GateDecision:
    """The comparison with the version in use, which may have no score."""
    if current is None or current[1].get("wape") is None:
        return GateDecision(True, FIRST_VERSION)
    name, best = current
    shared = shared_errors(new, best)
    if shared:
        mine, theirs = shared
        values = {"mine": mine, "theirs": theirs}
        return (
            GateDecision(True, BETTER, values)
            if mine < theirs
            else GateDecision(False, NOT_BETTER, values | {"name": name})
        )
    values = {"mine": skill_score(new), "theirs": skill_score(best)}
    if skill_score(new) > skill_score(best):
        return GateDecision(True, BETTER_OTHER_DAYS, values)
    return GateDecision(False, NOT_BETTER_OTHER_DAYS, values | {"name": name})


def shared_errors(new: Metrics, best: Metrics) -> tuple[float, float] | None:
    """The errors of both on the windows that they share; None if they share none.

    >>> a = {"wape": 0.2, "windows": [{"origin": "d1", "days": 28, "wape": 0.2}]}
    >>> shared_errors(a, a), shared_errors(a, {"wape": 0.1, "windows": [{"origin": "d2", "wape": 0.1}]})
    ((0.2, 0.2), None)
    """
    mine, theirs = window_errors(new), window_errors(best)
    both = sorted(mine.keys() & theirs.keys())
    if (
        mine.keys() == theirs.keys()
    ):  # also when neither has windows: the overall errors are the best there are
        return new["wape"], best["wape"]
    if not both:
        return None
    return sum(mine[day] for day in both) / len(both), sum(theirs[day] for day in both) / len(both)


def window_errors(metrics: Metrics) -> dict[str, float]:
    """Error of each window by its origin."""
    found = metrics.get("windows") or []
    return {window["origin"]: window["wape"] for window in found if window.get("wape") is not None}


def naive_error(metrics: Metrics) -> float | None:
    """The error of repeating last week on the same windows; None if not measured."""
    error: float | None = (metrics.get("seasonal_naive") or {}).get("wape")
    return error


def skill_score(metrics: Metrics) -> float:
    """How much smaller the error is than that of repeating last week; 0 if not measured."""
    naive = naive_error(metrics)
    return 1 - float(metrics["wape"]) / naive if naive else 0.0
