"""Names of products and stores, shown beside their codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from registry.datasets.catalog import Item
from registry.datasets.models import DatasetVersion


@dataclass(frozen=True)
class ItemNames:
    """{code: name} of stores and products; codes without a name are missing.

    >>> names = ItemNames(products={"P1": "Aspirin"})
    >>> names.format_product("P1"), names.format_product("P2"), names.resolve_code("product", "aspirin")
    ('P1 Aspirin', 'P2', 'P1')
    """

    stores: Mapping[str, str] = field(default_factory=dict)
    products: Mapping[str, str] = field(default_factory=dict)

    def format_store(self, code: str) -> str:
        """Code and name of a store."""
        return code_with_name(code, self.stores)

    def format_product(self, code: str) -> str:
        """Code and name of a product."""
        return code_with_name(code, self.products)

    def format_series(self, store: str, product: str) -> str:
        """Product and store with their names; an empty code is left out."""
        parts = [self.format_product(product) if product else "", self.format_store(store) if store else ""]
        return " · ".join(part for part in parts if part)

    def resolve_code(self, kind: str, typed: str) -> str:
        """The code for a typed code or name; the text itself unless exactly one code has that name."""
        table = self.products if kind == "product" else self.stores
        if typed in table:
            return typed
        wanted = typed.strip().casefold()
        matches = [
            code for code, name in table.items() if wanted in (name.casefold(), f"{code} {name}".casefold())
        ]
        return matches[0] if len(matches) == 1 else typed


def code_with_name(code: str, names: Mapping[str, str]) -> str:
    """Code and name; the code alone when it has no name or the name says the same."""
    name = names.get(code, "")
    return f"{code} {name}" if name and name != code else code


def load_names(version: DatasetVersion) -> ItemNames:
    """The names of a dataset's stores and products, from its catalog; opens no file."""
    return read_names(version.dataset_id, version.pk)


@lru_cache(maxsize=16)  # a version never changes
def read_names(dataset: int, _version: UUID) -> ItemNames:
    """The names in the catalog; the version is only a cache key."""
    tables: dict[str, dict[str, str]] = {"store": {}, "product": {}}
    rows = Item.objects.filter(dataset=dataset).exclude(name="").values_list("kind", "code", "name")
    for kind, code, name in rows:
        tables[kind][code] = name
    return ItemNames(tables["store"], tables["product"])
