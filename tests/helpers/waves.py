"""Sales whose rhythm is known."""

from __future__ import annotations

import numpy as np
import pandas as pd


def wave_frame(days: int = 260, stores: int = 2, products: int = 2) -> pd.DataFrame:
    """A weekly wave per series, doubled on promotion days, noise-free; Sundays closed in the first store."""
    rows = []
    dates = pd.date_range("2024-01-01", periods=days)
    for s in range(stores):
        for p in range(products):
            promo = (np.arange(days) % 17 == p).astype(float)
            level = 20 * (1 + s) * (1 + p)
            sales = level * (1 + 0.5 * np.sin(2 * np.pi * np.arange(days) / 7)) * (1 + promo)
            opened = (dates.day_of_week != 6) if s == 0 else np.ones(days, bool)
            rows.append(
                pd.DataFrame(
                    {
                        "date": dates,
                        "store_id": f"S{s}",
                        "product_id": f"P{p}",
                        "sales": np.where(opened, sales, 0).round(),
                        "promo": promo,
                        "open": opened.astype(float),
                        "group": "ab"[p % 2],
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)


ROLES = {"promo": "known", "open": "known", "group": "static"}
