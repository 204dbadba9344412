"""Changes of a sum of units, split over its series and days in proportion to the forecast. No Django.

The change that touches the most series is applied first and the narrowest last; of as many series the oldest
first. Each goes out from the numbers that those before it left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from registry.series.levels import Level, Selection
from registry.series.paths import Adjustment
from registry.series.prediction import Prediction

Kind = Literal["set", "add", "percent"]
Units = NDArray[np.float64]
NOTHING = 1e-6  # units, below which a sum is 0


@dataclass(frozen=True)
class Change:
    """What becomes of the units of some series on the days from `first` to `last`.

    set: their sum; add: units more (below 0: less) in all; percent: by which all of them grow.
    """

    selection: Selection
    first: np.datetime64
    last: np.datetime64
    kind: Kind
    amount: float


@dataclass(frozen=True)
class Effect:
    """What a change did: units [R, D] of these series (rows) and days (places) before and after it.

    place: that of the change in the list of all.
    """

    place: int
    rows: NDArray[np.intp]
    days: slice
    before: Units
    after: Units


def apply_changes(
    prediction: Prediction, changes: Sequence[Change], levels: Sequence[Level]
) -> tuple[Prediction, list[Effect]]:
    """The prediction of a model with the changes made, and their effects in the order of application."""
    model = prediction.mean.astype(np.float64)
    final, found = model.copy(), list[Effect]()
    rows = [change.selection.find_rows(prediction.keys, levels) for change in changes]
    for place in sorted(range(len(changes)), key=lambda one: (-len(rows[one]), one)):
        change, own = changes[place], rows[place]
        days = find_days(prediction.dates, change)
        cells = np.ix_(own, np.arange(days.start, days.stop))
        before = final[cells]
        amount = change.amount if change.kind == "percent" else change.amount * share_of_days(change, days)
        final[cells] = move_sum(before, (change.kind, amount), model[cells], ~prediction.closed[cells])
        found.append(Effect(place, own, days, before, final[cells]))
    changed = Adjustment.between(prediction.mean, prediction.quantiles, final)
    return (prediction if changed is None else prediction.adjust(changed)), found


def find_days(dates: NDArray[Any], change: Change) -> slice:
    """The places of the change's days among the dates, which follow each other."""
    start = int(np.searchsorted(dates, change.first))
    return slice(start, max(start, int(np.searchsorted(dates, change.last, side="right"))))


def share_of_days(change: Change, days: slice) -> float:
    """How much of a sum belongs to the days that the forecast covers: to each day the same."""
    whole = int((change.last - change.first) / np.timedelta64(1, "D")) + 1
    return float(days.stop - days.start) / whole


def move_sum(before: Units, wanted: tuple[Kind, float], model: Units, is_open: NDArray[np.bool_]) -> Units:
    """Units [R, D] after a change, in proportion to those before it, else to the model's, else equal parts.

    On closed days nothing is sold, whatever is wanted; a sum never falls below 0.

    >>> before = np.array([[1.0, 3.0]])
    >>> move_sum(before, ("add", 2.0), before, before > 0).tolist()
    [[1.5, 4.5]]
    >>> move_sum(before * 0, ("set", 6.0), before * 0, before > 0).tolist()
    [[3.0, 3.0]]
    """
    kind, amount = wanted
    total = float(before.sum())
    if kind == "percent":
        return before * max(0.0, 1 + amount / 100)
    target = max(0.0, amount if kind == "set" else total + amount)
    if target <= 0:
        return np.zeros_like(before)
    for weights in (before, model, is_open.astype(np.float64)):
        if (whole := float(weights.sum())) > NOTHING:
            return weights * (target / whole)
    return before
