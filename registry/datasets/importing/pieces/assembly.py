"""Adds checked rows of a file to a dataset, piece by piece: merging, checks of series and gaps, writing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.catalog_figures import SeriesLabels
from registry.datasets.importing.checks.collected import CollectedFindings
from registry.datasets.importing.checks.finding_log import FindingLog
from registry.datasets.importing.checks.gap_filling import GapFilling
from registry.datasets.importing.checks.gaps import GapChecks
from registry.datasets.importing.checks.series_checks import SeriesChecks, require_daily, take_rows
from registry.datasets.importing.covariate_roles import ColumnRoles
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.facts.sales_facts import SalesFacts, join_facts
from registry.datasets.importing.finding_effects import sum_known
from registry.datasets.importing.merge import RowChanges, merge_tables
from registry.datasets.importing.pieces.base import SalesBase
from registry.datasets.importing.pieces.near import read_near
from registry.datasets.importing.pieces.plan import Piece, PiecePlan, find_buckets
from registry.datasets.importing.pieces.roles import RoleEvidence
from registry.datasets.importing.pieces.shelf import CheckedPiece, Shelf
from registry.datasets.importing.pieces.writing import write_pieces
from registry.datasets.importing.progress import REPORT

RowNumbers = npt.NDArray[np.int32]
Days = npt.NDArray[np.int64]


Split = Iterable[tuple[Piece, CanonicalTable | None, RowNumbers]]


@dataclass
class Assembly:
    """Adds the checked rows of a file to what a dataset holds (None: it makes or replaces a dataset).

    `recent_end` is about the last day with sales.
    """

    log: FindingLog
    base: SalesBase | None
    folder: Path
    plan: PiecePlan
    recent_end: int
    changes: RowChanges | None = None
    rows: int = 0  # of all sales before the checks of series, and their units
    units: float = 0.0
    days: Days = field(default_factory=lambda: np.zeros(0, np.int64))  # with sales
    before: list[SalesFacts] = field(default_factory=list)  # of the parts that are read, before and after
    after: list[SalesFacts] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.collected = CollectedFindings(self.log)
        self.shelf = Shelf(self.folder, len(self.plan.pieces) > 1)
        self.around = Shelf(self.folder, True) if self.plan.is_partial else self.shelf
        if self.base is not None:
            self.base.require(part for piece in self.plan.pieces for part in piece.parts)
            self.recent_end = max(self.recent_end, self.base.facts.date_range[1])
            self.changes = RowChanges(0, 0, 0)

    def clear(self) -> None:
        """Removes what waits on the disk."""
        self.shelf.clear()
        self.around.clear()

    def run(self, split: Split, check_all_rows: Callable[[Assembly], None] | None = None) -> None:
        """Merges the rows, runs all checks and fills gaps; raises SalesFileError."""
        for piece, content, numbers in split:
            self.add_piece(piece, content, numbers)
        self.require_usable()
        self.facts = self.sum_facts()
        if check_all_rows is not None:
            check_all_rows(self)
            self.require_usable()
        if self.plan.is_partial and self.base is not None:
            self.rows, self.units = self.facts.row_count, float(self.facts.days.units.sum())
        self.collected.tell(SeriesChecks.CODES, self.rows, self.units)
        self.check_gaps()

    def require_usable(self) -> None:
        """Raises SalesFileError for weekly or monthly sales, and where no sales are left."""
        days = self.days
        if self.plan.is_partial and self.base is not None:
            sold = self.base.facts.days
            days = np.union1d(days, sold.first + np.flatnonzero(sold.sold > 0))
        require_daily(self.log.raw.name, days)
        if not any((facts.series["recorded"] > 0).any() for facts in self.after):
            raise SalesFileError(_("%(file)s has no usable rows.") % {"file": self.log.raw.name})

    def add_piece(self, piece: Piece, content: CanonicalTable | None, numbers: RowNumbers) -> None:
        """Merges the rows of a piece with those of the dataset and checks its series."""
        if piece.spans is not None and content is not None:
            self.add_near_rows(piece, content, numbers)
            return
        old = self.read_old(piece)
        if content is None and old is None:
            return
        if content is None and old is not None:
            content, numbers = old, np.zeros(old.row_count, np.int32)
        elif old is not None and content is not None:
            content, numbers, changes = merge_tables(old, content, numbers)
            self.count_changes(changes)
        elif content is not None and self.base is not None:
            self.count_changes(RowChanges(content.row_count, 0, 0))
        if content is None:
            return
        self.rows, self.units = self.rows + content.row_count, self.units + sum_known(content.sales)
        self.mark_days(content)
        content, numbers = SeriesChecks(self.collected, content, numbers).run_checks()
        if content.row_count:
            self.after.append(SalesFacts.from_content(content, self.recent_end))
            self.shelf.put(CheckedPiece(piece, content, numbers))
            REPORT.note("check", sum(facts.row_count for facts in self.after))

    def add_near_rows(self, piece: Piece, content: CanonicalTable, numbers: RowNumbers) -> None:
        """Merges the rows of a piece with the parts that they touch, and checks them with those around."""
        base, spans = self.base, piece.spans or frozenset()
        if base is None or base.layout is None:
            raise ValueError(piece)
        near = read_near(base, piece, content, numbers, self.recent_end)
        self.count_changes(near.changes)
        self.mark_days(near.content)
        checks = SeriesChecks(self.collected, near.around, near.around_numbers, near.past)
        around, around_numbers = checks.run_checks()
        content = near.take_sales(around, spans, base.layout.span_days)
        if near.before is not None:
            self.before.append(near.before)
        self.after.append(SalesFacts.from_content(content, self.recent_end))
        self.shelf.put(CheckedPiece(piece, content, near.row_numbers))
        self.around.put(CheckedPiece(piece, around, around_numbers, near.past))

    def mark_days(self, content: CanonicalTable) -> None:
        """Marks the days with sales."""
        sold = content.days[~np.isnan(content.sales)]
        if len(sold):
            self.days = np.union1d(self.days, np.flatnonzero(np.bincount(sold - sold.min())) + sold.min())

    def read_old(self, piece: Piece) -> CanonicalTable | None:
        """The rows of the dataset that belong to a piece."""
        if self.base is None:
            return None
        if piece.bucket is None:
            return self.base.whole
        found, layout = None, self.plan.rows_layout
        if self.base.layout is None:
            found = self.base.whole
        elif piece.parts:
            found = self.base.load(piece.parts)
        there = self.base.layout
        if found is None or layout is None or (there and there.buckets == layout.buckets):
            return found
        rows = np.flatnonzero(find_buckets(found, layout) == piece.bucket)
        return take_rows(found, rows) if len(rows) else None

    def remove(self, kind: str, names: set[str]) -> None:
        """Removes all rows of some stores or products."""
        emptied = []
        for place, one in enumerate(self.shelf):
            texts = one.content.stores if kind == "store" else one.content.products
            is_removed = np.array([name in names for name in texts.values])[texts.codes]
            rows = np.flatnonzero(~is_removed)
            if len(rows) == len(is_removed):
                continue
            if not len(rows):
                emptied.append(place)
                continue
            content = take_rows(one.content, rows)
            self.after[place] = SalesFacts.from_content(content, self.recent_end)
            self.shelf.replace(place, replace(one, content=content, row_numbers=one.row_numbers[rows]))
        for place in reversed(emptied):
            del self.after[place], self.shelf.kept[place]
        if self.after:
            self.facts = self.sum_facts()

    def count_changes(self, more: RowChanges) -> None:
        """Adds up what the file changes."""
        before = self.changes or RowChanges(0, 0, 0)
        self.changes = RowChanges(
            before.added + more.added, before.changed + more.changed, before.same + more.same
        )

    def sum_facts(self) -> SalesFacts:
        """The facts of all sales."""
        after = join_facts(self.after)
        if not self.plan.is_partial or self.base is None:
            return after
        facts = self.base.facts
        return facts.change(join_facts(self.before), after) if self.before else facts.change(None, after)

    def check_gaps(self) -> None:
        """Looks for gaps, and fills them where a person said that nothing was sold."""
        if self.facts.store_days is None or self.facts.series["recorded"].sum() < 2:
            return
        known = self.base.facts if self.base is not None else None
        checks = GapChecks(self.collected, self.facts, self.facts.store_days, known)
        for one in self.around:
            checks.collect(checks.place_rows(one.content, one.row_numbers, one.past))
        checks.tell()
        if "zero" not in (checks.store_action, checks.product_action, checks.ending_action):
            return
        filling = GapFilling(checks)
        for place, one in enumerate(self.shelf):
            content, numbers = filling.fill(one.content, one.row_numbers)
            if content is not one.content:
                self.after[place] = SalesFacts.from_content(content, self.recent_end)
                self.shelf.replace(place, replace(one, content=content, row_numbers=numbers))
        self.facts = self.sum_facts()

    def write(self, path: Path, given: ColumnRoles) -> tuple[ColumnRoles, SeriesLabels]:
        """Writes the rows; returns the roles of extra columns, given or proposed, and labels of series."""
        evidence, labels = RoleEvidence(given, self.facts.date_range[1]), SeriesLabels()
        dropped = self.log.dropped_columns
        kinds = {name: kind for name, kind in sorted(self.facts.columns.items()) if name not in dropped}

        def read_pieces() -> Iterator[CanonicalTable]:
            done = 0
            for one in self.shelf:
                done += one.content.row_count
                REPORT.note("write", done, self.facts.row_count)
                content = replace(one.content, extras=one.content.extras.without(dropped))
                evidence.collect(content)
                labels.collect(content, given)
                yield content

        write_pieces(path, read_pieces(), kinds, (self.log.left_out_sales, self.facts))
        return evidence.assign_roles(list(kinds)), labels

    @property
    def content_hash(self) -> str:
        """The hash of all rows, which a version of release 0.1 has, too; nothing where it has none."""
        if self.base is None or self.base.layout is not None:
            return ""
        return next(iter(self.shelf)).content.content_hash

    @property
    def places(self) -> list[tuple[int, int]] | None:
        """(bucket, span) of the parts that are written; None for all."""
        if not self.plan.is_partial:
            return None
        return [(piece.bucket or 0, span) for piece in self.plan.pieces for span in sorted(piece.spans or ())]
