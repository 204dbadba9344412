"""A piece of a file that touches few parts: their rows, and those of the days around for the checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.extra_columns import ExtraColumns
from registry.datasets.importing.facts.sales_facts import SalesFacts, place_series
from registry.datasets.importing.facts.series_facts import SUMS, Series, describe_series
from registry.datasets.importing.merge import RowChanges, merge_tables
from registry.datasets.importing.pieces.base import SalesBase
from registry.datasets.importing.pieces.plan import Piece

RowNumbers = npt.NDArray[np.int32]


@dataclass(frozen=True)
class NearRows:
    """Rows [N] of the touched parts with those of the file, and rows [A] of the days around them, too.

    Rows around have no extra columns. `past` are the facts of their series from rows that are not at hand,
    `before` those of the touched parts as they were.
    """

    content: CanonicalTable
    row_numbers: RowNumbers
    around: CanonicalTable
    around_numbers: RowNumbers
    past: Series
    before: SalesFacts | None
    changes: RowChanges

    def take_sales(self, checked: CanonicalTable, spans: Iterable[int], span_days: int) -> CanonicalTable:
        """The content with the sales of the rows around, which the checks may have cleared."""
        if checked.sales is self.around.sales:
            return self.content
        is_touched = np.isin(checked.days // span_days, list(spans))
        return replace(self.content, sales=checked.sales[is_touched])


def read_near(
    base: SalesBase, piece: Piece, new: CanonicalTable, row_numbers: RowNumbers, recent_end: int
) -> NearRows:
    """The rows near those of a file; raises DamagedPart."""
    spans = piece.spans or frozenset()
    touched = [part for part in piece.parts if part.span in spans]
    others = [part for part in piece.parts if part.span not in spans]
    old = base.load(touched) if touched else None
    content, numbers, changes = new, row_numbers, RowChanges(new.row_count, 0, 0)
    if old is not None:
        content, numbers, changes = merge_tables(old, new, row_numbers)
    around, around_numbers = replace(content, extras=ExtraColumns()), numbers
    nearby = base.load(others, with_extras=False) if others else None
    if nearby is not None:
        around, around_numbers, _changes = merge_tables(nearby, around, numbers)
    past = base.facts.find_series(around)
    for there in (old, nearby):
        if there is not None:
            subtract(past, there, around)
    before = SalesFacts.from_content(old, recent_end) if old is not None else None
    return NearRows(content, numbers, around, around_numbers, past, before, changes)


def subtract(past: Series, there: CanonicalTable, content: CanonicalTable) -> None:
    """Takes rows that are at hand out of the facts of the content's series."""
    series = describe_series(there)
    names = (there.stores.values, there.products.values)
    place, is_there = place_series(content, names, series)
    for name in SUMS:
        past[name][is_there] -= series[name][place[is_there]]
