"""How much each input explains of a change: exact Shapley values over the inputs that changed. Pure numpy.

The value of an input is its effect, averaged over all orders in which the inputs can be replaced by the new
ones one after the other. The parts add up to the whole change (L. S. Shapley, "A Value for n-Person
Games", 1953).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.series.panel import Panel

Values = NDArray[np.floating[Any]]
Inputs = frozenset[str]


def list_subsets(inputs: Sequence[str]) -> list[Inputs]:
    """Every choice of inputs, from none to all.

    >>> [sorted(chosen) for chosen in list_subsets(["a", "b"])]
    [[], ['a'], ['b'], ['a', 'b']]
    """
    sizes = range(len(inputs) + 1)
    return [frozenset(chosen) for size in sizes for chosen in combinations(inputs, size)]


def split_change(inputs: Sequence[str], forecast: Callable[[Inputs], Values]) -> dict[str, Values]:
    """The part of each input in forecast(all new) - forecast(none new); each subset is forecast once.

    >>> value = {"": 0, "a": 4, "b": 1, "ab": 7}
    >>> parts = split_change(["a", "b"], lambda new: np.array(value["".join(sorted(new))], float))
    >>> {name: float(part) for name, part in parts.items()}
    {'a': 5.0, 'b': 2.0}
    """
    found = {chosen: forecast(chosen) for chosen in list_subsets(inputs)}
    count, parts = len(inputs), {}
    for name in inputs:
        part = np.zeros_like(found[frozenset()])
        for chosen in list_subsets([other for other in inputs if other != name]):
            weight = factorial(len(chosen)) * factorial(count - len(chosen) - 1) / factorial(count)
            part = part + weight * (found[chosen | {name}] - found[chosen])
        parts[name] = part
    return parts


def replace_plan(panel: Panel, other: Panel, after: np.datetime64) -> Panel:
    """The panel with what `other`, of the same series, knew ahead about the days after a day."""
    categories, known = dict(panel.categories), {}
    width = max(panel.days, *(_last_column(panel, one) for one in (panel, other)))
    for name, values in panel.known.items():
        wide = np.full((len(panel.keys), width), np.nan, np.float32)
        wide[:, : values.shape[1]] = values
        first = panel.column_index(after) + 1
        wide[:, first:] = np.nan  # not given, unless the other plan says so
        if name in other.known and (name in panel.categories) == (name in other.categories):
            given = other.known[name][:, max(0, other.column_index(after) + 1) :]
            if name in categories:
                given, categories[name] = _recode(given, other.categories[name], categories[name])
            wide[:, first : first + given.shape[1]] = given
        known[name] = wide
    return replace(panel, known=known, categories=categories)


def has_same_plan(panel: Panel, other: Panel, after: np.datetime64, days: int) -> bool:
    """Whether both knew the same ahead about so many days after a day, for the same series."""
    if panel.known.keys() != other.known.keys():
        return False
    mixed = replace_plan(panel, other, after)
    own, first = replace_plan(panel, panel, after), panel.column_index(after) + 1
    return all(
        np.array_equal(
            _pad(values, first + days)[:, first : first + days],
            _pad(mixed.known[name], first + days)[:, first : first + days],
            equal_nan=True,
        )
        for name, values in own.known.items()
    )


def _pad(values: Values, width: int) -> Values:
    missing = max(0, width - values.shape[1])
    return np.pad(values, ((0, 0), (0, missing)), constant_values=np.nan)


def _last_column(panel: Panel, other: Panel) -> int:
    """How many columns of `panel` the plan of the other reaches to."""
    shift = int((other.start - panel.start) / np.timedelta64(1, "D"))
    return max((values.shape[1] + shift for values in other.known.values()), default=0)


def _recode(values: Values, texts: list[str], own: list[str]) -> tuple[Values, list[str]]:
    """Codes into `own`, with the texts that it lacks at its end."""
    union = [*own, *(text for text in texts if text not in set(own))]
    places = np.array([union.index(text) for text in texts] + [0], np.float32)
    codes = np.where(np.isnan(values), -1, values).astype(np.intp)
    return np.where(codes < 0, np.float32(np.nan), places[codes]), union
