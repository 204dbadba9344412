"""Panel: all series of a scope as one regular daily table with their covariates. Pure: no Django."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from registry.lib.errors import MessageError, gettext_noop
from registry.series.left_out import LeftOutSales
from registry.series.panels.rows import Grid, SalesRows, index_series
from registry.series.panels.trading import BusinessActivity, TradingDays, find_closed

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float32]
Days = NDArray[np.datetime64]
CovariateRole = str  # "known" (ahead), "past" (afterwards) or "static" (fixed)

SPARSE_ZERO_SHARE = 0.8  # share of days without sales above which a panel is sparse


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
        table = pa.Table.from_pandas(frame, preserve_index=False)
        rows = SalesRows(partial(_select_batches, table), with_unsold=True)
        return cls.from_rows(rows, roles, country, activity, left_out)

    @classmethod
    def from_rows(
        cls,
        rows: SalesRows,
        roles: dict[str, CovariateRole],
        country: str = "",
        activity: BusinessActivity | None = None,
        left_out: LeftOutSales | None = None,
    ) -> Panel:
        """As from_frame(), from rows that come in batches."""
        index = index_series(rows)
        if index is None:
            raise MessageError(
                gettext_noop("There are no sales in this scope: choose another store or product.")
            )
        first, last = index.first_sale, index.last_sale
        if activity is not None:  # a product that left the shelf is still forecast from today
            last = max(last, int(activity.last_day.astype("datetime64[D]").astype(np.int64)))
            first = first if activity.first_day is None else int(activity.first_day.astype(np.int64))
        days, start = last - first + 1, np.datetime64(first, "D")
        grid = Grid(index, first, max(days, index.last_row - first + 1))
        grid.scatter_rows(rows, roles)
        groups: dict[CovariateRole, dict[str, Floats]] = {"known": {}, "past": {}, "static": {}}
        for name, role in roles.items():
            values = grid.covariates[name]
            groups[role][name] = values[:, :days] if role == "past" else values
        sales, keys, lost = grid.sales[:, :days], index.keys, left_out or LeftOutSales()
        trading, unsold = TradingDays.find(grid, days, activity, lost), lost.mark_series(keys, first, days)
        is_log = activity.is_sales_log if activity else None
        sales, closed = find_closed(sales, trading, unsold, groups["known"].get("open"), is_log)
        known, past, static = groups.values()
        return cls(start, keys, sales, closed, known, past, static, grid.categories, country)


def _select_batches(table: pa.Table, columns: list[str]) -> list[pa.RecordBatch]:
    """The rows of a table with these columns."""
    batches: list[pa.RecordBatch] = table.select(columns).to_batches()
    return batches
