"""The catalog of a dataset: each store and product with its name, category and figures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.covariate_roles import NAME_PATTERN, ColumnRoles
from registry.datasets.importing.facts.sales_facts import SalesFacts, place_names
from registry.datasets.importing.facts.series_facts import NO_DAY
from registry.datasets.importing.values import CategoricalColumn
from registry.lib.days import from_day_number

CATEGORY_PATTERN = re.compile(
    r"(^|_)(categor(y|ies)|cat|cat_id|group|department|dept|dept_id|family|class|brand|类别|分类|品类|大类|品牌|部门)$|"
    r"(类别|分类|品类)",
    re.IGNORECASE,
)


@dataclass
class SeriesLabels:
    """[S] store, product and texts of the first row of each series, collected piece by piece."""

    stores: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def collect(self, content: CanonicalTable, roles: ColumnRoles) -> None:
        """Adds the series of a piece; all pieces have the same columns."""
        starts = content.series_starts
        for found, texts in ((self.stores, content.stores), (self.products, content.products)):
            found += [texts.values[code] for code in texts.codes[starts].tolist()]
        for name in content.extras:
            is_label = roles.get(name) == "name" or NAME_PATTERN.search(name) or CATEGORY_PATTERN.search(name)
            if is_label and content.extras.is_text(name):
                column = cast(CategoricalColumn, content.extras[name])
                values = [column.values[code] for code in column.codes[starts].tolist()]
                self.texts.setdefault(name, []).extend(values)

    def find_labels(self, kind: str, roles: ColumnRoles) -> tuple[dict[str, str], dict[str, str]]:
        """{code: its name} and {code: its category} of stores or products."""
        names = [name for name in self.texts if roles.get(name) == "name" or NAME_PATTERN.search(name)]
        groups = [name for name in self.texts if CATEGORY_PATTERN.search(name) and name not in names]
        codes = code_texts(self.stores if kind == "store" else self.products)
        texts = {name: code_texts(values) for name, values in self.texts.items()}
        return find_fixed_labels(texts, names, codes), find_fixed_labels(texts, groups, codes)


def code_texts(texts: list[str]) -> CategoricalColumn:
    """The texts as a column."""
    values = sorted(set(texts))
    return CategoricalColumn(place_names(texts, values).astype(np.int32), values)


def build_catalog(
    facts: SalesFacts,
    labels: SeriesLabels,
    roles: ColumnRoles,
    before: Iterable[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    """One entry for each store and product: kind, code, name, category, first, last, total, zeros, weeks.

    What was in the catalog `before` keeps its name and category.
    """
    items: list[dict[str, Any]] = []
    known = {(item["kind"], item["code"]): item for item in before}
    for kind, codes in (("store", facts.stores), ("product", facts.products)):
        figures = CodeFigures(facts, kind)
        name, group = labels.find_labels(kind, roles)
        for place, code in enumerate(codes):
            found = {"name": name.get(code, "")[:200], "category": group.get(code, "")[:200]}
            if (kind, code) in known:
                found = {part: known[kind, code][part] for part in found}
            items.append({"kind": kind, "code": code, **found, **figures.item_fields(place)})
    return items


def find_fixed_labels(
    texts: Mapping[str, CategoricalColumn], columns: list[str], codes: CategoricalColumn
) -> dict[str, str]:
    """{code: its label}, from the first column with one value for each code.

    `texts` and `codes` [S] hold the first row of each series.
    """
    size = len(codes.values)
    for column in columns:
        values = texts[column]
        pairs = np.unique(codes.codes.astype(np.int64) * len(values.values) + values.codes)
        owner, value = pairs // len(values.values), pairs % len(values.values)
        filled = np.array([bool(text.strip()) for text in values.values])[value]
        owner, value = owner[filled], value[filled]
        varied = size == 1 or len(np.unique(value)) > 1
        if varied and len(owner) and np.bincount(owner).max() == 1:
            pairs_of = zip(owner.tolist(), value.tolist(), strict=True)
            return {codes.values[place]: values.values[number] for place, number in pairs_of}
    return {}


class CodeFigures:
    """[C] the figures of all series of each store or product together."""

    def __init__(self, facts: SalesFacts, kind: str) -> None:
        series, size = facts.series, len(facts.stores if kind == "store" else facts.products)
        owner = series[kind]
        self.count = np.bincount(owner, weights=series["recorded"], minlength=size)
        self.total = np.bincount(owner, weights=series["units"], minlength=size)
        self.zeros = np.bincount(owner, weights=series["zeros"], minlength=size)
        self.first: npt.NDArray[np.int64] = np.full(size, NO_DAY)
        self.last: npt.NDArray[np.int64] = np.full(size, -NO_DAY)
        np.minimum.at(self.first, owner, series["first"])
        np.maximum.at(self.last, owner, series["last"])
        self.weeks = facts.sum_weeks(kind)

    def item_fields(self, place: int) -> dict[str, Any]:
        """The figures of one code as fields of an Item."""
        sold = abs(self.last[place]) != NO_DAY
        return {
            "first": from_day_number(self.first[place]).isoformat() if sold else None,
            "last": from_day_number(self.last[place]).isoformat() if sold else None,
            "total": round(float(self.total[place]), 3),
            "zeros": round(float(self.zeros[place] / max(1, self.count[place])), 4),
            "weeks": [round(float(value), 1) for value in self.weeks[place]],
        }
