"""Why a quantity changed: its change split over the inputs that changed (Shapley, "A Value for n-Person
Games", 1953), exact over all coalitions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from math import factorial

from prediction.orders.stock import Floats

INPUTS = ("sales", "plan", "model", "stock", "terms", "override")


def split_change(
    compute: Callable[[frozenset[str]], Floats], names: Sequence[str] = INPUTS
) -> dict[str, Floats]:
    """Units [S] that each input adds; together they are the whole change.

    compute: the quantities [S] with these inputs new and all others as before; asked once for each set.

    >>> import numpy as np
    >>> split = split_change(lambda new: np.array([3.0 * ("stock" in new) + 2 * ({"sales", "plan"} <= new)]))
    >>> {name: round(float(part[0]), 6) for name, part in split.items() if part[0]}
    {'sales': 1.0, 'plan': 1.0, 'stock': 3.0}
    """
    sets = [frozenset(chosen) for size in range(len(names) + 1) for chosen in combinations(names, size)]
    values, count = {chosen: compute(chosen) for chosen in sets}, len(names)
    parts: dict[str, Floats] = {}
    for name in names:
        without = [chosen for chosen in sets if name not in chosen]
        parts[name] = sum(
            factorial(len(chosen))
            * factorial(count - len(chosen) - 1)
            / factorial(count)
            * (values[chosen | {name}] - values[chosen])
            for chosen in without
        )  # type: ignore[assignment]  # sum begins with the number 0
    return parts
