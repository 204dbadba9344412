"""The quantiles that every algorithm gives, and the intervals made of them."""

from __future__ import annotations

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
OUTPUTS = 1 + len(LEVELS)  # an algorithm's last axis: the mean, then the quantiles
MEDIAN = LEVELS.index(0.5)
# percent -> positions of its two ends in LEVELS
INTERVALS = {"50": (2, 4), "80": (1, 5), "95": (0, 6)}
NAMES = tuple(f"q{level:g}" for level in LEVELS)
