"""Announced series: what a plan or a catalogue names, without sales so far, as further rows of a panel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from registry.series.panel import Floats, Panel

OPEN = "open"  # the column that says on which days a store sells


def add_series(panel: Panel, keys: list[tuple[str, str]], rows: pd.DataFrame) -> Panel:
    """The panel with a row for each of these stores and products, which it does not have yet.

    rows: those of series without sales, with the columns of the panel. What they do not say of a new series
    is taken from its product and its store where all their series agree. A series that is planned from a day
    ahead on sells nothing before.
    """
    columns = _columns_of(panel, rows["date"])
    width = max([panel.days, *(values.shape[1] for values in panel.known.values()), *(columns + 1)])
    place = {key: row for row, key in enumerate(keys)}
    pairs = zip(rows["store_id"].astype(str), rows["product_id"].astype(str), strict=True)
    owner = np.array([place.get(pair, -1) for pair in pairs], np.int64)
    size = (len(keys), width)
    known = {name: np.full(size, np.nan, np.float32) for name in panel.known}
    inside = (owner >= 0) & (columns >= 0)
    for name, table in known.items():
        if name in rows:
            table[owner[inside], columns[inside]] = _encode(panel, name, rows[name])[inside]
        _fill_from_store(panel, name, keys, table)
    known[OPEN] = _hold_until_start(known.get(OPEN, np.full(size, np.nan, np.float32)), owner, columns, panel)
    facts = _Facts.collect(panel, rows)
    closed = np.stack([facts.is_closed(store) for store, _product in keys])
    static = {
        name: np.append(values, [facts.find_static(name, key) for key in keys]).astype(np.float32)
        for name, values in panel.static.items()
    }
    before = {**{OPEN: np.full((len(panel.keys), 0), np.nan, np.float32)}, **panel.known}
    unknown = np.full((len(keys), panel.days), np.nan, np.float32)
    return replace(
        panel,
        keys=[*panel.keys, *keys],
        sales=np.concatenate([panel.sales, unknown]),
        closed=np.concatenate([panel.closed, closed]),
        known={name: np.concatenate([_pad(before[name], width), table]) for name, table in known.items()},
        past={name: np.concatenate([values, unknown]) for name, values in panel.past.items()},
        static=static,
        borrowed=None,
    )


def _columns_of(panel: Panel, dates: pd.Series[pd.Timestamp]) -> NDArray[np.int64]:
    """The column of each day, below 0 before the panel."""
    days = dates.to_numpy().astype("datetime64[D]") - panel.start
    return np.asarray(days / np.timedelta64(1, "D"), np.int64)


def _encode(panel: Panel, name: str, values: pd.Series[Any]) -> Floats:
    """The values as the panel has them; NaN for a text that it does not know."""
    if name not in panel.categories:
        return pd.to_numeric(values, errors="coerce").to_numpy(np.float32, na_value=np.nan)
    codes = {label: code for code, label in enumerate(panel.categories[name])}
    return np.array([codes.get(str(value), np.nan) for value in values], np.float32)


def _fill_from_store(panel: Panel, name: str, keys: list[tuple[str, str]], table: Floats) -> None:
    """Fills gaps with what all series of the store have on that day, such as whether it is open."""
    stores = np.array([store for store, _product in panel.keys])
    for row, (store, _product) in enumerate(keys):
        own = panel.known[name][stores == store]
        if not len(own):
            continue
        lowest, highest = np.fmin.reduce(own), np.fmax.reduce(own)  # NaN where none is given
        agreed = np.where(lowest == highest, lowest, np.float32(np.nan))
        gaps = np.isnan(table[row, : len(agreed)])
        table[row, : len(agreed)][gaps] = agreed[gaps]


def _hold_until_start(
    opened: Floats, owner: NDArray[np.int64], columns: NDArray[np.int64], panel: Panel
) -> Floats:
    """The open column, 0 on days ahead before the first row of a series that has none before."""
    for row in range(len(opened)):
        own = columns[owner == row]
        if len(own) and own.min() >= panel.days:
            opened[row, panel.days : own.min()] = 0
    return opened


@dataclass(frozen=True)
class _Facts:
    """What is fixed of series: those of the panel, then the rows of those without sales."""

    panel: Panel
    codes: tuple[NDArray[np.str_], NDArray[np.str_]]  # store and product of each: [S + N]
    static: dict[str, Floats]  # [S + N]
    told_by: dict[str, list[int]]  # name -> the sides (0 stores, 1 products) of which none has two values

    @classmethod
    def collect(cls, panel: Panel, rows: pd.DataFrame) -> _Facts:
        sides = ("store_id", "product_id")
        stores, products = (
            np.array([*(key[side] for key in panel.keys), *rows[name].astype(str)])
            for side, name in enumerate(sides)
        )
        static, told_by = {}, {}
        for name, values in panel.static.items():
            own = _encode(panel, name, rows[name]) if name in rows else np.full(len(rows), np.nan)
            static[name] = np.concatenate([values, own]).astype(np.float32)
            told_by[name] = [side for side in (1, 0) if _tells((stores, products)[side], static[name])]
        return cls(panel, (stores, products), static, told_by)

    def is_closed(self, store: str) -> NDArray[np.bool_]:
        """[D] days on which the store is closed; all, as of a store that nobody knows, without a series."""
        rows = np.flatnonzero(self.codes[0][: len(self.panel.keys)] == store)
        return np.asarray(self.panel.closed[rows].all(axis=0))

    def find_static(self, name: str, key: tuple[str, str]) -> float:
        """A static value: of its own rows, else of its product, else of its store."""
        same = [codes == code for codes, code in zip(self.codes, key, strict=True)]
        for chosen in (same[0] & same[1], *(same[side] for side in self.told_by[name])):
            values = self.static[name][chosen]
            if (~np.isnan(values)).any():
                return float(values[~np.isnan(values)][0])
        return float("nan")


def _tells(codes: NDArray[np.str_], values: Floats) -> bool:
    """Whether none of the codes has two values."""
    known = ~np.isnan(values)
    pairs = np.unique(np.stack([np.unique(codes[known], return_inverse=True)[1], values[known]]), axis=1)
    return len(np.unique(pairs[0])) == pairs.shape[1]


def _pad(values: Floats, width: int) -> Floats:
    """The values [S, W] with NaN up to so many columns."""
    gap = np.full((len(values), max(0, width - values.shape[1])), np.nan, np.float32)
    return np.concatenate([values, gap], axis=1)
