"""Terms of each line, such as pack and costs, and the policy that says how much is enough."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from prediction.orders.stock import NEVER, Floats, Ints

Kind = Literal["cycle", "fill", "cost"]


@dataclass(frozen=True)
class Terms:
    """What holds for each line: arrays [S], made by `build`.

    arrival, next_arrival: first days ahead on which this order and the one after it can be sold.
    pack, min_order: units; shelf_min, shelf_max: units that should stand, and fit, on the shelf.
    shelf_life: days from arrival on which a unit can be sold. holding: money of a unit and day;
    shortage, waste: of a unit.
    """

    arrival: Ints
    next_arrival: Ints
    pack: Floats
    min_order: Floats
    shelf_min: Floats
    shelf_max: Floats
    shelf_life: Ints
    holding: Floats
    shortage: Floats
    waste: Floats
    unit_cost: Floats

    @classmethod
    def build(cls, size: int, arrival: Any, next_arrival: Any, **given: Any) -> Terms:
        """Terms of `size` lines: single values hold for all. Raises ValueError for what cannot be."""
        defaults: dict[str, Any] = {
            **dict.fromkeys(("min_order", "shelf_min", "waste", "unit_cost"), 0.0),
            **{"pack": 1.0, "shelf_max": np.inf, "shelf_life": NEVER, "holding": 0.01, "shortage": 1.0},
        }
        values = {**defaults, **given, "arrival": arrival, "next_arrival": next_arrival}
        whole = ("arrival", "next_arrival", "shelf_life")
        made = cls(
            **{
                name: np.broadcast_to(np.asarray(value, np.int64 if name in whole else np.float32), size)
                for name, value in values.items()
            }
        )
        if (made.arrival < 0).any() or (made.next_arrival <= made.arrival).any():
            raise ValueError("The next order must arrive after this one.")
        if (made.pack <= 0).any() or (made.shelf_life < 1).any():
            raise ValueError("A pack holds more than 0 units, and a shelf life is a day or more.")
        costs = (made.min_order, made.shelf_min, made.holding, made.shortage, made.waste, made.unit_cost)
        if any((value < 0).any() or np.isnan(value).any() for value in costs):
            raise ValueError("Minimum orders, shelf limits and costs must not be below 0.")
        return made

    def select(self, rows: NDArray[np.intp]) -> Terms:
        """Only these lines."""
        return Terms(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True)
class Policy:
    """How much is enough: a service level, or the lowest expected cost of the terms.

    cycle: share of order cycles without a lost sale; fill: share of units sold from stock.
    nearest: of two whole quantities take the one whose service is nearer to the level, which holds it on
    average over many slow lines; otherwise the one that reaches it.
    """

    kind: Kind = "cycle"
    level: float = 0.95
    nearest: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("cycle", "fill", "cost"):
            raise ValueError(f"{self.kind!r} is no policy: use cycle, fill or cost.")
        if not 0 < self.level < 1:
            raise ValueError("A service level lies between 0 and 1.")
