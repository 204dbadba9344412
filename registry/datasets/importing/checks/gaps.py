"""Missing days: of a whole store, or of one product while its store sold others, for a while or for good."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.checks.collected import CollectedFindings
from registry.datasets.importing.checks.endings import find_endings
from registry.datasets.importing.checks.finding_log import FindingLog
from registry.datasets.importing.checks.piece_rows import PieceRows
from registry.datasets.importing.facts.day_totals import DayTotals
from registry.datasets.importing.facts.sales_facts import SalesFacts, place_names
from registry.datasets.importing.facts.series_facts import Series
from registry.datasets.importing.finding_effects import draw_days, measure_gaps, picture_series
from registry.datasets.importing.findings import MAX_EXAMPLES, Example
from registry.series.left_out import drop_rest_days

RowNumbers = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]
# a source that writes rows only for sales has many gaps and hardly a zero
MAX_ZERO_SHARE, MIN_GAP_SHARE = 0.05, 0.3
NO_ROW = np.iinfo(np.int32).max


@dataclass(frozen=True)
class StoreGaps:
    """[G] spans of days of a store without any row; `first_rows` are the file's first rows after them."""

    stores: Positions
    begins: Positions
    ends: Positions
    first_rows: RowNumbers


@dataclass
class GapChecks:
    """Gaps between two rows of a series, and what they mean.

    `facts` are those of all sales, `known` those of the dataset before. The sales are shown piece by piece.
    """

    collected: CollectedFindings
    facts: SalesFacts
    totals: DayTotals
    known: SalesFacts | None = None
    store_action: str = ""
    product_action: str = ""
    ending_action: str = ""
    ended_rows: set[int] = field(default_factory=set)  # places in the facts that a piece has shown

    def __post_init__(self) -> None:
        first, last = self.facts.date_range
        days = slice(first - self.totals.first, last - self.totals.first + 1)
        self.first_day, self.day_count = first, last - first + 1
        self.log = self.collected.log
        self.traded: Mask = self.totals.sold[:, days] > 0
        self.unknown = self.find_unknown(self.totals.blank[:, days] > 0)
        self.opened = np.zeros((len(self.traded), self.day_count + 1), np.int32)
        np.cumsum(self.traded, axis=1, out=self.opened[:, 1:])
        self.gaps = self.find_store_gaps()
        self.gap_after = np.zeros(self.traded.shape, np.int32)  # the number of the gap before, from 1
        self.gap_after[self.gaps.stores, self.gaps.ends + 1] = np.arange(1, len(self.gaps.stores) + 1)
        ended = find_endings(self.facts.series, first, (self.traded, self.mark_known()))
        self.ended: Series = self.facts.series[ended]
        self.ended_keys = self.facts.number_series(self.ended)

    def find_unknown(self, blank: Mask) -> Mask:
        """[stores, days] of which rows were left out or have no sales: the store may have been open."""
        unknown = drop_rest_days(blank & ~self.traded, self.traded, self.first_day)
        return unknown | self.log.left_out_sales.mark_stores(
            self.facts.stores, self.first_day, self.day_count
        )

    def mark_known(self) -> Mask:
        """[stores, days] with sales in the dataset before."""
        if self.known is None or self.known.store_days is None:
            return np.zeros_like(self.traded)
        totals = self.known.align(self.facts).store_days or self.totals
        first = self.first_day - totals.first
        return totals.sold[:, first : first + self.day_count] > 0

    def find_store_gaps(self) -> StoreGaps:
        """The days without any row of a store between its first and last."""
        seen = np.maximum.accumulate(self.traded, axis=1)
        ahead = np.maximum.accumulate(self.traded[:, ::-1], axis=1)[:, ::-1]
        store, day = np.nonzero(seen & ahead & ~self.traded & ~self.unknown)
        begins = np.append(True, (store[1:] != store[:-1]) | (day[1:] != day[:-1] + 1))[: len(store)]
        ends = np.append(begins[1:], True)[: len(store)]
        rows = np.full(int(begins.sum()), NO_ROW, np.int32)
        return StoreGaps(store[begins], day[begins], day[ends], rows)

    def place_rows(
        self, content: CanonicalTable, row_numbers: RowNumbers, past: Series | None = None
    ) -> PieceRows:
        """The rows of a piece, under the numbers of stores and days of these checks."""
        stores = place_names(content.stores.values, self.facts.stores).astype(np.int32)
        return PieceRows.find(content, row_numbers, stores, self.first_day, past)

    def collect(self, piece: PieceRows) -> None:
        """Counts the gaps and endings of a piece."""
        is_new = piece.numbers > 0
        if len(self.gaps.stores) and is_new.any():
            inside = is_new & (piece.days >= 0) & (piece.days < self.day_count)
            gap = self.gap_after[piece.stores[inside], piece.days[inside]]
            np.minimum.at(self.gaps.first_rows, gap[gap > 0] - 1, piece.numbers[inside][gap > 0])
        self.collect_product_gaps(piece)
        self.collect_endings(piece)

    def collect_product_gaps(self, piece: PieceRows) -> None:
        """Counts days without a row of a product while its store sold others."""
        before_day, after = piece.find_new_gaps()
        if not len(after):
            return
        store = piece.stores[after]
        missing = self.opened[store, piece.days[after]] - self.opened[store, before_day + 1]
        hits = np.flatnonzero(missing > 0)
        pictures = self.collected.count_pictures("product-gap")
        places = [
            Example(
                int(piece.numbers[after[hit]]),
                self.log.column_label("date"),
                f"{piece.product_name(int(after[hit]))} · "
                + self.describe_gap(int(store[hit]), before_day[hit] + 1, piece.days[after[hit]] - 1),
                self.picture_gap(piece, int(after[hit]), int(before_day[hit])) if place < pictures else None,
            )
            for place, hit in enumerate(hits[: FindingLog.MAX_BAD_ROWS])
        ]
        series = len(np.unique(piece.series[after[hits]]))
        self.collected.add("product-gap", places, int(missing[hits].sum()), series)

    def collect_endings(self, piece: PieceRows) -> None:
        """Collects the places of series that end while their store goes on."""
        last, owners = self.find_ended_rows(piece)
        pictures = self.collected.count_pictures("ended")
        label = self.log.column_label("date")
        places = []
        for place, (row, owner) in enumerate(zip(last.tolist(), owners.tolist(), strict=True)):
            self.ended_rows.add(owner)
            if place < FindingLog.MAX_BAD_ROWS:
                drawn = piece.picture_ending(row) if place < pictures else None
                places.append(Example(int(piece.numbers[row]), label, self.describe_ending(owner), drawn))
        self.collected.add("ended", places, len(last))

    def find_ended_rows(self, piece: PieceRows) -> tuple[Positions, Positions]:
        """The last rows of a piece's series that have ended, and the places of these series: [E] both."""
        last = piece.find_last_rows() if len(self.ended) else np.zeros(0, np.int64)
        if not len(last):
            return last, last
        products = place_names(piece.content.products.values, self.facts.products)
        product = products[piece.content.products.codes[piece.rows[last]]]
        keys = piece.stores[last].astype(np.int64) * len(self.facts.products) + product
        owners = np.minimum(np.searchsorted(self.ended_keys, keys), len(self.ended) - 1)
        is_ended = self.ended_keys[owners] == keys
        is_ended &= self.ended["newest"][owners] == piece.days[last] + self.first_day
        return last[is_ended], owners[is_ended]

    def tell(self) -> None:
        """Tells the log what all pieces together say, and sets the actions."""
        self.store_action = self.tell_store_gaps()
        found = self.collected.found.get("product-gap")
        recorded, zeros = (int(self.facts.series[name].sum()) for name in ("recorded", "zeros"))
        is_only_sold = (
            found is not None
            and found.count > MIN_GAP_SHARE * (found.count + recorded)
            and zeros / recorded < MAX_ZERO_SHARE
        )
        if is_only_sold:  # training fills them with zeros
            self.collected.tell_gaps("product-gap", "only-sold", "zero")
            # a series that sells nothing for weeks is nothing unusual in such a file
            self.collected.found.pop("ended", None)
            return
        self.product_action = self.collected.tell_gaps("product-gap")
        unseen = [place for place in range(len(self.ended)) if place not in self.ended_rows]
        label = self.log.column_label("date")
        places = [
            Example(0, label, self.describe_ending(place)) for place in unseen[: FindingLog.MAX_BAD_ROWS]
        ]
        self.collected.add("ended", places, len(unseen))
        if "ended" in self.collected.found:
            self.ending_action = self.log.choose_action("ended")
            self.collected.tell(["ended"], 0, 0.0)

    def tell_store_gaps(self) -> str:
        """Logs days without any row of a store before a row of the file; returns the action."""
        gaps, count = self.gaps, 0
        places: list[Example] = []
        for store, begin, end, row in zip(
            gaps.stores.tolist(),
            gaps.begins.tolist(),
            gaps.ends.tolist(),
            gaps.first_rows.tolist(),
            strict=True,
        ):
            if row != NO_ROW:
                count += end - begin + 1
                if len(places) < FindingLog.MAX_BAD_ROWS:
                    series = self.picture_store(store, begin, end) if len(places) < MAX_EXAMPLES else None
                    label = self.describe_gap(store, begin, end)
                    places.append(Example(row, self.log.column_label("date"), label, series))
        if not count:
            return ""
        action = self.log.add_finding("store-gap", places, count)
        measure_gaps(self.log.findings[-1], count, len(np.unique(gaps.stores)))
        return action

    def picture_store(self, store: int, begin: int, end: int) -> dict[str, object]:
        """The sales of a store with a gap marked."""
        days = np.flatnonzero(self.totals.sold[store] > 0)
        spot = (self.first_day + begin, self.first_day + end)
        drawn = draw_days((days + self.totals.first).astype(np.int32), self.totals.units[store, days], spot)
        return {"store": self.facts.stores[store], "product": "", **drawn}

    def picture_gap(self, piece: PieceRows, after: int, before_day: int) -> dict[str, object]:
        """The series of a row after a gap, with the gap marked."""
        gap = (self.first_day + before_day + 1, self.first_day + int(piece.days[after]) - 1)
        return picture_series(piece.content, piece.find_series_rows(after), gap)

    def describe_gap(self, store: int, begin: int, end: int) -> str:
        """Store and days of a gap, for people."""
        days = [str(np.datetime64(self.first_day + int(day), "D")) for day in (begin, end)]
        span = days[0] if begin == end else " – ".join(days)
        return f"{self.facts.stores[store]}: {span}"

    def describe_ending(self, place: int) -> str:
        """Product, store and the days since a series ended."""
        series = self.ended[place]
        store = int(series["store"])
        last = int(np.flatnonzero(self.traded[store])[-1])
        begin = int(series["newest"]) - self.first_day + 1
        return f"{self.facts.products[series['product']]} · " + self.describe_gap(store, begin, last)
