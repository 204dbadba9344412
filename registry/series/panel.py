"""Panel: all series of a scope as one regular daily table with their covariates. Pure: no Django."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from registry.lib.errors import MessageError, gettext_noop
from registry.series.left_out import LeftOutSales, drop_rest_days

Floats = NDArray[np.float32]
Days = NDArray[np.datetime64]
CovariateRole = str  # "known" (ahead), "past" (afterwards) or "static" (fixed)

# A source that has rows only for days with a sale shows hardly any zeros and many gaps.
LOG_ZERO_SHARE, LOG_HOLE_SHARE = 0.05, 0.3
SPARSE_ZERO_SHARE = 0.8  # share of days without sales above which a panel is sparse


@dataclass(frozen=True)
class BusinessActivity:
    """Last day with sales, and days with and without recorded sales of each store, over the whole business.

    A frame of one product alone cannot tell a day without its sales from a closed day. Blank days have rows
    without any sales.
    """

    last_day: np.datetime64
    recorded_days: dict[str, Days]
    blank_days: dict[str, Days] = field(default_factory=dict)


@dataclass(frozen=True)
class Panel:
    """Series x days. Column 0 is `start`; columns from `days` on hold only what is known ahead.

    sales: float32 [S, D], NaN = no record. closed: bool [S, D], the store did not open.
    known: name -> [S, D + days ahead], past: name -> [S, D], static: name -> [S]; NaN = not given.
    Texts are integer codes into `categories[name]`.
    """

    start: np.datetime64
    keys: list[tuple[str, str]]
    sales: Floats
    closed: NDArray[np.bool_]
    known: dict[str, Floats] = field(default_factory=dict)
    past: dict[str, Floats] = field(default_factory=dict)
    static: dict[str, Floats] = field(default_factory=dict)
    categories: dict[str, list[str]] = field(default_factory=dict)
    country: str = ""
    borrowed: NDArray[np.int64] | None = None  # [S] first days whose sales are those of its like

    @property
    def days(self) -> int:
        """D: days with sales."""
        return self.sales.shape[1]

    @property
    def origin(self) -> np.datetime64:
        """The last known day."""
        return self.start + np.timedelta64(self.days - 1, "D")

    @property
    def dates(self) -> Days:
        """The D days with sales."""
        return np.arange(self.start, self.start + np.timedelta64(self.days, "D"))

    @property
    def open_sales(self) -> Floats:
        """Sales of open days: [S, D], NaN = closed or no record."""
        return np.where(self.closed, np.float32(np.nan), self.sales)

    @property
    def own_sales(self) -> Floats:
        """Sales of open days without those borrowed from its like: [S, D], NaN = closed or no record."""
        if self.borrowed is None:
            return self.open_sales
        lent = np.arange(self.days)[None] < self.borrowed[:, None]
        return np.where(lent, np.float32(np.nan), self.open_sales)

    @property
    def is_sparse(self) -> bool:
        """Whether most days sell nothing."""
        known = ~np.isnan(self.sales) & ~self.closed
        return bool((self.sales[known] == 0).sum() > SPARSE_ZERO_SHARE * known.sum())

    def column_index(self, day: Any) -> int:
        """Column of a day; may lie outside the panel."""
        return int((np.datetime64(day, "D") - self.start) / np.timedelta64(1, "D"))

    def as_of(self, day: Any) -> Panel:
        """The panel as known at the end of that day, without later sales and past covariates.

        Raises MessageError when the day is outside the sales.
        """
        end = self.column_index(day) + 1
        if not 0 < end <= self.days:
            raise MessageError(
                gettext_noop("{day} is outside the sales: use {first} to {last}."),
                day=str(np.datetime64(day, "D")),
                first=str(self.start),
                last=str(self.origin),
            )
        return replace(
            self,
            sales=self.sales[:, :end],
            closed=self.closed[:, :end],
            past={name: values[:, :end] for name, values in self.past.items()},
        )

    def find_sold(self) -> NDArray[np.intp]:
        """Rows with any record, if only of days without a sale."""
        return np.flatnonzero((~np.isnan(self.sales)).any(axis=1))

    def select_series(self, rows: NDArray[np.intp]) -> Panel:
        """Only these series, in this order."""
        return replace(
            self,
            keys=[self.keys[row] for row in rows],
            sales=self.sales[rows],
            closed=self.closed[rows],
            known={name: values[rows] for name, values in self.known.items()},
            past={name: values[rows] for name, values in self.past.items()},
            static={name: values[rows] for name, values in self.static.items()},
            borrowed=None if self.borrowed is None else self.borrowed[rows],
        )

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        roles: dict[str, CovariateRole],
        country: str = "",
        activity: BusinessActivity | None = None,
        left_out: LeftOutSales | None = None,
    ) -> Panel:
        """Builds the panel from canonical rows: date, store_id, product_id, sales and the columns in `roles`.

        Rows without sales after the last sale are the plan: they fill the known covariates ahead. Days of
        which rows were left out are unknown. Raises MessageError when no row has sales.
        """
        frame = frame.reset_index(drop=True)
        sold = frame["sales"].notna().to_numpy()
        if not sold.any():
            raise MessageError(
                gettext_noop("There are no sales in this scope: choose another store or product.")
            )
        dates = frame["date"].to_numpy().astype("datetime64[D]")  # [N] rows
        start = dates[sold].min()
        column = ((dates - start) / np.timedelta64(1, "D")).astype(np.int64)  # [N], < 0 before the first sale
        days, width = int(column[sold].max()) + 1, int(column.max()) + 1
        if activity is not None:  # a product that left the shelf is still forecast from today
            days = max(days, int((activity.last_day - start) / np.timedelta64(1, "D")) + 1)
            width = max(days, width)
        groups_of = frame.groupby(["store_id", "product_id"], sort=True, observed=True)
        series: NDArray[np.int64] = np.asarray(groups_of.ngroup(), np.int64)  # [N] row of each in the panel
        first_rows = pd.Series(series).drop_duplicates().sort_values().index.to_numpy()
        pairs = frame.loc[first_rows, ["store_id", "product_id"]].astype(str)
        grid = _Grid(series, column, len(first_rows), width)
        sales = grid.scatter_values(frame["sales"].to_numpy(np.float32, na_value=np.nan))[:, :days]
        groups: dict[CovariateRole, dict[str, Floats]] = {"known": {}, "past": {}, "static": {}}
        categories: dict[str, list[str]] = {}
        for name, role in roles.items():
            values = _encode_values(frame[name], name, categories)
            # a static column is fixed per series: its first row tells it
            filled = values[first_rows] if role == "static" else grid.scatter_values(values)
            groups[role][name] = filled[:, :days] if role == "past" else filled
        keys = list(pairs.itertuples(index=False, name=None))
        blank = grid.scatter_values(np.where(sold, np.float32(np.nan), np.float32(0)))[:, :days]
        traded, unknown = _trading_days(sales, ~np.isnan(blank), keys, start, activity)
        lost = left_out or LeftOutSales()
        first = int(start.astype(np.int64))
        stores, place = np.unique([store for store, _product in keys], return_inverse=True)
        unknown |= lost.mark_stores(stores.tolist(), first, days)[place]
        unsold = lost.mark_series(keys, first, days)
        sales, closed = _find_closed(sales, traded, unknown, unsold, groups["known"].get("open"))
        return cls(
            start, keys, sales, closed, groups["known"], groups["past"], groups["static"], categories, country
        )


@dataclass(frozen=True)
class _Grid:
    """Scatters values [N] of rows into a table [rows, width] of series and days."""

    series: NDArray[np.int64]
    column: NDArray[np.int64]
    rows: int
    width: int

    def scatter_values(self, values: Floats) -> Floats:
        """The table, NaN where no row is."""
        table = np.full((self.rows, self.width), np.nan, np.float32)
        inside = self.column >= 0  # a plan may begin before the first sale
        table[self.series[inside], self.column[inside]] = values[inside]
        return table


def _encode_values(column: pd.Series[Any], name: str, categories: dict[str, list[str]]) -> Floats:
    """Numbers unchanged; texts as codes into categories[name], which is filled (NaN = empty)."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column.to_numpy(np.float32, na_value=np.nan)
    coded = column.astype("string").astype("category")
    categories[name] = [str(value) for value in coded.cat.categories]
    codes = coded.cat.codes.to_numpy(np.float32)
    return np.where(codes < 0, np.float32(np.nan), codes)


def _trading_days(
    sales: Floats,
    blank: NDArray[np.bool_],
    keys: list[tuple[str, str]],
    start: np.datetime64,
    activity: BusinessActivity | None,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """bool [S, D]: some series of the same store has a record of that day; some has only `blank` rows."""
    recorded = ~np.isnan(sales)
    dates = np.arange(start, start + np.timedelta64(sales.shape[1], "D"))
    stores = np.array([store for store, _product in keys])
    traded, unknown = np.zeros_like(recorded), np.zeros_like(recorded)
    for store in np.unique(stores):
        rows = stores == store
        open_days, blank_days = recorded[rows].any(axis=0), blank[rows].any(axis=0)
        if activity is not None:
            open_days |= np.isin(dates, activity.recorded_days.get(str(store), []))
            blank_days |= np.isin(dates, activity.blank_days.get(str(store), []))
        traded[rows] = open_days
        unknown[rows] = drop_rest_days(blank_days[None], open_days[None], int(start.astype(np.int64)))
    return traded, unknown


def _find_closed(
    sales: Floats,
    trading: NDArray[np.bool_],
    unknown: NDArray[np.bool_],
    left_out: NDArray[np.bool_],
    opened: Floats | None,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Decides what gaps mean; returns sales with zeros filled in, and closed [S, D].

    Closed: by the open column, or because nobody in the store has a record and none is `unknown`. Zero: in a
    source that has rows only for sales, unless the row was `left_out`. Everything else is unknown.
    """
    recorded = ~np.isnan(sales)
    if _is_sales_log(sales, recorded):
        listed = np.maximum.accumulate(recorded, axis=1)  # [S, D] True from the first record of a series on
        # of the whole chain: where few products sell, one store may sell nothing on an open day
        shop_open = np.broadcast_to(trading.any(axis=0), recorded.shape)
        filled = np.where(listed & ~recorded & shop_open & ~left_out, np.float32(0), sales)
        return filled, ~shop_open & ~unknown.any(axis=0)
    closed = ~trading & ~unknown
    if opened is not None:
        stated = opened[:, : sales.shape[1]]
        # A closed day with sales is an error of the flag: the sales count.
        closed = np.where(np.isnan(stated), closed, stated < 0.5) & ~(sales > 0)
    return sales, closed


def _is_sales_log(sales: Floats, recorded: NDArray[np.bool_]) -> bool:
    """Whether the source has rows only for days with a sale."""
    listed = np.maximum.accumulate(recorded, axis=1)
    holes = 1 - recorded.sum() / max(1, listed.sum())  # days before the first record are no gaps
    zeros = (sales[recorded] == 0).mean()
    return bool(holes > LOG_HOLE_SHARE and zeros < LOG_ZERO_SHARE)
