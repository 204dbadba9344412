"""Products and stores that never sold, of a plan or catalogue: beside the list, for those who ask."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from prediction.items.listing import ItemQuery
from registry.datasets.catalog import Item
from registry.datasets.models import Dataset
from registry.series.levels import SIDE_PLACES

MAX_SHOWN = 12


@dataclass(frozen=True)
class Unsold:
    """The first of them, and how many there are."""

    items: list[Item]
    count: int


def find_unsold(dataset: Dataset, query: ItemQuery, listed: Collection[str]) -> Unsold:
    """What the filters find of them, without `listed` codes; none if a flag or a group is asked for."""
    kind = "store" if query.side == "stores" else "product"
    found = Item.objects.filter(dataset=dataset, kind=kind, first=None).search(query.words)
    if query.flag or query.groups or query.within or query.side not in SIDE_PLACES:
        return Unsold([], 0)
    known = set(listed)
    codes = [code for code in found.order_by("code").values_list("code", flat=True) if code not in known]
    shown = found.filter(code__in=codes[:MAX_SHOWN]).order_by("code").defer("weeks") if codes else []
    return Unsold(list(shown), len(codes))
