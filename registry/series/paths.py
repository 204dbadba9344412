"""Paths: seeded sample sales of days ahead that are right together, over days and over series. Pure numpy.

A path of a series is its marginals at the scores of a factor copula (see dependence.py). Every random
number belongs to a seed, an origin and a code, by a counter-based generator (Salmon et al., "Parallel Random
Numbers: As Easy as 1, 2, 3", 2011): a series has the same paths alone and among others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import cast

import numpy as np
from numpy.typing import NDArray

from registry.series.dependence import TAIL_FREEDOM, TAIL_SCALE, Dependence, process_correlations
from registry.series.marginals import Marginals, round_at_random
from registry.series.panel import Floats
from registry.series.quantiles import QUANTILE_LEVELS

Rows = NDArray[np.intp]
Doubles = NDArray[np.float64]
PATHS = 200  # sample paths of a forecast, unless more are asked for
CHUNK_CELLS = 500_000  # series x days x paths that are drawn at once: 2 MB, which stay in the cache
MAX_SCORE = 4.5
# Of a factor by which people raised a forecast; what is beyond is added, or one unit in a hundred days would
# become a hundred units on one of them.
MAX_FACTOR = 2.0
GOLDEN = 0.6180339887  # its multiples lie evenly in [0, 1)


@dataclass(frozen=True)
class Adjustment:
    """Mean [S, H] and quantiles [S, H, Q - 1] of the model, and what turns its units into the final ones.

    Mean, quantiles and sample paths of a day are multiplied by factor [S, H], then shift [S, H] units added.
    """

    mean: Floats
    quantiles: Floats
    factor: Doubles
    shift: Doubles

    @classmethod
    def between(cls, mean: Floats, quantiles: Floats, final: Doubles | Floats) -> Adjustment | None:
        """What turns the mean of the model into the final one [S, H]; None where nothing was changed."""
        if np.array_equal(mean, final):
            return None
        model, wanted = mean.astype(np.float64), final.astype(np.float64)
        factor = np.divide(wanted, model, out=np.ones_like(wanted), where=model > 0)
        factor = np.minimum(factor, MAX_FACTOR)
        return cls(mean, quantiles, factor, np.maximum(0.0, wanted - factor * model))

    @property
    def final_mean(self) -> Floats:
        """[S, H] in double precision, so that sums are those that people asked for."""
        return cast(Floats, self.mean.astype(np.float64) * self.factor + self.shift)

    @property
    def final_quantiles(self) -> Floats:
        """[S, H, Q - 1]."""
        return (self.quantiles * self.factor[..., None] + self.shift[..., None]).astype(np.float32)

    @property
    def changed_rows(self) -> Rows:
        """The series of which any day was changed."""
        return np.flatnonzero(((self.factor != 1) | (self.shift != 0)).any(axis=1))

    def select_series(self, rows: Rows) -> Adjustment:
        """Only these series, in this order."""
        return Adjustment(self.mean[rows], self.quantiles[rows], self.factor[rows], self.shift[rows])

    def first_days(self, days: int) -> Adjustment:
        """Only the first days."""
        first = slice(None), slice(days)
        return Adjustment(self.mean[first], self.quantiles[first], self.factor[first], self.shift[first])

    def move_units(self, rows: Rows, units: Floats) -> Floats:
        """Units [R, H, N] of these series as the model draws them, moved alike."""
        factor, shift = (part[rows, :, None].astype(np.float32) for part in (self.factor, self.shift))
        return units * factor + shift


@dataclass(frozen=True)
class PathSampler:
    """Draws the paths of a forecast: mean [S, H], quantiles [S, H, Q - 1], most units a day `bounds` [S]."""

    keys: list[tuple[str, str]]
    mean: Floats
    quantiles: Floats
    dependence: Dependence
    is_count: bool
    name: str  # seed and origin
    count: int = PATHS
    bounds: Floats | None = None
    steady: Floats | None = None  # [S] share of the variance that is the level of a new series
    adjustment: Adjustment | None = None  # mean and quantiles are the model's; units are the final ones
    sizes: Floats | None = None  # [S, H] means by whose size days depend on each other; None = mean

    def draw(self, rows: Rows) -> Floats:
        """Units of these series: [R, H, N]."""
        marginals = Marginals.build(self.mean[rows], self.quantiles[rows], self.is_count)
        units = marginals.to_units(self._draw_scores(rows))
        if self.is_count:
            units = round_at_random(units, self._draw_chances(rows))
        if self.bounds is not None:
            # calibrated quantiles may lie above what the method itself was held to
            most = np.maximum(self.bounds[rows, None], self.quantiles[rows, :, -1])
            np.minimum(units, (np.ceil(most) if self.is_count else most)[..., None], out=units)
        return units if self.adjustment is None else self.adjustment.move_units(rows, units)

    def draw_chunks(self, rows: Rows) -> Iterator[tuple[Rows, Floats]]:
        """Some rows after the other, with their units [R, H, N]."""
        size = max(1, CHUNK_CELLS // (self._days * self.count))
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            yield part, self.draw(part)

    def sum_groups(
        self,
        groups: Sequence[Rows],
        known: NDArray[np.bool_] | None = None,
        watch: Callable[[Rows, Floats], None] | None = None,
    ) -> Floats:
        """The paths of the sum of each group of rows: [G, H, N]; only `known` days [S, H] count, if given.

        Every series is drawn once, however many groups it is in; `watch` sees all units [R, H, N] drawn.
        """
        sums = np.zeros((len(groups), self._days, self.count))  # whole units add up exactly
        member = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        flat = np.concatenate([np.asarray(group, np.intp) for group in groups])
        order = np.argsort(flat, kind="stable")
        sorted_rows = flat[order]
        for part, units in self.draw_chunks(np.unique(flat)):
            if watch is not None:
                watch(part, units)
            counted = units if known is None else units * known[part][..., None]
            ends = np.searchsorted(sorted_rows, [part[0], part[-1] + 1])
            inside = order[ends[0] : ends[1]]
            inside = inside[np.argsort(member[inside], kind="stable")]
            owners, starts = np.unique(member[inside], return_index=True)
            places = np.searchsorted(part, flat[inside])
            for owner, own in zip(owners, np.split(places, starts[1:]), strict=True):
                sums[owner] += counted[own].sum(axis=0, dtype=np.float64)
        return sums.astype(np.float32)

    @property
    def _days(self) -> int:
        return self.mean.shape[1]

    def _draw_scores(self, rows: Rows) -> Floats:
        """Normal scores [R, H, N]: shared, store, product and own parts together."""
        levels = self.dependence.find_levels((self.mean if self.sizes is None else self.sizes)[rows])
        scores = np.empty((len(rows), self._days, self.count), np.float32)
        lasting = np.empty_like(scores)
        scales = np.empty((len(rows), 1, self.count), np.float32)
        for place, row in enumerate(rows):
            numbers = self._generator("series", *self.keys[row])
            scales[place] = TAIL_SCALE * np.sqrt(TAIL_FREEDOM / numbers.chisquare(TAIL_FREEDOM, self.count))
            # day by day, so that more days ahead leave the first ones as they are
            drawn = numbers.standard_normal((self._days, 2, self.count), dtype=np.float32)
            scores[place], lasting[place] = drawn[:, 0], drawn[:, 1]
        for level in np.unique(levels):
            of_day, own = self._own_parts[level]
            chosen = levels == level
            scores[chosen] = of_day * scores[chosen] + (own @ lasting[chosen]) * scales[chosen]
        for place, row in enumerate(rows):
            store, product = self.keys[row]
            scores[place] += self._draw_factor("shared", "")
            for kind, code in (("store", store), ("product", product)):
                if sum(getattr(self.dependence, kind)):
                    scores[place] += self._draw_factor(kind, code)
            if self.steady is not None and (share := self.steady[row]) > 0:
                scores[place] *= np.sqrt(1 - share)
                scores[place] += np.sqrt(share) * self._draw_level(store, product)
        return np.clip(scores, -MAX_SCORE, MAX_SCORE, out=scores)

    def _draw_chances(self, rows: Rows) -> Floats:
        """Uniform numbers [R, H, N]."""
        chances = np.empty((len(rows), self._days, self.count), np.float32)
        for place, row in enumerate(rows):
            numbers = self._generator("chances", *self.keys[row])
            chances[place] = numbers.random((self._days, self.count), dtype=np.float32)
        return chances

    def _draw_factor(self, kind: str, code: str) -> Floats:
        """The part that all series, or those of a store or product, share: [H, N]; drawn once."""
        if (kind, code) not in self._factors:
            numbers = self._generator(kind, code)
            drawn = numbers.standard_normal((self._days, self.count), dtype=np.float32)
            self._factors[kind, code] = self._roots[kind] @ drawn
        return self._factors[kind, code]

    def _draw_level(self, store: str, product: str) -> Floats:
        """How far the level of a new series is off: [N]; nobody knows whether by its store or its product."""
        parts = (self._generator("level", code) for code in (f"store {store}", f"product {product}"))
        drawn = sum(numbers.standard_normal(self.count, dtype=np.float32) for numbers in parts)
        return np.asarray(drawn, np.float32) / np.float32(np.sqrt(2))

    @cached_property
    def _factors(self) -> dict[tuple[str, str], Floats]:
        return {}

    @cached_property
    def _roots(self) -> dict[str, Floats]:
        shares = {kind: getattr(self.dependence, kind) for kind in ("shared", "store", "product")}
        return {kind: _covariance_root(share, self._days) for kind, share in shares.items()}

    @cached_property
    def _own_parts(self) -> list[tuple[np.float32, Floats]]:
        """Of each sales level: the weight of a single day, and the root of what lasts [H, H]."""
        return [
            (np.float32(np.sqrt(own[0])), _covariance_root([0.0, *own[1:]], self._days))
            for own in self.dependence.own
        ]

    def _generator(self, *names: str) -> np.random.Generator:
        """The random numbers of a name; the same wherever and whenever they are drawn."""
        text = "\x1f".join((self.name, *names)).encode()
        key = int.from_bytes(blake2b(text, digest_size=16).digest(), "little")
        return np.random.Generator(np.random.Philox(key=key))


def _covariance_root(shares: list[float], days: int) -> Floats:
    """The lower triangle [days, days] that turns independent numbers into the processes with these shares."""
    by_lag = np.array(shares) @ process_correlations(days)
    lags = np.abs(np.subtract.outer(np.arange(days), np.arange(days)))
    # the least variance keeps the root of a part that nothing has a share in defined
    root = np.linalg.cholesky(by_lag[lags] + 1e-9 * np.eye(days))
    return root.astype(np.float32)


def read_quantiles(sums: Floats, is_count: bool, levels: Sequence[float] = QUANTILE_LEVELS) -> Floats:
    """Quantiles of samples [..., N] by level: [..., levels]; N + 1 shares, so that new ones fall inside.

    A whole number stands for all within half a unit (mid-distribution: Parzen, "Quantile Probability and
    Statistical Data Modeling", 2004), or ranges of small counts would hold more than they promise.
    """
    count = sums.shape[-1]
    spread = (np.arange(count) * GOLDEN) % 1 - 0.5 if is_count else 0.0
    found = np.quantile(sums + spread, levels, axis=-1, method="weibull")
    return np.moveaxis(np.maximum(found, 0), 0, -1).astype(np.float32)
