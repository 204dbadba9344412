"""Zeros on missing days, where the action of a finding says that nothing was sold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.checks.finding_log import FindingLog
from registry.datasets.importing.checks.gaps import GapChecks
from registry.datasets.importing.checks.piece_rows import PieceRows

RowNumbers = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]
FILLING = ("store-gap", "product-gap", "ended")  # findings whose action can be "zero"
MAX_FILLED_ROWS = 20_000_000


def may_fill(log: FindingLog) -> bool:
    """Whether a person chose zeros for missing days of any kind."""
    return any(log.choose_action(code) == "zero" for code in FILLING)


class GapFilling:
    """Fills the gaps of pieces as the checks of gaps were told."""

    def __init__(self, checks: GapChecks) -> None:
        self.checks, self.log = checks, checks.log
        self.wanted = np.zeros_like(checks.traded)
        if checks.product_action == "zero":
            self.wanted |= checks.traded
        if checks.store_action == "zero":
            self.wanted |= ~checks.traded & ~checks.unknown

    def fill(self, content: CanonicalTable, row_numbers: RowNumbers) -> tuple[CanonicalTable, RowNumbers]:
        """A piece and its row numbers, with zeros where the actions ask for them."""
        checks = self.checks
        piece = checks.place_rows(content, row_numbers)
        before = piece.find_gaps()
        before = before[piece.numbers[before + 1] > 0]  # older gaps are left alone
        spots = [self.list_days(piece, before, piece.days[before + 1], self.wanted)]
        if checks.ending_action == "zero":
            last, until = self.find_ended(piece)
            spots.append(self.list_days(piece, last, until, checks.traded))
        source, day = (np.concatenate(part) for part in zip(*spots, strict=True))
        return piece.insert_zeros(source, day, row_numbers) if len(source) else (content, row_numbers)

    def find_ended(self, piece: PieceRows) -> tuple[Positions, Positions]:
        """The last rows of series that ended, and the day after their store's last one."""
        last, owners = self.checks.find_ended_rows(piece)
        stores = self.checks.ended["store"][owners]
        traded = self.checks.traded
        newest = traded.shape[1] - traded[:, ::-1].argmax(axis=1)
        return last, newest[stores].astype(np.int64)

    def list_days(
        self, piece: PieceRows, before: Positions, until: npt.NDArray[np.int32 | np.int64], wanted: Mask
    ) -> tuple[Positions, Positions]:
        """The wanted [store, day] from rows to the days `until` [G]: the row before and the day, [N] both."""
        lengths = until - piece.days[before] - 1
        if lengths.sum() > MAX_FILLED_ROWS:
            return before[:0], before[:0]
        source = np.repeat(before, lengths)
        step = np.arange(len(source)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        day = piece.days[source].astype(np.int64) + 1 + step
        use = wanted[piece.stores[source], day]
        use[use] &= ~self.is_left_out(piece, source[use], day[use])
        return source[use], day[use]

    def is_left_out(self, piece: PieceRows, source: Positions, day: Positions) -> Mask:
        """[N] whether the row of that day, of the series that a row is of, was left out."""
        lost, content = self.log.left_out_sales, piece.content
        rows = piece.rows[source]
        keys = sorted({(store, product) for store, product, _first, _last in lost.spans})
        marks = lost.mark_series(keys, piece.first_day, self.checks.day_count)
        stores = {name: code for code, name in enumerate(content.stores.values)}
        products = {name: code for code, name in enumerate(content.products.values)}
        known = [place for place, (s, p) in enumerate(keys) if s in stores and p in products]
        if not known:
            return np.zeros(len(rows), dtype=bool)
        wanted = np.array([stores[keys[n][0]] * len(products) + products[keys[n][1]] for n in known])
        series = content.stores.codes[rows].astype(np.int64) * len(products)
        series += content.products.codes[rows]
        order = np.argsort(wanted)
        place = order[np.minimum(np.searchsorted(wanted, series, sorter=order), len(order) - 1)]
        return np.asarray((wanted[place] == series) & marks[np.array(known)[place], day])
