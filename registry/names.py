"""Names of products and stores, from columns with the role `name`, to be shown beside their codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from registry.artifacts import CorruptArtifact
from registry.models import DatasetVersion

STORE_WORDS = ("store", "shop", "branch", "门店", "店")


@dataclass(frozen=True)
class Names:
    """What a code is called; a code without a name is not in the table.

    >>> names = Names(products={"P1": "Aspirin"})
    >>> names.product("P1"), names.product("P2"), names.code("product", "aspirin")
    ('P1 Aspirin', 'P2', 'P1')
    """

    stores: Mapping[str, str] = field(default_factory=dict)
    products: Mapping[str, str] = field(default_factory=dict)

    def store(self, code: str) -> str:
        return beside(code, self.stores)

    def product(self, code: str) -> str:
        return beside(code, self.products)

    def label(self, store: str, product: str) -> str:
        """Product and store with their names, as far as they are given."""
        parts = [self.product(product) if product else "", self.store(store) if store else ""]
        return " · ".join(part for part in parts if part)

    def code(self, kind: str, typed: str) -> str:
        """The code of what was typed: a name becomes its code when only one code has it."""
        table = self.products if kind == "product" else self.stores
        if typed in table:
            return typed
        wanted = typed.strip().casefold()
        found = [
            code for code, name in table.items() if wanted in (name.casefold(), f"{code} {name}".casefold())
        ]
        return found[0] if len(found) == 1 else typed


def beside(code: str, names: Mapping[str, str]) -> str:
    """Code and name; the code alone when it has no name or the name says the same."""
    name = names.get(code, "")
    return f"{code} {name}" if name and name != code else code


def names_of(version: DatasetVersion) -> Names:
    """The names in a version's sales; none when it has no such column or its file is damaged."""
    columns = tuple(name for name, role in version.roles.items() if role == "name")
    if not columns:
        return Names()
    try:
        return read_names(version.pk, columns)
    except CorruptArtifact:
        return Names()


@lru_cache(maxsize=16)  # a version never changes
def read_names(pk: UUID, columns: tuple[str, ...]) -> Names:
    """Reads each column with the codes it belongs to."""
    content = pa.BufferReader(DatasetVersion.objects.get(pk=pk).read())
    tables: dict[str, dict[str, str]] = {"store_id": {}, "product_id": {}}
    for column in columns:
        key = "store_id" if column.lower().startswith(STORE_WORDS) else "product_id"
        pairs = pq.read_table(content, columns=[key, column]).group_by([key, column]).aggregate([])
        for code, name in zip(pairs[key].to_pylist(), pairs[column].to_pylist(), strict=True):
            if name:
                tables[key].setdefault(code, str(name))
    return Names(tables["store_id"], tables["product_id"])
