"""Trading: on which days a store sold, and what a day without a record means. Pure numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from registry.series.left_out import LeftOutSales, drop_rest_days
from registry.series.panels.rows import Flags, Floats, Grid

Days = NDArray[np.datetime64]

# A source that has rows only for days with a sale shows hardly any zeros and many gaps.
LOG_ZERO_SHARE, LOG_HOLE_SHARE = 0.05, 0.3


@dataclass(frozen=True)
class BusinessActivity:
    """Last day with sales, and days with and without recorded sales of each store, over the whole business.

    A frame of one product alone cannot tell a day without its sales from a closed day. Blank days have rows
    without any sales. A shard of a scope also needs what all of the scope's series tell together: their
    `stores`, the first day with a sale, and whether the source lists only sales.
    """

    last_day: np.datetime64
    recorded_days: dict[str, Days]
    blank_days: dict[str, Days] = field(default_factory=dict)
    first_day: np.datetime64 | None = None
    stores: Sequence[str] = ()
    is_sales_log: bool | None = None


@dataclass(frozen=True)
class TradingDays:
    """Of each store and day, bool [stores, D]: some series has a record; it may have been open."""

    traded: Flags
    unknown: Flags
    store_of: NDArray[np.intp]  # [S] row of each series' store

    @classmethod
    def find(
        cls, grid: Grid, days: int, activity: BusinessActivity | None, left_out: LeftOutSales
    ) -> TradingDays:
        """From the first `days` days of a grid."""
        keys, first = grid.index.keys, grid.start
        recorded, blank = ~np.isnan(grid.sales[:, :days]), grid.blank[:, :days]
        own, begins = np.unique([store for store, _product in keys], return_index=True)
        names = np.union1d(own, list(activity.stores)) if activity and activity.stores else own
        traded, unknown = (np.zeros((len(names), days), np.bool_) for _table in range(2))
        place = np.searchsorted(names, own)
        traded[place] = np.logical_or.reduceat(recorded, begins, axis=0)
        unknown[place] = np.logical_or.reduceat(blank, begins, axis=0)
        if activity is not None:
            dates = np.arange(first, first + days).astype("datetime64[D]")
            for row, store in enumerate(names.tolist()):
                traded[row] |= np.isin(dates, activity.recorded_days.get(store, []))
                unknown[row] |= np.isin(dates, activity.blank_days.get(store, []))
        unknown = drop_rest_days(unknown, traded, first) | left_out.mark_stores(names.tolist(), first, days)
        counts = np.diff(begins, append=len(keys))
        return cls(traded, unknown, np.repeat(place, counts))


def find_closed(
    sales: Floats, trading: TradingDays, left_out: Flags, opened: Floats | None, is_log: bool | None = None
) -> tuple[Floats, Flags]:
    """Decides what gaps mean; returns sales with zeros filled in, and closed [S, D].

    Closed: by the open column, or because nobody in the store has a record and none is unknown. Zero: in a
    source that has rows only for sales, unless the row was `left_out`. Everything else is unknown.
    """
    recorded = ~np.isnan(sales)
    if is_sales_log(*count_gaps(sales, recorded)) if is_log is None else is_log:
        listed = np.maximum.accumulate(recorded, axis=1)  # [S, D] True from the first record of a series on
        # of the whole chain: where few products sell, one store may sell nothing on an open day
        shop_open = trading.traded.any(axis=0)
        filled = np.where(listed & ~recorded & shop_open & ~left_out, np.float32(0), sales)
        return filled, np.broadcast_to(~shop_open & ~trading.unknown.any(axis=0), sales.shape).copy()
    closed = (~trading.traded & ~trading.unknown)[trading.store_of]
    if opened is not None:
        stated = opened[:, : sales.shape[1]]
        # A closed day with sales is an error of the flag: the sales count.
        closed = np.where(np.isnan(stated), closed, stated < 0.5) & ~(sales > 0)
    return sales, closed


def count_gaps(sales: Floats, recorded: Flags) -> tuple[int, int, int]:
    """Records, days since the first record of their series, and records of no sale; sales [S, D]."""
    # days before the first record are no gaps
    listed = (recorded.shape[1] - recorded.argmax(axis=1)) * recorded.any(axis=1)
    return int(recorded.sum()), int(listed.sum()), int((sales == 0).sum())


def is_sales_log(records: int, listed: int, zeros: int) -> bool:
    """Whether the source has rows only for days with a sale.

    >>> is_sales_log(records=50, listed=100, zeros=1), is_sales_log(records=100, listed=100, zeros=0)
    (True, False)
    """
    holes = 1 - records / max(1, listed)
    return holes > LOG_HOLE_SHARE and zeros < LOG_ZERO_SHARE * records
