"""Dependence: how the errors of days and series move together, in few numbers measured on holdout windows.

A factor copula: the normal score of a series and day is the sum of a part that all series share, one of its
store, one of its product, and its own. Each part mixes processes that forget in a day, in days, weeks and
months, and one of weekdays (TIMES). The own part differs by sales level: small sellers hardly depend.

Rank templates of the windows (Schaake shuffle: Clark et al., "The Schaake Shuffle", 2004; empirical copula
coupling: Schefzik, Thorarinsdottir and Gneiting, "Uncertainty Quantification in Complex Simulation Models
Using Ensemble Copula Coupling", 2013) would carry the same over, but three windows are three templates, and
200 paths of three shapes are no distribution. So correlations by lag and relation are pooled over all pairs
of series and days, smoothed by the processes, and made larger by what so few windows leave uncertain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from registry.series.marginals import Marginals
from registry.series.panel import Floats

Keys = list[tuple[str, str]]
Table = NDArray[np.float64]

TIMES = (0.0, 2.0, 10.0, 60.0, 60.0)  # days after which a process has forgotten; the last: of one weekday
MONTHS = 3  # the process in TIMES that hardly changes within a window
WEEK, MAX_LAG = 7, 56
MAX_RESIDUAL = 4.0  # standard deviations that one day counts at most
LEAST_OWN_DAY = 0.05  # share of the variance that no other day or series has
# Series differ in how far their level strays: what lasts of the own part has the tails of a Student t with
# this many degrees of freedom, and is as wide as a normal one in the middle 80%.
TAIL_FREEDOM = 4
TAIL_SCALE = 1.2816 / 1.5332  # 90% quantiles of the normal distribution and of that t
TAIL_VARIANCE = TAIL_SCALE**2 * TAIL_FREEDOM / (TAIL_FREEDOM - 2)
LEAST_LEVEL_SHARE = 0.01  # of what tells dependence, below which a sales level takes that of all
LEVELS = 3  # thirds of the series by what they are expected to sell
EPSILON = 1e-9


@dataclass(frozen=True)
class ScoredWindow:
    """One forecast that was not learned from: actual [S, H] (NaN = unknown), mean [S, H], marginals."""

    actual: Floats
    mean: Floats
    marginals: Marginals


@dataclass
class Dependence:
    """Shares of the variance of a normal score, by process. Stored as JSON: never rename a field."""

    shared: list[float] = field(default_factory=lambda: [0.02, 0.02, 0.03, 0.10, 0.01])
    store: list[float] = field(default_factory=lambda: [0.01, 0.01, 0.02, 0.05, 0.01])
    product: list[float] = field(default_factory=lambda: [0.01, 0.01, 0.02, 0.05, 0.01])
    own: list[list[float]] = field(default_factory=lambda: [[0.2, 0.1, 0.1, 0.1, 0.04]] * LEVELS)
    edges: list[float] = field(default_factory=list)  # units a day between the levels of `own`
    windows: int = 0  # independent windows it was measured on; 0: assumed, and wider than needed
    window_days: int = 0

    @classmethod
    def fit(cls, windows: list[ScoredWindow], keys: Keys, edges: list[float], independent: int) -> Dependence:
        """Measured on windows of the same series, which may overlap; `independent` of them do not."""
        found = _measure_pairs(windows, keys, edges)
        lags = found.own.shape[1]
        basis = process_correlations(lags)
        shared = _fit_shares(found.shared, basis)
        store, product = (
            _fit_shares(_without(pairs, shared, basis), basis) if pairs is not None else np.zeros(len(TIMES))
            for pairs in (found.store, found.product)
        )
        parts = {"shared": shared, "store": store, "product": product}
        pooled = _fit_own(found.own, shared + store + product, basis)
        least = LEAST_LEVEL_SHARE * float(found.own[1][0])
        own = [
            _fit_own(pairs, shared + store + product, basis) if pairs[1][0] > least else pooled.copy()
            for pairs in found.levels
        ]
        for kind, share in parts.items():
            if (groups := found.groups.get(kind)) is not None:
                share[MONTHS] += _room(kind, groups, found, (parts, pooled, basis), independent)
        # room for doubt leaves every series something of its own
        most = 1 - 2 * LEAST_OWN_DAY
        shrink = min(1.0, most / max(EPSILON, float(sum(share.sum() for share in parts.values()))))
        parts = {kind: share * shrink for kind, share in parts.items()}
        others = np.sum(list(parts.values()), axis=0)
        days = windows[0].actual.shape[1]
        lists = {kind: [float(value) for value in share] for kind, share in parts.items()}
        return cls(
            **lists,
            own=[_scale_to_one(one, others) for one in own],
            edges=list(edges),
            windows=independent,
            window_days=days,
        )

    def find_levels(self, mean: Floats) -> NDArray[np.int64]:
        """Which `own` belongs to each series, by its mean [S, H]: [S]."""
        return np.searchsorted(np.array(self.edges), np.ascontiguousarray(mean).mean(axis=1)).astype(np.int64)


def process_correlations(days: int) -> Table:
    """The correlation of each process with itself by lag: [5, days]."""
    lags = np.arange(days)
    fading = [np.exp(-lags / time) for time in TIMES[1:4]]
    return np.array([lags == 0, *fading, np.exp(-lags / TIMES[4]) * (lags % WEEK == 0)], np.float64)


@dataclass(frozen=True)
class _Pairs:
    """Sums over pairs of days, by lag: [0] of products of residuals, [1] of what they are per correlation."""

    own: Table  # [2, lags]: the same series
    levels: list[Table]
    shared: Table  # of different stores and products, where there are both
    store: Table | None  # of the same store
    product: Table | None
    groups: dict[str, tuple[Table, int]]  # every pair within a group, itself included, and how many groups


def _measure_pairs(windows: list[ScoredWindow], keys: Keys, edges: list[float]) -> _Pairs:
    """Residuals in standard deviations, weighted by how much of them a shift of the score explains."""
    residuals, weights = (
        np.stack(part).astype(np.float64) for part in zip(*map(_weigh, windows), strict=True)
    )
    stores, products = (_number_codes([key[side] for key in keys]) for side in (0, 1))
    size = np.mean([window.mean.mean(axis=1) for window in windows], axis=0)
    level = np.searchsorted(np.array(edges), size)

    def group(labels: NDArray[np.int64]) -> Table:
        return np.array([_lag_sums(_sum_groups(part, labels)) for part in (residuals, weights)])

    def choose(rows: NDArray[np.bool_]) -> Table:
        return np.array([_lag_sums(part[:, rows]) for part in (residuals, weights)])

    own = choose(np.ones(len(keys), bool))
    of_store, of_product, of_all = group(stores), group(products), group(np.zeros(len(keys), np.int64))
    count = {"store": int(stores.max()) + 1, "product": int(products.max()) + 1}
    groups = {"shared": (of_all, 1)}
    if min(count.values()) == 1:
        return _Pairs(own, [choose(level == i) for i in range(LEVELS)], of_all - own, None, None, groups)
    groups |= {"store": (of_store, count["store"]), "product": (of_product, count["product"])}
    return _Pairs(
        own,
        [choose(level == i) for i in range(LEVELS)],
        of_all - of_store - of_product + own,
        of_store - own,
        of_product - own,
        groups,
    )


def _weigh(window: ScoredWindow) -> tuple[Floats, Floats]:
    """[S, H] residuals times slope and squared slope, both over the standard deviation; 0 = unknown."""
    deviation, slope = window.marginals.deviations, window.marginals.slopes
    known = ~np.isnan(window.actual) & (deviation > EPSILON)
    safe = np.where(known, deviation, 1)
    residual = np.clip((window.actual - window.mean) / safe, -MAX_RESIDUAL, MAX_RESIDUAL)
    weight = np.where(known, np.minimum(1, slope / safe), 0)
    return np.where(known, residual * weight, 0), weight**2


def _number_codes(codes: list[str]) -> NDArray[np.int64]:
    return np.asarray(np.unique(codes, return_inverse=True)[1], np.int64)


def _sum_groups(values: Table, labels: NDArray[np.int64]) -> Table:
    """[W, S, H] summed over the series of each label: [W, labels, H]."""
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    sums: Table = np.add.reduceat(values[:, order], starts, axis=1)
    return sums


def _lag_sums(values: Table) -> Table:
    """Sums of value(day) value(day + lag) within [W, S, H], by lag."""
    days = values.shape[2]
    return np.array(
        [
            np.einsum("wsd,wsd->", values[..., : days - lag], values[..., lag:])
            for lag in range(min(days, MAX_LAG))
        ]
    )


def _without(pairs: Table, shares: Table, basis: Table) -> Table:
    """What remains of the products when these shares are taken out."""
    return np.array([pairs[0] - pairs[1] * (shares @ basis), pairs[1]])


def _fit_shares(pairs: Table, basis: Table) -> Table:
    """The non-negative shares of the processes [5, lags] that explain the correlations best: [5].

    Least squares over every choice of processes: they are five.
    """
    weight = np.sqrt(np.maximum(pairs[1], 0))
    target = np.where(weight > 0, pairs[0] / np.maximum(weight, EPSILON), 0)
    design = (basis * weight).T
    best, found = float((target**2).sum()), np.zeros(len(basis))
    for size in range(1, len(basis) + 1):
        for chosen in combinations(range(len(basis)), size):
            shares = np.linalg.lstsq(design[:, chosen], target, rcond=None)[0]
            misfit = float(((target - design[:, chosen] @ shares) ** 2).sum())
            if misfit < best - EPSILON and (shares >= 0).all():
                best, found = misfit, np.zeros(len(basis))
                found[list(chosen)] = shares
    return found


def _fit_own(pairs: Table, others: Table, basis: Table) -> Table:
    """The shares of one series' own part: what its days have in common beyond the other parts."""
    rest = _without(pairs, others, basis)
    shares = np.zeros(len(basis))
    shares[1:] = _fit_shares(rest[:, 1:], basis[1:, 1:])
    return shares


def _scale_to_one(own: Table, others: Table) -> list[float]:
    """The own shares with that of single days, so that the variances of all parts together make 1."""
    room = 1 - LEAST_OWN_DAY - float(others.sum())
    wanted = TAIL_VARIANCE * float(own.sum())
    lasting = own * min(1.0, max(0.0, room) / max(wanted, EPSILON))
    lasting[0] = max(LEAST_OWN_DAY, 1 - float(others.sum()) - TAIL_VARIANCE * float(lasting.sum()))
    return [float(share) for share in lasting]


def _room(
    kind: str,
    groups: tuple[Table, int],
    found: _Pairs,
    fitted: tuple[dict[str, Table], Table, Table],
    windows: int,
) -> float:
    """What to add to a part because its groups were seen in few windows only.

    The variance of the groups' window sums is raised by its standard error, sqrt(2 / n), and by half of it
    where there are several groups; these share their windows' luck, so n grows with the root of their number.
    """
    parts, own, basis = fitted
    pairs, count = groups
    twice = np.where(np.arange(basis.shape[1]) == 0, 1, 2)  # each lag in both directions
    alone = max(0.0, 1 - float(own.sum() + sum(share.sum() for share in parts.values())))
    expected = float(found.own[1][0]) * alone + float((twice * found.own[1] * (own @ basis)).sum())
    for part, share in parts.items():
        # of a store's series only the days of one series share the part of a product
        reached = pairs if part in ("shared", kind) else found.own
        if kind == "shared" and part in found.groups:
            reached = found.groups[part][0]
        expected += float((twice * reached[1] * (share @ basis)).sum())
    seen = float((twice * pairs[0]).sum())
    errors = 1.0 if kind == "shared" else 0.5
    needed = max(seen, expected) * (1 + errors * np.sqrt(2 / (max(1, windows) * np.sqrt(count))))
    return max(0.0, needed - expected) / max(float((twice * pairs[1] * basis[MONTHS]).sum()), EPSILON)
