"""Panels of the shards of a scope side by side, as far as totals need them. Pure numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from registry.series.panel import Floats, Panel


def keep_newest(panel: Panel, days: int, is_kept: Callable[[str], bool]) -> Panel:
    """The newest days, and of the covariates those known ahead whose name is kept."""
    first = max(0, panel.days - days)
    return replace(
        panel,
        start=panel.start + np.timedelta64(first, "D"),
        sales=panel.sales[:, first:].copy(),  # no view: the rest of the memory is given back
        closed=panel.closed[:, first:].copy(),
        known={name: values[:, first:].copy() for name, values in panel.known.items() if is_kept(name)},
        past={},
        static={},
        borrowed=None,
    )


def join_panels(panels: Sequence[Panel]) -> Panel:
    """The series of all panels, one after the other; their sales end on the same day.

    Of the covariates only those known ahead are joined.
    """
    start, days = min(panel.start for panel in panels), max(panel.days for panel in panels)
    names = sorted({name for panel in panels for name in panel.known})
    texts = {
        name: sorted({text for panel in panels for text in panel.categories.get(name, [])})
        for name in names
        if any(name in panel.categories for panel in panels)
    }
    ahead = max(
        (panel.known[name].shape[1] - panel.days for panel in panels for name in panel.known), default=0
    )
    known = {
        name: np.concatenate(
            [_widen(_read_known(panel, name, texts), (days, ahead), panel) for panel in panels]
        )
        for name in names
    }
    closed = [np.pad(panel.closed, ((0, 0), (days - panel.days, 0))) for panel in panels]
    return replace(
        panels[0],
        start=start,
        keys=[key for panel in panels for key in panel.keys],
        sales=np.concatenate([_widen(panel.sales, (days, 0), panel) for panel in panels]),
        closed=np.concatenate(closed),
        known=known,
        past={},
        static={},
        categories=texts,
        borrowed=None,
    )


def _read_known(panel: Panel, name: str, texts: dict[str, list[str]]) -> Floats:
    """A covariate of a panel, with codes into the texts of all; empty where the panel lacks it."""
    if name not in panel.known:
        return np.full((len(panel.keys), panel.days), np.nan, np.float32)
    values = panel.known[name]
    if name not in texts or name not in panel.categories:
        return values
    codes = np.array([texts[name].index(text) for text in panel.categories[name]], np.float32)
    found = np.full(values.shape, np.nan, np.float32)
    given: NDArray[np.bool_] = ~np.isnan(values)
    found[given] = codes[values[given].astype(np.intp)]
    return found


def _widen(values: Floats, size: tuple[int, int], panel: Panel) -> Floats:
    """The values with so many days of sales before, and so many ahead, NaN where nothing is given."""
    days, ahead = size
    before, after = days - panel.days, max(0, panel.days + ahead - values.shape[1])
    return np.pad(values, ((0, 0), (before, after)), constant_values=np.nan)
