"""The catalogue of a dataset: each store and product with its name, category and figures."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from registry.importing.canonical import Canonical
from registry.importing.roles import NAME
from registry.importing.values import Texts

WEEKS = 26
CATEGORY = re.compile(
    r"(^|_)(categor(y|ies)|cat|cat_id|group|department|dept|dept_id|family|class|brand|类别|分类|品类|大类|品牌|部门)$|"
    r"(类别|分类|品类)",
    re.IGNORECASE,
)
EPOCH = dt.date(1970, 1, 1)


def items(content: Canonical, roles: dict[str, str]) -> list[dict[str, Any]]:
    """One entry for each store and product: kind, code, name, category, first, last, total, zeros, weeks."""
    texts = {name: column for name, column in content.extras.items() if isinstance(column, Texts)}
    names = [name for name in texts if roles.get(name) == "name" or NAME.search(name)]
    groups = [name for name in texts if CATEGORY.search(name) and name not in names]
    found: list[dict[str, Any]] = []
    for kind, codes in (("store", content.stores), ("product", content.products)):
        figures = Figures(content, codes)
        name = label(texts, names, codes)
        group = label(texts, groups, codes)
        for place, code in enumerate(codes.values):
            entry = {
                "kind": kind,
                "code": code,
                "name": name.get(place, ""),
                "category": group.get(place, ""),
            }
            found.append({**entry, **figures.of(place)})
    return found


def label(texts: dict[str, Texts], columns: list[str], codes: Texts) -> dict[int, str]:
    """{place of the code: the column's value}, from the first column that is fixed for each code."""
    for column in columns:
        values = texts[column]
        top = np.full(len(codes.values), -1, np.int64)
        np.maximum.at(top, codes.codes, values.codes)
        filled = np.array([bool(value) for value in values.values])[values.codes]
        if len(codes.values) > 1 and len(set(top.tolist())) == 1 and len(values.values) > 1:
            continue
        if (values.codes[filled] == top[codes.codes[filled]]).all():
            return {place: values.values[value] for place, value in enumerate(top.tolist()) if value >= 0}
    return {}


class Figures:
    """First and last day, units, share of days without a sale, and the last weeks, for every code at once."""

    def __init__(self, content: Canonical, codes: Texts) -> None:
        sold = np.flatnonzero(~np.isnan(content.sales))
        rows, days, sales = codes.codes[sold], content.days[sold], content.sales[sold]
        size = len(codes.values)
        self.count = np.bincount(rows, minlength=size)
        self.total = np.bincount(rows, weights=sales, minlength=size)
        self.zeros = np.bincount(rows, weights=sales == 0, minlength=size)
        self.first: npt.NDArray[np.int64] = np.full(size, np.iinfo(np.int64).max)
        self.last: npt.NDArray[np.int64] = np.full(size, -1)
        moved = sales != 0
        np.minimum.at(self.first, rows[moved], days[moved])
        np.maximum.at(self.last, rows[moved], days[moved])
        week = (int(days.max()) - days) // 7
        recent = week < WEEKS
        place = rows[recent].astype(np.int64) * WEEKS + (WEEKS - 1 - week[recent])
        self.weeks = np.bincount(place, weights=sales[recent], minlength=size * WEEKS).reshape(size, WEEKS)

    def of(self, place: int) -> dict[str, Any]:
        sold = self.last[place] >= 0
        return {
            "first": day(int(self.first[place])) if sold else None,
            "last": day(int(self.last[place])) if sold else None,
            "total": round(float(self.total[place]), 3),
            "zeros": round(float(self.zeros[place] / max(1, self.count[place])), 4),
            "weeks": [round(float(value), 1) for value in self.weeks[place]],
        }


def day(number: int) -> str:
    return (EPOCH + dt.timedelta(days=number)).isoformat()
