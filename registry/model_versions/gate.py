"""The gate: whether a new version may replace the one in use. Pure: metrics in, a decision out.

Both are compared on the same days. Where they learned from different sales, the version in use is tested
afresh on the newest days of the new one (`SameDays`), and stays only if it is clearly better there: it will
never know these days, while the new one has learned them after its test.

Errors are of the median, which lies low where most days sell nothing; biases are of the mean, which does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

FIRST_VERSION = gettext_noop("The first version that does better than repeating last week.")
BETTER = gettext_noop("Error {mine:.1%} instead of {theirs:.1%} on the same test days.")
BETTER_SINCE = gettext_noop(
    "Error {mine:.1%} instead of {theirs:.1%} on the {days} newest days, which {name} has not learned."
)
EQUAL_SINCE = gettext_noop(
    "Error {mine:.1%} against {theirs:.1%} on the {days} newest days, which {name} has not learned and "
    "this version has learned since."
)
TOO_LOW_SINCE = gettext_noop(
    "{name} forecasts the {days} newest days {size:.0%} too low. This version has learned them since; "
    "before it had, its error on them was {mine:.1%}, that of {name} {theirs:.1%}."
)
TOO_HIGH_SINCE = gettext_noop(
    "{name} forecasts the {days} newest days {size:.0%} too high. This version has learned them since; "
    "before it had, its error on them was {mine:.1%}, that of {name} {theirs:.1%}."
)
BETTER_AFRESH = gettext_noop(
    "Error {mine:.1%} instead of {theirs:.1%} on the same {days} test days, some of which {name} may have "
    "learned."
)
EQUAL_AFRESH = gettext_noop(
    "Error {mine:.1%} against {theirs:.1%} on the same {days} test days, some of which {name} may have "
    "learned; this version knows the newest sales."
)
NOT_RETESTED = gettext_noop(
    "It passes its own test, and {name} could not be tested again on the newest days."
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
NOT_BETTER_SINCE = gettext_noop(
    "It is not better than {name}: error {mine:.1%} against {theirs:.1%} on the {days} newest days, which "
    "{name} has not learned."
)
NOT_BETTER_AFRESH = gettext_noop(
    "It is not better than {name}: error {mine:.1%} against {theirs:.1%} on the same {days} test days, some "
    "of which {name} may have learned."
)
SAVED_BY_EARLIER_RELEASES = (  # in the history of installations; nothing decides so any more
    gettext_noop(
        "Beats repeating last week by {mine:.1%}, the version before by {theirs:.1%} (tested on other days)."
    ),
    gettext_noop(
        "It is not better than {name}: it beats repeating last week by {mine:.1%}, the other by {theirs:.1%} "
        "(tested on other days)."
    ),
)
# Shares of its error by which a version that knows less must be better to stay: usually, and when its bias
# on the newest days is over the limit.
STALE_MARGIN, OFF_TARGET_MARGIN = 0.05, 0.25
BIAS_ROOM = (
    0.05  # by which a new version may be more biased than the one in use, when both are over the limit
)
Metrics = Mapping[str, Any]
CurrentVersion = tuple[str, Metrics]  # name and metrics of the version in use


@dataclass(frozen=True)
class GateDecision:
    """Whether the version passes, and why: a sentence with {places} for its values."""

    has_passed: bool
    text: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SameDays:
    """Both versions on the same newest days: errors, biases, and whether the one in use may know the days."""

    version: str  # id of the version in use
    days: int
    mine: float
    theirs: float
    my_bias: float
    their_bias: float
    has_learned: bool

    @classmethod
    def from_metrics(cls, metrics: Metrics, version: str) -> SameDays | None:
        """What the metrics of a new version say about it and this version; None if they say nothing."""
        found = metrics.get("same_days") or {}
        if found.get("version") != version:
            return None
        return cls(**{name: found[name] for name in cls.__dataclass_fields__})

    def is_off_target(self, max_bias: float) -> bool:
        """Whether the version in use has missed the level of days that it has not learned from."""
        return not self.has_learned and abs(self.their_bias) > max_bias

    def excuses_bias(self, max_bias: float) -> bool:
        """Whether the sales moved so that both are over the limit, and the new one hardly more."""
        return self.is_off_target(max_bias) and abs(self.my_bias) <= abs(self.their_bias) + BIAS_ROOM


def evaluate_gate(
    new: Metrics, current: CurrentVersion | None, max_bias: float, same_days: SameDays | None = None
) -> GateDecision:
    """The decision on metrics `new` against those of the version in use; `max_bias` = allowed |bias|.

    >>> evaluate_gate({"wape": 0.2, "seasonal_naive": {"wape": 0.3}}, None, 0.1).has_passed
    True
    >>> evaluate_gate({"wape": 0.3, "seasonal_naive": {"wape": 0.3}}, None, 0.1).has_passed
    False
    """
    if sold_nothing(new):
        return compare_without_sales(current)
    has_excuse = same_days is not None and same_days.excuses_bias(max_bias)
    rejected = check_absolute(new, max_bias, has_excuse)
    return rejected or compare_with_current(new, current, max_bias, same_days)


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


def check_absolute(new: Metrics, max_bias: float, may_be_biased: bool = False) -> GateDecision | None:
    """What rejects a version whatever is in use; None if nothing does."""
    error, naive, bias = new.get("wape"), naive_error(new), new.get("bias")
    if error is None or naive is None:
        return GateDecision(False, NO_SCORE)
    if error >= naive:
        return GateDecision(False, NOT_BETTER_THAN_NAIVE, {"mine": error, "theirs": naive})
    if bias is not None and abs(bias) > max_bias and not may_be_biased:
        return GateDecision(
            False, BIASED_HIGH if bias > 0 else BIASED_LOW, {"size": abs(bias), "most": max_bias}
        )
    return None


def compare_with_current(
    new: Metrics, current: CurrentVersion | None, max_bias: float, same_days: SameDays | None
) -> GateDecision:
    """The comparison with the version in use, which may have no score."""
    if current is None or current[1].get("wape") is None:
        return GateDecision(True, FIRST_VERSION)
    name, best = current
    if same_days:
        return compare_on_same_days(same_days, name, max_bias)
    shared = shared_errors(new, best)
    if shared is None:
        return GateDecision(True, NOT_RETESTED, {"name": name})
    mine, theirs = shared
    values = {"mine": mine, "theirs": theirs}
    if mine < theirs:
        return GateDecision(True, BETTER, values)
    return GateDecision(False, NOT_BETTER, values | {"name": name})


def compare_on_same_days(found: SameDays, name: str, max_bias: float) -> GateDecision:
    """The comparison after a fresh test of the version in use, which has learned from other sales."""
    off_target = found.is_off_target(max_bias)
    margin = OFF_TARGET_MARGIN if off_target else STALE_MARGIN
    values: dict[str, Any] = {"mine": found.mine, "theirs": found.theirs, "days": found.days, "name": name}
    if found.mine > found.theirs * (1 + margin):
        text = NOT_BETTER_AFRESH if found.has_learned else NOT_BETTER_SINCE
    elif off_target and found.mine > found.theirs * (1 - STALE_MARGIN):
        text = TOO_HIGH_SINCE if found.their_bias > 0 else TOO_LOW_SINCE
        values |= {"size": abs(found.their_bias)}
    elif found.mine < found.theirs:
        text = BETTER_AFRESH if found.has_learned else BETTER_SINCE
    else:
        text = EQUAL_AFRESH if found.has_learned else EQUAL_SINCE
    return GateDecision(found.mine <= found.theirs * (1 + margin), text, values)


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
