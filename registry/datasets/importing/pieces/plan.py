"""Which rows are looked at together when a file is added: all, or bucket by bucket what it touches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.checks.finding_log import FindingLog
from registry.datasets.importing.checks.gap_filling import may_fill
from registry.datasets.importing.checks.series_checks import LEVEL_WEEKS, take_rows
from registry.datasets.importing.pieces.base import PlacedPart, SalesBase
from registry.datasets.store.layout import Layout, hash_codes

RowNumbers = npt.NDArray[np.int32]
MIN_ROWS = 1_000_000  # of a dataset, below which it is read as a whole
PIECE_ROWS = 3_000_000  # that are looked at together
MAX_SHARE = 0.5  # of all rows: when more are touched, all are read
REACH_DAYS = 7 * (2 * LEVEL_WEEKS + 1)  # before and after a row, on which the checks of its series depend
WHOLE_SERIES = ("short", "constant", "level-change")  # findings whose action can leave out whole series


@dataclass(frozen=True)
class Piece:
    """Rows that are looked at together: of a bucket, or of all (None).

    `parts` are those of the dataset that are read; with `spans` only the rows of these are written.
    """

    bucket: int | None
    parts: tuple[PlacedPart, ...] = ()
    spans: frozenset[int] | None = None


@dataclass(frozen=True)
class PiecePlan:
    """The pieces of an import; a partial one reads and writes only the parts near its rows."""

    pieces: tuple[Piece, ...]
    layout: Layout | None
    is_partial: bool = False
    owners: npt.NDArray[np.int32] | None = None  # [N] the bucket of each row of the file
    rows_layout: Layout | None = None  # how rows are divided into pieces, if not as they are saved

    def split(
        self, content: CanonicalTable, row_numbers: RowNumbers
    ) -> Iterator[tuple[Piece, CanonicalTable | None, RowNumbers]]:
        """Each piece with its rows of the file, in their order."""
        if self.owners is None:
            yield self.pieces[0], content, row_numbers
            return
        order = np.argsort(self.owners, kind="stable")
        buckets = np.array([piece.bucket for piece in self.pieces], np.int32)
        bounds, ends = (np.searchsorted(self.owners[order], buckets, side) for side in ("left", "right"))
        for piece, start, end in zip(self.pieces, bounds.tolist(), ends.tolist(), strict=True):
            rows = order[start:end]
            yield piece, take_rows(content, rows) if len(rows) else None, row_numbers[rows]


def plan_pieces(log: FindingLog, content: CanonicalTable, base: SalesBase | None) -> PiecePlan:
    """The pieces in which the rows of a file are added to a dataset."""
    if base is None or base.layout is None:
        return PiecePlan((Piece(None),), None)
    everything = PiecePlan((Piece(None, tuple(base.parts)),), base.layout)
    if base.row_count < MIN_ROWS:
        return everything
    owners = find_buckets(content, base.layout)
    if (partial := plan_touched(log, content, base, owners)) is not None:
        return partial
    if base.row_count + content.row_count <= PIECE_ROWS or base.layout.buckets == 1:
        return everything
    pieces = tuple(
        Piece(bucket, tuple(part for part in base.parts if part.bucket == bucket))
        for bucket in range(base.layout.buckets)
    )
    return PiecePlan(pieces, base.layout, owners=owners)


def find_buckets(content: CanonicalTable, layout: Layout) -> npt.NDArray[np.int32]:
    """[N] the bucket of each row."""
    stores, products = (hash_codes(texts.values) for texts in (content.stores, content.products))
    return layout.find_buckets(stores[content.stores.codes], products[content.products.codes])


def plan_touched(
    log: FindingLog, content: CanonicalTable, base: SalesBase, owners: npt.NDArray[np.int32]
) -> PiecePlan | None:
    """The buckets and spans that the rows touch; None where too much has to be read."""
    facts, layout = base.saved_facts, base.layout
    if facts is None or facts.store_days is None or layout is None or may_fill(log):
        return None
    if any(log.choose_action(code) == "skip" for code in WHOLE_SERIES):
        return None
    if any(facts.columns.get(name) != content.extras.is_text(name) for name in content.extras):
        return None
    reach = -(-REACH_DAYS // layout.span_days)
    touched: dict[int, set[int]] = {}
    pairs = np.unique(np.stack([owners, layout.find_span(content.days)]), axis=1)
    for bucket, span in pairs.T.tolist():
        touched.setdefault(bucket, set()).add(span)
    pieces = []
    for bucket, spans in sorted(touched.items()):
        near = {span + step for span in spans for step in range(-reach, reach + 1)}
        parts = tuple(part for part in base.parts if part.bucket == bucket and part.span in near)
        pieces.append(Piece(bucket, parts, frozenset(spans)))
    read = sum(part.rows for piece in pieces for part in piece.parts)
    if read > MAX_SHARE * base.row_count:
        return None
    return PiecePlan(tuple(pieces), layout, is_partial=True, owners=owners)
