"""The terms that hold for each product: for each field the closest row that fills it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from registry.datasets.stock.models import Terms


@dataclass(frozen=True)
class ProductTerms:
    """The terms of a product; None or "" where no row fills the field."""

    supplier: str = ""
    lead_days: int | None = None
    review_days: int | None = None
    weekdays: str = ""
    shut_days: str = ""
    pack: float | None = None
    min_order: float | None = None
    shelf_min: float | None = None
    shelf_max: float | None = None
    shelf_life: int | None = None
    unit_cost: float | None = None
    price: float | None = None
    holding_cost: float | None = None
    waste_cost: float | None = None
    service_level: float | None = None

    @property
    def has_delivery(self) -> bool:
        """Whether some row says how long a delivery takes."""
        return self.lead_days is not None


FIELDS = tuple(field.name for field in fields(ProductTerms))


def resolve_terms(
    rows: Iterable[Terms], products: Iterable[str], groups: Mapping[str, Iterable[str]]
) -> dict[str, ProductTerms]:
    """{product: its terms}; `groups` are the names of each product's categories, brands and so on."""
    by_key = {(row.level, row.key): row for row in rows}
    found = {}
    for product in products:
        categories = [by_key.get(("category", group)) for group in sorted(groups.get(product, ()))]
        of_product = [by_key.get(("all", "")), *categories, by_key.get(("product", product))]
        there = [row for row in of_product if row]
        supplier = next((row.supplier for row in reversed(there) if row.supplier), "")
        if of_supplier := by_key.get(("supplier", supplier)):
            there.insert(1 if there and there[0].level == Terms.Level.ALL else 0, of_supplier)
        values: dict[str, Any] = {}
        for row in there:  # closer ones take the place of others
            values |= {name: getattr(row, name) for name in FIELDS if getattr(row, name) not in (None, "")}
        found[product] = ProductTerms(**{**values, "supplier": supplier})
    return found
