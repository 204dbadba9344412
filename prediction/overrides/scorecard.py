"""The scorecard of overrides: errors of repeating last week, of the model and of the final numbers together.

Each override counts once, whatever the number of runs that it was in: its errors are the mean over these. An
error is how far the sum of its series was off in a week. Its value is the error that the numbers before it
would have had less the error of those after it, as a share of the units sold: below 0 it did harm.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import QuerySet, Sum
from numpy.typing import NDArray

from prediction.overrides.models import Override, OverrideScore
from registry.datasets.models import Dataset

ENOUGH = 20  # overrides from which on they are judged
RESAMPLES, SEED = 1000, 0
LEVEL = (0.025, 0.975)  # of the interval
SIZES = (0.1, 0.25, 0.5)  # relative changes that part small from large ones
NUMBERS = ("naive", "model", "before", "after", "final")
SUMS = ("sold", *NUMBERS)
Week = dict[str, Any]  # of sum_weeks()


@dataclass(frozen=True)
class ScoredOverride:
    """An override whose days are known, at least some: units sold, and by how much each number was off.

    units: what it changed, from `before` to `after`.
    """

    override: Override
    sold: float
    naive: float
    model: float
    before: float
    after: float
    final: float
    units: tuple[float, float]

    @property
    def is_up(self) -> bool:
        return self.units[1] >= self.units[0]

    @property
    def size(self) -> int:
        """Which of the sizes the change has, from 0."""
        was, now = self.units
        share = abs(now / was - 1) if was > 0 else np.inf
        return int(np.searchsorted(SIZES, share, side="right"))


@dataclass(frozen=True)
class Score:
    """Errors of some overrides as shares of the units sold; None for fewer than ENOUGH, or without sales.

    value: how much lower the error is after them; interval: 95% of it, by bootstrap over overrides.
    """

    count: int
    naive: float | None = None
    model: float | None = None
    final: float | None = None
    value: float | None = None
    interval: tuple[float, float] | None = None

    @property
    def missing(self) -> int:
        """How many more are needed."""
        return max(0, ENOUGH - self.count)

    @property
    def verdict(self) -> str:
        """helped, harmed, or open; empty for too few."""
        if self.interval is None:
            return ""
        return "helped" if self.interval[0] > 0 else "harmed" if self.interval[1] < 0 else "open"


def load_scored(dataset: Dataset, created_by: int | None = None) -> list[ScoredOverride]:
    """The overrides of a dataset with known days, oldest first; only those of a person if one is given."""
    rows = OverrideScore.objects.filter(override__dataset=dataset, days__state="ready")
    if created_by is not None:
        rows = rows.filter(override__created_by=created_by)
    found: dict[int, dict[tuple[Any, ...], list[Week]]] = defaultdict(lambda: defaultdict(list))
    for row in sum_weeks(rows):
        found[row["override"]][row["days__origin"], row["days__version"]].append(row)
    overrides = Override.objects.select_related("created_by").in_bulk(list(found))
    return [build_scored(overrides[pk], list(runs.values())) for pk, runs in sorted(found.items())]


def sum_weeks(rows: QuerySet[OverrideScore]) -> Iterable[Week]:
    """Units of each override, run and week: days that came one by one are added up."""
    names = ("override", "days__origin", "days__version", "week")
    totals: QuerySet[OverrideScore, Week] = rows.order_by().values(*names)
    return totals.annotate(**{f"{name}_sum": Sum(name) for name in SUMS})


def build_scored(override: Override, runs: Sequence[list[Week]]) -> ScoredOverride:
    """The mean over the runs of the sums over their weeks."""
    count = len(runs)

    def add_up(measure: Callable[[Week], float]) -> float:
        return sum(measure(week) for weeks in runs for week in weeks) / count

    def miss(name: str) -> float:
        return add_up(lambda week: abs(week["sold_sum"] - week[f"{name}_sum"]))

    return ScoredOverride(
        override,
        sold=add_up(lambda week: abs(week["sold_sum"])),
        **{name: miss(name) for name in NUMBERS},
        units=(add_up(lambda week: week["before_sum"]), add_up(lambda week: week["after_sum"])),
    )


def measure_score(scored: Sequence[ScoredOverride]) -> Score:
    """The errors of these overrides together."""
    count, sold = len(scored), sum(one.sold for one in scored)
    if count < ENOUGH or sold <= 0:
        return Score(count)
    gains = np.array([one.before - one.after for one in scored])
    shares = {name: sum(getattr(one, name) for one in scored) / sold for name in ("naive", "model", "final")}
    interval = resample(gains, np.array([one.sold for one in scored]))
    return Score(count, **shares, value=float(gains.sum() / sold), interval=interval)


def resample(gains: NDArray[np.float64], sold: NDArray[np.float64]) -> tuple[float, float]:
    """The bootstrap interval of the ratio of two sums over overrides."""
    drawn = np.random.default_rng(SEED).integers(len(gains), size=(RESAMPLES, len(gains)))
    wholes = sold[drawn].sum(axis=1)
    ratios = gains[drawn].sum(axis=1)[wholes > 0] / wholes[wholes > 0]
    low, high = np.quantile(ratios, LEVEL)
    return float(low), float(high)


def group_scores(
    scored: Sequence[ScoredOverride], key: Callable[[ScoredOverride], object]
) -> dict[object, Score]:
    """The score of each group, the largest first."""
    groups: dict[object, list[ScoredOverride]] = defaultdict(list)
    for one in scored:
        groups[key(one)].append(one)
    ordered = sorted(groups.items(), key=lambda pair: -len(pair[1]))
    return {name: measure_score(part) for name, part in ordered}
