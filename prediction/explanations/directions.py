"""Does a model know which way promotions and prices push? A promotion must not lower, a higher price not
raise what it expects of nearly every series, or it is not fit for trying plans. Pure: no Django."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from prediction.explanations.inputs import find_column, promotion_values, usual_prices
from registry.series.panel import Floats, Panel
from registry.series.panels.column_groups import PRICE, PROMOTION

if TYPE_CHECKING:
    from registry.model_versions.bundle import Bundle

PRICE_RISE = 1.1
TOLERANCE = 0.002  # relative change that counts as none
FIT_SHARE = 0.9  # of the series, from which on a model is fit


def measure_directions(bundle: Bundle, panel: Panel, horizon: int) -> dict[str, float]:
    """The share of series that a promotion does not lower, and that a price 10% higher does not raise.

    Columns that the model has not learned are left out.
    """
    learned = {column["name"] for column in bundle.encoder.known}
    found = {}
    name = find_column(panel, PROMOTION)
    if name is not None and name in learned:
        off, on = promotion_values(panel, name)
        less, more = (_expect(bundle, panel, name, np.float32(value), horizon) for value in (off, on))
        found[PROMOTION] = float((more >= less * (1 - TOLERANCE)).mean())
    name = find_column(panel, PRICE)
    if name is not None and name in learned:
        usual = usual_prices(panel, name, np.arange(len(panel.keys)))[:, None]
        more, less = (_expect(bundle, panel, name, usual * rise, horizon) for rise in (1.0, PRICE_RISE))
        priced = ~np.isnan(usual[:, 0])
        if priced.any():
            found[PRICE] = float((less <= more * (1 + TOLERANCE))[priced].mean())
    return found


def _expect(bundle: Bundle, panel: Panel, name: str, value: Floats | np.float32, horizon: int) -> Floats:
    """Units of each series [S] with this value of a column on all days ahead."""
    values = panel.known[name]
    wide = np.full((len(values), max(values.shape[1], panel.days + horizon)), np.nan, np.float32)
    wide[:, : values.shape[1]] = values
    wide[:, panel.days :] = value
    mean = bundle.forecast(replace(panel, known={**panel.known, name: wide}), horizon).mean
    return np.asarray(mean.sum(axis=1))
