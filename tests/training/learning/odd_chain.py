"""A made-up chain of shops in which everything happens that makes a recursive forecast run away."""

from __future__ import annotations

import numpy as np

from registry.series.panel import Panel

DAYS, AHEAD, SHOPS = 800, 112, 24
PLAIN, REOPENED, RAISED, LOWERED, YOUNG, SPIKED, CHEAP = (
    slice(0, 10),
    slice(10, 14),  # closed for half a year, open again from the first day ahead on
    slice(14, 16),  # ten times the level since 40 days
    slice(16, 18),  # a tenth of it
    slice(18, 20),  # ten days old
    slice(20, 22),  # one day of a thousand times the usual
    slice(22, 24),  # ahead at half the lowest price that was ever asked
)


def build_odd_chain(seed: int) -> tuple[Panel, np.ndarray]:
    """The chain up to its last known day, and what it sells on the AHEAD days after it: [SHOPS, AHEAD]."""
    rng = np.random.default_rng(seed)
    days = np.arange(DAYS + AHEAD)
    level = np.exp(rng.uniform(np.log(20), np.log(400), (SHOPS, 1)))
    week = 1 + 0.3 * np.sin(2 * np.pi * (days % 7) / 7 + rng.uniform(0, 6, (SHOPS, 1)))
    year = 1 + 0.2 * np.sin(2 * np.pi * days / 365)
    promo = (rng.random((SHOPS, len(days))) < 0.12).astype(np.float32)
    price = np.where(promo > 0, 0.8, 1.0) * rng.uniform(2, 9, (SHOPS, 1))
    closed = np.broadcast_to(days % 7 == 6, (SHOPS, len(days))).copy()
    closed[REOPENED, DAYS - 182 : DAYS] = True
    level = np.repeat(level, len(days), axis=1)
    level[RAISED, DAYS - 40 :] *= 10
    level[LOWERED, DAYS - 40 :] /= 10
    price[CHEAP, DAYS:] = 0.4 * price[CHEAP, :DAYS].max(axis=1, keepdims=True)
    mean = level * week * year * (1 + 0.5 * promo)
    sales = rng.negative_binomial(20, 20 / (20 + mean)).astype(np.float32)
    sales[SPIKED, DAYS - 120] *= 1000
    visits = np.round(sales * rng.uniform(0.6, 0.9, (SHOPS, 1)) + 1).astype(np.float32)
    missing = closed.copy()
    missing[YOUNG, : DAYS - 10] = True
    sales, visits = (np.where(missing, np.float32(np.nan), values) for values in (sales, visits))
    known = {"promo": promo, "price": price.astype(np.float32), "open": (~closed).astype(np.float32)}
    panel = Panel(
        np.datetime64("2024-01-01"),
        [(f"S{shop:02}", "all") for shop in range(SHOPS)],
        sales[:, :DAYS],
        closed[:, :DAYS],
        known,
        {"visits": visits[:, :DAYS]},
    )
    return panel, sales[:, DAYS:]
