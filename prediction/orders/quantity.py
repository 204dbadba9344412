"""From needs to a quantity: the policy, then shelf limits, packs and minimum orders. Pure numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from prediction.orders.needs import Needs, expected_cost
from prediction.orders.stock import Flags, Floats, Ints
from prediction.orders.terms import Policy, Terms

TINY = 1e-4  # of a unit: kilograms come from scales


@dataclass(frozen=True)
class Quantities:
    """Units of each line [S]: what the policy asks for, after shelf limits, and what is ordered in packs."""

    needed: Floats
    limited: Floats
    ordered: Floats


def choose_quantities(needs: Needs, terms: Terms, policy: Policy) -> Quantities:
    """The quantity of each line. Never below 0; whole packs; 0 where the least order does not fit."""
    priced = terms if policy.kind == "cost" else _imply_costs(terms, policy.level)
    needed = _find_needed(needs, terms, policy)
    limited = _apply_limits(needs, terms, policy, needed)
    packs = limited / terms.pack
    low, high = np.floor(packs + TINY), np.ceil(packs - TINY)
    if policy.nearest and policy.kind == "cycle":
        low = np.maximum(high - 1, 0)
        is_higher = _is_nearer(needs, terms, policy.level, low, high)
    else:
        is_higher = expected_cost(needs, priced, high * terms.pack) <= expected_cost(
            needs, priced, low * terms.pack
        )
    highest = np.floor(_most_units(needs, terms, policy) / terms.pack + TINY)
    count = np.clip(np.where(is_higher, high, low), 0, highest)
    ordered = _apply_minimum(needs, priced, count * terms.pack, highest * terms.pack)
    return Quantities(needed, limited, ordered.astype(np.float32))


def _find_needed(needs: Needs, terms: Terms, policy: Policy) -> Floats:
    if policy.kind == "cycle":
        return find_quantile(needs.lacking, policy.level)
    if policy.kind == "fill":
        return _find_fill(needs, policy.level)
    most = np.ceil(needs.lacking.max(axis=0) / terms.pack).astype(np.int64)

    def gains_nothing(count: Ints) -> Flags:
        more = expected_cost(needs, terms, (count + 1) * terms.pack)
        return more - expected_cost(needs, terms, count * terms.pack) >= -1e-7

    packs = _find_least(gains_nothing, most)
    return (packs * terms.pack).astype(np.float32)


def find_quantile(lacking: Floats, level: float) -> Floats:
    """The least of the sampled amounts [N, S] that holds with this probability: [S].

    A new amount falls between any two samples with the same chance, 1 / (N + 1).
    """
    place = min(len(lacking), int(np.ceil((len(lacking) + 1) * level - 1e-9))) - 1
    found: Floats = np.partition(lacking, place, axis=0)[place]
    return found


def _find_fill(needs: Needs, level: float) -> Floats:
    """The least units with which the expected share of lost demand is at most 1 - level: [S]."""
    allowed = (1 - level) * needs.demand.mean(axis=0)
    low, high = np.zeros(len(allowed), np.float32), needs.lacking.max(axis=0)
    high[needs.lacking.mean(axis=0) <= allowed] = 0
    for _step in range(24):
        middle = (low + high) / 2
        enough = np.maximum(needs.lacking - middle, 0).mean(axis=0) <= allowed
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def _find_least(is_enough: Callable[[Ints], Flags], most: Ints) -> Ints:
    """The least count [S] from 0 to `most` that is enough, where more is enough, too."""
    low, high = np.zeros_like(most), most.copy()
    while (low < high).any():
        middle = (low + high) // 2
        enough = is_enough(middle)
        low, high = np.where(enough, low, np.minimum(middle + 1, high)), np.where(enough, middle, high)
    return high


def _most_units(needs: Needs, terms: Terms, policy: Policy) -> Floats:
    """What fits on the shelf and, where waste has no price, what is expected to sell before it expires."""
    most = np.maximum(terms.shelf_max - needs.on_arrival.mean(axis=0), 0)
    return most if policy.kind == "cost" else np.minimum(most, needs.salable.mean(axis=0))


def _apply_limits(needs: Needs, terms: Terms, policy: Policy, needed: Floats) -> Floats:
    """At least what leaves the shelf minimum when the next delivery comes, on average; at most what fits."""
    balance = needs.lacking.mean(axis=0) - needs.remaining.mean(axis=0)
    least = np.where(terms.shelf_min > 0, terms.shelf_min + balance, 0)
    limited: Floats = np.minimum(np.maximum(needed, least), _most_units(needs, terms, policy))
    return np.maximum(limited, 0)


def _imply_costs(terms: Terms, level: float) -> Terms:
    """Costs whose balance is the service level: only to choose between a pack more and a pack less."""
    days = terms.next_arrival - terms.arrival
    return replace(
        terms,
        shortage=np.full_like(terms.shortage, level / (1 - level)),
        holding=(1 / days).astype(np.float32),
        waste=np.ones_like(terms.waste),
    )


def _is_nearer(needs: Needs, terms: Terms, level: float, low: Floats, high: Floats) -> Flags:
    """Whether the service of `high` packs is nearer to the level than that of `low`."""
    under, over = ((needs.lacking <= count * terms.pack + TINY).mean(axis=0) - level for count in (low, high))
    return np.abs(over) <= np.abs(under)


def _apply_minimum(needs: Needs, priced: Terms, ordered: Floats, most: Floats) -> Floats:
    """Below the minimum order: the minimum in whole packs or nothing, whichever costs less."""
    least = np.ceil(priced.min_order / priced.pack - TINY) * priced.pack
    short = (ordered > 0) & (ordered < least)
    if not short.any():
        return ordered
    takes = expected_cost(needs, priced, least) <= expected_cost(needs, priced, np.zeros_like(ordered))
    return np.where(short, np.where(takes & (least <= most + TINY), least, 0), ordered)
