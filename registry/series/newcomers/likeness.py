"""Likeness: how much a series without sales of its own may sell a day, judged by its like.

Logarithms of the usual sales split into a part of the store and a part of the product (two-way analysis of
variance). A new product has the part that products of the same static values and price have, a new store that
of like stores: ridge regressions, whose penalty is chosen by leaving each product or store out once, shrink a
category with few products towards all. How far those left out lie from what was expected of them is how
uncertain a new one is. After Robinson, "That BLUP is a good thing: the estimation of random effects" (1991).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from registry.series.panel import Floats, Panel

LEVEL_DAYS = 112  # newest days that tell what a series usually sells
MIN_LIKE_DAYS = 28  # recorded among them, below which a series tells nothing about others
MAX_LABELS = 60  # most common texts of a column that are told apart
PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)
FEW_UNITS, USUAL_SPREAD = 8, 0.7  # products or stores too few to tell a spread, and what is then assumed
MAX_OFFSETS = 200  # that stand for those of all series
ROUNDS = 12  # of the two-way analysis
Doubles = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Outlook:
    """The logarithm of the daily sales to expect of a new series, and how far it may be off.

    offsets [N] with weights [N], which add up to 1: how far like series lay from what was expected of them.
    """

    centre: float
    offsets: Doubles
    weights: Doubles


@dataclass(frozen=True)
class Side:
    """Stores or products: the part of each in the logarithm of sales, and what they are told apart by.

    part [U], NaN = it has no like series; traits: name -> [U], NaN = not known.
    """

    codes: dict[str, int]
    part: Doubles
    traits: dict[str, Doubles]
    texts: frozenset[str]
    fitted: dict[tuple[str, ...], tuple[Doubles, Doubles]] = field(default_factory=dict)

    def expect(self, place: int) -> tuple[float, Doubles]:
        """The part expected of the unit at this place, and the errors [U] when each other was left out."""
        names = tuple(name for name, values in self.traits.items() if not np.isnan(values[place]))
        if names not in self.fitted:
            table = np.column_stack([np.ones(len(self.part)), *(self._encode(name) for name in names)])
            self.fitted[names] = fit_left_out(table, self.part)
        expected, missed = self.fitted[names]
        return float(expected[place]), missed

    def _encode(self, name: str) -> Doubles:
        """A trait as columns [U, n]: one for each text, or one number around 0."""
        values = self.traits[name]
        known = ~np.isnan(values) & ~np.isnan(self.part)
        if name in self.texts:
            labels, counts = np.unique(values[known], return_counts=True)
            common = labels[np.argsort(-counts, kind="stable")][:MAX_LABELS]
            return (values[:, None] == common[None]).astype(np.float64)
        middle, spread = (values[known].mean(), values[known].std()) if known.any() else (0.0, 0.0)
        score = (values - middle) / (spread or 1.0)
        return np.nan_to_num(np.clip(score, -4, 4))[:, None]


def fit_left_out(table: Doubles, part: Doubles) -> tuple[Doubles, Doubles]:
    """What ridge regression expects of each unit, and the errors with the unit itself left out: [U] both.

    table [U, n], its first column 1 and not shrunk; part [U], NaN = not known, which is only expected.

    >>> expected, missed = fit_left_out(np.ones((3, 1)), np.array([1.0, 3.0, np.nan]))
    >>> expected.round(6).tolist(), missed[:2].round(6).tolist()
    ([2.0, 2.0, 2.0], [-2.0, 2.0])
    """
    known = ~np.isnan(part)
    x, y = table[known], part[known]
    missed = np.full(len(part), np.nan)
    best = np.inf
    expected = np.zeros(len(part))
    for penalty in PENALTIES:
        shrink = np.full(table.shape[1], penalty)
        shrink[0] = 1e-9
        inverse = np.linalg.inv(x.T @ x + np.diag(shrink))
        weights = inverse @ (x.T @ y)
        leverage = np.einsum("ij,jk,ik->i", x, inverse, x)
        errors = (y - x @ weights) / np.maximum(1 - leverage, 0.05)
        if (loss := float(np.abs(errors).sum())) < best * (1 - 1e-6):
            best, expected, missed[known] = loss, table @ weights, errors
    return expected, missed


@dataclass(frozen=True)
class LikeSeries:
    """The grown series of a panel: rows [N], their usual daily sales [N], and the sides they belong to."""

    rows: Places
    usual: Doubles
    stores: Side
    products: Side
    store_of: Places  # [N] place in `stores`
    product_of: Places

    @classmethod
    def fit(cls, panel: Panel, ended: NDArray[np.bool_]) -> LikeSeries | None:
        """Looks at the newest days; None when no series has sold long enough."""
        newest = panel.open_sales[:, -LEVEL_DAYS:].astype(np.float64)
        count = (~np.isnan(newest)).sum(axis=1)
        rows = np.flatnonzero((count >= MIN_LIKE_DAYS) & ~ended)
        if not len(rows):
            return None
        usual = np.nansum(newest[rows], axis=1) / count[rows]
        # nothing sold in so many days: half a unit in all of them
        usual = np.maximum(usual, 0.5 / count[rows])
        names = [np.unique([key[side] for key in panel.keys], return_inverse=True) for side in (0, 1)]
        (stores, store_of), (products, product_of) = names
        of_store, of_product = split_parts(np.log(usual), store_of[rows], product_of[rows])
        traits, texts = collect_traits(panel, store_of, product_of), frozenset(panel.categories)
        return cls(
            rows,
            usual,
            Side(_places(stores), _resize(of_store, len(stores)), traits[0], texts),
            Side(_places(products), _resize(of_product, len(products)), traits[1], texts),
            store_of[rows],
            product_of[rows],
        )

    def judge(self, store: str, product: str) -> Outlook:
        """What to expect of a series of this store and product, either of which may be new."""
        part_s, missed_s = self._part(self.stores, store)
        part_p, missed_p = self._part(self.products, product)
        rest = np.log(self.usual) - self.stores.part[self.store_of] - self.products.part[self.product_of]
        of_store, of_product = (np.bincount(side)[side] for side in (self.store_of, self.product_of))
        weights = np.ones(len(rest))
        if missed_p is not None:  # each product counts alike, in however many stores it is sold
            rest, weights = rest + missed_p[self.product_of], weights / of_product
        if missed_s is not None:
            rest, weights = rest + missed_s[self.store_of], weights / of_store
        units = len(np.unique(self.product_of if missed_p is not None else self.store_of))
        if missed_p is None and missed_s is None:  # both are known, only not together
            together = of_product > 1
            units, weights = int(together.sum()), np.where(together, weights, 0.0)
            rest = rest / (1 - 1 / np.maximum(2, of_product))
        elif missed_s is not None:
            units = min(units, len(np.unique(self.store_of)))
        return Outlook(part_s + part_p, *_with_usual_spread(rest, weights, units))

    def _part(self, side: Side, code: str) -> tuple[float, Doubles | None]:
        """The part of a store or product; for a new one what is expected of it, and how far others missed."""
        place = side.codes[code]
        known = float(side.part[place])
        return side.expect(place) if np.isnan(known) else (known, None)


def split_parts(logs: Doubles, store_of: Places, product_of: Places) -> tuple[Doubles, Doubles]:
    """The parts of stores and of products, which add up to the logarithms [N] as well as they can.

    Parts of products are 0 on average; NaN = without a series.

    >>> logs = np.log([2.0, 8.0, 1.0, 4.0])
    >>> stores, products = split_parts(logs, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    >>> np.exp(stores).round(2).tolist(), np.exp(products).round(2).tolist()
    ([4.0, 2.0], [0.5, 2.0])
    """
    stores, products = np.zeros(store_of.max() + 1), np.zeros(product_of.max() + 1)
    for _round in range(ROUNDS):
        stores = _group_means(logs - products[product_of], store_of)
        products = _group_means(logs - stores[store_of], product_of)
        products -= np.nanmean(products)
    return _group_means(logs - products[product_of], store_of), products


def collect_traits(
    panel: Panel, store_of: Places, product_of: Places
) -> tuple[dict[str, Doubles], dict[str, Doubles]]:
    """Traits of stores and of products: static columns that never differ within one, and prices.

    Numbers above 0 as logarithms. A price is the mean over the newest and all planned days.
    """
    found: tuple[dict[str, Doubles], dict[str, Doubles]] = ({}, {})
    sides = (store_of, product_of)
    for name, values in panel.static.items():
        one = _scale_number(values.astype(np.float64), name in panel.categories)
        # products first: in a single store a column of its products never differs either
        for side in (1, 0):
            means = _group_means(one, sides[side])
            if len(means) > 1 and np.nanmax(np.abs(one - means[sides[side]]), initial=0.0) < 1e-6:
                found[side][name] = means
                break
    for name, values in panel.known.items():
        newest = values[:, max(0, panel.days - LEVEL_DAYS) :].astype(np.float64)
        if name in panel.categories or not _is_price(newest):
            continue
        count = (~np.isnan(newest)).sum(axis=1)
        mean = np.where(count > 0, np.nansum(newest, axis=1) / np.maximum(1, count), np.nan)
        found[1][name] = _group_means(np.log(mean), product_of)
    return found


def _is_price(values: Doubles) -> bool:
    """Whether a known column holds amounts above 0, not flags."""
    seen = values[~np.isnan(values)]
    return bool(seen.size and seen.min() > 0 and seen.min() < seen.max())


def _scale_number(values: Doubles, is_text: bool) -> Doubles:
    """Codes of texts as they are, amounts above 0 as logarithms."""
    return values if is_text or not np.nanmin(values, initial=np.inf) > 0 else np.log(values)


def _with_usual_spread(offsets: Doubles, weights: Doubles, units: int) -> tuple[Doubles, Doubles]:
    """Offsets and weights that add up to 1; of few products or stores also what is usual."""
    known = ~np.isnan(offsets) & (weights > 0)
    offsets, weights = offsets[known], weights[known]
    weights = weights / weights.sum() if weights.size else weights
    if offsets.size > MAX_OFFSETS:  # as many that are equally likely
        order = np.argsort(offsets)
        share = np.cumsum(weights[order]) - weights[order] / 2
        offsets = np.interp((np.arange(MAX_OFFSETS) + 0.5) / MAX_OFFSETS, share, offsets[order])
        weights = np.full(MAX_OFFSETS, 1 / MAX_OFFSETS)
    if units < FEW_UNITS:
        share = 1 - units / FEW_UNITS if offsets.size else 1.0
        usual = np.array([NormalDist(0, USUAL_SPREAD).inv_cdf((k + 0.5) / 20) for k in range(20)])
        offsets = np.concatenate([offsets, usual])
        weights = np.concatenate([(1 - share) * weights, np.full(20, share / 20)])
    return offsets, weights


def _places(codes: NDArray[np.str_]) -> dict[str, int]:
    return {str(code): place for place, code in enumerate(codes)}


def _resize(values: Doubles, size: int) -> Doubles:
    """The values followed by NaN: [size]."""
    return np.concatenate([values, np.full(size - len(values), np.nan)])


def _group_means(values: Doubles, groups: Places) -> Doubles:
    """Mean of the known values of each group: [groups]; NaN without any."""
    known = ~np.isnan(values)
    size = int(groups.max()) + 1
    count = np.bincount(groups[known], minlength=size)
    total = np.bincount(groups[known], weights=values[known], minlength=size)
    return np.where(count > 0, total / np.maximum(1, count), np.nan)


def row_means(values: Floats | Doubles) -> Doubles:
    """Mean of the known values of each row: [S], 0 without any; values [S, D]."""
    count = (~np.isnan(values)).sum(axis=1)
    return np.asarray(np.nansum(values, axis=1, dtype=np.float64) / np.maximum(1, count))
