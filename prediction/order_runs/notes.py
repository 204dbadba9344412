"""What is said about a line: whatever was assumed, looks wrong, or keeps it from being ordered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.utils.translation import gettext as _

from prediction.order_runs.history import History
from prediction.order_runs.inputs import find_arrivals
from prediction.orders.stock import NEVER
from prediction.orders.terms import Terms
from registry.datasets.stock.resolving import ProductTerms
from registry.lib.errors import gettext_noop

IDLE_DAYS, NEW_WEEKS = 56, 4
CLOSING = frozenset({"no-stock", "no-forecast", "too-far"})  # a line with one of them is not ordered
NOTES = {
    "no-stock": gettext_noop("It is not in the stock, so nothing is ordered: count it."),
    "no-forecast": gettext_noop("It is in the stock but has no forecast, so nothing is ordered."),
    "too-far": gettext_noop("The forecast ends before the next order arrives, so nothing is ordered."),
    "below-zero": gettext_noop("Its stock is below 0 and counts as 0: count it again."),
    "no-terms": gettext_noop(
        "It has no terms: three days from order to shelf and an order a week are assumed."
    ),
    "short-life": gettext_noop("It keeps for fewer days than the next order takes: shelves will be empty."),
    "shut": gettext_noop(
        "Its supplier is shut on one of the days, so this order or the next one comes later."
    ),
    "pack-changed": gettext_noop("Its pack has changed since the order before: check the quantity."),
    "weighed": gettext_noop("It is sold by weight or measure but has no pack: whole units are ordered."),
    "idle": gettext_noop(
        "It has sold nothing for eight weeks: if it is no longer sold, set its quantity to 0."
    ),
    "new": gettext_noop("It has sold for less than four weeks: its forecast leans on products like it."),
}


@dataclass(frozen=True)
class LineFacts:
    """What notes are made from; `places` are rows of the forecast, -1 for a line without one."""

    keys: Sequence[tuple[str, str]]
    places: Sequence[int]
    counted: frozenset[tuple[str, str]]
    below_zero: frozenset[tuple[str, str]]
    found: Mapping[str, ProductTerms]
    terms: Terms
    history: History
    days: int
    as_of: date
    earlier_packs: Mapping[str, float | None]  # of the order before, by product


def list_notes(facts: LineFacts) -> list[list[str]]:
    """Codes of NOTES for each line."""
    terms, history, keys = facts.terms, facts.history, facts.keys
    short = (terms.shelf_life < NEVER) & (terms.shelf_life < terms.next_arrival - terms.arrival)
    sold = history.weeks.sum(axis=1) > 0
    has_forecast = [place >= 0 for place in facts.places]
    products = {product for _store, product in keys}
    shut = {product for product in products if is_delayed(facts.found[product], facts.as_of)}
    changed = {product for product in products if _has_other_pack(facts, product)}
    checks = {
        "no-stock": [key not in facts.counted for key in keys],
        "no-forecast": [not one for one in has_forecast],
        "too-far": (terms.next_arrival > facts.days).tolist(),
        "below-zero": [key in facts.below_zero for key in keys],
        "no-terms": [not facts.found[product].has_delivery for _store, product in keys],
        "short-life": short.tolist(),
        "shut": [product in shut for _store, product in keys],
        "pack-changed": [product in changed for _store, product in keys],
        "weighed": [
            not whole and facts.found[product].pack is None
            for (_store, product), whole in zip(keys, history.is_whole.tolist(), strict=True)
        ],
        "idle": ((history.idle_days >= IDLE_DAYS) & has_forecast).tolist(),
        "new": (sold & (history.weeks[:, :-NEW_WEEKS].sum(axis=1) == 0)).tolist(),
    }
    return [[code for code, is_so in checks.items() if is_so[row]] for row in range(len(keys))]


def is_delayed(terms: ProductTerms, as_of: date) -> bool:
    """Whether a day on which the supplier is shut moves this order or the next one."""
    if not terms.shut_days:
        return False
    return find_arrivals(terms, as_of) != find_arrivals(replace(terms, shut_days=""), as_of)


def _has_other_pack(facts: LineFacts, product: str) -> bool:
    return product in facts.earlier_packs and facts.earlier_packs[product] != facts.found[product].pack


def describe_notes(codes: Sequence[str]) -> list[str]:
    """The notes as sentences in the reader's language."""
    return [_(NOTES[code]) for code in codes if code in NOTES]
