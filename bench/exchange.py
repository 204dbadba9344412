"""The panel up to an origin as the long table that peers expect, with our covariates.

Our own Encoder makes the covariates, so that peers see exactly what our models see: known columns, distance
to closed days, public holidays, static columns. After the origin the table holds only what is known ahead.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from registry.series import calendar
from registry.series.covariates import Encoder, closed_days
from registry.series.panel import Floats, Panel


def write_exchange(panel: Panel, horizon: int, place: Path, plan: dict[str, Any]) -> None:
    """`past.parquet`, `ahead.parquet` and `plan.json` for one window; `panel` ends at its origin."""
    past, ahead, columns = build_tables(panel, horizon)
    past.to_parquet(place / "past.parquet", index=False)
    ahead.to_parquet(place / "ahead.parquet", index=False)
    whole = {"series": len(panel.keys), "horizon": horizon, **columns, **plan}
    (place / "plan.json").write_text(json.dumps(whole))


def build_tables(panel: Panel, horizon: int) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, list[str]]]:
    """Days up to the origin, days ahead, and the names of their {"known", "static", "codes"} columns.

    `unique_id` is the series' row, `y` NaN where nothing is recorded; a series begins with its first record.
    """
    encoder, width = Encoder.fit(panel), panel.days + horizon
    closed, _assumed = closed_days(panel, width)
    known, _assumed = encoder.known_features(panel, closed)  # [S, W, K]
    known = known[:, :, np.ptp(known.reshape(-1, known.shape[2]), axis=0) > 0]
    days = panel.start + np.arange(width).astype("timedelta64[D]")
    holidays = np.array(calendar.holiday_features(days, panel.country), np.float32).reshape(-1, width)
    sales = np.full(closed.shape, np.nan, np.float32)
    sales[:, : panel.days] = panel.sales
    parts: dict[str, Any] = {"y": np.where(closed, np.float32(np.nan), sales), "closed": closed}
    parts |= {f"k{i}": known[:, :, i] for i in range(known.shape[2])}
    parts |= {f"h{i}": np.broadcast_to(row, closed.shape) for i, row in enumerate(holidays)}
    static = encoder.static_features(panel)
    fixed = {f"s{i}": static[:, i] for i in range(static.shape[1])}
    fixed |= _encode_keys(panel)
    listed = np.cumsum(~np.isnan(sales), axis=1) > 0
    names = {
        "known": [name for name in parts if name != "y"],
        "static": [name for name in fixed if name[0] == "s" and name[1:].isdigit()],
        "codes": [name for name in fixed if not name[1:].isdigit()],
    }
    past = _to_long(parts | {"listed": listed}, fixed, days, slice(0, panel.days))
    ahead = _to_long(parts | {"listed": listed}, fixed, days, slice(panel.days, width))
    return past, ahead.drop(columns="y"), names


def _encode_keys(panel: Panel) -> dict[str, NDArray[np.int32]]:
    """Whole numbers for the series, the store and the product, as far as they differ."""
    columns = {
        "series": np.arange(len(panel.keys), dtype=np.int32),
        "store": np.unique([store for store, _ in panel.keys], return_inverse=True)[1].astype(np.int32),
        "product": np.unique([product for _, product in panel.keys], return_inverse=True)[1].astype(np.int32),
    }
    return {name: codes for name, codes in columns.items() if codes.max() > 0 or name == "series"}


def _to_long(
    parts: dict[str, Any], fixed: dict[str, Any], days: NDArray[np.datetime64], span: slice
) -> pd.DataFrame:
    """One row per listed series and day of the span; every listed series is there on the days ahead."""
    listed = parts["listed"][:, span]
    row, column = np.nonzero(listed)
    table: dict[str, Any] = {"unique_id": row.astype(np.int32)}
    table["ds"] = days[span].astype("datetime64[ns]")[column]
    for name, values in parts.items():
        if name != "listed":
            value = values[:, span][row, column]
            table[name] = value.astype(np.float32) if name != "closed" else value.astype(np.int8)
    table |= {name: values[row] for name, values in fixed.items()}
    return pd.DataFrame(table)


def fill(y: Floats, period: int = 7) -> Floats:
    """One series without holes: the value a period earlier, 0 before the first.

    >>> fill(np.array([1, 2, np.nan, 4], np.float32), period=2).tolist()
    [1.0, 2.0, 1.0, 4.0]
    """
    result = y.copy()
    for day in np.flatnonzero(np.isnan(result)):
        result[day] = result[day - period] if day >= period else 0.0
    return result
