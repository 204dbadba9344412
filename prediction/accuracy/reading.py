"""Metrics of any cells together, read from the stored sums."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from django.db.models import Sum

from prediction.accuracy.groups import EVERYTHING
from prediction.accuracy.models import AccuracyCell
from prediction.accuracy.scoring import SUM_NAMES
from registry.datasets.models import Dataset


@dataclass(frozen=True)
class Group:
    """A column of groups and one of its values; empty: everything."""

    column: str = EVERYTHING
    value: str = ""


@dataclass
class ErrorSums:
    """Sums over cells, and the metrics that they give; None where nothing was sold or recorded."""

    values: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SUM_NAMES, 0.0))

    @classmethod
    def add_up(cls, rows: Iterable[dict[str, Any]]) -> Self:
        """The sums of all the rows."""
        total = cls()
        for row in rows:
            for name in SUM_NAMES:
                total.values[name] += row[name]
        return total

    def ratio(self, part: str, whole: str) -> float | None:
        """One sum as a share of another."""
        return self.values[part] / self.values[whole] if self.values[whole] else None

    @property
    def count(self) -> int:
        return round(self.values["count"])

    @property
    def units(self) -> float:
        return self.values["units"]

    @property
    def wape(self) -> float | None:
        return self.ratio("missed", "units")

    @property
    def bias(self) -> float | None:
        return self.ratio("over", "units")

    @property
    def mase(self) -> float | None:
        return self.ratio("scaled", "scaled_count")

    @property
    def naive_wape(self) -> float | None:
        """The error of repeating the week before the origin on the same days."""
        return self.ratio("naive_missed", "units")

    @property
    def skill(self) -> float | None:
        """How much lower the error is than that of repeating last week."""
        missed, naive = self.values["missed"], self.values["naive_missed"]
        return 1 - missed / naive if naive else None

    def inside(self, percent: str) -> float | None:
        """Share of values inside the interval."""
        return self.ratio(f"inside_{percent}", "count")


def load_rows(
    dataset: Dataset, by: tuple[str, ...], since: date | None = None, group: Group | None = None, **where: Any
) -> list[dict[str, Any]]:
    """The sums of a dataset by these fields of AccuracyCell, of one group or (None) whatever `where` says."""
    cells = AccuracyCell.objects.filter(dataset=dataset, **where).order_by()
    if group is not None:
        cells = cells.filter(column=group.column, value=group.value)
    if since is not None:
        cells = cells.filter(week__gte=since)
    return list(cells.values(*by).annotate(**{name: Sum(name) for name in SUM_NAMES}))


def add_up_by(rows: Iterable[dict[str, Any]], name: str) -> dict[Any, ErrorSums]:
    """The sums of the rows by one of their fields, in its order."""
    found: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row[name], []).append(row)
    return {key: ErrorSums.add_up(found[key]) for key in sorted(found)}
