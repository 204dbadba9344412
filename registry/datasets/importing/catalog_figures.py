"""The catalog of a dataset: each store and product with its name, category and figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.covariate_roles import NAME_PATTERN
from registry.datasets.importing.extra_columns import ColumnData
from registry.datasets.importing.values import CategoricalColumn
from registry.lib.days import from_day_number

WEEKS_SHOWN = 26
CATEGORY_PATTERN = re.compile(
    r"(^|_)(categor(y|ies)|cat|cat_id|group|department|dept|dept_id|family|class|brand|类别|分类|品类|大类|品牌|部门)$|"
    r"(类别|分类|品类)",
    re.IGNORECASE,
)
NEVER_SOLD = 10_000_000  # a day number beyond every calendar


def build_catalog(content: CanonicalTable, roles: dict[str, str]) -> list[dict[str, Any]]:
    """One entry for each store and product: kind, code, name, category, first, last, total, zeros, weeks."""
    extras = content.extras
    texts = {name: extras[name][content.series_starts] for name in extras if extras.is_text(name)}
    names = [name for name in texts if roles.get(name) == "name" or NAME_PATTERN.search(name)]
    groups = [name for name in texts if CATEGORY_PATTERN.search(name) and name not in names]
    items: list[dict[str, Any]] = []
    series = SeriesFigures(content)
    for kind, codes in (("store", content.stores), ("product", content.products)):
        figures = CodeFigures(series, codes)
        first = CategoricalColumn(codes.codes[content.series_starts], codes.values)
        name = find_fixed_labels(texts, names, first)
        group = find_fixed_labels(texts, groups, first)
        for place, code in enumerate(codes.values):
            labels = {"name": name.get(place, "")[:200], "category": group.get(place, "")[:200]}
            items.append({"kind": kind, "code": code, **labels, **figures.item_fields(place)})
    return items


def find_fixed_labels(
    texts: Mapping[str, ColumnData], columns: list[str], codes: CategoricalColumn
) -> dict[int, str]:
    """{position of the code: its label}, from the first column with one value for each code.

    `texts` and `codes` [S] hold the first row of each series.
    """
    size = len(codes.values)
    for column in columns:
        values = cast(CategoricalColumn, texts[column])
        pairs = np.unique(codes.codes.astype(np.int64) * len(values.values) + values.codes)
        owner, value = pairs // len(values.values), pairs % len(values.values)
        filled = np.array([bool(text.strip()) for text in values.values])[value]
        owner, value = owner[filled], value[filled]
        varied = size == 1 or len(np.unique(value)) > 1
        if varied and len(owner) and np.bincount(owner).max() == 1:
            return {
                int(place): values.values[int(number)] for place, number in zip(owner, value, strict=True)
            }
    return {}


class SeriesFigures:
    """[S] first and last day with sales, units, zeros, and [S, W] units of the last weeks."""

    def __init__(self, content: CanonicalTable) -> None:
        starts, sales = content.series_starts, content.sales
        sold = ~np.isnan(sales)
        units = np.where(sold, sales, 0.0)
        moved = units != 0
        self.starts = starts
        self.count = np.add.reduceat(sold.astype(np.int32), starts)
        self.total = np.add.reduceat(units, starts)
        self.zeros = self.count - np.add.reduceat(moved.astype(np.int32), starts)
        self.first = np.minimum.reduceat(np.where(moved, content.days, NEVER_SOLD), starts)
        self.last = np.maximum.reduceat(np.where(moved, content.days, -NEVER_SOLD), starts)
        rows = np.flatnonzero(sold & (content.days > content.days[sold].max() - 7 * WEEKS_SHOWN))
        week = WEEKS_SHOWN - 1 - (content.days[sold].max() - content.days[rows]) // 7
        owner = np.searchsorted(starts, rows, side="right") - 1
        size = len(starts) * WEEKS_SHOWN
        self.weeks = np.bincount(owner * WEEKS_SHOWN + week, weights=sales[rows], minlength=size).reshape(
            -1, WEEKS_SHOWN
        )


class CodeFigures:
    """[C] the figures of all series of each code together."""

    def __init__(self, series: SeriesFigures, codes: CategoricalColumn) -> None:
        owner, size = codes.codes[series.starts], len(codes.values)
        self.count = np.bincount(owner, weights=series.count, minlength=size)
        self.total = np.bincount(owner, weights=series.total, minlength=size)
        self.zeros = np.bincount(owner, weights=series.zeros, minlength=size)
        self.first: npt.NDArray[np.int64] = np.full(size, NEVER_SOLD)
        self.last: npt.NDArray[np.int64] = np.full(size, -NEVER_SOLD)
        np.minimum.at(self.first, owner, series.first)
        np.maximum.at(self.last, owner, series.last)
        self.weeks = np.zeros((size, WEEKS_SHOWN))
        np.add.at(self.weeks, owner, series.weeks)

    def item_fields(self, place: int) -> dict[str, Any]:
        """The figures of one code as fields of an Item."""
        sold = abs(self.last[place]) != NEVER_SOLD
        return {
            "first": from_day_number(self.first[place]).isoformat() if sold else None,
            "last": from_day_number(self.last[place]).isoformat() if sold else None,
            "total": round(float(self.total[place]), 3),
            "zeros": round(float(self.zeros[place] / max(1, self.count[place])), 4),
            "weeks": [round(float(value), 1) for value in self.weeks[place]],
        }
